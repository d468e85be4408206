"""Migrations go up, down and up again, and end where the models stand."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.integration.http.service import superuser

from coravet.adapters.postgres.engine import sqlalchemy_url
from coravet.adapters.postgres.migrate import ALEMBIC, alembic_config, migrate
from coravet.settings import Settings

Alembic = Callable[..., Any]


def _revisions() -> list[str]:
    """Every revision, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


@pytest.fixture
async def alembic(empty_database: Settings) -> AsyncIterator[Alembic]:
    """Runs one of Alembic's commands as the owner, on a database that has the roles and no table."""
    await migrate(empty_database, lambda _: None, revision=_revisions()[0])
    assert empty_database.database_admin_url is not None
    url = sqlalchemy_url(empty_database.database_admin_url.get_secret_value())
    engine = create_async_engine(url, poolclass=NullPool)

    async def run(name: str, *arguments: Any) -> None:
        def run_on(connection: Any) -> None:
            prefix = empty_database.database_role_prefix
            connection.exec_driver_sql(f'SET ROLE "{prefix}_owner"')
            connection.commit()
            getattr(command, name)(alembic_config(connection, prefix), *arguments)
            connection.commit()

        async with engine.connect() as connection:
            await connection.run_sync(run_on)

    await run("downgrade", "base")
    yield run
    await engine.dispose()


async def _described(settings: Settings) -> dict[str, list[str]]:
    """All that migrations make: tables, columns, constraints, indexes, policies, functions and grants."""
    queries = {
        "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, generation_expression"
        " FROM information_schema.columns WHERE table_schema IN ('public', 'jobs')",
        "constraints": "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace::regnamespace::text IN ('public', 'jobs')",
        "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'jobs')",
        "policies": "SELECT * FROM pg_policies WHERE schemaname = 'public'",
        "functions": "SELECT p.oid::regprocedure::text, prosrc, proacl::text, prosecdef, proconfig FROM pg_proc p"
        " WHERE pronamespace = 'public'::regnamespace",
        "tables": "SELECT relname, relacl::text, relrowsecurity, relforcerowsecurity FROM pg_class"
        " WHERE relnamespace::regnamespace::text IN ('public', 'jobs') AND relkind IN ('r', 'S')",
        "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "schemas": "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'",
    }
    async with superuser(settings) as admin:
        return {name: sorted(str(tuple(row)) for row in await admin.fetch(query)) for name, query in queries.items()}


async def test_stairway(alembic: Alembic, empty_database: Settings) -> None:
    """Each revision goes up, down to exactly what was before it, and up again to exactly what it made."""
    for revision in _revisions():
        before = await _described(empty_database)
        await alembic("upgrade", revision)
        made = await _described(empty_database)
        assert made != before, revision
        await alembic("downgrade", "-1")
        assert await _described(empty_database) == before, revision
        await alembic("upgrade", revision)
        assert await _described(empty_database) == made, revision


async def test_models(alembic: Alembic) -> None:
    """The newest revision is what the models say: Alembic finds nothing left to migrate."""
    await alembic("upgrade", "head")
    await alembic("check")


async def test_one_line() -> None:
    """Revisions form one line: two that follow the same one would leave two heads."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


async def test_again(fresh_database: Settings) -> None:
    """Migrating what is migrated changes nothing."""
    before = await _described(fresh_database)
    lines: list[str] = []
    await migrate(fresh_database, lines.append)
    assert await _described(fresh_database) == before
    assert lines == [f"Schema is at {_revisions()[-1]}"]


async def test_by_the_application(fresh_database: Settings) -> None:
    """The application's role cannot migrate, nor change the schema in any way."""
    connection = await asyncpg.connect(fresh_database.database_url.get_secret_value())
    try:
        for statement in (
            "CREATE TABLE mine (id int)",
            "ALTER TABLE clients DISABLE ROW LEVEL SECURITY",
            "DROP POLICY own_clinic ON clients",
            "DROP TABLE clients",
            "TRUNCATE clients",
            f"SET ROLE {fresh_database.database_role_prefix}_owner",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
