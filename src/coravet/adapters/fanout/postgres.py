"""Announcements over PostgreSQL's LISTEN and NOTIFY, on one kept connection per process."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import asyncpg

from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.steady import Steady

CHANNEL = "coravet_live"
APPLICATION = "coravet live"
"""How the kept connection calls itself in pg_stat_activity."""

CHECK_SECONDS, ANSWER_SECONDS = 5.0, 5.0
"""A connection that was lost without a word, as when a router forgets it, is noticed within these two together."""

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class PostgresFanout:
    """The `Fanout` port while entered, on the direct URL: a transaction pooler does not pass notifications on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._listeners: list[Callable[[int], None]] = []
        self._connection: asyncpg.Connection[Any] | None = None
        # asyncpg refuses two statements at a time, and the check and an announcement may meet.
        self._turn = asyncio.Lock()
        self._keeper = Steady("the live connection to PostgreSQL", self._keep, every=CHECK_SECONDS)

    async def __aenter__(self) -> Self:
        await self._keeper.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._keeper.__aexit__(kind, error, trace)
        if self._connection is not None:
            self._connection.terminate()

    @property
    def listening(self) -> bool:
        """Whether announcements arrive now, as far as is known."""
        return self._connection is not None and not self._connection.is_closed()

    def listen(self, heard: Callable[[int], None]) -> None:
        self._listeners.append(heard)

    async def announce(self, highest: int) -> None:
        if self._connection is None:
            return
        try:
            await self._execute("SELECT pg_notify($1, $2)", CHANNEL, str(highest))
        except _FAILURES:
            self._keeper.wake()

    async def _keep(self) -> None:
        """Connect, or see whether the connection still answers."""
        try:
            if self.listening:
                await self._execute("SELECT 1")
            else:
                self._connection = None
                self._connection = await self._connect()
        except _FAILURES as error:
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
            raise Unavailable(
                Sentence("The event stream has no connection ({reason}).", reason=type(error).__name__)
            ) from error

    async def _connect(self) -> "asyncpg.Connection[Any]":
        connection = await asyncpg.connect(
            self._url,
            timeout=ANSWER_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings={"application_name": APPLICATION},
        )
        connection.add_termination_listener(lambda _: self._keeper.wake())
        try:
            await connection.add_listener(CHANNEL, self._hear)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _execute(self, sql: str, *arguments: object) -> None:
        async with self._turn:
            if self._connection is not None:
                await self._connection.execute(sql, *arguments)

    def _hear(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        number = int(str(payload))
        for heard in self._listeners:
            heard(number)
