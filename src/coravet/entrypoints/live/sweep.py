"""Verifies everybody who has a stream open, over and over."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.steady import Steady
from coravet.core.tenancy.identity import Identity
from coravet.entrypoints.live.hub import Hub

SWEEP_SECONDS = 20.0
"""From the start of one sweep to the next: with the provider's answer on top, a revocation shows within 30 s."""


class Sweep:
    """Asks the identity provider, while entered, about the people behind this process's streams: each once a sweep.

    Streams that no longer stand end. Where the provider does not answer, streams go on until their last proof is too
    old, which each sees to itself.

    Args:
        forget: is told the uid of whoever no longer stands, so that claims kept from before don't let them back in.
    """

    def __init__(
        self,
        hub: Hub,
        identity: Identity,
        forget: Callable[[str], None],
        clock: Clock,
        *,
        every: float = SWEEP_SECONDS,
    ) -> None:
        self._hub = hub
        self._identity = identity
        self._forget = forget
        self._clock = clock
        self._rounds = Steady("verifying who has streams open", self._sweep, every=every)

    async def __aenter__(self) -> Self:
        await self._rounds.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rounds.__aexit__(kind, error, trace)

    async def _sweep(self) -> None:
        asked_at = asyncio.get_running_loop().time()
        people = {stream.viewer.uid for stream in self._hub.streams()}
        if not people:
            return
        standing = await self._identity.standing(sorted(people))
        for stream in self._hub.streams():
            viewer = stream.viewer
            # Who came meanwhile was not asked about, and was verified at the door.
            if viewer.uid not in standing:
                continue
            if standing[viewer.uid].accepts(viewer.issued_at) and viewer.expires_at > self._clock.now():
                stream.proved_at = max(stream.proved_at, asked_at)
            else:
                self._forget(viewer.uid)
                self._hub.end_all([stream], "session_revoked")
