"""Announcements on one kept connection per process, whatever server carries them."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex
from types import TracebackType
from typing import Protocol, Self

from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.steady import Steady

CHECK_SECONDS, ANSWER_SECONDS = 5.0, 5.0
"""A connection that was lost without a word, as when a router forgets it, is noticed within these two together."""

LEAVING_SECONDS = 1.0
"""A server that does not answer a goodbye is left without."""

ANNOUNCEMENT = re.compile(rb"([0-9]{1,19}) ([0-9a-f]{16})")
"""The highest number, and the process that says it; whatever else is on the channel is not ours."""

NOTHING = 0
"""What a process says to itself: nobody has anything to read up to there."""


class Line(Protocol):
    """A connection that hears a channel and speaks on it."""

    @property
    def alive(self) -> bool:
        """Whether it is open, as far as is known."""
        ...

    async def open(self) -> None:
        """Connect; what is said on the channel from then on is heard."""
        ...

    async def say(self, words: bytes) -> None:
        """Have everybody on the channel hear it, this process included."""
        ...

    async def drop(self) -> None:
        """End what there is of the connection, also where it was opened in part."""
        ...


class Channel(Protocol):
    """Where announcements are made."""

    @property
    def server(self) -> str:
        """What carries it, by its name."""
        ...

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What its library raises where the server cannot be reached or refuses, besides OSError."""
        ...

    def refused(self, error: Exception) -> bool:
        """Whether the server was reached, and does not let this user or password in."""
        ...

    def line(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> Line:
        """A line that is still to be opened; `lost` is called where its connection is found to be gone."""
        ...


class LoginRefused(Exception):
    """The server lets nobody in by this user and password; each library has an error of its own for it."""


class KeptFanout:
    """The `Fanout` port while entered.

    The listeners of this process are told at once and need no server; other processes hear of it through the channel.
    Now and then the process says something to itself over the channel: only who hears itself is connected, whatever
    the connection, a pooler or the server's rights pretend. An announcement that finds no connection is made when
    there is one again, unless a later one takes its place.
    """

    def __init__(
        self, channel: Channel, *, check_seconds: float = CHECK_SECONDS, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._channel = channel
        self._check_seconds = check_seconds
        self._answer_seconds = answer_seconds
        self._me = token_hex(8).encode()
        self._listeners: list[Callable[[int], None]] = []
        self._line: Line | None = None
        self._check_at = 0.0
        self._unsaid: int | None = None
        self._echo = asyncio.Event()
        self._keeper = Steady(f"the live connection to {channel.server}", self._keep, every=check_seconds)

    async def __aenter__(self) -> Self:
        await self._keeper.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._keeper.__aexit__(kind, error, trace)
        await self._hang_up()

    @property
    def server(self) -> str:
        """What carries the announcements, by its name."""
        return self._channel.server

    @property
    def listening(self) -> bool:
        """Whether announcements arrive now, as far as is known."""
        return self._line is not None and self._line.alive

    def listen(self, heard: Callable[[int], None]) -> None:
        self._listeners.append(heard)

    async def announce(self, highest: int) -> None:
        self._tell(highest)
        self._unsaid = highest
        self._keeper.wake()

    async def check(self) -> None:
        """Connect, hear oneself and hang up; for a fan-out that is not entered.

        Raises:
            Unavailable: that does not work.
        """
        await self._keep()
        await self._hang_up()

    async def _keep(self) -> None:
        """Connect where there is no connection, say what is to be said, and see now and then that it is heard."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                if not self.listening:
                    await self._hang_up()
                    self._line = await self._connect()
                await self._speak()
        except Exception as error:
            await self._hang_up()
            if isinstance(error, (OSError, *self._channel.failures)):
                reason = LoginRefused() if self._channel.refused(error) else error
                raise Unavailable(
                    Sentence("The event stream has no connection ({reason}).", reason=type(reason).__name__)
                ) from reason
            raise

    async def _connect(self) -> Line:
        line = self._channel.line(self._hear, self._keeper.wake)
        try:
            await line.open()
            await self._hear_oneself(line)
        except BaseException:
            await _dropped(line)
            raise
        return line

    async def _speak(self) -> None:
        if self._line is None:
            return
        if (highest := self._unsaid) is not None:
            await self._line.say(self._words(highest))
            if self._unsaid == highest:
                self._unsaid = None
        if asyncio.get_running_loop().time() >= self._check_at:
            await self._hear_oneself(self._line)

    async def _hear_oneself(self, line: Line) -> None:
        self._echo.clear()
        await line.say(self._words(NOTHING))
        async with asyncio.timeout(self._answer_seconds):
            await self._echo.wait()
        self._check_at = asyncio.get_running_loop().time() + self._check_seconds

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await _dropped(line)

    def _words(self, highest: int) -> bytes:
        return b"%d %s" % (highest, self._me)

    def _hear(self, words: bytes) -> None:
        found = ANNOUNCEMENT.fullmatch(words)
        if found is None:
            return
        if found[2] == self._me:
            self._echo.set()
        elif (highest := int(found[1])) != NOTHING:
            self._tell(highest)

    def _tell(self, highest: int) -> None:
        for heard in self._listeners:
            heard(highest)


async def _dropped(line: Line) -> None:
    with suppress(Exception):  # it is gone in any case
        async with asyncio.timeout(LEAVING_SECONDS):
            await line.drop()
