"""The service itself as child processes, `coravet serve` and `coravet worker`, on the caller's settings."""

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import AliasChoices, SecretStr

from coravet.adapters.local import LocalError, tether
from coravet.settings import Settings

START_SECONDS = 60
STOP_SECONDS = 20  # above the time after which the server kills its own workers


def variables(settings: Settings) -> dict[str, str]:
    """The settings as the environment variables that they are read from, secrets included; None is left out."""
    found = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if value is None or not isinstance(field.validation_alias, AliasChoices):
            continue
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, tuple):
            value = ",".join(value)
        found[str(field.validation_alias.choices[0])] = str(value)
    return found


class CommandProcess:
    """A command as a process with exactly these settings, whatever the caller's environment says.

    It writes to `log`, or to the caller's own output.

    Args:
        patience: seconds after SIGTERM, when it is killed.
    """

    def __init__(self, command: str, settings: Settings, patience: float, log: Path | None) -> None:
        self._command = command
        self._settings = settings
        self._patience = patience
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The main process's id, None while it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def launch(self) -> None:
        """Start the process."""
        known = {
            str(choice)
            for field in Settings.model_fields.values()
            if isinstance(field.validation_alias, AliasChoices)
            for choice in field.validation_alias.choices
        }
        environment = {name: value for name, value in os.environ.items() if name not in known}
        program = [sys.executable, "-c", "from coravet.entrypoints.cli import main; main()", self._command]
        output = None if self._log is None else self._log.open("wb")
        try:
            self._process = subprocess.Popen(  # noqa: S603 # our own interpreter and arguments
                tether.command(program, on_parent_death=signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=environment | variables(self._settings),
                start_new_session=True,  # Ctrl-C in a terminal must reach us alone
            )
        finally:
            if output is not None:
                output.close()

    def stop(self) -> None:
        """End it as an operator does, by SIGTERM; what does not end is killed with its workers."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self._patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self) -> None:
        """End it as a power cut does: no process of it runs another instruction."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class WorkerProcess(CommandProcess):
    """`coravet worker`: apart from the server, so that no job holds a request up."""

    def __init__(self, settings: Settings, *, log: Path | None = None) -> None:
        super().__init__("worker", settings, settings.worker_grace_seconds + STOP_SECONDS, log)


class ServiceProcess(CommandProcess):
    """`coravet serve`, while the context lasts: `launch` returns at once, `wait` when the service is ready."""

    def __init__(self, settings: Settings, *, log: Path | None = None) -> None:
        super().__init__("serve", settings, STOP_SECONDS, log)
        self.url = f"http://{settings.host}:{settings.port}"
        self._was_ready = False

    def wait(self) -> None:
        """Return when /health/ready answers 200.

        Raises:
            LocalError: the process ended, or was not ready after a minute.
        """
        deadline = time.monotonic() + START_SECONDS
        where = f" Its log is {self._log}." if self._log else " Its reason stands above."
        while True:
            if self._process is None or self._process.poll() is not None:
                raise LocalError("The server ended instead of serving." + where)
            if self._is_ready():
                self._was_ready = True
                return
            if time.monotonic() > deadline:
                raise LocalError(f"The server was not ready after {START_SECONDS} s." + where)
            time.sleep(0.05)

    def stop(self) -> None:
        """End it by SIGTERM."""
        if not self._was_ready:
            # granian's workers pass over a signal while they still load the application; and nobody is served yet.
            self.kill()
        super().stop()

    def _is_ready(self) -> bool:
        # Not urllib: it would ask a proxy of the environment.
        connection = http.client.HTTPConnection(self._settings.host, self._settings.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def __enter__(self) -> Self:
        """Start, and return when it is ready.

        Raises:
            LocalError: as `wait`.
        """
        self.launch()
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it by SIGTERM."""
        self.stop()
