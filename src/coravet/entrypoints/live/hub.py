"""One process's open streams, and the one reader that hands them their events."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from math import inf
from types import TracebackType
from typing import Self
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.events import (
    CloseReason,
    LegalAcceptanceRequired,
    MemberDeactivated,
    MemberJoined,
    MemberRolesChanged,
    SessionEnded,
)
from coravet.core.kernel.live import Fanout, Journal, Recorded, hears
from coravet.core.kernel.measures import UNMEASURED, Measures
from coravet.core.kernel.steady import Steady
from coravet.core.legal.gate import CachedGate
from coravet.core.tenancy.permissions import Permission
from coravet.core.tenancy.ports import Directory
from coravet.entrypoints.live.frames import event_frame

NEEDED: Permission = "clinic:read"
"""Without it a person has no stream."""

LOOK_SECONDS = 1.0
"""How often the journal is read without an announcement: the listener may be down, or not know yet that it is."""

TOGETHER_SECONDS = 0.015
"""Announcements that come closer than this are read together: a read costs as much as a dozen frames. Where fifty come
in a second each is still read at once."""

TICK_SECONDS = 0.5
"""How often it is seen whether a stream has something due: one look for all costs less than a timer for each."""

GOODBYE_SECONDS = 1.0
"""How long a stream that ends may take to say so; a client that reads too slowly for that is cut off."""

BATCH = 500
PENDING = 2000
"""Frames that wait for one stream at most; beyond, its client is too slow."""

ACCESS_CHANGES = frozenset(event.kind() for event in (MemberDeactivated, MemberRolesChanged, SessionEnded))
LEGAL_CHANGES = frozenset(event.kind() for event in (LegalAcceptanceRequired, MemberRolesChanged, MemberJoined))
"""After these somebody may have a legal text open who had none; whoever owns a clinic decides for it, too."""

REMEMBERED_SECONDS = 120.0
"""How long a change of access is remembered, for streams whose guards ran before it and that open after it."""


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose stream it is, and on what proof.

    Attributes:
        uid: the identity provider's id of the person.
        issued_at: when the session or token was made; `expires_at` is its end.
        verified_at: when the identity provider stood by it, which may be a while ago.
    """

    actor: Actor
    uid: str
    session_id: UUID
    issued_at: datetime
    expires_at: datetime
    verified_at: datetime


