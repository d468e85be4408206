"""What `coravet up` does: start the parts, fill them, serve, and end them in the opposite order."""

import asyncio
import fcntl
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import asyncpg

from coravet.adapters.local import LocalError, demo, firebase
from coravet.adapters.local.firebase import AuthEmulator
from coravet.adapters.local.postgres import EmbeddedPostgres
from coravet.adapters.local.service import CommandProcess, ServiceProcess, WorkerProcess, variables
from coravet.adapters.local.texts import publish_shipped
from coravet.adapters.postgres.migrate import migrate
from coravet.entrypoints.cli.ports import refuse_busy
from coravet.entrypoints.cli.refusals import CommandError, database_expected
from coravet.settings import Settings, load

DATABASE = "coravet"
PROJECT = "demo-coravet"
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class Ended(KeyboardInterrupt):
    """A signal asked for the end."""


class Endings:
    """Turns the first ending signal into `Ended`; a second must not cut off the ending, which would leave parts behind.

    Where a loop runs, the signal cancels its task instead: an error raised in the midst of asyncpg's and greenlet's C
    code corrupts them.
    """

    def __init__(self) -> None:
        self._asked = False
        self._cancel: Callable[[], object] | None = None

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Handle the signals while the context lasts."""
        before = {each: signal.getsignal(each) for each in ENDINGS}
        for each, handler in before.items():
            if not (each is signal.SIGHUP and handler is signal.SIG_IGN):  # nohup
                signal.signal(each, self._end)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` on a loop of its own.

        Raises:
            Ended: a signal came, and `work` was cancelled.
        """

        async def cancellable() -> None:
            task = asyncio.ensure_future(work)
            self._cancel = partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel)
            if self._asked:
                task.cancel()
            try:
                await task
            finally:
                self._cancel = nothing

        def nothing() -> None:
            """While a loop is made or closed there is nothing to cancel: `asked` is looked at afterwards."""

        self._cancel = nothing
        try:
            asyncio.run(cancellable())
        except BaseException:
            # Whatever came of being cancelled is not worth telling.
            if not self._asked:
                raise
        finally:
            self._cancel = None
        if self._asked:
            raise Ended

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            return
        self._asked = True
        if self._cancel is None:
            raise Ended
        self._cancel()


