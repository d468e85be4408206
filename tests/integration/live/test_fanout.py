"""One contract for fan-out, held by the fake and by every server; then what only a real connection can suffer."""

import asyncio
import gc
import ipaddress
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nats.aio.client import Client
from redis.asyncio import Redis
from sqlalchemy.engine.url import make_url
from tests.integration.live.machines import until
from tests.integration.parts import nats, redis
from tests.integration.parts.kept_servers import KeptServer
from tests.integration.parts.nats import NatsServer
from tests.integration.parts.ports import free_ports
from tests.integration.parts.redis import RedisServer

from coravet.adapters.fanout.kept import Channel, KeptFanout
from coravet.adapters.fanout.nats import NatsChannel
from coravet.adapters.fanout.postgres import CHANNEL, PostgresChannel
from coravet.adapters.fanout.redis import RedisChannel
from coravet.adapters.memory.fanout import MemoryFanout
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.live import Fanout
from coravet.settings import Settings

DATABASE = "clinics of tests.*"
"""With all that a channel's name must not have."""

SOON = {"check_seconds": 0.05, "answer_seconds": 2.0}


class Place:
    """One server: its channel as reached at an address, and somebody who says anything on it."""

    def __init__(
        self,
        address: tuple[str, int],
        channel: Callable[[str, int], Channel],
        say: Callable[[bytes], Awaitable[object]],
        server: KeptServer | None = None,
    ) -> None:
        self.address = address
        self.channel = channel
        self.say = say
        self.server = server

    def fanout(self, port: int | None = None, **seconds: float) -> KeptFanout:
        """A process's fan-out, past the relay at a port of this machine if one is given."""
        host, direct = self.address
        return KeptFanout(self.channel(host, direct) if port is None else self.channel("127.0.0.1", port), **seconds)


async def _postgres(database: Settings, stack: AsyncExitStack) -> Place:
    url = make_url(database.direct_url)
    address = (str(url.query.get("host") or url.host), url.port or int(str(url.query.get("port", 5432))))
    connection = await asyncpg.connect(database.direct_url)
    stack.push_async_callback(connection.close)

    def channel(host: str, port: int) -> Channel:
        at = url.difference_update_query(["host", "port"])
        at = at.update_query_dict({"host": host}) if host.startswith("/") else at.set(host=host, port=port)
        return PostgresChannel(at.render_as_string(hide_password=False))

    async def say(words: bytes) -> None:
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, words.decode("latin1"))

    return Place(address, channel, say)


async def _redis(folder: Path, stack: AsyncExitStack) -> Place:
    server = await stack.enter_async_context(RedisServer(folder))
    client = Redis.from_url(server.url)
    stack.push_async_callback(client.aclose)

    def channel(host: str, port: int) -> Channel:
        return RedisChannel(f"redis://:{redis.QUOTED}@{host}:{port}/3", DATABASE)

    async def say(words: bytes) -> None:
        assert await client.publish("coravet.live.3.clinics%20of%20tests.%2A", words)

    return Place(("127.0.0.1", server.port), channel, say, server)


async def _nats(folder: Path, stack: AsyncExitStack) -> Place:
    server = await stack.enter_async_context(NatsServer(folder))
    client = Client()
    await client.connect(f"nats://127.0.0.1:{server.port}", user="coravet", password=nats.PASSWORD)
    stack.push_async_callback(client.close)

    def channel(host: str, port: int) -> Channel:
        return NatsChannel(f"nats://coravet:{nats.QUOTED}@{host}:{port}", DATABASE)

    async def say(words: bytes) -> None:
        await client.publish("coravet.live.clinics%20of%20tests%2E%2A", words)

    return Place(("127.0.0.1", server.port), channel, say, server)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as found:
        yield found


@pytest.fixture
def folder() -> Path:
    # Not pytest's tmp_path: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="coravet-", ignore_cleanup_errors=True) as name:
        yield Path(name)


async def _place(kind: str, database: Settings, folder: Path, stack: AsyncExitStack) -> Place:
    if kind == "postgres":
        return await _postgres(database, stack)
    return await (_redis if kind == "redis" else _nats)(folder, stack)


@pytest.fixture(params=["postgres", "redis", "nats"])
async def place(request: pytest.FixtureRequest, database: Settings, folder: Path, stack: AsyncExitStack) -> Place:
    """Each kind of server."""
    return await _place(request.param, database, folder, stack)


