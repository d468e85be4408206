"""Which handler a job meets, and what becomes of one that fails."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest
from tests.unit.noted import Noted

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.jobs import Attempt, GivenUp, Job, Periodic, TryAgain
from coravet.entrypoints.worker.worker import Pace, Worker

CLINIC = ClinicId(UUID(int=1))


class Ring(Job, frozen=True, tag="test.ring"):
    bell: int


class Knock(Job, frozen=True, tag="test.knock"):
    door: UUID


class Handed:
    """A queue that hands over what the test says, and remembers what it was asked for."""

    kinds: Collection[str] = ()
    periodic: Sequence[Periodic] = ()

    async def work_off(
        self,
        kinds: Collection[str],
        attempt: Callable[[Attempt], Awaitable[None]],
        periodic: Sequence[Periodic],
        stop: asyncio.Event,
    ) -> None:
        self.kinds, self.periodic = kinds, periodic
        await stop.wait()


class Told(list[object]):
    """A handler that remembers, and fails where it is told to."""

    fails: Exception | None = None
    takes = 0.0

    async def __call__(self, job: Job, actor: Actor) -> None:
        self.append((job, actor.clinic_id))
        await asyncio.sleep(self.takes)
        if self.fails is not None:
            raise self.fails


async def _actor_of(clinic_id: ClinicId) -> Actor:
    return Actor(clinic_id=clinic_id, time_zone="UTC", user_id=None)


def _worker(queue: Handed, ring: Told, knock: Told, *periodic: Periodic) -> Worker:
    pace = Pace(attempts=3, first=timedelta(seconds=1), limit=timedelta(seconds=0.05))
    return Worker(queue, {Ring: ring, Knock: knock}, periodic, _actor_of, pace)


def _attempt(job: Job, number: int = 1) -> Attempt:
    return Attempt(7, job.kind(), msgspec.json.encode(job), number)


async def test_each_kind_meets_its_handler() -> None:
    """A job comes out as it went in, at the handler of its kind, with the system of its clinic."""
    ring, knock = Told(), Told()
    worker = _worker(Handed(), ring, knock)
    first, second = Ring(CLINIC, 3), Knock(CLINIC, UUID(int=9))
    await worker.attempt(_attempt(first))
    await worker.attempt(_attempt(second))
    assert (ring, knock) == ([(first, CLINIC)], [(second, CLINIC)])


async def test_only_known_kinds_are_asked_for() -> None:
    """A kind that this worker has no handler for waits for one that has, as while a new version is rolled out."""
    queue, stop = Handed(), asyncio.Event()
    stop.set()
    await _worker(queue, Told(), Told()).run(stop)
    assert set(queue.kinds) == {"test.ring", "test.knock"}


@pytest.mark.parametrize("error", [RuntimeError("x"), Unavailable("The mail server does not answer.")])
async def test_a_failure_is_tried_again_until_the_last(error: Exception) -> None:
    """Each failure but the last one asks for another attempt; the last one gives up."""
    ring = Told()
    ring.fails = error
    worker = _worker(Handed(), ring, Told())
    for number in (1, 2):
        with pytest.raises(TryAgain):
            await worker.attempt(_attempt(Ring(CLINIC, 1), number))
    with pytest.raises(GivenUp):
        await worker.attempt(_attempt(Ring(CLINIC, 1), 3))
    assert len(ring) == 3
    with pytest.raises(GivenUp):
        await worker.attempt(_attempt(Ring(CLINIC, 1), 4))
    assert len(ring) == 3, "after the last one it is not begun any more"


async def test_what_takes_too_long_failed() -> None:
    """An attempt that is not done in its time is cut off, and tried again."""
    ring = Told()
    ring.takes = 60
    with pytest.raises(TryAgain):
        await _worker(Handed(), ring, Told()).attempt(_attempt(Ring(CLINIC, 1)))


async def test_what_cannot_be_read_failed() -> None:
    """A job that an older or newer version wrote otherwise is tried again, and is not lost."""
    ring = Told()
    with pytest.raises(TryAgain):
        await _worker(Handed(), ring, Told()).attempt(Attempt(7, "test.ring", b'{"kind": "test.ring"}', 1))
    assert ring == []


async def test_a_periodic_failure_waits_for_its_next_time() -> None:
    """What is periodic never fails towards the queue: it is done again anyway."""

    async def tick() -> None:
        raise RuntimeError

    queue, stop = Handed(), asyncio.Event()
    stop.set()
    await _worker(queue, Told(), Told(), Periodic("tick", "* * * * *", tick)).run(stop)
    [periodic] = queue.periodic
    assert (periodic.name, periodic.crontab) == ("tick", "* * * * *")
    await periodic.run()


async def test_outcomes_are_counted() -> None:
    """How attempts and periodic jobs ended is counted by their kind, and each attempt's duration kept."""
    measures, queue, stop, broken = Noted(), Handed(), asyncio.Event(), False

    async def tick() -> None:
        if broken:
            raise RuntimeError

    ring = Told()
    worker = Worker(
        queue, {Ring: ring}, [Periodic("tick", "* * * * *", tick)], _actor_of, Pace(attempts=3), measures=measures
    )
    stop.set()
    await worker.run(stop)
    await worker.attempt(_attempt(Ring(CLINIC, 1)))
    ring.fails = RuntimeError("x")
    for number, outcome in ((1, TryAgain), (3, GivenUp), (4, GivenUp)):
        with pytest.raises(outcome):
            await worker.attempt(_attempt(Ring(CLINIC, 1), number))
    await queue.periodic[0].run()
    broken = True
    await queue.periodic[0].run()
    assert measures.counts == {
        ("jobs", "test.ring", "done"): 1,
        ("jobs", "test.ring", "put_off"): 1,
        ("jobs", "test.ring", "given_up"): 2,
        ("periodic_jobs", "tick", "done"): 1,
        ("periodic_jobs", "tick", "failed"): 1,
    }
    assert [what for what, _ in measures.durations] == ["jobs"] * 3


def test_pauses_grow() -> None:
    """Pauses grow from seconds to an hour, whatever chance takes off, and together last some five hours."""
    pace = Pace()
    for _ in range(100):
        pauses = [pace.pause(number) for number in range(1, pace.attempts)]
        assert timedelta(seconds=3) <= pauses[0] <= timedelta(seconds=5)
        assert all(one < next_one for one, next_one in pairwise(pauses[:6]))
        assert max(pauses) <= timedelta(hours=1)
        assert timedelta(hours=3.5) <= sum(pauses, timedelta()) <= timedelta(hours=6)
