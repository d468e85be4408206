"""Servers beside PostgreSQL that a test starts, stops and starts again at one address."""

import asyncio
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.integration.parts.ports import free_ports

from coravet.adapters.local import tether


class KeptServer:
    """A program that serves 127.0.0.1 at a port of its own while entered; stopped and started at will.

    Args:
        program: what to run; `{port}` and `{folder}` are filled in.
    """

    def __init__(self, folder: Path, program: list[str]) -> None:
        self.port = free_ports()
        self._program = [word.format(port=self.port, folder=folder) for word in program]
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Return when it takes connections."""
        process = self._process = self._launch()
        async with asyncio.timeout(30):
            while True:
                if self._answers():
                    return
                assert process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End it without a goodbye."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
            self._process = None

    def _launch(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 # a package's program and the test's own words
                tether.command(self._program, on_parent_death=signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
