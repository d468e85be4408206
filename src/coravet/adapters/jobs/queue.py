"""Taking up jobs from PostgreSQL with pgqueuer, on connections of the worker's own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
from pgqueuer import AsyncpgPoolDriver, Queries, QueueManager, RetryRequested, SchedulerManager
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.db import Driver
from pgqueuer.domain.settings import DBSettings
from pgqueuer.models import Channel, Job, Schedule, TracebackRecord

from coravet.core.kernel.jobs import Attempt, GivenUp, Periodic, TryAgain

APPLICATION = "coravet worker"
"""How its connections call themselves in pg_stat_activity."""

# All that the library would otherwise read from the environment, where a name such as CHANNEL may mean something else.
NAMES = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=Channel("coravet_jobs"),
    function="fn_pgqueuer_changed",
    trigger="tg_pgqueuer_changed",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    queue_status_type="pgqueuer_status",
    schedules_table="pgqueuer_schedules",
    statistics_table="pgqueuer_statistics",
)

# Times a job was begun, those after which its worker died included, since it last failed for good: a person may have
# put it back by then. The library's own count knows only of attempts that came to an end.
BEGUN = """
SELECT count(*) FROM jobs.pgqueuer_log
WHERE job_id = $1 AND status = 'picked'
  AND id > coalesce((SELECT max(id) FROM jobs.pgqueuer_log WHERE job_id = $1 AND status = 'failed'), 0)
"""

LOOK = timedelta(seconds=1)
"""How long a job that is due waits at most for a worker that has nothing to do."""

CUT_OFF_SECONDS = 10.0
LONGEST_PAUSE = 5.0
CONNECTIONS = 4
_UNREACHABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

log = logging.getLogger("coravet.jobs")


def queries(driver: Driver) -> Queries:
    """The library's statements on our names."""
    return _Queries(driver, QueryBuilderEnvironment(NAMES), QueryQueueBuilder(NAMES), QuerySchedulerBuilder(NAMES))


class PgqueuerQueue:
    """The `Queue` port, on the direct URL.

    Args:
        role: the database role that the URL's role takes on, the only one that sees jobs.
        concurrency: jobs done at a time, 2 or more.
        silence: a worker that was not heard of for so long is dead, and its jobs are taken up by others.
        grace: how long jobs may go on after `stop`.
        statement_cache: prepared statements that a connection keeps.
    """

    def __init__(
        self, url: str, role: str, *, concurrency: int, silence: timedelta, grace: timedelta, statement_cache: int
    ) -> None:
        self._url = url
        self._role = role
        self._concurrency = concurrency
        self._silence = silence
        self._grace = grace.total_seconds()
        self._statement_cache = statement_cache
        self._running: set[asyncio.Task[None]] = set()
        logging.getLogger("pgqueuer").addFilter(_is_news)

    async def work_off(
        self,
        kinds: Collection[str],
        attempt: Callable[[Attempt], Awaitable[None]],
        periodic: Sequence[Periodic],
        stop: asyncio.Event,
    ) -> None:
        async with asyncpg.create_pool(
            self._url,
            min_size=0,  # so that a worker may start before its database
            max_size=CONNECTIONS,
            timeout=10,
            command_timeout=30,
            statement_cache_size=self._statement_cache,
            server_settings={"application_name": APPLICATION, "timezone": "UTC", "role": self._role},
        ) as pool:
            keepers = [
                asyncio.create_task(_keep(name, run, stop))
                for name, run, needed in (
                    ("taking up jobs", partial(self._consume, pool, kinds, attempt, stop), kinds),
                    ("keeping the timetable", partial(self._follow, pool, periodic, stop), periodic),
                )
                if needed
            ]
            await stop.wait()
            if keepers and (await asyncio.wait(keepers, timeout=self._grace))[1]:
                log.warning("%s jobs did not end in time and are left to the next worker", len(self._running))
                for task in self._running:
                    task.cancel()
                await asyncio.wait(keepers, timeout=CUT_OFF_SECONDS)
            for keeper in keepers:
                keeper.cancel()
            pool.terminate()

    async def _consume(
        self,
        pool: "asyncpg.Pool[Any]",
        kinds: Collection[str],
        attempt: Callable[[Attempt], Awaitable[None]],
        stop: asyncio.Event,
    ) -> None:
        async def do(job: Job) -> None:
            try:
                begun = await pool.fetchval(BEGUN, job.id)
            except _UNREACHABLE as error:
                raise RetryRequested(LOOK, type(error).__name__) from None
            await self._run(attempt(Attempt(job.id, job.entrypoint, job.payload or b"", begun)))

        manager = QueueManager(queries(AsyncpgPoolDriver(pool)), channel=NAMES.channel)
        manager.shutdown = stop
        for kind in kinds:
            manager.entrypoint(kind, accepts_context=False, on_failure="hold")(do)
        await manager.run(
            dequeue_timeout=LOOK,
            batch_size=self._concurrency // 2,
            max_concurrent_tasks=self._concurrency,
            heartbeat_timeout=self._silence,
            log_aggregation_interval=timedelta(0),  # statistics that nobody reads
        )

    async def _follow(self, pool: "asyncpg.Pool[Any]", periodic: Sequence[Periodic], stop: asyncio.Event) -> None:
        manager = SchedulerManager(queries(AsyncpgPoolDriver(pool)))
        manager.shutdown = stop

        async def do(run: Callable[[], Awaitable[None]], _: Schedule) -> None:
            await self._run(run())

        for each in periodic:
            manager.schedule(each.name, each.crontab, accepts_context=False)(partial(do, each.run))
        await manager.run()

    async def _run(self, work: Awaitable[None]) -> None:
        """Do it in a task of our own: one of the library's that is cancelled would take its job out of the queue."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise RetryRequested(reason="cut off") from None
        finally:
            self._running.discard(task)
        if task.cancelled():
            raise RetryRequested(reason="cut off")
        match task.exception():
            case None:
                return
            case TryAgain() as again:
                raise RetryRequested(again.pause, str(again)) from None
            case GivenUp() as given_up:
                raise given_up from None
            case unexpected:
                log.error("an attempt ended as none may", exc_info=unexpected)
                # The library keeps what an exception says, and that may quote somebody.
                raise GivenUp(type(unexpected).__name__) from None


def _is_news(record: logging.LogRecord) -> bool:
    """Why a job is not done is told by who attempts it; the library would tell it again."""
    return not (record.exc_info and isinstance(record.exc_info[1], GivenUp | RetryRequested))


class _Queries(Queries):
    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Where this fails the library would take the job for failed. Left alone it is begun anew after the silence."""
        try:
            await super().retry_job(job, delay, traceback_record)
        except _UNREACHABLE:
            log.warning("job %s could not be put back, and is begun anew after a while", job.id)


async def _keep(name: str, run: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run it anew whenever it fails, as when the database restarts, until `stop`."""
    loop = asyncio.get_running_loop()
    pause = 0.0
    while not stop.is_set():
        began = loop.time()
        try:
            await run()
        except Exception as error:
            if loop.time() - began > 2 * LONGEST_PAUSE:
                pause = 0.0
            if pause == 0.0:
                expected = isinstance(error, _UNREACHABLE)
                log.warning(
                    "%s fails, and is tried again: %s", name, type(error).__name__, exc_info=None if expected else error
                )
            pause = min(pause + 0.5, LONGEST_PAUSE)
            try:
                async with asyncio.timeout(pause):
                    await stop.wait()
            except TimeoutError:
                continue
