"""The floor: the agenda with the service's own SQL, on asyncpg and msgspec and nothing else.

It answers byte for byte what the service answers, and does what no implementation can leave out: look the person up,
open a transaction in the clinic, run the same statements, decode and encode JSON. It checks nothing: no signature, no
permission, no hours, no rule.

`python -m bench.floor` serves it with the settings and the server of `coravet serve`.
"""

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

# The statement and the rows' way into JSON are the service's own, so that what is compared is what lies around them.
from coravet.adapters.postgres.scheduling.reads import APPOINTMENTS, appointment_view
from coravet.core.scheduling.views import AgendaView
from coravet.entrypoints.cli.serve import BACKLOG, BACKPRESSURE
from coravet.settings import load

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PERSON = "SELECT * FROM find_person($1, $2, $3)"
AGENDA = (
    f"{APPOINTMENTS} WHERE a.starts_at >= $1 AND a.starts_at < $2"
    " AND a.superseded_by_id IS NULL AND ($3::uuid IS NULL OR $3 = ANY(r.ids)) ORDER BY a.starts_at, a.id"
)


async def _agenda(connection: PoolConnectionProxy, person: asyncpg.Record, query: bytes) -> AgendaView:
    day = date.fromisoformat(parse_qs(query.decode())["date"][0])
    zone = ZoneInfo(person["time_zone"])
    starts_at, ends_at = (
        datetime.combine(each, time(), tzinfo=zone).astimezone(UTC) for each in (day, day + timedelta(days=1))
    )
    rows = await connection.fetch(AGENDA, starts_at, ends_at, None)
    return AgendaView(day, starts_at, ends_at, [appointment_view(row) for row in rows])


class Floor:
    """The ASGI application. Every token is the person's of FLOOR_UID."""

    def __init__(self) -> None:
        self._settings = load()
        self._uid = os.environ["FLOOR_UID"]
        self._encoder = msgspec.json.Encoder()
        self._pool: asyncpg.Pool

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] == "/":
            await _answer(send, 204, b"")
        else:
            await _answer(send, 200, self._encoder.encode(await self._agenda_of(scope)))

    async def _agenda_of(self, scope: dict[str, Any]) -> AgendaView:
        token = dict(scope["headers"])[b"authorization"].removeprefix(b"Bearer ")
        clinic = scope["path"].split("/")[4]
        async with self._pool.acquire() as connection:
            [person] = await connection.fetch(PERSON, self._uid, sha256(token).digest(), clinic)
            await connection.execute(f"BEGIN; SET LOCAL app.clinic_id = '{person['clinic_id']}'")
            answer = await _agenda(connection, person, scope["query_string"])
            await connection.execute("COMMIT")
            return answer

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        url = self._settings.database_url.get_secret_value()
        size = self._settings.database_pool_size
        # SQLAlchemy's pool sends nothing when a connection comes back clean; asyncpg's would, unless told not to.
        self._pool = await asyncpg.create_pool(
            url, min_size=size, max_size=size, reset=_nothing, server_settings={"timezone": "UTC"}
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _nothing(_: object) -> None:
    """No reset."""


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    Server(
        "bench.floor:Floor",
        factory=True,
        interface=Interfaces.ASGI,
        address="127.0.0.1",
        port=load().port,
        workers=1,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()
