"""The service as it is run: machines of several workers on one database, a clinic, its people and their streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from tests.integration.live.machines import SLUG, Machine, opened
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People, Person
from tests.integration.parts.ports import free_ports
from tests.unit.live.parts import Frame, parse

CLINIC = f"/clinics/{SLUG}"

Headers = dict[str, str]


@dataclass
class Stream:
    """What one open stream received, each frame with the moment at which it came."""

    frames: list[tuple[float, Frame]] = field(default_factory=list)
    refusal: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def heard(self, kind: str, seconds: float = 30) -> tuple[float, Frame]:
        """The first frame of that kind."""
        async with asyncio.timeout(seconds):
            while True:
                for at, frame in self.frames:
                    if frame.event == kind:
                        return at, frame
                assert not self.ended.is_set(), f"ended without {kind}: {self.refusal}"
                self.news.clear()
                await self.news.wait()

    def kinds(self) -> list[tuple[str | None, int | None]]:
        """What came so far, heartbeats left out: kind and number of each."""
        return [(frame.event, frame.id) for _, frame in self.frames if frame.event != "stream.heartbeat"]


@dataclass(frozen=True)
class Member:
    """A person with a place in the clinic; `headers` are those of their session."""

    person: Person
    headers: Headers
    id: str


class Site:
    """A clinic on these machines. Each request is a connection of its own, so any worker may get it."""

    def __init__(self, machines: list[Machine], origin: str, people: People, stack: AsyncExitStack) -> None:
        self.machines = machines
        self.people = people
        self.headers: Headers = {}
        self.origin = origin
        self._stack = stack
        self._numbers = count()
        self._http = httpx.AsyncClient(
            timeout=60, limits=httpx.Limits(max_connections=None, max_keepalive_connections=0)
        )
        stack.push_async_callback(self._http.aclose)

    def address(self, path: str, machine: int = 0) -> str:
        return f"{self.machines[machine].service.url}/api/v1{path}"

    async def ask(self, method: str, path: str, who: Headers, body: object = None, *, machine: int = 0) -> Any:
        """What a request that must succeed answers."""
        answer = await self._http.request(method, self.address(path, machine), json=body, headers=who)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def status(self, path: str, who: Headers, *, machine: int = 0) -> int:
        """The status that a GET answers; a stream is hung up at once."""
        async with self._http.stream("GET", self.address(path, machine), headers=who) as answer:
            return answer.status_code

    async def log_in(self, person: Person) -> Headers:
        """A new session, by cookie."""
        token = await self.people.sign_in(person)
        answer = await self._http.post(self.address("/session"), json={"id_token": token})
        assert answer.is_success, answer.text
        cookie = answer.cookies["coravet_session"]
        self._http.cookies.clear()
        return {"Cookie": f"coravet_session={cookie}", "Origin": self.origin}

    async def accept(self, person: Person, token: str, *, by_cookie: bool = False) -> Member:
        """The person, signed in, takes the place that is offered."""
        if by_cookie:
            who = await self.log_in(person)
        else:
            who = {"Authorization": f"Bearer {await self.people.sign_in(person)}"}
        taken = await self.ask("POST", f"/invitations/{token}/accept", who)
        return Member(person, who, taken["id"])

    async def join(self, role: str, *, by_cookie: bool = False) -> Member:
        """A new member."""
        person = await self.people.create(role)
        offer = {"email": person.email, "roles": [role]}
        invited = await self.ask("POST", f"{CLINIC}/invitations", self.headers, offer)
        return await self.accept(person, invited["token"], by_cookie=by_cookie)

    async def register(self, *, machine: int = 0) -> str:
        """A new client of the clinic, of whom everybody hears: `client.created`; answers their id."""
        number = next(self._numbers)
        body = {"given_name": "Persona", "family_name": f"de Muestra {number}", "phone": f"0991{number:06}"}
        made = await self.ask("POST", f"{CLINIC}/clients", self.headers, body, machine=machine)
        return str(made["id"])

    async def open(self, who: Headers, *, machine: int = 0) -> Stream:
        """An open stream, on whichever worker takes the connection."""
        stream = Stream()
        reading = asyncio.create_task(self._read(stream, who, self.address(f"{CLINIC}/events", machine)))
        self._stack.callback(reading.cancel)
        await stream.heard("stream.heartbeat")
        return stream

    async def _read(self, stream: Stream, who: Headers, address: str) -> None:
        block = ""
        try:
            async with self._http.stream("GET", address, headers=who) as answer:
                if not answer.is_success:
                    stream.refusal = (await answer.aread()).decode()
                    return
                async for line in answer.aiter_lines():
                    if line:
                        block += f"\n{line}" if block else line
                        continue
                    stream.frames.append((monotonic(), parse(block)))
                    stream.news.set()
                    block = ""
        finally:
            stream.ended.set()
            stream.news.set()


@asynccontextmanager
async def served(
    databases: Databases, people: People, emulator: str, folder: Path, *, machines: int = 1
) -> AsyncIterator[Site]:
    """A clinic with its owner on machines of two workers each, which share one address for the public."""
    made = await databases.migrated()
    first = free_ports(machines)
    settings = made.model_copy(update={"firebase_auth_emulator_host": emulator})
    public_url = f"http://127.0.0.1:{first}"
    running = [Machine(settings, 2, folder, port=first + number, public_url=public_url) for number in range(machines)]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(databases.drop, made)
        for machine in running:
            machine.service.launch()
            stack.push_async_callback(asyncio.to_thread, machine.service.stop)
        for machine in running:
            await machine.stands()
        site = Site(running, public_url, people, stack)
        owner, invitation = await opened(running[0].settings, people)
        site.headers = (await site.accept(owner, invitation)).headers
        yield site
