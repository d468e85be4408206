"""The gate over HTTP: on each route once, on open streams, on every process, and at no cost to who may go on."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from time import monotonic

import pytest
from litestar import HttpMethod
from tests.integration.http.samples import SAMPLES, Key, address
from tests.integration.http.service import Clinic, Headers, Service, running
from tests.integration.laws.test_query_counts import counted, watched
from tests.integration.legal.test_gate import EXEMPT
from tests.integration.parts.people import People
from tests.integration.parts.texts import Registry, shown
from tests.unit.live.parts import Client

from coravet.entrypoints.http.access import Access
from coravet.entrypoints.http.app import API

pytestmark = pytest.mark.alone

BLOCKING = ("terms", "privacy", "data-processing")

PROMPTLY = 1.0
"""Seconds in which a publication or a withdrawal takes effect on every process."""


@pytest.fixture(scope="module")
async def other(alone: Service, people: People) -> AsyncIterator[Service]:
    """A second process of the service on the same database."""
    async with running(alone.settings, people) as found:
        yield found


@pytest.fixture(scope="module")
async def registry(alone: Service) -> Registry:
    """Publishes in the database of this file."""
    return Registry(alone.application.works)


@pytest.fixture(scope="module")
async def clinic(alone: Service) -> Clinic:
    """A clinic with something of everything, from before any text was published that blocks; its owner treats, too."""
    found = await alone.full_clinic("porton")
    at = f"/clinics/{found.slug}/members/{found.ids['owner_member_id']}"
    await alone.done("PATCH", at, found.owner, json={"roles": ["owner", "vet"]})
    return found


def _declared(service: Service) -> Iterator[tuple[Key, Access]]:
    """Every method and address, with who may use it."""
    for route in service.application.litestar.routes:
        for handler in route.route_handlers:
            for method in handler.http_methods - {HttpMethod.OPTIONS}:
                yield (str(method), route.path_format), handler.opt["access"]


async def _decide(service: Service, who: Headers, slug: str, version: str = "0.1", decision: str = "accepted") -> None:
    await service.done("POST", "/legal/acceptances", who, json={**shown(slug, version), "decision": decision})


async def _accept_all(service: Service, who: Headers) -> None:
    """Accept whatever the session says is open."""
    for text in (await service.done("GET", "/session", who))["legal"]["pending"]:
        accepted = {name: text[name] for name in ("slug", "version", "locale", "sha256", "clinic")}
        await service.done("POST", "/legal/acceptances", who, json={**accepted, "decision": "accepted"})


async def _within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> float:
    """Seconds until it held, which are fewer than those."""
    began = monotonic()
    while not await holds():
        assert monotonic() - began < seconds, "too late"
        await asyncio.sleep(0.01)
    return monotonic() - began


def _stream(service: Service, clinic: Clinic, who: Headers) -> Client:
    """An open stream of the whole application, which is read to its end."""
    path = f"{API}/clinics/{clinic.slug}/events"
    headers = [(name.lower().encode(), value.encode()) for name, value in {"Host": "clinica.test", **who}.items()]
    return Client(
        service.application.asgi,
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "scheme": "http",
            "server": ("clinica.test", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
        },
    )


async def test_published_everywhere(alone: Service, other: Service, clinic: Clinic, registry: Registry) -> None:
    """A publication stops requests on every process within a second, and ends the streams that are open there."""
    at, staff = f"/clinics/{clinic.slug}", clinic.people["staff"]
    for service in (alone, other):
        for who in (clinic.owner, staff):
            assert (await service.ask("GET", at, who)).status_code == 200
    streams = [_stream(service, clinic, who) for service in (alone, other) for who in (clinic.owner, staff)]
    for stream in streams:
        assert (await stream.next(beats=True)).event == "stream.heartbeat"
    for slug in BLOCKING:
        await registry.publish(slug)

    async def stopped() -> bool:
        answers = [await service.ask("GET", at, who) for service in (alone, other) for who in (clinic.owner, staff)]
        return all(answer.status_code == 403 for answer in answers)

    await _within(PROMPTLY, stopped)
    for stream in streams:
        async with asyncio.timeout(PROMPTLY):
            while (last := await stream.next()).event != "stream.closed":
                assert last.event == "legal.acceptance_required"
        assert last.data == {"reason": "access_ended"}
        await stream.over()


async def test_every_route(alone: Service, clinic: Clinic) -> None:
    """Whoever holds every permission meets the gate on each route that is neither exempt nor for everybody, before
    anything is read of the request: opening a stream is one of them, and so are PDFs."""
    wrong = []
    for key, access in _declared(alone):
        if key in EXEMPT or access.public or access.operator:
            continue
        path = address(key[1], defaultdict(lambda: clinic.id, clinic.ids))
        answer = await alone.client.request(key[0], path, headers=clinic.owner)
        slugs = [document["slug"] for document in answer.json().get("documents", [])]
        blocking = BLOCKING if "{clinic}" in key[1] else BLOCKING[:2]
        if (answer.status_code, answer.json()["code"], *slugs) != (403, "legal_acceptance_required", *blocking):
            wrong.append((key, answer.text))
    assert not wrong


async def test_exempt_routes(alone: Service, clinic: Clinic) -> None:
    """With everything open one reads, decides, serves rights, takes one's data along and logs out."""
    for key in EXEMPT:
        who, ids = clinic.people["manager" if key[0] == "DELETE" else "owner"], clinic.ids
        sent = SAMPLES[key].sent(ids)
        answer = await alone.client.request(key[0], address(key[1], ids), headers=who, **sent)
        assert answer.is_success, (key, answer.text)


