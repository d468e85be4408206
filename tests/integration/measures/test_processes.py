"""What a served process and a worker tell of themselves, on ports of their own."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People
from tests.integration.parts.ports import free_ports
from tests.integration.parts.processes import descendants, eventually

from coravet import bootstrap
from coravet.adapters.local.service import ServiceProcess, WorkerProcess
from coravet.core.messaging.ports import SendMessage
from coravet.settings import Settings

PERSONAL = re.compile(r"@|[0-9a-f]{8}-[0-9a-f]{4}|la-palma|[A-Za-z0-9]{28}")
"""A mail address, an id, the clinic's name, a uid of Firebase."""

Told = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(port: int) -> Told:
    """Every sample, by its name and labels."""
    async with httpx.AsyncClient(timeout=30) as http:
        answer = (await http.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def total(told: Told, name: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels."""
    return sum(value for (each, found), value in told.items() if each == name and labels.items() <= dict(found).items())


async def soon(port: int, holds: Callable[[Told], bool]) -> Told:
    """What is told once it holds, within the 5 s that levels are measured in and what a busy machine adds."""
    async with asyncio.timeout(30):
        while True:
            if holds(told := await scraped(port)):
                return told
            await asyncio.sleep(0.2)


class Site:
    """The service on two workers, its measures, and an owner with streams open."""

    def __init__(self, settings: Settings, service: ServiceProcess, who: dict[str, str]) -> None:
        assert settings.metrics_port is not None
        self.port = settings.metrics_port
        self.service = service
        self.url = settings.public_url
        self._who = who
        self._reading: list[asyncio.Task[None]] = []

    async def open(self, count: int) -> None:
        """Open so many streams, each on whichever worker takes it."""
        opened = [asyncio.Event() for _ in range(count)]
        self._reading += [asyncio.create_task(self._read(each)) for each in opened]
        for each in opened:
            await each.wait()

    async def close(self) -> None:
        for reading in self._reading:
            reading.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def _read(self, opened: asyncio.Event) -> None:
        async with (
            httpx.AsyncClient(timeout=60) as http,
            http.stream("GET", f"{self.url}/api/v1/clinics/la-palma/events", headers=self._who) as answer,
        ):
            async for _ in answer.aiter_lines():
                opened.set()


@pytest.fixture
async def site(databases: Databases, people: People, auth_emulator: str, tmp_path: Path) -> AsyncIterator[Site]:
    made = await databases.migrated()
    port = free_ports(2)
    settings = made.model_copy(
        update={
            "firebase_auth_emulator_host": auth_emulator,
            "port": port,
            "metrics_port": port + 1,
            "public_url": f"http://127.0.0.1:{port}",
            "workers": 2,
        }
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(databases.drop, made)
        service = ServiceProcess(settings, log=tmp_path / "service.log")
        await asyncio.to_thread(service.__enter__)
        stack.push_async_callback(asyncio.to_thread, service.stop)
        owner = await people.create("owner")
        async with bootstrap.services(settings) as services:
            clinic = await services.create_clinic("la-palma", "La Palma", "America/Guayaquil", owner.email)
        assert clinic.invitation is not None
        who = {"Authorization": f"Bearer {await people.sign_in(owner)}"}
        async with httpx.AsyncClient(base_url=settings.public_url, timeout=30) as http:
            answer = await http.post(f"/api/v1/invitations/{clinic.invitation.token}/accept", headers=who)
            assert answer.is_success, answer.text
        found = Site(settings, service, who)
        stack.push_async_callback(found.close)
        yield found


async def test_served(site: Site, tmp_path: Path) -> None:
    """One port tells of all workers together; a worker that is killed takes its streams along and no count back."""
    await site.open(8)
    async with httpx.AsyncClient(base_url=site.url, timeout=30) as http:
        for path in ("/metrics", "/ana@clinica.test", f"/api/v1/clinics/{uuid4()}"):
            assert (await http.get(path)).status_code in {401, 404}
        assert (await http.request("ANA", "/api/v1/clinics")).status_code in {401, 404, 405}

    told = await soon(site.port, lambda told: total(told, "coravet_live_streams") == 8)
    events = "/api/v1/clinics/{clinic}/events"
    assert total(told, "coravet_http_requests_total", route=events, method="GET", status="200") == 8
    assert total(told, "coravet_http_request_seconds_count", route=events) == 8
    assert total(told, "coravet_http_requests_total", route="unknown") >= 2
    assert total(told, "coravet_http_requests_total", method="other") == 1
    assert 1 <= total(told, "coravet_live_people") <= 2, "one person, counted once for each process"
    assert total(told, "coravet_live_listening") == 1
    assert total(told, "coravet_database_connections") == 20
    assert ("coravet_live_backlog", frozenset()) in told
    assert not any(PERSONAL.search(value) for _, labels in told for _, value in labels)
    assert not any(name.startswith("coravet_job") for name, _ in told), "those are a worker's"

    assert site.service.pid is not None
    killed = descendants(site.service.pid)
    assert len(killed) == 2
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    left = await soon(
        site.port, lambda left: total(left, "coravet_live_listening") == 1 and total(left, "coravet_live_streams") == 0
    )
    for (name, labels), value in told.items():
        if name.endswith(("_total", "_count", "_bucket")):
            assert left[name, labels] >= value, (name, labels)
    assert {path.stem.rpartition("_")[2] for path in _folder(site).glob("*.db")}.isdisjoint(map(str, killed))
    assert "Traceback" not in (tmp_path / "service.log").read_text()
    folder = _folder(site)
    await site.close()
    await asyncio.to_thread(site.service.stop)
    assert not folder.exists()


def _folder(site: Site) -> Path:
    """Where the service's processes write what they measure, as the memory of one shows."""
    assert site.service.pid is not None
    maps = Path(f"/proc/{min(descendants(site.service.pid))}/maps").read_text()
    found = re.search(r"/\S*/coravet-measures-[^/]+", maps)
    assert found is not None
    return Path(found[0])


async def test_worker(fresh_database: Settings, tmp_path: Path) -> None:
    """A worker tells how attempts ended, by kind, and what waits."""
    port = free_ports()
    settings = fresh_database.model_copy(update={"worker_metrics_port": port})
    async with bootstrap.services(settings) as services:
        clinic = await services.create_clinic("la-palma", "La Palma", "America/Guayaquil", None)
        async with services.system_begin("test") as work:
            await work.jobs.defer(SendMessage(clinic.id, uuid4()))
    log = tmp_path / "worker.log"
    worker = WorkerProcess(settings, log=log)
    worker.launch()
    try:
        assert await asyncio.to_thread(eventually, lambda: "worker ready" in log.read_text(), 60)
        told = await soon(port, lambda told: total(told, "coravet_jobs_total") > 0)
    finally:
        await asyncio.to_thread(worker.stop)
    attempts = {labels: value for (name, labels), value in told.items() if name == "coravet_jobs_total"}
    assert {frozenset({("kind", "message.send"), ("outcome", "put_off")})} == set(attempts), "there is no such message"
    assert total(told, "coravet_job_seconds_count", kind="message.send") >= 1
    assert total(told, "coravet_jobs_waiting", kind="message.send") == 1
    assert ("coravet_jobs_failed", frozenset({("kind", "import.apply")})) in told
    assert not any(PERSONAL.search(value) for _, labels in told for _, value in labels)
    assert not any(name.startswith(("coravet_live", "coravet_http")) for name, _ in told), "those are the server's"
