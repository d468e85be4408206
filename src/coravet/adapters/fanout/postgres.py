"""Announcements over PostgreSQL's LISTEN and NOTIFY."""

from collections.abc import Callable
from typing import Any

import asyncpg

CHANNEL = "coravet_live"
"""Of one database: PostgreSQL keeps those of different databases apart."""

APPLICATION = "coravet live"
"""How the kept connection calls itself in pg_stat_activity."""


class PostgresChannel:
    """A `Channel` on the direct URL: a transaction pooler does not pass notifications on."""

    server = "PostgreSQL"
    # The last where the connection goes in the middle of a statement.
    failures = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

    def __init__(self, url: str) -> None:
        self._url = url

    def refused(self, error: Exception) -> bool:
        return isinstance(error, asyncpg.InvalidAuthorizationSpecificationError)

    def line(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> "PostgresLine":
        """One connection."""
        return PostgresLine(self._url, hear, lost)


class PostgresLine:
    """A `Line` on one connection."""

    def __init__(self, url: str, hear: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._url = url
        self._hear = hear
        self._lost = lost
        self._connection: asyncpg.Connection[Any] | None = None

    @property
    def alive(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    async def open(self) -> None:
        self._connection = await asyncpg.connect(self._url, server_settings={"application_name": APPLICATION})
        self._connection.add_termination_listener(lambda _: self._lost())
        await self._connection.add_listener(CHANNEL, lambda *heard: self._hear(str(heard[-1]).encode()))

    async def say(self, words: bytes) -> None:
        if self._connection is not None:
            await self._connection.execute("SELECT pg_notify($1, $2)", CHANNEL, words.decode())

    async def drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