async def test_accepted_at_once(alone: Service, other: Service, clinic: Clinic) -> None:
    """Accepting what is listed works with the next request, on every process, and costs no statement from then on."""
    at = f"/clinics/{clinic.slug}"
    for who in (clinic.owner, clinic.people["vet"]):
        await _accept_all(alone, who)
        for service in (alone, other):
            assert (await service.ask("GET", at, who)).status_code == 200
    with watched(alone.application):
        for who in (clinic.owner, clinic.people["vet"]):
            await alone.done("GET", f"{at}/clients", who)
            with counted() as seen:
                await alone.done("GET", f"{at}/clients", who)
                await asyncio.sleep(0)
            assert len(seen) == 4, seen


async def test_withdrawn_everywhere(alone: Service, other: Service, clinic: Clinic) -> None:
    """Who takes an acceptance back is stopped on every process within a second, their streams too; nobody else is."""
    at, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    theirs = [_stream(service, clinic, vet) for service in (alone, other)]
    others = [_stream(service, clinic, clinic.owner) for service in (alone, other)]
    for stream in theirs + others:
        assert (await stream.next(beats=True)).event == "stream.heartbeat"
    await _decide(alone, vet, "terms", decision="withdrawn")

    async def stopped() -> bool:
        return all([(await service.ask("GET", at, vet)).status_code == 403 for service in (alone, other)])

    await _within(PROMPTLY, stopped)
    for stream in theirs:
        async with asyncio.timeout(PROMPTLY):
            while (last := await stream.next()).event != "stream.closed":
                assert last.event == "legal.acceptance_required"
        assert last.data == {"reason": "access_ended"}
    for service, stream in zip((alone, other), others, strict=True):
        assert (await service.ask("GET", at, clinic.owner)).status_code == 200
        assert not stream.ended.is_set()
        await stream.hang_up()


async def test_withdrawn_by_nobodys_member(alone: Service, other: Service) -> None:
    """Who belongs nowhere is stopped everywhere, too, once they take an acceptance back."""
    nobody = await alone.stranger()
    await _accept_all(alone, nobody)
    for service in (alone, other):
        assert (await service.ask("GET", "/clinics", nobody)).status_code == 200
    await _decide(alone, nobody, "privacy", decision="withdrawn")

    async def stopped() -> bool:
        return all([(await service.ask("GET", "/clinics", nobody)).status_code == 403 for service in (alone, other)])

    await _within(PROMPTLY, stopped)


async def test_agreement_of_a_clinic(alone: Service, other: Service, clinic: Clinic) -> None:
    """When an owner takes the clinic's agreement back its owners are stopped everywhere, and nobody else; who becomes
    an owner from then on is stopped, too, until one of them accepts."""
    at, staff = f"/clinics/{clinic.slug}", clinic.people["staff"]
    await _accept_all(alone, staff)
    email = (await alone.done("GET", "/session", staff))["user"]["email"]
    offer = {"email": email, "roles": ["owner"]}
    invited = await alone.done("POST", f"{at}/invitations", clinic.owner, json=offer)

    async def everywhere(who: Headers, status: int) -> bool:
        return all([(await each.ask("GET", at, who)).status_code == status for each in (alone, other)])

    assert await everywhere(clinic.owner, 200)
    assert await everywhere(staff, 200)
    streams = [_stream(service, clinic, staff) for service in (alone, other)]
    for stream in streams:
        assert (await stream.next(beats=True)).event == "stream.heartbeat"
    agreement = {**shown("data-processing"), "clinic": clinic.slug}
    await alone.done("POST", "/legal/acceptances", clinic.owner, json={**agreement, "decision": "withdrawn"})
    await _within(PROMPTLY, partial(everywhere, clinic.owner, 403))
    assert await everywhere(staff, 200)
    await alone.done("POST", f"/invitations/{invited['token']}/accept", staff)
    await _within(PROMPTLY, partial(everywhere, staff, 403))
    for stream in streams:
        async with asyncio.timeout(PROMPTLY):
            while (last := await stream.next()).event != "stream.closed":
                pass
        assert last.data == {"reason": "access_ended"}
    await alone.done("POST", "/legal/acceptances", staff, json={**agreement, "decision": "accepted"})
    assert await everywhere(clinic.owner, 200)
    assert await everywhere(staff, 200)
