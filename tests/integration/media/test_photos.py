"""A patient's photo over HTTP, on a folder and real converters: handed in, shown, replaced, removed, handed over."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import httpx
import pytest
from tests.integration.exchange.test_import import actor_of
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.parts.snapshots import picture

from coravet.adapters.apart.folder import FolderApart
from coravet.adapters.storage.folder import FolderStore
from coravet.adapters.vips import converter as vips
from coravet.bootstrap import handlers
from coravet.core.exchange.export import verify
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.clock import Clock, SystemClock
from coravet.core.media.keys import Key, clinic_prefix, key_of
from coravet.core.media.media_ports import MadeObject
from coravet.core.media.sweep import delete_discarded, discard_orphans, end_unfinished
from coravet.core.media.take import ProcessMedia
from coravet.core.privacy.departures import close_clinic, delete_clinic, hand_over
from coravet.entrypoints.http.call import Ports


class Later(Clock):
    """Some days from now."""

    def __init__(self, days: int) -> None:
        self._days = days

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self._days)


class Album:
    """A clinic with a patient, and what lies in the store for it."""

    def __init__(self, service: Service, clinic: Clinic) -> None:
        self.service, self.clinic = service, clinic
        self.store = service.application.studio.store

    @property
    def photo(self) -> str:
        return f"/clinics/{self.clinic.slug}/patients/{self.clinic.ids['patient_id']}/photo"

    async def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        return await self.service.ask(method, path, self.clinic.owner, **content)

    async def send(self, data: bytes) -> dict[str, Any]:
        answer = await self.ask("POST", self.photo, content=data)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def media(self, media_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask("GET", f"/clinics/{self.clinic.slug}/media/{media_id}")).json()
        return found

    async def read(self, media_id: str, variant: str, **headers: str) -> httpx.Response:
        return await self.ask("GET", f"/clinics/{self.clinic.slug}/media/{media_id}/{variant}", headers=headers)

    async def objects(self) -> set[str]:
        clinic_id = ClinicId(UUID(self.clinic.id))
        return {each.key async for each in self.store.under(clinic_prefix(clinic_id))}

    async def shown(self) -> dict[str, Any] | None:
        at = f"/clinics/{self.clinic.slug}/patients/{self.clinic.ids['patient_id']}"
        found: dict[str, Any] | None = (await self.ask("GET", at)).json()["photo"]
        return found

    async def events(self) -> list[str]:
        async with superuser(self.service.settings) as admin:
            rows = await admin.fetch(
                "SELECT kind FROM outbox WHERE clinic_id = $1 AND kind IN ('patient.photo_changed', 'media.failed')"
                " ORDER BY id",
                UUID(self.clinic.id),
            )
        return [row["kind"] for row in rows]

    async def delete(self) -> None:
        """What the worker does every few minutes."""
        await delete_discarded(self.service.system_begin, self.store)

    async def process(self, media_id: str) -> None:
        """What the worker does with what could not be converted at once."""
        application = self.service.application
        does = handlers(application.works, self.service.settings, SystemClock(), application.studio)[ProcessMedia]
        await does(ProcessMedia(ClinicId(UUID(self.clinic.id)), UUID(media_id)), actor_of(self.clinic))

    @contextmanager
    def studio(self, **parts: Any) -> Iterator[None]:
        """Other parts for those who upload."""
        state = self.service.application.litestar.state
        ports: Ports = state.ports
        state.ports = replace(ports, studio=replace(ports.studio, **parts))
        try:
            yield
        finally:
            state.ports = ports


@pytest.fixture
async def album(service: Service) -> Album:
    clinic = await service.open_clinic("fotos")
    await service.equip(clinic)
    return Album(service, clinic)


async def test_shown(album: Album) -> None:
    """A photo is shown in three sizes, each kept by browsers and in parts, and never taken for another thing."""
    assert await album.shown() is None
    made = await album.send(picture(900, 600))
    assert (made["status"], made["problem"], set(made["variants"])) == ("ready", None, {"thumbnail", "card", "full"})
    assert await album.media(made["id"]) == made
    assert await album.shown() == {"id": made["id"], "placeholder": made["placeholder"]}
    for name, variant in made["variants"].items():
        assert variant["url"].endswith(f"/media/{made['id']}/{name}")
        whole = await album.read(made["id"], name)
        assert (whole.status_code, len(whole.content)) == (200, variant["bytes"])
        assert whole.content[8:12] == b"WEBP"
        assert whole.headers["content-type"] == "image/webp"
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert whole.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert whole.headers["cache-control"].startswith("private")
        tag = whole.headers["etag"]
        assert tag == f'"{sha256(whole.content).hexdigest()}"'
        assert (await album.read(made["id"], name, **{"If-None-Match": tag})).status_code == 304
        part = await album.read(made["id"], name, Range="bytes=4-11")
        assert (part.status_code, part.content) == (206, whole.content[4:12])
        assert part.headers["content-range"] == f"bytes 4-11/{variant['bytes']}"
    assert (await album.read(made["id"], "original")).status_code == 404
    assert await album.events() == ["patient.photo_changed"]


async def test_again(album: Album) -> None:
    """The same photo sent again, also at the same time, is the same answer; nobody is told of it anew."""
    data = picture()
    answers = await asyncio.gather(*(album.send(data) for _ in range(3)))
    objects = await album.objects()
    assert answers[0] == answers[1] == answers[2] == await album.send(data)
    assert await album.objects() == objects
    assert await album.events() == ["patient.photo_changed"]


async def test_a_late_retry(album: Album) -> None:
    """Under an Idempotency-Key a photo is answered as it was, though another shows by now; another file is refused."""
    first, second = picture(), picture()
    key = {"Idempotency-Key": "k-1"}
    made = await album.ask("POST", album.photo, content=first, headers=key)
    assert made.status_code == 201
    shown = await album.send(second)
    again = await album.ask("POST", album.photo, content=first, headers=key)
    assert (again.status_code, again.json()) == (201, made.json())
    assert (await album.shown() or {})["id"] == shown["id"]
    other = await album.ask("POST", album.photo, content=second, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert (await album.ask("POST", album.photo, content=first, headers={"Idempotency-Key": "a b"})).status_code == 422


async def test_replaced(album: Album) -> None:
    """The photo before is shown no more, and its objects are deleted; removed, nothing is left but other clinics'."""
    first = await album.send(picture())
    before = await album.objects()
    second = await album.send(picture())
    assert (await album.read(first["id"], "card")).status_code == 404
    assert (await album.ask("GET", f"/clinics/{album.clinic.slug}/media/{first['id']}")).status_code == 404
    await album.delete()
    assert not before & await album.objects()
    assert (await album.read(second["id"], "card")).status_code == 200
    assert (await album.ask("DELETE", album.photo)).status_code == 204
    assert (await album.ask("DELETE", album.photo)).status_code == 404
    assert await album.shown() is None
    await album.delete()
    assert await album.objects() == set()


