"""The load: a fixed number of kept connections, each sending its next request when the last one is answered.

`python -m bench.load` reads a `Stretch` as JSON from its input, drives it for its time, and writes a `Measured`. It is
a process of its own, so that it shares no interpreter with what it measures, and does as little as can be done for a
request: a library's client would take a third of a core from the server here.
"""

import asyncio
import sys
from time import perf_counter
from typing import cast

import msgspec
import uvloop

LATE_SECONDS = 5


class Stretch(msgspec.Struct, kw_only=True):
    """What to send, and for how long.

    Attributes:
        request: what every connection sends, over and over.
        lead_seconds: how long it runs before it is measured.
    """

    port: int
    request: bytes
    connections: int
    expected_status: int
    seconds: float
    lead_seconds: float


class Measured(msgspec.Struct, kw_only=True):
    """What came back, within the time that is measured."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    problem: str | None = None

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class Connection(asyncio.Protocol):
    """One request after another."""

    def __init__(self, stretch: Stretch, ended: asyncio.Future[None]) -> None:
        self.answers: list[tuple[float, float]] = []
        self.last = False
        self._expected = f"HTTP/1.1 {stretch.expected_status} ".encode()
        self._request = stretch.request
        self._ended = ended
        self._buffer = b""
        self._awaited = 0
        self._sent_at = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own does not inherit it
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._awaited:
            head, separator, _ = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._awaited = len(head) + 4 + int(length or 0)
        if len(self._buffer) < self._awaited:
            return
        if not self._buffer.startswith(self._expected):
            self._fail(self._buffer[:400].decode(errors="replace"))
            return
        now = perf_counter()
        self.answers.append((now, now - self._sent_at))
        self._buffer, self._awaited = b"", 0
        if self.last:
            self._end()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the server closed the connection ({exc})")

    def _send(self) -> None:
        self._sent_at = perf_counter()
        self._transport.write(self._request)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
        self._transport.close()

    def _fail(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_exception(RuntimeError(reason))


async def driven_apart(stretch: Stretch) -> Measured:
    """Drive the stretch in a process of its own. Raises RuntimeError where that process fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(msgspec.json.encode(stretch))
    if process.returncode:
        raise RuntimeError("The load generator failed; its traceback stands above.")
    return msgspec.json.decode(output, type=Measured)


async def drive(stretch: Stretch) -> Measured:
    """Send for the stretch's time and tell how it went."""
    loop = asyncio.get_running_loop()
    connections = []
    ends: list[asyncio.Future[None]] = []
    for _ in range(stretch.connections):
        ended = loop.create_future()
        ends.append(ended)
        _, connection = await loop.create_connection(
            lambda ended=ended: Connection(stretch, ended),  # type: ignore[misc] # bound now
            "127.0.0.1",
            stretch.port,
        )
        connections.append(connection)
    began = perf_counter() + stretch.lead_seconds
    running = stretch.lead_seconds + stretch.seconds
    failed, _ = await asyncio.wait(ends, timeout=running, return_when=asyncio.FIRST_EXCEPTION)
    if not failed:
        # Each connection ends with an answer, so that the server is left with nothing half done.
        for connection in connections:
            connection.last = True
        _, late = await asyncio.wait(ends, timeout=LATE_SECONDS)
        for end in late:
            end.set_exception(TimeoutError(f"no answer within {LATE_SECONDS} s"))
    problem = next((str(end.exception()) for end in ends if end.done() and end.exception()), None)
    times = sorted(
        seconds for each in connections for at, seconds in each.answers if began <= at <= began + stretch.seconds
    ) or [0.0]
    return Measured(
        requests=len(times),
        seconds=stretch.seconds,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[len(times) * 99 // 100] * 1000,
        problem=problem,
    )


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Stretch)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(drive(given))))
