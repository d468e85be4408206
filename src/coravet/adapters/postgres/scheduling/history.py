"""What visits were and what was done with them, on PostgreSQL."""

from datetime import datetime
from uuid import UUID

from coravet.adapters.postgres.work import PostgresWork
from coravet.core.scheduling.model import Transition


class HistoryOnPostgres:
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def record(self, *transitions: Transition) -> None:
        await self._work.insert(transitions)

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
