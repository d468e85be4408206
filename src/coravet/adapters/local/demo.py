"""The demo: people who can sign in, and two clinics at work."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import httpx
from sqlalchemy import insert

from coravet.adapters.local import LocalError
from coravet.adapters.local.demo_clinic import Contents, furnish
from coravet.adapters.local.demo_plans import CLINICS, NEWCOMER, OPERATOR, PASSWORD, PEOPLE, DemoClinic, DemoPerson
from coravet.adapters.local.demo_records import Records, Vet, write_records
from coravet.adapters.postgres import tables
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.clock import Clock, SystemClock
from coravet.core.kernel.fields import wall_time
from coravet.core.legal.accept import NewAcceptance, decide
from coravet.core.legal.documents import DOCUMENTS, REQUIRED_LOCALE
from coravet.core.legal.model import Evidence
from coravet.core.tenancy.clinic_day import time_zone
from coravet.core.tenancy.members import union
from coravet.core.tenancy.model import Clinic, Member
from coravet.settings import Settings


async def load(settings: Settings, emulator_host: str, echo: Callable[[str], None], clock: Clock | None = None) -> None:
    """Make sure of the demo's people in the Auth emulator and, where the database is empty, of its two clinics.

    A database that holds anything else is left alone, and so is a demo that was loaded before, whatever became of it.
    Its people, all but the newcomer, accept the legal texts in force, unless they decided about any before.

    Args:
        emulator_host: host:port.
        echo: is told what was done, for a person to read.

    Raises:
        LocalError: in production, or where the emulator is missing or refuses the people.
    """
    if settings.environment == "production":
        raise LocalError("The demo is not loaded in production: everybody knows its people's password.")
    if not emulator_host:
        raise LocalError("The demo needs the Firebase Auth emulator: set FIREBASE_AUTH_EMULATOR_HOST.")
    now = (clock or SystemClock()).now()
    engine = make_engine(settings)
    try:
        works = Works(engine, ClinicWork, f"{settings.database_role_prefix}_system")
        async with works.system_begin("load demo") as work:
            outcome = await _load(work, emulator_host, settings.firebase_project_id, now)
        await _accept(works, clock or SystemClock())
        echo(outcome)
    finally:
        await engine.dispose()


async def _load(work: ClinicWork, emulator_host: str, project: str, now: datetime) -> str:
    clinics = {row["id"] for row in await work.fetch("SELECT id FROM clinics")}
    uids = {row["firebase_uid"] for row in await work.fetch("SELECT firebase_uid FROM users")}
    loaded = clinics >= {clinic.id for clinic in CLINICS}
    # Who signed in before the demo was there, with an account kept from another start, is no stranger.
    if not loaded and (clinics or uids - {person.uid for person in PEOPLE}):
        return "The demo is not loaded, because the database holds data that is not the demo's"
    await _sign_up(emulator_host, project)
    return "The demo is there already, its people in the emulator too" if loaded else await _fill(work, now)


async def _accept(works: Works[ClinicWork], clock: Clock) -> None:
    """Have the demo's people accept the texts in force, by the use case, so that their chains are like any other."""
    async with works.system_begin("read the demo's people") as work:
        undecided = {
            row["firebase_uid"]: UserId(row["id"])
            for row in await work.fetch(
                "SELECT u.firebase_uid, u.id FROM users u WHERE u.firebase_uid = ANY($1)"
                " AND EXISTS (SELECT FROM clinics c WHERE c.id = ANY($2))"
                " AND NOT EXISTS (SELECT FROM acceptances a WHERE a.user_id = u.id)",
                [person.uid for person in PEOPLE if person.email != NEWCOMER],
                [clinic.id for clinic in CLINICS],
            )
        }
        texts = [
            text
            for document in DOCUMENTS.values()
            if document.blocking and (text := await work.legal_texts.in_force(document.slug, REQUIRED_LOCALE))
        ]
    for person in PEOPLE:
        for text in texts if person.uid in undecided else ():
            of_clinic = DOCUMENTS[text.slug].audience == "clinic"
            if of_clinic and "owner" not in person.roles:
                continue
            command = NewAcceptance(
                slug=text.slug,
                version=text.version,
                locale=text.locale,
                sha256=text.sha256,
                decision="accepted",
                clinic=person.clinic if of_clinic else None,
                screen="demo",
            )
            await decide(command, undecided[person.uid], Evidence(), works.system_begin, clock)


