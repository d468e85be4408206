"""What single cells mean: dates, species and the other words that people write in them."""

import re
from datetime import date, timedelta
from typing import Literal

import msgspec

from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.text import fold
from coravet.core.patients.model import BirthDatePrecision, ReproductiveStatus, Sex, Species

DateOrder = Literal["day_first", "month_first"]


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


class Oddity(msgspec.Struct, frozen=True):
    """What is strange about a cell, as a code and a sentence."""

    code: str
    sentence: Sentence


def written(cell: str) -> str | None:
    """What a cell holds; None where it says that there is nothing, as `S/N` does.

    Of `="0991"`, by which spreadsheets keep a number's zeros, the text within.
    """
    text = cell.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1].strip()
    return None if not text or (len(text) <= _LONGEST_NOTHING and fold(text) in NOTHING) else text


NOTHING = frozenset(
    {
        *words("- -- --- . .. / x ? ?? ??? 0 n/a na n.a. s/n s.n. sn s/d sd nd n/d no null none nan ninguno ninguna"),
        "no tiene",
        "no aplica",
        "sin dato",
        "sin datos",
        "#n/a",
        "#ref!",
        "#valor!",
        "#value!",
    }
)
"""Folded words for nothing."""
_LONGEST_NOTHING = max(map(len, NOTHING))

