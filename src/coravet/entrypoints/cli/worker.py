"""`coravet worker`."""

import asyncio
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coravet.settings import Settings

ENDINGS = (signal.SIGTERM, signal.SIGINT)


def worker() -> None:
    """Do the jobs that requests leave behind, such as sending reminders, until SIGTERM or Ctrl-C.

    As many may run as are needed, on any machines: each job is done by one of them. What runs when the signal comes is
    ended first, in the time of `CORAVET_WORKER_GRACE_SECONDS`; a worker that is killed leaves its jobs to the others.

    **Example**: `coravet serve & coravet worker`
    """
    from coravet.adapters.telemetry import logs, sentry
    from coravet.adapters.telemetry.exposed import exposed
    from coravet.entrypoints.cli.ports import refuse_busy
    from coravet.settings import load

    settings = load()
    logs.configure(settings)
    sentry.configure(settings)
    with ExitStack() as parts:
        if settings.worker_metrics_port is not None:
            refuse_busy(
                settings.metrics_host, settings.worker_metrics_port, "choose another in CORAVET_WORKER_METRICS_PORT"
            )
            parts.enter_context(exposed(settings.metrics_host, settings.worker_metrics_port))
        asyncio.run(_work(settings))


async def _work(settings: "Settings") -> None:
    """Work until a signal. A second one changes nothing: the ending is bounded."""
    from coravet import bootstrap
    from coravet.entrypoints.cli.refusals import CommandError, database_expected

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in ENDINGS:
        loop.add_signal_handler(each, stop.set)
    try:
        with database_expected():
            async with bootstrap.worker(settings) as found:
                await found.run(stop)
    except bootstrap.UnsafeRole as error:
        raise CommandError(str(error)) from error
