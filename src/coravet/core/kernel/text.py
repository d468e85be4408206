"""Text that people type: its clean form, which is stored, and its folded form, which is searched by."""

import unicodedata

from coravet.core.kernel.sentences import Sentence

_BLANKS = "\t\n\r"  # control characters that a paste from a spreadsheet or a letter brings along
# Categories of what is never typed on purpose: control, format (bidirectional, zero-width, soft hyphen), surrogate.
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
# Letters and marks without a width, which those categories do not cover: a name made of them would look blank.
_WIDTHLESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


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


def fold(text: str) -> str:
    """The form in which text is compared and searched: `  José  PEÑA` is `jose pena`.

    Case folded, compatibility forms taken apart (NFKD), accents dropped, blanks collapsed. Not for showing.
    """
    apart = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(character for character in apart if not unicodedata.combining(character)).split())
