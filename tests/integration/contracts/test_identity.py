"""One contract for the identity provider, held by Firebase's emulator and by the fake; then Firebase's signatures.

The emulator signs nothing, so what keeps forgers out is shown against certificates of our own making.
"""

import asyncio
import base64
import hmac
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from coravet.adapters.firebase.identity import EMULATOR_VARIABLE, FirebaseIdentity
from coravet.adapters.memory.identity import MemoryIdentity
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import Unavailable
from coravet.core.tenancy.identity import Identity, Standing, TokenRejected, TokenRevoked

PROJECT = "demo-coravet"
DAY = timedelta(days=1)


def _segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _payload(uid: str, *, project: str = PROJECT, session: bool = False, **changes: Any) -> dict[str, Any]:
    """The claims that Firebase puts into a token, now and for an hour."""
    now = int(time.time())
    issuer = "session.firebase.google.com" if session else "securetoken.google.com"
    return {
        "iss": f"https://{issuer}/{project}",
        "aud": project,
        "sub": uid,
        "user_id": uid,
        "auth_time": now,
        "iat": now,
        "exp": now + 3600,
        "email": "vet@example.test",
        "email_verified": True,
        "name": "Vera Veterinaria",
        "firebase": {"identities": {}, "sign_in_provider": "password"},
        **changes,
    }


def _unsigned(payload: Any, **header: Any) -> str:
    """A token as the emulator makes them."""
    return f"{_segment({'alg': 'none', 'typ': 'JWT', **header})}.{_segment(payload)}."


class Provider(Protocol):
    """What the contract needs besides the port: people, their tokens, and what befalls them."""

    identity: Identity

    async def enroll(self) -> str: ...
    async def sign_in(self, uid: str) -> str: ...
    async def expired(self, uid: str) -> str: ...
    async def foreign(self, uid: str) -> str: ...
    async def disable(self, uid: str) -> None: ...
    async def delete(self, uid: str) -> None: ...
    async def revoke(self, uid: str) -> None: ...
    async def next_second(self) -> None: ...
    def lose(self) -> Identity: ...


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.instant = datetime.now(UTC)
        self.identity = MemoryIdentity(clock=self)

    def now(self) -> datetime:
        return self.instant

    async def enroll(self) -> str:
        return self.identity.enroll("vet@example.test", display_name="Vera Veterinaria")

    async def sign_in(self, uid: str) -> str:
        return self.identity.sign_in(uid)

    async def expired(self, uid: str) -> str:
        return self.identity.sign_in(uid, -timedelta(seconds=1))

    async def foreign(self, uid: str) -> str:
        other = MemoryIdentity(clock=self)
        return other.sign_in(other.enroll(None, uid=uid))

    async def disable(self, uid: str) -> None:
        self.identity.disable(uid)

    async def delete(self, uid: str) -> None:
        self.identity.delete(uid)

    async def revoke(self, uid: str) -> None:
        self.identity.revoke(uid)

    async def next_second(self) -> None:
        self.instant += timedelta(seconds=1)

    def lose(self) -> Identity:
        self.identity.reachable = False
        return self.identity

    async def aclose(self) -> None:
        pass


