"""What patients still have before them, on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from coravet.adapters.postgres.scheduling.diary import DiaryOnPostgres
from coravet.adapters.postgres.scheduling.tables import appointments, waitlist
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.scheduling.model import Appointment, WaitlistEntry

_HELD = """
SELECT DISTINCT l.resource_id FROM waitlist w
JOIN allocations l ON l.clinic_id = w.clinic_id AND l.hold_id = w.hold_id AND l.released_at IS NULL
WHERE w.patient_id = ANY($1) AND w.status = 'offered'
"""
_RELEASE = """
WITH let_go AS (UPDATE holds SET released_at = $2 WHERE id = ANY($1) AND released_at IS NULL)
UPDATE allocations SET released_at = $2
WHERE (appointment_id = ANY($1) OR hold_id = ANY($1)) AND released_at IS NULL
"""


class UpcomingOnPostgres:
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def visits(self, patient_ids: Sequence[UUID], now: datetime) -> list[Appointment]:
        await self._work.flush()
        found = select(Appointment).where(
            appointments.c.patient_id.in_(patient_ids),
            appointments.c.status.in_(["requested", "confirmed"]),
            appointments.c.superseded_by_id.is_(None),
            appointments.c.ends_at > now,
        )
        return list(await self._work.session.scalars(found.order_by(appointments.c.id).with_for_update()))

    async def entries(self, patient_ids: Sequence[UUID]) -> list[WaitlistEntry]:
        held = await self._work.fetch(_HELD, list(patient_ids))
        await DiaryOnPostgres(self._work).lock(row["resource_id"] for row in held)
        found = select(WaitlistEntry).where(
            waitlist.c.patient_id.in_(patient_ids), waitlist.c.status.in_(["waiting", "offered"])
        )
        return list(await self._work.session.scalars(found.order_by(waitlist.c.id).with_for_update()))

    async def release(self, holder_ids: Sequence[UUID], at: datetime) -> None:
        await self._work.execute(_RELEASE, list(holder_ids), at)
