"""Objects in memory, for unit tests; held to the same contract tests as bucket and folder."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.core.media.keys import Key
from coravet.core.media.ports import Content, Stored


class MemoryStore:
    """The `ObjectStore` port over a dict.

    Attributes:
        reachable: while False everything ends in `Unavailable`.
        media_types: what was said of each object.
    """

    def __init__(self) -> None:
        self.reachable = True
        self.media_types: dict[Key, str] = {}
        self._objects: dict[Key, tuple[bytes, datetime]] = {}

    async def put(self, key: Key, body: bytes | AsyncIterable[bytes], size: int, media_type: str) -> bool:
        self._ask()
        whole = body if isinstance(body, bytes) else b"".join([piece async for piece in body])
        if len(whole) != size:
            raise ValueError(f"The body has {len(whole)} bytes, not {size}.")
        if key in self._objects:
            return False
        self._objects[key] = (whole, datetime.now(UTC))
        self.media_types[key] = media_type
        return True

    async def open(self, key: Key, start: int = 0, end: int | None = None) -> Content:
        if start < 0 or (end is not None and end <= start):
            raise ValueError(f"There is nothing from {start} to {end}.")
        self._ask()
        if key not in self._objects:
            raise NotFound
        whole, _ = self._objects[key]
        if start and start >= len(whole):
            raise ValueError(f"The object ends before {start}.")
        last = len(whole) if end is None else min(end, len(whole))
        return Content(len(whole), start, last, self._read(whole[start:last]))

    async def head(self, key: Key) -> Stored | None:
        self._ask()
        if key not in self._objects:
            return None
        whole, modified = self._objects[key]
        return Stored(key, len(whole), modified)

    async def delete(self, keys: Sequence[Key]) -> None:
        self._ask()
        for key in keys:
            self._objects.pop(key, None)
            self.media_types.pop(key, None)

    async def under(self, prefix: str = "") -> AsyncIterator[Stored]:
        self._ask()
        for key, (whole, modified) in list(self._objects.items()):
            if key.startswith(prefix):
                yield Stored(key, len(whole), modified)

    def reading_addresses(self, keys: Sequence[Key], life: timedelta) -> list[str] | None:  # noqa: ARG002 -- there are none
        return None

    def upload_address(self, key: Key, life: timedelta) -> str | None:  # noqa: ARG002 -- there are none
        return None

    async def _read(self, content: bytes) -> AsyncIterator[bytes]:
        self._ask()
        if content:
            yield content

    def _ask(self) -> None:
        if not self.reachable:
            raise Unavailable("The store of photos and files does not answer. Try again in a moment.")
