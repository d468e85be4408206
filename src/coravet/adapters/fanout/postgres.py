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
    failures = (asyncpg.PostgresError, asyncpg.InterfaceError)

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> "PostgresLine":
        """Connect and listen."""
        connection = await asyncpg.connect(self._url, server_settings={"application_name": APPLICATION})
        connection.add_termination_listener(lambda _: lost())
        try:
            await connection.add_listener(CHANNEL, lambda *heard: hear(str(heard[-1]).encode()))
        except BaseException:
            connection.terminate()
            raise
        return PostgresLine(connection)


class PostgresLine:
    """A `Line` on one connection."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    @property
    def alive(self) -> bool:
        return not self._connection.is_closed()

    async def say(self, words: bytes) -> None:
        await self._connection.execute("SELECT pg_notify($1, $2)", CHANNEL, words.decode())

    async def drop(self) -> None:
        self._connection.terminate()