async def test_named_twice(album: Album) -> None:
    """What another patient's photo is made of, too, stays when one of them goes; whoever names it meanwhile is waited
    for."""
    data = picture()
    animal = {"client_id": album.clinic.ids["client_id"], "name": "Canela", "species": "dog"}
    at = f"/clinics/{album.clinic.slug}/patients"
    another = (await album.ask("POST", at, json=animal)).json()["id"]
    first = await album.send(data)
    objects = await album.objects()
    ids = album.clinic.ids
    one, ids["patient_id"] = ids["patient_id"], another
    second = await album.send(data)
    assert (await album.objects(), second["id"] != first["id"]) == (objects, True)
    assert (await album.ask("DELETE", album.photo)).status_code == 204
    await album.delete()
    assert await album.objects() == objects
    ids["patient_id"] = one
    key = Key(min(objects))
    assert (await album.ask("DELETE", album.photo)).status_code == 204
    async with album.service.application.works.begin(actor_of(album.clinic)) as work:
        await work.media.add_made(UUID(first["id"]), [MadeObject("original", key, "image/webp", 1)])
        deleting = asyncio.create_task(album.delete())
        await asyncio.sleep(0.5)
        assert not deleting.done()
    await deleting
    assert await album.objects() == {key}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ({"content": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}, 415, "unsupported_media"),
        ({"json": {"file": "x"}}, 415, "unsupported_media"),
        ({"content": b""}, 422, ""),
        ({"content": picture(400, 400)[:-700]}, 422, "picture_damaged"),
        ({"files": {"other": ("a.jpg", b"x")}}, 422, ""),
        ({"content": bytes(27_000_000)}, 413, ""),
    ],
    ids=["svg", "json", "empty", "cut", "field", "large"],
)
async def test_refused(album: Album, content: dict[str, Any], status: int, code: str) -> None:
    """What is no photo meets a clear code, and nothing is stored."""
    answer = await album.ask("POST", album.photo, **content)
    assert answer.status_code == status, answer.text
    assert code in answer.json()["code"]
    assert await album.shown() is None
    assert await album.objects() == set()


@pytest.mark.parametrize("name", ["../../etc/passwd.jpg", "herida 🐶.heic", "a.html"])
async def test_names(album: Album, name: str) -> None:
    """A form's file is what it contains, whatever it is called."""
    answer = await album.ask("POST", album.photo, files={"file": (name, picture())})
    assert (answer.status_code, answer.json()["status"]) == (201, "ready"), answer.text
    assert name not in answer.text


async def test_foreign(album: Album, clinic: Clinic) -> None:
    """Who sends a photo of somebody else's patient is refused before a byte of it is read."""
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            read.append(b"x" * 1024)
            yield read[-1]

    at = f"/clinics/{album.clinic.slug}/patients/{clinic.ids['patient_id']}/photo"
    assert (await album.ask("POST", at, content=body())).status_code == 404
    assert read == []
    assert (await album.service.ask("POST", album.photo, clinic.owner, content=picture())).status_code == 404