class Emulated:
    """Firebase's adapter on the Auth emulator."""

    def __init__(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(EMULATOR_VARIABLE, "")  # the adapter sets it, and this takes it back
        self.identity = FirebaseIdentity(PROJECT, clock=SystemClock(), emulator_host=host)
        self.opened = [self.identity]
        self.client = httpx.AsyncClient(
            base_url=f"http://{host}/identitytoolkit.googleapis.com/v1", headers={"Authorization": "Bearer owner"}
        )

    async def _post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(path, json=body)
        answer.raise_for_status()
        return dict(answer.json())

    async def enroll(self) -> str:
        account = await self._post(
            f"/projects/{PROJECT}/accounts",
            email=f"{time.time_ns()}@example.test",
            password="coravet-demo",
            displayName="Vera Veterinaria",
            emailVerified=True,
        )
        return str(account["localId"])

    async def sign_in(self, uid: str) -> str:
        user = (await self._post(f"/projects/{PROJECT}/accounts:lookup", localId=[uid]))["users"][0]
        answer = await self._post(
            "/accounts:signInWithPassword?key=x", email=user["email"], password="coravet-demo", returnSecureToken=True
        )
        return str(answer["idToken"])

    async def expired(self, uid: str) -> str:
        return _unsigned(_payload(uid, exp=int(time.time()) - 1))

    async def foreign(self, uid: str) -> str:
        return _unsigned(_payload(uid, project="another-project"))

    async def disable(self, uid: str) -> None:
        await self._post(f"/projects/{PROJECT}/accounts:update", localId=uid, disableUser=True)

    async def delete(self, uid: str) -> None:
        await self._post(f"/projects/{PROJECT}/accounts:delete", localId=uid)

    async def revoke(self, uid: str) -> None:
        await self._post(f"/projects/{PROJECT}/accounts:update", localId=uid, validSince=str(int(time.time())))

    async def next_second(self) -> None:
        await asyncio.sleep(1.1)

    def lose(self) -> Identity:
        nowhere = "127.0.0.1:9"  # discard: nobody listens
        self.opened.append(FirebaseIdentity(PROJECT, clock=SystemClock(), emulator_host=nowhere, timeout=2))
        return self.opened[-1]

    async def aclose(self) -> None:
        await self.client.aclose()
        for identity in self.opened:
            await identity.aclose()


@pytest.fixture(params=["memory", "firebase"])
async def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    part = InMemory() if request.param == "memory" else Emulated(request.getfixturevalue("auth_emulator"), monkeypatch)
    yield part
    await part.aclose()


async def test_a_token_says_who(provider: Provider) -> None:
    """An ID token is verified into the claims of its person."""
    uid = await provider.enroll()
    claims = await provider.identity.verify_token(await provider.sign_in(uid))
    assert (claims.uid, claims.display_name, claims.email_verified) == (uid, "Vera Veterinaria", True)
    assert claims.email is not None
    assert claims.email.endswith("@example.test")
    assert claims.signed_in_at <= claims.issued_at < claims.expires_at
    assert claims.expires_at.tzinfo is UTC


async def test_a_session_says_who(provider: Provider) -> None:
    """A session cookie is minted from an ID token and lives as long as it was asked to."""
    uid = await provider.enroll()
    cookie = await provider.identity.start_session(await provider.sign_in(uid), 5 * DAY)
    claims = await provider.identity.verify_session(cookie)
    assert claims.uid == uid
    assert claims.expires_at - claims.issued_at == 5 * DAY


async def test_an_account_is_deleted(provider: Provider) -> None:
    """A deleted account is gone with its tokens; deleting it again changes nothing, and others stay."""
    uid, other = await provider.enroll(), await provider.enroll()
    token = await provider.sign_in(uid)
    for _ in range(2):
        await provider.identity.delete_account(uid)
    standing = await provider.identity.standing([uid, other])
    assert (standing[uid].exists, standing[other].exists) == (False, True)
    with pytest.raises(TokenRevoked):
        await provider.identity.verify_token(token)
    with pytest.raises(Unavailable):
        await provider.lose().delete_account(other)


@pytest.mark.parametrize("lifetime", [timedelta(minutes=4, seconds=59), 14 * DAY + timedelta(seconds=1)])
async def test_a_session_has_bounds(provider: Provider, lifetime: timedelta) -> None:
    """A session shorter than 5 minutes or longer than 14 days is a mistake in the settings, not of the person."""
    token = await provider.sign_in(await provider.enroll())
    with pytest.raises(ValueError, match="5 minutes to 14 days"):
        await provider.identity.start_session(token, lifetime)


async def test_expired(provider: Provider) -> None:
    """An expired token is refused, as a bearer's and for a session."""
    token = await provider.expired(await provider.enroll())
    with pytest.raises(TokenRejected):
        await provider.identity.verify_token(token)
    with pytest.raises(TokenRejected):
        await provider.identity.start_session(token, DAY)


async def test_of_another_project(provider: Provider) -> None:
    """A token that another project's people hold is refused."""
    with pytest.raises(TokenRejected):
        await provider.identity.verify_token(await provider.foreign(await provider.enroll()))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.b", "....", "ñandú", "\udcff", "e30.e30.", "x" * 10_000])
async def test_malformed(provider: Provider, token: str) -> None:
    """Anything that is no token is refused in the same way."""
    for refused in (provider.identity.verify_token, provider.identity.verify_session):
        with pytest.raises(TokenRejected):
            await refused(token)
    with pytest.raises(TokenRejected):
        await provider.identity.start_session(token, DAY)


async def test_kinds_do_not_stand_in_for_each_other(provider: Provider) -> None:
    """A session cookie is no bearer token, and the other way round; neither starts a session in the other's place."""
    token = await provider.sign_in(await provider.enroll())
    cookie = await provider.identity.start_session(token, DAY)
    with pytest.raises(TokenRejected):
        await provider.identity.verify_token(cookie)
    with pytest.raises(TokenRejected):
        await provider.identity.verify_session(token)
    with pytest.raises(TokenRejected):
        await provider.identity.start_session(cookie, DAY)


@pytest.mark.parametrize("fate", ["disable", "delete", "revoke"])
async def test_access_that_ended(provider: Provider, fate: str) -> None:
    """Whoever was disabled, deleted or signed out everywhere is told apart from a stranger: the token was good once."""
    uid = await provider.enroll()
    token = await provider.sign_in(uid)
    cookie = await provider.identity.start_session(token, DAY)
    await provider.next_second()  # what was issued in the second of a revocation stays valid
    await getattr(provider, fate)(uid)
    for outcome in await asyncio.gather(
        provider.identity.verify_token(token),
        provider.identity.verify_session(cookie),
        provider.identity.start_session(token, DAY),
        return_exceptions=True,
    ):
        assert isinstance(outcome, TokenRevoked)


async def test_signing_in_again_after_a_revocation(provider: Provider) -> None:
    """Signing out everywhere does not lock anybody out."""
    uid = await provider.enroll()
    await provider.revoke(uid)
    await provider.next_second()
    assert (await provider.identity.verify_token(await provider.sign_in(uid))).uid == uid


async def test_standing(provider: Provider) -> None:
    """Everybody asked about is answered for, more than the provider takes at once, and who was never there, too."""
    good, disabled, deleted, revoked = [await provider.enroll() for _ in range(4)]
    before = datetime.now(UTC) - timedelta(hours=1)
    await provider.disable(disabled)
    await provider.delete(deleted)
    await provider.revoke(revoked)
    strangers = [f"stranger-{number}" for number in range(246)]
    standing = await provider.identity.standing([good, disabled, *strangers, "", "x" * 129, deleted, revoked, good])
    assert len(standing) == 252
    assert (standing[good].exists, standing[good].disabled) == (True, False)
    assert (standing[disabled].exists, standing[disabled].disabled) == (True, True)
    assert standing[revoked].exists
    assert not standing[revoked].accepts(before)
    assert all(standing[uid] == Standing(exists=False) for uid in (deleted, "", "x" * 129, *strangers))


async def test_standing_of_nobody(provider: Provider) -> None:
    """Asking about nobody is no mistake."""
    assert await provider.identity.standing([]) == {}


@pytest.mark.alone
async def test_unreachable(provider: Provider) -> None:
    """Where the provider cannot be reached a good token is neither taken nor refused, and the answer comes soon."""
    token = await provider.sign_in(await provider.enroll())
    identity = provider.lose()
    began = time.monotonic()
    for outcome in await asyncio.gather(
        identity.verify_token(token),
        identity.start_session(token, DAY),
        identity.standing(["anybody"] * 300),
        return_exceptions=True,
    ):
        assert isinstance(outcome, Unavailable)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "token",
    [
        _unsigned("a string"),
        _unsigned(["a", "list"]),
        _unsigned({"aud": PROJECT}),
        _unsigned({"d": 5, "v": 0}, alg="HS256"),
        _unsigned(_payload("x" * 129)),
        _unsigned(_payload("someone", aud=[PROJECT])),
        _unsigned(_payload("someone", iss=None)),
        _unsigned(_payload("someone", exp="tomorrow")),
        _unsigned(_payload("someone", exp=None)),
        _unsigned(_payload("someone", exp=1e400)),
        _unsigned(_payload("someone", exp=10**18)),
        _unsigned(_payload("someone", iat=-1)),
        _unsigned(_payload("someone", iat=int(time.time()) + 86_400)),
        _unsigned(_payload("someone", email=["a", "list"])),
        _unsigned(_payload("someone", firebase=None)),
        _unsigned(_payload("someone", firebase={"tenant": "a-tenant"})),
        f"{_segment({'alg': 'none'})}.{base64.urlsafe_b64encode(b'[' * 6000).decode()}.",
    ],
)
async def test_hostile(auth_emulator: str, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Without a signature to stop them, odd claims are refused like any other bad token, and crash nothing."""
    provider = Emulated(auth_emulator, monkeypatch)
    with pytest.raises(TokenRejected) as caught:
        await provider.identity.verify_token(token)
    assert not isinstance(caught.value, TokenRevoked)
    await provider.aclose()


class Key:
    """A signing key and its certificate."""

    def __init__(self) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "securetoken.system.example.test")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .sign(self.private, hashes.SHA256())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()

    def pem(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def sign(self, payload: dict[str, Any], kid: str | None = "the-key") -> str:
        return jwt.encode(payload, self.private, algorithm="RS256", headers={} if kid is None else {"kid": kid})


class Google:
    """Stands where Google's certificates, token endpoint and accounts are asked for.

    Attributes:
        answers: path → status and body, or what makes them.
        asked: the paths of all requests.
        most: path → how many requests were under way at once, at most.
    """

    def __init__(self, key: Key) -> None:
        self.person: dict[str, Any] = {"localId": "someone", "validSince": "0"}
        certificates = (200, {"the-key": key.certificate})
        self.answers: dict[str, Any] = {
            "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com": certificates,
            "/identitytoolkit/v3/relyingparty/publicKeys": certificates,
            "/token": (200, {"access_token": "opaque", "expires_in": 3600, "token_type": "Bearer"}),
            "/v1/projects/the-project/accounts:lookup": lambda google: (200, {"users": [google.person]}),
            "/v1/projects/the-project:createSessionCookie": (200, {"sessionCookie": "a-cookie"}),
        }
        self.asked: list[str] = []
        self.most: Counter[str] = Counter()
        self.closing = threading.Event()
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()
        google = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, body = google.answer(self.path)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                with suppress(BrokenPipeError):  # who asked has given up
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.send_header("Cache-Control", "public, max-age=3600")
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def answer(self, path: str) -> tuple[int, Any]:
        with self._lock:
            self.asked.append(path)
            self._under_way[path] += 1
            self.most[path] = max(self.most[path], self._under_way[path])
        try:
            answer = self.answers.get(path, (404, {}))
            return answer(self) if callable(answer) else answer
        finally:
            with self._lock:
                self._under_way[path] -= 1

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


HOSTS = {f"{name}.googleapis.com" for name in ("www", "oauth2", "identitytoolkit", "iamcredentials")}
LOOKUP = "/v1/projects/the-project/accounts:lookup"
CERTIFICATES = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"


@pytest.fixture(scope="module")
def key() -> Key:
    return Key()


@pytest.fixture(scope="module")
def stranger() -> Key:
    return Key()


@pytest.fixture
def google(key: Key, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """Whatever the SDK sends to Google's hosts arrives at a server of ours, by its own HTTP client."""
    google = Google(key)

    def connect(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        assert urlsplit(str(request.url)).hostname in HOSTS
        return self.poolmanager.connection_from_host("127.0.0.1", google.server.server_port, "http")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "get_connection_with_tls_context", connect)
    monkeypatch.delenv(EMULATOR_VARIABLE, raising=False)
    yield google
    google.close()


@pytest.fixture
def account(tmp_path: Path, key: Key) -> Path:
    path = tmp_path / "service-account.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "the-project",
                "private_key_id": "1",
                "private_key": key.pem(),
                "client_email": "service@the-project.iam.gserviceaccount.com",
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        )
    )
    return path


