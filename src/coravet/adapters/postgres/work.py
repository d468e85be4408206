"""The scoped transaction."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache, cached_property
from itertools import count
from operator import attrgetter
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Mapper, class_mapper
from uuid_utils.compat import uuid7

from coravet.adapters.postgres.constraints import domain_error
from coravet.adapters.postgres.engine import lent
from coravet.adapters.postgres.jobs import DeferredJobs
from coravet.core.kernel.actor import NO_CLINIC, Actor, ClinicId, UserId
from coravet.core.kernel.errors import IdempotencyMismatch, NotFound
from coravet.core.kernel.events import Event
from coravet.core.kernel.work import Once, Replayed

T = TypeVar("T")
Row = TypeVar("Row")

NOBODY = UserId(UUID(int=0))
"""In whose name the answers to guests are kept."""


_TELL = (
    "INSERT INTO outbox (clinic_id, id, kind, audience, person_id, subject_type, subject_id, subject_version,"
    " actor_user_id) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[],"
    " $7::uuid[], $8::integer[], $9::uuid[])"
)
_DEFER = "SELECT enqueue_jobs(${}, ${}, ${}, ${})"
"""Events and jobs, each in one statement however many; both in one, for others may wait until this work ends."""


class Rows(Generic[Row]):
    """The rows of one aggregate in the work's clinic; row-level security draws its border."""

    def __init__(self, session: AsyncSession, kind: type[Row]) -> None:
        class _Repository(SQLAlchemyAsyncRepository[Any]):
            model_type = kind

        self._session = session
        self._kind: Any = kind
        self._repository = _Repository(session=session, wrap_exceptions=False)

    async def add(self, row: Row) -> None:
        """Store a new row at once, so that a broken constraint shows here."""
        await self._repository.add(row)

    async def get(self, row_id: UUID) -> Row:
        """The row, or NotFound."""
        return await self._one(row_id)

    async def lock(self, row_id: UUID) -> Row:
        """The row, locked until the work ends, or NotFound."""
        return await self._one(row_id, with_for_update=True)

    async def _one(self, row_id: UUID, **options: Any) -> Row:
        row: Row | None = await self._repository.get_one_or_none(self._kind.id == row_id, **options)
        if row is None:
            raise NotFound
        return row


