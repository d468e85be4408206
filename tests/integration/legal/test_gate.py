"""The gate: who is let in, on every route, whatever they decided about the legal texts that are in force."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from litestar import HttpMethod, Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute
from tests.integration.http.samples import Key
from tests.integration.http.service import lifespan, superuser
from tests.integration.parts.databases import Databases
from tests.integration.parts.texts import Registry

from coravet.adapters.memory.identity import MemoryIdentity
from coravet.bootstrap import application
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import DomainError
from coravet.core.legal.documents import Change, Decision
from coravet.core.legal.gate import AcceptanceRequired
from coravet.core.tenancy.identity import Claims
from coravet.core.tenancy.permissions import permissions_of
from coravet.core.tenancy.ports import Directory, Person
from coravet.core.tenancy.views import UserView
from coravet.entrypoints.http.access import Access, Guards

EXEMPT = {
    # Who one is, and what waits for one's decision; and the way out.
    ("GET", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    # Deciding, and what one decided; the texts themselves are for everybody.
    ("POST", "/api/v1/legal/acceptances"),
    ("GET", "/api/v1/legal/acceptances"),
    ("GET", "/api/v1/legal/acceptances/{acceptance_id}"),
    # Requests and exports do not wait for what a member has not accepted; erasing, which nothing undoes, does.
    ("GET", "/api/v1/clinics/{clinic}/privacy/requests"),
    ("POST", "/api/v1/clinics/{clinic}/privacy/requests"),
    ("GET", "/api/v1/clinics/{clinic}/privacy/requests/{request_id}"),
    ("PATCH", "/api/v1/clinics/{clinic}/privacy/requests/{request_id}"),
    ("POST", "/api/v1/clinics/{clinic}/clients/{client_id}/export"),
    ("GET", "/api/v1/clinics/{clinic}/export"),
    ("POST", "/api/v1/clinics/{clinic}/clients/{client_id}/export"),
}
"""All that works while legal texts wait for a decision, of what is not for everybody anyway."""

SETTLED, UNSETTLED, REVOKED = "settled", "unsettled", "revoked"
"""Clinics by what became of their agreement on data processing: accepted, not decided, accepted and taken back."""

FOREIGN = "foreign"
"""A clinic in which nobody below has a place."""

PLACES: dict[str, dict[str, list[str]]] = {
    "owner": {SETTLED: ["owner"]},
    "manager": {SETTLED: ["manager"]},
    "vet": {SETTLED: ["vet"]},
    "staff": {SETTLED: ["staff"]},
    "owner who treats": {SETTLED: ["owner", "vet"]},
    "owner before the clinic decided": {UNSETTLED: ["owner"]},
    "vet before the clinic decided": {UNSETTLED: ["vet"]},
    "owner after the clinic took it back": {REVOKED: ["owner"]},
    "member of two clinics": {UNSETTLED: ["owner", "vet"], SETTLED: ["staff"]},
    "nobody's member": {},
    "operator": {},
}
"""Who there is: their roles by clinic."""

FOUNDERS = {SETTLED: "", REVOKED: " after the clinic took it back"}
"""Who of the owners decides for their clinic."""

TIMELINE: tuple[tuple[tuple[str, str, Change], ...], ...] = (
    (("terms", "1.0", "major"), ("privacy", "1.0", "major"), ("data-processing", "1.0", "major")),
    (("terms", "2.0", "major"),),
    (("terms", "2.1", "minor"), ("privacy", "1.1", "editorial")),
)
"""What is published, in three moments."""

Decided = tuple[int, str, Decision]
"""The moment after which somebody decides, and what about the version in force then."""

STATES: dict[str, tuple[list[Decided], set[str]]] = {
    "nothing decided": ([], {"terms", "privacy"}),
    "all accepted": ([(2, "terms", "accepted"), (2, "privacy", "accepted")], set()),
    "terms open": ([(2, "privacy", "accepted")], {"terms"}),
    "privacy open": ([(2, "terms", "accepted")], {"privacy"}),
    "terms declined": ([(2, "terms", "declined"), (2, "privacy", "accepted")], {"terms"}),
    "declined, then accepted": (
        [(2, "terms", "declined"), (2, "privacy", "accepted"), (2, "terms", "accepted")],
        set(),
    ),
    "privacy withdrawn": (
        [(2, "terms", "accepted"), (2, "privacy", "accepted"), (2, "privacy", "withdrawn")],
        {"privacy"},
    ),
    "withdrawn, then accepted": (
        [(1, "terms", "accepted"), (1, "privacy", "accepted"), (2, "terms", "withdrawn"), (2, "terms", "accepted")],
        set(),
    ),
    "an older major version accepted": ([(0, "terms", "accepted"), (0, "privacy", "accepted")], {"terms"}),
    "a minor version is newer": ([(1, "terms", "accepted"), (1, "privacy", "accepted")], set()),
    "the newer minor version declined": (
        [(1, "terms", "accepted"), (1, "privacy", "accepted"), (2, "terms", "declined")],
        set(),
    ),
}
"""What somebody did about the texts for themselves, and which of them are open to them in the end."""


class Planted(msgspec.Struct):
    """Somebody who can sign in."""

    user_id: UserId
    token: str
    places: dict[str, list[str]]
    operator: bool


class Remembering:
    """The directory, asked once for each person and clinic: what is tested here comes after it."""

    def __init__(self, inner: Directory) -> None:
        self._inner = inner
        self._found: dict[tuple[str, str | None], Person | None] = {}

    async def sign_in(self, claims: Claims) -> UserView:
        return await self._inner.sign_in(claims)

    async def find(self, uid: str, session: bytes, clinic: str | None) -> Person | None:
        if (uid, clinic) not in self._found:
            self._found[uid, clinic] = await self._inner.find(uid, session, clinic)
        return self._found[uid, clinic]


class World:
    """An application, clinics, and somebody in each place and state; what is asked is its guards, with the real gate
    behind them, and not its handlers: which of them would answer is none of the gate's business."""

    def __init__(self, app: Litestar, registry: Registry, guards: Guards) -> None:
        self.app = app
        self.registry = registry
        self.guards = guards
        self.clinics: dict[str, ClinicId] = {}
        self.people: dict[tuple[str, str], Planted] = {}

    def routes(self) -> Iterator[tuple[Key, BaseRouteHandler]]:
        """Every method and address with its handler, Litestar's OPTIONS apart."""
        for route in self.app.routes:
            assert isinstance(route, HTTPRoute)
            for handler in route.route_handlers:
                for method in handler.http_methods - {HttpMethod.OPTIONS}:
                    yield (str(method), route.path_format), handler

    async def ask(self, key: Key, handler: BaseRouteHandler, token: str | None, clinic: str) -> Any:
        """None where the guards let the request pass, else the code, and the documents where there are any."""
        headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        named = {"clinic": clinic} if "{clinic}" in key[1] else {}
        scope: Any = {"type": "http", "method": key[0], "headers": headers, "path_params": named, "app": self.app}
        try:
            await self.guards(ASGIConnection(scope), handler)
        except AcceptanceRequired as refused:
            return [refused.code, *sorted((each.clinic or "", each.slug) for each in refused.extra["documents"])]
        except DomainError as refused:
            return [refused.code]
        return None


