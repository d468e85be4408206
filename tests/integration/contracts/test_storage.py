"""One contract for stored objects, held by bucket, folder and the fake; then what each of the real ones is alone."""

import asyncio
import os
import stat
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from tests.integration.parts.processes import python
from tests.integration.parts.s3 import BUCKET, KEY_ID, REGION, SECRET, S3Server

from coravet.adapters.memory.store import MemoryStore
from coravet.adapters.storage.bucket import AT_ONCE_BYTES, BucketStore
from coravet.adapters.storage.folder import PARTIAL, FolderStore
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.core.media.keys import Key, clinic_prefix, content_key, key_of, part_key, upload_prefix
from coravet.core.media.ports import Content, ObjectStore

MINUTE = timedelta(minutes=1)
LARGE = AT_ONCE_BYTES + 3 * 1024 * 1024 + 7
"""More than one request carries, and no whole number of anything."""


@pytest.fixture(scope="module")
async def s3() -> AsyncIterator[S3Server]:
    """A server with one private bucket."""
    with tempfile.TemporaryDirectory() as folder:
        async with S3Server(Path(folder)) as server:
            yield server


@pytest.fixture
def bucket(s3: S3Server) -> BucketStore:
    """The adapter for it."""
    return BucketStore(s3.endpoint, BUCKET, REGION, KEY_ID, SECRET)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files are kept."""
    return tmp_path / "media"


@pytest.fixture(params=["bucket", "folder", "memory"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """Each of the three that answer the port."""
    if request.param == "bucket":
        found: BucketStore = request.getfixturevalue("bucket")
        return found
    if request.param == "folder":
        return FolderStore(request.getfixturevalue("folder"), make=True)
    return MemoryStore()


@pytest.fixture
def clinic() -> ClinicId:
    """A clinic that nobody else has."""
    return ClinicId(uuid4())


async def sent(content: bytes, piece: int = 65_536) -> AsyncIterator[bytes]:
    """A body as it comes over a network."""
    for start in range(0, len(content), piece):
        await asyncio.sleep(0)
        yield content[start : start + piece]


async def whole(content: Content) -> bytes:
    """All that an opened object gives."""
    return b"".join([chunk async for chunk in content.chunks])


@pytest.mark.parametrize("size", [0, 1, 300_000, LARGE])
@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
async def test_what_was_put_is_there(store: ObjectStore, clinic: ClinicId, size: int, streamed: bool) -> None:
    """It comes back byte for byte with its size, whether it was given at once or in pieces."""
    content = os.urandom(size)
    key = key_of(clinic, content)
    before = datetime.now(UTC) - timedelta(seconds=2)
    assert await store.put(key, sent(content) if streamed else content, size, "image/webp") is True
    opened = await store.open(key)
    assert (opened.size, opened.start, opened.end) == (size, 0, size)
    assert await whole(opened) == content
    known = await store.head(key)
    assert known is not None
    assert (known.key, known.size) == (key, size)
    assert before <= known.modified <= datetime.now(UTC) + timedelta(seconds=2)


@pytest.mark.parametrize("size", [10, LARGE])
async def test_what_is_there_stays(store: ObjectStore, clinic: ClinicId, size: int) -> None:
    """A second put of a key stores nothing and says so, whatever it brings."""
    key = key_of(clinic, b"the name of the first")
    first, second = os.urandom(size), os.urandom(size)
    assert await store.put(key, first, size, "image/webp") is True
    assert await store.put(key, second, size, "image/webp") is False
    assert await store.put(key, sent(second), size, "image/webp") is False
    assert await whole(await store.open(key)) == first


async def test_of_many_at_once_one_stays(store: ObjectStore, clinic: ClinicId) -> None:
    """Twenty who store one key at once: one is told that it stored, and its bytes are there, whole."""
    key = key_of(clinic, b"fought for")
    contents = [bytes([number]) * 200_000 for number in range(20)]
    stored = await asyncio.gather(*(store.put(key, sent(each), 200_000, "image/webp") for each in contents))
    assert stored.count(True) == 1
    assert await whole(await store.open(key)) == contents[stored.index(True)]


@pytest.mark.parametrize(
    ("start", "end", "got"),
    [
        (0, None, b"0123456789"),
        (0, 1, b"0"),
        (3, 7, b"3456"),
        (3, None, b"3456789"),
        (9, 10, b"9"),
        (9, 500, b"9"),
        (0, 500, b"0123456789"),
    ],
)
async def test_a_range(store: ObjectStore, clinic: ClinicId, start: int, end: int | None, got: bytes) -> None:
    """Any part can be read, and what is said of it is what comes."""
    key = key_of(clinic, b"0123456789")
    await store.put(key, b"0123456789", 10, "image/webp")
    opened = await store.open(key, start, end)
    assert await whole(opened) == got
    assert (opened.size, opened.start, opened.end) == (10, start, start + len(got))


@pytest.mark.parametrize(("start", "end"), [(10, None), (10, 12), (500, 600), (5, 5), (7, 3), (-1, 3)])
async def test_a_range_with_nothing_in_it(store: ObjectStore, clinic: ClinicId, start: int, end: int | None) -> None:
    """It is the caller's mistake, not the store's."""
    key = key_of(clinic, b"0123456789")
    await store.put(key, b"0123456789", 10, "image/webp")
    with pytest.raises(ValueError, match=r"There is nothing|ends before"):
        await store.open(key, start, end)


async def test_a_range_of_a_large_one(store: ObjectStore, clinic: ClinicId) -> None:
    """A range across what was stored in parts comes in order."""
    content = os.urandom(LARGE)
    key = key_of(clinic, content)
    await store.put(key, sent(content), LARGE, "image/webp")
    opened = await store.open(key, AT_ONCE_BYTES - 5, AT_ONCE_BYTES + 600_000)
    assert await whole(opened) == content[AT_ONCE_BYTES - 5 : AT_ONCE_BYTES + 600_000]


async def test_what_is_not_there(store: ObjectStore, clinic: ClinicId) -> None:
    """Nothing is known of it, opening it is NotFound, its clinic has nothing, and it can be deleted all the same."""
    key = content_key(clinic, "0" * 64)
    assert await store.head(key) is None
    for start in (0, 5):
        with pytest.raises(NotFound):
            await store.open(key, start)
    assert [each async for each in store.under(clinic_prefix(clinic))] == []
    await store.delete([key])
    await store.delete([])


async def test_deleted_is_gone(store: ObjectStore, clinic: ClinicId) -> None:
    """What is deleted is gone, with others that are there or not, and can be stored anew."""
    kept, gone, also = (key_of(clinic, each) for each in (b"kept", b"gone", b"also"))
    for key in (kept, gone, also):
        await store.put(key, b"x", 1, "image/webp")
    await store.delete([gone, content_key(clinic, "0" * 64), also])
    assert await store.head(gone) is None
    assert {each.key async for each in store.under(clinic_prefix(clinic))} == {kept}
    assert await store.put(gone, b"xy", 2, "image/webp") is True


async def test_found_by_what_keys_begin_with(store: ObjectStore, clinic: ClinicId) -> None:
    """A sweep finds all objects, a clinic's, or an upload's parts, with sizes and times; nobody else's."""
    other, upload = ClinicId(uuid4()), uuid4()
    parts = {part_key(clinic, upload, offset) for offset in (0, 5_000_000)}
    content = {key_of(clinic, bytes([number])) for number in range(30)}
    others = {key_of(other, b"theirs"), part_key(other, uuid4())}
    for key in parts | content | others:
        await store.put(key, b"12345", 5, "application/octet-stream")
    assert {each.key async for each in store.under(upload_prefix(clinic, upload))} == parts
    found = [each async for each in store.under(clinic_prefix(clinic))]
    assert {each.key for each in found} == parts | content
    assert {each.size for each in found} == {5}
    assert all(abs(datetime.now(UTC) - each.modified) < timedelta(minutes=5) for each in found)
    assert {each.key async for each in store.under()} >= parts | content | others


