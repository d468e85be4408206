"""Clients of event streams, as many as there are ports for, in a process of their own that does next to nothing.

`python -m bench.streams` reads a `Crowd` as a line of JSON from its input, opens its streams and writes an `Opened`.
At each further line it writes what it `Heard` since the last one; at the end of its input it ends.
"""

import asyncio
import re
import sys
from bisect import bisect_right
from itertools import accumulate, cycle
from time import perf_counter
from types import TracebackType
from typing import Self, cast

import msgspec
import uvloop

AT_ONCE = 200
OPEN_SECONDS = 60
ADDRESSES = 8
"""A loopback address has 28,000 ports to connect from; several are as several machines."""

_SUBJECT = re.compile(rb'"subject":\{"type":"[a-z]+","id":"([0-9a-f-]{36})"')


class Crowd(msgspec.Struct, kw_only=True):
    """Who connects.

    Attributes:
        requests: are sent in turns until there are so many `streams`.
    """

    port: int
    requests: list[bytes]
    streams: int


class Opened(msgspec.Struct, kw_only=True):
    """How opening went; `problem` is one that failed."""

    streams: int
    failed: int
    seconds: float
    problem: str | None = None


class Heard(msgspec.Struct, kw_only=True):
    """When each event came, by its subject's id, in seconds of the machine's clock; `lost` streams had ended."""

    events: dict[str, list[float]]
    lost: int


class Listener(asyncio.Protocol):
    """One stream."""

    __slots__ = ("_request", "_transport", "chunks", "lost", "opened")

    def __init__(self, request: bytes) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.chunks: list[tuple[float, bytes]] = []
        self.lost = False
        self._request = request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own does not inherit it
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.chunks.append((perf_counter(), data))
        if not self.opened.done():
            start = b"".join(chunk for _, chunk in self.chunks)
            if b"event: stream.heartbeat" in start:
                self.opened.set_result(None)
            elif not b"HTTP/1.1 200".startswith(start[:12]):
                self.opened.set_exception(RuntimeError(start[:300].decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.opened.done():
            self.opened.set_exception(RuntimeError(f"the server closed the connection ({exc})"))

    def heard(self, events: dict[str, list[float]]) -> None:
        """Add what came since the last time, and forget it."""
        chunks, self.chunks = self.chunks, []
        data = b"".join(chunk for _, chunk in chunks)
        ends = list(accumulate(len(chunk) for _, chunk in chunks))
        for found in _SUBJECT.finditer(data):
            events.setdefault(found[1].decode(), []).append(chunks[bisect_right(ends, found.end() - 1)][0])


async def listen(crowd: Crowd) -> None:
    """Open, tell, and listen until the input ends."""
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    failures: list[str] = []
    turns = asyncio.Semaphore(AT_ONCE)
    began = perf_counter()

    async def connect(number: int, request: bytes) -> None:
        async with turns:
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    _, listener = await loop.create_connection(
                        lambda: Listener(request),
                        "127.0.0.1",
                        crowd.port,
                        local_addr=(f"127.0.1.{1 + number % ADDRESSES}", 0),
                    )
                    await listener.opened
            except (OSError, RuntimeError, TimeoutError) as error:
                failures.append(f"{type(error).__name__}: {error}")
            else:
                listeners.append(listener)

    async with asyncio.TaskGroup() as tasks:
        for number, request in zip(range(crowd.streams), cycle(crowd.requests), strict=False):
            tasks.create_task(connect(number, request))
    _tell(
        Opened(
            streams=len(listeners),
            failed=len(failures),
            seconds=perf_counter() - began,
            problem=failures[0] if failures else None,
        )
    )
    while await loop.run_in_executor(None, sys.stdin.buffer.readline):
        events: dict[str, list[float]] = {}
        for listener in listeners:
            listener.heard(events)
        _tell(Heard(events=events, lost=sum(listener.lost for listener in listeners)))


def _tell(told: msgspec.Struct) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


class CrowdProcess:
    """A crowd in a process of its own, while the context lasts."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._process: asyncio.subprocess.Process
        self.opened: Opened

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.streams",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**28,
        )
        self.opened = msgspec.json.decode(await self._ask(msgspec.json.encode(self._crowd)), type=Opened)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    async def heard(self) -> Heard:
        """What came since the last time."""
        return msgspec.json.decode(await self._ask(b""), type=Heard)

    async def _ask(self, line: bytes) -> bytes:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("started without pipes")
        self._process.stdin.write(line + b"\n")
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError("The clients failed; their traceback stands above.")
        return answer


if __name__ == "__main__":
    uvloop.run(listen(msgspec.json.decode(sys.stdin.buffer.readline(), type=Crowd)))
