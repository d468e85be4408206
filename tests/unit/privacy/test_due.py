"""By when a rights request is due: examples counted by hand, and what holds of every day."""

from datetime import date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.adapters.calendars.holidays import EcuadorHolidays
from coravet.core.kernel.holidays import Holiday, HolidayCalendar
from coravet.core.privacy.due import (
    ask_until,
    business_days_after,
    clarify_until,
    due_on,
    reminded_at,
    warned_on,
)
from coravet.core.privacy.model import Right
from coravet.core.tenancy.clinic_day import day_of

ECUADOR = EcuadorHolidays()
RIGHTS: tuple[Right, ...] = get_args(Right)
FIFTEEN_DAYS: tuple[Right, ...] = ("access", "correction", "erasure", "objection")
NO_TERM: tuple[Right, ...] = ("portability", "automated_decision")
DAYS = st.dates(date(2021, 5, 26), date(2098, 12, 31))


class Resting(HolidayCalendar):
    """A country that rests on these days, and of which these years are known."""

    def __init__(self, *days: date, known: range = range(1, 9999)) -> None:
        self._days = days
        self._known = known

    def national(self, year: int) -> list[Holiday]:
        if year not in self._known:
            raise ValueError("not known")
        return [Holiday(day, "feriado", "holiday") for day in self._days if day.year == year]


HAND = [
    # A plain stretch. Received Monday 1 June: Tue 2 … Fri 5 (4), Mon 8 … Fri 12 (9), Mon 15 (10).
    ("2026-06-01", "2026-06-15", "2026-06-15", "2026-06-04"),
    # A Saturday is not counted, and neither is the Sunday: Mon 8 … Fri 12 (5), Mon 15 … Fri 19 (10).
    ("2026-06-06", "2026-06-19", "2026-06-19", "2026-06-10"),
    # The eve of a holiday, Thursday 8 October: Fri 9 rests. Mon 12 … Fri 16 (5), Mon 19 … Fri 23 (10), the 15th day.
    ("2026-10-08", "2026-10-23", "2026-10-23", "2026-10-14"),
    # The holiday itself, Friday 1 May: Mon 4 … Fri 8 (5), Mon 11 … Fri 15 (10).
    ("2026-05-01", "2026-05-15", "2026-05-15", "2026-05-06"),
    # Before Carnival, Friday 13 February: Mon 16 and Tue 17 rest. Wed 18 … Fri 20 (3), Mon 23 … Fri 27 (8), Mon 2 and
    # Tue 3 March (10). The 15th day of the calendar, Saturday 28 February, comes first.
    ("2026-02-13", "2026-02-28", "2026-03-03", "2026-02-20"),
    # Before All Souls', Friday 30 October: Mon 2 and Tue 3 November rest. Wed 4 … Fri 6 (3), Mon 9 … Fri 13 (8),
    # Mon 16 and Tue 17 (10); the 15th day is Saturday 14.
    ("2026-10-30", "2026-11-14", "2026-11-17", "2026-11-06"),
    # Over the year's end, Monday 21 December: Fri 25 and Fri 1 January rest. Tue 22 … Thu 24 (3), Mon 28 … Thu 31 (7),
    # Mon 4 … Wed 6 January (10); the 15th day is Tue 5.
    ("2026-12-21", "2027-01-05", "2027-01-06", "2026-12-24"),
    # The last day of a year, whose first business day is the next year's Monday 4: … Fri 8 (5), Mon 11 … Fri 15 (10).
    ("2026-12-31", "2027-01-15", "2027-01-15", "2027-01-06"),
    # A New Year's Day that is a Saturday is rested on the Friday before, which is this year's. Thursday 23 December
    # 2027: Fri 24 and Fri 31 rest. Mon 27 … Thu 30 (4), Mon 3 … Fri 7 January (9), Mon 10 (10); the 15th day is Fri 7.
    ("2027-12-23", "2028-01-07", "2028-01-10", "2027-12-29"),
    # A leap year's Carnival, Mon 28 and Tue 29 February 2028. Thursday 24: Fri 25 (1), Wed 1 … Fri 3 March (4),
    # Mon 6 … Fri 10 (9), Mon 13 (10); the 15th day is Fri 10.
    ("2028-02-24", "2028-03-10", "2028-03-13", "2028-03-02"),
]


@pytest.mark.parametrize(("received", "fifteen", "ten", "three"), HAND)
def test_by_hand(received: str, fifteen: str, ten: str, three: str) -> None:
    """Rights of fifteen days, those without a term of their own, and suspension, as counted on a calendar on paper."""
    day = date.fromisoformat(received)
    assert {due_on(right, day, ECUADOR) for right in FIFTEEN_DAYS} == {date.fromisoformat(fifteen)}
    assert {due_on(right, day, ECUADOR) for right in NO_TERM} == {date.fromisoformat(ten)}
    assert due_on("suspension", day, ECUADOR) == date.fromisoformat(three)


