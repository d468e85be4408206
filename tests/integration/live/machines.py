"""Machines that serve one clinic's streams over HTTP, and clients that read them, or don't, and come back."""

import asyncio
import random
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Self

import httpx
from tests.integration.live.parts import Process, Service
from tests.integration.parts.people import People, Person
from tests.integration.parts.ports import free_ports
from tests.integration.parts.processes import descendants
from tests.unit.live.parts import Frame, parse

from coravet import bootstrap
from coravet.adapters.local.service import ServiceProcess
from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.settings import Settings

SLUG = "la-palma"
ESTABLISHED, LISTENING = "01", "0A"
PATH = f"/api/v1/clinics/{SLUG}/events"


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds; what is measured is not how long."""
    async with asyncio.timeout(seconds):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


class Machine:
    """The service on a port of its own, with as many workers.

    Args:
        port: one that nobody has; where it is None, any.
        public_url: of the site that it is one machine of; its own where it is alone.
    """

    def __init__(
        self, settings: Settings, workers: int, folder: Path, *, port: int | None = None, public_url: str | None = None
    ) -> None:
        port = port or free_ports()
        self.settings = settings.model_copy(
            update={"port": port, "public_url": public_url or f"http://127.0.0.1:{port}", "workers": workers}
        )
        self.port = port
        self.log = folder / f"service-{port}.log"
        self.service = ServiceProcess(self.settings, log=self.log)

    async def start(self) -> None:
        await asyncio.to_thread(self.service.__enter__)
        await self.stands()

    async def stands(self) -> None:
        """Return when each worker serves."""
        await asyncio.to_thread(self.service.wait)
        # Ready is what any worker says; each has a listening socket of its own.
        await until(lambda: len(_sockets(self.port, LISTENING)) == self.settings.workers)

    async def stop(self) -> float:
        """SIGTERM; answers after how many seconds it had ended."""
        began = monotonic()
        await asyncio.to_thread(self.service.stop)
        return monotonic() - began

    def workers(self) -> set[int]:
        """The processes that serve."""
        parent = self.service.pid
        assert parent is not None
        return {pid for pid in descendants(parent) if _command(pid) == _command(parent)}

    def unsent(self) -> list[int]:
        """How many bytes the kernel holds for each open connection, until its client takes them."""
        return [int(words[4].partition(":")[0], 16) for words in _sockets(self.port, ESTABLISHED)]

    def memory(self) -> int:
        """Bytes that the processes which serve hold."""
        return sum(
            int(line.split()[1]) * 1024
            for pid in self.workers()
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS:")
        )


async def opened(settings: Settings, people: People) -> tuple[Person, str]:
    """A new clinic: its owner, and the token of the invitation by which they take their place."""
    owner = await people.create("owner")
    async with bootstrap.services(settings) as services:
        clinic = await services.create_clinic(SLUG, "La Palma", "America/Guayaquil", owner.email)
    assert clinic.invitation is not None
    return owner, clinic.invitation.token


class Wire:
    """One connection to the event stream, read frame by frame."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._body = b""

    @classmethod
    async def open(cls, port: int, token: str, last: int | None = None, *, buffer: int | None = None) -> Self:
        """Ask for the stream.

        Args:
            last: the last id that was seen.
            buffer: bytes that the client's kernel takes without being read, as few as it may be.

        Raises:
            OSError: nobody listens, or the connection was cut.
            Refused: the answer is no stream.
        """
        sock = socket.socket()
        if buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except BaseException:
            sock.close()
            raise
        wire = cls(*await asyncio.open_connection(sock=sock, limit=buffer or 65536))
        resumed = "" if last is None else f"Last-Event-ID: {last}\r\n"
        request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n{resumed}\r\n"
        try:
            wire._writer.write(request.encode())
            head = await wire._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError) as error:
            wire.cut()
            raise ConnectionResetError from error
        if not head.startswith(b"HTTP/1.1 200 "):
            wire.cut()
            raise Refused(int(head.split()[1]))
        return wire

    async def next(self) -> Frame | None:
        """The next frame; None at the end of the stream.

        Raises:
            ConnectionError: the connection was cut.
        """
        while b"\n\n" not in self._body:
            try:
                size = int(await self._reader.readuntil(b"\r\n"), 16)
                chunk = await self._reader.readexactly(size + 2)
            except asyncio.IncompleteReadError as error:
                raise ConnectionResetError from error
            if size == 0:
                return None
            self._body += chunk[:-2]
        block, _, self._body = self._body.partition(b"\n\n")
        return parse(block.decode())

    async def some(self, most: int) -> bytes:
        """What came, up to so many bytes; empty at the end of the connection."""
        return await self._reader.read(most)

    async def byte(self) -> bytes:
        """One byte as it comes; empty at the end of the connection."""
        return await self._reader.read(1)

    def deaf(self) -> None:
        """Stop taking anything from the network."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined] # sockets have it

    def cut(self) -> None:
        """Let go of the connection at once."""
        self._writer.transport.abort()


class Refused(Exception):
    """The service answered a status instead of a stream."""


@dataclass
class Follower:
    """A client that comes back wherever it is let in, each time from the last id that it saw.

    Attributes:
        events: numbers of the events, in the order in which they came.
        subjects: what each event is about.
        resyncs: how often it was told to load anew.
        opened: at what moments it got a stream.
        hasty: it comes back at once, and not when it was told to.
    """

    ports: list[int]
    token: str
    last: int
    patience: Callable[[], int] = lambda: 1_000_000_000
    events: list[int] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    resyncs: int = 0
    cuts: int = 0
    refused: int = 0
    hasty: bool = True
    retry: float = 0
    opened: list[float] = field(default_factory=list)
    closed: list[Frame] = field(default_factory=list)

    async def run(self) -> None:
        """Follow until cancelled; hangs up without a word after as many frames as `patience` says each time."""
        dice = random.Random()  # noqa: S311 -- decides which machine is asked
        while True:
            try:
                wire = await Wire.open(dice.choice(self.ports), self.token, self.last)
                self.opened.append(monotonic())
                try:
                    await self._read(wire, self.patience())
                finally:
                    wire.cut()
                    self.cuts += 1
            except OSError:
                pass
            except Refused:
                self.refused += 1
            await asyncio.sleep(dice.uniform(0, 0.1) if self.hasty else self.retry)

    async def _read(self, wire: Wire, frames: int) -> None:
        for _ in range(frames):
            frame = await wire.next()
            if frame is None:
                return
            if frame.retry is not None:
                self.retry = frame.retry / 1000
            match frame.event:
                case "stream.closed":
                    self.closed.append(frame)
                    continue
                case "stream.resync":
                    self.resyncs += 1
                case "stream.heartbeat":
                    pass
                case _:
                    assert frame.id is not None
                    assert frame.data is not None
                    self.events.append(frame.id)
                    self.subjects.append(frame.data["subject"]["id"])  # type: ignore[index] # an event's data
            assert frame.id is not None
            self.last = frame.id


class Fleet:
    """Machines on one database, and a clinic whose owner's token opens its streams."""

    def __init__(self, service: Service, settings: Settings, stack: AsyncExitStack, folder: Path) -> None:
        self.service = service
        self.settings = settings
        self.token = ""
        self.actor: Actor
        self._stack = stack
        self._folder = folder

    async def machine(self, workers: int = 1) -> Machine:
        """One more machine, started."""
        machine = Machine(self.settings, workers, self._folder)
        await machine.start()
        self._stack.push_async_callback(asyncio.to_thread, machine.service.stop)
        return machine

    async def settle(self, people: People) -> None:
        """Open the clinic; needs a machine."""
        machine = await self.machine()
        owner, invitation = await opened(self.settings, people)
        self.token = await people.sign_in(owner)
        async with httpx.AsyncClient(base_url=f"{machine.service.url}/api/v1", timeout=60) as http:
            answer = await http.post(
                f"/invitations/{invitation}/accept", headers={"Authorization": f"Bearer {self.token}"}
            )
            assert answer.is_success, answer.text
        admin = await self.service.admin()
        row = await admin.fetchrow("SELECT clinic_id, user_id FROM members")
        assert row is not None
        self.actor = Actor(
            clinic_id=ClinicId(row["clinic_id"]), time_zone="America/Guayaquil", user_id=UserId(row["user_id"])
        )
        self.first = machine

    async def writer(self, connections: int) -> Process:
        """A process that commits and numbers on as many connections, and serves nobody."""
        process = Process(self.settings.model_copy(update={"database_pool_size": connections}))
        self._stack.push_async_callback(process.engine.dispose)
        await self._stack.enter_async_context(process.fanout)
        await self._stack.enter_async_context(process.dispatcher)
        return process

    async def position(self) -> int:
        """The highest number, once all that was committed has one."""
        await self.seen("SELECT NOT EXISTS (SELECT FROM outbox WHERE number IS NULL)")
        admin = await self.service.admin()
        return int(await admin.fetchval("SELECT last_number FROM outbox_mark"))

    async def seen(self, question: str) -> None:
        """Wait until the database answers yes."""
        admin = await self.service.admin()
        async with asyncio.timeout(30):
            while True:
                if await admin.fetchval(question):
                    return
                await asyncio.sleep(0.02)

    def follow(self, follower: Follower) -> Follower:
        """Have it run until the test ends."""
        task = asyncio.create_task(follower.run())

        async def over() -> None:
            task.cancel()
            [failure] = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(failure, asyncio.CancelledError), failure

        self._stack.push_async_callback(over)
        return follower


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _sockets(port: int, state: str) -> list[list[str]]:
    """The lines of the kernel's table for that local port, see proc_net_tcp.rst."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return [words for words in lines if words[1].endswith(f":{port:04X}") and words[3] == state]
