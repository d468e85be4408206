"""A live layer on real PostgreSQL, in clinics of its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.integration.live.machines import Fleet
from tests.integration.live.parts import Service
from tests.integration.parts.people import People

from coravet.settings import Settings


@pytest.fixture
async def service(fresh_database: Settings) -> AsyncIterator[Service]:
    """One service on a database that the test has alone."""
    async with AsyncExitStack() as stack:
        yield Service(fresh_database, stack)


@pytest.fixture
async def fleet(fresh_database: Settings, auth_emulator: str, people: People, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A clinic, and one machine that serves it."""
    settings = fresh_database.model_copy(update={"firebase_auth_emulator_host": auth_emulator})
    async with AsyncExitStack() as stack:
        fleet = Fleet(Service(fresh_database, stack), settings, stack, tmp_path)
        await fleet.settle(people)
        yield fleet
