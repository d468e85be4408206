"""One application for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.http.service import Clinic, Service, running
from tests.integration.parts.people import People

from coravet.settings import Settings


@pytest.fixture(scope="session")
async def service(settings: Settings, people: People) -> AsyncIterator[Service]:
    """The application in this process."""
    async with running(settings, people) as found:
        yield found


@pytest.fixture(scope="session")
async def clinic(service: Service) -> Clinic:
    """A furnished clinic with a member of every role."""
    return await service.full_clinic()
