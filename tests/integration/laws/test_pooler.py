"""Behind a transaction pooler, where one's next transaction may be on another connection: no statement is kept."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy.engine.url import make_url
from tests.integration.http.service import Service, running
from tests.integration.parts.people import People
from tests.integration.parts.ports import free_ports

from coravet.adapters.local import tether
from coravet.settings import Settings

PGBOUNCER = shutil.which("pgbouncer")
NOBODY = (65534, 65534)
SERVER_CONNECTIONS = 3


@pytest.fixture(scope="module")
def pooled(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings as for a pooler; with pgbouncer at hand they go through one that has few connections of its own."""
    uncached = settings.model_copy(update={"database_statement_cache": 0, "database_direct_url": settings.database_url})
    if PGBOUNCER is None:
        yield uncached
        return
    url = make_url(settings.database_url.get_secret_value())
    port, folder = free_ports(), tmp_path_factory.mktemp("pgbouncer")
    given = {
        "host": url.query.get("host") or url.host,
        "port": url.port or 5432,
        "dbname": url.database,
        "user": url.username,
        "password": url.password,
    }
    ini = folder / "pgbouncer.ini"
    ini.write_text(
        f"[databases]\npooled = {' '.join(f'{name}={value}' for name, value in given.items())}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
        f"default_pool_size = {SERVER_CONNECTIONS}\nlogfile = {folder / 'log'}\n"
    )
    folder.chmod(0o777)
    command = tether.command(
        [PGBOUNCER, "-q", str(ini)], on_parent_death=signal.SIGTERM, user=NOBODY if os.geteuid() == 0 else None
    )
    with subprocess.Popen(command) as process:  # noqa: S603 -- what `which` found
        try:
            _wait(port)
            through = SecretStr(f"postgresql://{url.username}@127.0.0.1:{port}/pooled")
            yield uncached.model_copy(update={"database_url": through})
        finally:
            process.terminate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 10).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
async def service(pooled: Settings, people: People) -> AsyncIterator[Service]:
    """The application on the pooler."""
    async with running(pooled, people) as found:
        yield found


async def test_a_morning(service: Service) -> None:
    """Clinics opened, furnished and booked at once, each on whatever connection is free, keep apart and do not fail."""
    clinics = await asyncio.gather(*(service.open_clinic("pool") for _ in range(4)))
    await asyncio.gather(*(service.furnish(clinic) for clinic in clinics))
    for clinic in clinics:
        body, at = clinic.visit(), f"/clinics/{clinic.slug}/appointments"
        answers = await asyncio.gather(*(service.ask("POST", at, clinic.owner, json=body) for _ in range(10)))
        codes = Counter(answer.json().get("code", answer.status_code) for answer in answers)
        assert codes == {201: 1, "slot_taken": 9}
    lists = await asyncio.gather(
        *(service.done("GET", f"/clinics/{each.slug}/resources", each.owner) for _ in range(10) for each in clinics)
    )
    for number, found in enumerate(lists):
        ids = clinics[number % len(clinics)].ids
        assert {item["id"] for item in found["items"]} == {ids["resource_id"], ids["room_id"]}


async def test_nothing_kept(service: Service) -> None:
    """After all this no prepared statement is left on a connection, where the next one's would meet it."""
    async with service.application.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        assert await raw.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
