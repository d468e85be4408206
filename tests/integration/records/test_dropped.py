"""A visit is written on a phone whose connection drops again and again: nothing that was typed is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.integration.http.service import Clinic, Service
from tests.integration.parts.ports import free_ports

from coravet.adapters.local.service import ServiceProcess
from coravet.settings import Settings

DROPS = 10
TYPED = {
    "subjective": "Desde ayer se rasca la oreja derecha y sacude la cabeza; come y bebe como siempre.",
    "objective": "Conducto derecho enrojecido, con cerumen oscuro. Tímpano íntegro.\nResto sin novedad.",
    "assessment": "Otitis externa; se sospecha Malassezia.",
    "plan": "Limpieza, gotas dos veces al día durante siete días.\nControl en una semana.",
}


class Line:
    """A connection between a phone and the service, through which each request is cut off where chance says.

    Args:
        drops: how many requests are cut off, at most; which ones, and where, is drawn from `chance`.
    """

    def __init__(self, port: int, chance: Random, drops: int) -> None:
        self._port = port
        self._chance = chance
        self.left = drops

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The address at which the line begins."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one request and its answer, each as one piece, or less."""
        upstream: asyncio.StreamWriter | None = None
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await self._message(reader)
            drop = self.left > 0 and self._chance.random() < 0.5
            where = self._chance.choice(("before", "within", "unanswered", "answering"))
            self.left -= drop
            if not (drop and where == "before"):
                answers, upstream = await asyncio.open_connection("127.0.0.1", self._port)
                cut = self._chance.randrange(1, len(request))
                upstream.write(request[:cut] if drop and where == "within" else request)
                if not (drop and where == "within"):
                    answer = await self._message(answers)
                    if not drop:
                        writer.write(answer)
                    elif where == "answering":
                        writer.write(answer[: self._chance.randrange(1, len(answer))])
                    await writer.drain()
        for each in (upstream, writer):
            if each is not None:
                each.close()

    @staticmethod
    async def _message(reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.partition(b":")[2])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            ),
            0,
        )
        return head + (await reader.readexactly(length) if length else b"")


class Phone:
    """A form on a phone: it knows what was typed and which version it last heard of, and repeats what fails."""

    def __init__(self, line: httpx.AsyncClient) -> None:
        self._line = line
        self._form = str(uuid4())
        self._sequence = 0
        self.version = 1
        self.failures = 0

    async def _send(self, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
        while True:
            try:
                return await self._line.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                self.failures += 1

    async def save(self, note: dict[str, str]) -> None:
        """Save what the form shows."""
        self._sequence += 1
        change = {"version": self.version, "note": note, "editor": {"id": self._form, "sequence": self._sequence}}
        answer = await self._send("PATCH", "", change)
        assert answer.status_code == 200, answer.text
        self.version = answer.json()["version"]

    async def post(self, step: str, body: Any) -> httpx.Response:
        """Take a step that must happen once, however often it is sent."""
        return await self._send("POST", f"/{step}", body, **{"Idempotency-Key": str(uuid4())})


@pytest.fixture(scope="module")
def process(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """The service, served."""
    port = free_ports()
    at = {"port": port, "public_url": f"http://127.0.0.1:{port}"}
    with ServiceProcess(settings.model_copy(update=at), log=tmp_path_factory.mktemp("dropped") / "log") as found:
        yield found


@pytest.mark.parametrize("seed", range(3))
async def test_dropped(seed: int, process: ServiceProcess, service: Service, clinic: Clinic) -> None:
    """Ten drops at random, before, within and after requests: the note is what was typed, signed and added to once."""
    chance = Random(seed)  # noqa: S311 -- chance that can be had again
    await service.plant(clinic, "encounter")
    path = f"/clinics/{clinic.slug}/encounters/{clinic.ids['encounter_id']}"
    line = Line(int(process.url.rpartition(":")[2]), chance, DROPS)
    # Each attempt on a connection of its own, as a phone's that changed its cell.
    fleeting = httpx.Limits(max_keepalive_connections=0)
    async with (
        line.open() as address,
        httpx.AsyncClient(
            base_url=f"{address}/api/v1{path}", headers=clinic.people["vet"], limits=fleeting, timeout=20
        ) as http,
    ):
        phone = Phone(http)
        shown: dict[str, str] = {}
        for part, text in TYPED.items():
            typed = 0
            while typed < len(text):
                typed = min(len(text), typed + chance.randrange(1, 30))
                shown[part] = text[:typed]
                await phone.save(shown)
        # What chance has left of the ten falls on the steps that count most.
        signed = await phone.post("sign", {"version": phone.version})
        assert signed.status_code == 200, signed.text
        for _ in range(2):
            added = await phone.post("addenda", {"text": "El dueño llamó: mejor"})
            assert added.status_code == 201, added.text
        while line.left:
            added = await phone.post("addenda", {"text": "Otra vez"})
    assert phone.failures >= DROPS
    found = await service.done("GET", path, clinic.people["vet"])
    assert found["note"] == TYPED
    assert found["set_aside"] == []
    assert found["state"] == "signed"
    assert [each["text"] for each in found["addenda"][:2]] == ["El dueño llamó: mejor"] * 2
    assert len(found["addenda"]) == found["version"] - signed.json()["version"]
