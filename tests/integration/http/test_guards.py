"""The four guards, on real tokens: authenticated, member, permitted, legal; and what a cookie needs besides."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.http.service import ORIGIN, PENDING, Clinic, Headers, Service, bearer, running
from tests.integration.parts.people import Person


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _crafted(token: str, **changes: Any) -> str:
    """The emulator's unsigned token with other claims: nothing but its content speaks against it."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{_part(claims | changes)}.{signature}"


def _signed_by_others(token: str) -> str:
    _, payload, _ = token.split(".")
    return f"{_part({'alg': 'RS256', 'kid': 'ours', 'typ': 'JWT'})}.{payload}.c2lnbmF0dXJl"


async def _code(service: Service, who: Headers, path: str = "/session") -> tuple[int, str]:
    answer = await service.ask("GET", path, who)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    return answer.status_code, answer.json().get("code")


async def _cookie(service: Service, token: str) -> str:
    answer = await service.ask("POST", "/session", json={"id_token": token})
    assert answer.status_code == 201
    return answer.headers["set-cookie"].partition(";")[0]


async def _newcomer(service: Service) -> tuple[Person, str]:
    person = await service.people.create("newcomer")
    return person, await service.people.sign_in(person)


PROVE_NOTHING: dict[str, Callable[[str], Headers]] = {
    "nothing": lambda _: {},
    "an empty bearer": lambda _: bearer(""),
    "another scheme": lambda _: {"Authorization": "Basic b3duZXI6Y29yYXZldA=="},
    "no token": lambda _: bearer("not-a-token"),
    "half a token": lambda token: bearer(token[: len(token) // 2]),
    "expired a second ago": lambda token: bearer(_crafted(token, exp=int(time.time()) - 1)),
    "issued tomorrow": lambda token: bearer(_crafted(token, iat=int(time.time()) + 86400)),
    "for another project": lambda token: bearer(
        _crafted(token, aud="another", iss="https://securetoken.google.com/another")
    ),
    "of a tenant": lambda token: bearer(_crafted(token, firebase={"tenant": "another"})),
    "without a subject": lambda token: bearer(_crafted(token, sub="")),
    "an ID token as a cookie": lambda token: {"Cookie": f"coravet_session={token}"},
    "a cookie of another name": lambda token: {"Cookie": f"session={token}"},
    "a cookie without sense": lambda _: {"Cookie": "coravet_session=%00; ="},
}


@pytest.mark.parametrize("make", PROVE_NOTHING.values(), ids=PROVE_NOTHING)
async def test_unauthenticated(make: Callable[[str], Headers], service: Service) -> None:
    """What proves nothing is 401 `unauthenticated`, whatever it lacks."""
    _, token = await _newcomer(service)
    assert await _code(service, make(token)) == (401, "unauthenticated")


async def test_cookie_as_bearer(service: Service) -> None:
    """A session cookie is no bearer token."""
    _, token = await _newcomer(service)
    cookie = await _cookie(service, token)
    assert await _code(service, bearer(cookie.partition("=")[2])) == (401, "unauthenticated")
    assert (await _code(service, {"Cookie": cookie}))[0] == 200


@pytest.mark.parametrize("ended", ["disabled", "revoked", "deleted"])
@pytest.mark.parametrize("by_cookie", [False, True], ids=["token", "cookie"])
async def test_ended_at_firebase(ended: str, by_cookie: bool, service: Service) -> None:
    """Who was disabled, revoked or deleted at Firebase is 401 `session_revoked`, with a token or a cookie."""
    person, token = await _newcomer(service)
    who = {"Cookie": await _cookie(service, token)} if by_cookie else bearer(token)
    account = {"localId": person.uid}
    match ended:
        case "disabled":
            await service.people.disable(person)
        case "revoked":  # from the next second on: what was issued in its very second would stay valid
            since = {"validSince": str(int(time.time()) + 2)}
            await service.people._post("/projects/demo-coravet/accounts:update", account | since)
        case "deleted":
            await service.people._post("/projects/demo-coravet/accounts:delete", account)
    assert await _code(service, who) == (401, "session_revoked")
    if not by_cookie:
        answer = await service.ask("POST", "/session", json={"id_token": token})
        assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")


async def test_logged_out(service: Service) -> None:
    """After logging out the cookie is 401 `session_revoked` at once; another session of the person goes on."""
    _, token = await _newcomer(service)
    cookie = {"Cookie": await _cookie(service, token)}
    assert (await _code(service, cookie))[0] == 200
    answer = await service.ask("DELETE", "/session", cookie, headers={"Origin": ORIGIN})
    assert answer.status_code == 204
    assert 'coravet_session=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert await _code(service, cookie) == (401, "session_revoked")
    assert (await _code(service, bearer(token)))[0] == 200


async def test_deactivated(service: Service) -> None:
    """A member who is deactivated meets 404 in the clinic with the next request, and may still ask who they are."""
    clinic = await service.open_clinic()
    staff = await service.join(clinic, "staff")
    at = f"/clinics/{clinic.slug}"
    assert (await _code(service, staff, at))[0] == 200
    ended = {"active": False}
    await service.done("PATCH", f"{at}/members/{clinic.ids['staff_member_id']}", clinic.owner, json=ended)
    assert await _code(service, staff, at) == (404, "not_found")
    assert (await service.done("GET", "/session", staff))["memberships"] == []


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        (None, False),
        ("https://evil.test", False),
        ("null", False),
        ("http://clinica.test.evil.test", False),
        ("http://clinica.test:8080", False),
        (ORIGIN, True),
        ("http://127.0.0.1:8000", True),
    ],
)
async def test_origin(origin: str | None, passes: bool, service: Service, clinic: Clinic) -> None:
    """A change by cookie needs our own Origin, else 403 `bad_origin`; a read, or a bearer token, needs none."""
    at = f"/clinics/{clinic.slug}"
    token = clinic.owner["Authorization"].removeprefix("Bearer ")
    cookie = {"Cookie": await _cookie(service, token)}
    headers = {} if origin is None else {"Origin": origin}
    answer = await service.ask("PATCH", at, cookie, headers=headers, json={"name": "Clínica"})
    assert (answer.status_code, answer.json().get("code")) == ((200, None) if passes else (403, "bad_origin"))
    assert (await service.ask("GET", at, cookie, headers=headers)).status_code == 200
    assert (await service.ask("PATCH", at, clinic.owner, headers=headers, json={"name": "Clínica"})).status_code == 200
    if origin is not None:
        answer = await service.ask("POST", "/session", headers=headers, json={"id_token": token})
        assert answer.status_code == (201 if passes else 403)


