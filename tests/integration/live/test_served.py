"""Streams of the served process: on any of its workers, to the end of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx
import pytest
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People, Person
from tests.integration.parts.ports import free_ports
from tests.unit.live.parts import Frame, parse

from coravet import bootstrap
from coravet.adapters.local.service import ServiceProcess
from coravet.settings import Settings

CLINIC = "/clinics/la-palma"


@dataclass
class Stream:
    """What one open stream received, each frame with the moment at which it came."""

    frames: list[tuple[float, Frame]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def heard(self, kind: str, seconds: float = 10) -> tuple[float, Frame]:
        """The first frame of that kind."""
        async with asyncio.timeout(seconds):
            while True:
                for at, frame in self.frames:
                    if frame.event == kind:
                        return at, frame
                self.news.clear()
                await self.news.wait()


class Site:
    """The service on two workers, and a clinic with its owner."""

    def __init__(self, settings: Settings, service: ServiceProcess, people: People, stack: AsyncExitStack) -> None:
        self.service = service
        self.people = people
        self.headers: dict[str, str] = {}
        self._stack = stack
        self._http = httpx.AsyncClient(
            base_url=f"{settings.public_url}/api/v1", timeout=30, limits=httpx.Limits(max_connections=None)
        )
        stack.push_async_callback(self._http.aclose)

    async def ask(self, method: str, path: str, who: dict[str, str], body: object = None) -> dict[str, object]:
        answer = await self._http.request(method, path, json=body, headers=who)
        assert answer.is_success, answer.text
        found: dict[str, object] = answer.json()
        return found

    async def accept(self, person: Person, token: str) -> tuple[dict[str, str], object]:
        """The person, signed in, takes the place that is offered; answers their headers and member id."""
        who = {"Authorization": f"Bearer {await self.people.sign_in(person)}"}
        return who, (await self.ask("POST", f"/invitations/{token}/accept", who))["id"]

    async def join(self, role: str) -> tuple[Person, dict[str, str], object]:
        """A new member."""
        person = await self.people.create(role)
        offer = {"email": person.email, "roles": [role]}
        invited = await self.ask("POST", f"{CLINIC}/invitations", self.headers, offer)
        return person, *await self.accept(person, str(invited["token"]))

    async def open(self, who: dict[str, str]) -> Stream:
        """An open stream, on whichever worker takes the connection."""
        stream = Stream()
        reading = asyncio.create_task(self._read(stream, who))
        self._stack.callback(reading.cancel)
        await stream.heard("stream.heartbeat")
        return stream

    async def _read(self, stream: Stream, who: dict[str, str]) -> None:
        block = ""
        # A client of its own each: a kept connection would stay on one worker.
        try:
            async with (
                httpx.AsyncClient(base_url=self._http.base_url, timeout=60) as http,
                http.stream("GET", f"{CLINIC}/events", headers=who) as answer,
            ):
                async for line in answer.aiter_lines():
                    if line:
                        block += f"\n{line}" if block else line
                        continue
                    stream.frames.append((monotonic(), parse(block)))
                    stream.news.set()
                    block = ""
        finally:
            stream.ended.set()


@pytest.fixture
async def site(databases: Databases, people: People, auth_emulator: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with _served(databases, people, auth_emulator, tmp_path) as found:
        yield found


@asynccontextmanager
async def _served(databases: Databases, people: People, emulator: str, folder: Path) -> AsyncIterator[Site]:
    made = await databases.migrated()
    port = free_ports()
    settings = made.model_copy(
        update={
            "firebase_auth_emulator_host": emulator,
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "workers": 2,
        }
    )
    service = ServiceProcess(settings, log=folder / "service.log")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(databases.drop, made)
        await asyncio.to_thread(service.__enter__)
        stack.push_async_callback(asyncio.to_thread, service.stop)
        site = Site(settings, service, people, stack)
        owner = await people.create("owner")
        async with bootstrap.services(settings) as services:
            clinic = await services.create_clinic("la-palma", "La Palma", "America/Guayaquil", owner.email)
        assert clinic.invitation is not None
        site.headers, _ = await site.accept(owner, clinic.invitation.token)
        yield site


async def test_workers_and_the_end(site: Site, tmp_path: Path) -> None:
    """Streams on any worker hear of everything, a deactivation ends them within a second, and SIGTERM says goodbye."""
    _, staff, member_id = await site.join("staff")
    owners = [await site.open(site.headers) for _ in range(12)]
    leaving = [await site.open(staff) for _ in range(6)]

    body = {"given_name": "Persona", "family_name": "de Muestra", "phone": "0991234567"}
    await site.ask("POST", f"{CLINIC}/clients", site.headers, body)
    ids = {(await stream.heard("client.created"))[1].id for stream in [*owners, *leaving]}
    assert len(ids) == 1

    await site.ask("PATCH", f"{CLINIC}/members/{member_id}", site.headers, {"active": False})
    answered = monotonic()
    for stream in leaving:
        at, frame = await stream.heard("stream.closed")
        assert frame.data == {"reason": "access_ended"}
        assert at - answered < 1

    began = monotonic()
    stopping = asyncio.create_task(asyncio.to_thread(site.service.stop))
    returns = set()
    for stream in owners:
        _, frame = await stream.heard("stream.closed")
        assert frame.data == {"reason": "shutting_down"}
        returns.add(frame.retry)
        await stream.ended.wait()
    await stopping
    assert monotonic() - began < 5
    assert len(returns) > 6
    assert "Traceback" not in (tmp_path / "service.log").read_text()


@pytest.mark.long
async def test_ended_in_firebase(site: Site) -> None:
    """Where Firebase disables a person their streams end within 30 seconds."""
    person, who, _ = await site.join("staff")
    streams = [await site.open(who) for _ in range(3)]
    await site.people.disable(person)
    began = monotonic()
    for stream in streams:
        at, frame = await stream.heard("stream.closed", seconds=35)
        assert frame.data == {"reason": "session_revoked"}
        assert at - began < 30
