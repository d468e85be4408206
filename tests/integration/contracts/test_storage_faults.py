"""What a bucket does behind a store or a network that fails: nothing half-written is served, a retry ends well."""

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.integration.parts.faults import Fault, Relay, faulty
from tests.integration.parts.ports import free_ports
from tests.integration.parts.s3 import BUCKET, KEY_ID, REGION, SECRET, S3Server

from coravet.adapters.storage.bucket import AT_ONCE_BYTES, BucketStore
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.core.media.keys import clinic_prefix, key_of
from coravet.core.media.ports import Content

SMALL, LARGE = 300_000, AT_ONCE_BYTES + 1_234_567
SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large", marks=pytest.mark.long)]

FAULTS: list[Fault] = ["503", "silence", "drop the request", "drop the answer", "cut the answer"]


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


@pytest.fixture
def store(relay: Relay) -> BucketStore:
    """The bucket, reached through the relay."""
    return BucketStore(relay.endpoint, BUCKET, REGION, KEY_ID, SECRET)


@pytest.fixture
def hasty(relay: Relay) -> BucketStore:
    """As `store`, for which two seconds of silence are too much."""
    return BucketStore(relay.endpoint, BUCKET, REGION, KEY_ID, SECRET, answer_seconds=2)


@pytest.fixture
def direct(s3: S3Server) -> BucketStore:
    """The bucket as others see it meanwhile."""
    return BucketStore(s3.endpoint, BUCKET, REGION, KEY_ID, SECRET)


async def whole(content: Content) -> bytes:
    """All that an opened object gives."""
    return b"".join([chunk async for chunk in content.chunks])


async def sent(content: bytes) -> AsyncIterator[bytes]:
    """A body as it comes over a network."""
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_put_that_meets_a_fault(
    store: BucketStore, hasty: BucketStore, direct: BucketStore, relay: Relay, fault: Fault, size: int
) -> None:
    """Whichever request it befalls, the object is there whole or not at all, and putting it again ends well."""
    clinic = ClinicId(uuid4())
    content = os.urandom(size)
    key = key_of(clinic, content)
    for place in [0] if size == SMALL else [1, 2, 4]:  # having looked it begins, stores two parts, and completes
        relay.faults.extend([None] * place + [fault] * 8)
        with suppress(Unavailable):
            async with asyncio.timeout(60):
                await (hasty if fault == "silence" else store).put(key, sent(content), size, "image/webp")
        assert len(relay.faults) < 8  # it was met
        relay.faults.clear()
        try:
            assert await whole(await direct.open(key)) == content
        except NotFound:
            assert await direct.head(key) is None
        assert await store.put(key, sent(content), size, "image/webp") in {True, False}
        assert await whole(await direct.open(key)) == content
        assert {each.size async for each in direct.under(clinic_prefix(clinic))} == {size}
        await direct.delete([key])


@pytest.mark.parametrize("size", SIZES)
async def test_a_store_that_is_busy_for_a_moment(store: BucketStore, relay: Relay, size: int) -> None:
    """One 503 is no reason to trouble anybody: storing, reading, finding and deleting try again."""
    clinic = ClinicId(uuid4())
    content = os.urandom(size)
    key = key_of(clinic, content)
    relay.faults.append("503")
    assert await store.put(key, sent(content), size, "image/webp") is True
    relay.faults.append("503")
    assert await whole(await store.open(key)) == content
    relay.faults.append("503")
    assert [each.key async for each in store.under(clinic_prefix(clinic))] == [key]
    relay.faults.append("503")
    await store.delete([key])
    relay.faults.append("503")
    assert await store.head(key) is None
    assert not relay.faults


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_reading_that_meets_a_fault(
    store: BucketStore, hasty: BucketStore, direct: BucketStore, relay: Relay, fault: Fault, size: int
) -> None:
    """What is read is right to the last byte, or ends with Unavailable; never short, never taken for absent."""
    content = os.urandom(size)
    key = key_of(ClinicId(uuid4()), content)
    await direct.put(key, content, size, "image/webp")
    for many in (1, 8):
        relay.faults.clear()
        relay.faults.extend([fault] * many)
        got = bytearray()
        try:
            async with asyncio.timeout(60):
                opened = await (hasty if fault == "silence" else store).open(key, 5)
                async for chunk in opened.chunks:
                    got += chunk
        except Unavailable:
            assert content[5:].startswith(bytes(got))
        else:
            assert got == content[5:]


async def test_a_read_that_is_cut_goes_on(store: BucketStore, direct: BucketStore, relay: Relay) -> None:
    """A connection that drops in the middle of a picture costs whoever looks at it nothing but time."""
    content = os.urandom(SMALL)
    key = key_of(ClinicId(uuid4()), content)
    await direct.put(key, content, SMALL, "image/webp")
    relay.faults.append("cut the answer")
    assert await whole(await store.open(key)) == content
    assert relay.methods == ["GET", "GET"]


async def test_silence_is_not_waited_for(hasty: BucketStore, direct: BucketStore, relay: Relay) -> None:
    """A store that takes requests and never answers is away, soon, whatever is asked of it."""
    clinic = ClinicId(uuid4())
    key = key_of(clinic, b"x")
    await direct.put(key, b"x", 1, "image/webp")

    async def found() -> list[object]:
        return [each async for each in hasty.under(clinic_prefix(clinic))]

    relay.faults.extend(["silence"] * 100)
    for asked in (
        hasty.put(key_of(clinic, b"y"), b"y", 1, "image/webp"),
        hasty.open(key),
        hasty.head(key),
        found(),
        hasty.delete([key]),
    ):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await asked
        assert time.monotonic() - began < 20
    assert await direct.head(key) is not None


async def test_nobody_there() -> None:
    """A store that takes no connections is away at once."""
    away = BucketStore(f"http://127.0.0.1:{free_ports()}", BUCKET, REGION, KEY_ID, SECRET, answer_seconds=1)
    key = key_of(ClinicId(uuid4()), b"x")
    async with asyncio.timeout(15):
        with pytest.raises(Unavailable):
            await away.put(key, b"x", 1, "image/webp")
        with pytest.raises(Unavailable):
            await away.head(key)


async def test_no_secret_is_said(
    s3: S3Server, hasty: BucketStore, relay: Relay, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the secret nor a signature is in any log line, output, error or representation, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    clinic = ClinicId(uuid4())
    key = key_of(clinic, b"x")
    [address] = hasty.reading_addresses([key], timedelta(minutes=1)) or []
    upload = hasty.upload_address(key, timedelta(minutes=1)) or ""
    stranger = BucketStore(s3.endpoint, BUCKET, REGION, KEY_ID, SECRET + "x")
    said = [repr(hasty), str(hasty), repr(vars(hasty)), repr(hasty._store)]
    for fault in FAULTS:
        # Every request is signed alike: what befalls one that reads tells of all.
        relay.faults.extend([fault] * 8)
        try:
            await (await hasty.open(key)).chunks.__anext__()
        except (NotFound, Unavailable) as error:
            said.append(_told(error))
        relay.faults.clear()
    with pytest.raises(Unavailable) as failed:
        await stranger.put(key, b"x", 1, "image/webp")
    said += [_told(failed.value), caplog.text, *capfd.readouterr()]
    for text in said:
        for secret in (SECRET, address, upload, "Signature=", "AWS4-HMAC"):
            assert secret not in text
    assert "SignatureDoesNotMatch" in "".join(said)


def _told(error: BaseException | None) -> str:
    """An error, with all that led to it."""
    told = ""
    while error is not None:
        told += f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    return told
