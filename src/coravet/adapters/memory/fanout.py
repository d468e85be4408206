"""Announcements within one process, for unit tests; held to the same contract tests as the real ones."""

import asyncio
from collections.abc import Callable


class MemoryFanout:
    """The `Fanout` port over the event loop.

    Attributes:
        connected: while False announcements are lost, as in an outage.
    """

    def __init__(self) -> None:
        self.connected = True
        self._listeners: list[Callable[[int], None]] = []

    @property
    def listening(self) -> bool:
        return self.connected

    def listen(self, heard: Callable[[int], None]) -> None:
        self._listeners.append(heard)

    async def announce(self, highest: int) -> None:
        if self.connected:
            for heard in self._listeners:
                asyncio.get_running_loop().call_soon(heard, highest)
