"""When a resource works: weekly hours, days that differ and closures, as wall times of the clinic and as instants."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.fields import WallTime, wall_time
from coravet.core.tenancy.clinic_day import bounds, stretches

_DAY = timedelta(days=1)
_DAY_MINUTES = 24 * 60
_Wall = tuple[datetime, datetime]
"""From one reading of the wall clock until another, written as if the clinic kept UTC."""


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


class DaySpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `opens` until `closes`.

    A span that closes no later than it opens closes on the following day: 20:00 to 06:00 is a night, 18:00 to 00:00 an
    evening, and 08:00 to 08:00 twenty-four hours.
    """

    opens: WallTime
    closes: WallTime


class WeeklySpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From `opens` until `closes`, every week; as a `DaySpan`, it may close on the following day.

    Attributes:
        weekday: of the opening; 1 is Monday, 7 Sunday.
        valid_from: the first clinic day on which it may open; always, where left out.
        valid_until: the last, included. A night that opened on it still lasts until it closes.
    """

    weekday: Annotated[int, Meta(ge=1, le=7, description="1 is Monday, 7 Sunday.")]
    opens: WallTime
    closes: WallTime
    valid_from: date | None = None
    valid_until: date | None = None

    def opens_on(self, day: date) -> bool:
        """Whether it opens on that clinic day."""
        return (
            self.weekday == day.isoweekday()
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


class Closing(msgspec.Struct, frozen=True):
    """Shut without a break from `from_time` on the day `starts_on` until `to_time` on the day `ends_on`.

    Attributes:
        from_time: the first day's beginning, where None.
        to_time: the last day's end, where None.
    """

    starts_on: date
    ends_on: date
    from_time: WallTime | None = None
    to_time: WallTime | None = None


class Openings(msgspec.Struct, frozen=True):
    """What says when a resource works.

    Attributes:
        weekly: its usual hours.
        exceptions: what opens instead of them on single days; nothing at all, where a day's list is empty.
        closures: when it is shut whatever else is said, its own and those of the whole clinic.
    """

    weekly: Sequence[WeeklySpan] = ()
    exceptions: Mapping[date, Sequence[DaySpan]] = {}
    closures: Sequence[Closing] = ()


def check_spans(spans: Sequence[WeeklySpan]) -> list[FieldError]:
    """What is wrong with a week: `overlapping_hours` at `/spans/<i>` for each span that overlaps an earlier one of the
    list on some day on which both are valid (they may meet), and `before_valid_from` where a validity is turned round.
    """
    errors = []
    sound: list[WeeklySpan] = []
    for index, span in enumerate(spans):
        if span.valid_from is not None and span.valid_until is not None and span.valid_until < span.valid_from:
            errors.append(
                FieldError(f"/spans/{index}/valid_until", "before_valid_from", "The last day lies before the first.")
            )
            continue
        if any(_collide(span, other) for other in sound):
            errors.append(FieldError(f"/spans/{index}", "overlapping_hours", "It overlaps another span of the week."))
        sound.append(span)
    return errors


def check_day(spans: Sequence[DaySpan]) -> list[FieldError]:
    """`overlapping_hours` at `/spans/<i>` for each span of one day that overlaps an earlier one; they may meet."""
    return check_spans([WeeklySpan(1, span.opens, span.closes) for span in spans])


def working(openings: Openings, first: date, last: date, zone: ZoneInfo) -> list[Interval]:
    """When a resource works on the clinic days from `first` to `last`, both included; merged and sorted.

    An instant is open if a clock of the zone then shows a time within a span and within no closure. So a skipped hour
    is never open, and an hour that comes twice is open, or shut, twice. An exception takes the place of the spans that
    open on its day; the night before it goes on. What is open across either end of the days is there too, for a
    further day.

    Raises:
        ValueError: `last` lies before `first`, or a day within three of them outside the calendar of `clinic_day`.
    """
    if last < first:
        raise ValueError("The last day lies before the first.")
    begin, end = bounds(first, zone).starts_at, bounds(last, zone).ends_at
    walls = _without(_walls(openings, first - _DAY, last + _DAY), map(_wall, openings.closures))
    found = merge(_instants(walls, begin - 2 * _DAY, end + 3 * _DAY, zone))
    return [each for each in found if each.starts_at < end and each.ends_at > begin]


def shut(closing: Closing, zone: ZoneInfo) -> list[Interval]:
    """When a closing shuts, as instants: one stretch, or several where the clock is put back across its edge.

    Raises:
        ValueError: it lies outside the calendar of `clinic_day`, or within three days of its end.
    """
    begins, ends = wall = _wall(closing)
    return merge(_instants([wall], begins - 2 * _DAY, ends + 2 * _DAY, zone))


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


def _collide(one: WeeklySpan, other: WeeklySpan) -> bool:
    """Whether there is a day on which both are open at once; a span lasts a day at most, so a week's days tell all."""
    for shift in (-1, 0, 1):  # days from the opening of the one to that of the other
        if (other.weekday - one.weekday - shift) % 7:
            continue
        opens, closes = _minutes(one)
        other_opens, other_closes = (minute + shift * _DAY_MINUTES for minute in _minutes(other))
        if opens < other_closes and other_opens < closes:
            first = max((one.valid_from or date.min).toordinal(), (other.valid_from or date.min).toordinal() - shift)
            last = min((one.valid_until or date.max).toordinal(), (other.valid_until or date.max).toordinal() - shift)
            # An ordinal is its day's weekday modulo 7.
            return first + (one.weekday - first) % 7 <= last
    return False