class Subscription:
    """What waits for one stream, and whether it may go on. Times are the event loop's.

    Attributes:
        actor: with the permissions of now.
        proved_at: when the identity provider last stood by the person.
        sent: everything up to this number was handed over or is none of the stream's business.
        closed: why the stream is to end.
        due: when the stream is to be woken though nothing happens.
        given_up_at: when the client is given up, unless it has taken what it is being sent by then.
        abandon: ends the stream without a word; None while nobody writes.
        peer: host and port that the client's connection comes from, once the response has begun.
    """

    __slots__ = (
        "_limit",
        "_loop",
        "_pending",
        "_waiter",
        "abandon",
        "actor",
        "closed",
        "due",
        "expires_at",
        "given_up_at",
        "peer",
        "proved_at",
        "sent",
        "viewer",
    )

    def __init__(self, viewer: Viewer, *, limit: int, proved_at: float, expires_at: float) -> None:
        self.viewer = viewer
        self.actor = viewer.actor
        self.proved_at = proved_at
        self.expires_at = expires_at
        self.sent = 0
        self.closed: CloseReason | None = None
        self.due = inf
        self.given_up_at = inf
        self.abandon: Callable[[], object] | None = None
        self.peer: tuple[str, int] | None = None
        self._limit = limit
        # Asked for anew it would cost a call to the kernel, for every frame of every stream.
        self._loop = asyncio.get_running_loop()
        self._pending: list[tuple[int, bytes]] = []
        self._waiter: asyncio.Future[None] | None = None

    def offer(self, numbered: tuple[int, bytes]) -> None:
        """Have a frame sent after those that wait. Every stream keeps the same one: where many wait, eight bytes."""
        if len(self._pending) >= self._limit:
            self.end("too_slow")
        else:
            self._pending.append(numbered)
            self._wake()

    def end(self, reason: CloseReason, *, told: bool = False) -> None:
        """Let the stream say why, and end. The first reason stands; a client that is slow to take it is not waited for.

        Args:
            told: what still waits is sent first; else it is not sent at all.
        """
        if self.closed is None:
            self.closed = reason
            if self.given_up_at < inf:
                self.given_up_at = min(self.given_up_at, self._loop.time() + GOODBYE_SECONDS)
            if not told:
                self._pending.clear()
            self._wake()

    def take(self, most: int = PENDING) -> list[bytes]:
        """The frames that wait, each once and up to so many."""
        if not self._pending:
            return []
        pending = self._pending
        if len(pending) > most:
            pending, self._pending = pending[:most], pending[most:]
        else:
            self._pending = []
        frames = [frame for number, frame in pending if number > self.sent]
        self.sent = max(self.sent, pending[-1][0])
        return frames

    @property
    def waits(self) -> bool:
        """Whether there is something to take."""
        return bool(self._pending)

    async def wait(self, until: float) -> None:
        """Return when there is something to take, when the stream is to end, or soon after the given time."""
        if self._pending or self.closed:
            return
        self.due = until
        self._waiter = self._loop.create_future()
        await self._waiter

    def look(self, now: float) -> None:
        """See to what is due."""
        if now >= self.due:
            self._wake()
        if now >= self.given_up_at and self.abandon is not None:
            self.end("too_slow")
            self.abandon()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Hub:
    """Reads the journal once for all streams of this process while entered.

    Every event is encoded once, and the same bytes go to each stream whose person may hear of it. A change of access is
    carried out in its place in that order: what follows it is handed out by the new permissions.

    Attributes:
        measures: of this hub and its streams.
    """

    def __init__(
        self,
        journal: Journal,
        fanout: Fanout,
        directory: Directory,
        gate: CachedGate,
        clock: Clock,
        measures: Measures = UNMEASURED,
        *,
        look_seconds: float = LOOK_SECONDS,
        tick_seconds: float = TICK_SECONDS,
        together_seconds: float = TOGETHER_SECONDS,
        pending: int = PENDING,
    ) -> None:
        self.measures = measures
        measures.stands("live_read_at", clock.now().timestamp())
        self._journal = journal
        self._directory = directory
        self._gate = gate
        self._clock = clock
        self._pending = pending
        self._position: int | None = None
        self._stopping = False
        self._by_clinic: dict[ClinicId, set[Subscription]] = defaultdict(set)
        self._written: set[Subscription] = set()
        self._access_changes: dict[UUID, float] = {}
        self._access_turn = asyncio.Lock()
        self._reader = Steady("reading events", self._read, every=look_seconds, least=together_seconds)
        self._ticks = Steady("looking at open streams", self._look, every=tick_seconds)
        fanout.listen(self._hear)

    async def __aenter__(self) -> Self:
        # Where storage does not answer yet the reader goes on asking, and streams are refused until it does.
        with suppress(Unavailable):
            self._position = await self._journal.highest()
        await self._reader.__aenter__()
        await self._ticks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self._ticks.__aexit__(kind, error, trace)
        await self._reader.__aexit__(kind, error, trace)

    @property
    def position(self) -> int:
        """Everything up to this number was handed out.

        Raises:
            Unavailable: the journal has not been read yet.
        """
        if self._position is None:
            raise Unavailable("The event stream is starting.")
        return self._position

    def streams(self) -> list[Subscription]:
        """All that are open."""
        return [stream for streams in self._by_clinic.values() for stream in streams]

    def peers(self) -> set[tuple[str, int]]:
        """Where the clients are whose streams are being written, also those that are handed nothing more."""
        return {stream.peer for stream in self._written if stream.peer is not None}

    async def subscribe(self, viewer: Viewer) -> Subscription:
        """Take part in everything that is handed out from now on.

        Raises:
            Unavailable: the process is ending, or has only begun.
        """
        if self._stopping:
            raise Unavailable("This server is going down. Connect again.", retry_after_seconds=1)
        loops, now = asyncio.get_running_loop().time(), self._clock.now()
        stream = Subscription(
            viewer,
            limit=self._pending,
            # Never later than now, whatever a clock that was set back says: a proof does not get younger by that.
            proved_at=loops - max(0.0, (now - viewer.verified_at).total_seconds()),
            expires_at=loops + (viewer.expires_at - now).total_seconds(),
        )
        stream.sent = self.position
        self._by_clinic[viewer.actor.clinic_id].add(stream)
        if viewer.session_id in self._access_changes:
            self._end(stream, "session_revoked")
        try:
            if viewer.actor.member_id in self._access_changes:
                await self._refresh([stream])
            user_id = viewer.actor.user_id
            if (
                user_id is not None
                and user_id in self._access_changes
                and await self._gate.pending(user_id, viewer.actor.clinic_id)
            ):
                self._end(stream, "access_ended")
        except BaseException:
            self.unsubscribe(stream)
            raise
        return stream

    def unsubscribe(self, stream: Subscription) -> None:
        """Forget a stream; nothing happens where it is forgotten already."""
        self._written.discard(stream)
        self._leave(stream)

    def _leave(self, stream: Subscription) -> None:
        """Hand nothing more to a stream; whoever writes it may still be at what it was handed."""
        clinic_id = stream.actor.clinic_id
        streams = self._by_clinic.get(clinic_id)
        if streams is not None and stream in streams:
            self.measures.count("live_closed", stream.closed or "left")
            streams.discard(stream)
            if not streams:
                del self._by_clinic[clinic_id]

    def watch(self, stream: Subscription, abandon: Callable[[], object]) -> None:
        """Wake the stream when something is due, until it is forgotten; `abandon` ends it without a word."""
        stream.abandon = abandon
        self._written.add(stream)

    def stop(self) -> None:
        """End every stream and take no more: the process is going down."""
        self._stopping = True
        self.end_all(self.streams(), "shutting_down")

    def end_all(self, streams: Collection[Subscription], reason: CloseReason) -> None:
        """End these streams with a last frame that says why."""
        for stream in streams:
            self._end(stream, reason)

    def _end(self, stream: Subscription, reason: CloseReason) -> None:
        stream.end(reason)
        self._leave(stream)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for stream in list(self._written):
            # Of ten thousand few have anything due: looked at here, the others cost no call.
            if now >= stream.due or now >= stream.given_up_at:
                stream.look(now)

    def _hear(self, highest: int) -> None:
        if self._position is None or highest > self._position:
            self._reader.wake()

    async def _read(self) -> None:
        if self._position is None:
            self._position = await self._journal.highest()
        full = True
        while full:
            batch = await self._journal.above(self._position, BATCH)
            self.measures.stands("live_read_at", self._clock.now().timestamp())
            following = batch.events[0].number if batch.events else batch.highest + 1
            if following != self._position + 1:
                # The database was restored from a backup, or this process slept for a day. The guards see to who may
                # come back, and the replay to what they missed.
                self.end_all(self.streams(), "shutting_down")
                self._gate.forget()
                self._position = batch.highest
                return
            for event in batch.events:
                await self._hand_out(event)
                self._position = event.number
            self.measures.stands("live_backlog", batch.highest - self._position)
            # Streams get to send what waits for them before more is put on top.
            await asyncio.sleep(0)
            full = len(batch.events) == BATCH

    async def _hand_out(self, event: Recorded) -> None:
        if event.kind in LEGAL_CHANGES:
            self._gate.forget()
        if event.kind in ACCESS_CHANGES:
            await self._change_access(event)
        barred = self._barred(event)
        numbered: tuple[int, bytes] | None = None
        told = 0
        everybody = event.audience == "clinic"
        for stream in list(self._by_clinic.get(event.clinic_id, ())):
            if everybody or hears(stream.actor, event):
                numbered = numbered or (event.number, event_frame(event))
                stream.offer(numbered)
                told += 1
                if stream.closed:
                    self._leave(stream)
        for stream in barred:
            stream.end("access_ended", told=True)
            self._leave(stream)
        if told:
            self.measures.count("live_frames", by=told)
            # By two clocks, the database's and ours: where they differ this shows it, but not as less than nothing.
            self.measures.took("live_delay", max(0.0, (self._clock.now() - event.at).total_seconds()))

    def _barred(self, event: Recorded) -> list[Subscription]:
        """The streams that end with an event, since their person has a legal text open from now on.

        Nobody is asked whether that is still so: a publication concerns everybody at once, and what follows it must not
        wait for a query each. Whoever has accepted since comes back at once.
        """
        if event.kind != LegalAcceptanceRequired.kind() or event.person_id is None:
            return []
        self._remember(event.person_id)
        return [
            stream for stream in self._by_clinic.get(event.clinic_id, ()) if stream.actor.user_id == event.person_id
        ]

    async def _change_access(self, event: Recorded) -> None:
        self._remember(event.subject_id)
        concerned = [
            stream for stream in self._by_clinic.get(event.clinic_id, ()) if event.subject_id in _names(stream)
        ]
        match event.kind:
            case "member.deactivated":
                self.end_all(concerned, "access_ended")
            case "session.ended":
                self.end_all(concerned, "session_revoked")
            case "member.roles_changed" if concerned:
                await self._refresh(concerned)

    async def _refresh(self, streams: list[Subscription]) -> None:
        """Read one member's permissions anew and have their streams follow."""
        async with self._access_turn:
            actor = streams[0].actor
            if actor.user_id is None:
                raise ValueError("a stream without a person")
            places = await self._directory.memberships(actor.user_id)
            permissions = next((place.permissions for place in places if place.clinic.id == actor.clinic_id), [])
            # Whoever owns the clinic from now on may have to decide for it first.
            let_in = NEEDED in permissions and not await self._gate.pending(actor.user_id, actor.clinic_id)
            for stream in streams:
                if let_in:
                    stream.actor = msgspec.structs.replace(stream.actor, permissions=frozenset(permissions))
                else:
                    self._end(stream, "access_ended")

    def _remember(self, subject_id: UUID) -> None:
        now = asyncio.get_running_loop().time()
        # The oldest come first: a publication is remembered for each person, one after the other.
        while self._access_changes and next(iter(self._access_changes.values())) <= now - REMEMBERED_SECONDS:
            del self._access_changes[next(iter(self._access_changes))]
        self._access_changes.pop(subject_id, None)
        self._access_changes[subject_id] = now


def _names(stream: Subscription) -> tuple[UUID | None, UUID]:
    return stream.actor.member_id, stream.viewer.session_id
