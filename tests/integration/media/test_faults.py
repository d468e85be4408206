"""What goes wrong around photos, with the real parts: killed processes, a store that fails, floods, traces."""

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from select import select
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
import httpx
import pytest
from PIL.PngImagePlugin import PngInfo
from tests.integration.http.service import Service, running, superuser
from tests.integration.media.documents import pdf
from tests.integration.media.test_bad_pictures import status
from tests.integration.media.test_photos import Album, Later, album
from tests.integration.media.uploads import SECRET, black, corners, exif, frames, png, saved, xmp, zeros
from tests.integration.parts.faults import Fault, Relay, faulty
from tests.integration.parts.people import People
from tests.integration.parts.ports import free_ports
from tests.integration.parts.processes import descendants, eventually, is_alive
from tests.integration.parts.s3 import BUCKET, KEY_ID, REGION, S3Server
from tests.integration.parts.s3 import SECRET as S3_SECRET
from tests.integration.parts.snapshots import picture
from tests.integration.privacy.canaries import pg_dump

from coravet.adapters.local.service import ServiceProcess, WorkerProcess
from coravet.adapters.postgres.privacy.withheld import let_go
from coravet.adapters.storage.bucket import BucketStore
from coravet.adapters.vips import converter as vips
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.media.keys import Key, content_key
from coravet.core.media.sweep import discard_orphans, drop_unwanted
from coravet.core.media.uploads import PART
from coravet.settings import Settings

__all__ = ["album"]

SOON = 30.0
"""Seconds for what happens soon, on a machine that is busy with other things."""


@asynccontextmanager
async def held(album: Album) -> AsyncIterator[asyncpg.Connection]:
    """Somebody at work on the patient's row: whoever is about to show a photo waits until the end."""
    async with superuser(album.service.settings) as admin:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("SELECT FROM patients WHERE id = $1 FOR UPDATE", UUID(album.clinic.ids["patient_id"]))
        try:
            yield admin
        finally:
            await transaction.rollback()


async def waiting(admin: asyncpg.Connection, many: int) -> None:
    """Return when so many wait for the patient's row, and not for anything else, as dispatchers do for each other."""
    count = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND query LIKE '%FROM patients%'"
    )
    async with asyncio.timeout(SOON):
        while await admin.fetchval(count) < many:
            await asyncio.sleep(0.02)
            await admin.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees what it saw first


@pytest.fixture
def process(album: Album, tmp_path: Path) -> Iterator[ServiceProcess]:
    """The service as a process of its own, on the same database and folder."""
    with served(album.service.settings, tmp_path) as found:
        yield found


def served(settings: Settings, folder: Path, **changes: Any) -> ServiceProcess:
    """The service as a process; what it says is in `service.log`."""
    port = free_ports()
    at = {"port": port, "public_url": f"http://127.0.0.1:{port}"} | changes
    return ServiceProcess(settings.model_copy(update=at), log=folder / "service.log")


def client(process: ServiceProcess, album: Album) -> httpx.AsyncClient:
    """The clinic's owner at that process."""
    return httpx.AsyncClient(base_url=f"{process.url}/api/v1", headers=album.clinic.owner, timeout=90)


@pytest.mark.parametrize("first", [0, 1], ids=["in order", "reversed"])
async def test_two_replace_each_other(album: Album, first: int) -> None:
    """Of two photos that are sent at once, the one whose turn is last shows, whole; nothing is left of the other."""
    photos = [picture(900, 600), picture(800, 700)]
    await album.send(picture())
    async with held(album) as admin:
        sent = [asyncio.create_task(album.send(photos[first]))]
        await waiting(admin, 1)
        sent.append(asyncio.create_task(album.send(photos[1 - first])))
        await waiting(admin, 2)
    before, last = await asyncio.gather(*sent)
    assert (before["status"], last["status"]) == ("ready", "ready")
    shown = await album.shown()
    assert shown is not None
    assert shown["id"] == last["id"]
    await album.delete()
    assert (await album.read(before["id"], "card")).status_code == 404
    for name, variant in last["variants"].items():
        assert len((await album.read(last["id"], name)).content) == variant["bytes"]
    assert len(await album.objects()) == len({each["bytes"] for each in last["variants"].values()})
    assert await album.events() == ["patient.photo_changed"] * 3


