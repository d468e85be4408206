"""An application whose every word is kept: what it logs, and what it reports."""

import sys
from collections.abc import AsyncIterator, Iterator

import pytest
import sentry_sdk
import structlog
from pydantic import SecretStr
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from tests.integration.http.service import Service, running
from tests.integration.parts.people import People
from tests.unit.telemetry.conftest import process
from tests.unit.telemetry.parts import Written

from coravet.adapters.telemetry import logs, sentry
from coravet.settings import Settings

__all__ = ["process"]


@pytest.fixture
def talkative(fresh_database: Settings, auth_emulator: str) -> Settings:
    """Settings on a database of its own under which as much as can be is logged and reported."""
    return fresh_database.model_copy(
        update={
            "firebase_auth_emulator_host": auth_emulator,
            "log_level": "debug",
            "log_format": "json",
            "sentry_dsn": SecretStr("https://key@sentry.example.test/1"),
            "sentry_events_per_hour": 100_000,
            "sentry_traces_sample_rate": 1.0,
        }
    )


@pytest.fixture
def logged(process: None, talkative: Settings, monkeypatch: pytest.MonkeyPatch) -> Written:
    """What is logged."""
    stderr = Written()
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.configure(talkative)
    # Else whoever logged here would go on to write to this stream after the test.
    structlog.configure(cache_logger_on_first_use=False)
    return stderr


@pytest.fixture
def envelopes(talkative: Settings, logged: Written) -> Iterator[list[bytes]]:
    """What leaves for Sentry."""
    sent: list[bytes] = []

    class Keep(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            sent.append(envelope.serialize())

    sentry.configure(talkative, transport=Keep)
    yield sent
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
async def service(talkative: Settings, people: People, envelopes: list[bytes]) -> AsyncIterator[Service]:
    """The application on a database of its own."""
    async with running(talkative, people) as found:
        yield found
