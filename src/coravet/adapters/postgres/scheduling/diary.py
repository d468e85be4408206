"""The diary on PostgreSQL: whose time is taken, and taking it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.model import Allocation, Appointment, Hold, Transition
from coravet.core.scheduling.ports import Coming, Held

_HELD = """
SELECT resource_id, lane, starts_at, ends_at, expires_at FROM allocations
WHERE resource_id = ANY($1) AND ends_at > $2 AND starts_at < $3 AND released_at IS NULL
  AND ends_at < $3::timestamptz + interval '2 days' -- none is longer, and so the index is bounded on both sides
"""


class DiaryOnPostgres:
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def lock(self, resource_ids: Iterable[UUID]) -> None:
        await self._work.fetch(
            "SELECT pg_advisory_xact_lock(hashtextextended($1 || id::text, 0))"
            " FROM (SELECT id FROM unnest($2::uuid[]) AS id ORDER BY id) AS sorted",
            f"{self._work.actor.clinic_id}:",
            list(resource_ids),
        )

    async def held(self, resource_ids: Sequence[UUID], window: Interval, now: datetime) -> list[Held]:
        rows = await self._work.fetch(_HELD, list(resource_ids), window.starts_at, window.ends_at)
        return [_held(row) for row in rows if not _expired(row, now)]

    async def taken(self, resource_ids: Sequence[UUID], window: Interval, now: datetime) -> list[Held]:
        rows = await self._work.fetch(_HELD, list(resource_ids), window.starts_at, window.ends_at)
        if any(_expired(row, now) for row in rows):
            await self._sweep(resource_ids, now)
        return [_held(row) for row in rows if not _expired(row, now)]

    async def _sweep(self, resource_ids: Sequence[UUID], now: datetime) -> None:
        """Have expired holds of these resources give back their time: the constraint cannot look at the clock."""
        await self._work.execute(
            "UPDATE allocations SET released_at = $2"
            " WHERE resource_id = ANY($1) AND released_at IS NULL AND expires_at <= $2",
            list(resource_ids),
            now,
        )

    async def coming(self, resource_ids: Sequence[UUID], window: Interval) -> list[Coming]:
        rows = await self._work.fetch(
            "SELECT a.id, l.resource_id, a.starts_at, a.ends_at FROM allocations l"
            " JOIN appointments a ON a.clinic_id = l.clinic_id AND a.id = l.appointment_id"
            " WHERE l.resource_id = ANY($1) AND l.ends_at > $2 AND l.starts_at < $3 AND l.released_at IS NULL"
            " AND a.ends_at > $2 AND a.starts_at < $3"
            " AND a.status IN ('requested', 'confirmed', 'checked_in', 'in_exam', 'ready')"
            " ORDER BY a.starts_at, a.id",
            list(resource_ids),
            window.starts_at,
            window.ends_at,
        )
        return [Coming(row["id"], row["resource_id"], Interval(row["starts_at"], row["ends_at"])) for row in rows]

    async def add(self, appointment: Appointment, allocations: list[Allocation], booked: Transition) -> None:
        await self._work.insert([appointment], allocations, [booked])

    async def add_hold(self, hold: Hold, allocations: list[Allocation]) -> None:
        self._work.session.add(hold)
        await self.take(allocations)

    async def take(self, allocations: list[Allocation]) -> None:
        await self._work.insert(allocations)

    async def taken_by(self, holder_id: UUID) -> list[UUID]:
        rows = await self._work.fetch(
            "SELECT DISTINCT resource_id FROM allocations WHERE appointment_id = $1 OR hold_id = $1 ORDER BY 1",
            holder_id,
        )
        return [row["resource_id"] for row in rows]

    async def release(self, holder_id: UUID, at: datetime) -> None:
        await self._work.execute(
            "UPDATE allocations SET released_at = $2"
            " WHERE (appointment_id = $1 OR hold_id = $1) AND released_at IS NULL",
            holder_id,
            at,
        )

    async def reclaim(self, appointment_id: UUID, now: datetime) -> bool:
        resource_ids = await self.taken_by(appointment_id)
        await self.lock(resource_ids)
        await self._sweep(resource_ids, now)
        tag = await self._work.execute(
            "UPDATE allocations a SET released_at = NULL WHERE a.appointment_id = $1 AND NOT EXISTS"
            " (SELECT FROM allocations o, allocations b WHERE b.appointment_id = $1 AND o.clinic_id = b.clinic_id"
            "  AND o.resource_id = b.resource_id AND o.lane = b.lane AND o.during && b.during"
            "  AND o.released_at IS NULL)",
            appointment_id,
        )
        return tag != "UPDATE 0"


def _held(row: asyncpg.Record) -> Held:
    return Held(row["resource_id"], row["lane"], Interval(row["starts_at"], row["ends_at"]))


def _expired(row: asyncpg.Record, now: datetime) -> bool:
    return row["expires_at"] is not None and row["expires_at"] <= now


class HoldRows(Rows[Hold]):
    """Time that is held without a visit."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Hold)
        self._work = work

    async def of_token(self, token_hash: bytes) -> UUID | None:
        rows = await self._work.fetch("SELECT id FROM holds WHERE token_hash = $1 AND kind = 'guest'", token_hash)
        return rows[0]["id"] if rows else None
