"""By when a rights request must have been answered, and everything around it: pure, and in days of the clinic.

Counting begins on the day after receipt. A business day is a Monday to Friday on which the country does not rest. Where
the law can be read in two ways, or a year's holidays are not known, the reading is taken that ends earlier: a clinic
that keeps that day is in time under either.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coravet.core.kernel.holidays import HolidayCalendar
from coravet.core.privacy.model import Right
from coravet.core.tenancy.clinic_day import bounds, instants

ANSWER_BUSINESS_DAYS = 10
"""LOPDP art. 62: any request is answered, told of and executed within ten business days."""

OWN_CALENDAR_DAYS: Mapping[Right, int] = {"access": 15, "correction": 15, "erasure": 15, "objection": 15}
"""LOPDP arts. 13, 14, 15 and 16: each within fifteen days, which run through weekends and holidays."""

OWN_BUSINESS_DAYS: Mapping[Right, int] = {"suspension": 3}
"""LOPDP art. 19, by resolution 0030-R: within three business days. Arts. 17 (portability) and 20 (automated decisions)
state no term of their own: art. 62 alone binds them."""

ASK_WITHIN_DAYS = 5
"""One clarification may be asked within so many days of receipt; as days of the calendar, the shorter reading."""

CLARIFY_WITHIN_BUSINESS_DAYS = 10
"""Within so many days it may be answered; as business days, the longer reading: nobody loses a right by the shorter."""

WARNED_BUSINESS_DAYS = 3
"""So long before a request is due, whoever handles requests is reminded of it."""

REMINDED_AT = time(8)
"""When in the day, in the clinic's zone."""

_ONE_DAY = timedelta(days=1)


def due_on(right: Right, received_on: date, holidays: HolidayCalendar) -> date:
    """The last day on which a request is answered in time: the earlier of its own term's end and of art. 62's.

    A term of calendar days ends on its last day even where that is a holiday.
    """
    ends = [business_days_after(received_on, ANSWER_BUSINESS_DAYS, holidays)]
    if right in OWN_CALENDAR_DAYS:
        ends.append(received_on + timedelta(days=OWN_CALENDAR_DAYS[right]))
    if right in OWN_BUSINESS_DAYS:
        ends.append(business_days_after(received_on, OWN_BUSINESS_DAYS[right], holidays))
    return min(ends)


def ask_until(received_on: date) -> date:
    """The last day on which the clarification may be asked."""
    return received_on + timedelta(days=ASK_WITHIN_DAYS)


def clarify_until(asked_on: date, holidays: HolidayCalendar) -> date:
    """The last day on which the clarification may be answered. It does not move the day on which the request is due."""
    return business_days_after(asked_on, CLARIFY_WITHIN_BUSINESS_DAYS, holidays)


def warned_on(due: date, holidays: HolidayCalendar) -> date:
    """The day on which a reminder says that the request will soon be due."""
    return business_days_after(due, WARNED_BUSINESS_DAYS, holidays, step=-_ONE_DAY)


def reminded_at(day: date, zone: ZoneInfo) -> datetime:
    """The instant of a clinic day at which a reminder of it is raised."""
    return next(iter(instants(day, REMINDED_AT, zone)), bounds(day, zone).starts_at)


def business_days_after(day: date, count: int, holidays: HolidayCalendar, *, step: timedelta = _ONE_DAY) -> date:
    """The business day that is so many of them after a day, or with a `step` of minus one before it.

    The day itself is not counted, whatever it is. In a year of which no holidays are known only weekends are passed
    over, so that the term ends no later than it would.
    """
    resting: dict[int, frozenset[date]] = {}
    while count:
        day += step
        if day.year not in resting:
            resting[day.year] = _resting(day.year, holidays)
        if day.weekday() < 5 and day not in resting[day.year]:
            count -= 1
    return day


def _resting(year: int, holidays: HolidayCalendar) -> frozenset[date]:
    try:
        return frozenset(holiday.date for holiday in holidays.national(year))
    except ValueError:
        return frozenset()
