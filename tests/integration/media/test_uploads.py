"""Files that arrive in pieces, over HTTP: continued after drops, repeated, put straight into the store."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

import httpx
import pytest
from tests.integration.http.service import Clinic, Service
from tests.integration.media.test_photos import Album, Later, album
from tests.integration.parts.s3 import BUCKET, KEY_ID, REGION, SECRET, S3Server
from tests.integration.parts.snapshots import picture

from coravet.adapters.storage.bucket import BucketStore
from coravet.adapters.vips import converter as vips
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import Unavailable
from coravet.core.media.keys import part_key
from coravet.core.media.sweep import end_unfinished
from coravet.core.media.uploads import PART

__all__ = ["album"]


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


class Hands:
    """Somebody who hands in files."""

    def __init__(self, album: Album) -> None:
        self.album = album
        self.at = f"/clinics/{album.clinic.slug}"

    async def announce(self, data: bytes, **more: Any) -> dict[str, Any]:
        answer = await self.try_to_announce(data, **more)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def try_to_announce(self, data: bytes, **more: Any) -> httpx.Response:
        file = {"purpose": "photo", "size": len(data), "sha256": sha256(data).hexdigest()} | more
        return await self.album.ask(
            "POST", f"{self.at}/patients/{self.album.clinic.ids['patient_id']}/uploads", json=file
        )

    async def put(self, media_id: str, data: bytes, offset: int = 0) -> httpx.Response:
        return await self.album.ask(
            "PUT", f"{self.at}/media/{media_id}/bytes", content=data, params={"offset": str(offset)}
        )

    async def step(self, media_id: str, step: str) -> httpx.Response:
        return await self.album.ask("POST", f"{self.at}/media/{media_id}/{step}")

    def key(self, media_id: str, offset: int = 0) -> Any:
        return part_key(ClinicId(UUID(self.album.clinic.id)), UUID(media_id), offset)


@pytest.fixture
def hands(album: Album) -> Hands:
    return Hands(album)


RANDOM = Random(7)  # noqa: S311 -- repeats itself, guards nothing


def large() -> bytes:
    """A picture of some megabytes: what follows its end, decoders leave alone."""
    return picture(900, 600) + RANDOM.randbytes(3 * PART + 12345)


async def test_continued(hands: Hands) -> None:
    """A file that arrives in thirty pieces, each after a connection that dropped, is the file, and shows."""
    data = large()
    media = await hands.announce(data)
    assert (media["status"], media["received"], media["upload_url"]) == ("uploading", 0, None)
    cuts = sorted(RANDOM.sample(range(1, len(data)), 29))
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        assert (await hands.announce(data))["received"] == start
        answer = await hands.put(media["id"], data[start:end], start)
        assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["id"], found["status"], found["received"]) == (media["id"], "ready", len(data))
    assert await hands.album.shown() == {"id": media["id"], "placeholder": found["placeholder"]}
    await hands.album.process(media["id"])
    assert len(await hands.album.objects()) == len({each["bytes"] for each in found["variants"].values()})
    assert await hands.announce(data) == await hands.album.media(media["id"])
    assert (await hands.put(media["id"], b"", len(data))).json()["status"] == "ready"


async def test_wrong_place(hands: Hands) -> None:
    """Bytes that are here already, or before which others are missing, are told from where to go on."""
    data = large()
    media = await hands.announce(data)
    for offset in (5, len(data)):
        answer = await hands.put(media["id"], data[offset:], offset)
        assert (answer.status_code, answer.json()["code"], answer.json()["received"]) == (409, "upload_offset", 0)
    await hands.put(media["id"], data[:100])
    answer = await hands.put(media["id"], data)
    assert (answer.status_code, answer.json()["received"]) == (409, 100)


async def test_longer_than_announced(hands: Hands) -> None:
    """More bytes than were announced are refused; what was sent well before goes on."""
    data = picture()
    media = await hands.announce(data)
    answer = await hands.put(media["id"], data + b"x")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_long")
    assert (await hands.put(media["id"], data)).json()["status"] == "ready"


async def test_other_bytes(hands: Hands) -> None:
    """Bytes that are not those that were announced are never shown; the same file can be announced anew."""
    data = picture()
    media = await hands.announce(data)
    found = (await hands.put(media["id"], b"y" * len(data))).json()
    assert (found["status"], found["problem"], await hands.album.shown()) == ("failed", "other_bytes", None)
    assert await hands.album.objects() == set()
    assert (await hands.step(media["id"], "retry")).json()["code"] == "upload_gone"
    again = await hands.announce(data)
    assert again["id"] != media["id"]
    assert (await hands.put(again["id"], data)).json()["status"] == "ready"


async def test_no_picture(hands: Hands) -> None:
    """What cannot be shown has failed, with the reason's code, and whoever configures the clinic is told."""
    data = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    media = await hands.announce(data)
    found = (await hands.put(media["id"], data)).json()
    assert (found["status"], found["problem"]) == ("failed", "unsupported_media")
    assert await hands.album.events() == ["media.failed"]