def test_midnight() -> None:
    """At 23:59 it is still the clinic's day, though UTC's next has begun; a minute later it is not."""
    zone, galapagos = ZoneInfo("America/Guayaquil"), ZoneInfo("Pacific/Galapagos")
    late = datetime.fromisoformat("2026-10-09T04:59:00+00:00")  # Thursday 8 October, the eve of a holiday
    later = late + timedelta(minutes=1)
    assert due_on("suspension", day_of(late, zone), ECUADOR) == date(2026, 10, 14)
    assert due_on("access", day_of(late, zone), ECUADOR) == date(2026, 10, 23)
    # On the holiday itself, whence the same days are counted.
    assert day_of(later, zone) == date(2026, 10, 9)
    assert due_on("access", day_of(later, zone), ECUADOR) == date(2026, 10, 23)
    assert day_of(later, galapagos) == date(2026, 10, 8)


def test_clarification() -> None:
    """It may be asked within five days of the calendar, and answered within ten business days of being asked."""
    assert ask_until(date(2026, 12, 30)) == date(2027, 1, 4)
    assert clarify_until(date(2026, 12, 24), ECUADOR) == date(2027, 1, 11)  # 28 … 31 (4), 4 … 8 (9), 11 (10)


def test_warning() -> None:
    """The first reminder comes three business days before, at eight in the clinic's morning."""
    zone = ZoneInfo("America/Guayaquil")
    assert warned_on(date(2026, 6, 15), ECUADOR) == date(2026, 6, 10)  # Fri 12, Thu 11, Wed 10
    assert warned_on(date(2026, 11, 4), ECUADOR) == date(2026, 10, 28)  # Tue 3 and Mon 2 rest: Fri 30, Thu 29, Wed 28
    assert reminded_at(date(2026, 6, 10), zone) == datetime.fromisoformat("2026-06-10T13:00:00+00:00")
    # Where a day has no eight o'clock, such as one that the zone left out, its beginning does.
    skipped = reminded_at(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert skipped == datetime.fromisoformat("2011-12-30T10:00:00+00:00")


def test_unknown_years() -> None:
    """Of a year whose holidays are not known the term ends no later than it would: only weekends are passed over."""
    known = Resting(date(2100, 1, 1), date(2100, 1, 4))
    unknown = Resting(date(2100, 1, 1), date(2100, 1, 4), known=range(2100))
    received = date(2099, 12, 28)
    assert due_on("portability", received, unknown) == date(2100, 1, 11)
    assert due_on("portability", received, known) == date(2100, 1, 13)
    for right in RIGHTS:
        assert due_on(right, date(2099, 12, 28), ECUADOR) <= date(2100, 1, 12)


@given(received=DAYS, right=st.sampled_from(RIGHTS))
def test_ten_business_days(received: date, right: Right) -> None:
    """It is due after the day of receipt, and no later than ten business days or fifteen days on."""
    due = due_on(right, received, ECUADOR)
    assert received < due
    between = [received + timedelta(days=number) for number in range(1, (due - received).days + 1)]
    rests = {holiday.date for year in {received.year, due.year} for holiday in ECUADOR.national(year)}
    worked = [day for day in between if day.weekday() < 5 and day not in rests]
    if right in FIFTEEN_DAYS:
        assert len(worked) <= 10
        assert len(between) <= 15
        assert len(worked) == 10 or len(between) == 15
    else:
        assert len(worked) == (3 if right == "suspension" else 10)
        assert worked[-1] == due


@given(received=DAYS, right=st.sampled_from(RIGHTS))
def test_later_is_due_later(received: date, right: Right) -> None:
    """What is received a day later is never due earlier."""
    assert due_on(right, received, ECUADOR) <= due_on(right, received + timedelta(days=1), ECUADOR)


@given(
    received=DAYS,
    right=st.sampled_from(RIGHTS),
    offsets=st.sets(st.integers(-3, 25), max_size=8),
    more=st.integers(-3, 25),
)
def test_holidays_only_lengthen(received: date, right: Right, offsets: set[int], more: int) -> None:
    """One holiday more never makes a request due earlier, and one on the day of receipt changes nothing."""
    rests = [received + timedelta(days=offset) for offset in offsets]
    due = due_on(right, received, Resting(*rests))
    assert due <= due_on(right, received, Resting(*rests, received + timedelta(days=more)))
    assert due == due_on(right, received, Resting(*rests, received))


@given(day=DAYS, count=st.integers(1, 20), offsets=st.sets(st.integers(-30, 30), max_size=8))
def test_there_and_back(day: date, count: int, offsets: set[int]) -> None:
    """As many business days lie before a day as were counted from it, where it is a business day itself."""
    calendar = Resting(*(day + timedelta(days=offset) for offset in offsets))
    start = business_days_after(day, 1, calendar)
    end = business_days_after(start, count, calendar)
    assert business_days_after(end, count, calendar, step=timedelta(days=-1)) == start


@given(due=DAYS)
def test_warned_before(due: date) -> None:
    """The warning comes on a business day before, and there are two more in between."""
    warned = warned_on(due, ECUADOR)
    assert warned < due
    assert business_days_after(warned, 2, ECUADOR) < due
    assert business_days_after(warned, 3, ECUADOR) >= due
    assert reminded_at(warned, ZoneInfo("America/Guayaquil")).astimezone(ZoneInfo("America/Guayaquil")).time() == time(
        8
    )