async def test_killed_before_it_is_named(album: Album, process: ServiceProcess) -> None:
    """What a process stored before it was killed is never shown, swept a day later, and no hindrance to the next."""
    data = picture(900, 600)
    async with held(album) as admin, client(process, album) as phone:
        sending = asyncio.create_task(phone.post(album.photo, content=data))
        await waiting(admin, 1)
        objects = await album.objects()
        assert len(objects) == 3
        assert process.pid is not None
        below = descendants(process.pid)
        process.kill()
        with pytest.raises(httpx.TransportError):
            await sending
    assert await asyncio.to_thread(eventually, lambda: not any(map(is_alive, below)), SOON)  # helpers, too
    assert (await album.shown(), await album.events(), await album.objects()) == (None, [], objects)
    await discard_orphans(album.service.system_begin, album.store, Later(2))
    await album.delete()
    assert await album.objects() == set()
    again = await album.send(data)
    assert (again["status"], (await album.read(again["id"], "full")).status_code) == ("ready", 200)


async def test_killed_while_it_receives(album: Album, process: ServiceProcess) -> None:
    """A file of which half had arrived when the process was killed goes on from there in another one."""
    data = picture(900, 600) + os.urandom(4 * PART)
    base = f"/clinics/{album.clinic.slug}"
    file = {"purpose": "photo", "size": len(data), "sha256": sha256(data).hexdigest()}
    at = f"{base}/patients/{album.clinic.ids['patient_id']}/uploads"
    media = (await album.ask("POST", at, json=file)).json()
    there = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield data[: 2 * PART + 99]
        await there.wait()

    async with client(process, album) as phone:
        sending = asyncio.create_task(phone.put(f"{base}/media/{media['id']}/bytes", content=half()))
        async with asyncio.timeout(SOON):
            while (await album.media(media["id"]))["received"] < 2 * PART:  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.02)
        process.kill()
        there.set()
        with pytest.raises(httpx.TransportError):
            await sending
    kept = (await album.ask("POST", at, json=file)).json()
    assert (kept["id"], kept["status"], kept["received"]) == (media["id"], "uploading", 2 * PART)
    rest = await album.ask(
        "PUT", f"{base}/media/{media['id']}/bytes", content=data[2 * PART :], params={"offset": str(2 * PART)}
    )
    assert rest.json()["status"] == "ready"
    assert await album.shown() is not None


@pytest.fixture(scope="module")
async def s3() -> AsyncIterator[S3Server]:
    """A server with one private bucket."""
    with tempfile.TemporaryDirectory() as folder:
        async with S3Server(Path(folder)) as server:
            yield server


@pytest.fixture
async def relay(s3: S3Server) -> AsyncIterator[Relay]:
    """What stands between the service and that server."""
    async with faulty(s3.port) as relay:
        yield relay