async def test_two_send_the_same(hands: Hands) -> None:
    """Two who send the same file at once make one photo of it; nothing of either is mixed up."""
    data = large()
    media = await hands.announce(data)

    async def send() -> None:
        at = 0
        while True:
            answer = await hands.put(media["id"], data[at : at + PART + 5], at)
            found = answer.json()
            at = found["received"]
            if answer.status_code == 200 and found["status"] != "uploading":
                return
            if at == len(data):
                return

    await asyncio.gather(send(), send(), send())
    assert (await hands.step(media["id"], "retry")).json()["status"] == "ready"
    assert (await hands.album.events()).count("patient.photo_changed") == 1


@pytest.mark.parametrize("length", [100, PART, 2 * PART])
async def test_part_without_its_row(hands: Hands, length: int) -> None:
    """A part that was stored by a process that died before that was written down is gone on from, however long."""
    data = large()
    media = await hands.announce(data)
    await hands.album.store.put(hands.key(media["id"]), data[:length], length, "application/octet-stream")
    answer = await hands.put(media["id"], data)
    if answer.status_code != 200:
        assert answer.json()["code"] == "unavailable"
        answer = await hands.put(media["id"], data)
    assert answer.json()["status"] == "ready"


async def test_unavailable(hands: Hands, tmp_path: Path) -> None:
    """While the store does not answer nothing is taken for received; afterwards it goes on."""
    data = large()
    media = await hands.announce(data)
    await hands.put(media["id"], data[:PART])

    class Away:
        def __getattr__(self, name: str) -> Any:
            raise Unavailable("Away.")

    with hands.album.studio(store=Away()):
        answer = await hands.put(media["id"], data[PART:], PART)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (await hands.album.media(media["id"]))["received"] == PART
    assert (await hands.put(media["id"], data[PART:], PART)).json()["status"] == "ready"


async def test_converted_by_the_worker(hands: Hands) -> None:
    """What nobody can convert while the sender waits is converted by the worker, or when somebody asks again."""
    data = picture()
    media = await hands.announce(data)
    with patch.object(vips, "MOST_WAITING", 0):
        assert (await hands.put(media["id"], data)).json()["status"] == "processing"
        assert (await hands.step(media["id"], "retry")).json()["status"] == "processing"
    await end_unfinished(hands.album.service.system_begin, hands.album.store, Later(3))
    found = await hands.album.media(media["id"])
    assert (found["status"], found["problem"]) == ("failed", "upload_expired")
    assert (await hands.step(media["id"], "retry")).json()["status"] == "ready"
    assert await hands.album.events() == ["media.failed", "patient.photo_changed"]


async def test_expired(hands: Hands) -> None:
    """An upload that nobody continued for two days has failed, and nothing of it is left."""
    data = large()
    media = await hands.announce(data)
    await hands.put(media["id"], data[:PART])
    await end_unfinished(hands.album.service.system_begin, hands.album.store, SystemClock())
    assert (await hands.step(media["id"], "retry")).json()["code"] == "upload_offset"
    await end_unfinished(hands.album.service.system_begin, hands.album.store, Later(3))
    assert await hands.album.objects() == set()
    assert (await hands.step(media["id"], "retry")).json()["code"] == "upload_gone"
    answer = await hands.put(media["id"], data[PART:], PART)
    assert answer.json()["code"] == "upload_offset"


