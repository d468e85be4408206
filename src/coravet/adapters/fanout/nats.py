"""Announcements over NATS, core subjects without JetStream: who is not there misses nothing that it cannot read."""

from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

CLIENT = "coravet live"
"""How the kept connection calls itself in the server's /connz."""


class NatsChannel:
    """A `Channel` of one PostgreSQL database, in the account that the URL's user belongs to.

    Args:
        url: nats:// or tls://, with user and password or a token; several servers of one cluster by commas, all
            entered with what the first names.
        database: the PostgreSQL database whose events are announced.
    """

    server = "NATS"
    failures = (Error,)

    def __init__(self, url: str, database: str) -> None:
        servers = [urlsplit(each) for each in url.split(",")]
        # Without what is secret: the library tells addresses to whoever asks.
        self._servers = [f"{each.scheme}://{each.netloc.rpartition('@')[2]}" for each in servers]
        self._sealed = any(each.scheme == "tls" for each in servers)
        self._user, self._password = servers[0].username, servers[0].password
        # Dots part a subject's words, and a name may have any.
        self._subject = f"coravet.live.{quote(database, safe='').replace('.', '%2E')}"

    async def open(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> "NatsLine":
        """Connect and subscribe."""
        client = Client()

        async def heard(message: Msg) -> None:
            hear(message.data)

        async def closed() -> None:
            lost()

        async def passed_over(_: Exception) -> None:
            """What matters of it is raised as well, or shows when nothing is heard."""

        def secret(value: str) -> Callable[[], str]:
            def tell() -> str:
                # The library encrypts where the server asks for it, so one in between could have it told in clear.
                if self._sealed and not client._server_info.get("tls_required"):  # noqa: SLF001 -- said nowhere else
                    raise Error("nats: the server does not encrypt, and tls:// asks for it")
                return unquote(value)

            return tell

        user, password = (None if each is None else secret(each) for each in (self._user, self._password))
        try:
            # Whoever keeps the line connects again: each server is tried twice at once, then it is told.
            await client.connect(
                self._servers,
                name=CLIENT,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                error_cb=passed_over,
                closed_cb=closed,
                user=user if password else None,
                password=password,
                token=None if password else user,
            )
            await client.subscribe(self._subject, cb=heard)
        except BaseException:
            await client.close()
            raise
        return NatsLine(client, self._subject)


class NatsLine:
    """A `Line` on one connection."""

    def __init__(self, client: Client, subject: str) -> None:
        self._client = client
        self._subject = subject

    @property
    def alive(self) -> bool:
        return self._client.is_connected

    async def say(self, words: bytes) -> None:
        await self._client.publish(self._subject, words)

    async def drop(self) -> None:
        await self._client.close()
