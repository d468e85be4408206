"""What a client that stops reading costs at most."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.unit.live.parts import until

from coravet.entrypoints.live import sockets
from coravet.entrypoints.live.sockets import UNHEARD_MS, UNSENT_BYTES, Sockets


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A listening socket that somebody else in this process opened."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def _pair(server: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    accepted.setblocking(False)
    return client, accepted


def _fill(accepted: socket.socket) -> int:
    """Send until nothing more is taken; answers how many bytes that were."""
    sent = 0
    while True:
        try:
            sent += accepted.send(b"x" * 65536)
        except BlockingIOError:
            return sent


async def test_what_is_accepted_is_bounded(server: socket.socket) -> None:
    """Connections of the port are bounded in what the kernel keeps for them and for how long; others aren't."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with Sockets(server.getsockname()[1]).bounded():
            await until(lambda: server.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNHEARD_MS)
        client, accepted = _pair(server)
        with client, accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == UNSENT_BYTES
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNHEARD_MS
        assert other.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0


def test_at_the_end_stuck_ones_are_cut(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the signal whoever takes nothing is cut off; who reads on, and for whom nothing waits, is not."""
    _hurry(monkeypatch)
    _evenly(_stuck_ones(server))


async def _stuck_ones(server: socket.socket) -> None:
    (deaf, stuck), (keen, served), (calm, idle) = [_pair(server) for _ in range(3)]
    bound = Sockets(server.getsockname()[1])
    with deaf, stuck, keen, served, calm, idle:
        async with bound.bounded():
            _fill(stuck)
            _fill(served)
            bound.stop([])
            bound.stop([])
            began = asyncio.get_running_loop().time()
            async with _reading(keen):
                await until(lambda: _is_cut(stuck))
                assert asyncio.get_running_loop().time() - began < sockets.LIMIT_SECONDS
                assert not _is_cut(served)
                assert not _is_cut(idle)


def test_at_the_end_the_slow_are_cut(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes a little, steadily, is cut off all the same: a stream soon, whatever else in the end, also when it
    stops reading only after the first look; for whom nothing waits is not."""
    _hurry(monkeypatch)
    _evenly(_slow_ones(server))


async def _slow_ones(server: socket.socket) -> None:
    (trickle, stream), (sip, download), (fickle, later), (calm, idle) = [_pair(server) for _ in range(4)]
    bound = Sockets(server.getsockname()[1])
    with trickle, stream, sip, download, fickle, later, calm, idle:
        async with bound.bounded(), _reading(trickle), _reading(sip):
            for accepted in (stream, download, later):
                _fill(accepted)
            bound.stop([trickle.getsockname()])
            began = asyncio.get_running_loop().time()
            async with _reading(fickle):
                await until(lambda: _is_cut(stream))
                assert not _is_cut(download)
                assert not _is_cut(later)
            await until(lambda: _is_cut(later))
            assert not _is_cut(download)
            await until(lambda: _is_cut(download))
            assert asyncio.get_running_loop().time() - began >= sockets.LIMIT_SECONDS
            assert not _is_cut(idle)


class _Even(asyncio.SelectorEventLoop):
    """A loop whose clock counts a tenth of a second at most for one turn: while a busy machine lets the process wait,
    readers do not read, and are not to be taken for clients that no longer do."""

    def __init__(self) -> None:
        super().__init__()
        self._now, self._seen = 0.0, monotonic()

    def time(self) -> float:
        seen = monotonic()
        self._now += min(seen - self._seen, 0.1)
        self._seen = seen
        return self._now


def _evenly(test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_Even) as runner:
        runner.run(test)


def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in [("GOODBYE", 0.2), ("LOOK", 0.1), ("STUCK", 0.5), ("STREAM", 1.0), ("LIMIT", 4.0)]:
        monkeypatch.setattr(sockets, f"{name}_SECONDS", seconds)


@asynccontextmanager
async def _reading(client: socket.socket) -> AsyncIterator[None]:
    """Take a little of what came, again and again."""
    client.setblocking(False)

    async def read() -> None:
        while True:
            with suppress(BlockingIOError):
                client.recv(16384)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(read())
    yield
    task.cancel()
    await asyncio.wait([task])


def _is_cut(accepted: socket.socket) -> bool:
    try:
        accepted.send(b"x")
    except BlockingIOError:
        return False
    except BrokenPipeError:
        return True
    return False


async def test_nothing_stays_open(server: socket.socket) -> None:
    """Looking at a process's sockets leaves no descriptor behind."""
    before = _descriptors()
    bound = Sockets(server.getsockname()[1])
    async with bound.bounded():
        await until(lambda: server.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNHEARD_MS)
    assert _descriptors() <= before  # somebody else's may be collected meanwhile


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
