"""The demo: whom it brings, what it holds, and when it keeps its hands off."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args
from uuid import UUID

import asyncpg
import httpx
import pytest
from tests.integration.parts.people import People, Person

from coravet.adapters.local import LocalError, demo
from coravet.adapters.local.demo_clinic import DAYS_AROUND, Contents, furnish
from coravet.adapters.local.demo_plans import CLINICS, NEWCOMER, PASSWORD, PEOPLE
from coravet.adapters.local.texts import publish_shipped
from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.bootstrap import application, services
from coravet.core.kernel.actor import Actor
from coravet.core.legal.heads import verify
from coravet.core.records.signing import digest
from coravet.core.scheduling.availability import open_for
from coravet.core.scheduling.hours import Interval, Openings, working
from coravet.core.scheduling.model import Status
from coravet.core.tenancy.clinic_day import day_of, time_zone
from coravet.settings import Settings

ZONE = time_zone("America/Guayaquil")
WEDNESDAY = datetime(2026, 11, 25, 15, 40, tzinfo=UTC)  # 10:40 at the clinics


class Frozen:
    """A clock that stands still."""

    def now(self) -> datetime:
        return WEDNESDAY


def contents_at(now: datetime) -> Iterator[Contents]:
    for clinic in CLINICS:
        members = {person.email: person.member_id for person in PEOPLE if person.clinic == clinic.slug}
        yield furnish(clinic.plan, clinic.id, members, now)


@asynccontextmanager
async def superuser(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    assert settings.database_admin_url is not None
    connection = await asyncpg.connect(settings.database_admin_url.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


TABLES = (
    "clinics users operators members services resources hours clients patients parties appointments allocations"
    " encounters weights problems immunizations dewormings prescriptions recalls identifiers alerts note_templates"
)


async def counts(settings: Settings) -> dict[str, int]:
    async with superuser(settings) as connection:
        return {table: len(await connection.fetch(f"TABLE {table}")) for table in TABLES.split()}


# What it holds ----------------------------------------------------------------------------------------------------


def test_same_for_the_same_moment() -> None:
    """Two demos of one moment are equal to the last id."""
    assert list(contents_at(WEDNESDAY)) == list(contents_at(WEDNESDAY))


def test_nobody_real() -> None:
    """Every number is valid in form, and none is one that a person may have; addresses end in .test."""
    numbers = EcuadorNumbers()
    documents = []
    for contents in contents_at(WEDNESDAY):
        for client in contents.clients:
            if client.phone:
                checked = numbers.phone(client.phone)
                assert client.phone == checked.value
                assert re.fullmatch(r"\+59390\d{7}", client.phone)
                assert checked.warning, "a phone number that may be somebody's"
            if client.document_type and client.document_number:
                assert numbers.document(client.document_type, client.document_number).value == client.document_number  # type: ignore[arg-type]
                assert client.document_number[2] == "5" or client.document_number.startswith("DEMO")
                documents.append((contents, client.document_number))
            assert client.email is None or client.email.endswith(".test")
    assert len(documents) > 200


def test_visits_stand_as_booking_leaves_them() -> None:
    """Each visit holds one resource of each kind that its service needs, buffers included, all of them at work."""
    for contents in contents_at(WEDNESDAY):
        services = {service.id: service for service in contents.services}
        kinds = {resource.id: resource.kind for resource in contents.resources}
        serving = {service: {r for s, r in contents.assigned if s == service} for service in services}
        spans = {resource: [span for r, span in contents.hours if r == resource] for resource in kinds}
        owners = {party.patient_id: party.client_id for party in contents.parties}
        for visit in contents.appointments:
            service, day = services[visit.service_id], day_of(visit.starts_at, ZONE)
            held = [each for each in contents.allocations if each.appointment_id == visit.id]
            assert {each.resource_id for each in held} <= serving[service.id]
            assert sorted(kinds[each.resource_id] for each in held) == sorted({kinds[r] for r in serving[service.id]})
            assert visit.ends_at - visit.starts_at == timedelta(minutes=service.duration_minutes)
            assert visit.client_id == owners[visit.patient_id]
            assert visit.created_at < min(visit.starts_at, WEDNESDAY)
            for each in held:
                assert visit.starts_at - each.starts_at == timedelta(minutes=service.buffer_before_minutes)
                assert each.ends_at - visit.ends_at == timedelta(minutes=service.buffer_after_minutes)
                assert (each.released_at is not None) == (visit.status in {"cancelled", "no_show"})
                assert each.released_at is None or visit.created_at < each.released_at <= WEDNESDAY
                opened = working(Openings(spans[each.resource_id]), day, day, ZONE)
                assert open_for(opened, Interval(visit.starts_at, visit.ends_at))


def test_every_step_is_written_down() -> None:
    """A visit's history begins with its booking, leads step by step to its status, and ends by now."""
    for contents in contents_at(WEDNESDAY):
        for visit in contents.appointments:
            steps = [taken for taken in contents.history if taken.appointment_id == visit.id]
            assert [steps[0].step, steps[0].from_status] == ["book", None]
            assert [each.to_status for each in steps[:-1]] == [each.from_status for each in steps[1:]]
            assert (steps[-1].to_status, steps[-1].at, len(steps)) == (visit.status, visit.status_since, visit.version)
            assert [each.at for each in steps] == sorted(each.at for each in steps)
            assert steps[-1].at <= WEDNESDAY


