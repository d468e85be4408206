"""Ecuador's national holidays: which they are by `holidays`, when people rest by the law.

The Ley Orgánica Reformatoria a la LOSEP y al Código del Trabajo (Registro Oficial, suplemento 906, 20 December 2016)
moves the rest to a weekend's edge. The library's own moves are left aside: it adds the day of rest to the one that is
remembered, which is then worked, and does not know the rule for two in a row where they fall on Tuesday and Wednesday
(2021, 2027) or on Friday and Saturday (2018, 2029).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from holidays import country_holidays

from coravet.core.kernel.holidays import Holiday
from coravet.core.kernel.sentences import Sentence

FIRST_YEAR = 2017
LAST_YEAR = 2099

_MON, _TUE, _WED, _THU, _FRI, _SAT, _SUN = range(7)
_ALONE = {_TUE: -1, _WED: 2, _THU: 1, _SAT: -1, _SUN: 1}
"""By how many days the rest moves from a weekday."""
_FIRST_OF_TWO = {_WED: 2, _SAT: -1, _SUN: 2}
_SECOND_OF_TWO = {_WED: -2, _SAT: -2, _SUN: 1}
"""The same where two holidays follow each other; the others stay."""
_FIXED = {(1, 1), (12, 25)}
"""Month and day of those that move from a weekend only."""


class EcuadorHolidays:
    """`HolidayCalendar` of Ecuador, from the law's first year on."""

    def national(self, year: int) -> list[Holiday]:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError(Sentence("Ask for a year from {first} to {last}.", first=FIRST_YEAR, last=LAST_YEAR))
        return list(_resting(year))


@lru_cache(maxsize=16)
def _resting(year: int) -> tuple[Holiday, ...]:
    # The rest for a New Year's Day that is a Saturday lies in the year before.
    found = [holiday for each in (year, year + 1) for holiday in _rests(each)]
    return tuple(sorted((holiday for holiday in found if holiday.date.year == year), key=lambda each: each.date))


def _rests(year: int) -> Iterator[Holiday]:
    spanish = country_holidays("EC", years=year, observed=False, language="es")
    english = country_holidays("EC", years=year, observed=False, language="en_US")
    for day, name in spanish.items():
        yield Holiday(day + timedelta(days=_moved(day, set(spanish))), name, english[day])


def _moved(day: date, remembered: set[date]) -> int:
    weekday, one = day.weekday(), timedelta(days=1)
    if day + one in remembered:
        return _FIRST_OF_TWO.get(weekday, 0)
    if day - one in remembered:
        return _SECOND_OF_TWO.get(weekday, 0)
    if (day.month, day.day) in _FIXED and weekday not in {_SAT, _SUN}:
        return 0
    return _ALONE.get(weekday, 0)
