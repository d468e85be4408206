"""Deciding about legal texts over HTTP, with what a page may get wrong; and any order of decisions and publications."""

import asyncio
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from tests.integration.http.service import Clinic, Headers, Service, superuser
from tests.integration.parts.databases import Databases
from tests.integration.parts.texts import Registry, shown

from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.legal.store import PostgresGate
from coravet.bootstrap import make_works
from coravet.core.kernel.actor import UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import DomainError
from coravet.core.legal.accept import NewAcceptance, decide
from coravet.core.legal.documents import Change, Decision
from coravet.core.legal.model import Evidence
from coravet.settings import Settings

AT = "/legal/acceptances"


@pytest.fixture(scope="module")
async def clinic(alone: Service) -> Clinic:
    """A clinic with a member of staff, from before there were texts."""
    found = await alone.open_clinic("decide")
    await alone.join(found, "staff")
    return found


@pytest.fixture(scope="module")
async def neighbour(alone: Service) -> Clinic:
    """Another clinic."""
    return await alone.open_clinic("vecina")


@pytest.fixture(scope="module", autouse=True)
async def published(alone: Service, clinic: Clinic, neighbour: Clinic) -> Registry:
    """What blocks, with a second version of the terms."""
    registry = Registry(alone.application.works)
    for slug in ("terms", "privacy", "data-processing"):
        await registry.publish(slug)
    await registry.publish("terms", "0.2", "major")
    return registry


async def _say(service: Service, who: Headers, text: dict[str, str], decision: str, **more: Any) -> httpx.Response:
    return await service.ask("POST", AT, who, json={**text, "decision": decision, **more})


async def _entries(service: Service) -> int:
    async with superuser(service.settings) as admin:
        return int(await admin.fetchval("SELECT count(*) FROM acceptances"))


async def test_refused(alone: Service, clinic: Clinic, neighbour: Clinic) -> None:
    """What is not the text of now, is nobody's or is somebody else's is refused, each in its own way, and not kept."""
    terms, agreement = shown("terms", "0.2"), shown("data-processing")
    staff, owner = clinic.people["staff"], clinic.owner
    before = await _entries(alone)
    for who, text, more, code in (
        (staff, shown("terms"), {}, "stale_version"),
        (staff, terms | {"sha256": "0" * 64}, {}, "hash_mismatch"),
        (staff, shown("terms") | {"sha256": "0" * 64}, {}, "stale_version"),
        (staff, shown("nothing"), {}, "not_found"),
        (staff, shown("terms", "7.0"), {}, "not_found"),
        (staff, terms | {"locale": "fr"}, {}, "not_found"),
        (owner, agreement, {"clinic": neighbour.slug}, "not_found"),
        (owner, agreement, {"clinic": "no-such-clinic"}, "not_found"),
        (staff, agreement, {"clinic": clinic.slug}, "forbidden"),
        (staff, agreement, {}, "forbidden"),
        (staff, terms, {"clinic": clinic.slug}, "invalid"),
        (staff, terms, {"price": 3}, "invalid"),
        (staff, terms | {"slug": "TERMS"}, {}, "invalid"),
        (staff, terms | {"sha256": terms["sha256"].upper()}, {}, "invalid"),
        (staff, {}, {}, "invalid"),
        ({}, terms, {}, "unauthenticated"),
    ):
        answer = await _say(alone, who, text, "accepted", **more)
        assert answer.json()["code"] == code, (text, more, answer.text)
    assert (await _say(alone, staff, terms, "perhaps")).json()["code"] == "invalid"
    assert (await _say(alone, staff, terms, "withdrawn")).json()["code"] == "invalid_transition"
    assert await _entries(alone) == before
    stale = (await _say(alone, staff, shown("terms"), "accepted")).json()["document"]
    assert {name: stale[name] for name in terms} == terms


