"""The waitlist on PostgreSQL."""

from datetime import date, datetime, time
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.cursors import after, page_of
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.fields import wall_text
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.model import WaitlistEntry, WaitlistStatus
from coravet.core.scheduling.ports import Freed, Offered, Waiting, Wish
from coravet.core.scheduling.views import (
    ClientRef,
    OfferRef,
    OfferView,
    PatientRef,
    ResourceRef,
    ServiceRef,
    WaitlistView,
)

_FREED = """
SELECT coalesce(a.starts_at, h.starts_at) AS begins, min(l.starts_at) AS starts_at, max(l.ends_at) AS ends_at,
       array_agg(l.resource_id) AS resource_ids
FROM allocations l
LEFT JOIN appointments a ON a.clinic_id = l.clinic_id AND a.id = l.appointment_id
LEFT JOIN holds h ON h.clinic_id = l.clinic_id AND h.id = l.hold_id
WHERE (l.appointment_id = $1 OR l.hold_id = $1) AND (l.released_at IS NOT NULL OR l.expires_at <= $2) AND l.ends_at > $2
GROUP BY 1
"""
_WAITING = """
SELECT w.id, w.service_id, w.patient_id, w.from_date, w.to_date, w.weekdays, w.from_time, w.to_time, w.resource_ids,
       array_agg(h.starts_at) FILTER (WHERE h.id IS NOT NULL) AS starts,
       array_agg(h.ends_at) FILTER (WHERE h.id IS NOT NULL) AS ends
FROM waitlist w
JOIN services s ON s.clinic_id = w.clinic_id AND s.id = w.service_id AND s.active
JOIN patients p ON p.clinic_id = w.clinic_id AND p.id = w.patient_id AND p.deceased_on IS NULL
LEFT JOIN holds h ON h.clinic_id = w.clinic_id AND h.id = ANY (w.refused)
WHERE w.status = 'waiting' AND w.from_date <= $2 AND w.to_date >= $1
  AND (s.species = '{}' OR p.species = ANY (s.species))
  AND EXISTS (
      SELECT FROM resources r LEFT JOIN service_resources l
          ON l.clinic_id = r.clinic_id AND l.resource_id = r.id AND l.service_id = s.id
      WHERE r.clinic_id = w.clinic_id AND r.id = ANY ($3) AND r.active
        AND (l.service_id IS NOT NULL OR r.room_kind = s.room_kind)
  )
GROUP BY w.clinic_id, w.id
ORDER BY w.created_at, w.id
"""
_OFFERED = """
SELECT w.service_id, w.patient_id, w.hold_id, min(l.starts_at) AS starts_at, max(l.ends_at) AS ends_at,
       array_agg(l.resource_id) FILTER (WHERE l.id IS NOT NULL) AS resource_ids
FROM waitlist w LEFT JOIN allocations l ON l.clinic_id = w.clinic_id AND l.hold_id = w.hold_id
WHERE w.id = $1 GROUP BY w.clinic_id, w.id
"""
_OFFER = """
SELECT CASE WHEN w.status = 'booked' THEN 'accepted'
            WHEN w.status = 'offered' AND h.released_at IS NULL AND h.expires_at > $2 THEN 'open'
            ELSE 'closed' END AS status,
       c.name AS clinic, c.time_zone, s.name AS service, p.name AS patient,
       ARRAY(
           SELECT r.name FROM allocations l JOIN resources r ON r.clinic_id = l.clinic_id AND r.id = l.resource_id
           WHERE l.clinic_id = h.clinic_id AND l.hold_id = h.id ORDER BY r.kind DESC, r.name
       ) AS resources,
       h.starts_at, h.ends_at, h.expires_at
FROM holds h
JOIN clinics c ON c.id = h.clinic_id
JOIN services s ON s.clinic_id = h.clinic_id AND s.id = h.service_id
LEFT JOIN waitlist w ON w.clinic_id = h.clinic_id AND w.hold_id = h.id
LEFT JOIN patients p ON p.clinic_id = w.clinic_id AND p.id = w.patient_id
WHERE h.id = $1 AND h.kind = 'offer'
"""
_REFS = (
    "array_agg(r.id ORDER BY r.kind DESC, r.name) AS ids, array_agg(r.kind ORDER BY r.kind DESC, r.name) AS kinds,"
    " array_agg(r.name ORDER BY r.kind DESC, r.name) AS names"
)
_ENTRIES = f"""
SELECT w.id, w.status, s.id AS service_id, s.name AS service_name, s.color, s.duration_minutes,
       p.id AS patient_id, p.name AS patient_name, p.species,
       c.id AS client_id, rtrim(c.given_name || ' ' || c.family_name) AS client_name, c.phone,
       wished.ids, wished.kinds, wished.names, w.weekdays, w.from_date, w.to_date, w.from_time, w.to_time, w.note,
       h.starts_at, h.ends_at, h.expires_at, held.ids, held.kinds, held.names,
       w.appointment_id, w.offers, w.offered_at, w.created_at, w.version
FROM waitlist w
JOIN services s ON s.clinic_id = w.clinic_id AND s.id = w.service_id
JOIN patients p ON p.clinic_id = w.clinic_id AND p.id = w.patient_id
JOIN clients c ON c.clinic_id = w.clinic_id AND c.id = w.client_id
LEFT JOIN holds h ON h.clinic_id = w.clinic_id AND h.id = w.hold_id
CROSS JOIN LATERAL (
    SELECT {_REFS} FROM resources r WHERE r.clinic_id = w.clinic_id AND r.id = ANY (w.resource_ids)
) wished
CROSS JOIN LATERAL (
    SELECT {_REFS} FROM allocations l JOIN resources r ON r.clinic_id = l.clinic_id AND r.id = l.resource_id
    WHERE l.clinic_id = w.clinic_id AND l.hold_id = w.hold_id
) held
"""  # noqa: S608 -- put together from the two texts above