@pytest.fixture
async def production(google: Google, account: Path) -> AsyncIterator[FirebaseIdentity]:
    identity = FirebaseIdentity("the-project", clock=SystemClock(), credentials=account, timeout=1)
    yield identity
    await identity.aclose()


def _good(**changes: Any) -> dict[str, Any]:
    return _payload("someone", project="the-project", **changes)


async def test_a_signature_is_accepted(production: FirebaseIdentity, google: Google, key: Key) -> None:
    """What Google signed is accepted, token and session cookie, with one fetch of the certificates for each."""
    for _ in range(3):
        assert (await production.verify_token(key.sign(_good()))).uid == "someone"
        assert (await production.verify_session(key.sign(_good(session=True)))).uid == "someone"
    assert google.asked.count(CERTIFICATES) == 1
    assert google.asked.count(LOOKUP) == 6


def _tampered(key: Key, stranger: Key) -> str:
    head, _, signature = key.sign(_good()).split(".")
    return f"{head}.{_segment(_good(sub='someone-else'))}.{signature}"


def _confused(key: Key, stranger: Key) -> str:
    """The public certificate as an HMAC secret: the classic confusion of algorithms."""
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'the-key'})}.{_segment(_good())}"
    mac = hmac.digest(key.certificate.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda key, stranger: stranger.sign(_good()), id="another key under the same id"),
        pytest.param(lambda key, stranger: key.sign(_good(), kid="another"), id="an unknown key id"),
        pytest.param(lambda key, stranger: key.sign(_good(), kid=None), id="no key id"),
        pytest.param(lambda key, stranger: _unsigned(_good()), id="no signature"),
        pytest.param(lambda key, stranger: _unsigned(_good(), kid="the-key"), id="no signature, with a key id"),
        pytest.param(lambda key, stranger: _unsigned(_good(), alg="RS256", kid="the-key"), id="an empty signature"),
        pytest.param(lambda key, stranger: _unsigned({"d": 5, "v": 0}, alg="HS256"), id="an odd legacy token"),
        pytest.param(lambda key, stranger: _unsigned(_good(), alg="RS256", kid=["a"]), id="a list of key ids"),
        pytest.param(_tampered, id="another payload"),
        pytest.param(_confused, id="the certificate as a secret"),
        pytest.param(lambda key, stranger: key.sign(_good(aud="another-project")), id="another project"),
        pytest.param(lambda key, stranger: key.sign(_good(session=True)), id="a session cookie"),
        pytest.param(lambda key, stranger: key.sign(_good(exp=int(time.time()) - 3)), id="expired a moment ago"),
        pytest.param(lambda key, stranger: key.sign(_good(iat=int(time.time()) + 60)), id="not valid yet"),
        pytest.param(lambda key, stranger: key.sign(_good(firebase={"tenant": "a"})), id="a tenant of the project"),
    ],
)
async def test_a_forgery_is_refused(
    production: FirebaseIdentity, key: Key, stranger: Key, forge: Callable[[Key, Key], str]
) -> None:
    """What Google did not sign for this project, for now, is refused."""
    with pytest.raises(TokenRejected) as caught:
        await production.verify_token(forge(key, stranger))
    assert not isinstance(caught.value, TokenRevoked)