async def test_twice(alone: Service, clinic: Clinic) -> None:
    """Accepting again, be it at the same moment, is answered with the first receipt, and adds no row."""
    staff, terms = clinic.people["staff"], shown("terms", "0.2")
    before = await _entries(alone)
    answers = await asyncio.gather(*(_say(alone, staff, terms, "accepted", screen="inicio") for _ in range(5)))
    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.text for answer in answers}) == 1
    assert await _entries(alone) == before + 1


async def test_minds_change(alone: Service, clinic: Clinic) -> None:
    """Declined and then accepted lets in, withdrawn stops; the list has each word, and nobody else's."""
    staff, privacy = clinic.people["staff"], shown("privacy")

    async def open_to() -> list[str]:
        return [each["slug"] for each in (await alone.done("GET", "/session", staff))["legal"]["pending"]]

    for decision, waiting in (("declined", True), ("accepted", False), ("withdrawn", True), ("accepted", False)):
        assert (await _say(alone, staff, privacy, decision)).status_code == 201
        assert ("privacy" in await open_to()) == waiting, decision
    mine = (await alone.done("GET", AT, staff))["items"]
    said = [each["decision"] for each in mine if each["slug"] == "privacy"]
    assert said == ["accepted", "withdrawn", "accepted", "declined"]
    receipt = await alone.done("GET", f"{AT}/{mine[0]['id']}", staff)
    assert receipt == mine[0]
    for who in (clinic.owner, await alone.stranger()):
        answers = [await alone.ask("GET", f"{AT}/{each}", who) for each in (mine[0]["id"], uuid4())]
        assert {answer.status_code for answer in answers} == {404}
        assert mine[0]["id"] not in [each["id"] for each in (await alone.done("GET", AT, who))["items"]]


async def test_for_a_clinic(alone: Service, clinic: Clinic, neighbour: Clinic) -> None:
    """One owner decides for the clinic and lets all its owners in; who owns several says for which; a member of staff
    is never asked."""
    agreement, at = shown("data-processing"), "/session"
    email = (await alone.done("GET", at, clinic.owner))["user"]["email"]
    await _accept_own(alone, clinic.owner, neighbour.owner)
    offer = {"email": email, "roles": ["owner"]}
    await _say(alone, neighbour.owner, agreement, "accepted")
    made = await alone.done("POST", f"/clinics/{neighbour.slug}/invitations", neighbour.owner, json=offer)
    await alone.done("POST", f"/invitations/{made['token']}/accept", clinic.owner)
    unnamed = await _say(alone, clinic.owner, agreement, "accepted")
    assert [error["pointer"] for error in unnamed.json()["errors"]] == ["/clinic"]
    pending = (await alone.done("GET", at, clinic.owner))["legal"]["pending"]
    assert [(each["slug"], each["clinic"]) for each in pending] == [("data-processing", clinic.slug)]
    assert (await alone.ask("GET", f"/clinics/{neighbour.slug}", clinic.owner)).status_code == 200
    assert (await alone.ask("GET", f"/clinics/{clinic.slug}", clinic.owner)).status_code == 403
    receipt = await _say(alone, clinic.owner, agreement, "accepted", clinic=clinic.slug)
    assert (receipt.json()["capacity"], receipt.json()["clinic"]) == ("clinic", clinic.slug)
    assert (await alone.ask("GET", f"/clinics/{clinic.slug}", clinic.owner)).status_code == 200


async def _accept_own(service: Service, *people: Headers) -> None:
    for who in people:
        for text in (shown("terms", "0.2"), shown("privacy")):
            assert (await _say(service, who, text, "accepted")).status_code == 201


# Any order -----------------------------------------------------------------------------------------------------------

Step = tuple[Literal["publish"], Change] | tuple[Decision, int]
"""A publication, or a decision on the version so many before the newest."""

STEPS = st.lists(
    st.tuples(st.just("publish"), st.sampled_from(["major", "minor", "editorial"]))
    | st.tuples(st.sampled_from(["accepted", "declined", "withdrawn"]), st.integers(0, 2)),
    max_size=12,
)


