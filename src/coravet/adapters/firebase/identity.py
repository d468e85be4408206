"""Firebase Authentication as the identity provider."""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from json import JSONDecodeError
from math import ceil
from pathlib import Path
from threading import Thread
from typing import Annotated, Any, TypeVar
from uuid import uuid4

import firebase_admin
import msgspec
from firebase_admin import auth
from firebase_admin.exceptions import FirebaseError, InvalidArgumentError
from requests.adapters import HTTPAdapter

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Unavailable
from coravet.core.tenancy.identity import Claims, Standing, TokenRejected, TokenRevoked

T = TypeVar("T")

EMULATOR_VARIABLE = "FIREBASE_AUTH_EMULATOR_HOST"
SHORTEST_SESSION = timedelta(minutes=5)
LONGEST_SESSION = timedelta(days=14)

_THREADS = 10
_SWEEPS = 5
_BATCH = 100
_CONNECTING, _READING = 0.3, 0.6
"""Shares of the caller's patience: the thread that asks is done before nobody waits for it any more."""
_SKEW_SECONDS = 10
_ID_TOKEN: Callable[..., dict[str, Any]] = auth.verify_id_token
_SESSION_COOKIE: Callable[..., dict[str, Any]] = auth.verify_session_cookie

_Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]  # up to the year 9999, the last that datetime knows


class _Firebase(msgspec.Struct):
    tenant: str | None = None


class _Payload(msgspec.Struct):
    """The claims of an ID token and of a session cookie: https://firebase.google.com/docs/auth/admin/verify-id-tokens"""

    sub: str
    iat: _Seconds
    exp: _Seconds
    auth_time: _Seconds
    firebase: _Firebase
    email: str | None = None
    email_verified: bool = False
    name: str | None = None


class FirebaseIdentity:
    """The `Identity` port on Firebase Authentication.

    The SDK is synchronous, so it runs on threads of its own: the event loop's default executor stays free, and at most
    10 calls are under way. A caller waits `timeout` seconds at most, its time in the queue included. The threads are
    daemons, which no executor's are: the process ends without them, however long Firebase keeps silent.

    Raises:
        ValueError: the credentials cannot be read, or the process is set to the emulator while this is not.
    """

    def __init__(
        self,
        project_id: str,
        *,
        clock: Clock,
        credentials: Path | None = None,
        emulator_host: str | None = None,
        timeout: float = 5.0,
    ) -> None:
        if emulator_host is not None:
            # The SDK knows its emulator by this variable alone, and reads it again at every verification.
            os.environ[EMULATOR_VARIABLE] = emulator_host
        elif credentials is None:
            raise ValueError("FIREBASE_CREDENTIALS is missing: name the service account's JSON file.")
        self._emulator_host = emulator_host
        self._require_mode()
        self._clock = clock
        self._timeout = timeout
        self._app = firebase_admin.initialize_app(
            None if credentials is None else _certificate(credentials),
            {"projectId": project_id, "httpTimeout": (timeout * _CONNECTING, timeout * _READING)},
            name=f"coravet-{uuid4()}",
        )
        _ask_once(self._app)
        self._threads = asyncio.Semaphore(_THREADS)
        # A sweep over everybody's standing leaves half of the threads to those who are signing in.
        self._sweeps = asyncio.Semaphore(_SWEEPS)

    async def aclose(self) -> None:
        """Let go of the SDK's app; calls still under way end within their timeouts, unheard."""
        firebase_admin.delete_app(self._app)

    async def verify_token(self, id_token: str) -> Claims:
        return await self._run(lambda: self._verified(_ID_TOKEN, id_token))

    async def verify_session(self, cookie: str) -> Claims:
        return await self._run(lambda: self._verified(_SESSION_COOKIE, cookie))

    async def start_session(self, id_token: str, lifetime: timedelta) -> str:
        if not SHORTEST_SESSION <= lifetime <= LONGEST_SESSION:
            raise ValueError(f"A session lasts from 5 minutes to 14 days, not {lifetime}.")
        claims = await self.verify_token(id_token)
        cookie = await self._run(lambda: self._mint(id_token, lifetime))
        # Revoked between the two calls: the cookie would be younger than the revocation and outlive it.
        standing = await self._run(lambda: self._standing([claims.uid]))
        if not standing[claims.uid].accepts(claims.issued_at):
            raise TokenRevoked("The person was disabled, deleted or signed out.")
        return cookie

    async def delete_account(self, uid: str) -> None:
        await self._run(lambda: self._delete(uid))

    async def standing(self, uids: list[str]) -> dict[str, Standing]:
        batches = [uids[start : start + _BATCH] for start in range(0, len(uids), _BATCH)]
        patience = self._timeout * ceil(len(batches) / _SWEEPS)
        sweeps = [asyncio.create_task(self._sweep(batch, patience)) for batch in batches]
        try:
            answers = await asyncio.gather(*sweeps)
        finally:
            # Where one batch found nobody answering, the others need not ask.
            for sweep in sweeps:
                sweep.cancel()
        return {uid: standing for answer in answers for uid, standing in answer.items()}

    async def _sweep(self, batch: list[str], patience: float) -> dict[str, Standing]:
        with _in_time():
            async with asyncio.timeout(patience):
                await self._sweeps.acquire()
        return await self._run(lambda: self._standing(batch), self._sweeps)

    async def _run(self, call: Callable[[], T], *held: asyncio.Semaphore) -> T:
        """Call on a thread; what is held until then is released when the thread ends, which may be after its caller."""
        try:
            with _in_time():
                async with asyncio.timeout(self._timeout):
                    await self._threads.acquire()
                    held = (*held, self._threads)
                    answer = _on_thread(call)
                    release, held = partial(_release, held, asyncio.get_running_loop()), ()
                    answer.add_done_callback(release)
                    return await asyncio.wrap_future(answer)
        finally:
            for each in held:
                each.release()

    def _require_mode(self) -> None:
        if os.environ.get(EMULATOR_VARIABLE, "") != (self._emulator_host or ""):
            raise ValueError(
                f"{EMULATOR_VARIABLE} is not what this service was started with: no token can be trusted. Restart it."
            )

    def _verified(self, verify: Callable[..., dict[str, Any]], token: str) -> Claims:
        claims = self._decoded(verify, token)
        if not self._standing([claims.uid])[claims.uid].accepts(claims.issued_at):
            raise TokenRevoked("The person was disabled, deleted or signed out.")
        return claims

    def _decoded(self, verify: Callable[..., dict[str, Any]], token: str) -> Claims:
        # Where it is set to an emulator the SDK checks no signature, so this must hold at every single call.
        self._require_mode()
        try:
            payload = msgspec.convert(verify(token, app=self._app, clock_skew_seconds=_SKEW_SECONDS), _Payload)
        except auth.CertificateFetchError as error:
            raise Unavailable("The identity provider's certificates cannot be fetched.") from error
        # A hostile token makes the SDK fail with more than its own errors: nesting, say, or an unexpected type.
        except (FirebaseError, ValueError, TypeError, RecursionError) as error:
            if isinstance(getattr(error, "cause", None), JSONDecodeError):
                raise Unavailable("The identity provider's certificates cannot be read.") from error
            raise TokenRejected("The token is not valid for this service.") from None  # the cause quotes the token
        now = self._clock.now()
        claims = _claims(payload, now)
        if payload.firebase.tenant is not None:
            raise TokenRejected("The token belongs to a tenant of the project, which this service does not use.")
        if claims.expires_at <= now or claims.issued_at > now + timedelta(seconds=_SKEW_SECONDS):
            raise TokenRejected("The token has expired, or is not valid yet.")
        return claims

    def _mint(self, id_token: str, lifetime: timedelta) -> str:
        with _provider():
            try:
                cookie: str = auth.create_session_cookie(id_token, lifetime, app=self._app)
            except (InvalidArgumentError, auth.UserNotFoundError):
                raise TokenRejected("The identity provider makes no session from this token.") from None
        return cookie

    def _delete(self, uid: str) -> None:
        with _provider(), suppress(auth.UserNotFoundError):
            auth.delete_user(uid, app=self._app)

    def _standing(self, uids: list[str]) -> dict[str, Standing]:
        found = {uid: Standing(exists=False) for uid in uids}
        with _provider():
            answer = auth.get_users([auth.UidIdentifier(uid) for uid in uids if 0 < len(uid) <= 128], app=self._app)
        for user in answer.users:
            since = user.tokens_valid_after_timestamp
            found[user.uid] = Standing(
                exists=True, disabled=user.disabled, valid_since=_instant(since / 1000) if since else None
            )
        return found