class WaitlistRows(Rows[WaitlistEntry]):
    """Who waits for what."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, WaitlistEntry)
        self._work = work

    async def freed(self, holder_id: UUID, now: datetime) -> Freed | None:
        rows = await self._work.fetch(_FREED, holder_id, now)
        if not rows:
            return None
        begins, starts_at, ends_at, resource_ids = rows[0]
        return Freed(begins, Interval(starts_at, ends_at), resource_ids)

    async def waiting(self, freed: Freed, first: date, last: date) -> list[Waiting]:
        rows = await self._work.fetch(_WAITING, first, last, freed.resource_ids)
        return [
            Waiting(
                row["id"],
                row["service_id"],
                Wish(
                    row["from_date"],
                    row["to_date"],
                    row["weekdays"],
                    _wall(row["from_time"]),
                    _wall(row["to_time"]),
                    row["resource_ids"],
                ),
                [Interval(*each) for each in zip(row["starts"] or (), row["ends"] or (), strict=True)],
                row["patient_id"],
            )
            for row in rows
        ]

    async def offered(self, entry_id: UUID) -> Offered:
        rows = await self._work.fetch(_OFFERED, entry_id)
        if not rows:
            raise NotFound
        service_id, patient_id, hold_id, starts_at, ends_at, resource_ids = rows[0]
        holding = None if starts_at is None else Interval(starts_at, ends_at)
        return Offered(service_id, patient_id, hold_id, holding, resource_ids or [])

    async def of_hold(self, hold_id: UUID) -> UUID | None:
        rows = await self._work.fetch("SELECT id FROM waitlist WHERE hold_id = $1", hold_id)
        return rows[0]["id"] if rows else None

    async def offer(self, hold_id: UUID, now: datetime) -> OfferView:
        rows = await self._work.fetch(_OFFER, hold_id, now)
        if not rows:
            raise NotFound
        return OfferView(*rows[0].values())

    async def view(self, entry_id: UUID) -> WaitlistView:
        rows = await self._work.fetch(f"{_ENTRIES} WHERE w.id = $1", entry_id)
        if not rows:
            raise NotFound
        return _view(rows[0])

    async def views(self, page: PageRequest, status: WaitlistStatus | None) -> Page[WaitlistView]:
        last = after(page, tuple[datetime, UUID])
        rows = await self._work.fetch(
            f"{_ENTRIES} WHERE ($1::timestamptz IS NULL OR (w.created_at, w.id) > ($1, $2))"
            " AND ($3::text IS NULL OR w.status = $3) ORDER BY w.created_at, w.id LIMIT $4",
            *(last or (None, None)),
            status,
            page.limit + 1,
        )
        return page_of(rows, page, _view, lambda row: (row["created_at"], row["id"]))


def _wall(wall: time | None) -> str | None:
    return None if wall is None else wall_text(wall)


def _refs(ids: list[UUID] | None, kinds: list[str] | None, names: list[str] | None) -> list[ResourceRef]:
    return [ResourceRef(*each) for each in zip(ids or (), kinds or (), names or (), strict=True)]


def _view(row: asyncpg.Record) -> WaitlistView:
    (
        entry_id, status, service_id, service_name, color, duration, patient_id, patient_name, species,
        client_id, client_name, phone, wished_ids, wished_kinds, wished_names, weekdays, from_date, to_date,
        from_time, to_time, note, starts_at, ends_at, expires_at, held_ids, held_kinds, held_names,
        appointment_id, offers, offered_at, created_at, version,
    ) = row  # fmt: skip
    offer = None
    if starts_at is not None:
        offer = OfferRef(starts_at, ends_at, expires_at, _refs(held_ids, held_kinds, held_names))
    return WaitlistView(
        entry_id,
        status,
        ServiceRef(service_id, service_name, color, duration),
        PatientRef(patient_id, patient_name, species),
        ClientRef(client_id, client_name, phone),
        _refs(wished_ids, wished_kinds, wished_names),
        weekdays,
        from_date,
        to_date,
        _wall(from_time),
        _wall(to_time),
        note,
        offer,
        appointment_id,
        offers,
        offered_at,
        created_at,
        version,
    )