def test_nothing_collides() -> None:
    """No resource is held twice at one time, and no patient comes twice a day."""
    for contents in contents_at(WEDNESDAY):
        for resource in contents.resources:
            held = sorted(
                (each.starts_at, each.ends_at)
                for each in contents.allocations
                if each.resource_id == resource.id and each.released_at is None
            )
            assert all(earlier[1] <= later[0] for earlier, later in pairwise(held))
        days = Counter((visit.patient_id, day_of(visit.starts_at, ZONE)) for visit in contents.appointments)
        assert set(days.values()) == {1}


def test_the_day_goes_on() -> None:
    """Past visits are over, those of other days to come confirmed, and today's wherever the hour has brought them."""
    seen = set()
    for hours in range(-3, 6):
        now = WEDNESDAY + timedelta(hours=hours)
        today = day_of(now, ZONE)
        for visit in (visit for contents in contents_at(now) for visit in contents.appointments):
            day = day_of(visit.starts_at, ZONE)
            assert abs((day - today).days) <= DAYS_AROUND
            if day < today:
                assert visit.status in {"completed", "no_show", "cancelled"}
            elif day > today:
                assert visit.status == "confirmed"
            else:
                seen.add(visit.status)
                assert visit.status not in {"confirmed", "requested", "checked_in"} or visit.starts_at > now
                assert visit.status not in {"in_exam", "no_show"} or visit.starts_at <= now
                assert visit.status not in {"ready", "completed"} or visit.ends_at <= now
    assert seen == set(get_args(Status))


@pytest.mark.parametrize("days", range(14))
def test_a_day_at_work(days: int) -> None:
    """Whatever day the demo is started on, a Sunday included, somebody comes to La Concordia."""
    now = datetime(2026, 2, 1, 13, 30, tzinfo=UTC) + days * timedelta(days=1, hours=1)
    contents = next(contents_at(now))
    today = [visit for visit in contents.appointments if day_of(visit.starts_at, ZONE) == day_of(now, ZONE)]
    assert any(visit.status not in {"cancelled", "no_show"} for visit in today)


# Loading it ---------------------------------------------------------------------------------------------------------


async def test_loads_once(fresh_database: Settings, auth_emulator: str, people: People) -> None:
    """An empty database gets two clinics with hundreds of clients and patients; a second start adds nothing to them,
    but brings back an account that is gone."""
    told: list[str] = []
    await demo.load(fresh_database, auth_emulator, told.append, Frozen())
    first = await counts(fresh_database)
    assert (first["clinics"], first["users"], first["operators"], first["members"]) == (2, 8, 1, 7)
    assert first["clients"] >= 300
    assert first["patients"] >= 400
    assert first["appointments"] >= 200
    assert not [table for table, count in first.items() if not count]

    vet = next(person for person in PEOPLE if person.email == "vet@la-concordia.test")
    async with httpx.AsyncClient(headers={"Authorization": "Bearer owner"}) as client:
        accounts = f"http://{auth_emulator}/identitytoolkit.googleapis.com/v1/projects/demo-coravet/accounts"
        (await client.post(f"{accounts}:delete", json={"localId": vet.uid})).raise_for_status()
    await demo.load(fresh_database, auth_emulator, told.append, Frozen())
    assert await counts(fresh_database) == first
    token = await people.sign_in(Person(vet.uid, vet.email, PASSWORD))
    assert await people.lookup(token) == vet.uid
    assert told[0].startswith("Loaded the demo: 2 clinics, ")
    assert told[1] == "The demo is there already, its people in the emulator too"


