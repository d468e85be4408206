"""Deferring jobs: they belong to the transaction that deferred them, and nobody but a worker sees them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.integration.http.service import superuser

from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.bootstrap import make_works
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.jobs import Job
from coravet.settings import Settings


class Ring(Job, frozen=True, tag="test.ring"):
    """A job of these tests."""

    bell: int


class Knock(Job, frozen=True, tag="test.knock"):
    """Another kind."""


@pytest.fixture(params=[200, 0], ids=["statements kept", "no statement kept"])
async def works(request: pytest.FixtureRequest, database: Settings) -> AsyncIterator[Works[ClinicWork]]:
    """Works as the application's role, as with and without a transaction pooler."""
    settings = database.model_copy(update={"database_statement_cache": request.param})
    engine = make_engine(settings)
    yield make_works(settings, engine)
    await engine.dispose()


@pytest.fixture
def clinic_id() -> ClinicId:
    """A clinic of this test alone."""
    return ClinicId(uuid4())


def actor(clinic_id: ClinicId) -> Actor:
    return Actor(clinic_id=clinic_id, time_zone="America/Guayaquil", user_id=None)


async def waiting(settings: Settings, clinic_id: UUID) -> list[Any]:
    """What waits for the clinic, oldest first."""
    async with superuser(settings) as admin:
        return await admin.fetch(
            "SELECT entrypoint, convert_from(payload, 'UTF8')::jsonb ->> 'bell' AS bell, execute_after, created"
            " FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8')::jsonb ->> 'clinic_id' = $1 ORDER BY id",
            str(clinic_id),
        )


HOLDS_TEXT = {
    "pgqueuer.status": "a word of the library",
    "pgqueuer.entrypoint": "the job's kind",
    "pgqueuer.dedupe_key": "kind, clinic and what the work calls `once`: ids and words",
    "pgqueuer.payload": "the job: ids, see tests/unit/laws/test_jobs.py",
    "pgqueuer.headers": "nothing: the library's tracing would write them, and is not used",
    "pgqueuer_log.status": "as pgqueuer.status",
    "pgqueuer_log.entrypoint": "as pgqueuer.entrypoint",
    "pgqueuer_log.traceback": "the type of an error and lines of code, see test_worker.py",
    "pgqueuer_schedules.entrypoint": "the name of something periodic",
    "pgqueuer_schedules.expression": "when it is done",
    "pgqueuer_schedules.status": "as pgqueuer.status",
    "pgqueuer_statistics.status": "as pgqueuer.status",
    "pgqueuer_statistics.entrypoint": "nothing: no statistics are kept",
}
"""Columns of the queue that could hold what tells of a person, and why they do not: there is nothing to erase."""


async def test_nothing_of_anybody(database: Settings) -> None:
    """Whatever the queue's tables hold beside numbers, ids of ours and instants is listed with its reason."""
    async with superuser(database) as admin:
        found = await admin.fetch(
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns"
            " WHERE table_schema = 'jobs' AND data_type NOT IN"
            " ('bigint', 'integer', 'boolean', 'uuid', 'timestamp with time zone')"
        )
    assert {row["name"] for row in found} == set(HOLDS_TEXT)


async def test_with_the_commit(works: Works[ClinicWork], database: Settings, clinic_id: ClinicId) -> None:
    """A job waits once its work is committed, and not before."""
    async with works.begin(actor(clinic_id)) as work:
        await work.jobs.defer(Ring(clinic_id, 1))
        await work.jobs.defer(Knock(clinic_id))
        await work.fetch("SELECT 1")
        assert await waiting(database, clinic_id) == []
    assert [(row["entrypoint"], row["bell"]) for row in await waiting(database, clinic_id)] == [
        ("test.ring", "1"),
        ("test.knock", None),
    ]


