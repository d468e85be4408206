"""Jobs of the tests, and a worker that does them in a process of its own.

What a job did is written into a file, one word a line, so that two processes can be watched.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from coravet.adapters.local.service import variables
from coravet.core.kernel.jobs import Job
from coravet.settings import Settings


class Ring(Job, frozen=True, tag="test.ring"):
    """Writes down its bell."""

    bell: int


class Wait(Job, frozen=True, tag="test.wait"):
    """Writes that it began, takes so many seconds, and writes that it is done."""

    seconds: float


PROGRAM = """
import asyncio, sys
from pathlib import Path
from coravet import bootstrap
from coravet.core.kernel.jobs import Periodic
from coravet.entrypoints.cli import main
from tests.integration.jobs.ringing import Ring, Wait, note

book = Path(sys.argv.pop())

async def ring(job, actor):
    note(book, f"ring {job.bell}")

async def wait(job, actor):
    note(book, "began")
    await asyncio.sleep(job.seconds)
    note(book, "ended")

async def tick():
    note(book, "tick")

bootstrap.handlers = lambda *_: {Ring: ring, Wait: wait}
bootstrap.timetable = lambda *_: [Periodic("tick", "* * * * * */2", tick)]
main()
"""


def note(book: Path, word: str) -> None:
    """Add a line; lines of several processes never mix."""
    with book.open("a") as file:
        file.write(f"{word}\n")


def notes(book: Path) -> list[str]:
    """What was written by now."""
    return book.read_text().splitlines() if book.exists() else []


class WorkerProcess:
    """`coravet worker` with the handlers of these tests."""

    def __init__(self, settings: Settings, book: Path, **changes: Any) -> None:
        self.log = book.with_name(f"{book.name}.{os.urandom(4).hex()}.log")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("CORAVET_", "DATABASE_"))
        }
        settings = settings.model_copy(update={"log_format": "json", **changes})
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 -- the command under test
                [sys.executable, "-c", PROGRAM, "worker", str(book)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment
                | variables(settings)
                | {"PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def stop(self) -> int:
        """End it by SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(30)