def expected(key: Key, access: Access, person: Planted, open_to: set[str], clinic: str) -> Any:
    """As `World.ask`, by the rules."""
    roles = person.places.get(clinic)
    if access.public:
        return None
    if "{clinic}" in key[1] and roles is None:
        return ["not_found"]
    if access.operator and not person.operator:
        return ["forbidden"]
    if access.permission is not None and access.permission not in permissions_of(roles or []):
        return ["forbidden"]
    documents = [("", slug) for slug in open_to]
    if "{clinic}" in key[1] and "owner" in (roles or []) and clinic != SETTLED:
        documents.append((clinic, "data-processing"))
    return None if key in EXEMPT or not documents else ["legal_acceptance_required", *sorted(documents)]


@pytest.fixture(scope="module")
async def world(databases: Databases) -> AsyncIterator[World]:
    """Everybody, in a database in which nothing is published yet."""
    settings = await databases.migrated()
    wired = application(settings.model_copy(update={"firebase_auth_emulator_host": "127.0.0.1:9"}))
    ports = wired.litestar.state.ports
    identity = MemoryIdentity(clock=SystemClock())
    directory = Remembering(ports.directory)
    guards = Guards(identity, directory, ports.gate, ports.cookie, "http", frozenset())
    async with lifespan(wired):
        found = World(wired.litestar, Registry(wired.works), guards)
        async with superuser(settings) as admin:
            await _plant(found, identity, admin)
        yield found
    await databases.drop(settings)