@pytest.mark.parametrize("whole", [True, False], ids=["at once", "in pieces"])
@pytest.mark.parametrize("fault", ["503", "silence", "drop the request", "drop the answer", "cut the answer"])
async def test_store_fails(album: Album, s3: S3Server, relay: Relay, fault: Fault, whole: bool) -> None:
    """Whichever request to the store fails, a photo shows whole or not at all; sent again it shows."""
    direct = BucketStore(s3.endpoint, BUCKET, REGION, KEY_ID, S3_SECRET)
    hasty = BucketStore(relay.endpoint, BUCKET, REGION, KEY_ID, S3_SECRET, answer_seconds=1)
    base = f"/clinics/{album.clinic.slug}"
    failed = 0

    async def send(data: bytes) -> httpx.Response:
        if whole:
            return await album.ask("POST", album.photo, content=data)
        file = {"purpose": "photo", "size": len(data), "sha256": sha256(data).hexdigest()}
        at = f"{base}/patients/{album.clinic.ids['patient_id']}/uploads"
        media = (await album.ask("POST", at, json=file)).json()
        if media["status"] in {"processing", "failed"}:
            return await album.ask("POST", f"{base}/media/{media['id']}/retry")
        left = data[media["received"] :]
        place = {"offset": str(media["received"])}
        return await album.ask("PUT", f"{base}/media/{media['id']}/bytes", content=left, params=place)

    for place in (0, 1, 3):
        data = picture(900, 600)
        before = await album.shown()
        with album.studio(store=hasty):
            relay.faults.extend([None] * place + [fault] * 8)  # type: ignore[list-item]  # None: all goes well
            answer = await send(data)
            relay.faults.clear()
            if answer.status_code == 503:
                failed += 1
                assert answer.json()["code"] == "unavailable"
                assert int(answer.headers["retry-after"]) > 0
            now = await album.shown()
            if now != before:
                assert now is not None
                assert await _bytes(album, direct, now["id"])
            again = (await send(data)).json()
            assert again["status"] == "ready", again
            assert await album.shown() == {"id": again["id"], "placeholder": again["placeholder"]}
            assert await _bytes(album, direct, again["id"])
    assert fault in {"drop the answer", "cut the answer"} or failed


async def _bytes(album: Album, store: BucketStore, media_id: str) -> bool:
    """Whether every variant that is named lies in the store, as long as it is said to be, under its own hash."""
    async with superuser(album.service.settings) as admin:
        rows = await admin.fetch("SELECT key, size FROM media_variants WHERE media_id = $1", UUID(media_id))
    assert len(rows) == 3
    for row in rows:
        content = b"".join([chunk async for chunk in (await store.open(Key(row["key"]))).chunks])
        assert len(content) == row["size"]
        assert row["key"] == content_key(ClinicId(UUID(album.clinic.id)), sha256(content).hexdigest())
    return True


class Apart:
    """A service that a test has alone, so that a worker finds the test's own jobs."""

    def __init__(self, album: Album, folder: Path) -> None:
        self.album, self._folder = album, folder
        self._started: list[WorkerProcess] = []

    def work(self) -> WorkerProcess:
        settings = self.album.service.settings.model_copy(update={"worker_silence_seconds": 2})
        worker = WorkerProcess(settings, log=self._folder / f"worker-{len(self._started)}.log")
        self._started.append(worker)
        worker.launch()
        return worker

    def end(self) -> None:
        for each in self._started:
            each.kill()

    async def until(self, media_id: str, wanted: str) -> dict[str, Any]:
        async with asyncio.timeout(2 * SOON):
            while (found := await self.album.media(media_id))["status"] != wanted:  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.1)
        return found


@pytest.fixture
async def apart(fresh_database: Settings, auth_emulator: str, people: People, tmp_path: Path) -> AsyncIterator[Apart]:
    settings = fresh_database.model_copy(update={"firebase_auth_emulator_host": auth_emulator})
    async with running(settings, people) as service:
        found = Apart(Album(service, await service.equip(await service.open_clinic("fotos"))), tmp_path)
        yield found
        found.end()


@pytest.mark.long
async def test_worker(apart: Apart) -> None:
    """What could not be converted at once a worker converts; killed in the midst, the next one; told once."""
    album = apart.album
    with patch.object(vips, "MOST_WAITING", 0):
        sound = await album.send(picture(900, 600))
        bad = await album.send(b"no picture at all")
    assert (sound["status"], bad["status"]) == ("processing", "processing")
    async with held(album) as admin:
        first = apart.work()
        await waiting(admin, 1)
        first.kill()
    apart.work()
    found = await apart.until(sound["id"], "ready")
    assert (await apart.until(bad["id"], "failed"))["problem"] == "unsupported_media"
    assert len((await album.read(sound["id"], "card")).content) == found["variants"]["card"]["bytes"]
    assert sorted(await album.events()) == ["media.failed", "patient.photo_changed"]
    again = await album.ask("POST", f"/clinics/{album.clinic.slug}/media/{bad['id']}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "upload_gone")
    async with asyncio.timeout(SOON):
        while any("/uploads/" in each for each in await album.objects()):  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.1)