async def test_cookie_flags(service: Service) -> None:
    """Scripts cannot read the cookie, other sites' forms do not bring it, and it lives as long as the session."""
    _, token = await _newcomer(service)
    answer = await service.ask("POST", "/session", json={"id_token": token})
    flags = {flag.strip().lower() for flag in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", "max-age=432000"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)


async def test_cookie_over_tls(service: Service) -> None:
    """Where browsers come over TLS the cookie is `__Host-`: never sent in the clear, never set by another host."""
    over_tls = service.settings.model_copy(update={"public_url": "https://clinica.test"})
    async with running(over_tls, service.people) as found:
        _, token = await _newcomer(service)
        answer = await found.ask("POST", "/session", json={"id_token": token})
        name, *flags = answer.headers["set-cookie"].split(";")
        assert name.startswith("__Host-coravet_session=")
        assert {"secure", "path=/"} <= {flag.strip().lower() for flag in flags}
        assert (await _code(found, {"Cookie": name}))[0] == 200
        assert await _code(found, {"Cookie": name.removeprefix("__Host-")}) == (401, "unauthenticated")


async def test_legal_gate(service: Service, clinic: Clinic) -> None:
    """While a text waits, all but the session is 403 `legal_acceptance_required` with the documents."""
    at = f"/clinics/{clinic.slug}"
    with service.legal_pending():
        answer = await service.ask("GET", at, clinic.owner)
        assert answer.status_code == 403
        assert answer.json()["code"] == "legal_acceptance_required"
        assert [document["slug"] for document in answer.json()["documents"]] == [PENDING.slug]
        session = await service.done("GET", "/session", clinic.owner)
        assert [document["slug"] for document in session["legal"]["pending"]] == [PENDING.slug]
        _, token = await _newcomer(service)
        cookie = {"Cookie": await _cookie(service, token)}
        assert (await service.ask("GET", "/clinics", cookie)).status_code == 403
        assert (await service.ask("DELETE", "/session", cookie, headers={"Origin": ORIGIN})).status_code == 204
    assert (await service.ask("GET", at, clinic.owner)).status_code == 200


async def test_order(service: Service, clinic: Clinic) -> None:
    """Not signed in goes before not a member, before not permitted, before the legal gate, before a bad body."""
    foreign = (await service.open_clinic()).slug
    staff, owner = clinic.people["staff"], clinic.owner
    malformed = {"content": b"{"}

    async def code(who: Headers, slug: str) -> str:
        answer = await service.ask("POST", f"/clinics/{slug}/services", who, **malformed)
        return str(answer.json()["code"])

    with service.legal_pending():
        assert await code({}, foreign) == "unauthenticated"
        assert await code(staff, foreign) == "not_found"
        assert await code(staff, clinic.slug) == "forbidden"
        assert await code(owner, clinic.slug) == "legal_acceptance_required"
    assert await code(owner, clinic.slug) == "invalid"
