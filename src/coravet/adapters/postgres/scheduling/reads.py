"""The schedule as its readers see it, on PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.cursors import FIRST, NEWEST, after, page_of
from coravet.adapters.postgres.patients.store import ALERTS, decode_alerts
from coravet.adapters.postgres.scheduling.openings import OF_RESOURCES, OPENINGS, about, decode_openings
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.fields import wall_text
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.scheduling.hours import DaySpan, Openings, WeeklySpan
from coravet.core.scheduling.model import ALERTS_AT
from coravet.core.scheduling.views import (
    AppointmentView,
    ClientRef,
    ClosureView,
    ExceptionView,
    GuestVisit,
    HoursView,
    OnlineServiceView,
    PatientRef,
    PersonRef,
    PublicClinicRef,
    ResourceRef,
    ResourceView,
    ServiceRef,
    ServiceView,
    TransitionView,
)

APPOINTMENTS = f"""
SELECT a.id, a.status, s.id AS service_id, s.name AS service_name, s.color, s.duration_minutes,
       p.id AS patient_id, p.name AS patient_name, p.species,
       c.id AS client_id, rtrim(c.given_name || ' ' || c.family_name) AS client_name, c.phone,
       r.ids AS resource_ids, r.kinds, r.names,
       a.starts_at, a.ends_at, a.reason, a.source, a.lane, a.rescheduled_from_id, a.version,
       a.status_since, a.checked_in_at, a.superseded_by_id, {ALERTS} AS alerts
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
"""  # noqa: S608 -- put together from our own texts
_SERVICES = """
SELECT s.id, s.name, s.duration_minutes, s.buffer_before_minutes, s.buffer_after_minutes,
       ARRAY(
           SELECT l.resource_id FROM service_resources l
           WHERE l.clinic_id = s.clinic_id AND l.service_id = s.id ORDER BY l.resource_id
       ) AS resource_ids,
       s.bookable_online, s.color, s.species, s.room_kind, s.minimum_notice_minutes, s.horizon_days,
       s.guest_needs_confirmation, s.guest_cutoff_minutes, s.active, s.version
FROM services s
"""
_SHUT_DAYS = """
SELECT DISTINCT ON (day) day, c.id FROM unnest($1::date[]) AS day
JOIN closures c ON c.resource_id IS NULL
 AND (c.starts_on < day OR c.starts_on = day AND c.from_time IS NULL)
 AND (c.ends_on > day OR c.ends_on = day AND c.to_time IS NULL)
ORDER BY day, c.holiday DESC, c.starts_on, c.id
"""
_ONLINE = """
SELECT s.id, s.name, s.duration_minutes, s.color, s.species FROM services s
WHERE s.active AND s.bookable_online ORDER BY s.name, s.id
"""
_GUEST_VISIT = """
SELECT s.id, s.name, s.color, s.duration_minutes, c.slug, c.name, c.time_zone, a.status, a.starts_at, a.ends_at,
       (SELECT min(r.name) FROM allocations l JOIN resources r ON r.clinic_id = l.clinic_id AND r.id = l.resource_id
        WHERE l.clinic_id = a.clinic_id AND l.appointment_id = a.id AND r.kind = 'vet'),
       coalesce(g.patient_name, p.name), coalesce(g.species, p.species), s.active AND s.bookable_online,
       s.guest_cutoff_minutes
FROM appointments a
JOIN clinics c ON c.id = a.clinic_id
JOIN services s ON s.clinic_id = a.clinic_id AND s.id = a.service_id
JOIN patients p ON p.clinic_id = a.clinic_id AND p.id = a.patient_id
LEFT JOIN guest_requests g ON g.clinic_id = a.clinic_id AND g.appointment_id = a.id
WHERE a.id = $1
"""
_RESOURCES = "SELECT id, kind, name, member_id, room_kind, active, version FROM resources"
_CLOSURES = """
SELECT id, starts_on, ends_on, to_char(from_time, 'HH24:MI') AS from_time, to_char(to_time, 'HH24:MI') AS to_time,
       resource_id, reason, holiday, version
