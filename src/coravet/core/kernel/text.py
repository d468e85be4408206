"""Text that people type: its clean form, which is stored, and its folded form, which is searched by."""

import re
import unicodedata

from coravet.core.kernel.sentences import Sentence

_BLANKS = "\t\n\r"  # control characters that a paste from a spreadsheet or a letter brings along
# Categories of what is never typed on purpose: control, format (bidirectional, zero-width, soft hyphen), surrogate.
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})  # what turns text around
# Letters and marks without a width, which those categories do not cover: a name made of them would look blank.
_WIDTHLESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")

_JOINS = re.compile("['\u2019\u02bc`\u00b4]")
_PARTS = re.compile(r"[\W_]+")


def clean(text: str) -> str:
    """One line of text as it is stored: composed (NFC), trimmed, every run of blanks a single space.

    Raises:
        ValueError: it holds a control, bidirectional or zero-width character; a tab or a line's end is a blank.
    """
    composed = unicodedata.normalize("NFC", text)
    for character in composed:
        unseen = unicodedata.category(character) in _UNSEEN and character not in _BLANKS
        if unseen or character in _WIDTHLESS:
            raise ValueError(
                Sentence(
                    "It holds an invisible character ({character}). Type it anew.", character=f"U+{ord(character):04X}"
                )
            )
    return " ".join(composed.split())


def paragraphs(text: str) -> str:
    """Text of many lines as it is stored: composed (NFC), lines ended by a line feed, nothing else taken away.

    What nobody can see or type, control and bidirectional characters, is left out silently: somebody is writing, and
    what they wrote is not sent back for what a paste brought along.
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(character for character in composed if character in "\n\t" or not _unwritable(character))


def _unwritable(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs"} or unicodedata.bidirectional(character) in _DIRECTIONS


def fold(text: str) -> str:
    """The form in which text is compared and searched: `  José  PEÑA` is `jose pena`.

    Case folded, compatibility forms taken apart (NFKD), accents dropped, blanks collapsed. Not for showing.
    """
    if text.isascii():  # nothing to take apart, and most of what is compared
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(character for character in apart if not unicodedata.combining(character)).split())


def words(text: str) -> list[str]:
    """The words by which text is found: `Pérez-Luna O'Brien` is `perez`, `luna` and `obrien`.

    Folded; an apostrophe joins, every other sign parts.
    """
    return _PARTS.sub(" ", fold(_JOINS.sub("", text))).split()
