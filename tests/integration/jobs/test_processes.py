"""`coravet worker` as processes: what is killed, stopped or doubled loses no job and does none twice without need."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.jobs.ringing import Ring, Wait, WorkerProcess, notes
from tests.integration.parts.processes import eventually

from coravet.bootstrap import services
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.jobs import Job
from coravet.settings import Settings

pytestmark = pytest.mark.alone

Defer = Callable[..., Awaitable[None]]
Start = Callable[..., WorkerProcess]


def soon(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true while workers may still be starting, several at once on a busy machine."""
    return eventually(condition, 120)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Where jobs write what they did."""
    return tmp_path / "book"


@pytest.fixture
def start(fresh_database: Settings, book: Path) -> Iterator[Start]:
    """Starts workers; none is left."""
    started: list[WorkerProcess] = []

    def start(**changes: object) -> WorkerProcess:
        started.append(WorkerProcess(fresh_database, book, **changes))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
async def clinic_id(fresh_database: Settings) -> ClinicId:
    """A clinic to work in."""
    async with services(fresh_database) as found:
        return (await found.create_clinic("ringing", "Ringing", "America/Guayaquil", None)).id


@pytest.fixture
async def defer(fresh_database: Settings) -> AsyncIterator[Defer]:
    """Defers jobs in one work."""
    async with services(fresh_database) as found:

        async def defer(*jobs: Job) -> None:
            async with found.system_begin("test") as work:
                for job in jobs:
                    await work.jobs.defer(job)

        yield defer


async def test_stopped(start: Start, book: Path, defer: Defer, clinic_id: ClinicId) -> None:
    """A worker takes up what waits; at SIGTERM it ends what runs, takes up nothing more, and ends with 0."""
    await defer(Ring(clinic_id, 1), Wait(clinic_id, 2.0))
    worker = start()
    assert soon(lambda: {"ring 1", "began"} <= set(notes(book))), worker.output
    assert worker.stop() == 0
    assert notes(book)[-1] == "ended"
    assert '"worker ended"' in worker.output
    await defer(Ring(clinic_id, 2))
    await asyncio.sleep(1.5)
    assert "ring 2" not in notes(book)


async def test_killed(start: Start, book: Path, defer: Defer, clinic_id: ClinicId) -> None:
    """The job of a worker that is killed in the midst is begun anew by another one, and done."""
    await defer(Wait(clinic_id, 3.0))
    first = start(worker_silence_seconds=2)
    assert soon(lambda: notes(book) == ["began"]), first.output
    first.kill()
    second = start(worker_silence_seconds=2)
    assert soon(lambda: "ended" in notes(book)), second.output
    assert [note for note in notes(book) if note != "tick"] == ["began", "began", "ended"]


async def test_out_of_time(start: Start, book: Path, defer: Defer, clinic_id: ClinicId) -> None:
    """A job that does not end in the time of grace is cut off, and the next worker takes it up at once."""
    await defer(Wait(clinic_id, 600.0))
    first = start(worker_grace_seconds=1)
    assert soon(lambda: "began" in notes(book)), first.output
    asked = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - asked < 15
    second = start()  # which would wait half a minute for one that it takes for alive
    assert soon(lambda: notes(book).count("began") == 2), second.output


async def test_two(start: Start, book: Path, defer: Defer, clinic_id: ClinicId) -> None:
    """Of two workers one does each job, and one does what is periodic each time."""
    workers = [start(), start()]
    assert soon(lambda: all('"worker ready"' in worker.output for worker in workers))
    began, earlier = time.monotonic(), notes(book).count("tick")
    jobs = [Ring(clinic_id, number) for number in range(300)]
    for first in range(0, 300, 50):
        await defer(*jobs[first : first + 50])
    assert soon(lambda: sum(note.startswith("ring") for note in notes(book)) >= 300)
    await asyncio.sleep(max(0.0, 8 - (time.monotonic() - began)))
    assert [worker.stop() for worker in workers] == [0, 0]
    seconds = time.monotonic() - began
    assert sorted(note for note in notes(book) if note != "tick") == sorted(f"ring {job.bell}" for job in jobs)
    done = [worker.output.count('"job done"') for worker in workers]
    assert sum(done) == 300
    assert min(done) > 0
    # One at each end, of which the first may have been due earlier.
    assert 2 <= notes(book).count("tick") - earlier <= seconds / 2 + 2
