"""Streams hear of the end before the server waits for them."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from tests.unit.live.parts import PATIENCE

from coravet.entrypoints.live.signals import on_stop


@pytest.fixture
def heard_by_the_server() -> Iterator[list[int]]:
    """What a server's own handler got; the test runner's handlers come back afterwards."""
    numbers: list[int] = []
    before = {number: signal.signal(number, lambda got, _: numbers.append(got)) for number in (15, 2)}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_both_hear(heard_by_the_server: list[int], number: signal.Signals) -> None:
    """A signal to stop calls back on the loop and still reaches the server; afterwards it reaches the server alone."""
    called = asyncio.Event()
    with on_stop(called.set):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(PATIENCE):
            await called.wait()
    assert heard_by_the_server == [number]
    called.clear()
    os.kill(os.getpid(), number)
    await asyncio.sleep(0.01)
    assert not called.is_set()
    assert heard_by_the_server == [number, number]


async def test_a_signal_that_kills_still_kills(heard_by_the_server: list[int]) -> None:
    """Where nobody handles a signal it is left alone."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with on_stop(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_outside_the_main_thread() -> None:
    """On another thread, which gets no signals, it does nothing and breaks nothing."""

    async def elsewhere() -> str:
        with on_stop(lambda: None):
            return "done"

    assert await asyncio.to_thread(lambda: asyncio.run(elsewhere())) == "done"