async def _plant(world: World, identity: MemoryIdentity, admin: asyncpg.Connection) -> None:
    for slug in (SETTLED, UNSETTLED, REVOKED, FOREIGN):
        world.clinics[slug] = ClinicId(uuid4())
        await admin.execute(
            "INSERT INTO clinics (id, slug, name, time_zone) VALUES ($1, $2, $2, 'America/Guayaquil')",
            world.clinics[slug],
            slug,
        )
    for place, places in PLACES.items():
        for state in STATES:
            user_id = UserId(uuid4())
            uid = identity.enroll(f"{user_id.hex}@clinica.test")
            await admin.execute(
                "INSERT INTO users (id, firebase_uid, email, display_name) VALUES ($1, $2, $3, $4)",
                user_id, uid, f"{user_id.hex}@clinica.test", f"{place}, {state}",
            )  # fmt: skip
            await admin.executemany(
                "INSERT INTO members (clinic_id, id, user_id, roles, active, version) VALUES ($1, $2, $3, $4, true, 1)",
                [(world.clinics[slug], uuid4(), user_id, roles) for slug, roles in places.items()],
            )
            operator = place == "operator"
            if operator:
                await admin.execute("INSERT INTO operators (user_id, reason) VALUES ($1, 'tests')", user_id)
            world.people[place, state] = Planted(user_id, identity.sign_in(uid), places, operator)


async def _met(world: World, key: Key, handler: BaseRouteHandler) -> dict[tuple[str, str, str], Any]:
    """What everybody in every state meets at a route: where it has a clinic, in each of theirs and in another's."""
    return {
        (place, state, clinic): await world.ask(key, handler, person.token, clinic)
        for (place, state), person in world.people.items()
        for clinic in ([*person.places, FOREIGN] if "{clinic}" in key[1] else [FOREIGN])
    }


def test_exempt(world: World) -> None:
    """The routes that declare that they work while texts are open are those of the list, and each needs a person."""
    declared = {key: handler.opt["access"] for key, handler in world.routes()}
    assert {key for key, access in declared.items() if access.legal_exempt} == EXEMPT
    assert not [key for key in EXEMPT if declared[key].public]


async def test_nothing_published(world: World) -> None:
    """Where no text was published, the gate stops nobody anywhere."""
    for key, handler in world.routes():
        for who, found in (await _met(world, key, handler)).items():
            assert found is None or found[0] != "legal_acceptance_required", (key, who)


async def test_everybody(world: World) -> None:
    """Each person, on each route, in each clinic, in each state, is let in, or told exactly which texts are open.

    What is another clinic's, what one is not permitted and what needs signing in stays so, whatever is open.
    """
    await _decide(world)
    await asyncio.sleep(1)  # in which every process hears of it
    wrong = []
    for key, handler in world.routes():
        access = handler.opt["access"]
        anonymous = await world.ask(key, handler, None, SETTLED)
        assert anonymous == (None if access.public else ["unauthenticated"]), key
        for (place, state, clinic), found in (await _met(world, key, handler)).items():
            person, open_to = world.people[place, state], STATES[state][1]
            wanted = expected(key, access, person, open_to, clinic)
            if found != wanted:
                wrong.append((key, place, state, clinic, found, wanted))
    assert not wrong, f"{len(wrong)} wrong, such as {wrong[:5]}"


async def _decide(world: World) -> None:
    """Publish what the timeline says, and let everybody decide in between."""
    registry = world.registry
    founder = {slug: world.people[f"owner{more}", "all accepted"].user_id for slug, more in FOUNDERS.items()}
    for moment, versions in enumerate(TIMELINE):
        for slug, version, change in versions:
            await registry.publish(slug, version, change)
        for (_, state), person in world.people.items():
            for when, slug, decision in STATES[state][0]:
                if when == moment:
                    await registry.decide(person.user_id, slug, decision)
    await registry.decide(founder[SETTLED], "data-processing", "accepted", SETTLED)
    for decision in ("accepted", "withdrawn"):
        await registry.decide(founder[REVOKED], "data-processing", decision, REVOKED)
