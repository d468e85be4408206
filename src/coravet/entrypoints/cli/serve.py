"""`coravet serve`."""

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coravet.settings import Settings

# The kernel's queue of connections not yet accepted, and the connections a worker holds: each open event stream is one,
# and granian's default of 1024 leaves the next one waiting, and every request behind it.
BACKLOG = 4096
BACKPRESSURE = 20_000
# What the server keeps of an answer that its client does not read, and the longest head of a request, in bytes. Its
# default of 400 KB came to 830 MB for a thousand streams whose clients had stopped reading.
BUFFER = 65_536
# Streams end themselves within a moment of the signal; this is for a worker that does not.
KILL_SECONDS = 15
# The server's own lines go through our log, which writes JSON in production.
OWN_LOG = {
    "loggers": {
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "propagate": True},
    }
}


async def refuse_unusable(settings: "Settings") -> None:
    """Say in a sentence what each worker would otherwise die of, over and over.

    Raises:
        CommandError: Firebase's credentials cannot be read, the database does not answer, published legal texts are not
            what they must be, or in production the database role is not bound by row-level security.
    """
    from coravet.adapters.postgres.engine import make_engine
    from coravet.bootstrap import UnsafeRole, make_identity, make_works, refuse_drift, refuse_unsafe_role
    from coravet.core.kernel.clock import SystemClock
    from coravet.core.kernel.errors import Unavailable
    from coravet.core.legal.drift import LegalDrift
    from coravet.entrypoints.cli.refusals import CommandError, database_expected

    try:
        await make_identity(settings, SystemClock()).aclose()
    except (ValueError, OSError) as error:
        raise CommandError(
            f"FIREBASE_CREDENTIALS cannot be used: {type(error).__name__}. Is it a service account?"
        ) from error
    engine = make_engine(settings)
    try:
        with database_expected():
            if settings.environment == "production":
                await refuse_unsafe_role(engine)
            await refuse_drift(make_works(settings, engine), settings)
    except Unavailable as error:
        raise CommandError("The database does not answer; is it running, and is its address right?") from error
    except (UnsafeRole, LegalDrift) as error:
        raise CommandError(str(error)) from error
    finally:
        await engine.dispose()


def serve() -> None:
    """Serve the API until SIGTERM or Ctrl-C.

    The address, the port and the number of processes are settings: `CORAVET_HOST`, `CORAVET_PORT`, `CORAVET_WORKERS`.
    The database must have been migrated, see `coravet migrate`.

    **Example**: `CORAVET_WORKERS=2 coravet serve`
    """
    from coravet.adapters.telemetry import logs
    from coravet.adapters.telemetry.exposed import exposed
    from coravet.entrypoints.cli.ports import refuse_busy
    from coravet.entrypoints.cli.refusals import CommandError
    from coravet.settings import load

    settings = load()
    if settings.firebase_credentials is None and settings.firebase_auth_emulator_host is None:
        raise CommandError("FIREBASE_CREDENTIALS is missing, and there is no FIREBASE_AUTH_EMULATOR_HOST; set one.")
    refuse_busy(settings.host, settings.port, "choose another in CORAVET_PORT")
    with ExitStack() as parts:
        if settings.metrics_port is not None:
            refuse_busy(settings.metrics_host, settings.metrics_port, "choose another in CORAVET_METRICS_PORT")
            parts.enter_context(exposed(settings.metrics_host, settings.metrics_port))
        asyncio.run(refuse_unusable(settings))
        logs.configure(settings)
        _serve(settings)


def _serve(settings: "Settings") -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        "coravet.bootstrap:asgi",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        # Whoever ends TLS before us speaks HTTP/1.1 to us, and to find out which one is spoken costs 9 KB a connection.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=BUFFER),
        websockets=False,
        log_access=False,  # the application writes its own line per request, without personal data
        log_level=LogLevels.warning,
        log_dictconfig=OWN_LOG,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_SECONDS,
    ).serve()