async def test_a_clock_a_little_behind(production: FirebaseIdentity, key: Key) -> None:
    """A token issued a few seconds ahead of our clock is accepted: clocks differ."""
    ahead = int(time.time()) + 5
    assert await production.verify_token(key.sign(_good(iat=ahead, auth_time=ahead)))


def _hang(google: Google) -> tuple[int, Any]:
    google.closing.wait(10)
    return 200, {}


@pytest.mark.parametrize("path", [CERTIFICATES, LOOKUP, "/token"])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((403, {"error": {"message": "PERMISSION_DENIED"}}), id="403"),
        pytest.param((429, {"error": {"message": "QUOTA_EXCEEDED"}}), id="429"),
        pytest.param((503, b""), id="503"),
        pytest.param((200, b"<html>Sign in to the network</html>"), id="HTML"),
        pytest.param(_hang, id="silence"),
    ],
)
@pytest.mark.alone
async def test_a_broken_provider_refuses_nobody(
    production: FirebaseIdentity, google: Google, key: Key, path: str, answer: Any
) -> None:
    """Whatever Google fails with, good tokens end in `Unavailable`, soon: nobody is signed out by an outage."""
    google.answers[path] = answer
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await production.verify_token(key.sign(_good()))
    assert time.monotonic() - began < 5


