"""One open stream: what it sends, when it ends, and the response that carries it."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from math import inf

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp, HTTPResponseBodyEvent, Receive, Scope, Send

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.live import Batch, Journal, hears
from coravet.entrypoints.live.frames import closed_frame, event_frame, heartbeat_frame, resync_frame, retry_line
from coravet.entrypoints.live.hub import GOODBYE_SECONDS, Hub, Subscription, Viewer

REPLAYED = 2000
"""Of more missed events than these, loading anew is cheaper."""

CHUNK = 100
"""Frames that are sent at once."""


_REST = "coravet_stream"
_KEPT = ("type", "method", "path_template", "request_id")
"""What whoever wrapped the application still wants to know of the request at its end."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The times of a stream, in seconds.

    Attributes:
        beats: heartbeats follow each other within these two, drawn anew each time so that streams spread.
        proof: how long the identity provider's last word on a person holds.
        stalled: a client that takes nothing for so long is given up.
    """

    beats: tuple[float, float] = (15.0, 25.0)
    proof: float = 60.0
    stalled: float = 20.0


class Missed(msgspec.Struct, frozen=True):
    """What a client that comes back missed after an event it names; `batch` is None where that cannot be told."""

    after: int
    batch: Batch | None


class OpenStream:
    """What is left of a stream once its response has begun: it goes on for as long as its client stays."""

    __slots__ = ("_abandoned", "_chunks", "_hub", "_stalled", "_stream", "_writer")

    def __init__(self, hub: Hub, stream: Subscription, chunks: AsyncGenerator[bytes, None], stalled: float) -> None:
        self._hub = hub
        self._stream = stream
        self._chunks = chunks
        self._stalled = stalled
        self._writer: asyncio.Task[object] | None = None
        self._abandoned = False

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Send until the stream ends, its client hangs up, or it takes nothing for too long."""
        loop = asyncio.get_running_loop()
        self._writer = asyncio.current_task()
        self._hub.watch(self._stream, self._abandon)
        watcher = asyncio.create_task(self._watch(receive))
        try:
            async with aclosing(self._chunks) as chunks:
                async for chunk in chunks:
                    await self._send(loop, send, {"type": "http.response.body", "body": chunk, "more_body": True})
            await self._send(loop, send, {"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if not self._abandoned or self._writer is None:
                raise
            self._writer.uncancel()  # without a last chunk the server closes the connection
        finally:
            watcher.cancel()
            self._hub.unsubscribe(self._stream)

    async def _send(self, loop: asyncio.AbstractEventLoop, send: Send, part: HTTPResponseBodyEvent) -> None:
        # Nobody is told that a client stopped reading: sending waits, for ever if it may.
        patience = self._stalled if self._stream.closed is None else min(self._stalled, GOODBYE_SECONDS)
        self._stream.given_up_at = loop.time() + patience
        await send(part)
        self._stream.given_up_at = inf

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._abandon()

    def _abandon(self) -> None:
        if self._writer is not None:
            self._abandoned = True
            self._writer.cancel()


class EventStream(ASGIResponse):
    """The response of an open stream: its head, and `OpenStream` for the `Streams` middleware to go on with.

    Attributes:
        content: the frames, as they are sent.
    """

    _should_set_content_length = False

    def __init__(self, hub: Hub, stream: Subscription, content: AsyncGenerator[bytes, None], stalled: float) -> None:
        super().__init__(
            media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        self.content = content
        self._stream = stream
        self._forget = partial(hub.unsubscribe, stream)
        self._rest = OpenStream(hub, stream, content, stalled)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's
        try:
            await self.start_response(send)
        except BaseException:
            self._forget()
            raise
        self._stream.peer = scope.get("client")
        scope[_REST] = self._rest  # type: ignore[literal-required]  # our own


class Streams:
    """Around the framework: goes on with a stream when the framework is done with its request.

    A stream lasts for hours. Sent from within, it would keep its request all the while, the credential included, and a
    dozen of the framework's frames.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        rest: OpenStream | None = scope.pop(_REST, None)  # type: ignore[misc]  # as above
        if rest is not None:
            kept = {name: scope[name] for name in _KEPT if name in scope}  # type: ignore[literal-required]
            scope.clear()  # type: ignore[union-attr]  # a dict, whatever its type says
            scope.update(kept)  # type: ignore[typeddict-item]  # as above
            await rest(receive, send)


async def open_stream(
    hub: Hub, journal: Journal, clock: Clock, viewer: Viewer, last_event_id: int | None, pace: Pace
) -> EventStream:
    """Open a stream that goes on after the event that the client saw last, or begins now.

    Raises:
        Unavailable: storage does not answer, or the process is ending.
    """
    # First subscribed, then replayed: what is committed in between is in both, and sent once.
    stream = await hub.subscribe(viewer)
    try:
        missed = None
        if last_event_id is not None:
            missed = Missed(last_event_id, await journal.replay(stream.actor, last_event_id, REPLAYED))
            if missed.batch is None:
                hub.measures.count("live_resyncs")
            else:
                hub.measures.count("live_replayed", by=len(missed.batch.events))
        return EventStream(hub, stream, frames(hub, stream, clock, missed, pace), pace.stalled)
    except BaseException:
        hub.unsubscribe(stream)
        raise


async def frames(
    hub: Hub, stream: Subscription, clock: Clock, missed: Missed | None, pace: Pace
) -> AsyncGenerator[bytes, None]:
    """The stream's bytes: a sign of life at once, what was missed, what happens; each event once and in order."""
    if missed is None:
        yield retry_line() + heartbeat_frame(clock.now(), stream.sent)
    elif missed.batch is None:
        yield retry_line() + resync_frame(clock.now(), stream.sent)
    else:
        stream.sent = missed.batch.highest
        yield retry_line() + heartbeat_frame(clock.now(), missed.after)
        async with aclosing(_replayed(stream, missed.batch)) as chunks:
            async for chunk in chunks:
                yield chunk
        if stream.closed is not None:
            # What waits came after what was still to be told: a client that saw it would not ask for that any more.
            yield closed_frame(stream.closed)
            return
    missed = None  # up to a megabyte, and the stream goes on for hours
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + random.uniform(*pace.beats)  # noqa: S311 -- spreads load, guards nothing
    while (reason := stream.closed) is None:
        now = loop.time()
        ends_at = min(stream.expires_at, stream.proved_at + pace.proof)
        if now >= ends_at:
            hub.end_all([stream], "session_revoked")
            continue
        # In pieces, so that a stream that ends is not in the midst of many.
        ready = stream.take(CHUNK)
        if now >= beat_at and not stream.waits:
            # Nothing up to the hub's position waits any more, so a client may come back from there.
            ready.append(heartbeat_frame(clock.now(), max(hub.position, stream.sent)))
            beat_at = now + random.uniform(*pace.beats)  # noqa: S311 -- as above
        if ready:
            yield b"".join(ready)
        else:
            await stream.wait(min(beat_at, ends_at))
    yield b"".join([*stream.take(), closed_frame(reason)])


async def _replayed(stream: Subscription, batch: Batch) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(batch.events), CHUNK):
        if stream.closed:
            return
        # Asked anew: the person's permissions may have changed since the events were read.
        chunk = batch.events[start : start + CHUNK]
        if told := b"".join(event_frame(event) for event in chunk if hears(stream.actor, event)):
            yield told
            # A server whose client is gone takes everything at once: without this the loop would be ours to the end.
            await asyncio.sleep(0)