_SHORTENED = re.compile(r"\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)


def shortened(text: str) -> bool:
    """Whether a spreadsheet wrote a long number as one such as 5,93992E+11, whose last digits are lost."""
    return _SHORTENED.fullmatch(text.strip()) is not None


def digits_of(text: str) -> str:
    """A number's text without the `.0` that some programs put behind whole numbers."""
    return re.sub(r"(?<=\d)[.,]0+$", "", text.strip())


_SPECIES: dict[Species, str] = {
    "dog": "perro perra perrito perrita can canino canina canis k9 cachorro cachorra caninos perros dog",
    "cat": "gato gata gatito gatita felino felina felis michi minino gatos felinos cat",
    "rabbit": "conejo coneja conejos lagomorfo rabbit",
    "bird": "ave aves pajaro loro lora perico periquito canario gallina gallo pollo pato paloma cacatua agaporni"
    " agapornis guacamayo bird",
    "horse": "caballo yegua equino equina potro potra mula burro asno pony poni horse",
    "cow": "vaca toro bovino bovina ternero ternera res buey vacuno cow",
    "pig": "cerdo cerda chancho chancha porcino porcina puerco minipig pig",
    "reptile": "reptil tortuga iguana serpiente lagarto lagartija gecko morrocoy boa camaleon reptile",
    "other": "otro otra otros exotico exotica hamster cuy cuyo cobayo cobaya huron raton rata erizo pez oveja cabra"
    " chivo borrego ovino caprino mono ardilla chinchilla roedor conejillo other",
}
_SPECIES_OF: dict[str, Species] = {word: species for species, words in _SPECIES.items() for word in words.split()}


def species_of(text: str) -> Species | None:
    """The species that a word names, such as `Canino`; None where it names none of ours."""
    words = re.findall(r"[a-z0-9]+", fold(text))
    return next((_SPECIES_OF[word] for word in words if word in _SPECIES_OF), None)


_SEXES: dict[str, Sex] = {
    **dict.fromkeys(["macho", "m", "male", "masculino", "♂", "mach", "machos"], "male"),
    **dict.fromkeys(["hembra", "h", "f", "female", "femenino", "femenina", "♀", "hem", "hembras"], "female"),
}
_STATES: dict[str, ReproductiveStatus] = {
    **dict.fromkeys(
        words(
            "castrado castrada castrad@ esterilizado esterilizada esteril operado operada capado capada spayed neutered"
        ),
        "neutered",
    ),
    **dict.fromkeys(words("entero entera intacto intacta fertil completo completa intact"), "intact"),
}
_WORDS_OF = {"male": "macho", "female": "hembra", "neutered": "castrado", "intact": "entero"}


def word_of(value: str) -> str | None:
    """A sex or reproductive status as a list writes it; None where it is unknown."""
    return _WORDS_OF.get(value)


_YES = words("si s yes y 1 true verdadero x ok")
_NO = words("no n 0 false falso -")


def sex_of(text: str) -> tuple[Sex | None, ReproductiveStatus | None]:
    """The sex that a cell names and, as in `macho castrado`, what it says besides; None where it says nothing known."""
    words = re.findall(r"[^\W\d_]+|[♂♀]", fold(text))
    sexes = [_SEXES[word] for word in words if word in _SEXES]
    states = [_STATES[word] for word in words if word in _STATES]
    return sexes[0] if sexes else None, states[0] if states else None


def reproductive_status_of(text: str) -> ReproductiveStatus | None:
    """What a cell under "castrado" says: yes and no, or the word itself."""
    folded = fold(text)
    words = folded.split()
    if folded in _YES or (words and words[0] in {"si", "yes"}):
        return "neutered"
    if folded in _NO or (words and words[0] == "no"):
        return "intact"
    return next((_STATES[word] for word in words if word in _STATES), None)


class Birth(msgspec.Struct, frozen=True):
    """A birth date as it was read, with what is strange about it."""

    on: date
    precision: BirthDatePrecision
    oddity: Oddity | None = None


_MONTHS = {
    short: number
    for number, names in enumerate(
        (
            "enero january",
            "febrero february",
            "marzo march",
            "abril april",
            "mayo may",
            "junio june",
            "julio july",
            "agosto august",
            "septiembre setiembre september",
            "octubre october",
            "noviembre november",
            "diciembre december",
        ),
        start=1,
    )
    for name in names.split()
    for short in {name, name[:3]} | ({"sept"} if number == 9 else set())
}
_SERIALS = range(20_000, 80_000)
"""Spreadsheets count days from 1899-12-30: these are of the years 1954 to 2119."""
_DAY_ZERO = date(1899, 12, 30)

_YMD = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})(?:[T ].*)?")
_DMY = re.compile(r"(\d{1,2})\s*[/.\- ]\s*(\d{1,2})\s*[/.\- ]\s*(\d{4}|\d{2})(?:[T ,].*)?")
_WORDY = re.compile(r"(?:(\d{1,2})[\s/.\-]*(?:de[\s]+)?)?([a-z]{3,10})\.?[\s/.\-]*(?:de[l]?[\s]+)?(\d{4}|\d{2})")
_MONTH_DAY = re.compile(r"([a-z]{3,10})\.?\s+(\d{1,2}),?\s+(\d{4})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[/.\-](\d{4})")
_YEAR = re.compile(r"(19|20)\d{2}")

_ODD_ORDER = Oddity(
    "date_order",
    Sentence("Its day and month stand in another order than in the other rows. Make sure that the date is right."),
)


def date_order_of(text: str) -> DateOrder | None:
    """Which of day and month stands first, where a date tells: one of them is above 12."""
    found = _DMY.fullmatch(text.strip())
    if found is None:
        return None
    first, second = int(found[1]), int(found[2])
    if 12 < first <= 31 and 1 <= second <= 12:
        return "day_first"
    if 12 < second <= 31 and 1 <= first <= 12:
        return "month_first"
    return None


def birth_of(text: str, order: DateOrder, today: date) -> Birth | None:
    """The birth date that a cell writes; None where it writes none.

    Args:
        order: of day and month in this column, where both could be either.
        today: a year of two digits is the last one that is not after it.
    """
    folded = fold(text)
    try:
        return _birth(digits_of(folded), order, today)
    except ValueError:  # such as the 31st of April
        return None


