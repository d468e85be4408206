"""Verifies everybody who has a stream open, over and over."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.measures import UNMEASURED, Measures
from coravet.core.kernel.steady import Steady
from coravet.core.tenancy.identity import Identity, Standing
from coravet.entrypoints.live.hub import Hub, Subscription, Viewer

SWEEP_SECONDS = 20.0
"""From the start of one sweep to the next: with the provider's answer on top, a revocation shows within 30 s."""

TOGETHER_SECONDS = 1.0
"""Between two questions about people who cannot wait for the next sweep."""

FRESH = timedelta(seconds=5)
"""A stream whose proof is older when it opens cannot wait: its person may have been refused since."""

BATCH = 100
"""People in one call."""

AT_A_TIME = 5
"""Calls under way: half of the provider's threads are left to those who sign in."""


class Sweep:
    """Asks the identity provider, while entered, about the people behind this process's streams: each once a sweep.

    Streams that no longer stand end. Where the provider does not answer, streams go on until their last proof is too
    old, which each sees to itself. Every call stands for its own people: where one fails, the others are judged all
    the same, and its people are asked about again before the next sweep.

    Args:
        forget: is told the uid of whoever no longer stands, so that claims kept from before don't let them back in.
    """

    def __init__(
        self,
        hub: Hub,
        identity: Identity,
        forget: Callable[[str], None],
        clock: Clock,
        measures: Measures = UNMEASURED,
        *,
        every: float = SWEEP_SECONDS,
    ) -> None:
        self._hub = hub
        self._identity = identity
        self._forget = forget
        self._clock = clock
        self._measures = measures
        # Nobody has a stream open yet: a process that has only begun is late with no one.
        measures.stands("live_swept_at", clock.now().timestamp())
        self._lacking: set[str] = set()
        self._turn = asyncio.Lock()
        self._rounds = Steady("verifying who has streams open", self._sweep, every=every)
        self._again = Steady(
            "verifying who could not be verified", self._ask_again, every=every, least=TOGETHER_SECONDS
        )

    async def __aenter__(self) -> Self:
        await self._rounds.__aenter__()
        await self._again.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._again.__aexit__(kind, error, trace)
        await self._rounds.__aexit__(kind, error, trace)

    def opened(self, viewer: Viewer) -> None:
        """Ask about the person of a new stream soon, where their proof was kept for a while before it opened."""
        if self._clock.now() - viewer.verified_at > FRESH:
            self._lacking.add(viewer.uid)
            self._again.wake()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._turn:
            people = self._people()
            self._lacking.clear()  # all are asked; whose stream opens meanwhile is added
            unanswered = await self._ask(people)
            self._lacking |= unanswered
        if people:
            self._measures.count("live_sweeps", "failed" if unanswered else "worked")
            self._measures.took("live_sweeps", loop.time() - began)
        if unanswered:
            self._again.wake()
        else:
            self._measures.stands("live_swept_at", self._clock.now().timestamp())

    async def _ask_again(self) -> None:
        async with self._turn:
            lacking, self._lacking = self._lacking, set()
            people = self._people()
            self._lacking |= await self._ask({uid: people[uid] for uid in lacking if uid in people})
        if self._lacking:
            raise Unavailable("The identity provider does not answer.")

    def _people(self) -> dict[str, list[Subscription]]:
        people: dict[str, list[Subscription]] = {}
        for stream in self._hub.streams():
            people.setdefault(stream.viewer.uid, []).append(stream)
        return people

    async def _ask(self, people: dict[str, list[Subscription]]) -> set[str]:
        """Judge these people's streams; answers who could not be asked about."""
        uids = sorted(people)
        batches = [uids[start : start + BATCH] for start in range(0, len(uids), BATCH)]
        left = iter(batches)
        unanswered: set[str] = set()

        async def lane() -> None:
            for batch in left:
                asked_at = asyncio.get_running_loop().time()
                try:
                    standing = await self._identity.standing(batch)
                except Unavailable:
                    self._measures.count("identity_calls", "failed")
                    unanswered.update(batch)
                    continue
                self._measures.count("identity_calls", "answered")
                for uid in batch:
                    for stream in people[uid]:
                        self._judge(stream, standing[uid], asked_at)

        async with asyncio.TaskGroup() as lanes:
            for _ in batches[:AT_A_TIME]:
                lanes.create_task(lane())
        return unanswered

    def _judge(self, stream: Subscription, standing: Standing, asked_at: float) -> None:
        viewer = stream.viewer
        if standing.accepts(viewer.issued_at) and viewer.expires_at > self._clock.now():
            stream.proved_at = max(stream.proved_at, asked_at)
        else:
            self._forget(viewer.uid)
            self._hub.end_all([stream], "session_revoked")
