from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones
from zoneinfo._zoneinfo import (  # type: ignore[import-not-found] # unlike ZoneInfo, it shows its table of changes
    ZoneInfo as ReadableZone,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.tenancy.clinic_day import bounds, day_of, instants, stretches, time_zone

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
ZONES = sorted(available_timezones() - {"Factory", "localtime"})


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


@cache
def noons(year: int) -> list[datetime]:
    """In UTC, of a year's first 366 days."""
    return [datetime(year, 1, 1, 12, tzinfo=UTC) + DAY * n for n in range(366)]


@cache
def changing_days(name: str, year: int) -> list[date]:
    """The days about each change of a zone's offset."""
    zone = ZoneInfo(name)
    # No zone changes twice within three days (a test below keeps watch): days are looked at where a change lies.
    looks = [*noons(year)[::3], noons(year)[-1]]
    offsets = [noon.astimezone(zone).utcoffset() for noon in looks]
    changes = []
    for (begin, end), (before, after) in zip(pairwise(looks), pairwise(offsets), strict=True):
        if before != after:
            day = begin
            while day.astimezone(zone).utcoffset() == before:
                day += DAY
            assert day <= end
            changes.append(day.date())
    return [day + DAY * n for day in changes for n in (-2, -1, 0, 1)]


@st.composite
def zoned_days(draw: st.DrawFn) -> tuple[date, ZoneInfo]:
    """A zone and a day, more often than not one on which its clock changes."""
    name = draw(st.sampled_from(ZONES))
    year = draw(st.integers(1840, 2100))
    days = st.dates(date(year, 1, 1), date(year, 12, 31))
    if changing_days(name, year):
        days = st.one_of(st.sampled_from(changing_days(name, year)), days)
    return draw(days), time_zone(name)


@given(zoned_days())
def test_days_meet(drawn: tuple[date, ZoneInfo]) -> None:
    """Each day begins where the one before it ends, and none ends before it begins."""
    day, zone = drawn
    this, following = bounds(day, zone), bounds(day + DAY, zone)
    assert this.starts_at <= this.ends_at == following.starts_at
    assert this.starts_at.tzinfo is UTC


@given(zoned_days(), st.floats(0, 0.999))
def test_bounds_hold_their_day(drawn: tuple[date, ZoneInfo], share: float) -> None:
    """Every instant of a day's bounds lies in that day, and none outside them does."""
    day, zone = drawn
    found = bounds(day, zone)
    assert day_of(found.starts_at - timedelta(microseconds=1), zone) < day
    assert day_of(found.ends_at, zone) > day
    if found.starts_at < found.ends_at:
        assert day_of(found.starts_at, zone) == day
        assert day_of(found.starts_at + (found.ends_at - found.starts_at) * share, zone) == day
        assert day_of(found.ends_at - timedelta(microseconds=1), zone) == day


@given(zoned_days())
def test_day_begins_when_the_clock_reaches_it(drawn: tuple[date, ZoneInfo]) -> None:
    """At the start of a day the clock shows that date or a later one; just before and for a day past, never."""
    day, zone = drawn
    start = bounds(day, zone).starts_at
    assert wall(start, zone).date() >= day
    assert all(wall(start - SECOND - timedelta(minutes=15) * n, zone).date() < day for n in range(96))


@given(zoned_days(), st.integers(0, 86399))
def test_instant_of_a_wall_time_shows_it(drawn: tuple[date, ZoneInfo], seconds: int) -> None:
    """What `instants` finds shows that wall time, in order; what a clock shows, `instants` finds."""
    day, zone = drawn
    at_wall = (datetime.combine(day, time()) + timedelta(seconds=seconds)).time()
    found = instants(day, at_wall, zone)
    assert all(wall(at, zone) == datetime.combine(day, at_wall) for at in found)
    assert list(found) == sorted(set(found))
    assert all(at.tzinfo is UTC for at in found)
    at = datetime.combine(day, at_wall, tzinfo=UTC)
    shown = wall(at, zone)
    assert at in instants(shown.date(), shown.time(), zone)


@given(zoned_days(), st.timedeltas(timedelta(0), timedelta(days=5)))
def test_stretches_run_evenly(drawn: tuple[date, ZoneInfo], length: timedelta) -> None:
    """Stretches cover what was asked, meet each other, and keep one offset from end to end."""
    day, zone = drawn
    begin = bounds(day, zone).starts_at + SECOND * 0.7
    parts = stretches(begin, begin + length, zone)
    assert [part.starts_at for part in parts] == [begin, *(part.ends_at for part in parts[:-1])][: len(parts)]
    assert sum((part.ends_at - part.starts_at for part in parts), timedelta(0)) == length
    for part in parts:
        for at in (
            part.starts_at,
            part.starts_at + (part.ends_at - part.starts_at) / 2,
            part.ends_at - SECOND / 1000000,
        ):
            if part.starts_at <= at:
                assert wall(at, zone) == at.replace(tzinfo=None) + part.offset
    assert all(a.offset != b.offset for a, b in pairwise(parts))


@pytest.mark.long
@pytest.mark.parametrize("name", ZONES)
def test_every_change_of_every_zone(name: str) -> None:
    """About every change of a zone's clock, days meet, begin when the clock reaches them and hold their instants."""
    zone = time_zone(name)
    for day in {day for year in range(1840, 2040) for day in changing_days(name, year)}:
        found = bounds(day, zone)
        assert found.starts_at <= found.ends_at == bounds(day + DAY, zone).starts_at
        assert wall(found.starts_at, zone).date() >= day > wall(found.starts_at - SECOND, zone).date()
        for at in (found.starts_at + DAY * n / 12 for n in range(24)):
            assert (day_of(at, zone) == day) == (found.starts_at <= at < found.ends_at)


def test_changes_lie_days_apart() -> None:
    """No zone changes twice within three days: looking once a day for changes misses none."""
    gaps = []
    for name in ZONES:
        table = ReadableZone.no_cache(name)._trans_utc
        gaps += [b - a for a, b in pairwise(table)]
    assert min(gaps) > 3 * 86400


@pytest.mark.parametrize(
    ("zone", "day", "starts_at", "hours"),
    [
        ("America/Guayaquil", date(2026, 11, 23), utc(2026, 11, 23, 5), 24),
        ("Pacific/Galapagos", date(2026, 11, 23), utc(2026, 11, 23, 6), 24),
        ("America/Guayaquil", date(1992, 11, 28), utc(1992, 11, 28, 5), 23),
        ("Europe/Madrid", date(2026, 3, 29), utc(2026, 3, 28, 23), 23),
        ("Europe/Madrid", date(2026, 10, 25), utc(2026, 10, 24, 22), 25),
        ("America/Santiago", date(2026, 9, 6), utc(2026, 9, 6, 4), 23),
        ("America/Santiago", date(2026, 4, 4), utc(2026, 4, 4, 3), 25),
        ("America/Havana", date(2026, 3, 8), utc(2026, 3, 8, 5), 23),
        ("America/Havana", date(2026, 11, 1), utc(2026, 11, 1, 4), 25),
        ("Asia/Beirut", date(2026, 3, 29), utc(2026, 3, 28, 22), 23),
        ("Asia/Beirut", date(2026, 10, 24), utc(2026, 10, 23, 21), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), utc(2026, 4, 4, 13), 24.5),
        ("Pacific/Apia", date(2011, 12, 29), utc(2011, 12, 29, 10), 24),
        ("Pacific/Apia", date(2011, 12, 30), utc(2011, 12, 30, 10), 0),
        ("Pacific/Apia", date(2011, 12, 31), utc(2011, 12, 30, 10), 24),
        ("America/St_Johns", date(2010, 11, 6), utc(2010, 11, 6, 2, 30), 24),
        ("America/St_Johns", date(2010, 11, 7), utc(2010, 11, 7, 2, 30), 25),
        ("America/Toronto", date(1919, 3, 31), utc(1919, 3, 31, 4, 30), 23.5),
    ],
)
def test_known_days(zone: str, day: date, starts_at: datetime, hours: float) -> None:
    """Days of every length, and days whose midnight is missing or comes twice, begin and end when they did."""
    found = bounds(day, time_zone(zone))
    assert found.starts_at == starts_at
    assert found.ends_at - found.starts_at == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("America/Guayaquil", date(2026, 11, 23), time(9), (utc(2026, 11, 23, 14),)),
        ("America/Santiago", date(2026, 9, 6), time(0), ()),
        ("America/Santiago", date(2026, 9, 6), time(0, 59, 59), ()),
        ("America/Santiago", date(2026, 9, 6), time(1), (utc(2026, 9, 6, 4),)),
        ("America/Havana", date(2026, 11, 1), time(0), (utc(2026, 11, 1, 4), utc(2026, 11, 1, 5))),
        ("America/Havana", date(2026, 11, 1), time(1), (utc(2026, 11, 1, 6),)),
        ("Pacific/Apia", date(2011, 12, 30), time(12), ()),
    ],
)
def test_known_wall_times(zone: str, day: date, at: time, expected: tuple[datetime, ...]) -> None:
    """A wall time that is skipped has no instant, one that comes twice has both, in order."""
    assert instants(day, at, time_zone(zone)) == expected
    assert instants(day, at.replace(fold=1), time_zone(zone)) == expected