async def test_a_hanging_provider_takes_nobody_else_along(
    production: FirebaseIdentity, google: Google, key: Key
) -> None:
    """However many calls hang, at most ten are under way, the loop's own threads stay free, and ours come back."""
    await production.verify_token(key.sign(_good()))
    google.answers[LOOKUP] = _hang
    calls = [asyncio.create_task(production.verify_token(key.sign(_good()))) for _ in range(40)]
    async with asyncio.timeout(30):
        while google.most[LOOKUP] < 10:  # noqa: ASYNC110 -- counted on Google's threads
            await asyncio.sleep(0.01)
    assert google.most[LOOKUP] == 10
    assert sum(thread.name == "firebase" for thread in threading.enumerate()) == 10
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 3) == "free"
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    google.answers[LOOKUP] = (200, {"users": [google.person]})
    async with asyncio.timeout(30):
        while True:
            with suppress(Unavailable):
                assert await production.verify_token(key.sign(_good()))
                break


async def test_a_sweep_leaves_room(production: FirebaseIdentity, google: Google, key: Key) -> None:
    """A thousand people cost ten calls, five at once, so that those who sign in meanwhile find a thread."""

    def slow(google: Google) -> tuple[int, Any]:
        time.sleep(0.05)
        return 200, {"users": []}

    google.answers[LOOKUP] = slow
    standing = await production.standing([f"person-{number}" for number in range(1000)])
    assert len(standing) == 1000
    assert google.asked.count(LOOKUP) == 10
    assert 1 < google.most[LOOKUP] <= 5


