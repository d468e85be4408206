"""Streams of the served process: on any of its workers, to the end of it."""

import asyncio
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path
from statistics import median
from time import monotonic

import pytest
from tests.integration.live.served import CLINIC, Site, served
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People

pytestmark = pytest.mark.alone

STREAMS = 2000


class Wire(asyncio.Protocol):
    """One connection that asks for a stream and keeps its bytes: two thousand of them cost next to nothing."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.received = b""
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if b"event: stream.heartbeat" in self.received:
            self.began.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


@pytest.fixture
async def site(databases: Databases, people: People, auth_emulator: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with served(databases, people, auth_emulator, tmp_path) as found:
        yield found


async def test_workers_and_the_end(site: Site, tmp_path: Path) -> None:
    """Streams on any worker hear of everything, a deactivation ends them within a second, and SIGTERM says goodbye."""
    leavers = [await site.join("staff") for _ in range(3)]
    owners = [await site.open(site.headers) for _ in range(12)]
    leaving = [[await site.open(leaver.headers) for _ in range(4)] for leaver in leavers]

    await site.register()
    ids = {(await stream.heard("client.created"))[1].id for stream in [*owners, *chain(*leaving)]}
    assert len(ids) == 1

    waits = []
    for leaver, streams in zip(leavers, leaving, strict=True):
        await site.ask("PATCH", f"{CLINIC}/members/{leaver.id}", site.headers, {"active": False})
        answered = monotonic()
        for stream in streams:
            at, frame = await stream.heard("stream.closed")
            assert frame.data == {"reason": "access_ended"}
            waits.append(at - answered)
    assert median(waits) < 1

    began = monotonic()
    stopping = asyncio.create_task(asyncio.to_thread(site.machines[0].service.stop))
    returns = set()
    for stream in owners:
        _, frame = await stream.heard("stream.closed")
        assert frame.data == {"reason": "shutting_down"}
        returns.add(frame.retry)
        await stream.ended.wait()
    await stopping
    assert monotonic() - began < 5
    assert len(returns) > 6
    assert "Traceback" not in site.machines[0].log.read_text()


@pytest.mark.long
async def test_the_end_of_thousands(site: Site, tmp_path: Path) -> None:
    """SIGTERM with 2,000 open streams: each is told, the workers end what they began, and all is over within 5 s."""
    address = site.address(f"{CLINIC}/events")
    host, _, path = address.removeprefix("http://").partition("/")
    head = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {site.headers['Authorization']}\r\n\r\n"
    name, _, port = host.partition(":")
    loop = asyncio.get_running_loop()
    wires = []
    for _ in range(STREAMS // 100):
        made = [loop.create_connection(lambda: Wire(head.encode()), name, int(port)) for _ in range(100)]
        opened = [wire for _, wire in await asyncio.gather(*made)]
        async with asyncio.timeout(60):
            await asyncio.gather(*(wire.began.wait() for wire in opened))
        wires += opened

    began = monotonic()
    await asyncio.to_thread(site.machines[0].service.stop)
    lasted = monotonic() - began
    async with asyncio.timeout(30):
        await asyncio.gather(*(wire.ended.wait() for wire in wires))
    told = [b'event: stream.closed\ndata: {"reason":"shutting_down"}\n\n' in wire.received for wire in wires]
    complete = [wire.received.endswith(b"\r\n0\r\n\r\n") for wire in wires]
    assert (told.count(True), complete.count(True)) == (STREAMS, STREAMS)
    assert lasted < 5
    log = site.machines[0].log.read_text()
    assert log.count('"the serving process has ended"') == 2
    assert "Traceback" not in log
