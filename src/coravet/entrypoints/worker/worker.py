"""Attempting jobs: which use case does one, for how long, and how often it is tried."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from time import perf_counter
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
from structlog.contextvars import bind_contextvars

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.errors import DomainError
from coravet.core.kernel.jobs import Attempt, GivenUp, Job, Periodic, Queue, TryAgain
from coravet.core.kernel.measures import UNMEASURED, Measures

JobT_contra = TypeVar("JobT_contra", bound=Job, contravariant=True)

log = structlog.get_logger("coravet.worker")


class Handler(Protocol[JobT_contra]):
    """Does one kind of job, by one use case, as the clinic's system.

    It may run twice on one job, even at the same time where a worker was taken for dead: so what it does must be done
    once however often it runs. Any error has the job tried again.
    """

    async def __call__(self, job: JobT_contra, actor: Actor) -> object: ...


Handlers = Mapping[type[Job], Handler[Any]]


class Pace(msgspec.Struct, frozen=True):
    """How long and how often a job is tried.

    Attributes:
        attempts: after so many it has failed for good; by default that takes some five hours.
        first: pause after the first; each further one is `factor` times as long, up to `longest`, and up to a third
            shorter by chance, so that what failed together does not come back together.
        limit: an attempt that takes longer is cut off, and counts as failed.
    """

    attempts: int = 12
    first: timedelta = timedelta(seconds=5)
    factor: float = 3.0
    longest: timedelta = timedelta(hours=1)
    limit: timedelta = timedelta(minutes=5)

    def pause(self, attempt: int) -> timedelta:
        """How long to wait after this attempt, the first being 1."""
        seconds = min(self.first.total_seconds() * self.factor ** (attempt - 1), self.longest.total_seconds())
        return timedelta(seconds=seconds * random.uniform(2 / 3, 1))  # noqa: S311 -- spreads load, guards nothing


class Worker:
    """Takes jobs from the queue and hands each to its handler.

    Args:
        actor_of: the system at work in a clinic, with the clinic's zone as it is now.
    """

    def __init__(
        self,
        queue: Queue,
        handlers: Handlers,
        periodic: Sequence[Periodic],
        actor_of: Callable[[ClinicId], Awaitable[Actor]],
        pace: Pace | None = None,
        measures: Measures = UNMEASURED,
    ) -> None:
        self._measures = measures
        self._queue = queue
        self._handlers = {kind.kind(): (msgspec.json.Decoder(kind), handler) for kind, handler in handlers.items()}
        self._periodic = [Periodic(each.name, each.crontab, self._watched(each)) for each in periodic]
        self._actor_of = actor_of
        self._pace = pace or Pace()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, and end what was begun."""
        log.info("worker ready", kinds=sorted(self._handlers), periodic=[each.name for each in self._periodic])
        await self._queue.work_off(self._handlers, self.attempt, self._periodic, stop)
        log.info("worker ended")

    async def attempt(self, attempt: Attempt) -> None:
        """Do the job.

        Raises:
            TryAgain: it failed, and may succeed later.
            GivenUp: it failed for good.
        """
        # The queue runs each attempt in a task, and so in a context, of its own.
        bind_contextvars(job=attempt.kind, job_id=attempt.id, attempt=attempt.number)
        if attempt.number > self._pace.attempts:
            # Only where workers died of it: no error was there to give it up for.
            log.error("job failed for good: each attempt ended its worker")
            self._measures.count("jobs", attempt.kind, "given_up")
            raise GivenUp("each attempt ended its worker")
        began = perf_counter()
        try:
            async with asyncio.timeout(self._pace.limit.total_seconds()):
                await self._do(attempt)
        except Exception as error:
            reason = type(error).__name__
            if attempt.number == self._pace.attempts:
                log.exception("job failed for good")
                self._measures.count("jobs", attempt.kind, "given_up")
                raise GivenUp(reason) from error
            pause = self._pace.pause(attempt.number)
            log.warning("job failed, and is tried again", pause=pause, **_told(error))
            self._measures.count("jobs", attempt.kind, "put_off")
            raise TryAgain(pause, reason) from error
        finally:
            seconds = perf_counter() - began
            self._measures.took("jobs", seconds, attempt.kind)
        self._measures.count("jobs", attempt.kind, "done")
        log.info("job done", milliseconds=round(seconds * 1000))

    async def _do(self, attempt: Attempt) -> None:
        decoder, handler = self._handlers[attempt.kind]
        job = decoder.decode(attempt.payload)
        bind_contextvars(clinic_id=str(job.clinic_id))
        await handler(job, await self._actor_of(job.clinic_id))

    def _watched(self, periodic: Periodic) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            bind_contextvars(periodic=periodic.name)
            try:
                async with asyncio.timeout(self._pace.limit.total_seconds()):
                    await periodic.run()
                self._measures.count("periodic_jobs", periodic.name, "done")
            except Exception as error:  # noqa: BLE001 -- whatever it is, the next time comes
                log.warning("periodic job failed, and is done again at its next time", **_told(error))
                self._measures.count("periodic_jobs", periodic.name, "failed")

        return run


def _told(error: Exception) -> dict[str, object]:
    """What a domain error says is meant to be read; where another one comes from must be found."""
    return {"reason": error} if isinstance(error, DomainError) else {"exc_info": error}
