"""One contract for what is kept apart, held by the folder and by the fake; then what a folder meets."""

import asyncio
import multiprocessing
import os
import stat
import threading
import time
from pathlib import Path

import msgspec
import pytest

from coravet.adapters.apart.folder import FolderApart
from coravet.adapters.memory.apart import MemoryApart
from coravet.core.kernel.apart import KeptApart
from coravet.core.kernel.errors import Unavailable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where books are kept."""
    return tmp_path / "apart"


@pytest.fixture(params=["folder", "memory"])
def apart(request: pytest.FixtureRequest, folder: Path) -> KeptApart:
    """Each of the two that answer the port."""
    return FolderApart(folder, make=True) if request.param == "folder" else MemoryApart()


async def test_entries_come_back_in_order(apart: KeptApart) -> None:
    """What was appended comes back byte for byte, each book by itself."""
    for number in range(3):
        await apart.append("erasures", b'{"number": %d, "at":"x y"}' % number)
    await apart.append("departures", b'{"clinic":"a"}')
    assert await apart.entries("erasures") == [b'{"number": %d, "at":"x y"}' % number for number in range(3)]
    assert await apart.entries("departures") == [b'{"clinic":"a"}']
    assert await apart.entries("acceptance-heads") == []


@pytest.mark.parametrize("entry", [b"", b"not json", b'{"a":1}\n{"b":2}', b'{"a":', b'{"a":1} {"b":2}'])
async def test_an_entry_is_one_json_value(apart: KeptApart, entry: bytes) -> None:
    """Anything else is refused, for it could not be read back."""
    with pytest.raises(ValueError, match="An entry is"):
        await apart.append("erasures", entry)
    assert await apart.entries("erasures") == []


async def test_a_damaged_entry_keeps_its_place(folder: Path) -> None:
    """One changed bit, also one that leaves good JSON behind, is noticed, and the entries around it are read."""
    real, fake = FolderApart(folder, make=True), MemoryApart()
    for apart in (real, fake):
        for number in range(3):
            await apart.append("erasures", b'{"number":%d}' % number)
    book = folder / "erasures.jsonl"
    book.write_bytes(book.read_bytes().replace(b'"number":1', b'"number":9'))
    fake.damage("erasures", 1)
    for apart in (real, fake):
        assert await apart.entries("erasures") == [b'{"number":0}', b"", b'{"number":2}']


async def test_whoever_comes_later_reads_it(folder: Path) -> None:
    """Another process finds what this one wrote."""
    await FolderApart(folder, make=True).append("erasures", b'{"a":1}')
    assert await FolderApart(folder, make=False).entries("erasures") == [b'{"a":1}']


async def test_a_line_that_was_cut_off(folder: Path) -> None:
    """Half a line, left by a crash or a full disk, was never promised: it is passed over and spoils nothing after."""
    apart = FolderApart(folder, make=True)
    await apart.append("erasures", b'{"a":1}')
    book = folder / "erasures.jsonl"
    with book.open("ab") as stream:
        stream.write(book.read_bytes()[:-3])
    assert await apart.entries("erasures") == [b'{"a":1}']
    await apart.append("erasures", b'{"b":2}')
    assert await apart.entries("erasures") == [b'{"a":1}', b'{"b":2}']


async def test_nothing_that_is_written_is_touched_again(folder: Path) -> None:
    """A book only grows, after a crash, too: it may lie where nothing can be taken back."""
    apart = FolderApart(folder, make=True)
    book = folder / "erasures.jsonl"
    await apart.append("erasures", b'{"a":1}')
    with book.open("ab") as stream:
        stream.write(b'{"entry":{"cut')
    before = book.read_bytes()
    await apart.append("erasures", b'{"b":2}')
    assert book.read_bytes().startswith(before)


def _fill(folder: Path, process: int) -> None:
    async def run() -> None:
        apart = FolderApart(folder, make=True)
        for number in range(40):
            await apart.append("erasures", b'{"process":%d,"number":%d}' % (process, number))

    asyncio.run(run())


async def test_two_processes(folder: Path) -> None:
    """Processes that write at the same time lose none of each other's lines and mix none."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_fill, args=(folder, each)) for each in range(2)]
    for each in writers:
        each.start()
    for each in writers:
        await asyncio.to_thread(each.join)
    found = [msgspec.json.decode(each) for each in await FolderApart(folder, make=False).entries("erasures")]
    for process in range(2):
        assert [each["number"] for each in found if each["process"] == process] == list(range(40))


async def test_it_lasts_before_it_returns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and its folder are on the disk by then."""
    synced = []
    real = os.fsync

    def recorded(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real(descriptor)

    apart = FolderApart(folder, make=True)
    await apart.append("erasures", b"1")
    monkeypatch.setattr(os, "fsync", recorded)
    await apart.append("erasures", b"2")
    assert synced == ["file", "folder"]


@pytest.mark.alone
async def test_the_loop_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk takes its time, requests are answered; one that never answers ends in `Unavailable`."""
    monkeypatch.setattr("coravet.adapters.apart.folder.PATIENCE", 0.2)
    go_on = threading.Event()

    def hang(_descriptor: int) -> None:
        go_on.wait()

    monkeypatch.setattr(os, "fsync", hang)
    apart = FolderApart(folder, make=True)
    began = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            await apart.append("erasures", b"1")
        assert time.monotonic() - began < 5
    finally:
        go_on.set()


def test_a_folder_that_is_not_mounted(folder: Path) -> None:
    """Where it may not be made, a missing folder is an error, for reading, too: no entries would mean nobody erased."""
    apart = FolderApart(folder, make=False)
    with pytest.raises(Unavailable):
        asyncio.run(apart.append("erasures", b"1"))
    with pytest.raises(Unavailable):
        asyncio.run(apart.entries("erasures"))
    with pytest.raises(OSError, match="apart"):
        apart.check()
    assert not folder.exists()


async def test_a_book_that_was_lost(folder: Path) -> None:
    """A book that is missing beside others is not an empty one, and is not begun anew: nobody knows what it held."""
    apart = FolderApart(folder, make=True)
    assert await apart.entries("departures") == []
    await apart.append("erasures", b"1")
    assert await apart.entries("departures") == []
    (folder / "departures.jsonl").unlink()
    with pytest.raises(Unavailable, match="departures"):
        await apart.entries("departures")
    with pytest.raises(Unavailable):
        await apart.append("departures", b"2")
    assert await apart.entries("erasures") == [b"1"]


async def test_an_unreachable_fake() -> None:
    """The fake can fail as the folder does."""
    fake = MemoryApart()
    fake.reachable = False
    with pytest.raises(Unavailable):
        await fake.append("erasures", b"1")
    with pytest.raises(Unavailable):
        await fake.entries("erasures")


def test_others_may_not_read_it(folder: Path) -> None:
    """Folder and books are the service's alone."""
    asyncio.run(FolderApart(folder, make=True).append("erasures", b"1"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "erasures.jsonl").stat().st_mode) == 0o600
