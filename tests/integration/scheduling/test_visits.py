"""What becomes of visits: moved, handed over, taken back a step, and every step written down."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tests.integration.http.service import EVERY_HOUR, Clinic, Service, superuser


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic with a second vet, fresh for each test."""
    clinic = await service.equip(await service.open_clinic("citas"))
    base, owner = f"/clinics/{clinic.slug}", clinic.owner
    made = await service.done("POST", f"{base}/resources", owner, json={"kind": "vet", "name": "Otra"})
    clinic.ids["other_vet_id"] = made["id"]
    hours = await service.done("GET", f"{base}/resources/{clinic.ids['resource_id']}/hours", owner)
    spans = [{key: span[key] for key in ("weekday", "opens", "closes")} for span in hours["spans"]]
    await service.done("PUT", f"{base}/resources/{made['id']}/hours", owner, json={"spans": spans})
    both = {"resource_ids": [clinic.ids["resource_id"], made["id"], clinic.ids["room_id"]]}
    await service.done("PATCH", f"{base}/services/{clinic.ids['service_id']}", owner, json=both)
    return clinic


def _visit(clinic: Clinic, visit: Any, step: str = "") -> str:
    return f"/clinics/{clinic.slug}/appointments/{visit['id']}" + (f"/{step}" if step else "")


async def _step(service: Service, clinic: Clinic, visit: Any, step: str, **body: Any) -> Any:
    return await service.done("POST", _visit(clinic, visit, step), clinic.owner, json=body)


async def _code(service: Service, clinic: Clinic, visit: Any, step: str, **body: Any) -> str:
    answer = await service.ask("POST", _visit(clinic, visit, step), clinic.owner, json=body)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])


async def test_reschedule(service: Service, clinic: Clinic) -> None:
    """A moved visit keeps its id and its length; its old time is free, and what it was can still be read."""
    before = await service.book(clinic)
    later = clinic.slot()
    after = await _step(service, clinic, before, "reschedule", starts_at=later, reason="Llueve")
    assert after["id"] == before["id"]
    assert after["version"] == before["version"] + 1
    assert datetime.fromisoformat(after["starts_at"]) == datetime.fromisoformat(later)
    assert [each["kind"] for each in after["resources"]] == ["vet", "room"]
    former = await service.done("GET", _visit(clinic, {"id": after["rescheduled_from_id"]}), clinic.owner)
    assert (former["starts_at"], former["status"], former["rescheduled_to_id"]) == (
        before["starts_at"],
        "cancelled",
        before["id"],
    )
    freed = await service.ask(
        "POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=clinic.visit(before["starts_at"])
    )
    assert freed.status_code == 201


async def test_what_a_visit_was_is_no_visit(service: Service, clinic: Clinic) -> None:
    """Neither the agenda nor a list shows what a visit was before it moved, and no step can be taken with it."""
    before = await service.book(clinic)
    after = await _step(service, clinic, before, "reschedule", starts_at=clinic.slot())
    listed = await service.done("GET", f"/clinics/{clinic.slug}/appointments", clinic.owner)
    assert after["rescheduled_from_id"] not in {each["id"] for each in listed["items"]}
    day = (datetime.fromisoformat(before["starts_at"]) - timedelta(hours=5)).date()
    agenda = await service.done("GET", f"/clinics/{clinic.slug}/agenda?date={day}", clinic.owner)
    assert after["rescheduled_from_id"] not in {each["id"] for each in agenda["items"]}
    former = {"id": after["rescheduled_from_id"]}
    assert await _code(service, clinic, former, "back") == "invalid_transition"
    assert await _code(service, clinic, former, "reschedule", starts_at=clinic.slot()) == "invalid_transition"


