"""No storage without a scope: what the application's role sees with a clinic, without one, and after one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from asyncpg.exceptions import (
    InsufficientPrivilegeError,
    InvalidTextRepresentationError,
    PostgresError,
    RestrictViolationError,
    UndefinedObjectError,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.laws.test_catalogue import GRANTS, WITHOUT_CLINIC

from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.tenancy.store import PostgresDirectory
from coravet.adapters.postgres.work import NotCommitted, Works
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.settings import Settings

SCOPED = sorted(set(GRANTS) - set(WITHOUT_CLINIC) | {"clinics", "users"})
"""Every table that the application reads by its clinic."""

REFUSED = UndefinedObjectError, InvalidTextRepresentationError
"""A query without a scope: the setting was never made on this connection, or was and is an empty text since."""


@pytest.fixture(scope="module")
async def others(service: Service) -> Clinic:
    """A second clinic, with rows in every table."""
    return await service.full_clinic()


@pytest.fixture(scope="module", autouse=True)
async def _rows(service: Service, clinic: Clinic, others: Clinic) -> None:
    """Rows of both clinics in every table: where nothing is, nothing can be refused."""
    for each in (clinic, others):
        person = {"given_name": "Ana", "family_name": "Pérez"}
        key = {"Idempotency-Key": str(uuid4())}
        await service.done("POST", f"/clinics/{each.slug}/clients", each.owner, json=person, headers=key)
    async with superuser(service.settings) as admin:
        for table in sorted(set(SCOPED) - {"clinics", "users"}):
            found = await admin.fetch(f"SELECT DISTINCT clinic_id FROM {table}")  # noqa: S608 -- a name of the list above
            assert {row["clinic_id"] for row in found} >= {UUID(clinic.id), UUID(others.id)}, f"plant rows in {table}"


@pytest.fixture
async def app(database: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A fresh connection as the application's role."""
    connection = await asyncpg.connect(database.database_url.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


async def _scope(connection: asyncpg.Connection, clinic: Clinic) -> None:
    await connection.execute("SELECT set_config('app.clinic_id', $1, true)", clinic.id)


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used before"])
@pytest.mark.parametrize("table", SCOPED)
async def test_unscoped(table: str, used: bool, app: asyncpg.Connection, clinic: Clinic) -> None:
    """A query without a scope is an error on every table, never "all rows" nor "no rows"; after one was set, too."""
    if used:
        async with app.transaction():
            await _scope(app, clinic)
            assert await app.fetchval(f"SELECT count(*) FROM {table}") > 0  # noqa: S608 -- as above
    with pytest.raises(REFUSED):
        await app.fetch(f"SELECT * FROM {table}")  # noqa: S608 -- as above
    if "UPDATE" in GRANTS[table]:
        column = "id" if table == "clinics" else "clinic_id"
        with pytest.raises(REFUSED):
            await app.execute(f"UPDATE {table} SET {column} = {column}")  # noqa: S608 -- as above
    if "DELETE" in GRANTS[table]:
        with pytest.raises(REFUSED):
            await app.execute(f"DELETE FROM {table}")  # noqa: S608 -- as above


@pytest.mark.parametrize("table", SCOPED)
async def test_scoped(table: str, app: asyncpg.Connection, clinic: Clinic, others: Clinic) -> None:
    """A scoped query sees its own clinic and no other, on every table."""
    key = {"clinics": "id", "users": "(SELECT max(clinic_id::text)::uuid FROM members WHERE user_id = users.id)"}
    for each in (clinic, others):
        async with app.transaction():
            await _scope(app, each)
            rows = await app.fetch(f"SELECT DISTINCT {key.get(table, 'clinic_id')} AS clinic_id FROM {table}")  # noqa: S608 -- as above
            assert [row["clinic_id"] for row in rows] == [UUID(each.id)]


@pytest.mark.parametrize("table", sorted(set(SCOPED) - {"clinics", "users"}))
async def test_writing_to_others(table: str, app: asyncpg.Connection, clinic: Clinic, others: Clinic) -> None:
    """A scoped work can neither add a row to another clinic nor hand one of its own over to it."""
    columns = await app.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER'", table
    )
    names = ", ".join(row["column_name"] for row in columns)
    copied = names.replace("clinic_id", f"'{others.id}'::uuid")
    # A trigger that guards encounters and prescriptions, or what is settled, says no before the policy is asked.
    refused = pytest.raises(
        (InsufficientPrivilegeError, RestrictViolationError),
        match=r"row-level security|encounter|prescription|settled|closed",
    )
    # Whoever was erased stays erased, in whatever clinic.
    whose = "WHERE erased_at IS NULL" if "erased_at" in names else ""
    if "INSERT" in GRANTS[table]:
        transaction = app.transaction()
        await transaction.start()
        await _scope(app, clinic)
        with refused:
            copy = f"INSERT INTO {table} ({names}) SELECT {copied} FROM {table} {whose} LIMIT 1"  # noqa: S608 -- as above
            await app.execute(copy)
        await transaction.rollback()
    if "UPDATE" in GRANTS[table]:
        async with app.transaction():
            await _scope(app, clinic)
            with refused:
                async with app.transaction():
                    await app.execute(f"UPDATE {table} SET clinic_id = $1 {whose}", UUID(others.id))  # noqa: S608 -- as above


@pytest.mark.parametrize("table", ["operators", "ended_sessions"])
async def test_of_the_system(table: str, app: asyncpg.Connection, clinic: Clinic) -> None:
    """Tables of the service itself are closed to the application's role, scoped or not."""
    async with app.transaction():
        await _scope(app, clinic)
        with pytest.raises(InsufficientPrivilegeError):
            async with app.transaction():
                await app.fetch(f"SELECT * FROM {table}")  # noqa: S608 -- as above