async def _sign_up(emulator_host: str, project: str) -> None:
    """Make the accounts that are missing; one that is there stays as its person left it."""
    base = f"http://{emulator_host}/identitytoolkit.googleapis.com/v1/projects/{project}"
    owner = {"Authorization": "Bearer owner"}
    # Without the environment: a proxy of the machine's has no business with a part of ours.
    async with httpx.AsyncClient(headers=owner, timeout=30, trust_env=False) as client:
        try:
            found = await _post(client, f"{base}/accounts:lookup", {"localId": [person.uid for person in PEOPLE]})
            known = {account["localId"] for account in found.get("users", ())}
            for person in PEOPLE:
                if person.uid in known:
                    continue
                account = {"localId": person.uid, "email": person.email, "password": PASSWORD}
                await _post(client, f"{base}/accounts", {**account, "displayName": person.name, "emailVerified": True})
        except httpx.HTTPStatusError as error:
            raise LocalError(
                f"The Auth emulator refused the demo's people: {error.response.json()['error']['message']}. "
                "Delete the accounts that you made under their addresses, or choose another folder for the data."
            ) from error
        except httpx.TransportError as error:
            raise LocalError(f"The Auth emulator does not answer at {emulator_host}.") from error


async def _post(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(url, json=body)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def _fill(work: ClinicWork, now: datetime) -> str:
    """Store people and clinics; answers how many of what."""
    users = {}
    for person in PEOPLE:
        [row] = await work.fetch(
            "SELECT id FROM sign_in($1, $2, true, $3, $4)", person.uid, person.email, person.name, person.user_id
        )
        users[person.email] = row["id"]
    await work.execute(
        "INSERT INTO operators (user_id, reason) VALUES ($1, 'demo') ON CONFLICT DO NOTHING", users[OPERATOR]
    )
    work.session.add_all(Clinic(clinic.id, clinic.slug, clinic.name, clinic.plan.time_zone) for clinic in CLINICS)
    await work.session.flush()
    counts = Counter[str]()
    for clinic in CLINICS:
        staff = [person for person in PEOPLE if person.clinic == clinic.slug]
        work.session.add_all(
            Member(
                clinic.id,
                person.member_id,
                users[person.email],
                union(person.roles),
                registration_number=person.registration_number,
            )
            for person in staff
        )
        await work.session.flush()
        contents = furnish(clinic.plan, clinic.id, {person.email: person.member_id for person in staff}, now)
        await store(work, clinic.id, contents)
        await _store_records(work, _written(clinic, staff, contents))
        counts.update(clients=len(contents.clients), patients=len(contents.patients), visits=len(contents.appointments))
    return (
        f"Loaded the demo: {len(CLINICS)} clinics, {counts['clients']} clients, {counts['patients']} patients,"
        f" {counts['visits']} visits around today"
    )


def _written(clinic: DemoClinic, staff: Sequence[DemoPerson], contents: Contents) -> Records:
    """What the clinic's vets wrote of its visits."""
    vets = {
        person.member_id: Vet(person.member_id, person.name, person.registration_number)
        for person in staff
        if person.registration_number is not None
    }
    seen_by = {resource.id: vets[resource.member_id] for resource in contents.resources if resource.member_id in vets}
    whose = {
        held.appointment_id: seen_by[held.resource_id] for held in contents.allocations if held.resource_id in seen_by
    }
    services = {service.id: service.name for service in contents.services}
    visits = [
        (visit, services[visit.service_id], whose[visit.id]) for visit in contents.appointments if visit.id in whose
    ]
    patients = {patient.id: patient for patient in contents.patients}
    return write_records(visits, patients, clinic.id, time_zone(clinic.plan.time_zone), clinic.plan.seed)


async def _store_records(work: ClinicWork, records: Records) -> None:
    """Write the records, and sign when all that belongs to an encounter is there: nothing comes in afterwards."""
    session = work.session
    for rows in (
        records.templates,
        records.encounters,
        records.weights,
        records.problems,
        records.changes,
        records.immunizations,
        records.dewormings,
        records.prescriptions,
        records.items,
        records.recalls,
        records.identifiers,
        records.alerts,
    ):
        session.add_all(rows)
        await session.flush()
    records.sign()
    await session.flush()


async def store(work: ClinicWork, clinic_id: ClinicId, contents: Contents) -> None:
    """Write what a clinic holds, each kind before those that refer to it.

    No events: nobody is listening yet, and what the demo says of the past never happened.
    """
    session = work.session
    for rows in (contents.resources, contents.services, contents.clients, contents.patients, contents.parties):
        session.add_all(rows)
        await session.flush()
    await session.execute(
        insert(tables.scheduling.hours),
        [
            {
                "clinic_id": clinic_id,
                "resource_id": resource_id,
                "weekday": span.weekday,
                "opens": wall_time(span.opens),
                "closes": wall_time(span.closes),
                "valid_from": span.valid_from or date.min,
                "valid_until": span.valid_until or date.max,
            }
            for resource_id, span in contents.hours
        ],
    )
    await session.execute(
        insert(tables.scheduling.service_resources),
        [
            {"clinic_id": clinic_id, "service_id": service_id, "resource_id": resource_id}
            for service_id, resource_id in contents.assigned
        ],
    )
    for visits in (contents.appointments, contents.allocations, contents.history):
        session.add_all(visits)
        await session.flush()
