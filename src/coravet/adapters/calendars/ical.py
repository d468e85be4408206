"""Calendars in the words of RFC 5545, by `icalendar`.

The library escapes, folds and orders. Which instants its components name is told to it here: `Timezone.from_tzinfo`
looks for changes 64 days apart, so that it misses the month in which Morocco puts its clocks back, and begins summer
time an hour late, where the clock already shows the new time.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vText

from coravet.core.kernel.calendar import CalendarEntry, CalendarMethod
from coravet.core.tenancy.clinic_day import instants, stretches

_PRODUCT = "-//CoraVet//coravet//ES"
_REFRESH = timedelta(minutes=15)


class ICalendarWriter:
    """`CalendarWriter` as iCalendar 2.0."""

    def write(
        self, entries: Iterable[CalendarEntry], *, name: str, zone: ZoneInfo, method: CalendarMethod = "PUBLISH"
    ) -> bytes:
        told = list(entries)
        calendar = Calendar()
        calendar.add("PRODID", _PRODUCT)
        calendar.add("VERSION", "2.0")
        calendar.add("METHOD", method)
        calendar.add("NAME", vText(name))  # the library would not escape what RFC 5545 does not know
        calendar.add("X-WR-CALNAME", vText(name))  # what programs read that do not know RFC 7986
        calendar.add("REFRESH-INTERVAL", _REFRESH, parameters={"VALUE": "DURATION"})
        calendar.add("X-PUBLISHED-TTL", "PT15M")  # as the line before, for Outlook
        if told:
            first = min(entry.starts_at for entry in told)
            last = max(entry.ends_at for entry in told)
            calendar.add_component(_rules(zone, first.year, last.year))
        for entry in told:
            calendar.add_component(_event(entry, zone))
        written: bytes = calendar.to_ical()
        return written


def _event(entry: CalendarEntry, zone: ZoneInfo) -> Event:
    event = Event()
    event.add("UID", entry.uid)
    event.add("SEQUENCE", entry.sequence)
    event.add("DTSTAMP", entry.changed_at)
    event.add("LAST-MODIFIED", entry.changed_at)
    event.add("DTSTART", _local(entry.starts_at, zone))
    event.add("DTEND", _local(entry.ends_at, zone))
    event.add("SUMMARY", entry.summary)
    if entry.description is not None:
        event.add("DESCRIPTION", entry.description)
    if entry.location is not None:
        event.add("LOCATION", entry.location)
    event.add("STATUS", entry.status.upper())
    return event


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """The instant as the zone's clocks show it, or in UTC where they show it a second time: RFC 5545 (3.3.5) reads a
    wall time that comes twice as the first of both."""
    shown = at.astimezone(zone)
    first = instants(shown.date(), shown.time(), zone)[0]
    return shown if first == at else at.astimezone(UTC)


@lru_cache(maxsize=256)
def _rules(zone: ZoneInfo, first_year: int, last_year: int) -> Timezone:
    """The zone's offsets over these years, one observance for each stretch in which its clocks run evenly."""
    # A year's first and last hours lie in another one somewhere.
    begin = datetime(first_year, 1, 1, tzinfo=UTC) - timedelta(days=2)
    end = datetime(last_year + 1, 1, 1, tzinfo=UTC) + timedelta(days=2)
    rules = Timezone()
    rules.add("TZID", zone.key)
    before = None
    for stretch in stretches(begin, end, zone):
        shown = stretch.starts_at.astimezone(zone)
        observance = TimezoneDaylight() if shown.dst() else TimezoneStandard()
        before = stretch.offset if before is None else before
        # An observance begins by the clock that was in use until then.
        observance.DTSTART = (stretch.starts_at + before).replace(tzinfo=None)
        observance.TZOFFSETFROM = before
        observance.TZOFFSETTO = stretch.offset
        observance.add("TZNAME", shown.tzname())
        rules.add_component(observance)
        before = stretch.offset
    return rules
