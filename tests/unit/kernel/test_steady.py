"""Background work goes on whatever happens, and says so once."""

import asyncio
import logging
from contextlib import suppress

import pytest
from tests.unit.live.parts import until

from coravet.core.kernel import steady
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.steady import Steady


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(steady, "LONGEST_PAUSE", 0.002)


def said(caplog: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    """What was logged of the work of that name: services of other tests may still be at work in the background."""
    return [record for record in caplog.records if record.getMessage().startswith(f"{name} ")]


async def test_repeats(caplog: pytest.LogCaptureFixture) -> None:
    """The step is done at once and then again and again, until the end."""
    done = 0

    async def step() -> None:
        nonlocal done
        done += 1

    async with Steady("counting", step, every=0.01):
        await until(lambda: done >= 3)
    at_the_end = done
    await asyncio.sleep(0.03)
    assert done == at_the_end
    assert said(caplog, "counting") == []


async def test_a_wake_during_a_step_is_followed_by_another() -> None:
    """Whoever wakes it while a step is under way is served by one that begins later, and many wakes by one."""
    begun = 0
    let_go = asyncio.Event()

    async def step() -> None:
        nonlocal begun
        begun += 1
        await let_go.wait()

    async with Steady("working", step, every=3600) as work:
        await asyncio.sleep(0)
        assert begun == 1
        for _ in range(5):
            work.wake()
        let_go.set()
        await until(lambda: begun == 2)
        await asyncio.sleep(0.01)
        assert begun == 2


async def test_wakes_in_a_row_are_served_together() -> None:
    """A wake after a pause is served at once; those that follow wait until `least` is over, and share one step."""
    loop = asyncio.get_running_loop()
    begun: list[float] = []

    async def step() -> None:
        begun.append(loop.time())

    least = 0.3
    async with Steady("working", step, every=3600, least=least) as work:
        await asyncio.sleep(1.5 * least)
        for _ in range(20):  # turns of the loop, not seconds: a busy machine has all the time that it takes
            work.wake()
            await asyncio.sleep(0)
        assert len(begun) == 2
        await until(lambda: len(begun) == 3)
        await asyncio.sleep(1.5 * least)
    assert len(begun) == 3
    assert begun[1] - begun[0] >= 1.5 * least
    assert begun[2] - begun[1] >= least


async def test_failures_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """An outage is one warning, its end one line; an error nobody expected comes with its stack."""
    caplog.set_level(logging.INFO)
    failing: Exception | None = Unavailable("The database does not answer.")
    tries = 0

    async def step() -> None:
        nonlocal tries
        tries += 1
        if failing:
            raise failing

    async def a_few_more() -> None:
        # The first of them may have begun before the last change.
        enough = tries + 5
        await until(lambda: tries >= enough)

    async with Steady("asking", step, every=0.001):
        await a_few_more()
        failing = None
        await a_few_more()
        failing = KeyError("secret")
        await a_few_more()
    first, second, third = said(caplog, "asking")
    assert first.getMessage() == "asking fails, and is tried again: The database does not answer."
    assert first.levelname == "WARNING"
    assert not first.exc_info
    assert (second.levelname, second.getMessage()) == ("INFO", "asking works again")
    assert third.getMessage() == "asking fails, and is tried again: KeyError"
    assert third.exc_info


async def test_a_wake_during_a_failure_is_served() -> None:
    """What was asked for during an outage is done after it."""
    tries = 0

    async def step() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unavailable("not yet")

    async with Steady("trying", step, every=3600) as work:
        work.wake()
        await until(lambda: tries >= 2)


async def test_ends_also_where_a_step_drops_the_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step in which a library loses the cancellation, as `asyncio.wait_for` may, does not go on for ever."""
    monkeypatch.setattr(steady, "AGAIN_SECONDS", 0.01)
    begun = 0

    async def step() -> None:
        nonlocal begun
        begun += 1
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)

    async with asyncio.timeout(30):
        async with Steady("deaf", step, every=3600):
            await until(lambda: begun == 1)
    assert begun == 1
