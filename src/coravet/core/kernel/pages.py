"""Lists in pages."""

from typing import Annotated, Generic, TypeVar

import msgspec

T = TypeVar("T")

Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items and, where there are more, the cursor that continues after them."""

    items: list[T]
    next_cursor: str | None = None


class PageRequest(msgspec.Struct, frozen=True):
    """Up to `limit` items after `cursor`; no cursor means from the start."""

    limit: int = 50
    cursor: str | None = None
