"""What a bucket and a folder share: reading, finding and knowing what went wrong."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import ObjectStore as Library

from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.core.media.keys import Key, named
from coravet.core.media.ports import Content, Stored

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta  # these exist for the type checker alone

PATIENCE = 60
"""Seconds after which a store that has not answered one question counts as away, whatever the library still tries."""

CHUNK_BYTES = 262_144
"""At least so many of an object's bytes are handed on at a time, but for the last."""

AWAY = "The store of photos and files does not answer. Try again in a moment."


@contextmanager
def answering() -> Iterator[None]:
    """Turns what the library raises into what the port does. What it says may name keys, and no secret."""
    try:
        yield
    except (BaseError, OSError) as error:  # TimeoutError is one
        raise Unavailable(AWAY) from error


def checked(key: Key) -> Key:
    """The key, which leads nowhere else: only what was named as an object is one. Raises ValueError."""
    if named(key) is None:
        raise ValueError("Only what was named as an object is one.")
    return key


class Reading:
    """The part of the `ObjectStore` port that asks; `_library` is opened by whoever inherits it."""

    async def _library(self) -> Library:
        raise NotImplementedError

    async def open(self, key: Key, start: int = 0, end: int | None = None) -> Content:
        if start < 0 or (end is not None and end <= start):
            raise ValueError(f"There is nothing from {start} to {end}.")
        options: GetOptions = {}
        if end is not None:
            options = {"range": (start, end)}
        elif start:
            options = {"range": {"offset": start}}
        with answering():
            async with asyncio.timeout(PATIENCE):
                library = await self._library()
                try:
                    result = await library.get_async(checked(key), options=options)
                except FileNotFoundError as error:
                    raise NotFound from error
                except BaseError:
                    # A range that begins too late is told in each store's own words.
                    there = await self.head(key) if start else None
                    if there is None or there.size > start:
                        raise
                    raise ValueError(f"The object ends before {start}.") from None
        first, last = result.range
        return Content(result.meta["size"], first, last, _read(result, last - first))

    async def head(self, key: Key) -> Stored | None:
        with answering():
            async with asyncio.timeout(PATIENCE):
                library = await self._library()
                with suppress(FileNotFoundError):
                    return _stored(await library.head_async(checked(key)))
        return None

    async def under(self, prefix: str = "") -> AsyncIterator[Stored]:
        with answering():
            async with asyncio.timeout(PATIENCE):
                pages = aiter((await self._library()).list(prefix or None, chunk_size=1000))
        while True:
            with answering():
                try:
                    async with asyncio.timeout(PATIENCE):
                        page = await anext(pages)
                except StopAsyncIteration:
                    return
            for meta in page:
                # What somebody else laid there is none of ours, and no sweep's business.
                if named(meta["path"]) is not None:
                    yield _stored(meta)


def _stored(meta: "ObjectMeta") -> Stored:
    return Stored(Key(meta["path"]), meta["size"], meta["last_modified"])


async def _read(result: "GetResult", expected: int) -> AsyncIterator[bytes]:
    with answering():
        chunks = aiter(result.stream(min_chunk_size=CHUNK_BYTES))
        while True:
            # One chunk at a time, for whoever reads may be slow: only the store's own time counts.
            try:
                async with asyncio.timeout(PATIENCE):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                break
            expected -= len(chunk)
            yield bytes(chunk)
    if expected:
        raise Unavailable(AWAY)


class Body:
    """What is to be stored, read once and counted.

    Attributes:
        error: what reading it raised: ValueError where it has another size.
    """

    def __init__(self, body: bytes | AsyncIterable[bytes], size: int) -> None:
        self.error: BaseException | None = None
        self._body = _at_once(body) if isinstance(body, bytes) else body
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._counted():
                yield piece
        except Exception as error:
            self.error = error
            raise

    async def _counted(self) -> AsyncIterator[bytes]:
        left = self._size
        async for piece in self._body:
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            raise ValueError(f"The body has {'more' if left < 0 else 'fewer'} than {self._size} bytes.")


async def _at_once(body: bytes) -> AsyncIterator[bytes]:
    yield body
