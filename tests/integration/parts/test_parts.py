"""The parts that every other integration test stands on."""

import asyncpg
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People

from coravet.settings import Settings


async def _connect(settings: Settings) -> asyncpg.Connection:
    return await asyncpg.connect(settings.database_url.get_secret_value())


async def test_scratch_databases_apart(database: Settings, fresh_database: Settings) -> None:
    """Two scratch databases are two databases at one revision, both entered as the application's unprivileged role."""
    seen = []
    for settings in (database, fresh_database):
        connection = await _connect(settings)
        seen.append(
            await connection.fetchrow(
                "SELECT current_database() AS name, current_user AS role, rolsuper, rolbypassrls, rolname,"
                " to_regclass('public.clinics') IS NOT NULL AS migrated"
                " FROM pg_roles WHERE rolname = current_user"
            )
        )
        await connection.close()
    assert seen[0]["name"] != seen[1]["name"]
    assert [row["role"] for row in seen] == [f"{database.database_role_prefix}_app"] * 2
    assert not any(row["rolsuper"] or row["rolbypassrls"] for row in seen)
    assert all(row["migrated"] for row in seen)


async def test_nothing_left(postgres_server: str) -> None:
    """Closing drops each database and role that was made, also where somebody is still connected."""
    made = Databases(postgres_server)
    connection = await _connect(await made.migrated())
    await made.close()
    await connection.close()
    admin = await asyncpg.connect(postgres_server)
    pattern = f"{made.role_prefix}%"
    assert await admin.fetchval("SELECT count(*) FROM pg_database WHERE datname LIKE $1", pattern) == 0
    assert await admin.fetchval("SELECT count(*) FROM pg_roles WHERE rolname LIKE $1", pattern) == 0
    await admin.close()


async def test_people_sign_in(people: People) -> None:
    """A person made in the emulator signs in with the password and gets an ID token of three parts."""
    person = await people.create("vera")
    assert person.email.startswith("vera-")
    assert (await people.sign_in(person)).count(".") == 2
