"""A loop whose clock skips the time in which nothing happens: minutes pass in milliseconds, and exactly."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 23, 14, tzinfo=UTC)


class _Hurried(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._now = max(self._now, self._scheduled[0].when())
        super()._run_once()


class LoopClock:
    """A `Clock` that goes with the loop's."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())


def hurried(test: Coroutine[Any, Any, None]) -> None:
    """Run a test that waits for nothing but time."""
    with asyncio.Runner(loop_factory=_Hurried) as runner:
        runner.run(test)