@pytest.mark.parametrize(
    ("more", "pointer", "code"),
    [
        pytest.param({"size": 25 * 1024 * 1024 + 1}, "/size", "too_large", id="25 MiB"),
        pytest.param({"size": 200_000_000}, "/size", None, id="200 MB"),
        pytest.param({"size": 0}, "/size", None, id="empty"),
        pytest.param({"sha256": "F" * 64}, "/sha256", None, id="no hash"),
        pytest.param({"purpose": "video"}, "/purpose", None, id="video"),
        pytest.param(
            {"encounter_id": "01900000-0000-7000-8000-000000000000"}, "/encounter_id", "not_allowed", id="visit"
        ),
    ],
)
async def test_refused(hands: Hands, more: dict[str, Any], pointer: str, code: str | None) -> None:
    """What is too large or makes no sense is refused before anybody sends it."""
    answer = await hands.try_to_announce(picture(), **more)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, pointer)
    assert code is None or error["code"] == code


async def test_not_theirs(hands: Hands, clinic: Clinic, service: Service) -> None:
    """Nobody continues another clinic's upload, or one that is not there."""
    media = await hands.announce(picture())
    other = await service.open_clinic("ajena")
    for media_id in (media["id"], "01900000-0000-7000-8000-000000000000"):
        for method, step in (("PUT", "bytes"), ("POST", "arrived"), ("POST", "retry")):
            at = f"/clinics/{other.slug}/media/{media_id}/{step}"
            answer = await service.ask(method, at, other.owner)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_attachments_need_the_record(hands: Hands) -> None:
    """Who may not write the record begins no attachment."""
    answer = await hands.try_to_announce(picture(), purpose="attachment")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_straight_to_the_store(hands: Hands, bucket: BucketStore) -> None:
    """A browser puts a file to the store itself; the service reads, checks and shows it, from the store's address."""
    data = large()
    with hands.album.studio(store=bucket):
        media = await hands.announce(data)
        missing = await hands.step(media["id"], "arrived")
        assert (missing.status_code, missing.json()["code"]) == (409, "upload_offset")
        async with httpx.AsyncClient() as browser:
            assert (await browser.put(media["upload_url"], content=data)).status_code == 200
            found = (await hands.step(media["id"], "arrived")).json()
            assert (found["id"], found["status"], found["upload_url"]) == (media["id"], "ready", None)
            for name, variant in found["variants"].items():
                moved = await hands.album.read(found["id"], name)
                assert moved.status_code == 302
                seen = await browser.get(moved.headers["location"])
                assert (seen.status_code, len(seen.content)) == (200, variant["bytes"])
                assert (seen.content[8:12], seen.headers["content-type"]) == (b"WEBP", "image/webp")
                part = await browser.get(moved.headers["location"], headers={"Range": "bytes=8-11"})
                assert (part.status_code, part.content) == (206, b"WEBP")
        assert (await hands.step(media["id"], "arrived")).json()["status"] == "ready"


async def test_pieces_to_the_bucket(hands: Hands, bucket: BucketStore) -> None:
    """Over a bucket, too, a file is continued from where it was cut."""
    data = large()
    with hands.album.studio(store=bucket):
        media = await hands.announce(data)
        await hands.put(media["id"], data[:99])
        assert (await hands.announce(data))["upload_url"] is None
        assert (await hands.put(media["id"], data[99:], 99)).json()["status"] == "ready"


async def test_something_else_in_the_store(hands: Hands, bucket: BucketStore) -> None:
    """What has another length than was announced is deleted unread; what has other bytes is never shown."""
    data = large()
    with hands.album.studio(store=bucket):
        media = await hands.announce(data)
        async with httpx.AsyncClient() as browser:
            await browser.put(media["upload_url"], content=data + b"more")
            answer = await hands.step(media["id"], "arrived")
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "mismatch")
            assert await bucket.head(hands.key(media["id"])) is None
            await browser.put(media["upload_url"], content=b"z" * len(data))
            found = (await hands.step(media["id"], "arrived")).json()
    assert (found["status"], found["problem"]) == ("failed", "other_bytes")
