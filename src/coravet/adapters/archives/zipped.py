"""Archives as ZIP files, written while they are sent."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from stream_zip import ZIP_64, async_stream_zip

from coravet.core.exchange.ports import Member

FILE_MODE = 0o600
PIECE = 1 << 18


class ZipWriter:
    """The `Archiver` port: each byte goes out as it comes in, so that memory does not grow with the archive."""

    async def write(self, members: AsyncIterator[Member]) -> AsyncIterator[bytes]:
        async def files() -> AsyncIterator[tuple[object, ...]]:
            async for each in members:
                yield each.name, each.at, FILE_MODE, ZIP_64, each.data

        async for chunk in async_stream_zip(files()):  # type: ignore[arg-type]  # its own names of these types
            yield chunk


def read(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files of an archive by name, in their order; each is to be read before the next is asked for.

    Raises:
        BadZipFile, zlib.error: it is no archive, or its bytes are not those that were written.
    """
    with ZipFile(path) as archive:
        for each in archive.infolist():
            with archive.open(each) as stream:
                yield each.filename, _pieces(stream)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece
