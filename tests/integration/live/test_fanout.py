"""One contract for fan-out, held by PostgreSQL and by the fake; then what only a real connection can suffer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Self

import pytest
from sqlalchemy.engine.url import make_url
from tests.unit.live.parts import until

from coravet.adapters.fanout import postgres
from coravet.adapters.fanout.postgres import PostgresFanout
from coravet.adapters.memory.fanout import MemoryFanout
from coravet.core.kernel.live import Fanout
from coravet.settings import Settings


@pytest.fixture(params=["memory", "postgres"])
async def pair(request: pytest.FixtureRequest, database: Settings) -> AsyncIterator[tuple[Fanout, Fanout]]:
    """One that speaks and one that listens; in memory there is but one."""
    if request.param == "memory":
        fanout = MemoryFanout()
        yield fanout, fanout
        return
    async with PostgresFanout(database.direct_url) as one, PostgresFanout(database.direct_url) as other:
        await until(lambda: one.listening and other.listening)
        yield one, other


async def test_announcements_are_heard(pair: tuple[Fanout, Fanout]) -> None:
    """Every listener hears the number that was announced, wherever it was announced, large ones, too."""
    speaker, listener = pair
    heard: list[int] = []
    speaker.listen(heard.append)
    listener.listen(heard.append)
    for number in (1, 2**62):
        heard.clear()
        await speaker.announce(number)
        await until(lambda: len(heard) == 2)
        assert heard == [number, number]


class Wire:
    """A TCP relay in front of PostgreSQL that can go dead without a word."""

    def __init__(self, url: str) -> None:
        self._target = make_url(url)
        self._alive = asyncio.Event()
        self._alive.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        url = self._target.set(host="127.0.0.1", port=port).difference_update_query(["host", "port"])
        self.url = url.render_as_string(hide_password=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def die(self) -> None:
        self._alive.clear()

    def revive(self) -> None:
        self._alive.set()

    async def _relay(self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        folder = self._target.query.get("host")
        port = self._target.port or int(str(self._target.query.get("port", 5432)))
        if folder:
            far_reader, far_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        else:
            far_reader, far_writer = await asyncio.open_connection(self._target.host, port)
        with suppress(OSError):
            await asyncio.gather(self._pump(near_reader, far_writer), self._pump(far_reader, near_writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            await self._alive.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()


async def test_a_connection_that_died_without_a_word(
    database: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that looks open and carries nothing is noticed, and replaced as soon as that is possible."""
    monkeypatch.setattr(postgres, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 0.3)
    caplog.set_level(logging.INFO)
    heard: list[int] = []
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(Wire(database.direct_url))
        speaker = await stack.enter_async_context(PostgresFanout(database.direct_url))
        listener = await stack.enter_async_context(PostgresFanout(wire.url))
        listener.listen(heard.append)
        await until(lambda: speaker.listening and listener.listening)
        wire.die()
        await until(lambda: not listener.listening)
        await listener.announce(6)  # lost, as it may be
        wire.revive()
        await until(lambda: listener.listening)
        await speaker.announce(7)
        await until(lambda: heard == [7])
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in lines] == [
        "the live connection to PostgreSQL fails, and is tried again",
        "the live connection to PostgreSQL works again",
    ]
