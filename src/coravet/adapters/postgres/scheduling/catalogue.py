"""The catalogue on PostgreSQL: who may serve what, and when they work."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.fields import wall_time
from coravet.core.scheduling.hours import DaySpan, WeeklySpan


class CatalogueOnPostgres:
    """Who may serve what, and when they work."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def assign(self, service_id: UUID, resource_ids: Iterable[UUID]) -> None:
        await self._work.execute("DELETE FROM service_resources WHERE service_id = $1", service_id)
        await self._work.execute(
            "INSERT INTO service_resources (clinic_id, service_id, resource_id)"
            " SELECT $1, $2, id FROM unnest($3::uuid[]) AS id",
            self._work.actor.clinic_id,
            service_id,
            list(dict.fromkeys(resource_ids)),
        )

    async def set_hours(self, resource_id: UUID, spans: list[WeeklySpan]) -> None:
        await self._work.execute("DELETE FROM hours WHERE resource_id = $1", resource_id)
        await self._work.execute_many(
            "INSERT INTO hours (clinic_id, resource_id, weekday, opens, closes, valid_from, valid_until)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                (
                    self._work.actor.clinic_id,
                    resource_id,
                    span.weekday,
                    wall_time(span.opens),
                    wall_time(span.closes),
                    span.valid_from or date.min,
                    span.valid_until or date.max,
                )
                for span in spans
            ],
        )

    async def set_exception(self, resource_id: UUID, day: date, spans: list[DaySpan], reason: str | None) -> None:
        await self._work.execute(
            "INSERT INTO exceptions (clinic_id, resource_id, day, opens, closes, reason)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (clinic_id, resource_id, day)"
            " DO UPDATE SET opens = excluded.opens, closes = excluded.closes, reason = excluded.reason",
            self._work.actor.clinic_id,
            resource_id,
            day,
            [wall_time(span.opens) for span in spans],
            [wall_time(span.closes) for span in spans],
            reason,
        )

    async def drop_exception(self, resource_id: UUID, day: date) -> None:
        dropped = await self._work.execute(
            "DELETE FROM exceptions WHERE resource_id = $1 AND day = $2", resource_id, day
        )
        if dropped == "DELETE 0":
            raise NotFound

    async def drop_closure(self, closure_id: UUID) -> None:
        if await self._work.execute("DELETE FROM closures WHERE id = $1", closure_id) == "DELETE 0":
            raise NotFound
