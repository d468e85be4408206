"""A live layer on real PostgreSQL, in clinics of its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from tests.integration.live.parts import Service

from coravet.settings import Settings


@pytest.fixture
async def service(fresh_database: Settings) -> AsyncIterator[Service]:
    """One service on a database that the test has alone."""
    async with AsyncExitStack() as stack:
        yield Service(fresh_database, stack)