def test_stretches_of_a_year() -> None:
    """A year in Madrid is cut at its two changes, to the second, also where what is asked begins between seconds."""
    zone = time_zone("Europe/Madrid")
    spring, autumn, half_past = utc(2026, 3, 29, 1), utc(2026, 10, 25, 1), utc(2026, 1, 1) + SECOND / 2
    found = stretches(half_past, utc(2027, 1, 1), zone)
    assert [(part.starts_at, part.ends_at, part.offset / timedelta(hours=1)) for part in found] == [
        (half_past, spring, 1),
        (spring, autumn, 2),
        (autumn, utc(2027, 1, 1), 1),
    ]
    assert len(stretches(utc(2026, 1, 1), spring, zone)) == 1
    assert stretches(spring, spring, zone) == []


def test_day_that_has_begun_goes_on() -> None:
    """Where the clock falls back past midnight, its second eve belongs to the new day, so that no day comes twice."""
    zone = time_zone("America/St_Johns")
    second_eve = utc(2010, 11, 7, 2, 45)
    assert wall(second_eve, zone).date() == date(2010, 11, 6)
    assert day_of(second_eve, zone) == date(2010, 11, 7)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localtime",
        "Factory",
        "america/guayaquil",
        "America",
        "UTC-5",
        "-05:00",
        "../UTC",
        "/etc/localtime",
        "posixrules",
    ],
)
def test_only_iana_names(name: str) -> None:
    """What is not exactly a zone's IANA name is refused with a sentence."""
    with pytest.raises(ValueError, match="America/Guayaquil"):
        time_zone(name)


