"""Messages are queued once, and links are found by their token alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tests.integration.http.service import Clinic, Service, superuser

from coravet.adapters.postgres.tenancy.store import PostgresDirectory
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.messaging.links import hash_link, mint
from coravet.core.messaging.ports import NewMessage

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)


@pytest.fixture(scope="module")
def actor(clinic: Clinic) -> Actor:
    """The system, at work for the clinic."""
    return Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)


async def test_once(service: Service, actor: Actor) -> None:
    """A message that twenty works queue at once is there once for each channel; another instant's is another's."""
    subject = uuid4()

    async def queue(due_at: datetime) -> None:
        async with service.application.works.begin(actor) as work:
            await work.messages.queue(NewMessage("visit_booked", "appointment", subject, due_at))

    await asyncio.gather(*(queue(NOON) for _ in range(20)))
    await queue(NOON + timedelta(minutes=1))
    async with superuser(service.settings) as admin:
        rows = await admin.fetch("SELECT channel, due_at FROM messages WHERE subject_id = $1", subject)
    assert sorted((row["channel"], row["due_at"] > NOON) for row in rows) == [
        ("mail", False), ("mail", True), ("whatsapp", False), ("whatsapp", True),
    ]  # fmt: skip


async def test_link(service: Service, actor: Actor) -> None:
    """A link is found by its token, which is stored as a hash alone; once revoked it is as unknown as any other."""
    directory = PostgresDirectory(service.application.engine)
    subject, expires_at = uuid4(), NOON + timedelta(days=1)
    async with service.application.works.begin(actor) as work:
        token = await mint(work, "cancel", subject, expires_at)
    found = await directory.link(hash_link(token))
    assert found is not None
    assert (found.clinic_id, found.time_zone) == (actor.clinic_id, "America/Guayaquil")
    assert (found.purpose, found.subject_id, found.expires_at) == ("cancel", subject, expires_at)
    async with superuser(service.settings) as admin:
        stored = await admin.fetchval("SELECT l::text FROM links l WHERE subject_id = $1", subject)
        assert token not in stored
        await admin.execute("UPDATE links SET revoked_at = now() WHERE subject_id = $1", subject)
    assert await directory.link(hash_link(token)) is None
    assert await directory.link(hash_link("unknown")) is None
