"""From a commit on one process to the streams of another, over each server that can carry it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest
from pydantic import SecretStr
from tests.integration.live.machines import Fleet, Follower, until
from tests.integration.live.parts import Process, Service
from tests.integration.parts.nats import NatsServer
from tests.integration.parts.people import People
from tests.integration.parts.redis import RedisServer
from tests.unit.live.parts import NEVER

from coravet.core.kernel.events import AppointmentBooked, MemberDeactivated
from coravet.settings import Settings

pytestmark = pytest.mark.alone


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as found:
        yield found


@pytest.fixture
async def server(request: pytest.FixtureRequest, stack: AsyncExitStack) -> RedisServer | NatsServer | None:
    """The server of that kind, None for PostgreSQL, which is there."""
    if request.param == "postgres":
        return None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coravet-", ignore_cleanup_errors=True)))
    return await stack.enter_async_context((RedisServer if request.param == "redis" else NatsServer)(folder))


async def _two(
    settings: Settings, server: RedisServer | NatsServer | None, stack: AsyncExitStack
) -> tuple[Service, Process, Process]:
    """Two processes that hear each other."""
    url = None if server is None else SecretStr(server.url)
    service = Service(settings.model_copy(update={"fanout": url}), stack)
    here, there = await service.run(), await service.run()
    assert here.fanout.server == {type(None): "PostgreSQL", RedisServer: "Redis", NatsServer: "NATS"}[type(server)]
    await until(lambda: here.fanout.listening and there.fanout.listening)
    return service, here, there


@pytest.mark.parametrize("server", ["postgres", "redis", "nats"], indirect=True)
async def test_by_announcement_alone(
    server: RedisServer | NatsServer | None, fresh_database: Settings, stack: AsyncExitStack
) -> None:
    """What one process commits is on another's streams by its announcement; a deactivation ends them in a second."""
    service, here, there = await _two(fresh_database, server, stack)
    manager = await service.member(None, "manager")
    staff = await service.member(manager.clinic_id, "staff")
    assert staff.member_id is not None
    client = await service.connect(there, staff)
    # Neither looks by itself from here on; what is on its way to look now has nothing to find.
    for steady in (there.hub._reader, there.dispatcher._numbering):
        steady._every = NEVER
        steady.wake()
    for number in range(1, 21):
        await here.emit(manager, AppointmentBooked(uuid4(), 1))
        assert (await client.next()).id == number
    began = monotonic()
    await here.emit(manager, MemberDeactivated(staff.member_id, 2))
    assert (await client.next()).data == {"reason": "access_ended"}
    assert monotonic() - began < 1


@pytest.mark.parametrize("server", ["redis", "nats"], indirect=True)
async def test_while_the_server_is_away(
    server: RedisServer | NatsServer, fresh_database: Settings, stack: AsyncExitStack
) -> None:
    """Without the server everything arrives all the same, at most a look later, and at once when it is back."""
    service, here, there = await _two(fresh_database, server, stack)
    actor = await service.member(None, "staff")
    near, far = await service.connect(here, actor), await service.connect(there, actor)
    await server.stop()
    await until(lambda: not here.fanout.listening and not there.fanout.listening)
    for number in range(1, 4):
        await here.emit(actor, AppointmentBooked(uuid4(), 1))
        assert [(await client.next()).id for client in (near, far)] == [number, number]
    await server.start()
    await until(lambda: here.fanout.listening and there.fanout.listening)
    there.hub._reader._every = NEVER
    there.hub._reader.wake()
    await here.emit(actor, AppointmentBooked(uuid4(), 1))
    assert [(await client.next()).id for client in (near, far)] == [4, 4]


@pytest.mark.long
@pytest.mark.parametrize("server", ["redis", "nats"], indirect=True)
async def test_served(
    server: RedisServer | NatsServer,
    fresh_database: Settings,
    people: People,
    auth_emulator: str,
    tmp_path: Path,
    stack: AsyncExitStack,
) -> None:
    """The service itself, on two machines, carries events over the server that is set, and over its restart."""
    settings = fresh_database.model_copy(
        update={"fanout": SecretStr(server.url), "firebase_auth_emulator_host": auth_emulator}
    )
    fleet = Fleet(Service(settings, stack), settings, stack, tmp_path)
    await fleet.settle(people)
    machines = [fleet.first, await fleet.machine()]
    start = await fleet.position()
    readers = [fleet.follow(Follower([machine.port], fleet.token, start)) for machine in machines]
    writer = await fleet.writer(2)
    await until(lambda: writer.fanout.listening and all(reader.opened for reader in readers))
    sent = 0

    async def send() -> None:
        nonlocal sent
        sent += 1
        await writer.emit(fleet.actor, AppointmentBooked(uuid4(), 1))
        await until(lambda: all(len(reader.events) == sent for reader in readers))

    def told(words: str) -> bool:
        return all(
            f"the live connection to {writer.fanout.server} {words}" in each.log.read_text() for each in machines
        )

    for _ in range(5):
        await send()
    await server.stop()
    await until(lambda: told("fails, and is tried again"))
    await send()
    await server.start()
    await until(lambda: told("works again"))
    await send()
    assert all(reader.events == list(range(start + 1, start + sent + 1)) for reader in readers)
    for machine in machines:
        await machine.stop()
        said = machine.log.read_text()
        assert "hush" not in said
        assert "Traceback" not in said
