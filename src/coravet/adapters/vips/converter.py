"""Conversion in helper processes, which are few, small, and killed when a picture takes too long."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from coravet.adapters.vips.wire import LENGTH, Answer, Cleaned, Converted, Failed, Job, Refused, framed
from coravet.core.kernel.errors import DomainError, Unavailable
from coravet.core.media.pdfs import NotAttachable, PdfDamaged, PdfLocked, PdfTooLarge
from coravet.core.media.pictures import NotAPicture, Picture, PictureDamaged, PictureTooLarge

MOST_WAITING = 50
"""Pictures in line in one process; who comes after them had better come again."""

LIFE = 200
"""Pictures that a helper converts before another takes its place, so that nothing it keeps by mistake grows."""

PATIENCE = 6
"""How many times the processor's time a picture may take by the clock, on a busy machine; then its helper is killed."""

_REFUSALS: dict[str, Callable[[], DomainError]] = {
    kind.__name__: kind
    for kind in (NotAPicture, PictureDamaged, PictureTooLarge, NotAttachable, PdfDamaged, PdfLocked, PdfTooLarge)
}

_OUT_OF_BOUNDS = {signal.SIGPROF, signal.SIGABRT, signal.SIGTRAP}
"""Signals by which a helper ends that took too long, or whose libraries could not get memory."""

_CRASHED = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGSYS}

log = logging.getLogger("coravet.pictures")


class VipsConverter:
    """`Converter` in helper processes that are started when they are first needed.

    Args:
        helpers: processes, and so pictures that are converted at a time.
        megabytes: memory that a helper may hold (Linux' RLIMIT_DATA); a picture that needs more is too large.
        seconds: the processor's time that a picture gets; one that needs more is too large.
    """

    def __init__(self, *, helpers: int, megabytes: int, seconds: int) -> None:
        self._turns = asyncio.Semaphore(helpers)
        self._idle: list[_Helper] = []
        self._all: set[_Helper] = set()
        self._megabytes = megabytes
        self._seconds = seconds
        self._waiting = 0

    async def convert(self, upload: Path, patience: float | None = None) -> Picture:
        answer = await self._answered(Job(str(upload), self._seconds), patience)
        assert isinstance(answer, Converted)  # noqa: S101 -- what was asked for
        return answer.picture

    async def clean(self, upload: Path, patience: float | None = None) -> bytes:
        answer = await self._answered(Job(str(upload), self._seconds, pdf=True), patience)
        assert isinstance(answer, Cleaned)  # noqa: S101 -- as above
        return answer.data

    async def _answered(self, job: Job, patience: float | None) -> Converted | Cleaned:
        if self._waiting >= MOST_WAITING:
            raise _crowded()
        self._waiting += 1
        try:
            try:
                async with asyncio.timeout(patience):
                    await self._turns.acquire()
            except TimeoutError:
                raise _crowded() from None
            try:
                return await self._done(job)
            finally:
                self._turns.release()
        finally:
            self._waiting -= 1

    async def aclose(self) -> None:
        """End all helpers; whoever still waits for a picture is told that there is none."""
        self._idle.clear()
        await asyncio.gather(*(self._end(helper) for helper in [*self._all]))

    async def _done(self, job: Job) -> Converted | Cleaned:
        helper = await self._helper()
        try:
            answer = await helper.ask(job)
        except BaseException:
            await self._end(helper)
            raise
        if helper.served < LIFE:
            self._idle.append(helper)
        else:
            await self._end(helper)
        match answer:
            case Converted() | Cleaned():
                return answer
            case Refused(error):
                refusal = _REFUSALS[error]()
                raise refusal
            case Failed(exception):
                log.error("a file could not be converted: %s", exception)
                raise _unavailable()

    async def _helper(self) -> "_Helper":
        while self._idle:
            helper = self._idle.pop()
            if helper.alive:
                return helper
            self._all.discard(helper)
        helper = await _Helper.start(self._megabytes)
        self._all.add(helper)
        return helper

    async def _end(self, helper: "_Helper") -> None:
        self._all.discard(helper)
        await helper.end()


class _Helper:
    """One helper process; asked one thing at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.served = 0

    @classmethod
    async def start(cls, megabytes: int) -> "_Helper":
        # Nothing of the service's environment, which holds its secrets.
        environment = {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "VIPS_CONCURRENCY": "1",
            # Memory is kept from one step to the next: to ask for it anew takes a tenth of a picture's time. The helper
            # gives back what a large picture left.
            "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),  # glibc takes no more
            "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
            "MALLOC_ARENA_MAX": "1",
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "coravet.adapters.vips.helper", str(megabytes)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=True,  # a terminal's Ctrl-C is the service's affair
            )
        except OSError as error:
            log.exception("no process to convert pictures can be started")
            raise _unavailable() from error
        return cls(process)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, job: Job) -> Answer:
        """Its answer. Raises what it means where the helper ends instead, or takes too long."""
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None  # noqa: S101 -- both are pipes
        assert answered is not None  # noqa: S101 -- as above
        self.served += 1
        try:
            async with asyncio.timeout(job.seconds * PATIENCE):
                asked.write(framed(job))
                await asked.drain()
                length = await answered.readexactly(LENGTH)
                body = await answered.readexactly(int.from_bytes(length, "big"))
        except TimeoutError:
            log.warning("a file took too long, and its process did not end by itself")
            raise _too_large(job) from None
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise self._meant(job, await self._process.wait()) from error
        answer: Answer = msgspec.msgpack.decode(body, type=Answer)
        return answer

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _meant(self, job: Job, returncode: int) -> DomainError:
        if -returncode in _OUT_OF_BOUNDS:
            log.warning("a file took more than it gets: its process ended by signal %s", -returncode)
            return _too_large(job)
        if -returncode in _CRASHED:
            log.error("a file crashed the process that converts: signal %s", -returncode)
            return PdfDamaged() if job.pdf else PictureDamaged()
        log.error("the process that converts pictures ended: %s", returncode)
        return _unavailable()


def _crowded() -> Unavailable:
    return Unavailable("Too much is going on at this moment. Try again.")


def _too_large(job: Job) -> DomainError:
    return PdfTooLarge() if job.pdf else PictureTooLarge()


def _unavailable() -> Unavailable:
    return Unavailable("Pictures cannot be converted at this moment. Try again later.", retry_after_seconds=10)