async def test_what_vets_wrote(fresh_database: Settings, auth_emulator: str) -> None:
    """Every visit that is over has a signed encounter, whose hash is that of what is stored."""
    await demo.load(fresh_database, auth_emulator, lambda _: None, Frozen())
    wired = application(fresh_database.model_copy(update={"firebase_auth_emulator_host": auth_emulator}))
    for clinic in CLINICS:
        actor = Actor(clinic_id=clinic.id, time_zone=clinic.plan.time_zone, user_id=None)
        async with wired.works.begin(actor) as work:
            over = await work.fetch(
                "SELECT e.id FROM appointments a LEFT JOIN encounters e ON e.appointment_id = a.id"
                " AND e.signed_at IS NOT NULL WHERE a.status = 'completed'"
            )
            assert len(over) > 20
            for (encounter_id,) in over:
                stored = await work.encounters.get(encounter_id)
                diagnoses = (await work.record_reads.encounter(encounter_id)).diagnoses
                assert stored.digest == digest(stored, diagnoses)
    await wired.engine.dispose()


@pytest.mark.parametrize(
    "foreign",
    [
        "INSERT INTO clinics (id, slug, name, time_zone) VALUES (gen_random_uuid(), 'otra', 'Otra', 'UTC')",
        "INSERT INTO users (id, firebase_uid, email, display_name) VALUES (gen_random_uuid(), 'u', 'u@x.test', 'U')",
        "INSERT INTO clinics (id, slug, name, time_zone) VALUES (gen_random_uuid(), 'quininde', 'Otra', 'UTC')",
    ],
    ids=["clinic", "user", "same-slug"],
)
async def test_foreign_database(fresh_database: Settings, auth_emulator: str, foreign: str) -> None:
    """A database with somebody else's clinic or user stays as it is, and the reason is told in one sentence."""
    async with superuser(fresh_database) as connection:
        await connection.execute(foreign)
    before = await counts(fresh_database)
    told: list[str] = []
    await demo.load(fresh_database, auth_emulator, told.append)
    assert await counts(fresh_database) == before
    assert told == ["The demo is not loaded, because the database holds data that is not the demo's"]


async def test_signed_in_before(fresh_database: Settings, auth_emulator: str) -> None:
    """A person of the demo whom the service met before the demo was loaded keeps their id."""
    staff = next(person for person in PEOPLE if person.roles == ("staff",))
    met = UUID(int=1)
    async with superuser(fresh_database) as connection:
        await connection.execute(
            "INSERT INTO users (id, firebase_uid, email, display_name) VALUES ($1, $2, $3, 'S')",
            met, staff.uid, staff.email,
        )  # fmt: skip
    await demo.load(fresh_database, auth_emulator, lambda _line: None)
    async with superuser(fresh_database) as connection:
        assert await connection.fetchval("SELECT roles FROM members WHERE user_id = $1", met) == ["staff"]


