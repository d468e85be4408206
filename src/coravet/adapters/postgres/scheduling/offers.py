"""What can be had, on PostgreSQL: services, who or what serves them and when, and for whom."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.scheduling.openings import OF_RESOURCES, OPENINGS, about, decode_openings
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound
from coravet.core.scheduling.hours import Openings
from coravet.core.scheduling.ports import Booked, Offer, Plan

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
_BOOKED = """
SELECT p.id, o.client_id, p.species, p.deceased_on IS NOT NULL FROM patients p
JOIN parties o ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL
JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id AND c.merged_into_id IS NULL
    AND c.erased_at IS NULL
"""
_OF_VISIT = f"{_BOOKED} JOIN appointments a ON a.clinic_id = p.clinic_id AND a.patient_id = p.id WHERE a.id = $1"
_KEPT = "FOR KEY SHARE OF p FOR SHARE OF c, o"
"""So that nobody registers a death, transfers the patient or merges its owner between this look and the booking; in the
order in which those lock. The ownership as strongly, for else its former state would do for who waited for a transfer.
"""


class OffersOnPostgres:
    """See the port."""

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
        return await self._booked(f"{_BOOKED} WHERE p.id = $1 {_KEPT}", patient_id)

    async def of_visit(self, appointment_id: UUID) -> Booked:
        return await self._booked(f"{_OF_VISIT} {_KEPT}", appointment_id)

    async def _booked(self, sql: str, row_id: UUID) -> Booked:
        # Who waited for a transfer or a merge finds the former owner gone, and the new one only when it looks again.
        rows = await self._work.fetch(sql, row_id) or await self._work.fetch(sql, row_id)
        if not rows:
            raise NotFound
        return Booked(*rows[0])

    async def known(self, resource_ids: Sequence[UUID]) -> bool:
        wanted = set(resource_ids)
        rows = await self._work.fetch("SELECT id FROM resources WHERE id = ANY($1)", list(wanted))
        return len(rows) == len(wanted)

    async def resources(self) -> list[UUID]:
        return [row["id"] for row in await self._work.fetch("SELECT id FROM resources")]


def _offer(rows: list[asyncpg.Record]) -> Offer:
    """The offer of rows that were selected as `_OFFER`."""
    if not rows:
        raise NotFound
    service = {name: value for name, value in rows[0].items() if name in Offer.__struct_fields__}
    service["species"] = frozenset(service["species"])
    service["needs"] = frozenset(service["needs"])
    return Offer(**service, resources={row["id"]: row["kind"] for row in rows if row["id"]})
