"""One contract for the journal, held by PostgreSQL and by the fake."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

import pytest
from tests.integration.live.parts import Process, Service

from coravet.adapters.memory.journal import MemoryJournal
from coravet.core.kernel.actor import Actor, ClinicId, MemberId, UserId
from coravet.core.kernel.events import AppointmentBooked, Event, MemberInvited, MemberRolesChanged, SessionEnded
from coravet.core.kernel.live import Journal
from coravet.core.tenancy.permissions import permissions_of

FUTURE = datetime(9000, 1, 1, tzinfo=UTC)


class Bench(Protocol):
    """What the contract needs besides the port: people at work in clinics."""

    journal: Journal

    async def member(self, clinic_id: ClinicId | None, *roles: str) -> Actor: ...
    async def emit(self, actor: Actor, *events: Event) -> None: ...


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()

    async def member(self, clinic_id: ClinicId | None, *roles: str) -> Actor:
        return Actor(
            clinic_id=clinic_id or ClinicId(uuid4()),
            time_zone="America/Guayaquil",
            user_id=UserId(uuid4()),
            member_id=MemberId(uuid4()),
            permissions=permissions_of(roles),
        )

    async def emit(self, actor: Actor, *events: Event) -> None:
        for event in events:
            self.journal.record(event, actor.clinic_id, actor.user_id)


class OnPostgres:
    """PostgreSQL, with a process that does nothing by itself."""

    def __init__(self, service: Service, process: Process) -> None:
        self.journal = process.journal
        self.member = service.member
        self.emit = process.emit


@pytest.fixture(params=["memory", "postgres"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        return InMemory()
    service: Service = request.getfixturevalue("service")
    return OnPostgres(service, service.process())


def booked() -> AppointmentBooked:
    return AppointmentBooked(uuid4(), 1)


async def test_numbers_begin_at_one_without_gaps(bench: Bench) -> None:
    """Committed events get consecutive numbers in the order in which they were raised, and keep them."""
    actor = await bench.member(None, "staff")
    assert await bench.journal.highest() == 0
    events = [booked() for _ in range(5)]
    await bench.emit(actor, *events[:3])
    await bench.emit(actor, *events[3:])
    numbered = await bench.journal.number(4)
    assert (numbered.count, numbered.highest) == (4, 4)
    numbered = await bench.journal.number(4)
    assert (numbered.count, numbered.highest) == (1, 5)
    numbered = await bench.journal.number(4)
    assert (numbered.count, numbered.highest) == (0, 5)
    batch = await bench.journal.above(0, 100)
    assert [event.number for event in batch.events] == [1, 2, 3, 4, 5]
    assert [event.subject_id for event in batch.events] == [event.id for event in events]
    assert await bench.journal.highest() == batch.highest == 5


async def test_nothing_is_read_before_it_is_numbered(bench: Bench) -> None:
    """An event without a number is in nobody's hands yet."""
    actor = await bench.member(None, "staff")
    await bench.emit(actor, booked())
    assert (await bench.journal.above(0, 100)).events == []
    replay = await bench.journal.replay(actor, 0, 100)
    assert replay is not None
    assert (replay.events, replay.highest) == ([], 0)