def _birth(text: str, order: DateOrder, today: date) -> Birth | None:  # noqa: PLR0911 -- a table of forms
    if found := _YMD.fullmatch(text):
        return Birth(date(int(found[1]), int(found[2]), int(found[3])), "day")
    if found := _DMY.fullmatch(text):
        told = date_order_of(text)
        first, second, year = int(found[1]), int(found[2]), _year(found[3], today)
        day, month = (second, first) if (told or order) == "month_first" else (first, second)
        return Birth(date(year, month, day), "day", _ODD_ORDER if told not in {None, order} else None)
    if (found := _MONTH_DAY.fullmatch(text)) and found[1] in _MONTHS:
        return Birth(date(int(found[3]), _MONTHS[found[1]], int(found[2])), "day")
    if (found := _WORDY.fullmatch(text)) and found[2] in _MONTHS:
        year = _year(found[3], today)
        if found[1]:
            return Birth(date(year, _MONTHS[found[2]], int(found[1])), "day")
        return Birth(date(year, _MONTHS[found[2]], 1), "month")
    if found := _MONTH_YEAR.fullmatch(text):
        return Birth(date(int(found[2]), int(found[1]), 1), "month")
    if _YEAR.fullmatch(text):
        return Birth(date(int(text), 1, 1), "year")
    if text.isdecimal() and len(text) == 5 and int(text) in _SERIALS:
        return Birth(_DAY_ZERO + timedelta(days=int(text)), "day")
    return None


def _year(text: str, today: date) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    century = today.year - today.year % 100
    return year + (century if century + year <= today.year else century - 100)


_AGE = re.compile(
    r"(\d{1,3}(?:[.,]\d+)?|un|una|medio)\s*(a|ano|anos|m|mes|meses|s|sem|semana|semanas|d|dia|dias)?\b\.?"
)
_COUNTED = {"un": 1.0, "una": 1.0, "medio": 0.5}
_UNITS = {"a": 365.25, "m": 30.44, "s": 7.0, "d": 1.0}


def born_of_age(text: str, unit: str | None, today: date) -> Birth | None:
    """When somebody of that age was born, roughly: `3 años`, `2a 6m`, `8 semanas`; a bare number counts years.

    Args:
        unit: `month` where the header says so.
    """
    folded = fold(text).replace(" y ", " ")
    found = list(_AGE.finditer(folded))
    if not found or re.sub(r"[\s,]|aprox\w*\.?|aproximadamente|edad|de|casi|\+", "", _AGE.sub("", folded)):
        return None
    days, kind = 0.0, "m" if unit == "month" else "a"
    for each in found:
        number = _COUNTED.get(each[1]) or float(each[1].replace(",", "."))
        kind = each[2][0] if each[2] else kind
        days += number * _UNITS[kind]
    if days > 150 * 365.25:
        return None
    return Birth(today - timedelta(days=round(days)), "estimated")


SEVERAL = re.compile(r"\s*[/;,+&\n|]\s*|\s+(?:y|e)\s+")
"""What stands between the names of several animals in one cell."""

_PHONES = re.compile(r"\s*[/;,|\n]\s*|\s+(?:y|o|e|u)\s+|\s+-\s+|\s{3,}")


def phones_of(text: str) -> list[str]:
    """The phones that one cell holds; the words that people put beside them are left out."""
    parts = [
        re.sub(r"^(?:cel|celular|telf?|tlf|fono|casa|telefono|wh?ats?app|wsp)\b[\s.:]*", "", fold(part))
        for part in _PHONES.split(text)
    ]
    found = [part.strip() for part in parts]
    return [part for part in found if part and part not in NOTHING]


_NUMBER = re.compile(r"[+(]?\d[\d\s().-]*\d")
_SHORTEST_NUMBER = 7


def number_in(text: str) -> tuple[str, str | None]:
    """A phone's number and what is written behind it, as in `0995555555 (esposo)`; all of it where none begins it."""
    found = _NUMBER.match(text)
    rest = text[found.end() :].strip() if found else ""
    if found is None or not rest or sum(map(str.isdigit, found[0])) < _SHORTEST_NUMBER:
        return text, None
    return found[0], rest
