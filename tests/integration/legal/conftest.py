"""The application of the HTTP tests, once more for this folder, and one that a file of tests has alone."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.http.conftest import clinic, service
from tests.integration.http.service import Service, running
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People

__all__ = ["clinic", "service"]


@pytest.fixture(scope="module")
async def alone(databases: Databases, people: People, auth_emulator: str) -> AsyncIterator[Service]:
    """An application on a database of its own, where publishing binds nobody else's people."""
    settings = (await databases.migrated()).model_copy(update={"firebase_auth_emulator_host": auth_emulator})
    async with running(settings, people) as found:
        yield found
    await databases.drop(settings)
