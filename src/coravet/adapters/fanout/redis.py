"""Announcements over the publish and subscribe of Redis, or of what speaks its protocol (Valkey)."""

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

CLIENT = "coravet-live"
"""How the kept connections call themselves in CLIENT LIST."""


class RedisChannel:
    """A `Channel` of one PostgreSQL database in one of the server's numbered databases.

    The server does not keep the channels of its databases apart, so the channel's name does.

    Args:
        url: redis://, rediss:// or unix://, as redis-py reads it.
        database: the PostgreSQL database whose events are announced.
    """

    server = "Redis"
    failures = (RedisError,)

    def __init__(self, url: str, database: str) -> None:
        self._url = url
        self._database = database

    def refused(self, error: Exception) -> bool:
        return isinstance(error, AuthenticationError)

    def line(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> "RedisLine":
        """Two connections of its own."""
        # Whoever keeps the line connects again: once, and knowing that it was gone. Protocol 2 is spoken everywhere.
        client = Redis.from_url(self._url, protocol=2, client_name=CLIENT, retry=Retry(NoBackoff(), 0))
        number = client.connection_pool.connection_kwargs.get("db", 0)
        return RedisLine(client, f"coravet.live.{number}.{quote(self._database, safe='')}", hear, lost)


class RedisLine:
    """A `Line` on two connections: one that has subscribed says nothing else."""

    def __init__(self, client: Redis, name: str, hear: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._client = client
        self._hearing = client.pubsub()
        self._name = name
        self._hear = hear
        self._lost = lost
        self._reader: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self._reader is not None and not self._reader.done()

    async def open(self) -> None:
        await self._hearing.subscribe(self._name)
        await self._hearing.get_message(timeout=None)  # the server's word that we are subscribed
        self._reader = asyncio.create_task(self._read(), name="hearing Redis")
        self._reader.add_done_callback(self._ended)

    async def say(self, words: bytes) -> None:
        await self._client.publish(self._name, words)

    async def drop(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        await self._hearing.aclose()  # type: ignore[no-untyped-call] # the library's lack
        await self._client.aclose()

    async def _read(self) -> None:
        async for message in self._hearing.listen():
            if message["type"] == "message":
                self._hear(message["data"])

    def _ended(self, reader: asyncio.Task[None]) -> None:
        if not reader.cancelled():
            reader.exception()  # looked at, or asyncio would log it: that the line is lost says enough
            self._lost()
