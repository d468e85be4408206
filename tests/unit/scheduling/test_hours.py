from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.fields import WallTime, wall_text, wall_time
from coravet.core.scheduling.hours import Interval, Openings, WeeklySpan, check_spans, merge, working
from coravet.core.tenancy.clinic_day import bounds, time_zone

MINUTE = timedelta(minutes=1)
GUAYAQUIL = time_zone("America/Guayaquil")
MADRID = time_zone("Europe/Madrid")
MONDAY = date(2026, 11, 23)

# Skipped and doubled hours by night and at midnight, half an hour of it, a skipped day, a zone that keeps still.
CHANGES = [
    ("Europe/Madrid", date(2026, 3, 29)),
    ("Europe/Madrid", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Havana", date(2026, 11, 1)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("America/Guayaquil", MONDAY),
]

texts = st.times().map(wall_text)
weekly_spans = st.lists(st.builds(WeeklySpan, st.integers(1, 7), texts, texts), max_size=8)


def span(weekday: int, opens: str, closes: str) -> WeeklySpan:
    return WeeklySpan(weekday, opens, closes)


def open_intervals(spans: list[WeeklySpan], first: date, last: date, zone: ZoneInfo) -> list[Interval]:
    return working(Openings(spans), first, last, zone)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def shows(spans: list[WeeklySpan], instant: datetime, zone: ZoneInfo) -> bool:
    """Whether a clock on the wall, looked at then, shows a time within a span."""
    wall = instant.astimezone(zone)
    for each in spans:
        opens, closes, now = wall_time(each.opens), wall_time(each.closes), wall.time()
        today = wall.isoweekday() == each.weekday
        yesterday = wall.isoweekday() == each.weekday % 7 + 1
        if closes > opens:
            if today and opens <= now < closes:
                return True
        elif (today and now >= opens) or (yesterday and now < closes):
            return True
    return False


@given(weekly_spans, st.sampled_from(CHANGES), st.integers(-1, 1), st.integers(0, 3))
def test_open_is_what_the_clock_shows(
    spans: list[WeeklySpan], change: tuple[str, date], shift: int, length: int
) -> None:
    """At every quarter of an hour, and at each edge, open is when the wall clock shows a time within a span."""
    zone = time_zone(change[0])
    day_from = change[1] + timedelta(days=shift)
    day_to = day_from + timedelta(days=length)
    found = open_intervals(spans, day_from, day_to, zone)
    start, end = bounds(day_from, zone).starts_at, bounds(day_to, zone).ends_at
    moments = {start + 15 * MINUTE * n for n in range(int((end - start) / (15 * MINUTE)))}
    moments |= {
        edge + nudge for each in found for edge in (each.starts_at, each.ends_at) for nudge in (MINUTE * 0, -MINUTE)
    }
    for moment in sorted(moments):
        if start <= moment < end:
            is_open = any(each.starts_at <= moment < each.ends_at for each in found)
            assert is_open == shows(spans, moment, zone), moment
    assert all(a.ends_at < b.starts_at for a, b in pairwise(found))
    assert all(each.ends_at > start and each.starts_at < end for each in found)


def test_a_usual_day() -> None:
    """A morning and an afternoon are two intervals, five hours ahead of the wall clock; other weekdays are closed."""
    spans = [span(1, "09:00", "13:00"), span(1, "15:00", "18:30")]
    assert open_intervals(spans, MONDAY, MONDAY, GUAYAQUIL) == [
        Interval(at(23, 14), at(23, 18)),
        Interval(at(23, 20), at(23, 23, 30)),
    ]
    assert open_intervals(spans, date(2026, 11, 24), date(2026, 11, 29), GUAYAQUIL) == []


def test_spans_that_meet_are_one() -> None:
    """Spans that meet leave no seam that a visit could not cross, over midnight neither."""
    spans = [span(1, "09:00", "13:00"), span(1, "13:00", "00:00"), span(2, "00:00", "02:00")]
    assert open_intervals(spans, MONDAY, MONDAY, GUAYAQUIL) == [Interval(at(23, 14), at(24, 7))]


def test_night_shift_reaches_into_the_window() -> None:
    """A night that began before the first day is there whole, and one that goes on after the last as well."""
    spans = [span(7, "20:00", "06:00"), span(1, "20:00", "06:00")]
    assert open_intervals(spans, MONDAY, MONDAY, GUAYAQUIL) == [
        Interval(at(23, 1), at(23, 11)),
        Interval(at(24, 1), at(24, 11)),
    ]


def test_equal_times_are_a_full_day() -> None:
    """A span that closes when it opens lasts until then on the following day."""
    assert open_intervals([span(1, "08:00", "08:00")], MONDAY, MONDAY, GUAYAQUIL) == [Interval(at(23, 13), at(24, 13))]


def test_nights_of_changing_clocks() -> None:
    """The night shift lasts an hour less where the clock is put forward, and an hour more where it is put back."""
    spans = [span(6, "22:00", "06:00")]
    spring = open_intervals(spans, date(2026, 3, 28), date(2026, 3, 29), MADRID)
    autumn = open_intervals(spans, date(2026, 10, 24), date(2026, 10, 25), MADRID)
    assert spring == [Interval(at(28, 21, month=3), at(29, 4, month=3))]
    assert autumn == [Interval(at(24, 20, month=10), at(25, 5, month=10))]


def test_span_within_a_changing_hour() -> None:
    """What lies within a skipped hour is never open; what lies within a doubled hour is open twice."""
    spans = [span(7, "02:00", "02:30")]
    assert open_intervals(spans, date(2026, 3, 29), date(2026, 3, 29), MADRID) == []
    assert open_intervals(spans, date(2026, 10, 25), date(2026, 10, 25), MADRID) == [
        Interval(at(25, 0, month=10), at(25, 0, 30, month=10)),
        Interval(at(25, 1, month=10), at(25, 1, 30, month=10)),
    ]


def test_days_in_order() -> None:
    """A last day before the first is a mistake, not an empty answer."""
    with pytest.raises(ValueError, match="before the first"):
        open_intervals([], MONDAY, MONDAY - timedelta(days=1), GUAYAQUIL)


def overlapping(spans: list[WeeklySpan]) -> list[str]:
    return [each.pointer for each in check_spans(spans) if each.code == "overlapping_hours"]


@pytest.mark.parametrize(
    ("spans", "pointers"),
    [
        ([], []),
        ([span(1, "09:00", "13:00"), span(1, "13:00", "18:00"), span(2, "09:00", "13:00")], []),
        ([span(1, "09:00", "13:00"), span(1, "12:59", "18:00")], ["/spans/1"]),
        ([span(1, "09:00", "13:00"), span(1, "09:00", "13:00")], ["/spans/1"]),
        ([span(1, "09:00", "18:00"), span(1, "10:00", "11:00"), span(1, "12:00", "13:00")], ["/spans/1", "/spans/2"]),
        ([span(1, "20:00", "06:00"), span(2, "05:00", "09:00")], ["/spans/1"]),
        ([span(1, "20:00", "06:00"), span(2, "06:00", "09:00")], []),
        ([span(1, "05:59", "09:00"), span(7, "20:00", "06:00")], ["/spans/1"]),
        ([span(1, "06:00", "09:00"), span(7, "20:00", "06:00")], []),
        ([span(weekday, "00:00", "00:00") for weekday in range(1, 8)], []),
        ([span(3, "08:00", "08:00"), span(4, "07:59", "08:00")], ["/spans/1"]),
    ],
)
def test_overlapping_spans(spans: list[WeeklySpan], pointers: list[str]) -> None:
    """Each span that overlaps an earlier one is pointed at, over midnight and from Sunday into Monday too."""
    assert overlapping(spans) == pointers


@given(weekly_spans)
def test_spans_without_overlap_add_up(spans: list[WeeklySpan]) -> None:
    """Spans are accepted exactly if a week is open for as long as they say together."""
    lengths = 0
    for each in spans:
        opens, closes = wall_time(each.opens), wall_time(each.closes)
        lengths += (closes.hour * 60 + closes.minute - opens.hour * 60 - opens.minute) % 1440 or 1440
    week = Interval(bounds(MONDAY, GUAYAQUIL).starts_at, bounds(MONDAY + timedelta(days=6), GUAYAQUIL).ends_at)
    found = open_intervals(spans, MONDAY, MONDAY + timedelta(days=6), GUAYAQUIL)
    opened = sum(
        (min(each.ends_at, week.ends_at) - max(each.starts_at, week.starts_at) for each in found), timedelta(0)
    )
    assert (overlapping(spans) == []) == (opened == lengths * MINUTE)


intervals = st.builds(
    lambda start, length: Interval(at(1, 0) + start * MINUTE, at(1, 0) + (start + length) * MINUTE),
    st.integers(0, 40),
    st.integers(1, 10),
)


@given(st.lists(intervals))
def test_merging(given_intervals: list[Interval]) -> None:
    """Merged intervals hold the same minutes, sorted, with a gap between any two."""
    merged = merge(given_intervals)

    def minutes(some: list[Interval]) -> set[datetime]:
        return {
            each.starts_at + n * MINUTE for each in some for n in range(int((each.ends_at - each.starts_at) / MINUTE))
        }

    assert minutes(merged) == minutes(given_intervals)
    assert all(a.ends_at < b.starts_at for a, b in pairwise(merged))


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (at(1, 9), at(1, 9)),
        (at(1, 9), at(1, 8)),
        (at(1, 9).replace(tzinfo=None), at(1, 10)),
        (at(1, 9), at(1, 10).replace(tzinfo=None)),
        (at(1, 9).astimezone(MADRID), at(1, 10)),
        (at(1, 9), at(1, 10).astimezone(ZoneInfo("UTC"))),
    ],
)
def test_interval_is_a_stretch_of_utc(starts_at: datetime, ends_at: datetime) -> None:
    """An interval that is empty, turned round, naive or in another zone cannot be made."""
    with pytest.raises(ValueError, match="interval"):
        Interval(starts_at, ends_at)


