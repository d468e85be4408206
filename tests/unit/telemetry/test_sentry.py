"""What leaves for Sentry names nobody, and a bad night does not spend the month's quota."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import sentry_sdk
import sqlalchemy as sa
import structlog
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath
from litestar.testing import AsyncTestClient
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from tests.unit.telemetry.parts import Written

from coravet.adapters.telemetry import sentry
from coravet.adapters.telemetry.sentry import HOUR, Ceiling, traced
from coravet.core.kernel.errors import Unavailable
from coravet.settings import Settings

log = structlog.get_logger("coravet.somewhere")


class Sent:
    """What would have left the process."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def text(self) -> str:
        return "\n".join(envelope.serialize().decode() for envelope in self.envelopes)

    def events(self, kind: str = "event") -> list[dict[str, Any]]:
        items = [item for envelope in self.envelopes for item in envelope.items if item.type == kind]
        return [msgspec.json.decode(item.get_bytes()) for item in items]


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def report(written: Written, settings: Callable[..., Settings], sent: Sent) -> Iterator[Callable[..., Settings]]:
    """Sets Sentry up, with these settings, on a transport that keeps everything."""

    class Keep(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            sent.envelopes.append(envelope)

    def begin(now: Callable[[], float] = time.monotonic, **environment: Any) -> Settings:
        made = settings(SENTRY_DSN="https://key@sentry.example.test/1", **environment)
        sentry.configure(made, transport=Keep, now=now)
        return made

    yield begin
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


def test_an_error_is_reported_without_what_it_quotes(
    report: Callable[..., Settings], sent: Sent, telltale: BaseException, canary: str
) -> None:
    """A logged error arrives with types, frames and source, and with nothing of what it quotes."""
    report()
    log.error("request failed", exc_info=telltale, whom=canary)
    [event] = sent.events()
    assert canary not in sent.text()
    assert event["logentry"] == {"message": "request failed"}
    assert event["exception"]["values"][-1]["type"] == type(telltale).__name__
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert any(frame["filename"].endswith("parts.py") and frame["context_line"] for frame in frames)
    assert not any({"vars", "abs_path"} & set(frame) for frame in frames)


def test_messages_that_are_reported(report: Callable[..., Settings], sent: Sent) -> None:
    """Our own errors keep their message, without notes: it quotes nobody."""
    report()
    error = Unavailable("The identity provider does not answer.")
    error.add_note("while somebody signed in")
    log.error("failed", exc_info=error)
    [event] = sent.events()
    assert event["exception"]["values"][0]["value"] == "The identity provider does not answer."


def test_an_event_says_whose_request(report: Callable[..., Settings], sent: Sent, canary: str) -> None:
    """Request, clinic and person are named by their ids, as they were bound to the log; nothing else of the log is."""
    report()
    with structlog.contextvars.bound_contextvars(request_id="r", clinic_id="c", user_id="u", email=canary):
        log.error("failed")
    [event] = sent.events()
    assert event["tags"] == {"request_id": "r", "clinic_id": "c"}
    assert event["user"] == {"id": "u"}
    assert canary not in sent.text()


def test_a_library_s_error(report: Callable[..., Settings], sent: Sent, telltale: BaseException, canary: str) -> None:
    """Libraries' errors are reported by their template, without what was put into it; warnings are not reported."""
    report()
    logging.getLogger("some.library").error("lost %s to %r", canary, telltale)
    logging.getLogger("asyncio").error(f"Exception in callback f('{canary}')\nhandle: {canary}", exc_info=telltale)
    logging.getLogger("some.library").warning("a warning")
    assert [event["logentry"]["message"] for event in sent.events()] == ["lost %s to %r", "Exception in callback f"]
    assert canary not in sent.text()


def test_only_what_is_known_leaves(report: Callable[..., Settings], sent: Sent, canary: str) -> None:
    """Whatever anything puts into an event, or into its scope, stays here unless it is chosen."""
    report()
    with sentry_sdk.new_scope() as scope:
        scope.set_user({"id": canary, "email": canary, "ip_address": canary})
        scope.set_tag("tag", canary)
        scope.set_extra("extra", canary)
        scope.set_context("context", {"of": canary})
        scope.add_breadcrumb(message=canary, data={"sql": canary})
        scope.fingerprint = [canary]
        sentry_sdk.capture_event(
            {
                "message": canary,
                "request": {
                    "url": f"https://example.test/{canary}",
                    "query_string": f"q={canary}",
                    "headers": {"User-Agent": canary, "Authorization": canary},
                    "cookies": {"coravet_session": canary},
                    "data": {"email": canary},
                },
                "modules": {canary: "1"},
                "server_name": canary,
            }
        )
    [event] = sent.events()
    assert canary not in sent.text()
    assert set(event) <= {
        "event_id", "timestamp", "level", "platform", "release", "environment", "sdk", "tags", "contexts",
    }  # fmt: skip


async def test_a_request_in_trouble(report: Callable[..., Settings], sent: Sent, written: Written, canary: str) -> None:
    """A request full of secrets that fails leaves an error and a trace; neither, nor the log, holds one of them."""

    @post("/things/{token:str}")
    async def fail(token: FromPath[str], request: Request[Any, Any, Any]) -> None:
        body = await request.json()
        with engine.connect() as connection:
            connection.execute(sa.text(f"SELECT '{canary}', :it"), {"it": body["it"]})
        raise ValueError(f"{body} {token}")

    def on_fault(_: Request[Any, Any, Any], error: Exception) -> Response[str]:
        log.error("request failed", exc_info=error)
        return Response("failed", status_code=500)

    made = report(SENTRY_TRACES_SAMPLE_RATE=1)
    engine = sa.create_engine("sqlite://", poolclass=sa.NullPool)
    app = Litestar([fail], logging_config=None, exception_handlers={Exception: on_fault})
    async with AsyncTestClient(traced(app, made)) as client:
        answer = await client.post(
            f"/things/{canary}",
            params={"q": canary},
            json={"it": canary},
            headers={"Authorization": f"Bearer {canary}", "User-Agent": canary, "Cookie": f"s={canary}"},
        )
    assert answer.status_code == 500
    assert canary not in sent.text()
    assert canary not in written.getvalue()
    [event], [trace] = sent.events(), sent.events("transaction")
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert event["contexts"]["trace"]["trace_id"] == trace["contexts"]["trace"]["trace_id"]
    assert trace["transaction"] == "POST /things/{token}"
    assert trace["contexts"]["trace"]["status"] == "internal_error"
    assert [(span["op"], span["description"]) for span in trace["spans"]] == [("db", "SELECT '?', ?")]


@get("/", sync_to_thread=False)
def answer_quickly() -> str:
    return "hello"


@get("/events", media_type="text/event-stream", sync_to_thread=False)
def stream() -> str:
    return ": hello\n\n"


async def test_traces_are_a_sample(report: Callable[..., Settings], sent: Sent, monkeypatch: Any) -> None:
    """Only the share asked for is traced, and event streams never: they last for hours."""
    made = report(SENTRY_TRACES_SAMPLE_RATE=0.5)
    throws = iter([0.4, 0.6, 0.4])
    monkeypatch.setattr(sentry.random, "random", lambda: next(throws))
    async with AsyncTestClient(traced(Litestar([answer_quickly, stream], logging_config=None), made)) as client:
        for path in ("/", "/", "/events"):
            assert (await client.get(path)).status_code == 200
    assert [trace["transaction"] for trace in sent.events("transaction")] == ["GET /"]


async def test_traces_keep_apart(report: Callable[..., Settings], sent: Sent) -> None:
    """What two requests do at the same time is told of each in its own trace."""
    both = asyncio.Barrier(2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await both.wait()
        with sentry_sdk.start_span(op=scope["method"]):
            await both.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        pass

    made = report(SENTRY_TRACES_SAMPLE_RATE=1)
    sentry_sdk.get_current_scope()  # as one that was made at the start, which every request's task inherits
    await asyncio.gather(
        *(traced(app, made)({"type": "http", "method": method}, None, send) for method in ("GET", "PUT"))
    )
    told = {trace["transaction"]: [span["op"] for span in trace["spans"]] for trace in sent.events("transaction")}
    assert told == {"GET unknown": ["GET"], "PUT unknown": ["PUT"]}


def test_untraced_costs_nothing(report: Callable[..., Settings], settings: Callable[..., Settings]) -> None:
    """Where nothing is traced, or Sentry is off, the application stays as it is."""
    app: Any = object()
    assert traced(app, report()) is app
    assert traced(app, settings(SENTRY_TRACES_SAMPLE_RATE=1)) is app


def test_what_the_sdk_does_not_touch(report: Callable[..., Settings]) -> None:
    """None of the SDK's integrations that read bodies, patch every query or announce us to others is on."""
    report()
    assert set(sentry_sdk.get_client().integrations) == {"logging", "dedupe", "atexit"}


def test_without_a_dsn_nothing_is_sent(written: Written, settings: Callable[..., Settings]) -> None:
    """Unset, Sentry is not even started."""
    sentry.configure(settings())
    assert not sentry_sdk.get_client().is_active()


def test_a_bad_night(report: Callable[..., Settings], sent: Sent) -> None:
    """No more than the ceiling leaves in an hour; the next event says how many were kept back."""
    now = 0.0
    report(lambda: now, SENTRY_EVENTS_PER_HOUR=3)
    for _ in range(10):
        log.error("failed", exc_info=ValueError())
    assert len(sent.events()) == 3
    now = HOUR
    log.error("failed again")
    log.error("and again")
    assert [event.get("extra") for event in sent.events()[3:]] == [{"dropped_before": 7}, None]


async def test_traces_have_a_ceiling_of_their_own(report: Callable[..., Settings], sent: Sent) -> None:
    """Traces keep to the ceiling, too, and take nothing from the errors."""
    made = report(SENTRY_TRACES_SAMPLE_RATE=1, SENTRY_EVENTS_PER_HOUR=2)
    async with AsyncTestClient(traced(Litestar([answer_quickly], logging_config=None), made)) as client:
        for _ in range(5):
            await client.get("/")
    log.error("failed")
    assert (len(sent.events("transaction")), len(sent.events())) == (2, 1)


def test_the_hour_slides() -> None:
    """In no hour, wherever it begins, more than the limit is admitted."""
    instants = iter([0, 0.5 * HOUR, 0.9 * HOUR, HOUR, 1.4 * HOUR, 1.5 * HOUR])
    ceiling = Ceiling(2, lambda: next(instants))
    assert [ceiling.admit() for _ in range(6)] == [0, 0, None, 1, None, 1]


def test_a_ceiling_of_nothing() -> None:
    """At 0 nothing is sent."""
    assert Ceiling(0, lambda: 0.0).admit() is None
