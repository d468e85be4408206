"""Names of people as lists of clients write them, in one cell."""

import re

from coravet.core.exchange.values import words
from coravet.core.kernel.text import fold

_PARTICLES = words("de del la las los y san santa da di do dos van von")
_TITLES = words("sr sra srta sres dr dra ing lic lcda lcdo abg arq econ msc phd don dona prof")


def split_name(text: str, *, reversed_order: bool) -> tuple[str | None, str | None, bool]:
    """Given names and family names of a whole name, and whether it could be read in another way.

    In Ecuador most people have two of each: of four words the first two are given names, of three the first. Where a
    comma stands, or the header says so (`reversed_order`), family names come first. Words such as `de la` belong to the
    one that follows.
    """
    head, comma, tail = text.partition(",")
    if comma and tail.strip():
        return _titled(tail) or None, _titled(head) or None, False
    parts = _parts(_titled(head))
    if len(parts) < 2:
        return " ".join(parts) or None, None, False
    if reversed_order:
        families = 1 if len(parts) == 2 else 2
        return " ".join(parts[families:]), " ".join(parts[:families]), len(parts) not in {2, 4}
    givens = 1 if len(parts) <= 3 else 2
    return " ".join(parts[:givens]), " ".join(parts[givens:]), len(parts) not in {2, 4}


JOINED = re.compile(r"\s+(?:y|e)\s+|\s*[/&+]\s*", re.IGNORECASE)
"""What stands between two people, or between the two parts of a surname such as Ortega y Gasset."""


def names_several(text: str, *, reversed_order: bool) -> bool:
    """Whether a whole name is that of several people, as `Ana Paz y Luis Mora` and `Ana y Luis Mora` are.

    `José Ortega y Gasset` is one: what stands beyond the `y` is no name of its own. A slash always parts people.
    """
    head, comma, tail = text.partition(",")
    if comma and tail.strip():
        return "/" in head or joins_people(tail, alone=True)
    parts = [part.split() for part in JOINED.split(_titled(text)) if part.strip()]
    if len(parts) < 2:
        return False
    if "/" in text or min(map(len, parts)) > 1:
        return True
    surname_first = parts[0] if reversed_order else parts[-1]
    return len(surname_first) > 1 or len(parts[1 if reversed_order else 0]) < 2


def joins_people(text: str, *, alone: bool) -> bool:
    """Whether given names (`alone`), or surnames, are of several people: surnames may be joined by a `y`."""
    parts = [part for part in JOINED.split(text) if part.strip()]
    return len(parts) > 1 and (alone or "/" in text)


def _titled(text: str) -> str:
    """The name without titles before it."""
    parts = text.split()
    while len(parts) > 1 and fold(parts[0]).strip(".") in _TITLES:
        parts = parts[1:]
    return " ".join(parts)


def _parts(text: str) -> list[str]:
    """The words of a name, particles together with what follows them."""
    parts: list[str] = []
    held: list[str] = []
    for word in text.split():
        held.append(word)
        if fold(word) not in _PARTICLES:
            parts.append(" ".join(held))
            held = []
    if held:
        parts.append(" ".join(held))
    return parts


def alike(one: str, other: str) -> bool:
    """Whether two folded names may well be one person's: the words of the shorter, at least two, are in the longer.

    `ana perez` and `perez lopez ana maria` are, `ana perez` and `luis perez` are not. A letter may differ, or be
    missing, in one word of five letters or more. An initial, as in `ana p.`, stands for a word.
    """
    shorter, longer = sorted((_words(one), _words(other)), key=len)
    if len(shorter) < 2:
        return shorter == longer
    left = list(longer)
    typos = 0
    for word in shorter:
        if word in left:
            left.remove(word)
            continue
        near = next((each for each in left if _near(word, each)), None)
        initial = next((each for each in left if _initial(word, each) or _initial(each, word)), None)
        if near is not None:
            left.remove(near)
            typos += 1
        elif initial is not None:
            left.remove(initial)
        else:
            return False
    return typos <= 1


def _words(name: str) -> list[str]:
    return [word for word in name.split() if word not in _PARTICLES]


def _initial(short: str, word: str) -> bool:
    return len(short.removesuffix(".")) == 1 and word.startswith(short[0])


def _near(one: str, other: str) -> bool:
    """Whether one letter was changed, left out or put in."""
    short, long = sorted((one, other), key=len)
    if len(short) < 5 or len(long) - len(short) > 1:
        return False
    same = next((place for place, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    rest = short[same + 1 :] if len(short) == len(long) else short[same:]
    return rest == long[same + 1 :]