def test_span_in_json() -> None:
    """Wall times are HH:MM in JSON, in and out."""
    body = b'{"weekday":7,"opens":"20:00","closes":"06:30"}'
    decoded = msgspec.json.decode(body, type=WeeklySpan)
    assert decoded == span(7, "20:00", "06:30")
    assert msgspec.json.encode(decoded) == body


@pytest.mark.parametrize(
    "bad",
    [
        *(
            {"opens": text}
            for text in ("9:00", "09:00:00", "24:00", "09:60", "09:00\n", "\u0660\u0669:\u0660\u0660", "0900", "")
        ),
        {"opens": 9},
        {"weekday": 0},
        {"weekday": 8},
        {"closes": None},
        {"until": "10:00"},
    ],
)
def test_bad_span_in_json(bad: dict[str, object]) -> None:
    """A wall time in any other form, a weekday beyond 1 to 7 or an unknown field is refused."""
    body = {"weekday": 1, "opens": "09:00", "closes": "10:00", **bad}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, WeeklySpan)


@given(st.times())
def test_wall_texts(wall: time) -> None:
    """A time's text is a wall time, and reads back as that time without its seconds."""
    text = msgspec.convert(wall_text(wall), WallTime)
    assert wall_time(text) == wall.replace(second=0, microsecond=0)