def run(port: int, data: Path, began: float) -> None:
    """Serve on `port`, with the emulator on the next one and everything kept in `data`, until a signal.

    Each step is printed with the seconds since `began`, a `time.monotonic()`.

    Raises:
        LocalError, CommandError: a part cannot run.
    """

    def say(line: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {line}", flush=True)

    endings = Endings()
    try:
        with endings.heeded(), ExitStack() as parts:
            parts.enter_context(_claim(data))
            for needed in (port, port + 1):
                refuse_busy(
                    "127.0.0.1", needed, "choose another: make up PORT=9000 (the emulator takes the one after it)"
                )
            _start_and_watch(port, data, parts, endings, say)
    except Ended:
        say("Ended; what was entered is kept.")


def _start_and_watch(port: int, data: Path, parts: ExitStack, endings: Endings, say: Say) -> None:
    tools = firebase.install(echo=say)
    postgres = parts.enter_context(EmbeddedPostgres(data, echo=say))
    parts.callback(say, "Ending PostgreSQL")
    say("PostgreSQL is running")

    emulator = AuthEmulator(data, port + 1, tools, project=PROJECT)
    emulator.launch()
    parts.callback(emulator.stop)
    parts.callback(say, "Ending the sign-in emulator")

    settings = _settings(port, data, postgres, emulator)
    with database_expected():
        endings.run(_make_database(postgres))
        endings.run(migrate(settings, say))

    # The server takes as long to start as the emulator and the demo do, and is told to nobody before they are there.
    unprivileged = settings.model_copy(update={"database_admin_url": None})
    service = ServiceProcess(unprivileged)
    service.launch()
    parts.callback(service.stop)
    parts.callback(say, "Ending the server")

    emulator.wait()
    say("The sign-in emulator is running")
    with database_expected():
        endings.run(publish_shipped(settings, say))
        endings.run(demo.load(settings, emulator.host, say))
    service.wait()
    # Last, for its first seconds would be taken from those that a person waits for.
    worker = WorkerProcess(unprivileged)
    worker.launch()
    parts.callback(worker.stop)
    parts.callback(say, "Ending the worker")
    (data / "environment").write_text(
        "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables(settings).items())
    )
    say("CoraVet is ready")
    print(_welcome(port, data), flush=True)

    named: dict[str, CommandProcess | AuthEmulator | EmbeddedPostgres] = {
        "The worker": worker,
        "The server": service,
        "The sign-in emulator": emulator,
        "PostgreSQL": postgres,
    }
    while True:
        for name, part in named.items():
            if part.pid is None:
                raise LocalError(f"{name} ended by itself; its last words stand above or in {data}.")
        time.sleep(0.3)


def _settings(port: int, data: Path, postgres: EmbeddedPostgres, emulator: AuthEmulator) -> Settings:
    return load(
        {
            "CORAVET_ENV": "development",
            "CORAVET_HOST": "127.0.0.1",
            "CORAVET_PORT": port,
            "CORAVET_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "CORAVET_ALLOWED_ORIGINS": f"http://localhost:{port}",
            "DATABASE_URL": postgres.url("coravet_app", DATABASE),
            "DATABASE_ADMIN_URL": postgres.url("postgres", DATABASE),
            "DATABASE_ROLE_PREFIX": "coravet",
            "FIREBASE_PROJECT_ID": PROJECT,
            "FIREBASE_AUTH_EMULATOR_HOST": emulator.host,
            "CORAVET_KEPT_APART": data / "apart",
            "CORAVET_STORAGE": str(data / "media"),
            # Whatever the caller's environment holds for another installation has no say here.
            "DATABASE_DIRECT_URL": None,
            "FIREBASE_CREDENTIALS": None,
            "SENTRY_DSN": None,
        }
    )


async def _make_database(postgres: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(postgres.url())
    try:
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()


@contextmanager
def _claim(data: Path) -> Iterator[None]:
    """Hold the folder against a second `coravet up`; the kernel lets go when this process ends, however it ends."""
    found = {each.name for each in data.iterdir()} if data.is_dir() else set()
    if found - {"firebase"} and found.isdisjoint({"lock", "postgres", "accounts.json"}):
        raise CommandError(f"{data} holds other things. Choose a folder that is empty, or that `coravet up` made.")
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LocalError(
            f"The data cannot be kept in {data}: {error.strerror}. Choose a folder that you may write to."
        ) from error
    with os.fdopen(descriptor, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(
                f"Another `coravet up` (process {_holder(lock)}) works with {data}; end it, or choose another folder."
            ) from error
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _holder(lock: TextIO) -> str:
    return lock.read(20).strip() or "unknown"


def _welcome(port: int, data: Path) -> str:
    api, sign_in = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    return f"""
  API        {api}/api/v1
  API docs   {api}/docs
  Sign-in    {sign_in} (Firebase Auth emulator)
  Data       {data}

  People of the demo, each with the password coravet-demo:
    owner@la-concordia.test    manager@la-concordia.test    staff@la-concordia.test
    vet@la-concordia.test      vet2@la-concordia.test
    owner@quininde.test        operator@coravet.test
    newcomer@la-concordia.test, who has accepted no legal text yet and so meets the gate

  Who is vet@la-concordia.test, asked of the API with a token of hers:
    curl -s {api}/api/v1/session -H "Authorization: Bearer $(
      curl -s '{sign_in}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=x' \\
        -H 'Content-Type: application/json' \\
        -d '{{"email":"vet@la-concordia.test","password":"coravet-demo","returnSecureToken":true}}' |
      sed -n 's/.*"idToken": *"\\([^"]*\\)".*/\\1/p')"

  For other commands, in another terminal:
    . {shlex.quote(str(data / "environment"))} && {Path(sys.executable).with_name("coravet")} doctor
  Ctrl-C ends everything.
"""