@pytest.fixture(params=["memory", "postgres", "redis", "nats"])
async def pair(
    request: pytest.FixtureRequest, database: Settings, folder: Path, stack: AsyncExitStack
) -> tuple[Fanout, Fanout]:
    """One process that speaks and one that listens; in memory there is but one."""
    if request.param == "memory":
        fanout = MemoryFanout()
        return fanout, fanout
    place = await _place(request.param, database, folder, stack)
    one, other = [await stack.enter_async_context(place.fanout()) for _ in range(2)]
    await until(lambda: one.listening and other.listening)
    return one, other


async def test_announcements_are_heard(pair: tuple[Fanout, Fanout]) -> None:
    """Every listener hears the number that was announced, wherever it was announced, large ones, too."""
    speaker, listener = pair
    heard: list[int] = []
    speaker.listen(heard.append)
    listener.listen(heard.append)
    for number in (1, 2**63 - 1):
        heard.clear()
        await speaker.announce(number)
        await until(lambda: len(heard) == 2)
        assert heard == [number, number]


async def test_many_at_once(pair: tuple[Fanout, Fanout]) -> None:
    """Of many announcements the last one is heard, and none out of its order."""
    speaker, listener = pair
    heard: list[int] = []
    listener.listen(heard.append)
    for number in range(1, 501):
        await speaker.announce(number)
        await asyncio.sleep(0)  # the next one comes while this one is on its way
    await until(lambda: heard[-1:] == [500])
    assert heard == sorted(set(heard))


async def test_several_processes(place: Place, stack: AsyncExitStack) -> None:
    """What any process says, each of them hears once."""
    heard: list[tuple[int, int]] = []
    fanouts = [await stack.enter_async_context(place.fanout()) for _ in range(4)]
    for which, fanout in enumerate(fanouts):
        fanout.listen(lambda number, which=which: heard.append((which, number)))
    await until(lambda: all(fanout.listening for fanout in fanouts))
    for number, fanout in enumerate(fanouts, 1):
        await fanout.announce(number)
    await until(lambda: len(heard) >= 16)
    assert sorted(heard) == [(which, number) for which in range(4) for number in range(1, 5)]


