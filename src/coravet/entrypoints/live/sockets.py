"""Bounds on what a client that stops reading costs, set where it costs it: in the kernel, below the server."""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from termios import TIOCOUTQ

UNSENT_BYTES = 128 * 1024
"""What the kernel takes for a connection beyond what is on its way; else it takes up to 4 MB."""

UNHEARD_MS = 20_000
"""A peer that for so long acknowledges nothing, or takes nothing, is cut off: without it, a client that is gone without
a word is kept for a quarter of an hour, and one that never reads for ever."""

GOODBYE_SECONDS, LOOK_SECONDS, STUCK_SECONDS = 1.0, 0.5, 1.5
"""After the signal to stop: when connections are looked at first, how often then, and how long one may take nothing."""

STREAM_SECONDS, LIMIT_SECONDS = 2.5, 3.5
"""After the signal to stop: when a stream for whom something waits is cut whatever it takes, and when anybody is."""

LISTENING_SECONDS = 30.0
"""The server listens a moment after the lifespan began."""


class Sockets:
    """The connections that this process accepts on a port, if on any. Elsewhere than on Linux nothing is bounded."""

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._parting: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Bound whatever is accepted meanwhile."""
        if self._port is None:
            yield
            return
        limiting = asyncio.create_task(self._limit(self._port), name="bounding connections")
        try:
            yield
        finally:
            tasks = [task for task in (limiting, self._parting) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def stop(self, streams: Collection[tuple[str, int]]) -> None:
        """Cut, in a moment, whoever takes too little or too slowly: the server ends when its last connection has.

        Args:
            streams: addresses and ports of clients that were told goodbye, and have nothing else to come.
        """
        if self._parting is None and self._port is not None:
            parting = self._part(self._port, frozenset(streams))
            self._parting = asyncio.create_task(parting, name="cutting slow connections")

    async def _limit(self, port: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LISTENING_SECONDS):
                while True:
                    for found in _sockets(port):
                        if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                            # Accepted connections have the options of the socket that accepted them.
                            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
                            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
                            return
                    await asyncio.sleep(0.02)

    async def _part(self, port: int, streams: frozenset[tuple[str, int]]) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        seen: dict[tuple[str, int], tuple[int, float]] = {}
        await asyncio.sleep(GOODBYE_SECONDS)
        while True:
            for found, peer, taken in _behind(port):
                before, since = seen.get(peer, (None, 0.0))
                if taken != before:
                    since = now()
                    seen[peer] = taken, since
                limit = STREAM_SECONDS if peer in streams else LIMIT_SECONDS
                if now() - since >= STUCK_SECONDS or now() - began >= limit:
                    with suppress(OSError):
                        found.shutdown(socket.SHUT_RDWR)
            await asyncio.sleep(LOOK_SECONDS)


def _behind(port: int) -> Iterator[tuple[socket.socket, tuple[str, int], int]]:
    """Whom something waits for, where they are, and how many bytes they have taken."""
    for found in _sockets(port):
        with suppress(OSError):
            [waiting] = struct.unpack("i", ioctl(found, TIOCOUTQ, b"\0" * 4))
            if waiting:
                # tcpi_bytes_acked of struct tcp_info, linux/tcp.h
                [taken] = struct.unpack_from("Q", found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 120)
                host, peer_port = found.getpeername()[:2]
                yield found, (host, peer_port), taken


def _sockets(port: int) -> Iterator[socket.socket]:
    """This process's sockets at the port, whoever opened them: the server hands none out."""
    if sys.platform != "linux":
        return
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError), _borrowed(int(entry.name)) as found:
            if found.getsockname()[1:2] == (port,):
                yield found


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    copy = os.dup(descriptor)
    try:
        found = socket.socket(fileno=copy)
    except OSError:  # a file or something else
        os.close(copy)
        raise
    with found:
        yield found