FROM closures
"""


class ScheduleReadsOnPostgres:
    """The schedule as readers see it, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def agenda(self, starts_at: datetime, ends_at: datetime, resource_id: UUID | None) -> list[AppointmentView]:
        rows = await self._work.fetch(
            f"{APPOINTMENTS} WHERE a.starts_at >= $1 AND a.starts_at < $2"
            " AND a.superseded_by_id IS NULL AND ($3::uuid IS NULL OR $3 = ANY(r.ids)) ORDER BY a.starts_at, a.id",
            starts_at,
            ends_at,
            resource_id,
        )
        return [appointment_view(row) for row in rows]

    async def board(self, starts_at: datetime, ends_at: datetime, now: datetime) -> list[AppointmentView]:
        # No visit is longer than a day: so the index on starts bounds it on both sides.
        rows = await self._work.fetch(
            f"{APPOINTMENTS} WHERE a.starts_at > $1::timestamptz - interval '1 day'"
            " AND a.starts_at < $2::timestamptz + interval '1 day' AND a.superseded_by_id IS NULL"
            " AND (a.starts_at < $2 AND a.ends_at > $1"
            "      OR $3 >= $1 AND $3 < $2 AND a.status IN ('checked_in', 'in_exam', 'ready'))"
            " ORDER BY a.starts_at, a.id",
            starts_at,
            ends_at,
            now,
        )
        return [appointment_view(row) for row in rows]

    async def staffing(self, also: Collection[UUID], day: date) -> list[tuple[ResourceRef, Openings]]:
        rows = await self._work.fetch(
            f"SELECT r.id, r.kind, r.name, {OPENINGS} {OF_RESOURCES} OR r.active ORDER BY r.kind DESC, r.name, r.id",
            list(also),
            *about(day, day),
        )
        return [(ResourceRef(row["id"], row["kind"], row["name"]), decode_openings(row["openings"])) for row in rows]

    async def appointment(self, appointment_id: UUID) -> AppointmentView:
        rows = await self._work.fetch(f"{APPOINTMENTS} WHERE a.id = $1", appointment_id)
        if not rows:
            raise NotFound
        return appointment_view(rows[0])

    async def history(self, appointment_id: UUID) -> list[TransitionView]:
        rows = await self._work.fetch(
            "SELECT t.step, t.from_status, t.to_status, t.starts_at, t.at, t.by, t.user_id, u.display_name, t.reason"
            " FROM appointments a LEFT JOIN appointment_transitions t"
            " ON t.clinic_id = a.clinic_id AND t.appointment_id = a.id LEFT JOIN users u ON u.id = t.user_id"
            " WHERE a.id = $1 ORDER BY t.at, t.id",
            appointment_id,
        )
        if not rows:
            raise NotFound
        return [_transition_view(row) for row in rows if row["step"] is not None]

    async def appointments(self, page: PageRequest, patient_id: UUID | None) -> Page[AppointmentView]:
        last = after(page, tuple[datetime, UUID]) or (NEWEST, FIRST)
        rows = await self._work.fetch(
            f"{APPOINTMENTS} WHERE (a.starts_at, a.id) < ($1, $2) AND a.superseded_by_id IS NULL"
            " AND ($3::uuid IS NULL OR a.patient_id = $3) ORDER BY a.starts_at DESC, a.id DESC LIMIT $4",
            *last,
            patient_id,
            page.limit + 1,
        )
        return page_of(rows, page, appointment_view, lambda row: (row["starts_at"], row["id"]))

    async def these(self, appointment_ids: Sequence[UUID]) -> list[AppointmentView]:
        rows = await self._work.fetch(
            f"{APPOINTMENTS} WHERE a.id = ANY($1) ORDER BY a.starts_at, a.id", list(appointment_ids)
        )
        return [appointment_view(row) for row in rows]

    async def hours(self, resource_id: UUID) -> HoursView:
        rows = await self._work.fetch(
            "SELECT h.weekday, h.opens, h.closes, h.valid_from, h.valid_until FROM resources r"
            " LEFT JOIN hours h ON h.clinic_id = r.clinic_id AND h.resource_id = r.id WHERE r.id = $1"
            " ORDER BY h.weekday, h.opens, h.valid_from",
            resource_id,
        )
        if not rows:
            raise NotFound
        return HoursView(resource_id, [_weekly_span(row) for row in rows if row["weekday"] is not None])

    async def exceptions(self, resource_id: UUID, first: date, last: date) -> list[ExceptionView]:
        rows = await self._work.fetch(
            "SELECT e.day, e.opens, e.closes, e.reason FROM resources r"
            " LEFT JOIN exceptions e ON e.clinic_id = r.clinic_id AND e.resource_id = r.id AND e.day BETWEEN $2 AND $3"
            " WHERE r.id = $1 ORDER BY e.day",
            resource_id,
            first,
            last,
        )
        if not rows:
            raise NotFound
        return [
            ExceptionView(
                resource_id,
                row["day"],
                [
                    DaySpan(wall_text(opens), wall_text(closes))
                    for opens, closes in zip(row["opens"], row["closes"], strict=True)
                ],
                row["reason"],
            )
            for row in rows
            if row["day"] is not None
        ]

    async def closures(
        self, page: PageRequest, first: date | None, last: date | None, resource_id: UUID | None
    ) -> Page[ClosureView]:
        from_day, from_id = after(page, tuple[date, UUID]) or (date.min, FIRST)
        rows = await self._work.fetch(
            f"{_CLOSURES} WHERE (starts_on, id) > ($1, $2) AND ends_on >= $3 AND starts_on <= $4"
            " AND ($5::uuid IS NULL OR resource_id IS NULL OR resource_id = $5) ORDER BY starts_on, id LIMIT $6",
            from_day,
            from_id,
            first or date.min,
            last or date.max,
            resource_id,
            page.limit + 1,
        )
        return page_of(rows, page, lambda row: ClosureView(*row.values()), lambda row: (row["starts_on"], row["id"]))

    async def shut_days(self, days: Sequence[date]) -> dict[date, UUID]:
        rows = await self._work.fetch(_SHUT_DAYS, list(days))
        return {row["day"]: row["id"] for row in rows}

    async def closure(self, closure_id: UUID) -> ClosureView:
        rows = await self._work.fetch(f"{_CLOSURES} WHERE id = $1", closure_id)
        if not rows:
            raise NotFound
        return ClosureView(*rows[0].values())

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

    async def online_services(self) -> list[OnlineServiceView]:
        rows = await self._work.fetch(_ONLINE)
        return [OnlineServiceView(*row.values()) for row in rows]

    async def guest_visit(self, appointment_id: UUID) -> GuestVisit:
        rows = await self._work.fetch(_GUEST_VISIT, appointment_id)
        if not rows:
            raise NotFound
        [service_id, service, color, duration, slug, clinic, zone, *rest] = rows[0].values()
        return GuestVisit(ServiceRef(service_id, service, color, duration), PublicClinicRef(slug, clinic, zone), *rest)

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


def appointment_view(row: asyncpg.Record) -> AppointmentView:
    (
        appointment_id, status, service_id, service_name, color, duration, patient_id, patient_name, species,
        client_id, client_name, phone, resource_ids, kinds, names, starts_at, ends_at, reason, source, lane,
        rescheduled_from_id, version, status_since, checked_in_at, superseded_by_id, alerts,
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
        status_since,
        checked_in_at,
        superseded_by_id,
        [alert for alert in decode_alerts(alerts) if alert.moment in ALERTS_AT.get(status, ())],
    )


def _transition_view(row: asyncpg.Record) -> TransitionView:
    step, from_status, to_status, starts_at, at, by, user_id, name, reason = row
    person = None if user_id is None else PersonRef(user_id, name)
    return TransitionView(step, from_status, to_status, starts_at, at, by, person, reason)


def _weekly_span(row: asyncpg.Record) -> WeeklySpan:
    return WeeklySpan(
        row["weekday"],
        wall_text(row["opens"]),
        wall_text(row["closes"]),
        None if row["valid_from"] == date.min else row["valid_from"],
        None if row["valid_until"] == date.max else row["valid_until"],
    )
