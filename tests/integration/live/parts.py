"""What a process of the service has of the live layer, on real PostgreSQL, and clinics with people in them."""

from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.unit.live.parts import NEVER, Client

from coravet.adapters.memory.legal import LegalGate
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.live.journal import PostgresJournal
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.tenancy.store import PostgresDirectory
from coravet.adapters.postgres.work import Works
from coravet.bootstrap import make_fanout
from coravet.core.kernel.actor import Actor, ClinicId, MemberId, UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.events import Event
from coravet.core.legal.gate import CachedGate
from coravet.core.tenancy.permissions import permissions_of
from coravet.entrypoints.live.dispatcher import Dispatcher
from coravet.entrypoints.live.hub import Hub, Viewer
from coravet.entrypoints.live.stream import Pace, open_stream
from coravet.settings import Settings


class Process:
    """One process of the service: its own pool, listener, dispatcher and hub."""

    def __init__(self, settings: Settings) -> None:
        self.clock = SystemClock()
        self.engine: AsyncEngine = make_engine(settings)
        self.works = Works(self.engine, ClinicWork, f"{settings.database_role_prefix}_system")
        self.journal = PostgresJournal(self.works)
        self.fanout = make_fanout(settings)
        self.directory = PostgresDirectory(self.engine)
        self.dispatcher = Dispatcher(self.journal, self.fanout, self.clock)
        self.works.committed = self.dispatcher.wake
        self.hub = Hub(self.journal, self.fanout, self.directory, CachedGate(LegalGate(), self.clock), self.clock)

    async def emit(self, actor: Actor, *events: Event) -> None:
        """Commit events in one work."""
        async with self.works.begin(actor) as work:
            for event in events:
                work.emit(event)


class Service:
    """Any number of processes on one database; they end with the test."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self.settings = settings
        self._stack = stack

    def process(self) -> Process:
        """A process that is not running: it numbers and hands out only when asked."""
        process = Process(self.settings)
        self._stack.push_async_callback(process.engine.dispose)
        return process

    async def run(self) -> Process:
        """A process that runs."""
        process = self.process()
        for part in (process.fanout, process.dispatcher, process.hub):
            await self._stack.enter_async_context(part)
        return process

    async def admin(self) -> asyncpg.Connection:
        """A superuser's connection."""
        url = self.settings.database_admin_url
        assert url is not None
        connection = await asyncpg.connect(url.get_secret_value())
        self._stack.push_async_callback(connection.close)
        return connection

    async def member(self, clinic_id: ClinicId | None, *roles: str) -> Actor:
        """A person who is a member of a clinic, of a new one where none is given."""
        admin = await self.admin()
        if clinic_id is None:
            clinic_id = ClinicId(uuid4())
            await admin.execute(
                "INSERT INTO clinics (id, slug, name, time_zone) VALUES ($1, $2, 'Clínica', 'America/Guayaquil')",
                clinic_id,
                f"c-{clinic_id.hex[:20]}",
            )
        user_id, member_id = UserId(uuid4()), MemberId(uuid4())
        await admin.execute(
            "INSERT INTO users (id, firebase_uid, email, display_name)"
            " VALUES ($1, $2, $2 || '@clinica.test', 'Persona')",
            user_id,
            user_id.hex,
        )
        await admin.execute(
            "INSERT INTO members (clinic_id, id, user_id, roles, active, version) VALUES ($1, $2, $3, $4, true, 1)",
            clinic_id,
            member_id,
            user_id,
            list(roles),
        )
        return Actor(
            clinic_id=clinic_id,
            time_zone="America/Guayaquil",
            user_id=user_id,
            member_id=member_id,
            roles=frozenset(roles),
            permissions=permissions_of(roles),
        )

    async def connect(
        self, process: Process, actor: Actor, last_event_id: int | None = None, *, session: Viewer | None = None
    ) -> Client:
        """Open a stream of this person on this process and begin to read it."""
        now = process.clock.now()
        viewer = session or Viewer(
            actor=actor,
            uid=str(actor.user_id),
            session_id=uuid4(),
            issued_at=now,
            expires_at=now + timedelta(hours=1),
            verified_at=now,
        )
        response = await open_stream(
            process.hub, process.journal, process.clock, viewer, last_event_id, Pace(proof=NEVER)
        )
        client = Client(response)
        self._stack.push_async_callback(client.hang_up)
        return client
