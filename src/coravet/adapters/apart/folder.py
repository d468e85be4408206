"""Books kept in a folder: a file for each, a JSON line for each entry."""

import asyncio
import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import msgspec

from coravet.core.kernel.apart import BOOKS, Book
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.sentences import Sentence

PATIENCE = 10
"""Seconds after which a folder, commonly another machine's, counts as not answering."""

CUT_OFF = b"\x18\n"
"""ASCII's CANCEL behind a line that a crash cut off: the file may be one that nothing can be taken out of."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    entry: msgspec.Raw
    sha256: str


class FolderApart:
    """The `KeptApart` port over files that are only ever appended to, by any number of processes.

    All books are there from the first entry of any of them on: one that is missing later was lost.

    Args:
        make: whether the folder may be made. Not where it lies on another machine: while that is not mounted, what is
            written must fail and not land on this machine's disk.
    """

    def __init__(self, folder: Path, *, make: bool) -> None:
        self._folder = folder
        self._make = make
        # Threads of its own: where the other machine hangs, they alone hang with it.
        self._threads = ThreadPoolExecutor(2, "apart")

    async def append(self, book: Book, entry: bytes) -> None:
        if b"\n" in entry:
            raise ValueError("An entry is one line.")
        try:
            msgspec.json.decode(entry)
        except msgspec.DecodeError as error:
            raise ValueError("An entry is a JSON value.") from error
        raw = entry.strip()
        line = msgspec.json.encode(_Line(msgspec.Raw(raw), sha256(raw).hexdigest())) + b"\n"
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().run_in_executor(self._threads, self._append, book, line)
        except OSError as error:  # TimeoutError is one
            raise Unavailable(
                "The register that is kept apart from the database cannot be written. "
                "Try again, and tell whoever runs the service if it stays so."
            ) from error

    async def entries(self, book: Book) -> list[bytes]:
        try:
            async with asyncio.timeout(PATIENCE):
                written = await asyncio.get_running_loop().run_in_executor(self._threads, self._read, book)
        except OSError as error:
            raise Unavailable(
                "The register that is kept apart from the database cannot be read. "
                "Try again, and tell whoever runs the service if it stays so."
            ) from error
        # What follows the last line's end was cut off.
        return [_entry(line) for line in written.split(b"\n")[:-1] if not line.endswith(CUT_OFF[:-1])]

    def check(self) -> None:
        """See that books can be written, without writing one.

        Raises:
            OSError: they cannot; it says why.
        """
        self._ready()
        trial = self._folder / f".trial-{os.getpid()}"
        trial.touch(0o600)
        trial.unlink()

    def _append(self, book: Book, line: bytes) -> None:
        self._ready()
        if not self._in_use():
            for each in BOOKS:
                self._path(each).touch(0o600)
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path(book), flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = os.fstat(descriptor).st_size
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                line = CUT_OFF + line
            if os.write(descriptor, line) != len(line):
                raise OSError("The line was written in part.")  # what is there now counts as cut off
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._sync(self._folder)

    def _read(self, book: Book) -> bytes:
        self._ready()
        try:
            return self._path(book).read_bytes()
        except FileNotFoundError as error:
            if self._in_use():
                raise Unavailable(
                    Sentence(
                        "The book {book} is missing in the register that is kept apart. Bring it back from its copy.",
                        book=book,
                    )
                ) from error
            return b""

    def _in_use(self) -> bool:
        """Whether any book has an entry."""
        paths = [self._path(each) for each in BOOKS]
        return any(path.stat().st_size for path in paths if path.exists())

    def _path(self, book: Book) -> Path:
        return self._folder / f"{book}.jsonl"

    def _ready(self) -> None:
        if self._folder.is_dir():
            return
        if not self._make:
            raise FileNotFoundError(f"There is no folder {self._folder}.")
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        self._sync(self._folder.parent)

    @staticmethod
    def _sync(folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _entry(line: bytes) -> bytes:
    """The entry of a line, empty where the line is not as it was written."""
    try:
        found = msgspec.json.decode(line, type=_Line)
    except msgspec.DecodeError:
        return b""
    entry = bytes(found.entry)
    return entry if sha256(entry).hexdigest() == found.sha256 else b""
