"""The diary on PostgreSQL: who could serve, who is taken, and taking them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.scheduling.openings import OF_RESOURCES, OPENINGS, about, decode_openings
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.errors import NotFound
from coravet.core.scheduling.hours import Interval, Openings
from coravet.core.scheduling.model import Allocation, Appointment, Hold, Transition
from coravet.core.scheduling.ports import Booked, Coming, Held, Offer, Plan

_OFFER = """
       s.id AS service_id, s.duration_minutes, s.buffer_before_minutes, s.buffer_after_minutes, s.species, s.room_kind,
       s.bookable_online, s.minimum_notice_minutes, s.horizon_days, s.guest_needs_confirmation, s.guest_cutoff_minutes,
       c.grid_minutes, r.id, r.kind, ARRAY(
           SELECT x.kind FROM service_resources l
           JOIN resources x ON x.clinic_id = l.clinic_id AND x.id = l.resource_id
           WHERE l.clinic_id = s.clinic_id AND l.service_id = s.id
       ) AS needs
"""
_OF_SERVICE = """
FROM services s
JOIN clinics c ON c.id = s.clinic_id
LEFT JOIN resources r ON r.clinic_id = s.clinic_id AND r.active AND (
    r.room_kind = s.room_kind
    OR EXISTS (
        SELECT FROM service_resources l
        WHERE l.clinic_id = s.clinic_id AND l.service_id = s.id AND l.resource_id = r.id
    )
)
WHERE s.id = $1
"""
_BY_NAME = "ORDER BY r.name, r.id"
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
            f"SELECT {_OFFER}, {OPENINGS} {_OF_SERVICE} AND s.active {_BY_NAME}", service_id, *about(first, last)
        )
        return Plan(_offer(rows), {row["id"]: decode_openings(row["openings"]) for row in rows if row["id"]})

    async def openings(self, resource_ids: Sequence[UUID], first: date, last: date) -> dict[UUID, Openings]:
        rows = await self._work.fetch(
            f"SELECT r.id, {OPENINGS} {OF_RESOURCES} AND r.active", list(resource_ids), *about(first, last)
        )
        return {row["id"]: decode_openings(row["openings"]) for row in rows}

    async def booked(self, patient_id: UUID) -> Booked:
        rows = await self._work.fetch(
            "SELECT p.id, o.client_id, p.species, p.deceased_on IS NOT NULL FROM patients p JOIN parties o"
            " ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL"
            " WHERE p.id = $1 FOR KEY SHARE OF p",  # so that nobody registers a death between this look and the booking
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


class HoldRows(Rows[Hold]):
    """Time that is held without a visit."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Hold)
        self._work = work

    async def of_token(self, token_hash: bytes) -> UUID | None:
        rows = await self._work.fetch("SELECT id FROM holds WHERE token_hash = $1 AND kind = 'guest'", token_hash)
        return rows[0]["id"] if rows else None


def _offer(rows: list[asyncpg.Record]) -> Offer:
    """The offer of rows that were selected as `_OFFER`."""
    if not rows:
        raise NotFound
    service = {name: value for name, value in rows[0].items() if name in Offer.__struct_fields__}
    service["species"] = frozenset(service["species"])
    service["needs"] = frozenset(service["needs"])
    return Offer(**service, resources={row["id"]: row["kind"] for row in rows if row["id"]})