class PostgresWork:
    """One transaction, scoped to the actor's clinic, with every noun's ports."""

    def __init__(self, engine: AsyncEngine, connection: PoolProxiedConnection, actor: Actor, once: Once | None) -> None:
        self._engine = engine
        self._connection = connection
        self._driver: Any = connection.driver_connection
        self.actor = actor
        self._once = once
        self._events: list[tuple[ClinicId, Event]] = []
        self._answer: Any = None
        self.role: str | None = None
        self.system_role = ""
        self.system_reasons: Counter[str] = Counter()
        self.tell: Callable[[Any], Any] = lambda view: view
        self.public_url = ""

    @cached_property
    def session(self) -> AsyncSession:
        """The mapper's session in this transaction, made when an aggregate is first asked for: reads do without."""
        connection = AsyncConnection(self._engine, Connection(self._engine.sync_engine, self._connection))
        return AsyncSession(connection, expire_on_commit=False, autoflush=False)

    @cached_property
    def jobs(self) -> DeferredJobs:
        """What is to be done after this work, written with it."""
        return DeferredJobs(None if self.actor.clinic_id == NO_CLINIC else self.actor.clinic_id)

    async def flush(self) -> None:
        """Write what was changed so far of the aggregates."""
        if "session" in vars(self):
            await self.session.flush()

    def new_id(self) -> UUID:
        return uuid7()

    def emit(self, event: Event, clinic_id: ClinicId | None = None) -> None:
        scope = clinic_id or self.actor.clinic_id
        if scope == NO_CLINIC:
            raise ValueError(f"{event.kind()} was raised by a system's work without naming its clinic")
        self._events.append((scope, event))

    def answer(self, view: T, kept: T | None = None) -> T:
        told: T = self.tell(view)
        self._answer = told if kept is None else kept
        return told

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of a read, past the mapper: what was changed so far is written first, so that the read sees it."""
        await self.flush()
        rows: list[asyncpg.Record] = await self._driver.fetch(sql, *arguments)
        return rows

    async def execute(self, sql: str, *arguments: Any) -> str:
        """One statement past the mapper; answers its command tag."""
        await self.flush()
        tag: str = await self._driver.execute(sql, *arguments)
        return tag

    async def execute_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        await self.flush()
        await self._driver.executemany(sql, rows)

    async def copy_out(self, query: str, output: Callable[[bytes], Awaitable[None]], longest: float) -> None:
        """Hand on a query's rows as CSV with a header, piece by piece, as fast as they are taken.

        Args:
            longest: seconds that this may take, however slowly they are taken.
        """
        await self.flush()
        await self._driver.copy_from_query(query, output=output, format="csv", header=True, timeout=longest)

    async def insert(self, *kinds: Sequence[object]) -> None:
        """Store new aggregates past the mapper, in one statement and at a fraction of its cost.

        Later changes to them are not stored: `get` or `lock` a row to change it.

        Args:
            kinds: rows of one kind each, at least one; those that others refer to may come along.
        """
        sql, values = _insertion(*((type(rows[0]), len(rows)) for rows in kinds))
        arguments = [value for rows, of in zip(kinds, values, strict=True) for row in rows for value in of(row)]
        await self.execute(sql, *arguments)

    @asynccontextmanager
    async def as_system(self, reason: str) -> AsyncIterator[None]:
        """Go on as the system meanwhile, in this transaction; every use is counted as those of `system_begin` are.

        Rows of all clinics are in reach then: each statement names the work's.
        """
        await self.flush()
        self.system_reasons[reason] += 1
        await self._driver.execute(_as(self.system_role))
        yield
        await self.flush()
        await self._driver.execute(_as(self.role))

    async def open(self) -> None:
        """Take the caller's key, waiting for another request under it.

        Raises:
            Replayed: the same request was answered before.
            IdempotencyMismatch: the key was used for another one.
        """
        if self._once is None:
            return
        scope = (self.actor.clinic_id, self.actor.user_id or NOBODY, self._once.key)
        taken = await self.execute(
            "INSERT INTO idempotency_keys (clinic_id, user_id, key, fingerprint) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING",
            *scope,
            self._once.fingerprint,
        )
        if taken == "INSERT 0 1":
            return
        [kept] = await self.fetch(
            "SELECT fingerprint, answer FROM idempotency_keys WHERE clinic_id = $1 AND user_id = $2 AND key = $3",
            *scope,
        )
        if kept["fingerprint"] != self._once.fingerprint:
            raise IdempotencyMismatch
        raise Replayed(kept["answer"])

    async def close(self) -> bool:
        """Write what was held back until the end; answers whether there are events to announce."""
        await self.flush()
        deferred = self.jobs.columns() if "jobs" in vars(self) else None
        if self._events and deferred:
            await self.execute(f"WITH told AS ({_TELL}) {_DEFER.format(10, 11, 12, 13)}", *self._told(), *deferred)
        elif self._events:
            await self.execute(_TELL, *self._told())
        elif deferred:
            await self.execute(_DEFER.format(1, 2, 3, 4), *deferred)
        if self._once is not None:
            if self._answer is None:
                raise RuntimeError("a use case that takes an Idempotency-Key must end with work.answer(…)")
            await self.execute(
                "UPDATE idempotency_keys SET answer = $4 WHERE clinic_id = $1 AND user_id = $2 AND key = $3",
                self.actor.clinic_id,
                self.actor.user_id or NOBODY,
                self._once.key,
                msgspec.json.encode(self._answer),
            )
        return bool(self._events)

    def _told(self) -> list[list[object]]:
        """The events, column by column, as `_TELL` takes them."""
        rows = [
            (
                clinic_id,
                self.new_id(),
                raised.kind(),
                raised.audience,
                getattr(raised, "person", None),
                raised.subject_type,
                raised.id,
                raised.version,
                self.actor.user_id,
            )
            for clinic_id, raised in self._events
        ]
        return [list(column) for column in zip(*rows, strict=True)]


@cache
def _insertion(*kinds: tuple[type, int]) -> tuple[str, list[Callable[[Any], tuple[Any, ...]]]]:
    """The statement that stores so many rows of each kind, and what makes the arguments of one.

    PostgreSQL checks references when the whole statement has run, so that its parts may refer to each other.
    """
    parts: list[str] = []
    values: list[Callable[[Any], tuple[Any, ...]]] = []
    numbers = count(1)
    for kind, length in kinds:
        mapper: Mapper[Any] = class_mapper(kind)
        names = [column.key for column in mapper.local_table.columns if column.key in mapper.attrs]
        rows = ", ".join(f"({', '.join(f'${next(numbers)}' for _ in names)})" for _ in range(length))
        parts.append(f"INSERT INTO {mapper.local_table} ({', '.join(names)}) VALUES {rows}")  # noqa: S608 -- our names
        values.append(attrgetter(*names))
    *first, last = parts
    named = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(first))
    return (f"WITH {named} {last}" if first else last), values


WorkT = TypeVar("WorkT", bound=PostgresWork)


class Works(Generic[WorkT]):
    """Opens units of work on one engine.

    Args:
        kind: the work's class, with the ports of every noun.
        system_role: the role that a system's work takes on.
        committed: is called after a commit that left events in the outbox.
        public_url: where people reach the service, without a slash at its end.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        kind: type[WorkT],
        system_role: str,
        committed: Callable[[], None] = lambda: None,
        public_url: str = "",
    ) -> None:
        self._engine = engine
        self._kind = kind
        self._system_role = system_role
        self.committed = committed
        self.public_url = public_url
        self.system_reasons: Counter[str] = Counter()

    @asynccontextmanager
    async def begin(self, actor: Actor, once: Once | None = None) -> AsyncIterator[WorkT]:
        """Open a work in the actor's clinic."""
        async with self._open(actor, once, None) as work:
            yield work

    @asynccontextmanager
    async def system_begin(
        self, reason: str, user_id: UserId | None = None, once: Once | None = None
    ) -> AsyncIterator[WorkT]:
        """Open a work across clinics."""
        self.system_reasons[reason] += 1
        actor = Actor(clinic_id=NO_CLINIC, time_zone="UTC", user_id=user_id)
        async with self._open(actor, once, self._system_role) as work:
            yield work

    @asynccontextmanager
    async def _open(self, actor: Actor, once: Once | None, role: str | None) -> AsyncIterator[WorkT]:
        announce = False
        try:
            async with lent(self._engine) as connection:
                driver: Any = connection.driver_connection
                try:
                    await driver.execute(_begin(actor.clinic_id, role))
                    work = self._kind(self._engine, connection, actor, once)
                    work.public_url = self.public_url
                    work.role, work.system_role, work.system_reasons = role, self._system_role, self.system_reasons
                    await work.open()
                    yield work
                    announce = await work.close()
                except BaseException:
                    try:
                        await driver.execute("ROLLBACK")
                    except BaseException:
                        # Cut off once more: what the server did last is not known, so nobody is lent this again.
                        driver.terminate()
                        raise
                    raise
                await _commit(driver)
        except Exception as error:
            meant = domain_error(error)
            if meant is None:
                raise
            raise meant from error
        if announce:
            self.committed()


class NotCommitted(Exception):
    """PostgreSQL answered COMMIT by rolling back: a statement had failed, and its error went unheeded."""


async def _commit(driver: Any) -> None:
    if await driver.execute("COMMIT") != "COMMIT":
        raise NotCommitted


def _as(role: str | None) -> str:
    """Act as the role for the rest of the transaction; as the one that signed in, where it is None."""
    return "SET LOCAL ROLE NONE" if role is None else f'SET LOCAL ROLE "{role}"'


def _begin(clinic_id: ClinicId, role: str | None) -> str:
    """Begin a transaction in the clinic, and as the role: the one place where either is set.

    Both are set for the transaction only, so nothing is left on the pooled connection; as literals, since a distributed
    PostgreSQL passes on no other kind to its workers; and in one round trip.
    """
    statements = f"BEGIN; SET LOCAL app.clinic_id = '{UUID(int=clinic_id.int)}'"
    return statements if role is None else f"{statements}; {_as(role)}"