def _ask_once(app: firebase_admin.App) -> None:
    """Retries are left to whoever asked: the SDK's own go on after its caller has gone, and nothing sets them."""
    session = auth._get_client(app)._user_manager.http_client.session  # noqa: SLF001 -- handed out nowhere else
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter())


def _on_thread(call: Callable[[], T]) -> Future[T]:
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 -- raised where it is waited for
            answer.set_exception(error)

    Thread(target=run, name="firebase", daemon=True).start()
    return answer


def _release(held: tuple[asyncio.Semaphore, ...], loop: asyncio.AbstractEventLoop, _: Future[Any]) -> None:
    with suppress(RuntimeError):  # the loop is closed, and nobody waits
        for each in held:
            loop.call_soon_threadsafe(each.release)


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("The identity provider does not answer in time.") from error


@contextmanager
def _provider() -> Iterator[None]:
    """Every way in which the provider fails to answer, as one."""
    try:
        yield
    except TokenRejected:
        raise
    except Exception as error:  # an answer that the SDK cannot read breaks it in more ways than it names
        raise Unavailable("The identity provider does not answer.") from error


def _certificate(path: Path) -> firebase_admin.credentials.Certificate:
    try:
        return firebase_admin.credentials.Certificate(str(path))
    except (OSError, ValueError):
        # Without its cause, which may quote the key.
        raise ValueError(f"FIREBASE_CREDENTIALS: {path} is not a service account's JSON file.") from None


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _claims(payload: _Payload, verified_at: datetime) -> Claims:
    return Claims(
        uid=payload.sub,
        email=payload.email,
        email_verified=payload.email_verified,
        display_name=payload.name,
        signed_in_at=_instant(payload.auth_time),
        issued_at=_instant(payload.iat),
        expires_at=_instant(payload.exp),
        verified_at=verified_at,
    )
