"""Weekly working hours: wall times of the clinic, and the instants at which they leave a resource open."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from coravet.core.kernel.errors import FieldError
from coravet.core.tenancy.clinic_day import bounds, stretches

# Text, because msgspec reads and writes a `time` as HH:MM:SS; its length closes what `$` leaves open, a newline.
WallTime = Annotated[
    str,
    Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, description="Wall time of the clinic, HH:MM."),
]

_DAY = timedelta(days=1)
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES


class Interval(msgspec.Struct, frozen=True, order=True):
    """The half-open stretch of time `[starts_at, ends_at)` between two UTC instants; never empty."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        # Another zone's datetimes would add up by their wall clock, and so be off by an hour twice a year.
        if self.starts_at.tzinfo is not UTC or self.ends_at.tzinfo is not UTC:
            raise ValueError("An interval lies between instants in UTC.")
        if self.starts_at >= self.ends_at:
            raise ValueError("An interval ends after it starts.")


class WeeklySpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `opens` until `closes`, every week.

    A span that closes no later than it opens closes on the following day: 20:00 to 06:00 is a night, 18:00 to 00:00 an
    evening, and 08:00 to 08:00 twenty-four hours.

    Attributes:
        weekday: of the opening; 1 is Monday, 7 Sunday.
    """

    weekday: Annotated[int, Meta(ge=1, le=7, description="1 is Monday, 7 Sunday.")]
    opens: WallTime
    closes: WallTime


def wall_time(text: str) -> time:
    """The time that a `WallTime` writes. Raises ValueError where it writes none."""
    return time.fromisoformat(text)


def wall_text(wall: time) -> str:
    """A time as a `WallTime`; hours and minutes are all that is kept."""
    return wall.isoformat("minutes")


def check_spans(spans: Sequence[WeeklySpan]) -> list[FieldError]:
    """`overlapping_hours` at `/spans/<i>` for each span that overlaps an earlier one of the list; they may meet."""
    errors = []
    taken = 0
    for index, span in enumerate(spans):
        minutes = _minutes_of_week(span)
        if taken & minutes:
            errors.append(FieldError(f"/spans/{index}", "overlapping_hours", "It overlaps another span of the week."))
        taken |= minutes
    return errors


def open_intervals(spans: Iterable[WeeklySpan], day_from: date, day_to: date, zone: ZoneInfo) -> list[Interval]:
    """When the spans are open on the clinic days from `day_from` to `day_to`, both included; merged and sorted.

    An instant is open if a clock of the zone then shows a time within a span. So a skipped hour is never open, and an
    hour that comes twice is open twice. What is open across either end of the days is there too, for a further day.

    Raises:
        ValueError: `day_to` lies before `day_from`, or either outside the calendar of `clinic_day`.
    """
    if day_to < day_from:
        raise ValueError("The last day lies before the first.")
    first, last = bounds(day_from, zone), bounds(day_to, zone)
    walls = _walls(spans, day_from - _DAY, day_to + _DAY)
    found = []
    for part in stretches(first.starts_at - 2 * _DAY, last.ends_at + 3 * _DAY, zone):
        for opens, closes in walls:
            starts_at = max(opens - part.offset, part.starts_at)
            ends_at = min(closes - part.offset, part.ends_at)
            if starts_at < ends_at:
                found.append(Interval(starts_at, ends_at))
    return [each for each in merge(found) if each.starts_at < last.ends_at and each.ends_at > first.starts_at]


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals, sorted; those that overlap or meet become one."""
    merged: list[Interval] = []
    for each in sorted(intervals):
        if merged and each.starts_at <= merged[-1].ends_at:
            if each.ends_at > merged[-1].ends_at:
                merged[-1] = Interval(merged[-1].starts_at, each.ends_at)
        else:
            merged.append(each)
    return merged


def _minutes_of_week(span: WeeklySpan) -> int:
    """A bit for each minute that the span covers, from Monday 00:00; Sunday's night goes on in Monday's bits."""
    opens, closes = wall_time(span.opens), wall_time(span.closes)
    begin = opens.hour * 60 + opens.minute
    length = (closes.hour * 60 + closes.minute - begin) % _DAY_MINUTES or _DAY_MINUTES
    bits = ((1 << length) - 1) << (span.weekday - 1) * _DAY_MINUTES + begin
    return (bits | bits >> _WEEK_MINUTES) & ((1 << _WEEK_MINUTES) - 1)


def _walls(spans: Iterable[WeeklySpan], day_from: date, day_to: date) -> list[tuple[datetime, datetime]]:
    """Opening and closing on each day as the wall clock shows them, written as if the clinic kept UTC."""
    weekly = [(span.weekday, wall_time(span.opens), wall_time(span.closes)) for span in spans]
    walls = []
    for number in range((day_to - day_from).days + 1):
        day = day_from + number * _DAY
        for weekday, opens, closes in weekly:
            if weekday == day.isoweekday():
                closing_day = day if closes > opens else day + _DAY
                walls.append(
                    (datetime.combine(day, opens, tzinfo=UTC), datetime.combine(closing_day, closes, tzinfo=UTC))
                )
    return walls
