"""The application of the HTTP tests, once more for this folder, and a mail server."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.http.conftest import clinic, service
from tests.integration.http.service import Service
from tests.integration.messaging.scene import Scene, set_scene
from tests.integration.messaging.servers import MailServer, mail_server

__all__ = ["clinic", "service"]


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    """A real SMTP server on loopback."""
    async with mail_server() as server:
        yield server


@pytest.fixture
async def scene(service: Service, mails: MailServer) -> Scene:
    """A clinic of this test's own, whose mails go to that server."""
    return await set_scene(service, mails.port)