@pytest.fixture
async def pool(database: Settings) -> AsyncIterator[AsyncEngine]:
    """A pool of one connection, which whoever takes it finds as the one before left it."""
    engine = make_engine(database.model_copy(update={"database_pool_size": 1}))
    yield engine
    await engine.dispose()


@pytest.fixture
def works(pool: AsyncEngine, database: Settings) -> Works[ClinicWork]:
    """Works on that pool."""
    return Works(pool, ClinicWork, f"{database.database_role_prefix}_system")


def _actor(clinic: Clinic) -> Actor:
    return Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="UTC", user_id=None)


async def _left_behind(pool: AsyncEngine) -> tuple[int, str, str]:
    """The pooled connection, the scope that is set on it and its role."""
    async with pool.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        found = await raw.fetchrow(
            "SELECT pg_backend_pid() AS pid, coalesce(current_setting('app.clinic_id', true), '') AS scope,"
            " current_user::text AS role"
        )
        assert found is not None
        return found["pid"], found["scope"], found["role"]


async def test_nothing_left_behind(
    pool: AsyncEngine, works: Works[ClinicWork], database: Settings, clinic: Clinic
) -> None:
    """A work leaves neither its clinic nor its role on the pooled connection, however it ends."""
    app = f"{database.database_role_prefix}_app"
    first = await _left_behind(pool)
    assert first[1:] == ("", app)
    async with works.begin(_actor(clinic)) as work:
        assert len(await work.fetch("SELECT id FROM clinics")) == 1
    assert await _left_behind(pool) == first
    with pytest.raises(NotFound):
        async with works.begin(_actor(clinic)):
            raise NotFound
    assert await _left_behind(pool) == first
    async with works.system_begin("tests") as work:
        [row] = await work.fetch("SELECT current_user::text AS role")
        assert row["role"] == f"{database.database_role_prefix}_system"
    assert await _left_behind(pool) == first


async def test_scope_to_the_end(works: Works[ClinicWork], clinic: Clinic) -> None:
    """The scope holds until the work ends: after a savepoint, and after a session's commit, which commits nothing."""
    async with works.begin(_actor(clinic)) as work:
        async with work.session.begin_nested():
            assert len(await work.fetch("SELECT id FROM clinics")) == 1
        await work.session.commit()
        assert len(await work.fetch("SELECT id FROM clinics")) == 1


async def test_system(works: Works[ClinicWork], clinic: Clinic, others: Clinic) -> None:
    """A system's work sees every clinic, and each use is counted under its reason."""
    for _ in range(2):
        async with works.system_begin("tests look") as work:
            rows = await work.fetch("SELECT DISTINCT clinic_id FROM clients")
            assert {row["clinic_id"] for row in rows} >= {UUID(clinic.id), UUID(others.id)}
    assert works.system_reasons["tests look"] == 2


async def test_an_unended_transaction_is_not_lent_again(pool: AsyncEngine, clinic: Clinic) -> None:
    """A connection that comes back within a transaction is closed: its scope would be the next one's."""
    first = await _left_behind(pool)
    async with pool.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute(f"BEGIN; SET LOCAL app.clinic_id = '{clinic.id}'")
    pid, scope, role = await _left_behind(pool)
    assert pid != first[0]
    assert (scope, role) == first[1:]


@pytest.mark.parametrize(
    "again", [None, 0, 1, 2], ids=lambda turns: "once" if turns is None else f"again after {turns}"
)
@pytest.mark.parametrize("turns", range(10))
async def test_cut_off(
    pool: AsyncEngine, works: Works[ClinicWork], clinic: Clinic, turns: int, again: int | None
) -> None:
    """A work that is cancelled at any point, and again while it rolls back, leaves no open transaction, nor a scope."""

    async def slow() -> None:
        async with works.begin(_actor(clinic)) as work:
            await work.fetch("SELECT pg_sleep(0.1)")

    await _left_behind(pool)  # from here on the pool has its connection
    task = asyncio.create_task(slow())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    if again is not None:
        for _ in range(again):
            await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with pool.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.fetch("SELECT")  # by now what was cut off is over
        assert not raw.is_in_transaction()


async def test_a_dead_connection_is_not_lent_again(
    pool: AsyncEngine, works: Works[ClinicWork], service: Service, clinic: Clinic
) -> None:
    """Whoever has a connection when it dies is told to try again; the next one gets another."""
    directory = PostgresDirectory(pool)
    for use in ("work", "directory"):
        pid, *_ = await _left_behind(pool)
        async with superuser(service.settings) as admin:
            await admin.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        with pytest.raises(Unavailable):  # noqa: PT012 -- either way of using the pool
            if use == "work":
                async with works.begin(_actor(clinic)):
                    pass
            else:
                await directory.invited_to(b"")
        assert (await _left_behind(pool))[0] != pid


async def test_a_swallowed_failure_is_not_answered_as_success(works: Works[ClinicWork], clinic: Clinic) -> None:
    """Where a statement failed and its error went unheeded, ending the work is an error: nothing was stored."""
    with pytest.raises(NotCommitted):  # noqa: PT012 -- the error comes where the work ends
        async with works.begin(_actor(clinic)) as work:
            with suppress(PostgresError):
                await work.fetch("SELECT 1 / 0")


async def test_past_begin(pool: AsyncEngine) -> None:
    """A connection that is taken past `begin` has no scope, and so no rows: it fails."""
    async with pool.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        with pytest.raises(REFUSED):
            await raw.fetch("SELECT * FROM clients")
