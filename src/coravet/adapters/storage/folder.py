"""Objects in a folder of this machine, each a file."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TypeVar

from obstore.store import LocalStore

from coravet.adapters.storage.reading import PATIENCE, Body, Reading, answering, checked
from coravet.core.media.keys import Key

PARTIAL = ".partial"
"""Where files are written before they have their names, in the folder itself: a name is given within one disk."""

LEFT_OVER_SECONDS = 86_400
"""What is still there after so long was left by a process that died."""

WRITE_BYTES = 1024 * 1024
"""So much is gathered before a thread writes it."""

T = TypeVar("T")


class FolderStore(Reading):
    """The `ObjectStore` port over a folder on one disk, for any number of processes.

    A file is written elsewhere, synced, and then linked to its name, which is given once and never again.

    Args:
        make: whether the folder may be made. Not in production: where its disk is not mounted, what is stored must fail
            and not land on another one.
    """

    def __init__(self, folder: Path, *, make: bool) -> None:
        self._folder = folder.absolute()
        self._make = make
        self._opened: LocalStore | None = None
        # Threads of their own: where the disk hangs, they alone hang with it.
        self._threads = ThreadPoolExecutor(4, "storage")

    async def put(self, key: Key, body: bytes | AsyncIterable[bytes], size: int, media_type: str) -> bool:  # noqa: ARG002 -- the service says it when it streams the file
        path = self._path(key)
        with answering():
            await self._library()
            if await self._do(lambda: self._is_kept(path)):
                return False
            file = await self._do(self._begin)
        try:
            pieces: list[bytes] = []
            gathered = 0
            async for piece in Body(body, size):
                pieces.append(piece)
                gathered += len(piece)
                if gathered >= WRITE_BYTES:
                    whole, pieces, gathered = b"".join(pieces), [], 0
                    await self._write(file, whole)
            await self._write(file, b"".join(pieces))
            with answering():
                return await self._do(lambda: self._keep(file, path))
        finally:
            with answering():
                await self._do(file.close)

    async def delete(self, keys: Sequence[Key]) -> None:
        paths = [self._path(key) for key in keys]
        with answering():
            await self._library()
            await self._do(lambda: self._delete(paths))

    def reading_addresses(self, keys: Sequence[Key], life: timedelta) -> list[str] | None:  # noqa: ARG002 -- there are none
        return None

    def upload_address(self, key: Key, life: timedelta) -> str | None:  # noqa: ARG002 -- there are none
        return None

    async def _library(self) -> LocalStore:
        self._opened = await self._do(self._open)
        return self._opened

    async def _do(self, step: Callable[[], T]) -> T:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().run_in_executor(self._threads, step)

    async def _write(self, file: IO[bytes], piece: bytes) -> None:
        with answering():
            await self._do(lambda: file.write(piece))

    def _open(self) -> LocalStore:
        if not self._folder.is_dir():
            if not self._make:
                raise NotADirectoryError(f"There is no folder {self._folder}.")
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
        if self._opened is not None:
            return self._opened
        partial = self._folder / PARTIAL
        partial.mkdir(0o700, exist_ok=True)
        for left in partial.iterdir():
            if left.stat().st_mtime < time.time() - LEFT_OVER_SECONDS:
                left.unlink(missing_ok=True)
        return LocalStore(self._folder)

    def _path(self, key: Key) -> Path:
        return self._folder / checked(key)

    def _begin(self) -> IO[bytes]:
        return NamedTemporaryFile(dir=self._folder / PARTIAL)

    def _is_kept(self, path: Path) -> bool:
        """Whether it is there, to stay: who gave the name may not have synced it yet."""
        if not path.exists():
            return False
        _sync(path.parent)
        return True

    def _keep(self, file: IO[bytes], path: Path) -> bool:
        """Give the file its name, unless another has it."""
        file.flush()
        os.fsync(file.fileno())
        for _ in range(100):
            try:
                self._make_way(path.parent)
                os.link(file.name, path)
                _sync(path.parent)
            except FileExistsError:
                return self._is_kept(path) and False
            except FileNotFoundError:  # a folder was emptied meanwhile, and taken away
                continue
            return True
        raise FileNotFoundError(f"The folder {path.parent} is taken away again and again.")

    def _make_way(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_way(folder.parent)
        folder.mkdir(0o700, exist_ok=True)
        _sync(folder.parent)

    def _delete(self, paths: Sequence[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in paths}:
            self._clear(folder)

    def _clear(self, folder: Path) -> None:
        """Have what was deleted there stay so, and take away folders in which nothing is left."""
        while folder != self._folder:
            with suppress(FileNotFoundError):  # another was faster
                try:
                    folder.rmdir()
                except OSError as error:
                    if error.errno != errno.ENOTEMPTY:
                        raise
                    return _sync(folder)
            folder = folder.parent
        return _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
