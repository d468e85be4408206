"""The diary, the catalogue and the schedule's reads on PostgreSQL."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from coravet.adapters.postgres.cursors import after, page_of
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.scheduling.hours import DaySpan, Interval, Openings, WeeklySpan, wall_text, wall_time
from coravet.core.scheduling.model import Allocation, Appointment, CalendarFeed, Hold, Transition
from coravet.core.scheduling.ports import Booked, Coming, Held, Offer, Plan
from coravet.core.scheduling.views import (
    AppointmentView,
    ClientRef,
    ClosureView,
    ExceptionView,
    FeedVisit,
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

FIRST = UUID(int=0)
NEWEST = datetime.max.replace(tzinfo=UTC)

_APPOINTMENTS = """
SELECT a.id, a.status, s.id AS service_id, s.name AS service_name, s.color, s.duration_minutes,
       p.id AS patient_id, p.name AS patient_name, p.species,
       c.id AS client_id, c.given_name || ' ' || c.family_name AS client_name, c.phone,
       r.ids AS resource_ids, r.kinds, r.names,
       a.starts_at, a.ends_at, a.reason, a.source, a.lane, a.rescheduled_from_id, a.version,
       a.status_since, a.checked_in_at, a.superseded_by_id
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
       s.bookable_online, s.color, s.species, s.room_kind, s.minimum_notice_minutes, s.horizon_days,
       s.guest_needs_confirmation, s.guest_cutoff_minutes, s.active, s.version
FROM services s
"""
_FEED = """
SELECT a.id, a.version, a.status, a.starts_at, a.ends_at, p.name, s.name, coalesce(t.at, a.status_since)
FROM appointments a
JOIN patients p ON p.clinic_id = a.clinic_id AND p.id = a.patient_id
JOIN services s ON s.clinic_id = a.clinic_id AND s.id = a.service_id
CROSS JOIN LATERAL (
    SELECT max(at) AS at FROM appointment_transitions WHERE clinic_id = a.clinic_id AND appointment_id = a.id
) t
WHERE a.starts_at >= $2 AND a.starts_at < $3 AND a.superseded_by_id IS NULL AND EXISTS (
    SELECT FROM allocations l WHERE l.clinic_id = a.clinic_id AND l.appointment_id = a.id AND l.resource_id = $1
)
ORDER BY a.starts_at, a.id
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
_OFFER = """
       s.id AS service_id, s.duration_minutes, s.buffer_before_minutes, s.buffer_after_minutes, s.species, s.room_kind,
       s.bookable_online, s.minimum_notice_minutes, s.horizon_days, s.guest_needs_confirmation, s.guest_cutoff_minutes,
       c.grid_minutes, r.id, r.kind
"""
_OF_SERVICE = """
FROM services s
JOIN clinics c ON c.id = s.clinic_id
JOIN resources r ON r.clinic_id = s.clinic_id AND r.active AND (
    r.room_kind = s.room_kind
    OR EXISTS (
        SELECT FROM service_resources l
        WHERE l.clinic_id = s.clinic_id AND l.service_id = s.id AND l.resource_id = r.id
    )
)
WHERE s.id = $1
"""
_BY_NAME = "ORDER BY r.name, r.id"
_OPENINGS = """
json_build_object(
    'weekly', (
        SELECT coalesce(json_agg(json_build_object(
            'weekday', h.weekday, 'opens', to_char(h.opens, 'HH24:MI'), 'closes', to_char(h.closes, 'HH24:MI'),
            'valid_from', nullif(h.valid_from, '-infinity'), 'valid_until', nullif(h.valid_until, 'infinity')
        )), '[]')
        FROM hours h
        WHERE h.clinic_id = r.clinic_id AND h.resource_id = r.id AND h.valid_from <= $3 AND h.valid_until >= $2
    ),
    'exceptions', (
        SELECT coalesce(json_object_agg(e.day, (
            SELECT coalesce(json_agg(json_build_object(
                'opens', to_char(s.opens, 'HH24:MI'), 'closes', to_char(s.closes, 'HH24:MI')
            )), '[]')
            FROM unnest(e.opens, e.closes) AS s (opens, closes)
        )), '{}')
        FROM exceptions e
        WHERE e.clinic_id = r.clinic_id AND e.resource_id = r.id AND e.day BETWEEN $2 AND $3
    ),
    'closures', (
        SELECT coalesce(json_agg(json_build_object(
            'starts_on', x.starts_on, 'ends_on', x.ends_on,
            'from_time', to_char(x.from_time, 'HH24:MI'), 'to_time', to_char(x.to_time, 'HH24:MI')
        )), '[]')
        FROM closures x
        WHERE x.clinic_id = r.clinic_id AND (x.resource_id IS NULL OR x.resource_id = r.id)
          AND x.ends_on >= $2 AND x.starts_on <= $3
    )
)::text AS openings
"""
_OF_RESOURCES = "FROM resources r WHERE r.id = ANY($1)"
_AROUND = timedelta(days=2)
"""A night reaches into the day after it, and what is open across the end of the days is drawn until it shuts."""
_openings = msgspec.json.Decoder(Openings)