async def test_more_than_one_page_is_found_and_deleted(store: ObjectStore, clinic: ClinicId) -> None:
    """Stores list and delete a thousand at a time: of more than that none is left out."""
    keys = [key_of(clinic, number.to_bytes(2, "big")) for number in range(1_050)]
    for some in range(0, len(keys), 50):
        await asyncio.gather(*(store.put(key, b"", 0, "image/webp") for key in keys[some : some + 50]))
    assert {each.key async for each in store.under(clinic_prefix(clinic))} == set(keys)
    await store.delete(keys)
    assert [each async for each in store.under(clinic_prefix(clinic))] == []


@pytest.mark.parametrize("size", [100_000, LARGE])
@pytest.mark.parametrize("off", [-1, 1, 70_000])
async def test_a_body_of_another_size(store: ObjectStore, clinic: ClinicId, size: int, off: int) -> None:
    """What is shorter or longer than it was said to be is not stored, and can be put again."""
    content = os.urandom(size)
    key = key_of(clinic, content)
    with pytest.raises(ValueError, match="The body has"):
        await store.put(key, sent(content), size + off, "image/webp")
    assert await store.head(key) is None
    assert await store.put(key, sent(content), size, "image/webp") is True


@pytest.mark.parametrize("size", [100_000, LARGE])
async def test_a_sender_who_goes_away(store: ObjectStore, clinic: ClinicId, size: int) -> None:
    """What reading the body raises comes through as it is, and nothing is stored."""
    content = os.urandom(size)
    key = key_of(clinic, content)

    async def dropped() -> AsyncIterator[bytes]:
        async for piece in sent(content[:-1000]):
            yield piece
        raise ConnectionResetError("the sender's")

    with pytest.raises(ConnectionResetError, match="the sender's"):
        await store.put(key, dropped(), size, "image/webp")
    assert await store.head(key) is None
    assert [each async for each in store.under(clinic_prefix(clinic))] == []


