"""What photos and files ask of storage."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from coravet.core.media.keys import Key

LONGEST_LIFE: Final = timedelta(days=7)
"""Signed addresses live no longer: the protocol's own bound."""


class Stored(msgspec.Struct, frozen=True):
    """An object that is there, whole. `size` in bytes; `modified` is when it was written."""

    key: Key
    size: int
    modified: datetime


class Content(msgspec.Struct, frozen=True):
    """Bytes `[start, end)` of an object that has `size`, to be read once.

    Reading raises Unavailable where the store falls silent in the middle. Read to the end, or `aclose` it.
    """

    size: int
    start: int
    end: int
    chunks: AsyncIterator[bytes]


class ObjectStore(Protocol):
    """The conversation about objects: private, never changed, there as a whole or not at all.

    Every method may raise Unavailable, after at most about a minute: the store does not answer, or not as agreed.
    """

    async def put(self, key: Key, body: bytes | AsyncIterable[bytes], size: int, media_type: str) -> bool:
        """Store an object where there is none; answers whether it was stored, False where one is there already.

        It lasts once this returns. After an error nothing is there, or all of it where only the answer was lost: put
        it again. Of several who store one key at once, one object stays, whole. Memory: some 20 MB, whatever the size.

        Args:
            size: how many bytes the body has.
            media_type: what a store that serves signed addresses says of it, such as `image/webp`.

        Raises:
            ValueError: the body has another size; nothing is stored. What reading the body raises comes through.
        """
        ...

    async def open(self, key: Key, start: int = 0, end: int | None = None) -> Content:
        """An object's bytes from `start` to before `end`, or to its own end where that comes first.

        Raises:
            NotFound: there is no such object.
            ValueError: nothing of it lies there.
        """
        ...

    async def head(self, key: Key) -> Stored | None:
        """What is known of an object; None where there is none."""
        ...

    async def delete(self, keys: Sequence[Key]) -> None:
        """Delete objects; those that are not there, too, are gone afterwards. After an error, repeat it."""
        ...

    def under(self, prefix: str = "") -> AsyncIterator[Stored]:
        """All objects whose keys begin so, in any order, read as they are asked for: for sweeping, not for serving.

        Args:
            prefix: whole segments, ended by a slash, or nothing.
        """
        ...

    def reading_addresses(self, keys: Sequence[Key], life: timedelta) -> list[str] | None:
        """An address for each key at which anybody may GET it for so long, ranges too; no object need be there.

        None where the store has no addresses: then the service streams what it opens. Whoever knows an address may
        read: it is handed to who may see the object, and written to no log.

        Raises:
            ValueError: the life is no positive time up to `LONGEST_LIFE`.
        """
        ...

    def upload_address(self, key: Key, life: timedelta) -> str | None:
        """An address to which anybody may PUT an object's bytes for so long; None where the store has no addresses.

        Only for parts of uploads: it neither bounds the size nor keeps who has it from putting again. What came is to
        be read, checked and stored under its own hash.

        Raises:
            ValueError: as `reading_addresses`.
        """
        ...
