"""What the service tells a calendar program: visits as entries of an iCalendar object (RFC 5545)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

EntryStatus = Literal["confirmed", "tentative", "cancelled"]
CalendarMethod = Literal["PUBLISH", "CANCEL"]


class CalendarEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a calendar, as whoever keeps it is to know it from now on.

    Attributes:
        uid: names the same entry for ever, in feeds and mails alike; see `visit_uid`.
        sequence: grows with every change; a program that knows a higher one ignores this.
        starts_at: with `ends_at` the half-open stretch of UTC instants.
        changed_at: when it last changed, in UTC.
    """

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str | None = None
    location: str | None = None
    status: EntryStatus = "confirmed"
    changed_at: datetime


class CalendarWriter(Protocol):
    """The conversation about how calendar programs are told."""

    def write(
        self, entries: Iterable[CalendarEntry], *, name: str, zone: ZoneInfo, method: CalendarMethod = "PUBLISH"
    ) -> bytes:
        """An iCalendar object, the same bytes for the same entries: their wall times in the zone, and its rules.

        Args:
            name: what the calendar is called where it is shown.
            zone: the clinic's.
            method: CANCEL in a mail that calls entries off; a feed only ever publishes.
        """
        ...


def visit_uid(appointment_id: UUID) -> str:
    """The name by which calendars know a visit, in feeds and mails alike."""
    return f"{appointment_id}@coravet"