async def test_events_are_kept_whole(bench: Bench) -> None:
    """A read event is what was raised: clinic, kind, audience, subject, author and an instant in UTC."""
    actor = await bench.member(None, "staff")
    assert actor.user_id is not None
    event = SessionEnded(uuid4(), person=actor.user_id)
    await bench.emit(actor, event)
    await bench.journal.number(100)
    [read] = (await bench.journal.above(0, 100)).events
    assert (read.number, read.clinic_id, read.kind) == (1, actor.clinic_id, "session.ended")
    assert (read.audience, read.person_id) == ("person", actor.user_id)
    assert (read.subject_type, read.subject_id, read.subject_version) == ("session", event.id, None)
    assert read.actor_user_id == actor.user_id
    assert read.at.utcoffset() == timedelta()
    assert abs(read.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_reads_in_portions(bench: Bench) -> None:
    """Reading above a number gives the next ones, lowest first."""
    actor = await bench.member(None, "staff")
    await bench.emit(actor, *(booked() for _ in range(5)))
    await bench.journal.number(100)
    batch = await bench.journal.above(2, 2)
    assert ([event.number for event in batch.events], batch.highest) == ([3, 4], 5)
    assert (await bench.journal.above(5, 2)).events == []


async def test_replay_is_scoped(bench: Bench) -> None:
    """A replay holds the clinic's own events for everybody, for permissions held, and for the person; nothing else."""
    manager = await bench.member(None, "manager")
    staff = await bench.member(manager.clinic_id, "staff")
    foreign = await bench.member(None, "owner")
    assert staff.user_id is not None
    assert manager.user_id is not None
    await bench.emit(
        manager,
        booked(),
        MemberInvited(uuid4()),
        SessionEnded(uuid4(), person=staff.user_id),
        SessionEnded(uuid4(), person=manager.user_id),
    )
    await bench.emit(foreign, booked())
    await bench.journal.number(100)

    async def heard(actor: Actor, after: int) -> list[int]:
        replay = await bench.journal.replay(actor, after, 100)
        assert replay is not None
        assert replay.highest == 5
        return [event.number for event in replay.events]

    assert await heard(manager, 0) == [1, 2, 4]
    assert await heard(staff, 0) == [1, 3]
    assert await heard(staff, 1) == [3]
    assert await heard(foreign, 0) == [5]


async def test_replay_of_ones_own_place(bench: Bench) -> None:
    """A replay holds what was done to a person's own place whatever they may, and nothing of others' places."""
    manager = await bench.member(None, "manager")
    staff, vet = [await bench.member(manager.clinic_id, role) for role in ("staff", "vet")]
    await bench.emit(manager, *(MemberRolesChanged(each.member_id, 2) for each in (staff, vet) if each.member_id))
    await bench.journal.number(100)
    for actor, expected in ((manager, [1, 2]), (staff, [1]), (vet, [2])):
        replay = await bench.journal.replay(actor, 0, 100)
        assert replay is not None
        assert [event.number for event in replay.events] == expected


async def test_replay_tells_all_or_nothing(bench: Bench) -> None:
    """After a number that is too high, or with more to tell than asked for, there is no replay."""
    actor = await bench.member(None, "staff")
    await bench.emit(actor, *(booked() for _ in range(3)))
    await bench.journal.number(100)
    assert await bench.journal.replay(actor, 4, 100) is None
    assert await bench.journal.replay(actor, 2**63 - 1, 100) is None
    assert await bench.journal.replay(actor, 0, 2) is None
    exact = await bench.journal.replay(actor, 0, 3)
    assert exact is not None
    assert len(exact.events) == 3
    last = await bench.journal.replay(actor, 3, 3)
    assert last is not None
    assert last.events == []


async def test_prune(bench: Bench) -> None:
    """Old events go, lowest first; whoever missed one that is gone has no replay. Numbers are never used again."""
    actor = await bench.member(None, "staff")
    await bench.emit(actor, *(booked() for _ in range(5)))
    await bench.journal.number(3)
    assert await bench.journal.prune(datetime.now(UTC) - timedelta(hours=1), 100) == 0
    assert await bench.journal.prune(FUTURE, 2) == 2
    assert await bench.journal.prune(FUTURE, 2) == 1
    assert await bench.journal.prune(FUTURE, 2) == 0
    await bench.journal.number(3)
    assert [event.number for event in (await bench.journal.above(0, 100)).events] == [4, 5]
    assert await bench.journal.replay(actor, 2, 100) is None
    replay = await bench.journal.replay(actor, 3, 100)
    assert replay is not None
    assert [event.number for event in replay.events] == [4, 5]


async def test_many_at_once_number_gapless(bench: Bench) -> None:
    """While many commit and many number, every event gets one number and no number is left out or given twice."""
    actor = await bench.member(None, "staff")

    async def write() -> None:
        for _ in range(10):
            await bench.emit(actor, booked(), booked())

    async def number() -> int:
        total = 0
        for _ in range(10):
            total += (await bench.journal.number(7)).count
        return total

    counts = await asyncio.gather(*(number() for _ in range(4)), *(write() for _ in range(4)))
    total = sum(count for count in counts if count is not None)
    while count := (await bench.journal.number(7)).count:
        total += count
    assert total == 80
    batch = await bench.journal.above(0, 1000)
    assert [event.number for event in batch.events] == list(range(1, 81))
    assert len({event.subject_id for event in batch.events}) == 80


async def test_replays_while_it_is_pruned(bench: Bench) -> None:
    """Whoever resumes while events are being forgotten gets all that followed, or is told that it cannot be told."""
    actor = await bench.member(None, "staff")
    for _ in range(4):
        await bench.emit(actor, *(booked() for _ in range(50)))
    await bench.journal.number(1000)
    told = untold = 0

    async def prune() -> None:
        gone = 3
        while gone:
            gone = await bench.journal.prune(FUTURE, 3)
            await asyncio.sleep(0)

    pruning = asyncio.create_task(prune())
    while not pruning.done():
        await asyncio.sleep(0)
        after = random.randint(0, 200)  # noqa: S311 -- decides who comes back when
        replay = await bench.journal.replay(actor, after, 1000)
        if replay is None:
            untold += 1
        else:
            told += 1
            assert [event.number for event in replay.events] == list(range(after + 1, 201))
    await pruning
    assert told
    assert untold
    assert await bench.journal.replay(actor, 199, 1000) is None
    last = await bench.journal.replay(actor, 200, 1000)
    assert last is not None
    assert last.events == []


async def test_after_a_restored_backup(service: Service) -> None:
    """A number given out after the backup was made, and of an event that is lost, is never met again."""
    journal, actor = (process := service.process()).journal, await service.member(None, "staff")
    await process.emit(actor, *(booked() for _ in range(5)))
    await journal.number(100)
    await process.emit(actor, booked())
    lost = 8
    await journal.skip()
    assert (await journal.number(100)).count == 1, "what had no number is not lost"
    await process.emit(actor, *(booked() for _ in range(lost)))
    await journal.number(100)
    for after in (0, 5, lost, 14, 10_000_000):
        assert await journal.replay(actor, after, 100) is None, after
    highest = await journal.highest()
    replay = await journal.replay(actor, highest - 9, 100)
    assert replay is not None
    assert [event.number for event in replay.events] == list(range(highest - 8, highest + 1))
    assert await journal.prune(datetime.now(UTC) - timedelta(hours=1), 100) == 0
    assert await journal.replay(actor, 5, 100) is None, "nor once old events are pruned"
    await journal.skip()
    assert await journal.replay(actor, highest, 100) is None, "it may be repeated"
