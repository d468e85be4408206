"""What every stored column says about a person, and what erasing that person does to it.

The vocabulary of the law (LOPDP art. 4) in four classes: nothing about a person; personal; sensitive (what may reveal
health, belief and the like: clinical free text is classed so, since notes mention bites, zoonoses and disability);
free text that somebody may have written anything into.
"""

from typing import Literal

import msgspec

Class = Literal["none", "personal", "sensitive", "free_text"]
OnErasure = Literal["keep", "clear", "replace", "cut", "delete_row"]


class Classification(msgspec.Struct, frozen=True):
    """How one column is treated.

    Attributes:
        on_erasure: `keep` as it is, `clear` to null, `replace` by a neutral value, `cut` out what names the person and
            keep the rest, or `delete_row` with the row.
    """

    kind: Class
    on_erasure: OnErasure


class StoredColumn(msgspec.Struct, frozen=True):
    """A column of a table, and how it is classed."""

    table: str
    name: str
    privacy: Classification


NOTHING = Classification("none", "keep")
PERSONAL_CLEARED = Classification("personal", "clear")
PERSONAL_REPLACED = Classification("personal", "replace")
PERSONAL_DELETED = Classification("personal", "delete_row")
FREE_TEXT_CLEARED = Classification("free_text", "clear")
FREE_TEXT_REPLACED = Classification("free_text", "replace")
FREE_TEXT_CUT = Classification("free_text", "cut")
SENSITIVE_CLEARED = Classification("sensitive", "clear")
SENSITIVE_REPLACED = Classification("sensitive", "replace")