async def test_too_large_and_empty(album: Album, process: ServiceProcess) -> None:
    """200 MB and nothing at all, told or not, raw or in a form: a clear code on the wire, and nothing is kept."""
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n', b"\r\n--b--\r\n"
    before = memory(process)
    for head, tail, kind in ((b"", b"", "image/jpeg"), (*form, "multipart/form-data; boundary=b")):
        for size, told, wanted in (
            (200_000_000, True, b"413"),
            (200_000_000, False, b"413"),
            (0, True, b"422"),
            (0, False, b"422"),
        ):
            answer = await asyncio.to_thread(on_the_wire, process, album, (head, size, tail), kind, told=told)
            assert answer.split()[1] == wanted, (kind, size, told)
    assert memory(process) - before < GROWTH
    assert (await album.shown(), await album.objects()) == (None, set())
    async with client(process, album) as phone:
        assert (await phone.post(album.photo, content=picture())).status_code == 201


def on_the_wire(
    process: ServiceProcess, album: Album, body: tuple[bytes, int, bytes], kind: str, *, told: bool
) -> bytes:
    """The first line that answers a photo of so many zeros between head and tail, sent until there is an answer."""
    head, size, tail = body
    host, _, port = process.url.removeprefix("http://").partition(":")
    lines = [
        f"POST /api/v1{album.photo} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: {album.clinic.owner['Authorization']}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(head) + size + len(tail)}" if told else "Transfer-Encoding: chunked",
    ]
    # No stream of asyncio's: where it cannot write any more it forgets what there is to read.
    with socket.create_connection((host, int(port)), timeout=SOON) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        pieces = [piece for piece in (head, *[bytes(2**20)] * (size // 2**20), bytes(size % 2**20), tail) if piece]
        framed = pieces if told else [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
        with suppress(ConnectionError):  # it was answered and hung up
            for piece in framed:
                if select([connection], [], [], 0)[0]:
                    break
                connection.sendall(piece)
        return connection.makefile("rb").readline()


GROWTH = 64
"""MB by which the processes that answer requests grow at most, whatever is uploaded at once; helpers have their own."""


def memory(process: ServiceProcess) -> int:
    """The memory in MB that the processes which answer requests took at most so far."""
    return sum(status(each, "VmHWM") for each in processes(process) if not is_helper(each))


def processes(process: ServiceProcess) -> set[int]:
    assert process.pid is not None
    return {process.pid, *descendants(process.pid)}


def is_helper(pid: int) -> bool:
    return b"vips.helper" in Path(f"/proc/{pid}/cmdline").read_bytes()


def bombs() -> dict[str, tuple[bytes, set[int]]]:
    """Uploads that would take gigabytes, or all of the processor, and what may be answered to them."""
    sound = picture(900, 600)
    return {
        "a PNG of 50,000 squared": (png(50_000, 50_000, zeros(20_000_000)), {422}),
        "100 million pixels and more": (black(10_001, 10_000), {422}),
        "all at once, in seven passes": (
            png(9_900, 9_900, zeros(9_900 * (1 + 8 * 9_900) + 99_999), depth=16, colour=6, interlaced=True),
            {201, 422},  # as its time allows
        ),
        "10,000 frames": (frames(10_000), {201}),
        "as many bytes as may be": (sound + os.urandom(25 * PART - len(sound)), {201}),
        "the same but cut": (sound[:-700] + bytes(25 * PART - len(sound)), {201, 422}),
    }


@pytest.mark.long
@pytest.mark.alone
async def test_flood(album: Album, tmp_path: Path) -> None:
    """Bombs and the largest files at once: a clear code each, the process bounded, and everybody else is answered."""
    sent = bombs()
    others: list[float] = []
    with served(album.service.settings, tmp_path) as process:
        async with client(process, album) as phone:
            assert (await phone.post(album.photo, content=picture())).status_code == 201
            before = memory(process)
            done = asyncio.Event()

            async def look() -> None:
                at = album.photo.removesuffix("/photo")
                while not done.is_set():
                    began = time.monotonic()
                    assert (await phone.get(at)).status_code == 200
                    others.append(time.monotonic() - began)
                    await asyncio.sleep(0.05)

            async def send(name: str, *, form: bool) -> None:
                data, wanted = sent[name]
                content: dict[str, Any] = {"files": {"file": ("a.jpg", data)}} if form else {"content": data}
                answer = await phone.post(album.photo, **content)
                assert answer.status_code in wanted | {201}, (name, answer.text)
                if answer.status_code == 201 and answer.json()["status"] == "ready":
                    assert 201 in wanted, name
                elif answer.status_code != 201:
                    assert answer.json()["code"] in {"picture_too_large", "picture_damaged"}

            async def flood() -> None:
                await asyncio.gather(*(send(name, form=form) for name in sent for form in (False, True)))
                done.set()

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(look())
                tasks.create_task(flood())
            grown = memory(process) - before
            helpers = [status(each, "VmHWM") for each in processes(process) if is_helper(each)]
            settings = album.service.settings
            assert grown < GROWTH
            assert len(helpers) <= settings.picture_helpers
            assert all(each < settings.picture_megabytes + 64 for each in helpers)
            assert len(others) > 20
            assert max(others) < 10
            assert (await phone.post(album.photo, content=picture())).json()["status"] in {"ready", "processing"}
    assert "Traceback" not in (tmp_path / "service.log").read_text()


def traced() -> dict[str, bytes]:
    """Pictures of every kind that have traces of where and by whom they were taken in every place for such."""
    image = corners(320, 240)
    text = PngInfo()
    for name in ("Comment", "Author", "Location"):
        text.add_text(name, SECRET)
        text.add_itxt(name, SECRET)
    text.add_text("zipped", SECRET, zip=True)
    return {
        "jpeg": saved(image, "jpeg", exif=exif(6), xmp=xmp(), comment=SECRET),
        "png": saved(image, "png", exif=exif(), pnginfo=text),
        "tiff": saved(image, "tiff", exif=exif(), description=SECRET, artist=SECRET),
        "webp": saved(image, "webp", exif=exif(), xmp=xmp()),
        "gif": saved(image.convert("P"), "gif", comment=SECRET.encode()),
        "avif": saved(image, "avif", exif=exif(), xmp=xmp(), speed=10),
        "heic": saved(image, "heic", exif=exif(), xmp=xmp()),
    }


async def test_no_trace(album: Album, process: ServiceProcess, tmp_path: Path) -> None:
    """Of where a photo was taken, or how its file was called, nothing is in an object, a row, an answer or a log."""
    name, said, answers = f"{SECRET}.jpg", bytearray(), 0
    base = f"/clinics/{album.clinic.slug}"
    async with client(process, album) as phone:
        for kind, data in traced().items():
            assert SECRET.encode() in data, kind
            cut = data[: int(len(data) * 0.9)]
            for content in ({"content": data}, {"files": {"file": (name, cut)}}, {"files": {"file": (name, data)}}):
                answer = await phone.post(album.photo, **content)  # type: ignore[arg-type]  # as httpx takes them
                said += answer.content + str(answer.headers).encode()
                if answer.status_code == 201:
                    answers += 1
                    for variant in answer.json()["variants"].values():
                        said += (await phone.get(variant["url"])).content
            file = {"purpose": "photo", "size": len(cut), "sha256": sha256(cut).hexdigest(), "file_name": name}
            at = f"{base}/patients/{album.clinic.ids['patient_id']}/uploads"
            media = (await phone.post(at, json=file)).json()
            said += (await phone.put(f"{base}/media/{media['id']}/bytes", content=cut)).content
            said += (await phone.post(f"{base}/media/{media['id']}/retry")).content
    assert answers >= 7
    for key in await album.objects():
        said += b"".join([chunk async for chunk in (await album.store.open(Key(key))).chunks])
    dump = await asyncio.to_thread(pg_dump, album.service.settings)
    assert album.clinic.slug in dump
    log = (tmp_path / "service.log").read_text()
    assert f"{base}/media/" in log or "photo" in log
    for trace in (SECRET, SECRET.encode().hex(), "Avenida-Prueba"):
        assert trace.encode() not in said
        assert trace not in dump
        assert trace not in log


@pytest.mark.long
async def test_sweep_of_many(album: Album) -> None:
    """Ten thousand objects are looked through within a minute: what is named stays, what is not is to be deleted."""
    await album.send(picture())
    named = await album.objects()
    clinic_id = ClinicId(UUID(album.clinic.id))
    folder = Path(album.service.settings.storage, str(clinic_id))
    keys = [content_key(clinic_id, sha256(str(number).encode()).hexdigest()) for number in range(10_000)]

    def lay() -> None:
        for key in keys:
            (folder / key.rpartition("/")[2]).touch()

    await asyncio.to_thread(lay)
    async with asyncio.timeout(2 * SOON):
        await discard_orphans(album.service.system_begin, album.store, Later(2))
    async with superuser(album.service.settings) as admin:
        rows = await admin.fetch(
            "DELETE FROM discarded_objects WHERE starts_with(key, $1) RETURNING key", f"{clinic_id}/"
        )
    assert {row["key"] for row in rows} == set(keys)
    assert await album.objects() == named | set(keys)


async def test_withheld(service: Service) -> None:
    """What a rule holds back of an erased record stays in the store until its day, unread; a portrait goes at once."""
    clinic = await service.full_clinic("retiene")
    album, base = Album(service, clinic), f"/clinics/{clinic.slug}"
    rule = {"category": "clinical_record", "basis": "Regla de prueba", "months": 60, "provisional": True}
    await service.done("PUT", f"{base}/privacy/retention", clinic.owner, json={"rules": [rule]})
    # The furnished patient has another owner, too, and with them it stays.
    animal = {"client_id": clinic.ids["client_id"], "name": "Canela", "species": "dog"}
    clinic.ids["patient_id"] = (await service.done("POST", f"{base}/patients", clinic.owner, json=animal))["id"]
    before = await album.objects()
    at = f"{base}/patients/{clinic.ids['patient_id']}/attachments"
    sheet = await service.done("POST", at, clinic.people["vet"], content=pdf(3))
    [key] = await album.objects() - before
    await album.send(picture(900, 600))
    assert len(await album.objects() - before) == 4
    await service.done("POST", f"{base}/clients/{clinic.ids['client_id']}/erase", clinic.owner)
    for _ in range(2):
        await album.delete()
        assert await album.objects() - before == {key}
    for path in (f"/media/{sheet['id']}", f"/media/{sheet['id']}/original"):
        answer = await service.ask("GET", base + path, clinic.people["vet"])
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    async with superuser(service.settings) as admin:
        await admin.execute("UPDATE withheld SET until = current_date - 1 WHERE clinic_id = $1", UUID(clinic.id))
    await let_go(service.application.works)
    await album.delete()
    assert await album.objects() - before == set()


async def test_erased_while_it_arrives(album: Album) -> None:
    """Of an upload that was under way when its patient was erased nothing is shown, and nothing is left in minutes."""
    base, ids = f"/clinics/{album.clinic.slug}", album.clinic.ids
    data = picture() + os.urandom(PART)
    file = {"purpose": "photo", "size": len(data) + PART, "sha256": sha256(b"unfinished").hexdigest()}
    begun = (await album.ask("POST", f"{base}/patients/{ids['patient_id']}/uploads", json=file)).json()
    await album.ask("PUT", f"{base}/media/{begun['id']}/bytes", content=data)
    with patch.object(vips, "MOST_WAITING", 0):
        await album.send(picture())
    assert len(await album.objects()) >= 2
    assert (await album.ask("POST", f"{base}/clients/{ids['client_id']}/erase")).is_success
    await drop_unwanted(album.service.system_begin, album.store, SystemClock())
    assert await album.objects() == set()
    late = await album.ask("PUT", f"{base}/media/{begun['id']}/bytes", content=data, params={"offset": "0"})
    assert (late.status_code, await album.objects(), await album.events()) == (404, set(), [])
