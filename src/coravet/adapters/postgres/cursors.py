"""Cursors of lists: where a page ended, opaque to the client."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.pages import Page, PageRequest

T = TypeVar("T")
Key = TypeVar("Key")

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
NEWEST = datetime.max.replace(tzinfo=UTC)
"""Where a list without a cursor begins: before any id, or after any, and after any instant."""


def after(request: PageRequest, key: type[Key]) -> Key | None:
    """The sort key of the last item that the caller has.

    Args:
        key: the tuple type of the list's sort key, such as `tuple[str, UUID]`.

    Raises:
        Invalid: the cursor is not one of this list's.
    """
    if request.cursor is None:
        return None
    try:
        found: Any = msgspec.json.decode(urlsafe_b64decode(request.cursor), type=key)
        return tuple(map(_storable, found)) if isinstance(found, tuple) else found  # type: ignore[return-value]  # a Key
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise Invalid(
            errors=[FieldError("/cursor", "not_a_cursor", "Pass the next_cursor of the page before, unchanged.")]
        ) from error


def _storable(part: Any) -> Any:
    """A part of a key as the database takes it. Raises ValueError or OverflowError where it takes none such."""
    if isinstance(part, datetime):
        if part.tzinfo is None:
            raise ValueError("A cursor's instant has an offset.")
        return part.astimezone(UTC)
    if isinstance(part, str) and "\0" in part:
        raise ValueError("A cursor's text has no U+0000.")
    return part


def page_of(
    rows: Sequence[asyncpg.Record],
    request: PageRequest,
    view: Callable[[asyncpg.Record], T],
    key: Callable[[asyncpg.Record], Any],
) -> Page[T]:
    """A page of rows that were read with one more than the limit."""
    kept = rows[: request.limit]
    more = len(rows) > request.limit
    cursor = urlsafe_b64encode(msgspec.json.encode(key(kept[-1]))).decode() if more else None
    return Page([view(row) for row in kept], cursor)
