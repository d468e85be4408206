"""Finding clients and patients by what somebody says at the counter."""

import re
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

_LEAST_FOR_TYPO, _MOST_FOR_TYPO = 4, 24
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


def typed(text: str) -> list[Word]:
    """What to look for: each word once, without those that another one begins with, the longest six.

    A text of nothing but digits and what parts them is one number; within other text, each run without a blank is.
    """
    folded = fold(text)
    pieces = [folded] if _NUMBER.fullmatch(folded) else folded.split()
    numbers = {re.sub(r"\D", "", piece) for piece in pieces if _NUMBER.fullmatch(piece)}
    letters: set[str] = set()
    for piece in pieces:
        if not _NUMBER.fullmatch(piece):
            letters |= {piece} if "@" in piece else set(words(piece))
    kept = sorted((word[:LONGEST_WORD] for word in numbers | letters), key=lambda word: (-len(word), word))
    kept = [word for place, word in enumerate(kept) if not any(other.startswith(word) for other in kept[:place])]
    return [_number(word) if word in numbers else _word(word) for word in kept[:MOST_WORDS]]


def _word(word: str) -> Word:
    return Word((word,), typos(word))


def _number(digits: str) -> Word:
    """A number as it begins or ends: of a document, of a chip, or of a phone with or without the trunk's zero."""
    national = digits.removeprefix("0")
    forms = [digits, TAIL + digits[::-1]]
    if national:
        forms += [COUNTRY_CODE + national, TAIL + national[::-1]]
    return Word(tuple(dict.fromkeys(forms)))


def typos(word: str) -> tuple[str, ...]:
    """What a kept word begins with that `word`, or a longer word that begins so, misses by one mistake.

    A mistake is a letter too many, too few or wrong, or two that changed places. Short words have none, for everything
    resembles them, and neither have those with digits, where each digit counts.
    """
    if not _LEAST_FOR_TYPO <= len(word) <= _MOST_FOR_TYPO or not word.isalpha():
        return ()
    found = [word[:-1]]  # a wrong letter at the end may be any, or one too many
    for place in range(len(word) - 1):
        before, letter, after = word[:place], word[place], word[place + 1 :]
        found.append(before + after)
        found.append(before + after[0] + letter + after[1:])
        found += [before + other + after for other in ascii_lowercase]
    for place in range(len(word)):
        found += [word[:place] + other + word[place:] for other in ascii_lowercase]
    return tuple(dict.fromkeys(each for each in found if not each.startswith(word)))
