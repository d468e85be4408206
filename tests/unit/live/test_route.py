"""The route of the event stream: where a client may say what it saw last."""

import gc
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from litestar import Litestar, Request
from litestar.di import Provide
from tests.unit.live.parts import Client, Layer

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.events import AppointmentBooked
from coravet.core.legal.gate import CachedGate
from coravet.core.tenancy.identity import Claims
from coravet.core.tenancy.ports import Person
from coravet.core.tenancy.views import UserView
from coravet.entrypoints.http.access import Granted
from coravet.entrypoints.http.call import Call
from coravet.entrypoints.http.live import stream_events
from coravet.entrypoints.http.problems import EXCEPTION_HANDLERS
from coravet.entrypoints.live.hub import Viewer
from coravet.entrypoints.live.layer import Live


def granted(viewer: Viewer) -> Granted:
    """What the guards find for this person."""
    assert viewer.actor.user_id is not None
    return Granted(
        claims=Claims(
            uid=viewer.uid,
            email=None,
            email_verified=True,
            display_name=None,
            signed_in_at=viewer.issued_at,
            issued_at=viewer.issued_at,
            expires_at=viewer.expires_at,
            verified_at=viewer.verified_at,
        ),
        person=Person(user=UserView(viewer.actor.user_id, "", ""), operator=False, session_id=viewer.session_id),
        token_hash=b"",
        by_cookie=True,
        actor=viewer.actor,
    )


@pytest.fixture
async def app(layer: Layer, clinic: ClinicId) -> AsyncIterator[Litestar]:
    """The route alone, for a member of the clinic, with three events in the journal."""
    live = Live(
        layer.journal,
        layer.fanout,
        layer.directory,
        layer.identity,
        layer.forgotten.append,
        CachedGate(layer.gate, layer.clock),
        layer.clock,
        port=None,
    )
    call = Call(None, granted(layer.viewer(clinic, "staff")), None, "127.0.0.1")
    app = Litestar(
        [stream_events(live)],
        dependencies={"call": Provide(lambda: call, sync_to_thread=False)},
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    layer.emit(clinic, *(AppointmentBooked(uuid4(), 1) for _ in range(3)))
    async with live.running():
        yield app


def ask(app: Litestar, query: str = "", **headers: str) -> Client:
    """A request for the stream."""
    return Client(
        app,
        {
            "type": "http",
            "method": "GET",
            "path": "/clinics/la-palma/events",
            "raw_path": b"/clinics/la-palma/events",
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
            "scheme": "http",
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
        },
    )


@pytest.mark.parametrize(
    ("query", "headers", "following"),
    [
        ("last_event_id=1", {}, [2, 3]),
        ("", {"last_event_id": "2"}, [3]),
        ("last_event_id=0", {"last_event_id": "2"}, [3]),
    ],
)
async def test_resumes(app: Litestar, query: str, headers: dict[str, str], following: list[int]) -> None:
    """The last id may come as header or as parameter; the header, which browsers keep up to date, goes first."""
    client = ask(app, query, **headers)
    assert [(await client.next()).id for _ in following] == following
    assert client.status == 200
    await client.hang_up()


async def test_keeps_nothing_of_its_request(app: Litestar) -> None:
    """An open stream lasts for hours, and holds neither the credential that opened it nor the rest of its request."""
    client = ask(app, authorization="Bearer secret")
    await client.next(beats=True)
    assert set(client.scope) <= {"type", "method", "path_template", "request_id"}
    gc.collect()
    assert not [held for held in gc.get_objects() if type(held) is Request and held.scope is client.scope]
    await client.hang_up()


async def test_an_absurd_number_is_an_unknown_one(app: Litestar) -> None:
    """A number larger than any that could exist is told to load anew."""
    client = ask(app, "last_event_id=9999999999999999999")
    assert (await client.next()).event == "stream.resync"
    await client.hang_up()


@pytest.mark.parametrize("value", ["", "x", "-1", "1.0", " 1", "\u0661", "1" * 20, "1\n"])
async def test_malformed(app: Litestar, value: str) -> None:
    """What is no event's id is refused as the field that it came in, and opens no stream."""
    body = await ask(app, last_event_id=value).body()
    assert (body["status"], body["code"]) == (422, "invalid")
    assert [error["pointer"] for error in body["errors"]] == ["/Last-Event-ID"]
