"""The service as a process of its own: limits on the wire, and what is left of it after a kill."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.parts.ports import free_ports

from coravet.adapters.local.service import ServiceProcess
from coravet.settings import Settings


def _process(settings: Settings, folder: Path) -> ServiceProcess:
    port = free_ports()
    at = {"port": port, "public_url": f"http://127.0.0.1:{port}"}
    return ServiceProcess(settings.model_copy(update=at), log=folder / "service.log")


@pytest.fixture(scope="module")
def process(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """The service, served."""
    with _process(settings, tmp_path_factory.mktemp("served")) as found:
        yield found


async def _on_the_wire(process: ServiceProcess, head: list[str], body: bytes = b"") -> bytes:
    """The first line of the answer to a request that is sent so far and no further."""
    host, _, port = process.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write("\r\n".join([*head, f"Host: {host}", "", ""]).encode() + body)
        await writer.drain()
        return await asyncio.wait_for(reader.readline(), 30)
    finally:
        writer.close()


async def test_too_large_on_the_wire(process: ServiceProcess, clinic: Clinic) -> None:
    """A body that is told to be too large is 413 before any of it is sent; one that is not told, once it is."""
    head = [
        f"POST /api/v1/clinics/{clinic.slug}/clients HTTP/1.1",
        f"Authorization: {clinic.owner['Authorization']}",
        "Content-Type: application/json",
    ]
    told = [*head, "Content-Length: 10000000000"]
    assert await _on_the_wire(process, told) == b"HTTP/1.1 413 Payload Too Large\r\n"
    expecting = [*told, "Expect: 100-continue"]
    assert await _on_the_wire(process, expecting) == b"HTTP/1.1 413 Payload Too Large\r\n"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    chunked = [*head, "Transfer-Encoding: chunked"]
    assert await _on_the_wire(process, chunked, chunk * 17) == b"HTTP/1.1 413 Payload Too Large\r\n"


async def test_killed(service: Service, clinic: Clinic, settings: Settings, tmp_path: Path) -> None:
    """What was answered with success outlives a kill in the next instant; the rest can be sent again under its key."""
    at = f"/api/v1/clinics/{clinic.slug}/clients"
    bodies = {token_hex(8): {"given_name": "Ana", "family_name": f"Pérez {number}"} for number in range(60)}
    acknowledged: dict[str, str] = {}

    async def register(client: httpx.AsyncClient, key: str) -> None:
        answer = await client.post(at, headers={**clinic.owner, "Idempotency-Key": key}, json=bodies[key])
        assert answer.status_code == 201
        made = answer.json()["id"]
        assert acknowledged.setdefault(key, made) == made

    for successes in (1, 20):
        served = _process(settings, tmp_path)
        with served:
            few = httpx.Limits(max_connections=8)  # so that most are still to be sent when the kill comes
            async with httpx.AsyncClient(base_url=served.url, timeout=30, limits=few) as client:
                tasks = [asyncio.create_task(register(client, key)) for key in bodies if key not in acknowledged]
                for done, each in enumerate(asyncio.as_completed(tasks), start=1):
                    await each
                    if done == successes:
                        break
                served.kill()
                outcomes = await asyncio.gather(*tasks, return_exceptions=True)
                assert not [error for error in outcomes if isinstance(error, AssertionError)]
        async with superuser(settings) as admin:
            stored = await admin.fetch("SELECT id::text FROM clients WHERE clinic_id = $1", clinic.id)
        assert set(acknowledged.values()) <= {row["id"] for row in stored}
    assert len(acknowledged) < len(bodies)
    answers = await asyncio.gather(
        *(
            service.ask("POST", at.removeprefix("/api/v1"), clinic.owner, headers={"Idempotency-Key": key}, json=body)
            for key, body in bodies.items()
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    async with superuser(settings) as admin:
        names = await admin.fetch(
            "SELECT family_name, count(*) AS times FROM clients WHERE clinic_id = $1 AND family_name LIKE 'Pérez %'"
            " GROUP BY family_name",
            clinic.id,
        )
    assert {row["family_name"]: row["times"] for row in names} == {body["family_name"]: 1 for body in bodies.values()}