async def test_moving_within_its_own_time(service: Service, clinic: Clinic) -> None:
    """A visit does not stand in its own way when it is moved by less than its length."""
    visit = await service.book(clinic)
    later = (datetime.fromisoformat(visit["starts_at"]) + timedelta(minutes=10)).isoformat()
    moved = await _step(service, clinic, visit, "reschedule", starts_at=later)
    assert datetime.fromisoformat(moved["starts_at"]) == datetime.fromisoformat(later)


async def test_a_refused_move_changes_nothing(service: Service, clinic: Clinic) -> None:
    """Where somebody holds the time, the visit stays where and as it was."""
    visit, other = await service.book(clinic), await service.book(clinic)
    vet = [clinic.ids["resource_id"]]
    assert (
        await _code(service, clinic, visit, "reschedule", starts_at=other["starts_at"], resource_ids=vet)
        == "slot_taken"
    )
    assert await service.done("GET", _visit(clinic, visit), clinic.owner) == visit


async def test_move_of_an_old_version(service: Service, clinic: Clinic) -> None:
    """A move that names a version that is gone is refused."""
    visit = await service.book(clinic)
    await _step(service, clinic, visit, "reschedule", starts_at=clinic.slot(), version=visit["version"])
    assert (
        await _code(service, clinic, visit, "reschedule", starts_at=clinic.slot(), version=visit["version"])
        == "stale_version"
    )


async def test_reassign(service: Service, clinic: Clinic) -> None:
    """Another vet takes over at the same time, until the exam is done; the first vet is free then."""
    visit = await service.book(clinic)
    await _step(service, clinic, visit, "check-in")
    other = clinic.ids["other_vet_id"]
    handed = await _step(service, clinic, visit, "reassign", resource_ids=[other], reason="Emergencia")
    assert (handed["id"], handed["starts_at"], handed["status"]) == (visit["id"], visit["starts_at"], "checked_in")
    assert handed["resources"][0]["id"] == other
    for step in ("start", "ready"):
        await _step(service, clinic, visit, step)
    assert await _code(service, clinic, visit, "reassign", resource_ids=[other]) == "invalid_transition"


async def test_a_resource_that_does_not_serve(service: Service, clinic: Clinic) -> None:
    """A resource of the clinic that does not serve the service has a code of its own; a stranger's is not found."""
    base = f"/clinics/{clinic.slug}"
    made = await service.done("POST", f"{base}/resources", clinic.owner, json={"kind": "vet", "name": "Ajena"})
    body = clinic.visit() | {"resource_ids": [made["id"]]}
    answer = await service.ask("POST", f"{base}/appointments", clinic.owner, json=body)
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        ("/resource_ids/0", "resource_not_suited")
    ]
    answer = await service.ask("POST", f"{base}/appointments", clinic.owner, json=body | {"resource_ids": [clinic.id]})
    assert answer.status_code == 404


