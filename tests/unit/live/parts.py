"""A live layer in memory, its people, and clients that read event streams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
from litestar.types import ASGIApp

from coravet.adapters.memory.fanout import MemoryFanout
from coravet.adapters.memory.identity import MemoryIdentity
from coravet.adapters.memory.journal import MemoryJournal
from coravet.adapters.memory.legal import LegalGate
from coravet.core.kernel.actor import Actor, ClinicId, MemberId, UserId
from coravet.core.kernel.events import Event
from coravet.core.legal.gate import CachedGate
from coravet.core.tenancy.permissions import permissions_of
from coravet.core.tenancy.views import ClinicView, MembershipView
from coravet.entrypoints.live.dispatcher import Dispatcher
from coravet.entrypoints.live.hub import Hub, Viewer
from coravet.entrypoints.live.stream import Pace, Streams, open_stream
from coravet.entrypoints.live.sweep import Sweep

NEVER = 3600.0

PATIENCE = 30.0
"""Seconds for what comes on its own time, such as after a database that was restarted: cores are shared and slow."""


class Clock:
    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 23, 14, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant


class Frame(msgspec.Struct):
    """One frame as a browser sees it; a block that has only a `retry` is no event."""

    event: str | None = None
    id: int | None = None
    retry: int | None = None
    data: dict[str, object] | None = None


def parse(block: str) -> Frame:
    frame = Frame()
    for line in block.split("\n"):
        field, _, value = line.partition(": ")
        match field:
            case "id" | "retry":
                setattr(frame, field, int(value))
            case "event":
                frame.event = value
            case "data":
                frame.data = msgspec.json.decode(value)
            case _:
                raise AssertionError(f"no field of server-sent events: {line!r}")
    return frame


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for half a minute at most."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if holds():
                return
            await asyncio.sleep(0.005)


class Client:
    """Reads one response as a server would send it; while `reading` is clear it takes nothing."""

    def __init__(self, response: ASGIApp, scope: dict[str, object] | None = None) -> None:
        self.status = 0
        self.scope = scope or {"type": "http", "method": "GET"}
        self.reading = asyncio.Event()
        self.reading.set()
        self.ended = asyncio.Event()
        self.complete = False
        self.headers: dict[str, str] = {}
        self.events: list[Frame] = []
        self._body = b""
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._task = asyncio.create_task(self._run(response))

    async def next(self, *, beats: bool = False) -> Frame:
        """The next frame, heartbeats left out unless asked for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self._frames.get()
                if beats or frame.event != "stream.heartbeat":
                    return frame

    async def body(self) -> dict[str, object]:
        """What was answered instead of a stream."""
        await self.over()
        found: dict[str, object] = msgspec.json.decode(self._body)
        return found

    async def kinds(self, count: int) -> list[str | None]:
        return [(await self.next()).event for _ in range(count)]

    def waiting(self) -> int:
        """How many frames were received and not read."""
        return self._frames.qsize()

    def quiet(self) -> bool:
        """Whether nothing but heartbeats waits to be read."""
        waiting = [self._frames.get_nowait() for _ in range(self._frames.qsize())]
        return all(frame.event == "stream.heartbeat" for frame in waiting)

    async def over(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.ended.wait()

    async def hang_up(self) -> None:
        self._gone.set()
        await self.over()

    async def _run(self, response: ASGIApp) -> None:
        try:
            await Streams(response)(self.scope, self._receive, self._send)
        finally:
            self.ended.set()

    async def _receive(self) -> dict[str, str]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        await self.reading.wait()
        self.complete = not message["more_body"]
        if not self.headers["content-type"].startswith("text/event-stream"):
            self._body += message["body"]
            return
        for block in message["body"].decode().split("\n\n"):
            if block:
                self._frames.put_nowait(parse(block))


class Directory:
    """Who is a member of what, as the tests say."""

    def __init__(self) -> None:
        self.roles: dict[tuple[UserId, ClinicId], list[str]] = {}
        self.calls = 0

    async def memberships(self, user_id: UserId) -> list[MembershipView]:
        self.calls += 1
        return [
            MembershipView(
                ClinicView(clinic_id, "clinica", "Clínica", "America/Guayaquil", 1),
                roles,
                sorted(permissions_of(roles)),
            )
            for (member, clinic_id), roles in self.roles.items()
            if member == user_id
        ]


class Layer:
    """One service in memory with any number of processes' hubs; the first is `hub`."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._clients: list[Client] = []
        self.clock = Clock()
        self.journal = MemoryJournal()
        self.fanout = MemoryFanout()
        self.directory = Directory()
        self.identity = MemoryIdentity(clock=self.clock)
        self.gate = LegalGate()
        self.forgotten: list[str] = []
        self.emitted = 0
        self.dispatcher = Dispatcher(self.journal, self.fanout, self.clock, look_seconds=NEVER, together_seconds=0)
        self.hub = self.make_hub()

    def make_hub(self, *, look_seconds: float = NEVER, pending: int = 1000) -> Hub:
        return Hub(
            self.journal,
            self.fanout,
            self.directory,
            CachedGate(self.gate, self.clock),
            self.clock,
            look_seconds=look_seconds,
            tick_seconds=0.005,
            together_seconds=0,
            pending=pending,
        )

    async def start(self, hub: Hub) -> Hub:
        return await self._stack.enter_async_context(hub)

    async def sweeping(self, every: float) -> None:
        await self._stack.enter_async_context(
            Sweep(self.hub, self.identity, self.forgotten.append, self.clock, every=every)
        )

    def emit(self, clinic_id: ClinicId, *events: Event) -> None:
        """Commit events, as one work does."""
        for event in events:
            self.journal.record(event, clinic_id)
        self.emitted += len(events)
        self.dispatcher.wake()

    async def settled(self) -> None:
        """Wait until the first hub has handed out everything that was emitted."""
        await until(lambda: self.hub.position >= self.emitted)

    def viewer(self, clinic_id: ClinicId, *roles: str, **changes: object) -> Viewer:
        """A person who is a member of the clinic, with a session from now on for an hour."""
        user_id, member_id = UserId(uuid4()), MemberId(uuid4())
        self.directory.roles[user_id, clinic_id] = list(roles)
        return msgspec.structs.replace(
            Viewer(
                actor=Actor(
                    clinic_id=clinic_id,
                    time_zone="America/Guayaquil",
                    user_id=user_id,
                    member_id=member_id,
                    roles=frozenset(roles),
                    permissions=permissions_of(roles),
                ),
                uid=self.identity.enroll(None),
                session_id=uuid4(),
                issued_at=self.clock.now(),
                expires_at=self.clock.now() + timedelta(hours=1),
                verified_at=self.clock.now(),
            ),
            **changes,
        )

    async def connect(
        self, viewer: Viewer, last_event_id: int | None = None, *, hub: Hub | None = None, pace: Pace | None = None
    ) -> Client:
        """Open a stream and begin to read it."""
        response = await open_stream(
            hub or self.hub, self.journal, self.clock, viewer, last_event_id, pace or Pace(proof=NEVER)
        )
        client = Client(response)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        for client in self._clients:
            if not client.ended.is_set():
                await client.hang_up()


@asynccontextmanager
async def running_layer() -> AsyncIterator[Layer]:
    """A layer that runs on the loop of whoever enters."""
    async with AsyncExitStack() as stack:
        layer = Layer(stack)
        await stack.enter_async_context(layer.dispatcher)
        await layer.start(layer.hub)
        stack.push_async_callback(layer.close)
        yield layer
