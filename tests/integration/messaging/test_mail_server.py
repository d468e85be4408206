"""How mail servers are met that are not what they should be."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.integration.messaging.servers import MailServer

from coravet.adapters.mail.smtp import SmtpMessenger
from coravet.core.kernel.clock import SystemClock
from coravet.core.messaging.ports import Letter, NotDelivered

LETTER = Letter(
    message_id=uuid4(),
    kind="visit_booked",
    channel="mail",
    to="zq@correo.test",
    sender="Clínica La Paz",
    subject="Cita",
    text="Hola",
    parts=[],
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that vouches for itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, folder / "key.pem")
    return path, context


class Servers:
    """Starts SMTP servers of one kind or another; all take their mails to one place."""

    def __init__(self) -> None:
        self.mails = MailServer()
        self._running: list[asyncio.Server] = []

    async def start(self, *, tls: ssl.SSLContext | None = None, **options: Any) -> int:
        """A server's port; `options` are aiosmtpd's."""
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(self.mails, hostname="mail.test", **options), "localhost", 0, ssl=tls
        )
        self._running.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Ends them all."""
        for server in self._running:
            server.close()


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    """Servers that end with the test."""
    started = Servers()
    yield started
    started.stop()


async def _why(url: str) -> tuple[str, bool]:
    with pytest.raises(NotDelivered) as caught:
        await SmtpMessenger(url, "citas@coravet.test", SystemClock()).deliver(LETTER)
    return caught.value.why, caught.value.again


async def _sent(url: str) -> None:
    messenger = SmtpMessenger(url, "citas@coravet.test", SystemClock())
    await messenger.check()
    assert await messenger.deliver(LETTER) == "sent"


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"user", b"p@ss"), handled=False)


# aiosmtpd does not count TLS from the start as TLS.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_tls(servers: Servers, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS from the start or by STARTTLS a mail goes to a server that proves its name, with the password unescaped;
    one whose certificate nobody vouches for gets neither."""
    path, context = certificate
    auth = {"authenticator": _login, "auth_required": True}
    begins = await servers.start(tls=context, auth_require_tls=False, **auth)
    follows = await servers.start(tls_context=context, require_starttls=True, **auth)
    urls = [f"smtps://user:p%40ss@localhost:{begins}", f"smtp+starttls://user:p%40ss@localhost:{follows}"]
    for url in urls:
        assert await _why(url) == ("mail_unreachable", True)
    assert servers.mails.tried == 0
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    for url in urls:
        await _sent(url)
    assert len(servers.mails.mails) == 2
    assert await _why(urls[0].replace("p%40ss", "wrong")) == ("mail_login", True)


async def test_no_starttls(servers: Servers) -> None:
    """A server that lost STARTTLS gets no mail and no password; it is tried again."""
    port = await servers.start()
    assert await _why(f"smtp+starttls://user:hush@localhost:{port}") == ("mail_unreachable", True)
    assert servers.mails.tried == 0


@pytest.mark.parametrize(
    ("command", "answer", "why"),
    [
        ("RCPT", "550 no such user", ("smtp_550", False)),
        ("RCPT", "450 busy", ("smtp_450", True)),
        ("MAIL", "550 not your domain", ("mail_sender", True)),
        ("EHLO", "554 go away", ("mail_unreachable", True)),
        ("DATA", "554 spam", ("smtp_554", False)),
    ],
)
async def test_refusals(command: str, answer: str, why: tuple[str, bool], servers: Servers) -> None:
    """What is refused of the letter for good has failed; what is refused of us may be mended, and is tried again."""

    async def refuse(*_: Any) -> str:
        return answer

    monkey: Any = servers.mails
    if command == "EHLO":
        port = (await _speaking(servers, f"{answer}\r\n".encode())).port
    else:
        setattr(monkey, f"handle_{command}", refuse)
        port = await servers.start()
    assert await _why(f"smtp://localhost:{port}") == why


async def _speaking(servers: Servers, greeting: bytes) -> MailServer:
    """A server that greets with these bytes and hangs up."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "localhost", 0)
    servers._running.append(server)
    return MailServer(port=server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(("to", "takes"), [("zoila.quiñónez@correo.test", False), ("zoila@clínica.test", True)])
async def test_international_addresses(to: str, takes: bool, servers: Servers) -> None:
    """An address with letters beyond ASCII has failed where the server cannot take it (RFC 6531), or the library."""
    letter = msgspec.structs.replace(LETTER, to=to)
    for able in (True, False):
        port = await servers.start(enable_SMTPUTF8=able)
        messenger = SmtpMessenger(f"smtp://localhost:{port}", "citas@coravet.test", SystemClock())
        if able and takes:
            assert await messenger.deliver(letter) == "sent"
            continue
        with pytest.raises(NotDelivered) as caught:
            await messenger.deliver(letter)
        assert (caught.value.why, caught.value.again) == ("bad_address", False)
