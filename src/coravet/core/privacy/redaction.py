"""Cutting a person out of text that is kept for somebody else."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from coravet.core.kernel.text import fold
from coravet.core.privacy.erasure_ports import ERASED, Person

Cut = Callable[[str], str]

_PARTICLES = frozenset("de del la las los y e da das do dos san santa von van".split())  # noqa: SIM905 -- as read
_LEAST_LETTERS = 3
_BLANKS = r"[\s.,_-]+"
_PARTING = r"[\s.,;:/#_-]+"
_SIGNS = r"[\s().\-/_]*"
_APOSTROPHE = "['\u2019\u02bc`\u00b4]"
_BETWEEN = re.compile(r"[\s,.\-]*")


def cutter(person: Person, spared: Iterable[str] = ()) -> Cut:
    """What cuts a person out of a text: whatever names them becomes `[eliminado]`, and nothing else changes.

    Names are found whatever their accents and case, phones and documents whatever signs part their digits.

    Args:
        spared: names of those whom the text is kept for, and of the animal. A word of theirs is cut only where it
            stands within the person's whole name.
    """
    pattern = re.compile("|".join(f"(?:{each})" for each in _patterns(person, spared)) or r"(?!)")

    def cut(text: str) -> str:
        folded, places = _folded(text)
        spans = [(places[found.start()], places[found.end()]) for found in pattern.finditer(folded)]
        kept: list[str] = []
        end = 0
        for begins, ends in spans:
            between = text[end:begins]
            # Names that follow each other are one.
            if not (kept and _BETWEEN.fullmatch(between)):
                kept += [between, ERASED]
            end = ends
        return "".join([*kept, text[end:]])

    return cut


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as `fold` compares it, blanks left as they are, and where each of its letters comes from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for letter in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(letter):
                letters.append(letter)
                places.append(place)
    return "".join(letters), [*places, len(text)]


def _patterns(person: Person, spared: Iterable[str]) -> Iterator[str]:
    """What to look for in folded text: the whole before its parts."""
    for name in sorted(_whole(person.names), key=len, reverse=True):
        yield _word(_BLANKS.join(map(_spelt, name)))
    for mail_or_place in person.others:
        parts = [part for part in re.split(_PARTING, fold(mail_or_place)) if part]
        if parts:
            yield _word(_PARTING.join(map(re.escape, parts)))
    for phone in person.phones:
        if re.search(r"\d", phone):
            yield _phone(phone)
    for number in person.documents:
        yield from _document(number)
    theirs = {piece for name in spared for piece in _pieces(name)} | _PARTICLES
    alone = {piece for pair in person.names for name in pair for piece in _pieces(name)} - theirs
    for piece in sorted(alone, key=len, reverse=True):
        if len(piece) >= _LEAST_LETTERS:
            yield _word(_spelt(piece))


def _whole(names: Iterable[tuple[str, str]]) -> set[tuple[str, ...]]:
    """How people are named in full: all of their names or the first of each, in either order."""
    found = set()
    for given, family in names:
        first, last = _pieces(given), _pieces(family)
        for one, other in ((first, last), (last, first), (first[:1], last), (first[:1], last[:1]), (last[:1], first)):
            if one and other:
                found.add((*one, *other))
    return found


def _pieces(name: str) -> tuple[str, ...]:
    """The words of a name, folded, each without its apostrophes."""
    return tuple(piece for piece in re.split(_BLANKS, re.sub(_APOSTROPHE, "", fold(name))) if piece)


def _spelt(piece: str) -> str:
    """A word of a name, with or without an apostrophe anywhere."""
    return f"{_APOSTROPHE}?".join(map(re.escape, piece))


def _word(pattern: str) -> str:
    return rf"(?<![^\W_]){pattern}(?![^\W_])"


def _phone(phone: str) -> str:
    digits = re.sub(r"\D", "", phone)
    national = digits.removeprefix("593") if phone.startswith("+593") else digits
    country = rf"(?:(?:\+|00)?{_SIGNS}593{_SIGNS})?0?{_SIGNS}" if national != digits else r"(?:\+|00)?"
    return rf"(?<!\d){country}{_SIGNS.join(national)}(?!\d)"


def _document(number: str) -> Iterator[str]:
    """The number however its characters are parted; a person's RUC is their cédula and an establishment."""
    signs = r"[\s.\-/]*"
    yield _word(signs.join(map(re.escape, fold(number))))
    if number.isdigit() and len(number) in {10, 13}:
        yield rf"(?<!\d){signs.join(number[:10])}(?:{signs}{signs.join('001')})?(?!\d)"
