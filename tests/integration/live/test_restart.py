"""The database goes away and comes back."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from tests.integration.live.parts import Process, Service
from tests.integration.parts.databases import Databases

from coravet.adapters.local.postgres import EmbeddedPostgres
from coravet.core.kernel.events import AppointmentBooked

pytestmark = pytest.mark.alone


class Server:
    """A PostgreSQL of this test's own, stopped and started at will."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: EmbeddedPostgres | None = None

    async def start(self) -> str:
        self._running = EmbeddedPostgres(self._folder)
        await asyncio.to_thread(self._running.__enter__)
        return self._running.url()

    async def stop(self) -> None:
        if self._running is not None:
            await asyncio.to_thread(self._running.__exit__, None, None, None)
            self._running = None


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    # Not pytest's tmp_path: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="coravet-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        yield server
        await server.stop()


@pytest.mark.long
async def test_postgresql_is_restarted(server: Server) -> None:
    """Over a restart of the database open streams stay open, and nothing that was committed is lost."""
    databases = Databases(await server.start())
    async with AsyncExitStack() as stack:
        service = Service(await databases.migrated(), stack)
        process, dying = await service.run(), service.process()
        actor = await service.member(None, "staff")
        client = await service.connect(process, actor)
        await process.emit(actor, AppointmentBooked(actor.clinic_id, 1))
        assert (await client.next()).id == 1
        # Committed and not numbered when the server goes.
        await dying.emit(actor, AppointmentBooked(actor.clinic_id, 2))
        await server.stop()
        await asyncio.sleep(1)
        await server.start()
        seen = await client.next()
        assert (seen.id, seen.data["subject"]["version"]) == (2, 2)
        assert not client.ended.is_set()


@pytest.mark.long
async def test_postgresql_is_restarted_under_load(server: Server) -> None:
    """While many commit and the database is restarted, every commit that was answered reaches the streams of each
    process, once and in order."""
    databases = Databases(await server.start())
    async with AsyncExitStack() as stack:
        service = Service(await databases.migrated(), stack)
        processes = [await service.run(), await service.run()]
        actor = await service.member(None, "staff")
        clients = [await service.connect(process, actor) for process in processes]
        answered: set[str] = set()
        stopping = asyncio.Event()

        async def write(process: Process) -> None:
            while not stopping.is_set():
                event = AppointmentBooked(uuid4(), 1)
                try:
                    await process.emit(actor, event)
                except Exception:  # noqa: BLE001 -- a connection is cut in many ways; whether it was committed is open
                    await asyncio.sleep(0.05)
                else:
                    answered.add(str(event.id))

        writing = [asyncio.create_task(write(process)) for process in processes * 4]
        await asyncio.sleep(0.5)
        before = len(answered)
        await server.stop()
        await asyncio.sleep(0.5)
        await server.start()
        async with asyncio.timeout(30):
            while len(answered) < 2 * before:  # noqa: ASYNC110 -- a set has no event
                await asyncio.sleep(0.05)
        stopping.set()
        await asyncio.gather(*writing)
        await processes[0].journal.number(1000)
        last = await processes[0].journal.highest()
        for client in clients:
            seen, subjects = [], set()
            while not seen or seen[-1] < last:
                frame = await client.next()
                seen.append(frame.id)
                subjects.add(frame.data["subject"]["id"])
            assert seen == list(range(1, len(seen) + 1))
            assert answered <= subjects
            assert not client.ended.is_set()