async def test_rubbish(place: Place, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    """What others say on the channel is passed over without a word, and what follows is heard."""
    heard: list[int] = []
    listener, speaker = [await stack.enter_async_context(place.fanout()) for _ in range(2)]
    listener.listen(heard.append)
    await until(lambda: listener.listening and speaker.listening)
    sender = "0123456789abcdef"
    for words in (
        "x",
        "12",
        f"-1 {sender}",
        f"{10**19} {sender}",
        f"1 {sender}\n",
        f"1_0 {sender}",
        "\xff\xfe",
        "9" * 7000,
    ):
        await place.say(words.encode("latin1"))
    await place.say(f"8 {sender}".encode())
    await until(lambda: heard == [8])
    await speaker.announce(9)
    await until(lambda: heard == [8, 9])
    assert listener.listening
    assert not caplog.records


class Relay:
    """A TCP relay in front of a server: it can be away, cut what is open, or go dead without a word."""

    def __init__(self, target: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self.port = free_ports()
        self._alive = asyncio.Event()
        self._alive.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port, ssl=self._tls)

    async def stop(self) -> None:
        """Take no connection, and cut those that there are."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    def die(self) -> None:
        self._alive.clear()

    def revive(self) -> None:
        self._alive.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _relay(self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        host, port = self._target
        if host.startswith("/"):
            far_reader, far_writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        self._open |= {near_writer, far_writer}
        with suppress(OSError):
            await asyncio.gather(self._pump(near_reader, far_writer), self._pump(far_reader, near_writer))
        self._open -= {near_writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            await self._alive.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()


async def _relayed(place: Place, stack: AsyncExitStack) -> tuple[Relay, KeptFanout, KeptFanout, list[int]]:
    """A relay, a process with a direct connection, one behind the relay, and what the second hears."""
    relay = await stack.enter_async_context(Relay(place.address))
    direct = await stack.enter_async_context(place.fanout())
    behind = await stack.enter_async_context(place.fanout(relay.port, **SOON))
    heard: list[int] = []
    behind.listen(heard.append)
    await until(lambda: direct.listening)
    return relay, direct, behind, heard


def _told(caplog: pytest.LogCaptureFixture, server: str) -> list[str]:
    """What was logged, after checking that it is of this connection alone."""
    gc.collect()  # asyncio tells of a task's error that nobody looked at when the task is collected
    lines = [record.getMessage() for record in caplog.records]
    name = f"the live connection to {server} "
    assert all(line.startswith(name) for line in lines)
    return [line.removeprefix(name).partition(":")[0] for line in lines]


ONCE = ["fails, and is tried again", "works again"]


async def test_a_server_that_is_away(place: Place, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    """Without a server a process starts, announces to itself, and is heard by the others once there is one."""
    caplog.set_level(logging.INFO)
    relay, direct, behind, heard = await _relayed(place, stack)
    others: list[int] = []
    direct.listen(others.append)
    async with asyncio.timeout(1):
        await behind.announce(5)
    assert heard == [5]
    await until(lambda: bool(caplog.records))
    assert not behind.listening
    await relay.start()
    await until(lambda: behind.listening)
    await until(lambda: others == [5])
    await direct.announce(6)
    await until(lambda: heard == [5, 6])
    assert _told(caplog, behind.server) == ONCE


async def test_a_server_that_restarts(place: Place, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    """Where every connection is cut and none taken for a while, it is told, and connected again after."""
    relay, direct, behind, heard = await _relayed(place, stack)
    await relay.start()
    await until(lambda: behind.listening)
    caplog.clear()
    caplog.set_level(logging.INFO)
    await relay.stop()
    await until(lambda: not behind.listening)
    await behind.announce(6)
    await until(lambda: bool(caplog.records))
    await relay.start()
    await until(lambda: behind.listening)
    await direct.announce(7)
    await until(lambda: heard == [6, 7])
    assert _told(caplog, behind.server) == ONCE


@pytest.mark.alone
async def test_a_connection_that_died_without_a_word(
    place: Place, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that looks open and carries nothing is noticed, and replaced as soon as that is possible."""
    relay, direct, behind, heard = await _relayed(place, stack)
    await relay.start()
    await until(lambda: behind.listening)
    caplog.clear()
    caplog.set_level(logging.INFO)
    relay.die()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await behind.announce(6)
    assert loop.time() - began < 1  # whoever numbers events does not wait for a dead connection
    await until(lambda: not behind.listening)
    relay.revive()
    await until(lambda: behind.listening)
    await direct.announce(7)
    await until(lambda: heard == [6, 7])
    assert _told(caplog, behind.server) == ONCE


@pytest.mark.parametrize("kind", ["redis", "nats"])
async def test_the_server_itself_restarts(kind: str, database: Settings, folder: Path, stack: AsyncExitStack) -> None:
    """A killed server that comes back, which remembers nobody, has its subscribers again."""
    place = await _place(kind, database, folder, stack)
    assert place.server is not None
    one, other = [await stack.enter_async_context(place.fanout()) for _ in range(2)]
    heard: list[int] = []
    other.listen(heard.append)
    await until(lambda: one.listening and other.listening)
    for number in range(1, 4):
        await place.server.stop()
        await until(lambda: not one.listening and not other.listening)
        await one.announce(number)
        await place.server.start()
        await until(lambda: one.listening and other.listening)
        await one.announce(number * 10)
        await until(lambda number=number: heard[-1:] == [number * 10])


async def test_secrets_stay_out_of_logs(place: Place, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a refused password nor a server that is away puts anything secret into a log, at any level."""
    caplog.set_level(logging.DEBUG)
    relay, _, behind, _ = await _relayed(place, stack)
    await asyncio.sleep(0.2)
    await relay.start()
    await until(lambda: behind.listening)
    await relay.stop()
    await until(lambda: not behind.listening)
    host, port = place.address
    if behind.server != "PostgreSQL":  # the tests' own PostgreSQL asks nobody for a password
        wrong = {
            "Redis": RedisChannel(f"redis://hush-user:hush-word@{host}:{port}", DATABASE),
            "NATS": NatsChannel(f"nats://hush-user:hush-word@{host}:{port}", DATABASE),
        }
        with pytest.raises(Unavailable, match=r"\(LoginRefused\)") as refused:
            await KeptFanout(wrong[behind.server]).check()
        assert "hush" not in str(refused.value)
    assert "hush" not in caplog.text
    assert caplog.records


async def _hear(one: Channel, other: Channel) -> bool:
    """Whether a process hears another, both of them hearing themselves."""
    heard: list[int] = []
    async with KeptFanout(one) as speaker, KeptFanout(other) as listener, KeptFanout(other) as neighbour:
        listener.listen(heard.append)
        await until(lambda: speaker.listening and listener.listening and neighbour.listening)
        await speaker.announce(7)
        await asyncio.sleep(0.2)
        await neighbour.announce(8)
        await until(lambda: 8 in heard)
    return 7 in heard


async def test_services_apart_on_redis(folder: Path, stack: AsyncExitStack) -> None:
    """Two services on one Redis hear each other where both databases are the same, and only then."""
    server = await stack.enter_async_context(RedisServer(folder))
    here = RedisChannel(f"{server.url}/1", "clinics")
    assert await _hear(here, RedisChannel(f"{server.url}/1", "clinics"))
    assert await _hear(here, RedisChannel(f"{server.socket_url}?db=1", "clinics"))
    assert not await _hear(here, RedisChannel(f"{server.url}/2", "clinics"))
    assert not await _hear(here, RedisChannel(f"{server.url}/1", "staging"))


async def test_services_apart_on_nats(tmp_path: Path, stack: AsyncExitStack) -> None:
    """Two services on one NATS hear each other where the database is the same; of several servers one suffices."""
    server = await stack.enter_async_context(NatsServer(tmp_path))
    here = NatsChannel(server.url, "clinics")
    nobody = f"nats://127.0.0.1:{free_ports()}"
    assert await _hear(here, NatsChannel(f"{server.url},{nobody}", "clinics"))
    assert not await _hear(here, NatsChannel(server.url, "staging"))


async def test_rights_that_do_not_suffice(folder: Path, stack: AsyncExitStack) -> None:
    """Who may connect and is told nothing is not listening, even where the server says so to nobody."""
    redis_server = await stack.enter_async_context(RedisServer(folder))
    nats_server = await stack.enter_async_context(NatsServer(folder))
    admin = Redis.from_url(redis_server.url)
    stack.push_async_callback(admin.aclose)
    await admin.execute_command("ACL", "SETUSER", "deaf", "on", ">hush", "allcommands", "resetchannels")
    for channel in (
        RedisChannel(f"redis://deaf:hush@127.0.0.1:{redis_server.port}", "clinics"),
        NatsChannel(f"nats://deaf:{nats.QUOTED}@127.0.0.1:{nats_server.port}", "clinics"),
    ):
        fanout = KeptFanout(channel, answer_seconds=1)
        with pytest.raises(Unavailable):
            await fanout.check()
        assert not fanout.listening


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nats of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


async def test_nats_over_tls(tmp_path: Path, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """NATS is spoken to over TLS where its certificate is trusted, and not where it is not."""
    certificate = _certificate(tmp_path)
    server = await stack.enter_async_context(NatsServer(tmp_path, certificate))
    url = server.url.replace("nats://", "tls://")
    with pytest.raises(Unavailable):
        await KeptFanout(NatsChannel(url, "clinics")).check()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    await KeptFanout(NatsChannel(url, "clinics")).check()


async def test_redis_over_tls(folder: Path, stack: AsyncExitStack) -> None:
    """Redis is spoken to over TLS where its certificate is trusted, and not where it is not."""
    certificate, key = _certificate(folder)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    server = await stack.enter_async_context(RedisServer(folder))
    relay = await stack.enter_async_context(Relay(("127.0.0.1", server.port), tls))
    await relay.start()
    url = f"rediss://:{redis.QUOTED}@127.0.0.1:{relay.port}/0"
    await KeptFanout(RedisChannel(f"{url}?ssl_ca_certs={certificate}", "clinics")).check()
    with pytest.raises(Unavailable):
        await KeptFanout(RedisChannel(url, "clinics")).check()


@pytest.mark.parametrize("who", ["hush-user:hush-word", "hush-token"])
async def test_a_password_for_tls_is_told_to_nobody_in_clear(who: str) -> None:
    """Where tls:// is asked for and a server does not encrypt, it is not told who we are."""
    told = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal told
        writer.write(b'INFO {"server_id":"x","auth_required":true,"max_payload":1000}\r\n')
        while chunk := await reader.read(1000):
            told += chunk
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(Unavailable):
            await KeptFanout(NatsChannel(f"tls://{who}@127.0.0.1:{port}", "clinics"), answer_seconds=2).check()
        assert b"hush" not in told
        # The same over nats:// is told, so that this test could have seen it.
        with pytest.raises(Unavailable):
            await KeptFanout(NatsChannel(f"nats://{who}@127.0.0.1:{port}", "clinics"), answer_seconds=1).check()
        assert b"hush" in told
