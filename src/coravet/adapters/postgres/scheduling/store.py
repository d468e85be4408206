"""The diary, the catalogue and the schedule's reads on PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.cursors import after, page_of
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.scheduling.hours import Interval, WeeklySpan, wall_text, wall_time
from coravet.core.scheduling.model import Allocation, Appointment
from coravet.core.scheduling.ports import Held, Offer
from coravet.core.scheduling.views import (
    AppointmentView,
    ClientRef,
    HoursView,
    PatientRef,
    ResourceRef,
    ResourceView,
    ServiceRef,
    ServiceView,
)

FIRST = UUID(int=0)
NEWEST = datetime.max.replace(tzinfo=UTC)

_APPOINTMENTS = """
SELECT a.id, a.status, s.id AS service_id, s.name AS service_name, s.color, s.duration_minutes,
       p.id AS patient_id, p.name AS patient_name, p.species,
       c.id AS client_id, c.given_name || ' ' || c.family_name AS client_name, c.phone,
       r.ids AS resource_ids, r.kinds, r.names,
       a.starts_at, a.ends_at, a.reason, a.source, a.lane, a.rescheduled_from_id, a.version
FROM appointments a
JOIN services s ON s.clinic_id = a.clinic_id AND s.id = a.service_id
JOIN patients p ON p.clinic_id = a.clinic_id AND p.id = a.patient_id
JOIN clients c ON c.clinic_id = a.clinic_id AND c.id = a.client_id
CROSS JOIN LATERAL (
    SELECT array_agg(r.id ORDER BY r.kind DESC, r.name) AS ids, array_agg(r.kind ORDER BY r.kind DESC, r.name) AS kinds,
           array_agg(r.name ORDER BY r.kind DESC, r.name) AS names
    FROM allocations l JOIN resources r ON r.clinic_id = l.clinic_id AND r.id = l.resource_id
    WHERE l.clinic_id = a.clinic_id AND l.appointment_id = a.id
) r
"""
_SERVICES = """
SELECT s.id, s.name, s.duration_minutes, s.buffer_before_minutes, s.buffer_after_minutes,
       ARRAY(
           SELECT l.resource_id FROM service_resources l
           WHERE l.clinic_id = s.clinic_id AND l.service_id = s.id ORDER BY l.resource_id
       ) AS resource_ids,
       s.bookable_online, s.color, s.active, s.version
FROM services s
"""
_RESOURCES = "SELECT id, kind, name, member_id, active, version FROM resources"


class DiaryOnPostgres:
    """Who is free when."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def offer(self, service_id: UUID) -> Offer:
        rows = await self._work.fetch(
            "SELECT s.duration_minutes, s.buffer_before_minutes, s.buffer_after_minutes, r.id, r.kind FROM services s"
            " JOIN service_resources l ON l.clinic_id = s.clinic_id AND l.service_id = s.id"
            " JOIN resources r ON r.clinic_id = l.clinic_id AND r.id = l.resource_id AND r.active"
            " WHERE s.id = $1 AND s.active ORDER BY r.name, r.id",
            service_id,
        )
        if not rows:
            raise NotFound
        return Offer(
            service_id=service_id,
            duration_minutes=rows[0]["duration_minutes"],
            buffer_before_minutes=rows[0]["buffer_before_minutes"],
            buffer_after_minutes=rows[0]["buffer_after_minutes"],
            resources={row["id"]: row["kind"] for row in rows},
        )

    async def owner_of(self, patient_id: UUID) -> UUID:
        rows = await self._work.fetch(
            "SELECT client_id FROM parties WHERE patient_id = $1 AND role = 'owner' AND until IS NULL", patient_id
        )
        if not rows:
            raise NotFound
        client_id: UUID = rows[0]["client_id"]
        return client_id

    async def lock(self, resource_ids: Iterable[UUID]) -> None:
        await self._work.fetch(
            "SELECT pg_advisory_xact_lock(hashtextextended($1 || id::text, 0))"
            " FROM (SELECT id FROM unnest($2::uuid[]) AS id ORDER BY id) AS sorted",
            f"{self._work.actor.clinic_id}:",
            list(resource_ids),
        )

    async def held(self, resource_ids: Sequence[UUID], window: Interval) -> list[Held]:
        rows = await self._work.fetch(
            "SELECT resource_id, lane, starts_at, ends_at FROM allocations WHERE resource_id = ANY($1)"
            " AND ends_at > $2 AND starts_at < $3 AND released_at IS NULL",
            list(resource_ids),
            window.starts_at,
            window.ends_at,
        )
        return [Held(row["resource_id"], row["lane"], Interval(row["starts_at"], row["ends_at"])) for row in rows]

    async def hours(self, resource_ids: Sequence[UUID]) -> dict[UUID, list[WeeklySpan]]:
        rows = await self._work.fetch(
            "SELECT resource_id, weekday, opens, closes FROM hours WHERE resource_id = ANY($1) ORDER BY weekday, opens",
            list(resource_ids),
        )
        found: dict[UUID, list[WeeklySpan]] = {resource_id: [] for resource_id in resource_ids}
        for row in rows:
            found[row["resource_id"]].append(
                WeeklySpan(row["weekday"], wall_text(row["opens"]), wall_text(row["closes"]))
            )
        return found

    async def add(self, appointment: Appointment, allocations: list[Allocation]) -> None:
        session = self._work.session
        session.add(appointment)
        await session.flush()
        session.add_all(allocations)
        await session.flush()

    async def release(self, appointment_id: UUID, at: datetime) -> None:
        await self._work.execute(
            "UPDATE allocations SET released_at = $2 WHERE appointment_id = $1 AND released_at IS NULL",
            appointment_id,
            at,
        )


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

    async def set_hours(self, resource_id: UUID, spans: list[WeeklySpan]) -> HoursView:
        await self._work.execute("DELETE FROM hours WHERE resource_id = $1", resource_id)
        await self._work.execute_many(
            "INSERT INTO hours (clinic_id, resource_id, weekday, opens, closes) VALUES ($1, $2, $3, $4, $5)",
            [
                (self._work.actor.clinic_id, resource_id, span.weekday, wall_time(span.opens), wall_time(span.closes))
                for span in spans
            ],
        )
        return HoursView(resource_id, sorted(spans, key=lambda span: (span.weekday, span.opens)))