async def test_store_away(album: Album, tmp_path: Path) -> None:
    """Where the store does not answer, nothing is shown, and the same photo can be sent again."""
    data = picture()
    with album.studio(store=FolderStore(tmp_path / "unmounted", make=False)):
        answer = await album.ask("POST", album.photo, content=data)
    assert (answer.status_code, await album.shown(), await album.events()) == (503, None, [])
    assert (await album.send(data))["status"] == "ready"


async def test_converted_later(album: Album) -> None:
    """While too much is converted a photo waits for the worker, and shows afterwards; nothing of the upload is left."""
    with patch.object(vips, "MOST_WAITING", 0):
        waiting = await album.send(picture())
    assert (waiting["status"], waiting["variants"], await album.shown()) == ("processing", {}, None)
    await album.process(waiting["id"])
    found = await album.media(waiting["id"])
    assert found["status"] == "ready"
    assert (await album.read(found["id"], "thumbnail")).status_code == 200
    assert await album.events() == ["patient.photo_changed"]
    assert len(await album.objects()) <= 3
    await album.process(waiting["id"])
    assert await album.events() == ["patient.photo_changed"]


async def test_failed_later(album: Album) -> None:
    """One that turns out to be no picture has failed, and whoever configures the clinic is told."""
    with patch.object(vips, "MOST_WAITING", 0):
        waiting = await album.send(b"no picture at all")
    await album.process(waiting["id"])
    found = await album.media(waiting["id"])
    assert (found["status"], found["problem"]) == ("failed", "unsupported_media")
    assert await album.events() == ["media.failed"]
    assert await album.objects() == set()


async def test_never_done(album: Album) -> None:
    """What was not converted in two days has failed; a day later what arrived of it is gone."""
    with patch.object(vips, "MOST_WAITING", 0):
        waiting = await album.send(picture())
    await end_unfinished(album.service.system_begin, album.store, SystemClock())
    assert (await album.media(waiting["id"]))["status"] == "processing"
    await end_unfinished(album.service.system_begin, album.store, Later(3))
    found = await album.media(waiting["id"])
    assert (found["status"], found["problem"]) == ("failed", "upload_expired")
    assert await album.events() == ["media.failed"]
    await discard_orphans(album.service.system_begin, album.store, Later(4))
    assert await album.objects() == set()


async def test_orphans(album: Album) -> None:
    """What was stored and never named, as where the service was killed in between, is deleted after a day."""
    await album.send(picture())
    named = await album.objects()
    orphan = key_of(ClinicId(UUID(album.clinic.id)), b"orphan")
    await album.store.put(orphan, b"orphan", 6, "image/webp")
    for days, left in ((0, named | {orphan}), (2, named)):
        await discard_orphans(album.service.system_begin, album.store, Later(days))
        await album.delete()
        assert await album.objects() == left


async def test_handed_over(album: Album) -> None:
    """The clinic's archive and the client's hold the picture itself."""
    made = await album.send(picture())
    full = (await album.read(made["id"], "full")).content
    name = f"archivos/{made['id']}.webp"
    everything = await album.ask("GET", f"/clinics/{album.clinic.slug}/export")
    with zipfile.ZipFile(io.BytesIO(everything.content)) as archive:
        assert archive.read(name) == full
        verify((each, [archive.read(each)]) for each in archive.namelist())
    ids = album.clinic.ids
    theirs = await album.ask("POST", f"/clinics/{album.clinic.slug}/clients/{ids['client_id']}/export")
    with zipfile.ZipFile(io.BytesIO(theirs.content)) as archive:
        assert archive.read(name) == full


async def test_erased(album: Album) -> None:
    """With a client their animals' photos are erased: no row names an object, and none is left."""
    made = await album.send(picture())
    at = f"/clinics/{album.clinic.slug}/clients/{album.clinic.ids['client_id']}/erase"
    answer = await album.ask("POST", at)
    assert answer.is_success, answer.text
    assert (await album.read(made["id"], "full")).status_code == 404
    await album.delete()
    assert await album.objects() == set()


async def test_left(album: Album, tmp_path: Path) -> None:
    """A clinic that leaves is handed its pictures, and leaves no object behind."""
    await album.send(picture())
    content = (await album.ask("GET", f"/clinics/{album.clinic.slug}/export")).content
    begin = album.service.system_begin
    departure = await close_clinic(album.clinic.slug, "cierra", begin, SystemClock())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = verify((each, [archive.read(each)]) for each in archive.namelist())
    departure = await hand_over(departure, manifest, (sha256(content).hexdigest(), len(content)), begin)
    told = await delete_clinic(departure, begin, SystemClock(), FolderApart(tmp_path, make=True))
    assert json.loads(told)["certificate"]["clinic_id"] == album.clinic.id
    assert await album.objects()
    await album.delete()
    assert await album.objects() == set()
