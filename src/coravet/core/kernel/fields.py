"""What fields of commands have in common, whatever noun they belong to."""

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.text import clean

# `$` alone would let a newline follow.
Email = Annotated[
    str,
    Meta(pattern=r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}$(?!\n)", max_length=254, description="A mail address."),
]

# Text, because msgspec reads and writes a `time` as HH:MM:SS; its length closes what `$` leaves open, a newline.
WallTime = Annotated[
    str,
    Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, description="Wall time of the clinic, HH:MM."),
]


def given_fields(command: msgspec.Struct) -> dict[str, Any]:
    """The fields that a change sets, without the version that it names; what was left out is absent."""
    fields = msgspec.structs.asdict(command)
    return {name: value for name, value in fields.items() if value is not UNSET and name != "version"}


def sound(checked: tuple[dict[str, Any], list[FieldError]]) -> dict[str, Any]:
    """The fields that a check found to be good. Raises Invalid with what it found to be wrong."""
    fields, errors = checked
    if errors:
        raise Invalid(errors=errors)
    return fields


def clean_fields(
    given: Mapping[str, Any], texts: Iterable[str], *, required: Iterable[str] = ()
) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields with their texts cleaned, and every text that cannot be.

    Args:
        texts: fields that hold text; absent ones and those that are None are left alone.
        required: those of them that cannot be blank; a blank one of the others becomes None.
    """
    fields = dict(given)
    errors = []
    needed = frozenset(required)
    for name in texts:
        if not isinstance(fields.get(name), str):
            continue
        try:
            fields[name] = clean(fields[name]) or None
        except ValueError as error:
            errors.append(FieldError(f"/{name}", "not_text", str(error)))
        else:
            if fields[name] is None and name in needed:
                errors.append(FieldError(f"/{name}", "required", "It cannot be blank."))
    return fields, errors


def wall_time(text: str) -> time:
    """The time that a `WallTime` writes. Raises ValueError where it writes none."""
    return time.fromisoformat(text)


def wall_text(wall: time) -> str:
    """A time as a `WallTime`; hours and minutes are all that is kept."""
    return wall.isoformat("minutes")