async def test_given_up_sweeps_leave_room(production: FirebaseIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that nobody waits for any more still has its thread, and counts: sweeps never have more than five."""
    asked, over = 0, threading.Event()

    def wait(self: FirebaseIdentity, uids: list[str]) -> dict[str, Standing]:
        nonlocal asked
        asked += 1
        over.wait(20)
        return {uid: Standing(exists=True) for uid in uids}

    monkeypatch.setattr(FirebaseIdentity, "_standing", wait)
    for _ in range(3):
        calls = [production.standing([f"person-{number}"]) for number in range(5)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
        assert asked == 5
    over.set()
    assert await production.standing(["person-1"])
    assert asked == 6


EXIT = """
import asyncio, sys, time
from coravet.adapters.firebase.identity import FirebaseIdentity
from coravet.core.kernel.clock import SystemClock

async def main():
    identity = FirebaseIdentity("demo", clock=SystemClock(), emulator_host=sys.argv[1], timeout=60)
    asked = asyncio.create_task(identity.standing(["a"]))
    await asyncio.to_thread(sys.stdin.readline)
    asked.cancel()
    await asyncio.wait([asked])
    await identity.aclose()

asyncio.run(main())
print(time.monotonic(), flush=True)
"""


def test_silence_does_not_hold_the_exit() -> None:
    """While Firebase keeps silent on a call, the process ends without waiting for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(  # noqa: S603 -- a program of our own
            [sys.executable, "-c", EXIT, host], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            asked, _ = silent.accept()
            with asked:
                asked.settimeout(30)
                assert asked.recv(65536)
                said, _ = process.communicate("\n", timeout=60)
                assert time.monotonic() - float(said) < 5
    assert process.returncode == 0


async def test_nothing_is_asked_twice(production: FirebaseIdentity, google: Google) -> None:
    """A call that failed is not repeated behind its caller's back."""
    google.answers[LOOKUP] = (503, b"")
    with pytest.raises(Unavailable):
        await production.standing(["someone"])
    await asyncio.sleep(0.8)
    assert google.asked.count(LOOKUP) == 1


async def test_a_sweep_gives_up(production: FirebaseIdentity, google: Google) -> None:
    """Where the provider refuses one batch the others are not asked, also not after the answer was given."""
    google.answers[LOOKUP] = (403, {"error": {"message": "PERMISSION_DENIED"}})
    with pytest.raises(Unavailable):
        await production.standing([f"person-{number}" for number in range(2000)])
    await asyncio.sleep(0.2)
    assert google.asked.count(LOOKUP) <= 10


async def test_a_revocation_while_the_session_is_minted(production: FirebaseIdentity, google: Google, key: Key) -> None:
    """A cookie minted after the person was signed out everywhere would outlive that: it is not handed out."""

    def revoke_and_mint(google: Google) -> tuple[int, Any]:
        google.person["validSince"] = str(int(time.time()) + 1)
        return 200, {"sessionCookie": "a-cookie"}

    assert await production.start_session(key.sign(_good()), DAY) == "a-cookie"
    google.answers["/v1/projects/the-project:createSessionCookie"] = revoke_and_mint
    with pytest.raises(TokenRevoked):
        await production.start_session(key.sign(_good()), DAY)


async def test_a_session_that_google_refuses(production: FirebaseIdentity, google: Google, key: Key) -> None:
    """Where Google itself refuses the token at the last moment, so do we."""
    google.answers["/v1/projects/the-project:createSessionCookie"] = (400, {"error": {"message": "TOKEN_EXPIRED"}})
    with pytest.raises(TokenRejected):
        await production.start_session(key.sign(_good()), DAY)


async def test_no_emulator_by_the_back_door(
    production: FirebaseIdentity, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable that turns the SDK's signature check off stops everything, instead, when it turns up later."""
    monkeypatch.setenv(EMULATOR_VARIABLE, "127.0.0.1:9")
    with pytest.raises(ValueError, match=EMULATOR_VARIABLE):
        await production.verify_token(_unsigned(_good()))
    with pytest.raises(ValueError, match=EMULATOR_VARIABLE):
        await production.verify_session(_unsigned(_good(session=True)))


def test_no_emulator_at_the_start(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is set to real Firebase does not start where the process is set to the emulator."""
    monkeypatch.setenv(EMULATOR_VARIABLE, "127.0.0.1:9")
    with pytest.raises(ValueError, match=EMULATOR_VARIABLE):
        FirebaseIdentity("the-project", clock=SystemClock(), credentials=account)


def test_credentials_are_needed(tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing or unusable credentials are named at the start, and nothing of them is quoted."""
    monkeypatch.delenv(EMULATOR_VARIABLE, raising=False)
    with pytest.raises(ValueError, match="FIREBASE_CREDENTIALS is missing"):
        FirebaseIdentity("the-project", clock=SystemClock())
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"type": "service_account", "private_key": key.pem()[:200]}))
    for path in (broken, tmp_path / "absent.json"):
        with pytest.raises(ValueError, match=path.name) as caught:
            FirebaseIdentity("the-project", clock=SystemClock(), credentials=path)
        assert "BEGIN" not in str(caught.value)
