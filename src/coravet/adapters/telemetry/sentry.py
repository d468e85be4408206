"""Errors and sampled traces to Sentry, with nobody's data in them.

Events are not scrubbed of what may not leave but built anew of what may: a field that a later SDK adds stays here.
"""

import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.integrations import Integration
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration
from sentry_sdk.tracing import Transaction
from sentry_sdk.transport import Transport
from sentry_sdk.types import Hint

from coravet.adapters.telemetry.exceptions import first_line, speaks_of_code
from coravet.adapters.telemetry.logs import message_of
from coravet.settings import Settings

HOUR = 3600.0
TAGS = ("request_id", "clinic_id")

_EVENT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "sdk", "transaction")
_TRANSACTION = ("type", "start_timestamp", "transaction_info")
_EXCEPTION = ("type", "module")
_MECHANISM = ("type", "handled", "exception_id", "parent_id", "source", "is_exception_group", "meta")
_FRAME = ("filename", "function", "module", "lineno", "in_app", "pre_context", "context_line", "post_context")
_TRACE = ("trace_id", "span_id", "parent_span_id", "op", "status", "origin")
_SPAN = (*_TRACE, "start_timestamp", "timestamp")
_QUOTED = re.compile(r"'(?:[^']|'')*'")

App = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]  # ASGI


class Ceiling:
    """At most `limit` events in any hour; `now` counts seconds.

    Attributes:
        dropped: how many were refused since the last one was admitted.
    """

    def __init__(self, limit: int, now: Callable[[], float]) -> None:
        self.dropped = 0
        self._limit = limit
        self._now = now
        self._admitted: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self) -> int | None:
        """How many were refused before this one, or None where this one is refused, too."""
        with self._lock:
            now = self._now()
            while self._admitted and now - self._admitted[0] >= HOUR:
                self._admitted.popleft()
            if len(self._admitted) >= self._limit:
                self.dropped += 1
                return None
            self._admitted.append(now)
            dropped, self.dropped = self.dropped, 0
            return dropped


def configure(
    settings: Settings, *, transport: type[Transport] | None = None, now: Callable[[], float] = time.monotonic
) -> None:
    """Report what is logged as an error, where SENTRY_DSN is set; errors and traces keep to the ceiling each.

    The SDK's integrations with Litestar and asyncpg stay off: the first reads every body before the guards have seen
    the request, the second costs every query; what fails there is logged, and from the log it comes here.
    """
    if settings.sentry_dsn is None:
        return
    integrations: list[Integration] = [
        LoggingIntegration(level=None, sentry_logs_level=None),
        DedupeIntegration(),
        AtexitIntegration(callback=lambda _pending, _timeout: None),
    ]
    if settings.sentry_traces_sample_rate > 0:
        integrations.append(SqlalchemyIntegration())
    errors, traces = Ceiling(settings.sentry_events_per_hour, now), Ceiling(settings.sentry_events_per_hour, now)
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        environment=settings.environment,
        release=_release(),
        transport=transport,
        default_integrations=False,
        integrations=integrations,
        # What would be left out below need not be gathered either.
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        enable_metrics=False,
        in_app_include=["coravet"],
        traces_sample_rate=settings.sentry_traces_sample_rate or None,
        trace_lifecycle="static",  # in the other one, spans leave past `before_send_transaction`
        before_send=lambda event, hint: _report(event, hint, errors),
        before_send_transaction=lambda event, _hint: _trace(event, traces),
    )


def traced(app: App, settings: Settings) -> App:
    """The application with its share of requests traced; itself where nothing is."""
    rate = settings.sentry_traces_sample_rate
    if settings.sentry_dsn is None or rate == 0:
        return app

    async def trace(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or random.random() >= rate:  # noqa: S311 - a sample, no secret
            await app(scope, receive, send)
            return
        transaction = Transaction(op="http.server", name=scope["method"], source="route", sampled=True)

        async def watched(message: Any) -> None:
            if message["type"] == "http.response.start":
                # The route's template: the address itself may hold a token.
                transaction.name = f"{scope['method']} {scope.get('path_template') or 'unknown'}"
                transaction.set_http_status(message["status"])
                if any(value.startswith(b"text/event-stream") for _, value in message["headers"]):
                    transaction.sampled = False  # it lasts for hours, and says nothing of our speed
            await send(message)

        with sentry_sdk.new_scope(), sentry_sdk.start_transaction(transaction):
            await app(scope, receive, watched)

    return trace


def _release() -> str:
    try:
        return f"coravet@{version('coravet')}"
    except PackageNotFoundError:
        return "coravet@unknown"


def _chosen(fields: tuple[str, ...], source: Any) -> dict[str, Any]:
    return {field: source[field] for field in fields if field in source}


def _base(event: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    context = structlog.contextvars.get_contextvars()
    built = _chosen(fields, event)
    built["tags"] = {tag: str(context[tag]) for tag in TAGS if tag in context}
    built["contexts"] = {"trace": _chosen(_TRACE, event.get("contexts", {}).get("trace", {}))}
    if "user_id" in context:
        built["user"] = {"id": str(context["user_id"])}
    return built


def _report(event: Any, hint: Hint, ceiling: Ceiling) -> Any:
    dropped = ceiling.admit()
    if dropped is None:
        return None
    built = _base(event, _EVENT)
    if "log_record" in hint:
        built["logentry"] = {"message": message_of(hint["log_record"])}
    if "exception" in event:
        built["exception"] = {"values": [_exception(value) for value in event["exception"]["values"]]}
    if dropped:
        built["extra"] = {"dropped_before": dropped}
    return built


def _exception(value: dict[str, Any]) -> dict[str, Any]:
    built = _chosen(_EXCEPTION, value)
    built["mechanism"] = _chosen(_MECHANISM, value.get("mechanism", {}))
    if speaks_of_code(value.get("module"), value["type"]):
        built["value"] = first_line(value.get("value") or "")
    frames = (value.get("stacktrace") or {}).get("frames", [])
    built["stacktrace"] = {"frames": [_chosen(_FRAME, frame) for frame in frames]}
    return built


def _trace(event: Any, ceiling: Ceiling) -> Any:
    if ceiling.admit() is None:
        return None
    built = _base(event, (*_EVENT, *_TRANSACTION))
    built["spans"] = [
        {**_chosen(_SPAN, span), "description": _QUOTED.sub("'?'", span.get("description") or "")}
        for span in event.get("spans", [])
    ]
    return built
