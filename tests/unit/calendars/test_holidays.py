"""When Ecuador rests, as the law's rules give it."""

from datetime import date

import pytest

from coravet.adapters.calendars.holidays import FIRST_YEAR, LAST_YEAR, EcuadorHolidays

RESTS = {
    2018: "01-01 02-12 02-13 03-30 04-30 05-25 08-10 10-08 11-01 11-02 12-25",  # 3 November was a Saturday
    2021: "01-01 02-15 02-16 04-02 04-30 05-24 08-09 10-08 11-01 11-02 12-24 12-31",  # 3 November was a Wednesday
    2022: "02-28 03-01 04-15 05-02 05-23 08-12 10-10 11-03 11-04 12-26",
    2023: "01-02 02-20 02-21 04-07 05-01 05-26 08-11 10-09 11-02 11-03 12-25",
    2024: "01-01 02-12 02-13 03-29 05-03 05-24 08-09 10-11 11-01 11-04 12-25",
    2025: "01-01 03-03 03-04 04-18 05-02 05-23 08-11 10-10 11-03 11-04 12-25",
    2026: "01-01 02-16 02-17 04-03 05-01 05-25 08-10 10-09 11-02 11-03 12-25",
    2027: "01-01 02-08 02-09 03-26 04-30 05-24 08-09 10-08 11-01 11-02 12-24 12-31",
}


@pytest.mark.parametrize("year", RESTS)
def test_rests(year: int) -> None:
    """The days of rest of a year are the holidays, moved as the law says."""
    days = [f"{holiday.date:%m-%d}" for holiday in EcuadorHolidays().national(year)]
    assert days == RESTS[year].split()


def test_names() -> None:
    """Each says what it is for, in Spanish and English, wherever the law moved it."""
    names = {holiday.date: (holiday.name_es, holiday.name_en) for holiday in EcuadorHolidays().national(2025)}
    assert names[date(2025, 5, 23)] == ("Batalla de Pichincha", "The Battle of Pichincha")
    assert names[date(2025, 11, 3)] == ("Independencia de Cuenca", "Independence of Cuenca")
    assert names[date(2025, 11, 4)] == ("Día de Difuntos", "All Souls' Day")


def test_every_year() -> None:
    """There are eleven in each year, but for a New Year's Day that takes its rest the year before, and all of them are
    working days that nobody counts twice."""
    total = 0
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        days = [holiday.date for holiday in EcuadorHolidays().national(year)]
        assert len(set(days)) == len(days) in {10, 11, 12}
        assert [day for day in days if day.weekday() > 4 or day.year != year] == []
        total += len(days)
    assert abs(total - 11 * (LAST_YEAR - FIRST_YEAR + 1)) <= 1


@pytest.mark.parametrize("year", [FIRST_YEAR - 1, LAST_YEAR + 1, 0, -1, 10**12])
def test_out_of_range(year: int) -> None:
    """Of years before the law, or too far ahead, nothing is said."""
    with pytest.raises(ValueError, match="Ask for a year from 2017 to 2099"):
        EcuadorHolidays().national(year)
