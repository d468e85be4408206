"""Gives committed events their numbers and says so, in whichever process gets to it first."""

from datetime import timedelta
from types import TracebackType
from typing import Self

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.live import Fanout, Journal
from coravet.core.kernel.measures import UNMEASURED, Measures
from coravet.core.kernel.steady import Steady

KEPT = timedelta(hours=24)
"""How long a client may stay away and still be told all it missed."""

BATCH = 1000
PRUNED_AT_ONCE = 5000
LOOK_SECONDS = 1.0
"""How long the events of a process that died after its commit wait at most for another one."""
TOGETHER_SECONDS = 0.01
"""Commits that come closer than this are numbered together: where hundreds come in a second each would cost as much
again to number as it cost itself. One that comes alone does not wait."""
PRUNE_SECONDS = 600.0


class Dispatcher:
    """Runs while entered; `wake` is to be called after each commit that left events.

    Every process has one. Which of them numbers an event does not matter: the journal lets one in at a time.
    """

    def __init__(
        self,
        journal: Journal,
        fanout: Fanout,
        clock: Clock,
        measures: Measures = UNMEASURED,
        *,
        look_seconds: float = LOOK_SECONDS,
        together_seconds: float = TOGETHER_SECONDS,
    ) -> None:
        self._journal = journal
        self._fanout = fanout
        self._clock = clock
        self._measures = measures
        measures.stands("live_numbered_at", clock.now().timestamp())
        self._numbering = Steady("numbering events", self._number, every=look_seconds, least=together_seconds)
        self._pruning = Steady("pruning events", self._prune, every=PRUNE_SECONDS)
        self.wake = self._numbering.wake

    async def __aenter__(self) -> Self:
        await self._numbering.__aenter__()
        await self._pruning.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pruning.__aexit__(kind, error, trace)
        await self._numbering.__aexit__(kind, error, trace)

    async def _number(self) -> None:
        full = True
        while full:
            numbered = await self._journal.number(BATCH)
            if numbered.count:
                self._measures.sized("live_batch", numbered.count)
                await self._fanout.announce(numbered.highest)
            full = numbered.count == BATCH
        self._measures.stands("live_numbered_at", self._clock.now().timestamp())

    async def _prune(self) -> None:
        before = self._clock.now() - KEPT
        while await self._journal.prune(before, PRUNED_AT_ONCE) == PRUNED_AT_ONCE:
            pass