def test_every_iana_zone_loads() -> None:
    """Every IANA name is accepted and keeps its name."""
    assert [time_zone(name).key for name in ZONES] == ZONES


def test_naive_is_refused() -> None:
    """A datetime without a zone is no instant, and a wall time with one is no wall time."""
    zone = time_zone("America/Guayaquil")
    naive = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - what is tested is that it is refused
    with pytest.raises(ValueError, match="naive"):
        day_of(naive, zone)
    with pytest.raises(ValueError, match="naive"):
        stretches(naive, utc(2026, 11, 24), zone)
    with pytest.raises(ValueError, match="wall time"):
        instants(date(2026, 11, 23), time(9, tzinfo=UTC), zone)


def test_instants_of_other_offsets() -> None:
    """An instant may come in any offset: what counts is when it is."""
    at = datetime(2026, 11, 24, 4, 30, tzinfo=timezone(timedelta(hours=9)))
    assert day_of(at, time_zone("America/Guayaquil")) == date(2026, 11, 23)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_ends_of_the_calendar(day: date) -> None:
    """A day that the calendar cannot surround is refused with a sentence, not with an overflow."""
    zone = time_zone("Pacific/Apia")
    with pytest.raises(ValueError, match="years 2 to 9998"):
        bounds(day, zone)
    with pytest.raises(ValueError, match="years 2 to 9998"):
        instants(day, time(9), zone)
    with pytest.raises(ValueError, match="years 2 to 9998"):
        day_of(datetime.combine(day, time(12), tzinfo=UTC), zone)
    assert bounds(date(2, 1, 1), zone).starts_at < bounds(date(9998, 12, 31), zone).ends_at
