"""Archives as ZIP files, written while they are sent."""

from collections.abc import AsyncIterator

from stream_zip import ZIP_64, async_stream_zip

from coravet.core.exchange.ports import Member

FILE_MODE = 0o600


class ZipWriter:
    """The `Archiver` port: each byte goes out as it comes in, so that memory does not grow with the archive."""

    async def write(self, members: AsyncIterator[Member]) -> AsyncIterator[bytes]:
        async def files() -> AsyncIterator[tuple[object, ...]]:
            async for each in members:
                yield each.name, each.at, FILE_MODE, ZIP_64, each.data

        async for chunk in async_stream_zip(files()):  # type: ignore[arg-type]  # its own names of these types
            yield chunk
