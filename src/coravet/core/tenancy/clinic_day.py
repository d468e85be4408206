"""Where a clinic's days begin and end: the one module that turns instants into dates and wall times, and back.

Instants are aware and in UTC; days and wall times are the clinic's own. A clinic day is the half-open stretch from the
first instant at which the clinic's clock reaches that date to the first at which it reaches the next. So days meet
without gap or overlap in every zone, whatever its clock does at midnight: a date that a zone skipped (Apia,
30 December 2011) is empty, and where a clock fell back past midnight (St. John's until 2010) the new day went on.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from math import ceil
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from coravet.core.kernel.sentences import Sentence

_NO_PLACES = frozenset({"Factory", "localtime"})
_ONE_DAY = timedelta(days=1)
_FIRST_DAY = date(2, 1, 1)
_LAST_DAY = date(9998, 12, 31)


class DayBounds(msgspec.Struct, frozen=True):
    """The half-open stretch `[starts_at, ends_at)` of one clinic day or several, as UTC instants; empty if equal."""

    starts_at: datetime
    ends_at: datetime


class Stretch(msgspec.Struct, frozen=True):
    """`[starts_at, ends_at)`, UTC instants between which a zone's clock runs evenly, `offset` ahead of UTC."""

    starts_at: datetime
    ends_at: datetime
    offset: timedelta


def time_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name, such as `America/Guayaquil`, spelt exactly so.

    Raises:
        ValueError: IANA knows no such zone.
    """
    # Looked up before it is loaded: ZoneInfo opens whatever lies among its files, the machine's own zone included.
    if name not in _zone_names():
        raise ValueError(Sentence("Not a time zone of the IANA database. Use a name such as America/Guayaquil."))
    return ZoneInfo(name)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The clinic day that an instant lies in.

    Raises:
        ValueError: the instant is naive, or outside the years 2 to 9998.
    """
    at = _utc(instant)
    day = at.astimezone(zone).date()
    while _start(day + _ONE_DAY, zone) <= at:
        day += _ONE_DAY
    return day


def bounds(day: date, zone: ZoneInfo) -> DayBounds:
    """The instants of a clinic day: 24 hours of them, or 23, 25 or whatever the zone made of it.

    Raises:
        ValueError: the day lies outside the years 2 to 9998.
    """
    _check_range(day)
    return DayBounds(_start(day, zone), _start(day + _ONE_DAY, zone))


def instants(day: date, wall: time, zone: ZoneInfo) -> tuple[datetime, ...]:
    """When a clock of the zone shows that date and time: once, never (skipped) or twice (put back), in order.

    Raises:
        ValueError: the wall time carries a zone of its own, or the day lies outside the years 2 to 9998.
    """
    if wall.tzinfo is not None:
        raise ValueError("A wall time has no zone of its own: pass a naive time.")
    _check_range(day)
    return _showing(datetime.combine(day, wall), zone)


def stretches(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> list[Stretch]:
    """`[starts_at, ends_at)` cut wherever the zone's offset changes: in each part wall time is plain arithmetic.

    Raises:
        ValueError: an instant is naive, or outside the years 2 to 9998.
    """
    begin, end = _utc(starts_at), _utc(ends_at)
    parts = []
    probe = begin
    while probe < end:
        # No zone has ever changed twice within three days (a test keeps watch), so a daily look misses nothing.
        ahead = min(probe + _ONE_DAY, end)
        offset = _offset(probe, zone)
        if _offset(ahead, zone) != offset:
            change = _change(probe, ahead, zone)
            parts.append(Stretch(begin, change, offset))
            begin = change
        probe = ahead
    if begin < end:
        parts.append(Stretch(begin, end, _offset(begin, zone)))
    return parts


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES


def _check_range(day: date) -> None:
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise ValueError(Sentence("The day lies outside the years 2 to 9998."))


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("A naive datetime is no instant: give it a zone.")
    _check_range(instant.date())
    return instant.astimezone(UTC)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).replace(tzinfo=UTC) - at


def _showing(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    found = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(at for at in found if at.astimezone(zone).replace(tzinfo=None, fold=0) == wall))


@lru_cache(maxsize=1024)
def _start(day: date, zone: ZoneInfo) -> datetime:
    midnight = datetime.combine(day, time())
    shown = _showing(midnight, zone)
    if shown:
        return shown[0]
    # The clock jumps over midnight. PEP 495: in a gap, fold=1 yields an instant before the jump and fold=0 one after.
    before, after = (midnight.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    return _change(before, after, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant with the offset of `after`, where it changes once since `before`; always a full second."""
    origin = before.replace(microsecond=0)
    new = _offset(after, zone)

    def changed(second: int) -> bool:
        return _offset(origin + timedelta(seconds=second), zone) == new

    seconds = range(ceil((after - origin).total_seconds()))
    return origin + timedelta(seconds=bisect_left(seconds, x=True, key=changed))