def _about(first: date, last: date) -> tuple[date, date]:
    """The days of which rules matter to some days."""
    return first - min(_AROUND, first - date.min), last + min(_AROUND, date.max - last)


def _offer(rows: list[asyncpg.Record]) -> Offer:
    """The offer of rows that were selected as `_OFFER`."""
    if not rows:
        raise NotFound
    service = {name: value for name, value in rows[0].items() if name in Offer.__struct_fields__}
    service["species"] = frozenset(service["species"])
    return Offer(**service, resources={row["id"]: row["kind"] for row in rows})


_HELD = """
SELECT resource_id, lane, starts_at, ends_at FROM allocations
WHERE resource_id = ANY($1) AND ends_at > $2 AND starts_at < $3 AND released_at IS NULL
  AND ends_at < $3::timestamptz + interval '2 days' -- none is longer, and so the index is bounded on both sides
  AND (expires_at IS NULL OR expires_at > $4)
"""
_SWEEP = """
WITH swept AS (
    UPDATE allocations SET released_at = $4
    WHERE resource_id = ANY($1) AND released_at IS NULL AND expires_at <= $4
)
"""


class DiaryOnPostgres:
    """Who is free when."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def offer(self, service_id: UUID, *, retired: bool = False) -> Offer:
        return _offer(
            await self._work.fetch(
                f"SELECT {_OFFER} {_OF_SERVICE} AND (s.active OR $2) {_BY_NAME}", service_id, retired
            )
        )

    async def plan(self, service_id: UUID, first: date, last: date) -> Plan:
        rows = await self._work.fetch(
            f"SELECT {_OFFER}, {_OPENINGS} {_OF_SERVICE} AND s.active {_BY_NAME}", service_id, *_about(first, last)
        )
        return Plan(_offer(rows), {row["id"]: _openings.decode(row["openings"]) for row in rows})

    async def openings(self, resource_ids: Sequence[UUID], first: date, last: date) -> dict[UUID, Openings]:
        rows = await self._work.fetch(
            f"SELECT r.id, {_OPENINGS} {_OF_RESOURCES}", list(resource_ids), *_about(first, last)
        )
        return {row["id"]: _openings.decode(row["openings"]) for row in rows}

    async def booked(self, patient_id: UUID) -> Booked:
        rows = await self._work.fetch(
            "SELECT p.id, o.client_id, p.species, p.deceased_on IS NOT NULL FROM patients p JOIN parties o"
            " ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL"
            " WHERE p.id = $1",
            patient_id,
        )
        if not rows:
            raise NotFound
        return Booked(*rows[0])

    async def known(self, resource_ids: Sequence[UUID]) -> bool:
        wanted = set(resource_ids)
        rows = await self._work.fetch("SELECT id FROM resources WHERE id = ANY($1)", list(wanted))
        return len(rows) == len(wanted)

    async def lock(self, resource_ids: Iterable[UUID]) -> None:
        await self._work.fetch(
            "SELECT pg_advisory_xact_lock(hashtextextended($1 || id::text, 0))"
            " FROM (SELECT id FROM unnest($2::uuid[]) AS id ORDER BY id) AS sorted",
            f"{self._work.actor.clinic_id}:",
            list(resource_ids),
        )

    async def held(self, resource_ids: Sequence[UUID], window: Interval, now: datetime) -> list[Held]:
        return await self._held(_HELD, resource_ids, window, now)

    async def taken(self, resource_ids: Sequence[UUID], window: Interval, now: datetime) -> list[Held]:
        return await self._held(f"{_SWEEP} {_HELD}", resource_ids, window, now)

    async def _held(self, sql: str, resource_ids: Sequence[UUID], window: Interval, now: datetime) -> list[Held]:
        rows = await self._work.fetch(sql, list(resource_ids), window.starts_at, window.ends_at, now)
        return [Held(row["resource_id"], row["lane"], Interval(row["starts_at"], row["ends_at"])) for row in rows]

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

    async def resources(self) -> list[UUID]:
        return [row["id"] for row in await self._work.fetch("SELECT id FROM resources")]

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
        await self._work.execute(
            "UPDATE allocations SET released_at = $2"
            " WHERE resource_id = ANY($1) AND released_at IS NULL AND expires_at <= $2",
            resource_ids,
            now,
        )
        tag = await self._work.execute(
            "UPDATE allocations a SET released_at = NULL WHERE a.appointment_id = $1 AND NOT EXISTS"
            " (SELECT FROM allocations o, allocations b WHERE b.appointment_id = $1 AND o.clinic_id = b.clinic_id"
            "  AND o.resource_id = b.resource_id AND o.lane = b.lane AND o.during && b.during"
            "  AND o.released_at IS NULL)",
            appointment_id,
        )
        return tag != "UPDATE 0"

    async def set_aside(self, appointment_id: UUID, copy_id: UUID, now: datetime) -> UUID:
        await self._work.execute(
            "WITH copied AS ("
            "  INSERT INTO appointments (clinic_id, id, service_id, patient_id, client_id, status, starts_at, ends_at,"
            "   reason, source, lane, rescheduled_from_id, version, created_at, previous_status, status_since,"
            "   checked_in_at, superseded_by_id)"
            "  SELECT clinic_id, $2, service_id, patient_id, client_id, 'cancelled', starts_at, ends_at, reason,"
            "   source, lane, rescheduled_from_id, version, created_at, status, $3, checked_in_at, id"
            "  FROM appointments WHERE id = $1 RETURNING id)"
            " UPDATE allocations l SET appointment_id = copied.id, released_at = coalesce(l.released_at, $3)"
            " FROM copied WHERE l.appointment_id = $1",
            appointment_id,
            copy_id,
            now,
        )
        return copy_id

    async def record(self, transition: Transition) -> None:
        await self._work.insert([transition])


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


def _appointment_view(row: asyncpg.Record) -> AppointmentView:
    (
        appointment_id, status, service_id, service_name, color, duration, patient_id, patient_name, species,
        client_id, client_name, phone, resource_ids, kinds, names, starts_at, ends_at, reason, source, lane,
        rescheduled_from_id, version, status_since, checked_in_at, superseded_by_id,
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
    )


def _transition_view(row: asyncpg.Record) -> TransitionView:
    step, from_status, to_status, starts_at, at, by, user_id, name, reason = row
    person = None if user_id is None else PersonRef(user_id, name)
    return TransitionView(step, from_status, to_status, starts_at, at, by, person, reason)


class HoldRows(Rows[Hold]):
    """Time that is held without a visit."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Hold)
        self._work = work

    async def of_token(self, token_hash: bytes) -> UUID | None:
        rows = await self._work.fetch("SELECT id FROM holds WHERE token_hash = $1 AND kind = 'guest'", token_hash)
        return rows[0]["id"] if rows else None


