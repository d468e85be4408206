"""On which days a country rests, as a port: clinics close on them, and legal terms pass over them."""

from datetime import date
from typing import Protocol

import msgspec


class Holiday(msgspec.Struct, frozen=True):
    """A day of rest with what it is for, in Spanish and in English. `date` is the day on which people rest, which the
    law may have moved from the one that is remembered."""

    date: date
    name_es: str
    name_en: str


class HolidayCalendar(Protocol):
    """The conversation about a country's holidays. Nothing leaves the process."""

    def national(self, year: int) -> list[Holiday]:
        """The days of rest that lie in a year, by date; two may fall on the same.

        Raises:
            ValueError: they are not known of that year; the sentence says of which they are.
        """
        ...
