"""What a route needs to call its use case."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Any, Protocol, TypeVar

from coravet.core.exchange.ports import Archiver, DumpWork, ExchangeWork
from coravet.core.kernel.actor import Actor, UserId
from coravet.core.kernel.apart import KeptApart
from coravet.core.kernel.calendar import CalendarWriter
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, NotFound
from coravet.core.kernel.holidays import HolidayCalendar
from coravet.core.kernel.limits import Limits
from coravet.core.kernel.work import Once
from coravet.core.legal.gate import Gate
from coravet.core.media.media_ports import MediaWork
from coravet.core.media.studio import Studio
from coravet.core.messaging.ports import ByHand, Writer
from coravet.core.patients.numbers import Numbers
from coravet.core.privacy.erasure_ports import ErasureWork
from coravet.core.privacy.ports import HoldingsWork, RequestsWork
from coravet.core.records.documents import Seal
from coravet.core.records.sheets import SheetWriter
from coravet.core.records.treatment_ports import TreatmentsWork
from coravet.core.tenancy.identity import Identity
from coravet.core.tenancy.ports import Directory, TenancyWork
from coravet.entrypoints.http.access import Granted, Guards
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.language import Language, language_of, warnings_told

T = TypeVar("T")

_KEY = re.compile(r"[\x21-\x7e]{1,128}")


class AnyWork(
    TenancyWork, TreatmentsWork, MediaWork, RequestsWork, ErasureWork, HoldingsWork, ExchangeWork, DumpWork, Protocol
):
    """A unit of work with every noun's ports.

    Attributes:
        tell: puts what the work answers into the reader's language, before it is kept with its effect.
    """

    tell: Callable[[Any], Any]


class OnceBegin(Protocol):
    """Opens a work in the actor's clinic, once under a key where one is given."""

    def __call__(self, actor: Actor, once: Once | None = None) -> AbstractAsyncContextManager[AnyWork]: ...


class OnceSystemBegin(Protocol):
    """Opens a work across clinics, once under a key where one is given."""

    def __call__(
        self, reason: str, user_id: UserId | None = None, once: Once | None = None
    ) -> AbstractAsyncContextManager[AnyWork]: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the HTTP edge calls, wired by the composition root.

    Attributes:
        ready: raises `Unavailable` where a part that requests need does not answer.
        public_url: where people and programs reach the service, without a slash at its end.
        cookie: the session cookie's name; `cookie_secure` is whether browsers come over TLS.
    """

    begin: OnceBegin
    system_begin: OnceSystemBegin
    identity: Identity
    directory: Directory
    gate: Gate
    numbers: Numbers
    limits: Limits
    calendars: CalendarWriter
    writer: Writer
    by_hand: ByHand
    sheets: SheetWriter
    seal: Seal
    holidays: HolidayCalendar
    archiver: Archiver
    studio: Studio
    apart: KeptApart
    clock: Clock
    ready: Callable[[], Awaitable[None]]
    public_url: str
    cookie: str
    cookie_secure: bool
    session_life: timedelta
    origins: frozenset[str]
    max_body_bytes: int

    def guards(self) -> Guards:
        """The guards on these ports."""
        scheme = "https" if self.cookie_secure else "http"
        return Guards(self.identity, self.directory, self.gate, self.cookie, scheme, self.origins)


class _Anew(Exception):
    """Nothing was answered under the key; what was begun to find that out is rolled back."""


class Call:
    """One request on its way to a use case: who acts, and how work is opened for it."""

    __slots__ = ("_granted", "address", "language", "once", "ports", "unread")

    def __init__(
        self,
        ports: Ports,
        granted: Granted | None,
        once: Once | None,
        address: str,
        language: Language = "es",
        unread: Once | None = None,
    ) -> None:
        self.ports = ports
        self.address = address
        self._granted = granted
        self.once = once
        self.language = language
        self.unread = unread

    @property
    def granted(self) -> Granted:
        """Who is signed in; only routes that are not public have somebody."""
        if self._granted is None:
            raise NotFound
        return self._granted

    @property
    def actor(self) -> Actor:
        """The member at work; only routes under a clinic have one."""
        if self.granted.actor is None:
            raise NotFound
        return self.granted.actor

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[AnyWork]:
        """Open a work, under the request's Idempotency-Key where it brings one; it answers in the reader's language."""
        async with self.ports.begin(actor, self.once) as work:
            work.tell = lambda view: warnings_told(view, self.language)
            yield work

    async def answered_once(self, content: str, do: Callable[[], Awaitable[T]]) -> T:
        """What `do` answers, or did before under the same Idempotency-Key; for requests whose body is a file.

        `do` may take many works, and is repeated where the service dies before its answer is kept.

        Args:
            content: what the file is known by, such as its hash.

        Raises:
            Replayed: the same request was answered before.
            IdempotencyMismatch: the key was used for another one.
        """
        if self.unread is None:
            return await do()
        once = Once(self.unread.key, sha256(self.unread.fingerprint + content.encode()).digest())
        with suppress(_Anew):
            async with self.ports.begin(self.actor, once):
                raise _Anew
        view = await do()
        async with self.ports.begin(self.actor, once) as work:
            return work.answer(view)

    def system_begin(self, reason: str, user_id: UserId | None = None) -> AbstractAsyncContextManager[AnyWork]:
        """Open a work across clinics, under the request's Idempotency-Key where it brings one."""
        return self.ports.system_begin(reason, user_id, self.once)


async def provide_call(request: JsonRequest) -> Call:
    """The request as a call.

    Raises:
        Invalid: the Idempotency-Key is not 1 to 128 visible ASCII characters.
    """
    once, unread = None, None
    key = request.headers.get("idempotency-key")
    if key is not None and request.method == "POST":
        if not _KEY.fullmatch(key):
            sentence = "An Idempotency-Key is 1 to 128 visible ASCII characters, such as a UUID."
            raise Invalid(errors=[FieldError("/Idempotency-Key", "malformed", sentence)])
        asked = sha256(f"{request.method} {request.url.path}\n".encode())
        if "by_content" in request.route_handler.opt:  # nobody wants a file whole in memory
            unread = Once(key, asked.digest())
        else:
            asked.update(await request.body())
            once = Once(key, asked.digest())
    granted: Granted | None = request.scope.get("granted")  # type: ignore[assignment]  # the guards' own
    address = network_of(request.client.host if request.client else "")
    return Call(request.app.state.ports, granted, once, address, language_of(request.headers), unread)


def network_of(address: str) -> str:
    """Whose address it is: of IPv6 the 64 bits that a line is given, for it has all addresses below."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ip_network((found, 64), strict=False))
