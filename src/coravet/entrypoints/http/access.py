"""The four guards, in order: authenticated, member, permitted, legal gate.

Every route states who may use it; a route that does not is refused when the application is built.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

import msgspec
from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute
from structlog.contextvars import bind_contextvars

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import DomainError, Forbidden, NotFound
from coravet.core.kernel.sentences import Sentence
from coravet.core.legal.gate import AcceptanceRequired, Gate
from coravet.core.tenancy.errors import NotPermitted
from coravet.core.tenancy.identity import Claims, Identity, TokenRejected, TokenRevoked
from coravet.core.tenancy.permissions import Permission, permissions_of
from coravet.core.tenancy.ports import Directory, Person

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use a route.

    Attributes:
        permission: a member of the clinic in the path needs it.
        operator: only operators may.
        reason: why no permission is asked for; every public or merely signed-in route states one.
        legal_exempt: works while legal texts wait for a decision.
    """

    kind: ClassVar[str] = "access"

    permission: Permission | None = None
    public: bool = False
    operator: bool = False
    reason: str | None = None
    legal_exempt: bool = False


def permitted(permission: Permission, *, legal_exempt: bool = False) -> dict[str, object]:
    """A route for members who hold the permission."""
    return {"access": Access(permission=permission, legal_exempt=legal_exempt)}


def signed_in(reason: str, *, legal_exempt: bool = False) -> dict[str, object]:
    """A route for whoever is signed in, and why."""
    return {"access": Access(reason=reason, legal_exempt=legal_exempt)}


def operators() -> dict[str, object]:
    """A route for operators."""
    return {"access": Access(operator=True)}


def public(reason: str) -> dict[str, object]:
    """A route for everybody, and why."""
    return {"access": Access(public=True, reason=reason)}


class Unauthenticated(DomainError):
    """Nobody is signed in, or what was sent proves nothing."""

    code = "unauthenticated"
    title = "Not signed in"


class SessionRevoked(DomainError):
    """The session was good and was ended."""

    code = "session_revoked"
    title = "The session has ended"