class FeedRows(Rows[CalendarFeed]):
    """The feeds of resources' calendars."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, CalendarFeed)
        self._work = work

    async def revoke(self, resource_id: UUID, at: datetime) -> None:
        await self._work.execute(
            "UPDATE calendar_feeds SET revoked_at = $2 WHERE resource_id = $1 AND revoked_at IS NULL", resource_id, at
        )

    async def visits(self, resource_id: UUID, starts_at: datetime, ends_at: datetime) -> list[FeedVisit]:
        rows = await self._work.fetch(_FEED, resource_id, starts_at, ends_at)
        return [FeedVisit(*row.values()) for row in rows]


def _weekly_span(row: asyncpg.Record) -> WeeklySpan:
    return WeeklySpan(
        row["weekday"],
        wall_text(row["opens"]),
        wall_text(row["closes"]),
        None if row["valid_from"] == date.min else row["valid_from"],
        None if row["valid_until"] == date.max else row["valid_until"],
    )


class ScheduleReadsOnPostgres:
    """The schedule as readers see it, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def agenda(self, starts_at: datetime, ends_at: datetime, resource_id: UUID | None) -> list[AppointmentView]:
        rows = await self._work.fetch(
            f"{_APPOINTMENTS} WHERE a.starts_at >= $1 AND a.starts_at < $2"
            " AND a.superseded_by_id IS NULL AND ($3::uuid IS NULL OR $3 = ANY(r.ids)) ORDER BY a.starts_at, a.id",
            starts_at,
            ends_at,
            resource_id,
        )
        return [_appointment_view(row) for row in rows]

    async def staffing(self, also: Collection[UUID], day: date) -> list[tuple[ResourceRef, Openings]]:
        rows = await self._work.fetch(
            f"SELECT r.id, r.kind, r.name, {_OPENINGS} {_OF_RESOURCES} OR r.active ORDER BY r.kind DESC, r.name, r.id",
            list(also),
            *_about(day, day),
        )
        return [(ResourceRef(row["id"], row["kind"], row["name"]), _openings.decode(row["openings"])) for row in rows]

    async def appointment(self, appointment_id: UUID) -> AppointmentView:
        rows = await self._work.fetch(f"{_APPOINTMENTS} WHERE a.id = $1", appointment_id)
        if not rows:
            raise NotFound
        return _appointment_view(rows[0])

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
            f"{_APPOINTMENTS} WHERE (a.starts_at, a.id) < ($1, $2) AND a.superseded_by_id IS NULL"
            " AND ($3::uuid IS NULL OR a.patient_id = $3) ORDER BY a.starts_at DESC, a.id DESC LIMIT $4",
            *last,
            patient_id,
            page.limit + 1,
        )
        return page_of(rows, page, _appointment_view, lambda row: (row["starts_at"], row["id"]))

    async def these(self, appointment_ids: Sequence[UUID]) -> list[AppointmentView]:
        rows = await self._work.fetch(
            f"{_APPOINTMENTS} WHERE a.id = ANY($1) ORDER BY a.starts_at, a.id", list(appointment_ids)
        )
        return [_appointment_view(row) for row in rows]

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