def _appointment_view(row: asyncpg.Record) -> AppointmentView:
    (
        appointment_id, status, service_id, service_name, color, duration, patient_id, patient_name, species,
        client_id, client_name, phone, resource_ids, kinds, names, starts_at, ends_at, reason, source, lane,
        rescheduled_from_id, version,
    ) = row  # fmt: skip
    return AppointmentView(
        appointment_id,
        status,
        ServiceRef(service_id, service_name, color, duration),
        PatientRef(patient_id, patient_name, species),
        ClientRef(client_id, client_name, phone),
        [ResourceRef(*each) for each in zip(resource_ids, kinds, names, strict=True)],
        starts_at,
        ends_at,
        reason,
        source,
        lane,
        rescheduled_from_id,
        version,
    )


class ScheduleReadsOnPostgres:
    """The schedule as readers see it, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def agenda(self, starts_at: datetime, ends_at: datetime, resource_id: UUID | None) -> list[AppointmentView]:
        rows = await self._work.fetch(
            f"{_APPOINTMENTS} WHERE a.starts_at >= $1 AND a.starts_at < $2"
            " AND ($3::uuid IS NULL OR $3 = ANY(r.ids)) ORDER BY a.starts_at, a.id",
            starts_at,
            ends_at,
            resource_id,
        )
        return [_appointment_view(row) for row in rows]

    async def appointment(self, appointment_id: UUID) -> AppointmentView:
        rows = await self._work.fetch(f"{_APPOINTMENTS} WHERE a.id = $1", appointment_id)
        if not rows:
            raise NotFound
        return _appointment_view(rows[0])

    async def appointments(self, page: PageRequest, patient_id: UUID | None) -> Page[AppointmentView]:
        last = after(page, tuple[datetime, UUID]) or (NEWEST, FIRST)
        rows = await self._work.fetch(
            f"{_APPOINTMENTS} WHERE (a.starts_at, a.id) < ($1, $2) AND ($3::uuid IS NULL OR a.patient_id = $3)"
            " ORDER BY a.starts_at DESC, a.id DESC LIMIT $4",
            *last,
            patient_id,
            page.limit + 1,
        )
        return page_of(rows, page, _appointment_view, lambda row: (row["starts_at"], row["id"]))

    async def service(self, service_id: UUID) -> ServiceView:
        rows = await self._work.fetch(f"{_SERVICES} WHERE s.id = $1", service_id)
        if not rows:
            raise NotFound
        return ServiceView(*rows[0].values())

    async def services(self, page: PageRequest) -> Page[ServiceView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._work.fetch(
            f"{_SERVICES} WHERE s.active AND (s.name, s.id) > ($1, $2) ORDER BY s.name, s.id LIMIT $3",
            *last,
            page.limit + 1,
        )
        return page_of(rows, page, lambda row: ServiceView(*row.values()), lambda row: (row["name"], row["id"]))

    async def resource(self, resource_id: UUID) -> ResourceView:
        rows = await self._work.fetch(f"{_RESOURCES} WHERE id = $1", resource_id)
        if not rows:
            raise NotFound
        return ResourceView(*rows[0].values())

    async def resources(self, page: PageRequest) -> Page[ResourceView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._work.fetch(
            f"{_RESOURCES} WHERE active AND (name, id) > ($1, $2) ORDER BY name, id LIMIT $3",
            *last,
            page.limit + 1,
        )
        return page_of(rows, page, lambda row: ResourceView(*row.values()), lambda row: (row["name"], row["id"]))
