"""Feeds of resources' calendars on PostgreSQL."""

from datetime import datetime
from uuid import UUID

from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.scheduling.model import CalendarFeed
from coravet.core.scheduling.views import (
    FeedVisit,
)

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
