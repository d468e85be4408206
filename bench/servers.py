"""The two servers side by side, and the processor time that each takes."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from coravet.adapters.local import LocalError, tether
from coravet.adapters.local.service import variables
from coravet.settings import Settings

START_SECONDS = 30
STOP_SECONDS = 20


class FloorProcess:
    """The floor, served on the settings' port while the context lasts; every token is that of `uid`."""

    def __init__(self, settings: Settings, uid: str, log: Path) -> None:
        self._port = settings.port
        self._environment = os.environ | variables(settings) | {"FLOOR_UID": uid}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The main process's id, None while it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def __enter__(self) -> Self:
        """Start, and return when it answers.

        Raises:
            LocalError: it ended, or took longer than half a minute.
        """
        program = tether.command([sys.executable, "-m", "bench.floor"], on_parent_death=signal.SIGTERM)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and arguments
                program, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.pid is None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise LocalError(f"The floor does not serve: {self._log.read_text(errors='replace')[-500:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it by SIGTERM."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.1 204")
        except OSError:
            return False


def processor_seconds(pid: int | None) -> float:
    """What this process and all below it, those that ended included, have taken of the processors so far."""
    tree = {pid}
    ticks = 0
    # Children come after their parents, but where numbers begin anew; a server's are as old as itself.
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        number = int(stat.parent.name)
        if number in tree or int(words[1]) in tree:
            tree.add(number)
            ticks += sum(map(int, words[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
