"""One open stream: what it sends, when it ends, and the response that carries it."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.live import Batch, Journal, hears
from coravet.entrypoints.live.frames import closed_frame, event_frame, heartbeat_frame, resync_frame, retry_line
from coravet.entrypoints.live.hub import Hub, Subscription, Viewer

REPLAYED = 2000
"""Of more missed events than these, loading anew is cheaper."""

CHUNK = 100
"""Frames of a replay that are sent at once."""


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


class EventStream(ASGIStreamingResponse):
    """The response of an open stream; the subscription ends with it, however it ends."""

    def __init__(self, hub: Hub, stream: Subscription, content: AsyncGenerator[bytes, None], stalled: float) -> None:
        super().__init__(
            iterator=content,
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._hub = hub
        self._stream_of_hub = stream
        self._content = content
        self._stalled = stalled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.unsubscribe(self._stream_of_hub)

    async def send_body(self, send: Send, receive: Receive) -> None:
        async with asyncio.TaskGroup() as tasks:
            ends = [tasks.create_task(self._write(send)), tasks.create_task(_hung_up(receive))]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()

    async def _write(self, send: Send) -> None:
        async with aclosing(self._content) as chunks:
            async for chunk in chunks:
                if not await self._taken(send, {"type": "http.response.body", "body": chunk, "more_body": True}):
                    self._stream_of_hub.end("too_slow")
                    return  # without a last chunk the server closes the connection
        await self._taken(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _taken(self, send: Send, part: HTTPResponseBodyEvent) -> bool:
        # Nobody is told that a client stopped reading: sending waits, for ever if it may.
        try:
            async with asyncio.timeout(self._stalled):
                await send(part)
        except TimeoutError:
            return False
        return True


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


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
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + random.uniform(*pace.beats)  # noqa: S311 -- spreads load, guards nothing
    while (reason := stream.closed) is None:
        now = loop.time()
        ends_at = min(stream.expires_at, stream.proved_at + pace.proof)
        if now >= ends_at:
            hub.end_all([stream], "session_revoked")
            continue
        ready = stream.take()
        if now >= beat_at:
            # Nothing up to the hub's position waits any more, so a client may come back from there.
            ready.append(heartbeat_frame(clock.now(), max(hub.position, stream.sent)))
            beat_at = now + random.uniform(*pace.beats)  # noqa: S311 -- as above
        if ready:
            yield b"".join(ready)
            # A server whose client is gone takes everything at once: without this the loop would be ours for ever.
            await asyncio.sleep(0)
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
            await asyncio.sleep(0)
