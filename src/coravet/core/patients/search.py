"""Finding clients and patients by what somebody says at the counter."""

import re
from itertools import groupby, pairwise
from string import ascii_lowercase

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.text import fold, words
from coravet.core.kernel.work import Begin
from coravet.core.patients.ports import PatientsWork, Word
from coravet.core.patients.views import SearchView

LEAST_LETTERS = 2
MOST_WORDS = 6
LONGEST_WORD = 40
"""Letters by which a word is told from others; what follows is neither kept nor looked at."""

TAIL = "~"
"""Stands before a number that is kept backwards, to be found by its last digits; no word has it."""

COUNTRY_CODE = "593"
"""Of phones that are typed without one, as clinics of Ecuador do."""

HONORIFICS = frozenset(
    "sr sra srta senor senora senorita don dona dr dra doctor doctora ing lic abg arq".split()  # noqa: SIM905 -- as read
)
"""What is said of a person beside the name, folded; nobody is registered by it."""

_LEAST_WITH_TRUNK = 8
"""Digits of which a leading zero may be a trunk's: a phone as a whole, and no longer the last digits of something."""

_LEAST_FOR_TYPO, _MOST_FOR_TYPO = 4, 24
_SOUNDS = ("bv", "csz", "iy", "gj", "ckq", "sx", "mn", "lr", "uw", "dt", "ckx", "eiou", "ae")
_ALIKE = {letter: {other for group in _SOUNDS if letter in group for other in group} for letter in ascii_lowercase}
_NUMBER = re.compile(r"[\d\s+()./-]*\d[\d\s+()./-]*")


async def search(text: str, limit: int, actor: Actor, begin: Begin[PatientsWork]) -> SearchView:
    """Clients and patients that every word of `text` means, in any order; accents, case and one typo do not matter.

    A typo is looked for where a single word leaves room, and where several together mean nobody.

    Raises:
        Invalid: fewer than two letters or digits were given.
    """
    sought = typed(text)
    if sum(len(word.forms[0]) for word in sought) < LEAST_LETTERS:
        raise Invalid(errors=[FieldError("/q", "too_short", "Write at least two letters or digits.")])
    async with begin(actor) as work:
        found = await work.search.as_typed(sought, limit)
        if (len(found) < limit if len(sought) == 1 else not found) and any(word.typos for word in sought):
            found += await work.search.with_a_typo(sought, limit - len(found), found)
        return SearchView(found)


def kept(text: str) -> list[str]:
    """The words by which a name is found: `K-9 Luna 2` is `k`, `9`, `luna`, `2`, and `k9` and `luna2`.

    Where letters meet digits people write a sign, a blank or nothing between them; so they stand there joined, too.
    """
    found = words(text)
    joined = ["".join(words(token)) for token in text.split()]
    joined += [one + other for one, other in pairwise(found) if one.isdigit() != other.isdigit()]
    return list(dict.fromkeys(found + [each for each in joined if _mixed(each)]))


def typed(text: str) -> list[Word]:
    """What to look for: each word once, without those that another one begins with, the longest six.

    Numbers that follow each other are one, typed with blanks. Letters and digits in one piece are one word, whatever
    parts them. What is said before a name is left out where enough remains.
    """
    numbers: set[str] = set()
    letters: set[str] = set()
    pieces = [piece for piece in fold(text).split() if words(piece)]
    for is_number, run in groupby(pieces, lambda piece: bool(_NUMBER.fullmatch(piece))):
        if is_number:
            numbers.add(re.sub(r"\D", "", "".join(run)))
        else:
            letters.update(*map(_letters, run))
    plain = letters - HONORIFICS
    if sum(map(len, plain | numbers)) >= LEAST_LETTERS:
        letters = plain
    found = sorted((word[:LONGEST_WORD] for word in numbers | letters), key=lambda word: (-len(word), word))
    found = [word for place, word in enumerate(found) if not any(other.startswith(word) for other in found[:place])]
    return [_number(word) if word in numbers else _word(word) for word in found[:MOST_WORDS]]


def _letters(piece: str) -> list[str]:
    if "@" in piece:
        return [piece]
    found = words(piece)
    return ["".join(found)] if _mixed("".join(found)) else found


def _mixed(word: str) -> bool:
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))


def _word(word: str) -> Word:
    return Word((word,), typos(word))


def _number(digits: str) -> Word:
    """A number as it begins or ends: of a document, of a chip, or of a phone with or without the zeros before it."""
    forms = [digits, TAIL + digits[::-1]]
    national = digits.removeprefix("0")
    if national and national[0] != "0":
        forms.append(COUNTRY_CODE + national)
        if len(digits) >= _LEAST_WITH_TRUNK:
            forms.append(TAIL + national[::-1])
    elif digits[2:3] not in {"", "0"}:  # dialled as from abroad
        forms.append(digits[2:])
    return Word(tuple(dict.fromkeys(forms)))


def typos(word: str) -> tuple[str, ...]:
    """What a kept word begins with that `word`, or a longer word that begins so, misses by one mistake.

    A mistake is a letter too many, too few or wrong, or two that changed places. The likeliest come first: letters that
    sound alike, then one too many, two that changed places, one missing, and any other wrong one. Short words have
    none, for everything resembles them, and neither have those with digits, where each digit counts.
    """
    if not _LEAST_FOR_TYPO <= len(word) <= _MOST_FOR_TYPO or not word.isalpha():
        return ()
    places = range(len(word))
    found = [word[:-1]]  # a wrong letter at the end may be any, or one too many
    changed = [(word[place], word[:place], word[place + 1 :]) for place in places[:-1]]
    found += [before + other + after for letter, before, after in changed for other in sorted(_ALIKE[letter])]
    found += [before + after for _, before, after in changed]
    found += [before + after[0] + letter + after[1:] for letter, before, after in changed]
    found += [word[:place] + other + word[place:] for place in places for other in ascii_lowercase]
    found += [before + other + after for _, before, after in changed for other in ascii_lowercase]
    return tuple(dict.fromkeys(each for each in found if not each.startswith(word)))