async def test_all_or_nothing(fresh_database: Settings, auth_emulator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load that breaks in the middle leaves an empty database, which the next start fills."""

    async def power_cut(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(demo, "store", power_cut)
    with pytest.raises(RuntimeError, match="power cut"):
        await demo.load(fresh_database, auth_emulator, lambda _line: None)
    assert set((await counts(fresh_database)).values()) == {0}


async def test_refusals(fresh_database: Settings, auth_emulator: str, people: People) -> None:
    """Production, a missing or silent emulator, and an account of another under a demo's address are each refused."""
    production = fresh_database.model_copy(update={"environment": "production"})
    with pytest.raises(LocalError, match="not loaded in production"):
        await demo.load(production, auth_emulator, lambda _line: None)
    with pytest.raises(LocalError, match="needs the Firebase Auth emulator"):
        await demo.load(fresh_database, "", lambda _line: None)
    with pytest.raises(LocalError, match="does not answer at"):
        await demo.load(fresh_database, "127.0.0.1:9", lambda _line: None)
    other = People(auth_emulator, "demo-other")
    await other.create(email="vet@la-concordia.test")
    await other.close()
    with pytest.raises(LocalError, match="EMAIL"):
        await demo.load(
            fresh_database.model_copy(update={"firebase_project_id": "demo-other"}), auth_emulator, lambda _line: None
        )
    assert set((await counts(fresh_database)).values()) == {0}


# Whom it brings -----------------------------------------------------------------------------------------------------

PLACES = {
    "owner@la-concordia.test": ("la-concordia", ["owner"]),
    "manager@la-concordia.test": ("la-concordia", ["manager"]),
    "vet@la-concordia.test": ("la-concordia", ["vet"]),
    "vet2@la-concordia.test": ("la-concordia", ["vet"]),
    "staff@la-concordia.test": ("la-concordia", ["staff"]),
    "newcomer@la-concordia.test": ("la-concordia", ["staff"]),
    "owner@quininde.test": ("quininde", ["owner", "vet"]),
}


async def test_everybody_signs_in(
    fresh_database: Settings, auth_emulator: str, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each person signs in with the demo's password, sees the day of their own clinic and what their roles allow."""
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", auth_emulator)
    settings = fresh_database.model_copy(update={"firebase_auth_emulator_host": auth_emulator})
    await demo.load(settings, auth_emulator, lambda _line: None, Frozen())
    app = application(settings)
    async with (
        app.litestar.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://test/api/v1") as client,
    ):
        for email, (clinic, roles) in PLACES.items():
            headers = {"Authorization": f"Bearer {await people.sign_in(Person('', email, 'coravet-demo'))}"}
            session = (await client.get("/session", headers=headers)).json()
            assert session["user"]["display_name"].endswith("(demo)")
            assert [(each["clinic"]["slug"], each["roles"]) for each in session["memberships"]] == [(clinic, roles)]

            agenda = await client.get(f"/clinics/{clinic}/agenda?date=2026-11-25", headers=headers)
            assert agenda.status_code == 200
            assert agenda.json()["items"][0]["patient"]["name"]
            members = await client.get(f"/clinics/{clinic}/members", headers=headers)
            assert members.status_code == (200 if {"owner", "manager"} & set(roles) else 403)
            other = "quininde" if clinic == "la-concordia" else "la-concordia"
            assert (await client.get(f"/clinics/{other}/agenda", headers=headers)).status_code == 404
            clinics = (await client.get("/clinics", headers=headers)).json()
            assert [each["slug"] for each in clinics["items"]] == [clinic]

        operator = {"Authorization": f"Bearer {await people.sign_in(Person('', 'operator@coravet.test', PASSWORD))}"}
        clinics = (await client.get("/clinics", headers=operator)).json()
        assert [each["slug"] for each in clinics["items"]] == ["la-concordia", "quininde"]
        assert (await client.get("/clinics/quininde/agenda", headers=operator)).status_code == 404


async def test_newcomer(fresh_database: Settings, auth_emulator: str, people: People) -> None:
    """With the shipped texts published all have accepted them, by chains that hold, but the newcomer, whom the gate
    stops; a second start publishes nothing and decides for nobody who decided."""
    settings = fresh_database.model_copy(update={"firebase_auth_emulator_host": auth_emulator})
    told: list[str] = []
    app = application(settings)
    async with (
        app.litestar.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://test/api/v1") as client,
    ):

        async def start() -> None:
            await publish_shipped(settings, told.append)
            await demo.load(settings, auth_emulator, told.append, Frozen())

        async def met(email: str) -> tuple[set[str], int]:
            """What is open to a person, and how their clinics are answered."""
            headers = {"Authorization": f"Bearer {await people.sign_in(Person('', email, PASSWORD))}"}
            session = (await client.get("/session", headers=headers)).json()
            asked = await client.get("/clinics", headers=headers)
            return {each["slug"] for each in session["legal"]["pending"]}, asked.status_code

        await start()
        assert told[0].startswith("Published the legal texts: terms ")
        for person in PEOPLE:
            wanted = ({"terms", "privacy"}, 403) if person.email == NEWCOMER else (set(), 200)
            assert await met(person.email) == wanted, person.email
        async with services(settings) as commands:
            found = await verify(commands.apart, commands.system_begin)
        assert (found.chains, found.entries, found.problems) == (3, 16, [])
        headers = {"Authorization": f"Bearer {await people.sign_in(Person('', PEOPLE[4].email, PASSWORD))}"}
        mine = (await client.get("/legal/acceptances", headers=headers)).json()["items"]
        shown = {name: mine[0][name] for name in ("slug", "version", "locale", "sha256")}
        taken_back = await client.post("/legal/acceptances", headers=headers, json={**shown, "decision": "withdrawn"})
        assert taken_back.status_code == 201
        await start()
        assert len(told) == 3
        assert (await met(PEOPLE[4].email))[0] == {shown["slug"]}