class BadOrigin(Forbidden):
    """A browser was sent here by a page that is not ours."""

    code = "bad_origin"
    title = "Request from another site"


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What the guards found.

    Attributes:
        token_hash: SHA-256 of the cookie or token; names the session, and is all of it that is kept.
        actor: None on routes without a clinic.
    """

    claims: Claims
    person: Person
    token_hash: bytes
    by_cookie: bool
    actor: Actor | None = None

    @property
    def expires_at(self) -> datetime:
        return self.claims.expires_at


class Guards:
    """The four steps on one application.

    Args:
        cookie: the session cookie's name.
        scheme: that of the pages' addresses, `http` or `https`; with the Host header it makes the service's own origin.
        origins: origins beside its own from which a browser may change things.
    """

    def __init__(
        self, identity: Identity, directory: Directory, gate: Gate, cookie: str, scheme: str, origins: frozenset[str]
    ) -> None:
        self._identity = identity
        self._directory = directory
        self._gate = gate
        self._cookie = cookie
        self._scheme = scheme
        self._origins = origins

    async def __call__(self, connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
        access: Access | None = handler.opt.get("access")
        if access is None:  # Litestar's own answer to OPTIONS; what we serve was seen to declare it
            here = connection.scope["path_template"]
            methods = {
                method
                for route in connection.app.routes
                if isinstance(route, HTTPRoute) and route.path_format == here
                for method in route.methods
            }
            raise MethodNotAllowedException(headers={"allow": ", ".join(methods)})
        if access.public:
            return
        clinic: str | None = connection.path_params.get("clinic")
        granted = await self.authenticated(connection, clinic)
        if clinic is not None:
            granted = self.member(granted)
        connection.scope["granted"] = granted  # type: ignore[typeddict-unknown-key]
        bind_contextvars(user_id=str(granted.person.user.id))
        if granted.actor is not None:
            bind_contextvars(clinic_id=str(granted.actor.clinic_id))
        self.permitted(access, granted)
        if not access.legal_exempt:
            await self.legal(granted)

    async def authenticated(self, connection: ASGIConnection, clinic: str | None) -> Granted:  # type: ignore[type-arg]
        """Who sends the request.

        Raises:
            Unauthenticated: nobody whom Firebase vouches for.
            SessionRevoked: the session was ended.
            BadOrigin: a cookie came along with a change from another site.
        """
        by_cookie = False
        verify: Callable[[str], Awaitable[Claims]] = self._identity.verify_token
        scheme, _, credential = connection.headers.get("authorization", "").partition(" ")
        if scheme and scheme.lower() != "bearer":
            raise Unauthenticated("Send Authorization: Bearer followed by a Firebase ID token.")
        if not scheme:
            credential = connection.cookies.get(self._cookie, "")
            by_cookie = True
            verify = self._identity.verify_session
        credential = credential.strip()
        if not credential:
            raise Unauthenticated("Sign in first: POST /api/v1/session, or send a bearer token.")
        if by_cookie and connection.scope.get("method") in UNSAFE:
            self.same_origin(connection, required=True)
        token_hash = sha256(credential.encode()).digest()
        try:
            claims = await verify(credential)
            person = await self._directory.find(claims.uid, token_hash, clinic)
            if person is None:
                await self._directory.sign_in(claims)
                person = await self._directory.find(claims.uid, token_hash, clinic)
        except TokenRevoked as error:
            raise SessionRevoked("This session has ended. Sign in again.") from error
        except TokenRejected as error:
            raise Unauthenticated("The session or token is not valid, or has expired. Sign in again.") from error
        if person is None:
            raise Unauthenticated("The session or token is not valid, or has expired. Sign in again.")
        return Granted(claims=claims, person=person, token_hash=token_hash, by_cookie=by_cookie)

    def same_origin(self, connection: ASGIConnection, *, required: bool) -> None:  # type: ignore[type-arg]
        """Refuse what another site's page sent.

        Args:
            required: whether a request that names no origin is refused, too.
        """
        origin = connection.headers.get("origin")
        if origin is None and not required:
            return
        # Compared, never parsed: a browser writes an origin in one way only.
        host = connection.headers.get("host")
        if origin in self._origins or (host and origin == f"{self._scheme}://{host}"):
            return
        raise BadOrigin("Send this from the clinic's own pages; the Origin header names another site or none.")

    @staticmethod
    def member(granted: Granted) -> Granted:
        """The person as an actor in the clinic of the path.

        Raises:
            NotFound: no such clinic, or not theirs: nobody can tell which.
        """
        place = granted.person.place
        if place is None:
            raise NotFound
        actor = Actor(
            clinic_id=place.clinic_id,
            time_zone=place.time_zone,
            user_id=granted.person.user.id,
            member_id=place.member_id,
            roles=frozenset(place.roles),
            permissions=permissions_of(place.roles),
        )
        return msgspec.structs.replace(granted, actor=actor)

    @staticmethod
    def permitted(access: Access, granted: Granted) -> None:
        """Refuse whose roles do not allow the route.

        Raises:
            NotPermitted: they do not.
        """
        if access.operator and not granted.person.operator:
            raise NotPermitted("Only operators of the service may do this.")
        if access.permission is not None and (
            granted.actor is None or access.permission not in granted.actor.permissions
        ):
            raise NotPermitted(
                Sentence("Your roles in this clinic do not include {permission}.", permission=access.permission)
            )

    async def legal(self, granted: Granted) -> None:
        """Refuse who has blocking legal texts open.

        Raises:
            AcceptanceRequired: they are listed in it.
        """
        clinic_id = granted.actor.clinic_id if granted.actor else None
        pending = await self._gate.pending(granted.person.user.id, clinic_id)
        if pending:
            raise AcceptanceRequired(pending)
