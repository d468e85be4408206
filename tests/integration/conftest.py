"""The real parts, each started at most once a run and only when a test asks for it.

PostgreSQL is the embedded server; with DATABASE_URL set, that server, whose role must be a superuser; with
CORAVET_TEST_POSTGRES=container, one in Docker. Everything in it has names of its own and is dropped at the end.
The Auth emulator is started anew; with CORAVET_TEST_EMULATOR set to host:port, that one.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People
from tests.integration.parts.ports import free_ports
from tests.integration.parts.servers import chosen_server

from coravet.adapters.local import firebase
from coravet.settings import Settings


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The superuser's URL of a PostgreSQL server."""
    yield from chosen_server()


@pytest.fixture(scope="session")
async def databases(postgres_server: str) -> AsyncIterator[Databases]:
    """Makes scratch databases; what it made is dropped after the run."""
    made = Databases(postgres_server)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="session")
async def database(databases: Databases) -> Settings:
    """Settings on a migrated database that all tests share: a test works in clinics of its own."""
    return await databases.migrated()


@pytest.fixture
async def fresh_database(databases: Databases) -> AsyncIterator[Settings]:
    """Settings on a migrated database that this test has alone."""
    settings = await databases.migrated()
    yield settings
    await databases.drop(settings)


@pytest.fixture
async def empty_database(databases: Databases) -> AsyncIterator[Settings]:
    """Settings on a database without a table, for tests of migrating."""
    settings = await databases.empty()
    yield settings
    await databases.drop(settings)


@pytest.fixture(scope="session")
def auth_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of the Firebase Auth emulator; nobody has an account that a test did not make."""
    if own := os.environ.get("CORAVET_TEST_EMULATOR"):
        yield own
        return
    tools = firebase.install()
    folder: Path = tmp_path_factory.mktemp("firebase")
    with firebase.AuthEmulator(folder, free_ports(), tools, keep=False) as emulator:
        yield emulator.host


@pytest.fixture(scope="session")
async def people(auth_emulator: str) -> AsyncIterator[People]:
    """Makes accounts in the emulator and signs them in."""
    made = People(auth_emulator)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def settings(database: Settings, auth_emulator: str) -> Settings:
    """Settings on the shared database and the emulator: what a whole application needs."""
    return database.model_copy(update={"firebase_auth_emulator_host": auth_emulator})
