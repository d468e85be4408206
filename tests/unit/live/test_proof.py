"""How long a stream lives on the identity provider's last word, by the real times: 20 s, 30 s, 60 s."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from tests.unit.live.hurried import LoopClock, hurried
from tests.unit.live.parts import Client, Layer

from coravet.adapters.memory.identity import MemoryIdentity
from coravet.bootstrap import KEPT_CLAIMS
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import Unavailable
from coravet.core.legal.gate import CachedGate
from coravet.core.tenancy.identity import Standing
from coravet.entrypoints.live.hub import Viewer
from coravet.entrypoints.live.layer import Live

TOGETHER = 1.1
"""Seconds in which a question about somebody who cannot wait is asked."""


class Provider(MemoryIdentity):
    """Takes its time to answer, and knows nothing of some people.

    Attributes:
        takes: seconds for each answer, and while nobody is reached for each failure.
        fails: a question about any of these is refused at once.
    """

    takes = 0.0
    fails: Collection[str] = ()

    async def standing(self, uids: list[str]) -> dict[str, Standing]:
        reached = self.reachable and not set(uids) & set(self.fails)
        answer = await super().standing(uids) if reached else {}
        if reached or not self.fails:
            await asyncio.sleep(self.takes)  # so that what happens meanwhile is not in the answer
        if not reached:
            raise Unavailable("The identity provider does not answer in time.")
        return answer


class Site:
    """A running live layer, and who has streams open there."""

    def __init__(self, layer: Layer, provider: Provider, live: Live) -> None:
        self.provider = provider
        self.clinic = ClinicId(uuid4())
        self.ended: dict[str, float] = {}
        self.frames: dict[str, Client] = {}
        self._layer = layer
        self._live = live
        self._watching: list[asyncio.Task[None]] = []

    async def open(self, *, kept: float = 0.0) -> str:
        """A new person's stream, on claims that were kept for so many seconds; answers their uid."""
        viewer = self._layer.viewer(self.clinic, "staff")
        viewer = msgspec.structs.replace(viewer, verified_at=viewer.verified_at - timedelta(seconds=kept))
        await self.open_for(viewer)
        return viewer.uid

    async def open_for(self, viewer: Viewer) -> None:
        client = self.frames[viewer.uid] = Client(await self._live.open(viewer, None))
        self._watching.append(asyncio.create_task(self._watch(viewer.uid, client)))

    async def _watch(self, uid: str, client: Client) -> None:
        await client.ended.wait()
        self.ended[uid] = now()

    async def close(self) -> None:
        for client in self.frames.values():
            if not client.ended.is_set():
                await client.hang_up()
        await asyncio.gather(*self._watching)


def within(second: float) -> object:
    """That moment, or up to a second after it: streams look at the time together, now and then."""
    return pytest.approx(second + 0.5, abs=0.51)


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def running() -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        layer = Layer(stack)
        layer.clock = LoopClock()
        provider = layer.identity = Provider(clock=layer.clock)
        gate = CachedGate(layer.gate, layer.clock)
        live = Live(
            layer.journal, layer.fanout, layer.directory, provider, layer.forgotten.append, gate, layer.clock, None
        )
        await stack.enter_async_context(live.running())
        site = Site(layer, provider, live)
        stack.push_async_callback(site.close)
        yield site


def test_thirty_seconds() -> None:
    """Whoever is revoked, disabled or deleted: their streams end in 30 s, though each answer takes 4.9 s."""

    async def test() -> None:
        async with running() as site:
            site.provider.takes = 4.9
            await asyncio.sleep(3)
            people = [await site.open() for _ in range(60)]
            staying = [await site.open() for _ in range(60)]
            await asyncio.sleep(100)
            refused = {}
            for number, uid in enumerate(people):
                getattr(site.provider, ("revoke", "disable", "delete")[number % 3])(uid)
                refused[uid] = now()
                await asyncio.sleep(0.7)
            await asyncio.sleep(30)
            lasted = [site.ended[uid] - at for uid, at in refused.items()]
            assert max(lasted) <= 30
            assert max(lasted) > 20, "some were asked about just before"
            assert not site.ended.keys() & set(staying)

    hurried(test())


