"""Announcements over NATS: core subjects, without JetStream, since what they tell of is kept elsewhere."""

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
        url: nats:// or tls://, with user and password or a token; several servers of one cluster with commas between
            them, all entered with what the first names.
        database: the PostgreSQL database whose events are announced.
    """

    server = "NATS"
    failures = (Error,)

    def __init__(self, url: str, database: str) -> None:
        self._urls = url.split(",")
        # Dots part a subject's words, and a name may have any.
        self._subject = f"coravet.live.{quote(database, safe='').replace('.', '%2E')}"

    def refused(self, error: Exception) -> bool:
        return isinstance(error, Error) and "authorization violation" in str(error).lower()

    def line(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> "NatsLine":
        """One connection."""
        return NatsLine(self._urls, self._subject, hear, lost)


class NatsLine:
    """A `Line` on one connection."""

    def __init__(self, urls: list[str], subject: str, hear: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._addresses = [urlsplit(url) for url in urls]
        self._subject = subject
        self._hear = hear
        self._lost = lost
        self._client = Client()

    @property
    def alive(self) -> bool:
        return self._client.is_connected

    async def open(self) -> None:
        user, password = self._addresses[0].username, self._addresses[0].password
        await self._client.connect(
            # Without what is secret: the library tells its servers to whoever asks.
            [f"{each.scheme}://{each.netloc.rpartition('@')[2]}" for each in self._addresses],
            name=CLIENT,
            user=self._secret(user) if user and password else None,
            password=self._secret(password) if user and password else None,
            token=self._secret(user) if user and not password else None,
            # Whoever keeps the line connects again; here each server is tried twice at once.
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            error_cb=self._pass_over,
            closed_cb=self._closed,
        )
        await self._client.subscribe(self._subject, cb=self._heard)

    async def say(self, words: bytes) -> None:
        await self._client.publish(self._subject, words)

    async def drop(self) -> None:
        await self._client.close()

    def _secret(self, value: str) -> Callable[[], str]:
        def tell() -> str:
            # The library encrypts where the server asks for it, so one in between could have it told in clear.
            sealed = any(each.scheme == "tls" for each in self._addresses)
            if sealed and not self._client._server_info.get("tls_required"):  # noqa: SLF001 -- said nowhere else
                raise Error("nats: tls:// is asked for, and the server does not encrypt")
            return unquote(value)

        return tell

    async def _heard(self, message: Msg) -> None:
        self._hear(message.data)

    async def _closed(self) -> None:
        self._lost()

    async def _pass_over(self, error: Exception) -> None:
        """What matters of it is raised as well, or shows when nothing is heard; the library would log it."""