def _minutes(span: WeeklySpan) -> tuple[int, int]:
    """Opening and closing in minutes of the day of the opening."""
    opens, closes = wall_time(span.opens), wall_time(span.closes)
    begin = opens.hour * 60 + opens.minute
    return begin, begin + ((closes.hour * 60 + closes.minute - begin) % _DAY_MINUTES or _DAY_MINUTES)


def _walls(openings: Openings, day_from: date, day_to: date) -> Iterator[_Wall]:
    """Opening and closing on each day."""
    weekdays = defaultdict(list)
    for span in openings.weekly:
        weekdays[span.weekday].append(span)
    for number in range((day_to - day_from).days + 1):
        day = day_from + number * _DAY
        spans: Iterable[DaySpan | WeeklySpan] | None = openings.exceptions.get(day)
        if spans is None:
            spans = (span for span in weekdays[day.isoweekday()] if span.opens_on(day))
        for each in spans:
            opens, closes = wall_time(each.opens), wall_time(each.closes)
            closing_day = day if closes > opens else day + _DAY
            yield datetime.combine(day, opens, tzinfo=UTC), datetime.combine(closing_day, closes, tzinfo=UTC)


def _wall(closing: Closing) -> _Wall:
    begins = time() if closing.from_time is None else wall_time(closing.from_time)
    last, ends = closing.ends_on, closing.to_time
    return (
        datetime.combine(closing.starts_on, begins, tzinfo=UTC),
        datetime.combine(last + _DAY, time(), tzinfo=UTC)
        if ends is None
        else datetime.combine(last, wall_time(ends), tzinfo=UTC),
    )


def _without(opened: Iterable[_Wall], closed: Iterable[_Wall]) -> list[_Wall]:
    """What is left of the one where the other is taken away."""
    left = list(opened)
    for begins, ends in closed:
        left = [
            part
            for opens, closes in left
            for part in ((opens, min(closes, begins)), (max(opens, ends), closes))
            if part[0] < part[1]
        ]
    return left


# A clinic's resources are drawn one after the other over the same days.
_stretches = lru_cache(maxsize=64)(stretches)


def _instants(walls: Sequence[_Wall], begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Interval]:
    """When a clock of the zone shows a time within one of the walls."""
    for part in _stretches(begin, end, zone):
        for opens, closes in walls:
            starts_at = max(opens - part.offset, part.starts_at)
            ends_at = min(closes - part.offset, part.ends_at)
            if starts_at < ends_at:
                yield Interval(starts_at, ends_at)