def test_absent() -> None:
    """Without the provider each stream ends 60 s after its last proof, not before and not later; with it, none."""

    async def test() -> None:
        async with running() as site:
            await asyncio.sleep(5)
            early = await site.open()
            await asyncio.sleep(31)  # swept at 20
            late = await site.open()
            site.provider.reachable = False
            site.provider.takes = 5.0  # the timeout
            await asyncio.sleep(50)
            assert early in site.ended
            assert late not in site.ended
            await asyncio.sleep(15)
            assert site.ended == {early: within(20 + 60), late: within(36 + 60)}

    hurried(test())


def test_back_in_time() -> None:
    """An outage that ends before the last proof is 60 s old ends no stream: who lacks an answer is asked at once."""

    async def test() -> None:
        async with running() as site:
            people = [await site.open() for _ in range(250)]
            await asyncio.sleep(21)
            site.provider.reachable = False
            site.provider.takes = 5.0
            await asyncio.sleep(50)
            site.provider.reachable = True
            site.provider.takes = 0.1
            await asyncio.sleep(120)
            assert not site.ended
            assert len(people) == 250

    hurried(test())


def test_slow() -> None:
    """A sweep that takes 25 s ends nobody who stands, and everybody who does not."""

    async def test() -> None:
        async with running() as site:
            people = [await site.open() for _ in range(2500)]
            site.provider.takes = 5.0  # 25 calls, five at a time
            await asyncio.sleep(110)
            assert not site.ended
            for uid in people[::100]:
                site.provider.disable(uid)
            began = now()
            await asyncio.sleep(60)
            assert set(site.ended) == set(people[::100])
            assert max(site.ended.values()) - began <= 25 + 25

    hurried(test())


def test_one_question_fails() -> None:
    """A question that is never answered neither spares nor ends those of the others; its own people end after 60 s."""

    async def test() -> None:
        async with running() as site:
            people = sorted([await site.open() for _ in range(300)])
            await asyncio.sleep(21)
            site.provider.fails = people[150:151]
            site.provider.takes = 1.0
            site.provider.disable(people[0])
            site.provider.disable(people[299])
            await asyncio.sleep(21)
            assert {uid: site.ended[uid] for uid in (people[0], people[299])} == site.ended
            assert all(at == within(41) for at in site.ended.values())
            calls = site.provider.calls
            await asyncio.sleep(36)
            assert site.provider.calls - calls == 2, "the others are asked about once a sweep"
            await asyncio.sleep(4)
            assert set(site.ended) == {people[0], people[299], *people[101:200]}
            assert all(site.ended[uid] == within(20 + 60) for uid in people[101:200])

    hurried(test())


def test_kept_claims() -> None:
    """A stream opened on claims kept for a while is asked about at once: a person refused meanwhile is soon told so."""

    async def test() -> None:
        async with running() as site:
            await asyncio.sleep(1)
            site.provider.takes = 4.0
            viewer = site._layer.viewer(site.clinic, "staff")
            await asyncio.sleep(2)
            site.provider.revoke(viewer.uid)
            await asyncio.sleep(42)
            await site.open_for(viewer)
            staying = await site.open(kept=KEPT_CLAIMS.total_seconds())
            opened = now()
            await asyncio.sleep(100)
            assert site.ended.keys() == {viewer.uid}, f"not {staying}, who has enough time until the answer"
            assert site.ended[viewer.uid] - opened <= TOGETHER + 4.0

    hurried(test())


def test_kept_claims_without_the_provider() -> None:
    """Where the provider is away a stream opened on kept claims ends 60 s after those were verified."""

    async def test() -> None:
        async with running() as site:
            await asyncio.sleep(1)
            site.provider.reachable = False
            uid = await site.open(kept=45.0)
            await asyncio.sleep(70)
            assert site.ended == {uid: within(1 + 60 - 45)}

    hurried(test())