async def test_deceased(service: Service, clinic: Clinic) -> None:
    """Nobody books for a patient that has died."""
    await service.done("POST", f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}/deceased", clinic.owner)
    answer = await service.ask("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=clinic.visit())
    assert (answer.status_code, answer.json()["code"]) == (409, "patient_deceased")


async def test_back_to_a_time_that_was_taken(service: Service, clinic: Clinic) -> None:
    """A cancelled visit comes back with its time, unless somebody has it now."""
    visit = await service.book(clinic)
    await _step(service, clinic, visit, "cancel", reason="Viaja")
    back = await _step(service, clinic, visit, "back", reason="Sí viene")
    assert (back["status"], back["starts_at"]) == ("confirmed", visit["starts_at"])
    body = clinic.visit(visit["starts_at"])
    taken = await service.ask("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=body)
    assert taken.json()["code"] == "slot_taken"
    await _step(service, clinic, visit, "cancel")
    await service.done("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=body)
    assert await _code(service, clinic, visit, "back") == "slot_taken"


async def test_back_after_a_death(service: Service, clinic: Clinic) -> None:
    """A cancelled visit of a patient that has died since cannot be taken back, nor one under way be given to others."""
    visit, other = await service.book(clinic), await service.book(clinic)
    await _step(service, clinic, visit, "cancel")
    await _step(service, clinic, other, "check-in")
    await service.done("POST", f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}/deceased", clinic.owner)
    assert await _code(service, clinic, visit, "back") == "patient_deceased"
    assert await _code(service, clinic, other, "reassign", resource_ids=[clinic.ids["other_vet_id"]]) == (
        "patient_deceased"
    )
    assert (await _step(service, clinic, other, "start"))["status"] == "in_exam"


async def test_back_into_a_closure(service: Service, clinic: Clinic) -> None:
    """A cancelled visit cannot come back into a closure, which would have had to list it."""
    visit = await service.book(clinic)
    await _step(service, clinic, visit, "cancel")
    day = (datetime.fromisoformat(visit["starts_at"]) - timedelta(hours=5)).date().isoformat()
    closure = {"starts_on": day, "keep_bookings": True}
    await service.done("POST", f"/clinics/{clinic.slug}/closures", clinic.owner, json=closure)
    assert await _code(service, clinic, visit, "back") == "outside_hours"


async def test_whom_a_move_does_not_name_stays(service: Service, clinic: Clinic) -> None:
    """Who takes over finds the patient in the room where it is, though another would be assigned first."""
    base = f"/clinics/{clinic.slug}"
    room = await service.done("POST", f"{base}/resources", clinic.owner, json={"kind": "room", "name": "zona 2"})
    await service.done("PUT", f"{base}/resources/{room['id']}/hours", clinic.owner, json=EVERY_HOUR)
    ids = clinic.ids
    everybody = [ids["resource_id"], ids["other_vet_id"], ids["room_id"], room["id"]]
    await service.done("PATCH", f"{base}/services/{ids['service_id']}", clinic.owner, json={"resource_ids": everybody})
    wanted = clinic.visit() | {"resource_ids": [ids["resource_id"], room["id"]]}
    visit = await service.done("POST", f"{base}/appointments", clinic.owner, json=wanted)
    handed = await _step(service, clinic, visit, "reassign", resource_ids=[ids["other_vet_id"]])
    assert [each["id"] for each in handed["resources"]] == [ids["other_vet_id"], room["id"]]


async def test_overbooking_takes_what_is_free(service: Service, clinic: Clinic) -> None:
    """Who overbooks a vet gets a room that nobody has; and where an overbooked visit is, an ordinary one is not."""
    base = f"/clinics/{clinic.slug}"
    room = await service.done("POST", f"{base}/resources", clinic.owner, json={"kind": "room", "name": "Z"})
    await service.done("PUT", f"{base}/resources/{room['id']}/hours", clinic.owner, json=EVERY_HOUR)
    ids = clinic.ids
    everybody = [ids["resource_id"], ids["other_vet_id"], ids["room_id"], room["id"]]
    await service.done("PATCH", f"{base}/services/{ids['service_id']}", clinic.owner, json={"resource_ids": everybody})
    first = await service.book(clinic)
    same = clinic.visit(first["starts_at"])
    beside = await service.done("POST", f"{base}/appointments", clinic.owner, json=same | {"overbook": True})
    rooms = {each["id"] for visit in (first, beside) for each in visit["resources"] if each["kind"] == "room"}
    assert rooms == {ids["room_id"], room["id"]}
    third = await service.ask(
        "POST", f"{base}/appointments", clinic.owner, json=same | {"resource_ids": [ids["other_vet_id"]]}
    )
    assert third.json()["code"] == "slot_taken"
    await _step(service, clinic, first, "cancel")
    ordinary = await service.ask("POST", f"{base}/appointments", clinic.owner, json=same)
    assert ordinary.json()["code"] == "slot_taken"


@pytest.mark.parametrize("retired", ["vets", "rooms"])
async def test_nobody_left_to_serve(retired: str, service: Service, clinic: Clinic) -> None:
    """A service whose vets, or rooms, are all retired can be had by nobody, rather than without them."""
    base, ids = f"/clinics/{clinic.slug}", clinic.ids
    visit = await service.book(clinic)
    gone = [ids["resource_id"], ids["other_vet_id"]] if retired == "vets" else [ids["room_id"]]
    for each in gone:
        await service.done("DELETE", f"{base}/resources/{each}", clinic.owner)
    free = await service.done("GET", f"{base}/availability?service={ids['service_id']}", clinic.owner)
    assert [slot for day in free["days"] for slot in day["slots"]] == []
    left = ids["room_id"] if retired == "vets" else ids["resource_id"]
    answer = await service.ask(
        "POST", f"{base}/appointments", clinic.owner, json=clinic.visit() | {"resource_ids": [left]}
    )
    assert answer.status_code in {409, 422}
    assert await _code(service, clinic, visit, "reschedule", starts_at=clinic.slot()) == "outside_hours"


async def test_history(service: Service, clinic: Clinic) -> None:
    """Every step is written down with who took it and why, and where it left the visit."""
    visit = await service.book(clinic)
    staff = await service.join(clinic, "staff")
    await service.done("POST", _visit(clinic, visit, "check-in"), staff)
    await _step(service, clinic, visit, "back", reason="Se equivocó de cita")
    later = clinic.slot()
    await _step(service, clinic, visit, "reschedule", starts_at=later, reason="Llueve")
    await _step(service, clinic, visit, "no-show")
    history = await service.done("GET", _visit(clinic, visit, "history"), clinic.owner)
    assert [(each["step"], each["from_status"], each["to_status"], each["reason"]) for each in history["items"]] == [
        ("book", None, "confirmed", None),
        ("check-in", "confirmed", "checked_in", None),
        ("back", "checked_in", "confirmed", "Se equivocó de cita"),
        ("reschedule", "confirmed", "confirmed", "Llueve"),
        ("no-show", "confirmed", "no_show", None),
    ]
    assert {each["by"] for each in history["items"]} == {"staff"}
    assert [each["user"]["name"] for each in history["items"]] == ["owner", "staff", "owner", "owner", "owner"]
    moved = [datetime.fromisoformat(each["starts_at"]) for each in history["items"]]
    assert moved[2] == datetime.fromisoformat(visit["starts_at"])
    assert moved[3] == datetime.fromisoformat(later)


@pytest.mark.parametrize("change", ["UPDATE {} SET step = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_history_is_kept(change: str, service: Service, clinic: Clinic) -> None:
    """Not even a superuser, nor a replica's session, changes or drops what was written down."""
    async with superuser(service.settings) as admin:
        for role in ("origin", "replica"):
            await admin.execute(f"SET session_replication_role = {role}")
            with pytest.raises(asyncpg.RestrictViolationError):
                await admin.execute(change.format("appointment_transitions"))


async def test_a_reason_can_be_forgotten(service: Service, clinic: Clinic) -> None:
    """What somebody wrote as a reason can be cleared, and nothing else along with it."""
    visit = await service.book(clinic)
    await _step(service, clinic, visit, "cancel", reason="Su hija está enferma")
    async with superuser(service.settings) as admin:
        with pytest.raises(asyncpg.RestrictViolationError):
            await admin.execute(
                "UPDATE appointment_transitions SET reason = NULL, step = 'x' WHERE appointment_id = $1", visit["id"]
            )
        with pytest.raises(asyncpg.RestrictViolationError):
            await admin.execute(
                "UPDATE appointment_transitions SET reason = 'otra' WHERE appointment_id = $1", visit["id"]
            )
        await admin.execute("UPDATE appointment_transitions SET reason = NULL WHERE appointment_id = $1", visit["id"])
    history = await service.done("GET", _visit(clinic, visit, "history"), clinic.owner)
    assert {each["reason"] for each in history["items"]} == {None}
