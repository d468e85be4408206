"""The event stream."""

import re
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter

from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import EventData
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call
from coravet.entrypoints.http.openapi import Problem
from coravet.entrypoints.live.hub import NEEDED, Viewer
from coravet.entrypoints.live.layer import Live
from coravet.entrypoints.live.stream import EventStream

_NUMBER = re.compile(r"[0-9]{1,19}")
_LARGEST = 2**63 - 1

LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        required=False,
        description="The last id that the client saw; browsers send it when they reconnect. Goes before the parameter.",
    ),
]
LastEventIdParameter = Annotated[
    str | None,
    QueryParameter(name="last_event_id", required=False, description="The same, for clients that can't set headers."),
]


def stream_events(live: Live) -> HTTPRouteHandler:
    """The route of the event stream on this live layer."""

    @get(
        "/clinics/{clinic:str}/events",
        opt=permitted(NEEDED),
        operation_id="streamEvents",
        summary="Stream events",
        tags=["Live"],
        responses={
            200: ResponseSpec(
                EventData,
                media_type="text/event-stream",
                generate_examples=False,
                description="Server-sent events without an end. Each frame's `event` is a kind of the catalogue, with "
                "`data` as here; or `stream.heartbeat` `{at}` every 15 to 30 s; or `stream.resync` `{at}`: load anew "
                "what is shown, something was missed; or, as the last one, `stream.closed` `{reason}` with "
                "`session_revoked`, `access_ended`, `shutting_down` or `too_slow`. Any frame with an `id` is a place "
                "to come back to with `Last-Event-ID` within 24 hours.",
            ),
            429: ResponseSpec(
                Problem,
                media_type="application/problem+json",
                generate_examples=False,
                description="rate_limited, of what stands before the service; come back after `Retry-After`",
            ),
        },
    )
    async def handler(
        call: NamedDependency[Call], last_event_id: LastEventId = None, after: LastEventIdParameter = None
    ) -> EventStream:
        """Everything that changes in the clinic and that one may see, as it happens."""
        last = None
        if last_event_id is not None:
            last = _number("/Last-Event-ID", last_event_id)
        elif after is not None:
            last = _number("/last_event_id", after)
        granted = call.granted
        viewer = Viewer(
            actor=call.actor,
            uid=granted.claims.uid,
            session_id=granted.person.session_id,
            issued_at=granted.claims.issued_at,
            expires_at=granted.claims.expires_at,
            verified_at=granted.claims.verified_at,
        )
        return await live.open(viewer, last)

    return handler


def _number(pointer: str, value: str) -> int:
    if not _NUMBER.fullmatch(value):
        raise Invalid(errors=[FieldError(pointer, "malformed", "An event's id is a whole number, such as 48213.")])
    return min(int(value), _LARGEST)
