"""An HTTP relay that does what networks and busy stores do: answer 503, hang, or drop in the middle."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal["503", "silence", "drop the request", "drop the answer", "cut the answer"]

BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Relay:
    """Where to ask, and what befalls the next requests, one for each; without any all goes well.

    `drop the request` after half of its body; `drop the answer` when the server has done what was asked; `cut the
    answer` after half of its body.
    """

    endpoint: str
    faults: deque[Fault] = field(default_factory=deque)
    methods: list[str] = field(default_factory=list)


@asynccontextmanager
async def faulty(port: int) -> AsyncIterator[Relay]:
    """A relay in front of a server on 127.0.0.1 that keeps to Content-Length."""
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await _relay(reader, writer, relay, port)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            handlers.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=2**20)
    relay = Relay(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield relay
    finally:
        server.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, relay: Relay, port: int) -> None:
    # One request for each connection: the fault of one is none of the next.
    head = await reader.readuntil(b"\r\n\r\n")
    method = head.partition(b" ")[0].decode()
    relay.methods.append(method)
    fault = relay.faults.popleft() if relay.faults else None
    length = _length(head)
    if fault == "drop the request":
        await reader.readexactly(length // 2)
        return
    body = await reader.readexactly(length)
    if fault == "503":
        writer.write(BUSY)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        return
    if fault == "silence":
        await reader.read()
        return
    back, forth = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    try:
        forth.write(_closing(head) + body)
        answer = await back.readuntil(b"\r\n\r\n")
        rest = b"" if method == "HEAD" else await back.readexactly(_length(answer))
    finally:
        forth.close()
    if fault == "drop the answer":
        return
    writer.write(_closing(answer) + (rest[: len(rest) // 2] if fault == "cut the answer" else rest))
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def _lines(head: bytes) -> list[bytes]:
    return head[:-4].split(b"\r\n")


def _length(head: bytes) -> int:
    for line in _lines(head)[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _closing(head: bytes) -> bytes:
    kept = [line for line in _lines(head) if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n"