@pytest.mark.parametrize("size", [100_000, LARGE])
async def test_a_put_that_is_cancelled(store: ObjectStore, clinic: ClinicId, size: int) -> None:
    """Nothing of it is served, and another put ends well."""
    content = os.urandom(size)
    key = key_of(clinic, content)
    waiting = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield content[:-1]
        waiting.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(store.put(key, slow(), size, "image/webp"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.head(key) is None
    assert await store.put(key, content, size, "image/webp") is True
    assert await whole(await store.open(key)) == content


async def test_reading_may_be_given_up(store: ObjectStore, clinic: ClinicId) -> None:
    """Whoever stops in the middle leaves nothing behind that keeps others from reading or deleting."""
    content = os.urandom(LARGE)
    key = key_of(clinic, content)
    await store.put(key, content, LARGE, "image/webp")
    opened = await store.open(key)
    async for _ in opened.chunks:
        break
    await opened.chunks.aclose()  # type: ignore[attr-defined] # all three are generators
    assert await whole(await store.open(key)) == content
    await store.delete([key])
    assert await store.head(key) is None


async def test_addresses_or_none(store: ObjectStore, clinic: ClinicId) -> None:
    """Either the store has addresses for all, or the service is to stream."""
    keys = [key_of(clinic, each) for each in (b"a", b"b")]
    addresses = store.reading_addresses(keys, MINUTE)
    upload = store.upload_address(part_key(clinic, uuid4()), MINUTE)
    assert (addresses is None) == (upload is None)
    assert addresses is None or len(set(addresses)) == 2


# What a bucket is alone.


async def test_an_address_reads_one_object(bucket: BucketStore, clinic: ClinicId) -> None:
    """Anybody who has it reads that object, ranges too, as what it was said to be; and nothing else."""
    key, other = key_of(clinic, b"0123456789"), key_of(clinic, b"other")
    await bucket.put(key, b"0123456789", 10, "image/webp")
    await bucket.put(other, b"other", 5, "application/pdf")
    addresses = bucket.reading_addresses([key, other], MINUTE)
    assert addresses is not None
    async with httpx.AsyncClient() as browser:
        picture = await browser.get(addresses[0])
        assert (picture.status_code, picture.content) == (200, b"0123456789")
        assert picture.headers["content-type"] == "image/webp"
        assert picture.headers["content-disposition"] == "inline"
        assert picture.headers["cache-control"] == "private, max-age=31536000, immutable"
        part = await browser.get(addresses[0], headers={"Range": "bytes=2-4"})
        assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
        document = await browser.get(addresses[1])
        assert document.headers["content-disposition"] == "attachment"

        assert (await browser.get(addresses[0].partition("?")[0])).status_code == 403
        assert (await browser.get(addresses[0].replace(key, other))).status_code == 403
        assert (await browser.put(addresses[0], content=b"changed")).status_code == 403
        assert (await browser.delete(addresses[0])).status_code == 403
        assert (await browser.get(addresses[0].replace("X-Amz-Expires=60", "X-Amz-Expires=600"))).status_code == 403
    assert await whole(await bucket.open(key)) == b"0123456789"


async def test_an_address_ends_in_time(bucket: BucketStore, clinic: ClinicId) -> None:
    """After its life it leads nowhere, to read as to upload."""
    key, part = key_of(clinic, b"brief"), part_key(clinic, uuid4())
    await bucket.put(key, b"brief", 5, "image/webp")
    [address] = bucket.reading_addresses([key], timedelta(seconds=1)) or []
    upload = bucket.upload_address(part, timedelta(seconds=1))
    assert upload is not None
    await asyncio.sleep(2.1)  # signatures know whole seconds
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(address)).status_code == 403
        assert (await browser.put(upload, content=b"late")).status_code == 403
    assert await bucket.head(part) is None


async def test_an_upload_goes_straight_to_the_store(bucket: BucketStore, clinic: ClinicId) -> None:
    """A browser puts what it was given an address for; the service finds it there with its size. It cannot read it."""
    part = part_key(clinic, uuid4())
    upload = bucket.upload_address(part, MINUTE)
    assert upload is not None
    content = os.urandom(200_000)
    async with httpx.AsyncClient() as browser:
        assert (await browser.put(upload, content=content, headers={"Content-Type": "image/heic"})).status_code == 200
        assert (await browser.get(upload)).status_code == 403
    known = await bucket.head(part)
    assert known is not None
    assert known.size == 200_000
    assert await whole(await bucket.open(part)) == content


@pytest.mark.parametrize("life", [timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_lives_are_bounded(bucket: BucketStore, clinic: ClinicId, life: timedelta) -> None:
    """No address is made that never lived, or that stores would refuse."""
    key = key_of(clinic, b"x")
    with pytest.raises(ValueError, match="from a second to seven days"):
        bucket.reading_addresses([key], life)
    with pytest.raises(ValueError, match="from a second to seven days"):
        bucket.upload_address(key, life)


@pytest.mark.alone
def test_many_addresses_cost_little(bucket: BucketStore, clinic: ClinicId) -> None:
    """A list of 50 patients with three pictures each: signing asks nobody, and takes no time worth a thread."""
    keys = [key_of(clinic, bytes([number])) for number in range(150)]
    began = time.process_time()
    assert len(bucket.reading_addresses(keys, MINUTE) or []) == 150
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(("key_id", "secret"), [("SOMEBODYELSE", SECRET), (KEY_ID, "another secret")])
async def test_wrong_credentials(s3: S3Server, clinic: ClinicId, key_id: str, secret: str) -> None:
    """A store that refuses us is one that does not answer, at once; nothing is taken for absent."""
    stranger = BucketStore(s3.endpoint, BUCKET, REGION, key_id, secret)
    key = key_of(clinic, b"x")
    for asked in (stranger.open(key), stranger.head(key), stranger.put(key, b"x", 1, "image/webp")):
        async with asyncio.timeout(30):
            with pytest.raises(Unavailable):
                await asked
    with pytest.raises(Unavailable):
        [each async for each in stranger.under()]


async def test_a_bucket_that_is_not_there(s3: S3Server, clinic: ClinicId) -> None:
    """Storing into it is Unavailable, not NotFound: a wrong setting is no missing photo."""
    astray = BucketStore(s3.endpoint, "no-such-bucket", REGION, KEY_ID, SECRET)
    with pytest.raises(Unavailable):
        await astray.put(key_of(clinic, b"x"), b"x", 1, "image/webp")


async def test_nothing_hidden_is_left_in_the_bucket(s3: S3Server, bucket: BucketStore, clinic: ClinicId) -> None:
    """Parts of a large object whose sender went away are given up, so that nobody pays for them."""

    async def dropped() -> AsyncIterator[bytes]:
        async for piece in sent(os.urandom(LARGE)):
            yield piece
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await bucket.put(key_of(clinic, b"x"), dropped(), LARGE + 1, "image/webp")
    begun = await asyncio.to_thread(lambda: s3.client().list_multipart_uploads(Bucket=BUCKET))
    assert key_of(clinic, b"x") not in {each["Key"] for each in begun.get("Uploads", [])}


async def test_foreign_objects_are_no_business_of_ours(s3: S3Server, bucket: BucketStore, clinic: ClinicId) -> None:
    """What somebody laid into the bucket by hand is in no list, so that no sweep deletes it."""
    for key in (f"{clinic}/notes.txt", "backup/2026.tar"):
        await asyncio.to_thread(lambda key=key: s3.client().put_object(Bucket=BUCKET, Key=key, Body=b"x"))
    assert [each async for each in bucket.under(clinic_prefix(clinic))] == []
    assert [each async for each in bucket.under("backup/")] == []


# What a folder is alone.


async def test_files_are_nobody_elses(folder: Path, clinic: ClinicId) -> None:
    """Files and folders can be read by the service's user alone."""
    store = FolderStore(folder, make=True)
    key = key_of(clinic, b"x")
    await store.put(key, b"x", 1, "image/webp")
    assert stat.S_IMODE((folder / key).stat().st_mode) == 0o600
    for each in (folder, folder / str(clinic), folder / PARTIAL):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", f"{UUID(int=1)}/../../outside", ".partial/x", ""])
async def test_nothing_leads_out_of_the_folder(folder: Path, key: str) -> None:
    """What was not named as an object is neither written nor deleted, nor read."""
    store = FolderStore(folder, make=True)
    outside = folder.parent / "outside"
    outside.write_bytes(b"x")
    for asked in (
        store.put(Key(key), b"x", 1, "x"),
        store.delete([Key(key)]),
        store.open(Key(key)),
        store.head(Key(key)),
    ):
        with pytest.raises(ValueError, match="named as an object"):
            await asked
    assert outside.read_bytes() == b"x"


def within(folder: Path) -> list[str]:
    """Names of all that is in a folder."""
    return sorted(each.name for each in folder.iterdir())


async def test_emptied_folders_go(folder: Path, clinic: ClinicId) -> None:
    """An upload leaves no empty folders behind, and a clinic that left no trace of itself."""
    store = FolderStore(folder, make=True)
    part, kept = part_key(clinic, uuid4()), key_of(clinic, b"x")
    for key in (part, kept):
        await store.put(key, b"x", 1, "image/webp")
    await store.delete([part])
    assert within(folder / str(clinic)) == [Path(kept).name]
    await store.delete([kept])
    assert within(folder) == [PARTIAL]


async def test_storing_while_folders_are_emptied(folder: Path, clinic: ClinicId) -> None:
    """Who stores and who deletes the last of a folder at once do not get into each other's way."""
    store, other = FolderStore(folder, make=True), FolderStore(folder, make=True)
    upload = uuid4()

    async def come_and_go(store: FolderStore, offset: int) -> None:
        for _ in range(40):
            key = part_key(clinic, upload, offset)
            assert await store.put(key, b"x", 1, "image/webp") is True
            await store.delete([key])

    await asyncio.gather(*(come_and_go(each, place) for place, each in enumerate((store, other, store, other))))
    assert [each async for each in store.under(clinic_prefix(clinic))] == []


async def test_another_disk_is_not_filled(folder: Path, clinic: ClinicId) -> None:
    """Where the folder is not mounted, nothing is made in its place: the store is away, for all that is asked."""
    store = FolderStore(folder, make=False)
    key = key_of(clinic, b"x")
    for asked in (store.put(key, b"x", 1, "image/webp"), store.open(key), store.head(key), store.delete([key])):
        with pytest.raises(Unavailable):
            await asked
    assert within(folder.parent) == []
    await asyncio.to_thread(folder.mkdir)
    assert await store.put(key, b"x", 1, "image/webp") is True
    await asyncio.to_thread(folder.rename, folder.parent / "unmounted")
    for asked in (store.put(key, b"x", 1, "image/webp"), store.open(key), store.head(key)):
        with pytest.raises(Unavailable):
            await asked


WRITE_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from coravet.adapters.storage.folder import FolderStore
async def endless():
    while True:
        yield b"x" * 100_000
        print("writing", flush=True)
asyncio.run(FolderStore(Path(sys.argv[1]), make=True).put(sys.argv[2], endless(), 10**12, "image/webp"))
"""


async def test_a_process_that_dies_leaves_nothing_to_serve(folder: Path, clinic: ClinicId) -> None:
    """Killed in the middle of writing: nothing is found, another put ends well, and the rest goes after a day."""
    key = key_of(clinic, b"x")
    with python(WRITE_FOR_EVER, str(folder), key) as writer:
        assert writer.stdout is not None
        for _ in range(30):
            await asyncio.to_thread(writer.stdout.readline)
        writer.kill()
    [name] = within(folder / PARTIAL)
    left = folder / PARTIAL / name
    store = FolderStore(folder, make=True)
    assert await store.head(key) is None
    assert [each async for each in store.under()] == []
    assert await store.put(key, b"x", 1, "image/webp") is True
    assert within(folder / PARTIAL) == [name]
    os.utime(left, (time.time() - 90_000,) * 2)
    assert await FolderStore(folder, make=True).head(key) is not None
    assert within(folder / PARTIAL) == []


async def test_written_before_it_is_named(folder: Path, clinic: ClinicId, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are on the disk before a name leads to them, and the name is before anybody is told."""
    store = FolderStore(folder, make=True)
    key = key_of(clinic, b"x")
    await store.put(part_key(clinic, uuid4()), b"x", 1, "image/webp")
    done: list[int | str] = []
    sync, link = os.fsync, os.link

    def note_sync(descriptor: int) -> None:
        sync(descriptor)
        done.append(os.fstat(descriptor).st_ino)

    def note_link(source: str, target: Path) -> None:
        assert Path(source).stat().st_size == 1
        link(source, target)
        done.append("named")

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "link", note_link)
    await store.put(key, b"x", 1, "image/webp")
    path = folder / key
    assert done == [path.stat().st_ino, "named", path.parent.stat().st_ino]
