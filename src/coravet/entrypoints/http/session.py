"""Signing in, asking who one is, and logging out."""

import msgspec
from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.legal.gate import OpenDocument
from coravet.core.tenancy.identity import TokenRejected, TokenRevoked
from coravet.core.tenancy.sessions import end_session
from coravet.core.tenancy.views import MembershipView, UserView
from coravet.entrypoints.http.access import SessionRevoked, Unauthenticated, public, signed_in
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.call import Call, Ports


class NewSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Firebase ID token to exchange for a session cookie."""

    id_token: str


class LegalState(msgspec.Struct, frozen=True):
    """Legal texts that wait for the person's decision.

    Attributes:
        pending: nothing else works until these are accepted.
        notices: these changed in a smaller way since the person last decided; deciding about them takes them off.
    """

    pending: list[OpenDocument]
    notices: list[OpenDocument]


class SessionView(msgspec.Struct, frozen=True):
    """Who is signed in, and where they work."""

    user: UserView
    memberships: list[MembershipView]
    legal: LegalState


async def _view(ports: Ports, user: UserView) -> SessionView:
    memberships = await ports.directory.memberships(user.id)
    waiting = await ports.gate.all_open(user.id, [ClinicId(place.clinic.id) for place in memberships])
    return SessionView(user, memberships, LegalState(waiting.pending, waiting.notices))


def _cookie(ports: Ports, value: str, max_age: int) -> Cookie:
    return Cookie(
        key=ports.cookie,
        value=value,
        path="/",
        max_age=max_age,
        httponly=True,
        secure=ports.cookie_secure,
        samesite="lax",
    )


@post(
    "/session",
    opt=public("Signing in is how one stops being anonymous; the ID token is the proof."),
    operation_id="createSession",
    tags=["Session"],
)
async def create_session(
    data: JSONBody[NewSession], request: JsonRequest, call: NamedDependency[Call]
) -> Response[SessionView]:
    """Exchange a Firebase ID token for a session cookie."""
    ports = call.ports
    ports.guards().same_origin(request, required=False)
    try:
        claims = await ports.identity.verify_token(data.id_token)
        if not claims.email:
            raise Invalid(
                errors=[FieldError("/id_token", "no_email", "Sign in with an account that has a mail address.")]
            )
        cookie = await ports.identity.start_session(data.id_token, ports.session_life)
        user = await ports.directory.sign_in(claims)
    except TokenRevoked as error:
        raise SessionRevoked("This sign-in has ended. Sign in again.") from error
    except TokenRejected as error:
        raise Unauthenticated("The ID token is not valid, or has expired. Sign in again.") from error
    return Response(
        await _view(ports, user),
        status_code=201,
        cookies=[_cookie(ports, cookie, int(ports.session_life.total_seconds()))],
    )


@get(
    "/session",
    opt=signed_in("Whoever is signed in may know who they are and where they work.", legal_exempt=True),
    operation_id="getSession",
    tags=["Session"],
)
async def get_session(call: NamedDependency[Call]) -> SessionView:
    """Who is signed in, where they work, and what they have to decide."""
    return await _view(call.ports, call.granted.person.user)


@delete(
    "/session",
    opt=signed_in("Everybody may log out.", legal_exempt=True),
    operation_id="deleteSession",
    tags=["Session"],
)
async def delete_session(call: NamedDependency[Call]) -> Response[None]:
    """Log out: the cookie is refused from now on, and streams opened with it end."""
    granted = call.granted
    await end_session(granted.person, granted.token_hash, granted.expires_at, call.system_begin)
    return Response(None, status_code=204, cookies=[_cookie(call.ports, "", 0)])
