"""Clients who book at random, each its next attempt when the last one is answered: over HTTP, or straight in SQL.

`python -m bench.clients` reads a `Round` as JSON from its input and writes a `Tally`. Both kinds run in a process of
their own, with as many clients and the same attempts in the same order.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from time import perf_counter, process_time
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from bench.recorded import Script

from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.core.scheduling.book import NewAppointment
from coravet.settings import load

Kind = Literal["service", "bare", "bare without locks"]
Attempt = Callable[[bytes], Awaitable[str]]


class Round(msgspec.Struct, kw_only=True):
    """What to attempt.

    Attributes:
        attempts: bodies of bookings; the clients take them one after the other until none is left.
        seconds: when to stop in any case.
        head: an HTTP request up to the length of its body.
        pool: connections to PostgreSQL of those who use SQL.
        sample: a booking to record.
    """

    kind: Kind
    attempts: list[str]
    clients: int
    seconds: float
    port: int
    head: str
    pool: int
    clinic_id: UUID
    user_id: UUID
    time_zone: str
    rooms: list[UUID]
    sample: str


class Tally(msgspec.Struct, kw_only=True):
    """How it went.

    Attributes:
        ended: how often an attempt ended in which way.
        own_ms: the clients' own processor time for each attempt.
    """

    ended: dict[str, int]
    seconds: float
    p50_ms: float
    p99_ms: float
    own_ms: float

    @property
    def rate(self) -> float:
        """Attempts a second."""
        return sum(self.ended.values()) / self.seconds


async def drive(given: Round) -> Tally:
    """Attempt everything and tell how it went."""
    attempts, ended, times = iter(given.attempts), Counter[str](), [0.0]
    async with _over_http(given) if given.kind == "service" else _in_sql(given) as clients:
        began, own = perf_counter(), process_time()
        await asyncio.gather(
            *(_attempt_all(client, attempts, began + given.seconds, ended, times) for client in clients)
        )
        seconds, own = perf_counter() - began, process_time() - own
    times.sort()
    return Tally(
        ended=dict(ended),
        seconds=seconds,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[len(times) * 99 // 100] * 1000,
        own_ms=own / len(times) * 1000,
    )


async def _attempt_all(
    attempt: Attempt, attempts: Iterator[str], until: float, ended: Counter[str], times: list[float]
) -> None:
    for body in attempts:
        began = perf_counter()
        ended[await attempt(body.encode())] += 1
        times.append(perf_counter() - began)
        if perf_counter() > until:
            return


@asynccontextmanager
async def _over_http(given: Round) -> AsyncIterator[list[Attempt]]:
    head = given.head.encode()

    async def client() -> Attempt:
        reader, writer = await asyncio.open_connection("127.0.0.1", given.port)

        async def attempt(body: bytes) -> str:
            writer.write(b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            content = await reader.readexactly(length)
            status = answer.split(b" ", 2)[1].decode()
            return status if status == "201" else f"{status} {msgspec.json.decode(content).get('code')}"

        writers.append(writer)
        return attempt

    writers: list[asyncio.StreamWriter] = []
    try:
        yield [await client() for _ in range(given.clients)]
    finally:
        for writer in writers:
            writer.close()


@asynccontextmanager
async def _in_sql(given: Round) -> AsyncIterator[list[Attempt]]:
    settings = load()
    actor = Actor(clinic_id=ClinicId(given.clinic_id), time_zone=given.time_zone, user_id=UserId(given.user_id))
    script = await Script.record(settings, actor, _decode(given.sample.encode()), given.rooms)
    if given.kind == "bare without locks":
        script = script.without_lock()
    # The pool sends nothing when a connection comes back, as the service's does not.
    pool = asyncpg.create_pool(
        settings.database_url.get_secret_value(),
        min_size=given.pool,
        max_size=given.pool,
        reset=_nothing,
        server_settings={"timezone": "UTC"},
    )

    async def attempt(body: bytes) -> str:
        async with pool.acquire() as connection:
            return await script.play(connection, _decode(body))

    async with pool:
        await _warm(pool, script, given.pool)
        yield [attempt] * given.clients


async def _warm(pool: asyncpg.Pool, script: Script, size: int) -> None:
    """Book once on each connection, on days after the sample: those of the service know their statements, too."""
    async with AsyncExitStack() as lent:
        for number in range(1, size + 1):
            connection = await lent.enter_async_context(pool.acquire())
            at = script.command.starts_at + timedelta(days=number)
            await script.play(connection, msgspec.structs.replace(script.command, starts_at=at))


async def _nothing(_: object) -> None:
    """No reset."""


_decode = msgspec.json.Decoder(NewAppointment).decode


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Round)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(drive(given))))
