"""The floor: the agenda and a booking with the service's own SQL, on asyncpg and msgspec and nothing else.

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
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from uuid_utils.compat import uuid7

# The statement and the rows' way into JSON are the service's own, so that what is compared is what lies around them.
from coravet.adapters.postgres.scheduling.store import _APPOINTMENTS, _appointment_view
from coravet.core.scheduling.views import AgendaView, AppointmentView
from coravet.entrypoints.cli.serve import BACKLOG, BACKPRESSURE
from coravet.settings import load

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PERSON = "SELECT * FROM find_person($1, $2, $3)"
AGENDA = (
    f"{_APPOINTMENTS} WHERE a.starts_at >= $1 AND a.starts_at < $2"
    " AND ($3::uuid IS NULL OR $3 = ANY(r.ids)) ORDER BY a.starts_at, a.id"
)
APPOINTMENT = f"{_APPOINTMENTS} WHERE a.id = $1"
OFFER = (
    "SELECT s.duration_minutes, s.buffer_before_minutes, s.buffer_after_minutes, r.id, r.kind FROM services s"
    " JOIN service_resources l ON l.clinic_id = s.clinic_id AND l.service_id = s.id"
    " JOIN resources r ON r.clinic_id = l.clinic_id AND r.id = l.resource_id AND r.active"
    " WHERE s.id = $1 AND s.active ORDER BY r.name, r.id"
)
OWNER = "SELECT client_id FROM parties WHERE patient_id = $1 AND role = 'owner' AND until IS NULL"
LOCK = (
    "SELECT pg_advisory_xact_lock(hashtextextended($1 || id::text, 0))"
    " FROM (SELECT id FROM unnest($2::uuid[]) AS id ORDER BY id) AS sorted"
)
HOURS = "SELECT resource_id, weekday, opens, closes FROM hours WHERE resource_id = ANY($1) ORDER BY weekday, opens"
HELD = (
    "SELECT resource_id, lane, starts_at, ends_at FROM allocations WHERE resource_id = ANY($1)"
    " AND ends_at > $2 AND starts_at < $3 AND released_at IS NULL"
)
BOOK = (
    "INSERT INTO appointments (clinic_id, id, service_id, patient_id, client_id, status, starts_at, ends_at, reason,"
    " source, lane, cancel_reason, rescheduled_from_id, version, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
)
HOLD = (
    "INSERT INTO allocations (clinic_id, id, appointment_id, resource_id, lane, starts_at, ends_at, released_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
EVENT = (
    "INSERT INTO outbox (clinic_id, id, kind, audience, person_id, subject_type, subject_id, subject_version,"
    " actor_user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)


class Booking(msgspec.Struct):
    """The body of a booking."""

    service_id: UUID
    patient_id: UUID
    resource_ids: list[UUID]
    starts_at: datetime
    reason: str | None = None


async def _agenda(connection: PoolConnectionProxy, person: asyncpg.Record, query: bytes) -> AgendaView:
    day = date.fromisoformat(parse_qs(query.decode())["date"][0])
    zone = ZoneInfo(person["time_zone"])
    starts_at, ends_at = (
        datetime.combine(each, time(), tzinfo=zone).astimezone(UTC) for each in (day, day + timedelta(days=1))
    )
    rows = await connection.fetch(AGENDA, starts_at, ends_at, None)
    return AgendaView(day, starts_at, ends_at, [_appointment_view(row) for row in rows])


async def _book(connection: PoolConnectionProxy, person: asyncpg.Record, body: bytes) -> AppointmentView:
    wanted = msgspec.json.decode(body, type=Booking)
    clinic_id = person["clinic_id"]
    offer = await connection.fetch(OFFER, wanted.service_id)
    [owner] = await connection.fetch(OWNER, wanted.patient_id)
    resources = {row["id"]: row["kind"] for row in offer}
    minutes, before, after, *_ = offer[0]
    starts_at = wanted.starts_at
    ends_at = starts_at + timedelta(minutes=minutes)
    holds_from, holds_to = starts_at - timedelta(minutes=before), ends_at + timedelta(minutes=after)
    await connection.fetch(LOCK, f"{clinic_id}:", list(resources))
    await connection.fetch(HOURS, list(resources))
    held = await connection.fetch(HELD, list(resources), holds_from, holds_to)
    busy = {row["resource_id"] for row in held}
    taken = {resources[each]: each for each in reversed(resources) if each not in busy}
    taken |= {resources[each]: each for each in wanted.resource_ids}
    appointment_id = uuid7()
    await connection.execute(
        BOOK, clinic_id, appointment_id, wanted.service_id, wanted.patient_id, owner["client_id"], "confirmed",
        starts_at, ends_at, wanted.reason, "staff", 0, None, None, 1, datetime.now(UTC),
    )  # fmt: skip
    await connection.executemany(
        HOLD,
        [(clinic_id, uuid7(), appointment_id, each, 0, holds_from, holds_to, None) for each in taken.values()],
    )
    [row] = await connection.fetch(APPOINTMENT, appointment_id)
    await connection.execute(
        EVENT, clinic_id, uuid7(), "appointment.booked", "clinic", None, "appointment", appointment_id, 1,
        person["user_id"],
    )  # fmt: skip
    return _appointment_view(row)


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
            status, view = await self._handled(scope, receive)
            await _answer(send, status, self._encoder.encode(view))

    async def _handled(self, scope: dict[str, Any], receive: Receive) -> tuple[int, AgendaView | AppointmentView]:
        answer: tuple[int, AgendaView | AppointmentView]
        token = dict(scope["headers"])[b"authorization"].removeprefix(b"Bearer ")
        clinic = scope["path"].split("/")[4]
        async with self._pool.acquire() as connection:
            [person] = await connection.fetch(PERSON, self._uid, sha256(token).digest(), clinic)
            await connection.execute(f"BEGIN; SET LOCAL app.clinic_id = '{person['clinic_id']}'")
            if scope["method"] == "GET":
                answer = 200, await _agenda(connection, person, scope["query_string"])
            else:
                answer = 201, await _book(connection, person, (await receive())["body"])
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
