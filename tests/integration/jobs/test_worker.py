"""A worker on a real queue: when jobs are done, how often they are tried, and what is told of those that fail."""

import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pgqueuer import AsyncpgDriver
from pydantic import SecretStr
from sqlalchemy.engine.url import URL, make_url
from tests.integration.http.service import superuser
from tests.integration.jobs.ringing import Ring
from tests.integration.parts.databases import Databases

from coravet.adapters.jobs.queue import APPLICATION, PgqueuerQueue, queries
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.housekeeping import prune
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.adapters.telemetry import logs
from coravet.bootstrap import make_works
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.entrypoints.worker.worker import Pace, Worker
from coravet.settings import Settings

CANARY = "ana.perez@example.com"
QUICK = Pace(attempts=3, first=timedelta(seconds=0.3), factor=4, limit=timedelta(seconds=2))
CLINIC = ClinicId(UUID(int=7))
Ringing = Callable[[Ring, Actor], Awaitable[object]]


@pytest.fixture(scope="module")
async def settings(databases: Databases) -> AsyncIterator[Settings]:
    """A database whose jobs no other test's worker takes."""
    made = await databases.migrated()
    yield made
    await databases.drop(made)


@pytest.fixture
async def works(settings: Settings) -> AsyncIterator[Works[ClinicWork]]:
    """Works on it, with an empty queue."""
    async with superuser(settings) as admin:
        await admin.execute("TRUNCATE jobs.pgqueuer, jobs.pgqueuer_log")
    engine = make_engine(settings)
    yield make_works(settings, engine)
    await engine.dispose()


async def actor_of(clinic_id: ClinicId) -> Actor:
    return Actor(clinic_id=clinic_id, time_zone="America/Guayaquil", user_id=None)


