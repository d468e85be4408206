"""A booking's transaction as the service runs it, recorded once, and played again with nothing around it.

The statements are the service's own, whatever they are today, so that there is no copy to fall behind.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import msgspec
from asyncpg.exceptions import DeadlockDetectedError, ExclusionViolationError
from uuid_utils.compat import uuid7

from coravet.adapters.local import LocalError
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.scheduling.reads import APPOINTMENTS
from coravet.adapters.postgres.work import Works
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import SystemClock
from coravet.core.scheduling.book import NewAppointment, book
from coravet.settings import Settings

BOOKED = "201"
TAKEN = "409 slot_taken"
DEADLOCK = "40P01"
_LOCK = "pg_advisory_xact_lock"
_NEAR = timedelta(days=2)
_ELSEWHERE = timedelta(weeks=10)
_HELD = "SELECT resource_id, lane, starts_at, ends_at, expires_at FROM allocations"


class Script(msgspec.Struct):
    """The statements of one booking with their arguments, from BEGIN to COMMIT.

    Attributes:
        rooms: those that serve the visit; a booking takes the first that is free, as the service does.
        new: ids that were made for this booking; each booking makes its own.
    """

    statements: list[tuple[str, Sequence[Any]]]
    command: NewAppointment
    rooms: list[UUID]
    room: UUID
    new: frozenset[UUID]

    @classmethod
    async def record(cls, settings: Settings, actor: Actor, command: NewAppointment, rooms: Sequence[UUID]) -> Self:
        """Book and keep what was sent, but for what reads the answer back: the transaction does without.

        The second booking of a connection, that is: at the first, the driver looks up types, which it does once.
        """
        seen: list[tuple[str, Sequence[Any]]] = []
        engine = make_engine(settings.model_copy(update={"database_pool_size": 1}))
        try:
            connection = await engine.raw_connection()
            driver: Any = connection.driver_connection
            connection.close()
            works = Works(engine, ClinicWork, f"{settings.database_role_prefix}_system")
            earlier = msgspec.structs.replace(command, starts_at=command.starts_at + _ELSEWHERE)
            await book(earlier, actor, works.begin, SystemClock())
            driver.add_query_logger(lambda entry: seen.append((entry.query, entry.args)))
            view = await book(command, actor, works.begin, SystemClock())
            await asyncio.sleep(0.1)  # the driver tells of a statement in the loop's next turn
        finally:
            await engine.dispose()
        for needed in (_LOCK, _HELD):
            if sum(needed in sql for sql, _ in seen) != 1:
                raise LocalError(f"A booking has no statement, or several, with {needed!r}: mend bench/recorded.py.")
        if any("pg_type" in sql for sql, _ in seen):
            raise LocalError("The driver looked up types while a booking was recorded: mend bench/recorded.py.")
        begin = next(index for index, (sql, _) in enumerate(seen) if sql.startswith("BEGIN"))
        statements = [(sql, given) for sql, given in seen[begin:] if not sql.startswith(APPOINTMENTS)]
        [room] = {each.id for each in view.resources} - set(command.resource_ids)
        known = {actor.clinic_id, actor.user_id, view.client.id, view.patient.id, view.service.id, *rooms}
        ids = {each for _, given in statements for each in _flat(given) if isinstance(each, UUID)}
        return cls(statements, command, list(rooms), room, frozenset(ids - known - set(command.resource_ids)))

    @property
    def size(self) -> int:
        """How many statements it has, BEGIN and COMMIT included."""
        return len(self.statements)

    def without_lock(self) -> "Script":
        """The same without the advisory locks, as if the constraint alone kept bookings apart."""
        return msgspec.structs.replace(
            self, statements=[(sql, given) for sql, given in self.statements if _LOCK not in sql]
        )

    async def play(self, connection: Any, wanted: NewAppointment) -> str:
        """Book as recorded, at another time and with another vet; answers how it ended."""
        at = wanted.starts_at - self.command.starts_at
        swap: dict[UUID, UUID] = dict(zip(self.command.resource_ids, wanted.resource_ids, strict=True))
        swap |= {each: uuid7() for each in self.new}
        try:
            for sql, given in self.statements:
                if _HELD in sql:
                    rows = await connection.fetch(sql, *self._moved(given, at, swap))
                    busy = {row["resource_id"] for row in rows if row["lane"] == 0}
                    room = next((each for each in self.rooms if each not in busy), None)
                    if room is None or not busy.isdisjoint(wanted.resource_ids):
                        await connection.execute("ROLLBACK")
                        return TAKEN
                    swap[self.room] = room
                elif given and isinstance(given, list):
                    await connection.executemany(sql, [self._moved(each, at, swap) for each in given])
                elif given:
                    await connection.fetch(sql, *self._moved(given, at, swap))
                else:
                    await connection.execute(sql)
        except (ExclusionViolationError, DeadlockDetectedError) as error:
            await connection.execute("ROLLBACK")
            return DEADLOCK if isinstance(error, DeadlockDetectedError) else TAKEN
        return BOOKED

    def _moved(self, given: Sequence[Any], at: timedelta, swap: Mapping[UUID, UUID]) -> list[Any]:
        """The arguments of another booking: its times, its vet and room, and ids of its own."""
        return [self._of_another(each, at, swap) for each in given]

    def _of_another(self, value: Any, at: timedelta, swap: Mapping[UUID, UUID]) -> Any:
        start = self.command.starts_at
        if isinstance(value, list):
            return self._moved(value, at, swap)
        if isinstance(value, UUID):
            return swap.get(value, value)
        if isinstance(value, datetime):  # what is far from the visit is the moment of booking
            return value + at if abs(value - start) < _NEAR else value
        if isinstance(value, date):
            return value + timedelta(days=at.days)
        return value


def _flat(given: Sequence[Any]) -> Iterator[Any]:
    for each in given:
        if isinstance(each, list | tuple):
            yield from _flat(each)
        else:
            yield each
