"""The live layer of one process, put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.live import Fanout, Journal
from coravet.core.kernel.measures import UNMEASURED, Measures
from coravet.core.legal.gate import CachedGate
from coravet.core.tenancy.identity import Identity
from coravet.core.tenancy.ports import Directory
from coravet.entrypoints.live.dispatcher import Dispatcher
from coravet.entrypoints.live.hub import Hub, Viewer
from coravet.entrypoints.live.signals import on_stop
from coravet.entrypoints.live.sockets import Sockets
from coravet.entrypoints.live.stream import EventStream, Pace, open_stream
from coravet.entrypoints.live.sweep import Sweep


class Live:
    """Everything between a commit and an open stream.

    Attributes:
        wake: to be called after each commit that left events.

    Args:
        port: where this process listens; None where no server does, and no connection is to be bounded.
    """

    def __init__(
        self,
        journal: Journal,
        fanout: Fanout,
        directory: Directory,
        identity: Identity,
        forget: Callable[[str], None],
        gate: CachedGate,
        clock: Clock,
        port: int | None,
        measures: Measures = UNMEASURED,
    ) -> None:
        self.hub = Hub(journal, fanout, directory, gate, clock, measures)
        self._journal = journal
        self._clock = clock
        self._fanout = fanout
        self._measures = measures
        self._dispatcher = Dispatcher(journal, fanout, clock, measures)
        self._sweep = Sweep(self.hub, identity, forget, clock, measures)
        self._pace = Pace()
        self._sockets = Sockets(port)
        self.wake = self._dispatcher.wake

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Number, hand out and verify until the end; at its end, or at a signal to stop, every stream says goodbye."""
        async with self._sockets.bounded(), self._dispatcher, self.hub, self._sweep:
            with on_stop(self._stop):
                yield

    def measure(self) -> None:
        """Say how many streams are open now, for how many people, and whether announcements arrive."""
        streams = self.hub.streams()
        self._measures.stands("live_streams", len(streams))
        self._measures.stands("live_people", len({stream.viewer.uid for stream in streams}))
        self._measures.stands("live_listening", self._fanout.listening)

    def _stop(self) -> None:
        peers = self.hub.peers()
        self.hub.stop()
        self._sockets.stop(peers)

    async def open(self, viewer: Viewer, last_event_id: int | None) -> EventStream:
        """Open a stream that goes on after the event that the client saw last, or begins now.

        Raises:
            Unavailable: storage does not answer, or the process is ending.
        """
        stream = await open_stream(self.hub, self._journal, self._clock, viewer, last_event_id, self._pace)
        self._sweep.opened(viewer)
        return stream
