"""Work in the background that goes on whatever happens."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from coravet.core.kernel.errors import DomainError

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds after a first failure, and after many in a row; each is spread by half."""

AGAIN_SECONDS = 0.5
"""After so long a step that was cancelled and goes on is cancelled once more."""

log = logging.getLogger("coravet.steady")


class Steady:
    """Repeats a step while entered: when woken, and `every` so many seconds from one start to the next.

    However often it is woken, one start is at `least` so many seconds after the one before; the first wake after a
    pause is served at once.

    A step that fails is repeated after a growing pause. That it fails is logged once, and once that it works again.
    A wake during a step makes one more follow, so that whoever calls `wake` is served by a step that begins later.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[None]], *, every: float, least: float = 0) -> None:
        self._name = name
        self._step = step
        self._every = every
        self._least = least
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Have the step done soon. Call it on the loop's own thread."""
        self._woken.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._repeat(), name=self._name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = self._task
        while task is not None and not task.done():
            # More than once if need be: before Python 3.12 `asyncio.wait_for`, which drivers use, drops a cancellation
            # that comes together with its result.
            task.cancel()
            await asyncio.wait([task], timeout=AGAIN_SECONDS)

    async def _repeat(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            self._woken.clear()
            started = loop.time()
            try:
                await self._step()
            except Exception as error:
                if failures == 0:
                    expected = isinstance(error, DomainError)
                    reason = error if expected else type(error).__name__
                    log.warning("%s fails, and is tried again: %s", self._name, reason, exc_info=not expected)
                failures += 1
                await asyncio.sleep(_pause(failures))
                continue
            if failures:
                log.info("%s works again", self._name)
                failures = 0
            with suppress(TimeoutError):
                async with asyncio.timeout_at(started + self._every):
                    await self._woken.wait()
            rest = started + self._least - loop.time()
            if rest > 0:
                await asyncio.sleep(rest)


def _pause(failures: int) -> float:
    longest = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)  # noqa: S311 -- spreads load, guards nothing