async def test_with_the_rollback(works: Works[ClinicWork], database: Settings, clinic_id: ClinicId) -> None:
    """A job of a work that rolls back was never there."""
    with pytest.raises(RuntimeError):  # noqa: PT012 -- the work is what is rolled back
        async with works.begin(actor(clinic_id)) as work:
            await work.jobs.defer(Ring(clinic_id, 1))
            raise RuntimeError
    assert await waiting(database, clinic_id) == []


async def test_by_the_system(works: Works[ClinicWork], database: Settings, clinic_id: ClinicId) -> None:
    """A system's work defers for any clinic."""
    async with works.system_begin("test") as work:
        await work.jobs.defer(Ring(clinic_id, 7))
    assert len(await waiting(database, clinic_id)) == 1


async def test_later(works: Works[ClinicWork], database: Settings, clinic_id: ClinicId) -> None:
    """The instant is kept as it was given; without one the job may be done at once."""
    at = datetime.now(UTC) + timedelta(days=30, microseconds=1)
    async with works.begin(actor(clinic_id)) as work:
        await work.jobs.defer(Ring(clinic_id, 1), at=at)
        await work.jobs.defer(Ring(clinic_id, 2))
    later, now = await waiting(database, clinic_id)
    assert later["execute_after"] == at
    assert now["execute_after"] == now["created"]


async def test_once(works: Works[ClinicWork], database: Settings, clinic_id: ClinicId) -> None:
    """While one waits a second under the same text is dropped; another kind, text or clinic is another job."""
    other = ClinicId(uuid4())
    for number in (1, 2):
        async with works.begin(actor(clinic_id)) as work:
            await work.jobs.defer(Ring(clinic_id, number), once="bell")
            await work.jobs.defer(Ring(clinic_id, number), once="bell")
    async with works.begin(actor(clinic_id)) as work:
        await work.jobs.defer(Ring(clinic_id, 3), once="other")
        await work.jobs.defer(Knock(clinic_id), once="bell")
        await work.jobs.defer(Ring(clinic_id, 4))
    async with works.begin(actor(other)) as work:
        await work.jobs.defer(Ring(other, 5), once="bell")
    assert sorted(row["bell"] or "" for row in await waiting(database, clinic_id)) == ["", "1", "3", "4"]
    assert len(await waiting(database, other)) == 1


async def test_once_at_once(works: Works[ClinicWork], database: Settings, clinic_id: ClinicId) -> None:
    """Of works that defer the same jobs at one time, in either order, each succeeds, and one job of each waits."""

    async def defer(number: int) -> None:
        async with works.begin(actor(clinic_id)) as work:
            for bell in range(1000)[:: 1 if number % 2 else -1]:
                await work.jobs.defer(Ring(clinic_id, bell), once=str(bell))

    await asyncio.gather(*(defer(number) for number in range(8)))
    assert len(await waiting(database, clinic_id)) == 1000


async def test_refusals(works: Works[ClinicWork], clinic_id: ClinicId) -> None:
    """A job for another clinic than the work's and an instant without a zone are faults of the caller."""
    async with works.begin(actor(clinic_id)) as work:
        with pytest.raises(ValueError, match="another clinic"):
            await work.jobs.defer(Ring(ClinicId(uuid4()), 1))
        with pytest.raises(ValueError, match="without a zone"):
            await work.jobs.defer(Ring(clinic_id, 1), at=datetime(2026, 11, 23))  # noqa: DTZ001 -- the fault


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM jobs.pgqueuer",
        "DELETE FROM jobs.pgqueuer",
        "UPDATE jobs.pgqueuer SET status = 'queued'",
        "INSERT INTO jobs.pgqueuer (status, priority, entrypoint) VALUES ('queued', 0, 'x')",
        "SELECT * FROM jobs.pgqueuer_log",
        "SELECT * FROM jobs.pgqueuer_schedules",
        "SELECT nextval('jobs.pgqueuer_id_seq')",
    ],
)
async def test_by_the_application(database: Settings, statement: str) -> None:
    """The application's role can defer and nothing else: no job of anybody can it read, change, delete or forge."""
    connection = await asyncpg.connect(database.database_url.get_secret_value())
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
