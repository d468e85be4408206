"""Lists in pages."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items and, where there are more, the cursor that continues after them."""

    items: list[T]
    next_cursor: str | None = None


class PageRequest(msgspec.Struct, frozen=True):
    """Up to `limit` items after `cursor`; no cursor means from the start."""

    limit: int = 50
    cursor: str | None = None