@asynccontextmanager
async def working(settings: Settings, ring: Ringing, pace: Pace = QUICK, cache: int = 200) -> AsyncIterator[None]:
    """A worker in this process, with one handler."""
    queue = PgqueuerQueue(
        settings.direct_url,
        f"{settings.database_role_prefix}_system",
        concurrency=4,
        silence=timedelta(seconds=2),
        grace=timedelta(seconds=5),
        statement_cache=cache,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(queue, {Ring: ring}, [], actor_of, pace).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds; too long is a failure."""
    async with asyncio.timeout(seconds):
        while True:
            if holds():
                return
            await asyncio.sleep(0.02)


async def ring_later(works: Works[ClinicWork], *bells: int, **options: Any) -> None:
    async with works.begin(await actor_of(CLINIC)) as work:
        for bell in bells:
            await work.jobs.defer(Ring(CLINIC, bell), **options)


async def rows(settings: Settings, query: str) -> list[Any]:
    async with superuser(settings) as admin:
        return await admin.fetch(query)


async def settled(settings: Settings, status: str, count: int) -> None:
    """Wait until so many jobs have the status."""
    async with asyncio.timeout(30):
        while True:
            found = await rows(settings, "SELECT status::text FROM jobs.pgqueuer")
            if sum(row["status"] == status for row in found) == count:
                return
            await asyncio.sleep(0.05)


@contextmanager
def logged_as_json(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's log, as in production."""
    root = logging.getLogger()
    handlers, level, raises = list(root.handlers), root.level, logging.raiseExceptions
    for place, hook in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(place, hook, getattr(place, hook))
    logs.configure(settings.model_copy(update={"log_format": "json"}))
    try:
        yield
    finally:
        root.handlers[:], logging.raiseExceptions = handlers, raises
        root.setLevel(level)
        logging.captureWarnings(capture=False)


@pytest.mark.parametrize("cache", [200, 0])
async def test_done(works: Works[ClinicWork], settings: Settings, cache: int) -> None:
    """A job is handed to its handler as the clinic's system, and is gone when done, also where no statement is kept."""
    rung: list[tuple[Ring, Actor]] = []

    async def ring(job: Ring, actor: Actor) -> None:
        rung.append((job, actor))

    async with working(settings, ring, cache=cache):
        await ring_later(works, 1, 2)
        await until(lambda: len(rung) == 2)
    assert sorted((job.bell, actor.clinic_id, actor.user_id) for job, actor in rung) == [
        (1, CLINIC, None),
        (2, CLINIC, None),
    ]
    assert await rows(settings, "SELECT FROM jobs.pgqueuer") == []


async def test_not_before_its_time(works: Works[ClinicWork], settings: Settings) -> None:
    """A job that is deferred until an instant is done then: not before, and soon after."""
    rung: list[datetime] = []

    async def ring(_job: Ring, _actor: Actor) -> None:
        rung.append(datetime.now(UTC))

    at = datetime.now(UTC) + timedelta(seconds=2.5)
    async with working(settings, ring):
        await ring_later(works, 1, at=at)
        await until(lambda: bool(rung))
    assert at <= rung[0] < at + timedelta(seconds=10)


async def test_once_again(works: Works[ClinicWork], settings: Settings) -> None:
    """Under one text a second is dropped while the first waits or runs; after it is done the next one is taken."""
    rung: list[int] = []
    goes_on = asyncio.Event()

    async def ring(job: Ring, _actor: Actor) -> None:
        rung.append(job.bell)
        await goes_on.wait()

    await ring_later(works, 1, once="bell")
    await ring_later(works, 2, once="bell")
    async with working(settings, ring):
        await until(lambda: bool(rung))
        await ring_later(works, 3, once="bell")
        goes_on.set()
        await settled(settings, "picked", 0)
        await ring_later(works, 4, once="bell")
        await until(lambda: len(rung) == 2)
    assert rung == [1, 4]


async def test_again_after_growing_pauses(works: Works[ClinicWork], settings: Settings) -> None:
    """A job that fails is tried again, each time after a longer pause, until it succeeds."""
    tried: list[float] = []

    async def ring(_job: Ring, _actor: Actor) -> None:
        tried.append(time.monotonic())
        if len(tried) < 3:
            raise ConnectionError

    async with working(settings, ring):
        await ring_later(works, 1)
        await until(lambda: len(tried) == 3)
    first, second = tried[1] - tried[0], tried[2] - tried[1]
    assert first >= 0.2
    assert second >= 0.8
    assert await rows(settings, "SELECT FROM jobs.pgqueuer") == []


async def test_failed_for_good(
    works: Works[ClinicWork], settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its last attempt it is kept, with nothing of what the error says; put back, it is tried as a new one."""
    tried: list[int] = []
    heals = False

    async def ring(job: Ring, _actor: Actor) -> None:
        tried.append(job.bell)
        if not heals:
            raise LookupError(CANARY)

    with logged_as_json(settings, monkeypatch):
        async with working(settings, ring):
            await ring_later(works, 1)
            await settled(settings, "failed", 1)
    said = capsys.readouterr().err
    lines = [json.loads(line) for line in said.splitlines()]
    [failure] = [line for line in lines if line["level"] == "error"]
    assert failure["event"] == "job failed for good"
    assert (failure["job"], failure["clinic_id"], failure["attempt"]) == ("test.ring", str(CLINIC), 3)
    assert failure["exception"][0]["type"] == "LookupError"
    kept = await rows(settings, "SELECT traceback::text AS told FROM jobs.pgqueuer_log")
    assert CANARY not in said
    assert not any(CANARY in (row["told"] or "") for row in kept)
    assert tried == [1, 1, 1]

    heals = True
    [job] = await rows(settings, "SELECT id FROM jobs.pgqueuer")
    async with superuser(settings) as admin:
        await queries(AsyncpgDriver(admin)).requeue_jobs([job["id"]])
    async with working(settings, ring):
        await until(lambda: len(tried) == 4)
    assert await rows(settings, "SELECT FROM jobs.pgqueuer") == []


async def test_longer_than_allowed(works: Works[ClinicWork], settings: Settings) -> None:
    """An attempt that does not come to an end is cut off and counts as failed, so that the others are not held up."""
    cut = 0

    async def ring(_job: Ring, _actor: Actor) -> None:
        nonlocal cut
        try:
            await asyncio.sleep(600)
        finally:
            cut += 1

    async with working(settings, ring, Pace(attempts=1, limit=timedelta(seconds=0.2))):
        await ring_later(works, 1)
        await settled(settings, "failed", 1)
    assert cut == 1


async def test_what_kills_its_worker(works: Works[ClinicWork], settings: Settings) -> None:
    """A job whose every attempt ended with its worker is given up, too, instead of killing one worker after another."""
    tried: list[int] = []

    async def ring(job: Ring, _actor: Actor) -> None:
        tried.append(job.bell)

    await ring_later(works, 1)
    async with superuser(settings) as admin:
        await admin.execute(
            "INSERT INTO jobs.pgqueuer_log (job_id, status, priority, entrypoint)"
            " SELECT id, 'picked', 0, entrypoint FROM jobs.pgqueuer, generate_series(1, 3)"
        )
    async with working(settings, ring):
        await settled(settings, "failed", 1)
    assert tried == []


async def test_lost_connections(works: Works[ClinicWork], settings: Settings) -> None:
    """A worker whose connections are cut connects again: what ran then is done, and what comes after it."""
    rung: list[int] = []

    async def ring(job: Ring, _actor: Actor) -> None:
        rung.append(job.bell)
        await asyncio.sleep(0.5)

    async with working(settings, ring):
        await ring_later(works, 1)
        await until(lambda: rung == [1])
        async with superuser(settings) as admin:
            cut = await admin.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = $1 AND datname = current_database()",
                APPLICATION,
            )
        assert cut
        await ring_later(works, 2)
        await until(lambda: 2 in rung)
        await settled(settings, "queued", 0)
        await settled(settings, "picked", 0)


def _at(settings: Settings, url: URL) -> Settings:
    return settings.model_copy(update={"database_admin_url": SecretStr(url.render_as_string(hide_password=False))})


async def test_database_away_at_a_failure(works: Works[ClinicWork], settings: Settings) -> None:
    """A job that fails while the database is away has not failed for good: it is begun anew once that is back."""
    name = make_url(settings.database_url.get_secret_value()).database
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2"
    tried: list[int] = []
    away = asyncio.Event()

    async def ring(job: Ring, _actor: Actor) -> None:
        tried.append(job.bell)
        await away.wait()
        if len(tried) == 1:
            raise ConnectionError

    assert settings.database_admin_url is not None
    elsewhere = make_url(settings.database_admin_url.get_secret_value()).set(database="postgres")
    async with superuser(settings) as admin, superuser(_at(settings, elsewhere)) as outside:
        mine = admin.get_server_pid()
        await ring_later(works, 1)
        try:
            async with working(settings, ring, Pace(first=timedelta(seconds=0.3))):
                await until(lambda: len(tried) == 1)
                await outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
                async with asyncio.timeout(30):
                    while True:
                        if not await outside.fetchval(cut, name, mine):
                            break
                        await asyncio.sleep(0.05)
                away.set()
                await asyncio.sleep(1)
                assert [row["status"] for row in await admin.fetch("SELECT status FROM jobs.pgqueuer")] == ["picked"]
                await outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
                await until(lambda: len(tried) == 2)
        finally:
            await outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert await rows(settings, "SELECT FROM jobs.pgqueuer") == []


async def test_the_library_finds_its_tables(settings: Settings) -> None:
    """The migrations' tables are those that the installed library declares, but for the trigger that is left out."""
    async with superuser(settings) as admin:
        plan = await queries(AsyncpgDriver(admin)).plan_upgrade()
    assert [statement.partition("(")[0].split()[:3] for statement in plan.statements] == [
        ["CREATE", "FUNCTION", "jobs.fn_pgqueuer_changed"],
        ["CREATE", "TRIGGER", "tg_pgqueuer_changed"],
    ]
    assert plan.notes == ()


async def test_pruned(works: Works[ClinicWork], settings: Settings) -> None:
    """What is known of jobs that are done goes after two weeks; a job that failed for good stays."""
    async with works.system_begin("test") as work:
        for age in (13, 15):
            await work.execute(
                "INSERT INTO jobs.pgqueuer_log (job_id, status, priority, entrypoint, created)"
                " VALUES ($1::int, 'successful', 0, 'x', now() - make_interval(days => $1::int))",
                age,
            )
        await work.execute(
            "INSERT INTO jobs.pgqueuer (status, priority, entrypoint, updated) VALUES ('failed', 0, 'x', '2020-01-01')"
        )
    await prune(works)
    assert [row["job_id"] for row in await rows(settings, "SELECT job_id FROM jobs.pgqueuer_log")] == [13]
    assert len(await rows(settings, "SELECT FROM jobs.pgqueuer")) == 1