class Model:
    """What should come of it: versions by their change, and somebody's decisions by version, from 0."""

    def __init__(self, versions: list[Change]) -> None:
        self.versions = versions
        self.said: list[tuple[int, Decision]] = []

    def decide(self, at: int, decision: Decision) -> str | None:
        """The code by which it is refused, if it is."""
        if decision != "withdrawn" and at != len(self.versions) - 1:
            return "stale_version"
        if self.said and self.said[-1] == (at, decision):
            return None
        if decision == "withdrawn" and not (self.said and self.said[-1][1] == "accepted"):
            return "invalid_transition"
        self.said.append((at, decision))
        return None

    def open(self) -> bool:
        """Whether the last word does not accept the newest major version or a later one; declining a smaller change
        takes nothing back."""
        needed = max(at for at, change in enumerate(self.versions) if change == "major")
        words = [(at, said) for at, said in self.said if not (said == "declined" and at > needed)]
        return not words or words[-1][1] != "accepted" or words[-1][0] < needed


class Life:
    """One person after another, in a database in which the terms go on changing."""

    def __init__(self, own: Settings) -> None:
        self.engine = make_engine(own)
        self.works = make_works(own, self.engine)
        self.gate = PostgresGate(self.engine, own.public_url)
        self.registry = Registry(self.works)
        self.own = own
        self.versions: list[Change] = []

    async def publish(self, change: Change) -> None:
        await self.registry.publish("terms", f"1.{len(self.versions)}", change)
        self.versions.append(change)

    async def lives(self, steps: list[Step]) -> None:
        if not self.versions:
            await self.publish("major")
        user_id = UserId(uuid4())
        async with superuser(self.own) as admin:
            await admin.execute(
                "INSERT INTO users (id, firebase_uid, email, display_name) VALUES ($1, $2, $2, 'U')",
                user_id,
                user_id.hex,
            )
        model, kept = Model(self.versions), dict[tuple[int, str], UUID]()
        for step, what in steps:
            if step == "publish":
                await self.publish(what)  # type: ignore[arg-type] # a change goes with publishing
            else:
                await self._decide(model, kept, user_id, step, int(what))
            assert bool(await self.gate.pending(user_id, None)) == model.open(), steps
        async with superuser(self.own) as admin:
            rows = await admin.fetch(
                "SELECT version, decision FROM acceptances WHERE user_id = $1 ORDER BY number", user_id
            )
        assert [(row["version"], row["decision"]) for row in rows] == [(f"1.{at}", said) for at, said in model.said]

    async def _decide(
        self, model: Model, kept: dict[tuple[int, str], UUID], user_id: UserId, decision: Decision, back: int
    ) -> None:
        at = max(0, len(self.versions) - 1 - back)
        again = bool(model.said) and model.said[-1] == (at, decision)
        command = NewAcceptance(**shown("terms", f"1.{at}"), decision=decision)
        code = None
        try:
            receipt = await decide(command, user_id, Evidence(), self.works.system_begin, SystemClock())
        except DomainError as refused:
            code = refused.code
        else:
            if again:
                assert receipt.id == kept[at, decision]
            kept[at, decision] = receipt.id
        assert code == model.decide(at, decision)


@pytest.fixture(scope="module")
async def own_database(databases: Databases) -> Any:
    """A database in which nothing that blocks was published."""
    made = await databases.migrated()
    yield made
    await databases.drop(made)


def test_any_order(own_database: Settings) -> None:
    """Whatever the order of publications and decisions, each is kept or refused, and the gate is open, as the rules
    say."""
    with asyncio.Runner() as runner:

        async def begin() -> Life:
            return Life(own_database)

        life = runner.run(begin())

        @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
        @given(STEPS)
        def each(steps: list[Step]) -> None:
            runner.run(life.lives(steps))

        each()
        runner.run(life.engine.dispose())
