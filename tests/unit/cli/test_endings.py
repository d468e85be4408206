"""How a signal ends `coravet up`, wherever it strikes."""

import asyncio
import os
import signal

import pytest

from coravet.entrypoints.cli.local_service import Ended, Endings


def _strike() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_between_steps() -> None:
    """A signal between two steps raises `Ended`; the second one does nothing."""
    endings = Endings()
    with endings.heeded():
        with pytest.raises(Ended):
            _strike()
        _strike()


def test_in_a_loop() -> None:
    """A signal while a loop runs cancels its work, which may clean up, and then raises `Ended`."""
    cleaned = []

    async def work() -> None:
        asyncio.get_running_loop().call_soon(_strike)
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    endings = Endings()
    with endings.heeded(), pytest.raises(Ended):
        endings.run(work())
    assert cleaned == [True]


def test_what_comes_of_cancelling() -> None:
    """An error that the cancelled work ends in is not told: the person asked for the end."""

    async def work() -> None:
        _strike()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise ConnectionError from None

    endings = Endings()
    with endings.heeded(), pytest.raises(Ended):
        endings.run(work())


def test_errors_without_a_signal() -> None:
    """An error of the work itself is raised as it is."""

    async def work() -> None:
        raise ConnectionError

    endings = Endings()
    with endings.heeded(), pytest.raises(ConnectionError):
        endings.run(work())


def test_handlers_come_back() -> None:
    """Afterwards signals do what they did before."""
    before = signal.getsignal(signal.SIGTERM)
    with Endings().heeded():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
