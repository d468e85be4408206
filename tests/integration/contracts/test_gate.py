"""What every gate promises: the real one with its cache, and the one in memory that stands in for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from tests.integration.http.service import superuser
from tests.integration.parts.databases import Databases
from tests.integration.parts.texts import Registry, shown

from coravet.adapters.memory.legal import LegalGate
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.legal.store import PostgresGate
from coravet.bootstrap import make_works
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.legal.documents import path_of
from coravet.core.legal.gate import CachedGate, Gate, Open, OpenDocument


@dataclass
class Scene:
    """A gate, a member of a clinic, and what makes a text wait for them and settles it."""

    gate: Gate
    user_id: UserId
    clinic_id: ClinicId
    ask: Callable[[], Awaitable[None]]
    settle: Callable[[], Awaitable[None]]


TEXT = shown("terms")
DOCUMENT = OpenDocument(
    **TEXT, url="http://127.0.0.1:8000" + path_of("terms", TEXT["version"], "es-EC"), title="Texto de prueba"
)


@pytest.fixture(params=["memory", "PostgreSQL"])
async def scene(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Scene]:
    user_id, clinic_id = UserId(uuid4()), ClinicId(uuid4())
    if request.param == "memory":
        fake = LegalGate()

        async def ask() -> None:
            fake.documents.append(DOCUMENT)

        async def settle() -> None:
            fake.documents.remove(DOCUMENT)

        yield Scene(fake, user_id, clinic_id, ask, settle)
        return
    settings = await databases.migrated()
    engine = make_engine(settings)
    registry = Registry(make_works(settings, engine))
    gate = CachedGate(PostgresGate(engine, settings.public_url), SystemClock())
    async with superuser(settings) as admin:
        await admin.execute(
            "INSERT INTO clinics (id, slug, name, time_zone) VALUES ($1, 'c', 'Clínica', 'America/Guayaquil')",
            clinic_id,
        )
        await admin.execute(
            "INSERT INTO users (id, firebase_uid, email, display_name) VALUES ($1, 'u', 'u@clinica.test', 'U')", user_id
        )
        await admin.execute(
            "INSERT INTO members (clinic_id, id, user_id, roles, active, version) VALUES ($1, $2, $3, $4, true, 1)",
            clinic_id,
            uuid4(),
            user_id,
            ["owner"],
        )

    async def publish() -> None:
        await registry.publish("terms")
        gate.forget()  # which an event does in the service

    async def accept() -> None:
        await registry.decide(user_id, "terms", "accepted")

    yield Scene(gate, user_id, clinic_id, publish, accept)
    await engine.dispose()
    await databases.drop(settings)


async def test_open_and_settled(scene: Scene) -> None:
    """Nobody is asked for anything that does not wait; what waits is told with all that a page needs, in any clinic and
    in none, for as long as it waits; and what was told is the caller's own."""

    async def told() -> list[list[OpenDocument]]:
        gate, user_id, clinic_id = scene.gate, scene.user_id, scene.clinic_id
        every = await gate.all_open(user_id, [clinic_id])
        assert isinstance(every, Open)
        assert every.notices == []
        return [await gate.pending(user_id, None), await gate.pending(user_id, clinic_id), every.pending]

    assert await told() == [[], [], []]
    await scene.ask()
    for _ in range(2):
        found = await told()
        assert found == [[DOCUMENT], [DOCUMENT], [DOCUMENT]]
        for documents in found:
            documents.clear()
    await scene.settle()
    assert await told() == [[], [], []]
