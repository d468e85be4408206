"""Events as bytes of `text/event-stream`."""

import random
from datetime import datetime

import msgspec

from coravet.core.kernel.events import (
    Author,
    CloseReason,
    EventData,
    StreamClosed,
    StreamFrame,
    StreamHeartbeat,
    StreamResync,
    Subject,
)
from coravet.core.kernel.live import Recorded

EARLIEST_RETURN_MS, LATEST_RETURN_MS = 500, 5000
"""When a client whose stream ended comes back: spread, so that those who end at once do not come at once, too."""

_encode = msgspec.json.Encoder().encode


def event_frame(event: Recorded) -> bytes:
    """One event."""
    data = EventData(
        id=event.number,
        kind=event.kind,
        at=event.at,
        actor=Author(event.actor_user_id),
        subject=Subject(event.subject_type, event.subject_id, event.subject_version),
    )
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.number, event.kind.encode(), _encode(data))


def heartbeat_frame(at: datetime, number: int) -> bytes:
    """A sign of life. Its id says that everything up to it was sent, so that a client comes back from there."""
    return _own_frame(StreamHeartbeat(at), number)


def resync_frame(at: datetime, number: int) -> bytes:
    """Tells the client to load anew; from its id on nothing is missed."""
    return _own_frame(StreamResync(at), number)


def closed_frame(reason: CloseReason) -> bytes:
    """The last frame; it says when to come back, too."""
    return retry_line() + _own_frame(StreamClosed(reason))


def retry_line() -> bytes:
    """How long the client waits before it reconnects, drawn anew for each stream."""
    return b"retry: %d\n" % random.randint(EARLIEST_RETURN_MS, LATEST_RETURN_MS)  # noqa: S311 -- spreads load


def _own_frame(frame: StreamFrame, number: int | None = None) -> bytes:
    name = b"" if number is None else b"id: %d\n" % number
    return name + b"event: %b\ndata: %b\n\n" % (frame.kind.encode(), _encode(frame))
