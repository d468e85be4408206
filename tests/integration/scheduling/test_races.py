"""What happens when several want the same thing in the same moment, on real PostgreSQL."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.http.service import EVERY_HOUR, Clinic, Service, superuser
from tests.integration.scheduling.races import codes, overlaps

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.scheduling.errors import SlotTaken
from coravet.core.scheduling.history import step_taken
from coravet.core.scheduling.model import Allocation, Appointment


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic, fresh for each race."""
    return await service.equip(await service.open_clinic("carrera"))


async def _book(service: Service, clinic: Clinic, body: dict[str, Any]) -> httpx.Response:
    return await service.ask("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=body)


async def test_one_slot(service: Service, clinic: Clinic) -> None:
    """Of 200 attempts on one slot at once exactly one succeeds, 199 are `slot_taken`, and none is a fault."""
    body = clinic.visit()
    answers = await asyncio.gather(*(_book(service, clinic, body) for _ in range(200)))
    assert codes(answers) == {"201": 1, "slot_taken": 199}
    day = body["starts_at"][:10]
    agenda = [
        item
        for date in (day, (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat())
        for item in (await service.done("GET", f"/clinics/{clinic.slug}/agenda?date={date}", clinic.owner))["items"]
    ]
    at = datetime.fromisoformat(body["starts_at"]).astimezone(UTC)
    assert len([item for item in agenda if datetime.fromisoformat(item["starts_at"]) == at]) == 1


async def test_overlapping_slots(service: Service, clinic: Clinic) -> None:
    """Attempts that overlap in part, in any order, leave no two visits on one resource at one time, and no fault."""
    first = datetime.fromisoformat(clinic.slot())
    starts = [(first + timedelta(minutes=random.Random(7).randrange(0, 240, 5))).isoformat() for _ in range(40)]  # noqa: S311 -- chosen once, repeatable
    starts += [(first + timedelta(minutes=5 * step)).isoformat() for step in range(40)]
    answers = await asyncio.gather(*(_book(service, clinic, clinic.visit(start)) for start in starts))
    assert set(codes(answers)) == {"201", "slot_taken"}
    assert await overlaps(service, clinic) == 0


async def test_overbooking(service: Service, clinic: Clinic) -> None:
    """Overbooked at once, each visit gets a lane of its own until the lanes are full."""
    body = clinic.visit() | {"overbook": True}
    answers = await asyncio.gather(*(_book(service, clinic, body) for _ in range(20)))
    assert codes(answers) == {"201": 4, "slot_taken": 16}
    assert sorted(answer.json()["lane"] for answer in answers if answer.is_success) == [0, 1, 2, 3]


async def test_crossing_resources(service: Service, clinic: Clinic) -> None:
    """Bookings that need the same resources, named in opposite orders and through two services, do not deadlock."""
    base, ids = f"/clinics/{clinic.slug}", clinic.ids
    pairs = []
    for resources in ([ids["resource_id"], ids["room_id"]], [ids["room_id"], ids["resource_id"]]):
        wanted = {"name": "Cirugía", "duration_minutes": 30, "resource_ids": resources}
        pairs.append((resources, (await service.done("POST", f"{base}/services", clinic.owner, json=wanted))["id"]))
    bodies = []
    for _ in range(20):
        start = clinic.slot()
        for resources, service_id in pairs:
            bodies.append(clinic.visit(start) | {"service_id": service_id, "resource_ids": resources})
    answers = await asyncio.gather(*(_book(service, clinic, body) for body in bodies))
    assert codes(answers) == {"201": 20, "slot_taken": 20}
    assert await overlaps(service, clinic) == 0


async def test_freed_slot(service: Service, clinic: Clinic) -> None:
    """A slot that is cancelled while others ask for it goes to at most one of them."""
    body = clinic.visit()
    held = (await _book(service, clinic, body)).json()
    cancel = service.ask("POST", f"/clinics/{clinic.slug}/appointments/{held['id']}/cancel", clinic.owner)
    cancelled, *answers = await asyncio.gather(cancel, *(_book(service, clinic, body) for _ in range(30)))
    assert cancelled.status_code == 200
    found = codes(answers)
    assert set(found) <= {"201", "slot_taken"}
    assert found["201"] <= 1
    assert await overlaps(service, clinic) == 0


async def test_steps(service: Service, clinic: Clinic) -> None:
    """A step that ten people take at once is taken once."""
    visit = clinic.ids["appointment_id"]
    at = f"/clinics/{clinic.slug}/appointments/{visit}/check-in"
    answers = await asyncio.gather(*(service.ask("POST", at, clinic.owner) for _ in range(10)))
    assert codes(answers) == {"200": 1, "invalid_transition": 9}


VERSIONED = {
    "clients/client_id": "given_name",
    "patients/patient_id": "name",
    "services/service_id": "name",
    "resources/resource_id": "name",
}


@pytest.mark.parametrize(("path", "field"), VERSIONED.items(), ids=VERSIONED)
async def test_same_version(path: str, field: str, service: Service, clinic: Clinic) -> None:
    """Of several changes from the same version one wins and the others learn the version they missed; those that name
    none all happen, one after the other."""
    noun, _, key = path.partition("/")
    at = f"/clinics/{clinic.slug}/{noun}/{clinic.ids[key]}"
    seen = (await service.done("GET", at, clinic.owner))["version"]
    changes: list[dict[str, Any]] = [{"version": seen, field: f"Ana {letter}"} for letter in "ABCDEFGHIJ"]
    answers = await asyncio.gather(*(service.ask("PATCH", at, clinic.owner, json=change) for change in changes))
    assert codes(answers) == {"200": 1, "stale_version": 9}
    assert {answer.json()["version"] for answer in answers} == {seen + 1}
    [won] = [answer.json() for answer in answers if answer.is_success]
    assert (await service.done("GET", at, clinic.owner))[field] == won[field]
    for change in changes:
        del change["version"]
    answers = await asyncio.gather(*(service.ask("PATCH", at, clinic.owner, json=change) for change in changes))
    assert codes(answers) == {"200": 10}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(seen + 2, seen + 12))


async def test_last_owners(service: Service) -> None:
    """Two owners who demote each other, or themselves, at once: one stays."""
    for target in ("each other", "themselves"):
        clinic = await service.open_clinic("carrera")
        await service.join(clinic, "vet")
        members, owners = f"/clinics/{clinic.slug}/members", [clinic.owner, clinic.people["vet"]]
        ids = [clinic.ids["owner_member_id"], clinic.ids["vet_member_id"]]
        await service.done("PATCH", f"{members}/{ids[1]}", clinic.owner, json={"roles": ["owner"]})
        targets = ids[::-1] if target == "each other" else ids
        answers = await asyncio.gather(
            *(
                service.ask("PATCH", f"{members}/{target_id}", who, json={"roles": ["staff"]})
                for who, target_id in zip(owners, targets, strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers)[0] == 200
        assert {answer.status_code for answer in answers} <= {200, 403, 409}
        async with superuser(service.settings) as admin:
            left = "SELECT count(*) FROM members WHERE clinic_id = $1 AND active AND 'owner' = ANY (roles)"
            assert await admin.fetchval(left, clinic.id) == 1


async def test_same_document(service: Service, clinic: Clinic) -> None:
    """One document registered by ten people at once is one client; the others are told that it exists."""
    person = {
        "given_name": "Ana",
        "family_name": "Pérez",
        "document_type": "cedula",
        "document_number": "2300000003",
    }
    at = f"/clinics/{clinic.slug}/clients"
    answers = await asyncio.gather(*(service.ask("POST", at, clinic.owner, json=person) for _ in range(10)))
    assert codes(answers) == {"201": 1, "duplicate": 9}


async def test_invitation(service: Service, clinic: Clinic) -> None:
    """An invitation accepted ten times at once makes one member."""
    person = await service.people.create("vet")
    who = {"Authorization": f"Bearer {await service.people.sign_in(person)}"}
    offer = {"email": person.email, "roles": ["vet"]}
    invited = await service.done("POST", f"/clinics/{clinic.slug}/invitations", clinic.owner, json=offer)
    at = f"/invitations/{invited['token']}/accept"
    answers = await asyncio.gather(*(service.ask("POST", at, who) for _ in range(10)))
    assert codes(answers) == {"200": 1, "invitation_closed": 9}


async def test_hours(service: Service, clinic: Clinic) -> None:
    """Weekly hours that several replace at once are one of the weeks sent, whole."""
    at = f"/clinics/{clinic.slug}/resources/{clinic.ids['resource_id']}/hours"
    weeks = [
        {"spans": [{"weekday": day, "opens": f"{hour:02}:00", "closes": "20:00"} for day in range(1, 8)]}
        for hour in range(5, 13)
    ]
    answers = await asyncio.gather(*(service.ask("PUT", at, clinic.owner, json=week) for week in [*weeks, EVERY_HOUR]))
    assert {answer.status_code for answer in answers} <= {200, 409}
    spans = (await service.done("GET", at, clinic.owner))["spans"]
    assert {"spans": spans} in [*weeks, EVERY_HOUR]


async def test_past_the_lock(service: Service, clinic: Clinic) -> None:
    """Where two would book one time without the lock, the constraint lets one through, and tells the other so."""
    visit = UUID((await service.book(clinic))["id"])
    actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="UTC", user_id=None)
    count = "SELECT count(*) FROM appointments WHERE clinic_id = $1"
    async with superuser(service.settings) as admin:
        before = await admin.fetchval(count, actor.clinic_id)
        [stored] = await admin.fetch("SELECT * FROM appointments WHERE id = $1", visit)
        [held, *_] = await admin.fetch("SELECT * FROM allocations WHERE appointment_id = $1", visit)
    fields = {name: value for name, value in stored.items() if name in Appointment.__dataclass_fields__}
    with pytest.raises(SlotTaken):  # noqa: PT012 -- the error comes within the work
        async with service.application.works.begin(actor) as work:
            copy = Appointment(**fields | {"id": work.new_id()})
            same = {name: value for name, value in held.items() if name in Allocation.__dataclass_fields__}
            taken = [Allocation(**same | {"id": work.new_id(), "appointment_id": copy.id})]
            await work.diary.add(copy, taken, step_taken(work, copy, "book", None, copy.created_at, by="staff"))
    async with superuser(service.settings) as admin:
        assert await admin.fetchval(count, actor.clinic_id) == before
