"""Around every request: its id, its line in the log, its security headers."""

import re
from time import perf_counter
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars, clear_contextvars
from uuid_utils.compat import uuid7

from coravet.core.kernel.measures import UNMEASURED, Measures

_USABLE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = "/health/"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
log = structlog.get_logger("coravet.access")


class RequestContext:
    """Gives each request an id and writes its one access line when it ends.

    The line names the route's template, never the path: a path may carry a token. The guards bind `user_id` and
    `clinic_id`, so that they stand in it and in every other line of the request.

    A request is measured when its answer begins: an event stream would tell nothing for hours.
    """

    def __init__(self, app: ASGIApp, measures: Measures = UNMEASURED) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id  # type: ignore[typeddict-unknown-key]
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._measure(scope, status, perf_counter() - started)
                headers = [*message["headers"], *_HEADERS, (b"x-request-id", request_id.encode())]
                if not any(name.lower() == b"cache-control" for name, _ in message["headers"]):
                    headers.append((b"cache-control", b"no-store"))
                if any(name.lower() == b"content-language" for name, _ in message["headers"]):
                    headers.append((b"vary", b"Accept-Language"))
                message["headers"] = headers
            await send(message)

        started = perf_counter()
        # The guards bind who acts and where; a connection's next request must not inherit that.
        clear_contextvars()
        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                _write_line(scope, status, perf_counter() - started)

    def _measure(self, scope: Any, status: int, seconds: float) -> None:
        # Whoever asks may send any word for a method and any path: labels are ours alone.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = scope.get("path_template") or "unknown"
        self._measures.count("requests", method, route, str(status))
        self._measures.took("requests", seconds, route)


def _request_id(scope: Scope) -> str:
    given: bytes = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _USABLE_ID.fullmatch(given) else str(uuid7())


def _write_line(scope: Any, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unknown"
    if _QUIET in route and status < 400:
        return
    log.info(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 1),
    )
