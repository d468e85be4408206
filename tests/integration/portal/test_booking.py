"""Guests who ask what is free, hold a time, and book it."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from tests.integration.http.service import EVERY_HOUR, Clinic, Service, superuser
from tests.integration.parts.texts import shown
from tests.integration.portal.parts import book, booked, configure, execute, hold, instant, rows, stranger

TERMS = shown("portal-terms")


async def _events(service: Service, clinic: Clinic, before: int) -> list[str]:
    return [row["kind"] for row in sorted(await rows(service, clinic, "outbox"), key=lambda row: row["id"])][before:]


async def _portal(service: Service, clinic: Clinic, path: str, params: dict[str, str] | None = None) -> Any:
    return await service.ask("GET", f"/portal/clinics/{clinic.slug}/{path}", params=params)


async def test_what_is_offered(service: Service, clinic: Clinic) -> None:
    """The form learns which services there are, and when they are free: those that are booked online, and no other."""
    found = (await _portal(service, clinic, "services")).json()
    assert found["items"] == [
        {
            "id": clinic.ids["service_id"],
            "name": "Consulta",
            "duration_minutes": 30,
            "color": None,
            "species": [],
        }
    ]
    url = f"{service.settings.public_url}/api/v1/legal/documents/portal-terms/0.1.en.md"
    terms = {**shown("portal-terms", locale="en"), "url": url, "title": "Texto de prueba", "clinic": None}
    assert found["accept"] == terms
    assert (await _portal(service, clinic, "availability", {"service": clinic.ids["service_id"]})).status_code == 200
    await configure(service, clinic, bookable_online=False)
    assert (await _portal(service, clinic, "services")).json()["items"] == []
    closed = [
        await _portal(service, clinic, "availability", {"service": clinic.ids["service_id"]}),
        await hold(service, clinic, clinic.slot()),
        await book(service, clinic),
    ]
    unknown = [
        await _portal(service, clinic, "availability", {"service": str(uuid4())}),
        await hold(service, clinic, clinic.slot(), service_id=str(uuid4())),
        await book(service, clinic, clinic.guest(service_id=str(uuid4()))),
    ]
    for one, other in zip(closed, unknown, strict=True):
        assert one.status_code == 404
        assert one.json() | {"request_id": ""} == other.json() | {"request_id": ""}


@pytest.mark.parametrize("slug", ["ninguna", "ni%00nguna"])
async def test_no_such_clinic(service: Service, clinic: Clinic, slug: str) -> None:
    """Where there is no clinic, there is nothing."""
    clinic.slug = slug
    answers = [
        await _portal(service, clinic, "services"),
        await _portal(service, clinic, "availability", {"service": clinic.ids["service_id"]}),
        await hold(service, clinic, clinic.slot()),
        await book(service, clinic),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4


async def test_notice_and_horizon(service: Service, clinic: Clinic) -> None:
    """What lies too near or too far ahead, or between the slots, is neither offered nor booked."""
    await configure(service, clinic, minimum_notice_minutes=2 * 1440, horizon_days=3)
    now = datetime.now(UTC)
    days = (await _portal(service, clinic, "availability", {"service": clinic.ids["service_id"]})).json()["days"]
    starts = [instant(slot["starts_at"]) for day in days for slot in day["slots"]]
    assert starts
    assert min(starts) >= now + timedelta(days=2)
    assert max(starts) < now + timedelta(days=4)
    wrong = {
        "too_soon": now + timedelta(days=1),
        "too_far": now + timedelta(days=5),
        "not_offered": starts[-1] - timedelta(minutes=7),
    }
    for code, start in wrong.items():
        at = start if code == "not_offered" else start.replace(minute=0, second=0, microsecond=0)
        for answer in (
            await hold(service, clinic, at.isoformat()),
            await book(service, clinic, clinic.guest(at.isoformat())),
        ):
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
            assert answer.json()["errors"][0]["pointer"] == "/starts_at"
    assert (await book(service, clinic, clinic.guest(starts[-1].isoformat()))).status_code == 201


@pytest.mark.parametrize(("confirming", "status"), [(True, "requested"), (False, "confirmed")])
async def test_booking(service: Service, clinic: Clinic, confirming: bool, status: str) -> None:
    """A guest's booking is a visit, told to staff and by message; the answer repeats what they wrote."""
    await configure(service, clinic, guest_needs_confirmation=confirming)
    before = len(await rows(service, clinic, "outbox"))
    person = stranger(email="ana@correo.test")
    body = clinic.guest(client=person, patient={"name": " Luna ", "species": "cat"}, reason="cojea")
    made = await booked(service, clinic, body)
    assert made["client"] == person | {"phone": f"+593{person['phone'][1:]}"}
    assert made["patient"] == {"name": "Luna", "species": "cat"}
    assert (made["status"], made["vet"], made["clinic"]["slug"]) == (status, "vet", clinic.slug)
    assert instant(made["starts_at"]) == instant(body["starts_at"])
    assert made["token"] == made["tokens"]["see"]
    assert len(set(made["tokens"].values())) == 4
    created = ["client.created", "patient.created"]
    told = {"requested": "appointment.requested", "confirmed": "appointment.booked"}[status]
    assert Counter(await _events(service, clinic, before)) == Counter([*created, told])
    seen = await service.done("GET", f"/clinics/{clinic.slug}/appointments/{made['id']}", clinic.owner)
    assert (seen["status"], seen["source"], seen["reason"], seen["lane"]) == (status, "portal", "cojea", 0)
    assert seen["client"]["name"] == f"Ana {person['family_name']}"
    [asked] = [row for row in await rows(service, clinic, "guest_requests") if str(row["appointment_id"]) == made["id"]]
    assert (asked["email"], asked["accepted_sha256"]) == ("ana@correo.test", TERMS["sha256"])
    messages = [row for row in await rows(service, clinic, "messages") if str(row["subject_id"]) == made["id"]]
    kind = {"requested": "visit_requested", "confirmed": "visit_booked"}[status]
    assert {(row["kind"], row["channel"]) for row in messages} == {(kind, "mail"), (kind, "whatsapp")}
    [step] = [
        row
        for row in await rows(service, clinic, "appointment_transitions")
        if str(row["appointment_id"]) == made["id"]
    ]
    assert (step["step"], step["by"], step["user_id"]) == ("book", "guest", None)


async def test_known_or_not(service: Service, clinic: Clinic) -> None:
    """Nobody learns from an answer whether the clinic knows them: statuses, fields and wording are the same, be the
    client known by phone and name or by document, be the patient known, deceased or new; and what is kept stays.
    """
    cedula = {"document_type": "cedula", "document_number": "2300000003"}
    known = {"given_name": "Rosa", "family_name": "Ñauta", "phone": "+593987654321", "email": "r@correo.test"} | cedula
    at = f"/clinics/{clinic.slug}"
    kept = await service.done("POST", f"{at}/clients", clinic.owner, json=known)
    pets = {}
    for name in ("Toby", "Max"):
        body = {"client_id": kept["id"], "name": name, "species": "dog"}
        pets[name] = (await service.done("POST", f"{at}/patients", clinic.owner, json=body))["id"]
    await service.done("POST", f"{at}/patients/{pets['Max']}/deceased", clinic.owner)
    by_phone = {"given_name": "ROSA", "family_name": " nauta", "phone": "0987654321"}
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "unknown": (stranger(), "Toby"),
        "by phone and name": (by_phone | {"email": "otra@correo.test"}, "toby"),
        "by document": (stranger(given_name="R.", **cedula), "TOBY"),
        "deceased": (by_phone, "Max"),
        "new patient": (by_phone, "Kira"),
        "shared phone": (stranger(phone="0987654321"), "Toby"),
        "another's document": (by_phone | cedula | {"document_number": "1714307103"}, "Toby"),
    }
    shapes, patients, clients = {}, {}, {}
    for name, (person, pet) in cases.items():
        made = await booked(service, clinic, clinic.guest(client=person, patient={"name": pet, "species": "dog"}))
        assert made["client"]["given_name"] == person["given_name"]
        assert made["client"]["email"] == person.get("email")
        assert made["patient"]["name"] == pet
        seen = await service.done("GET", f"{at}/appointments/{made['id']}", clinic.owner)
        patients[name], clients[name] = seen["patient"]["id"], seen["client"]["id"]
        for stored in (kept["id"], pets["Toby"], pets["Max"], "r@correo.test", "Ñauta", "2300000003"):
            assert stored not in str(made), name
        shapes[name] = _shape(made)
    assert len(set(shapes.values())) == 1
    assert {name for name, client in clients.items() if client == kept["id"]} == {
        "by phone and name", "by document", "deceased", "new patient",
    }  # fmt: skip
    assert {name for name, patient in patients.items() if patient == pets["Toby"]} == {
        "by phone and name", "by document",
    }  # fmt: skip
    assert patients["deceased"] != pets["Max"]
    assert await service.done("GET", f"{at}/clients/{kept['id']}", clinic.owner) == kept


def _shape(value: Any) -> str:
    """What an answer looks like, whatever was written in it."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_shape(each)}" for key, each in value.items() if key != "email") + "}"
    return f"[{','.join(map(_shape, value))}]" if isinstance(value, list) else type(value).__name__


async def test_at_once(service: Service, clinic: Clinic) -> None:
    """Of one new person's bookings at once, with a document or without, one makes the client and the others find it,
    though they are for services that have nobody in common and so do not wait for each other's time.
    """
    base, owner = f"/clinics/{clinic.slug}", clinic.owner
    services = []
    for number in range(5):
        vet = await service.done("POST", f"{base}/resources", owner, json={"kind": "vet", "name": f"vet {number}"})
        await service.done("PUT", f"{base}/resources/{vet['id']}/hours", owner, json=EVERY_HOUR)
        offered = {"name": "Baño", "duration_minutes": 30, "resource_ids": [vet["id"]], "bookable_online": True}
        services.append((await service.done("POST", f"{base}/services", owner, json=offered))["id"])
    document = {"document_type": "cedula", "document_number": "2300000003"}
    for more in ({}, document):
        person = stranger(**more)
        pet = {"name": "Lulú", "species": "dog"}
        wanted = [clinic.guest(client=person, patient=pet, service_id=each) for each in services]
        answers = await asyncio.gather(*(book(service, clinic, body) for body in wanted))
        assert {answer.status_code for answer in answers} == {201}
        made = [each["family_name"] for each in await rows(service, clinic, "clients")]
        assert made.count(person["family_name"]) == 1
    assert len([each for each in await rows(service, clinic, "patients") if each["name"] == "Lulú"]) == 2


async def test_registered_meanwhile(service: Service, clinic: Clinic) -> None:
    """A guest whom staff register in the same moment is never told that somebody has their document."""
    document = {"document_type": "cedula", "document_number": "2300000003"}
    person = stranger(**document)
    at = f"/clinics/{clinic.slug}/clients"
    told, *answers = await asyncio.gather(
        service.ask("POST", at, clinic.owner, json=person),
        *(book(service, clinic, clinic.guest(client=person)) for _ in range(5)),
    )
    assert {answer.status_code for answer in answers} == {201}
    assert told.status_code in {201, 409}


async def test_replay(service: Service, clinic: Clinic) -> None:
    """A booking sent again under its key has its effect once, and is answered as before, with links that work."""
    key = {"Idempotency-Key": token_hex(8)}
    body = clinic.guest(client=stranger())
    before = len(await rows(service, clinic, "appointments"))
    answers = await asyncio.gather(*(book(service, clinic, body, headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 4
    secret = {"token": None, "tokens": None}
    assert len({str(answer.json() | secret) for answer in answers}) == 1
    tokens = [answer.json()["token"] for answer in answers]
    assert len(set(tokens)) == 5
    for token in tokens:
        assert (await service.ask("GET", f"/portal/bookings/{token}")).status_code == 200
    assert len(await rows(service, clinic, "appointments")) == before + 1
    assert not [row for row in await rows(service, clinic, "idempotency_keys") if tokens[0].encode() in row["answer"]]
    other = await book(service, clinic, body | {"reason": "otra"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


async def test_hold(service: Service, clinic: Clinic) -> None:
    """A held time is nobody else's, staff included, until it is let go or becomes the visit of who held it."""
    start = clinic.slot()
    held = (await hold(service, clinic, start)).json()
    assert instant(held["expires_at"]) - datetime.now(UTC) > timedelta(minutes=9)
    assert (await book(service, clinic, clinic.guest(start))).json()["code"] == "slot_taken"
    assert (await hold(service, clinic, start)).json()["code"] == "slot_taken"
    staff = await service.ask("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=clinic.visit(start))
    assert staff.json()["code"] == "slot_taken"
    made = await booked(service, clinic, clinic.guest(start, hold=held["token"]))
    assert instant(made["starts_at"]) == instant(start)
    assert (await book(service, clinic, clinic.guest(start, hold=held["token"]))).json()["code"] == "slot_taken"
    other = clinic.slot()
    held = (await hold(service, clinic, other)).json()
    for _ in range(2):
        assert (await service.ask("DELETE", f"/portal/holds/{held['token']}")).status_code == 204
    await booked(service, clinic, clinic.guest(other))
    assert (await service.ask("DELETE", f"/portal/holds/{token_hex(8)}")).status_code == 404


async def test_hold_of_a_full_place(service: Service, clinic: Clinic) -> None:
    """A hold is good although staff overbooked its time meanwhile; without one, no guest sees that time as free."""
    start = clinic.slot()
    held = (await hold(service, clinic, start)).json()
    beside = clinic.visit(start) | {"overbook": True}
    made = await service.done("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=beside)
    assert made["lane"] == 1
    assert (await booked(service, clinic, clinic.guest(start, hold=held["token"])))["status"] == "requested"


async def test_all_lanes(service: Service, clinic: Clinic) -> None:
    """A time that only an overbooked visit takes is free to nobody but those who overbook once more: not offered, held
    nor booked."""
    start = clinic.slot()
    base = f"/clinics/{clinic.slug}/appointments"
    first = await service.done("POST", base, clinic.owner, json=clinic.visit(start))
    await service.done("POST", base, clinic.owner, json=clinic.visit(start) | {"overbook": True})
    await service.done("POST", f"{base}/{first['id']}/cancel", clinic.owner)
    day = {"from": start[:10], "to": start[:10], "service": clinic.ids["service_id"]}
    days = (await _portal(service, clinic, "availability", day)).json()["days"]
    assert instant(start) not in {instant(slot["starts_at"]) for each in days for slot in each["slots"]}
    assert (await hold(service, clinic, start)).json()["code"] == "slot_taken"
    assert (await book(service, clinic, clinic.guest(start))).json()["code"] == "slot_taken"
    staff = await service.ask("POST", base, clinic.owner, json=clinic.visit(start))
    assert staff.json()["code"] == "slot_taken"
    again = await service.done("POST", base, clinic.owner, json=clinic.visit(start) | {"overbook": True})
    assert again["lane"] == 0


async def test_expired_hold(service: Service, clinic: Clinic) -> None:
    """A hold that expired is no obstacle to whoever comes next, nor to who held it while the time is still free."""
    for taken in (False, True):
        start = clinic.slot()
        held = (await hold(service, clinic, start)).json()
        for table, name in (("holds", "id"), ("allocations", "hold_id")):
            await execute(service, f"UPDATE {table} SET expires_at = now() WHERE {name} = $1", UUID(held["id"]))  # noqa: S608 -- names of ours
        if taken:
            await booked(service, clinic, clinic.guest(start))
        answer = await book(service, clinic, clinic.guest(start, hold=held["token"]))
        assert answer.status_code == (409 if taken else 201)


async def test_hold_of_others(service: Service, clinic: Clinic) -> None:
    """A token of another clinic, of another time or of nothing holds nothing, and does no harm."""
    other = await service.equip(await service.open_clinic("vecina"))
    theirs = (await hold(service, other, other.slot())).json()
    for token in (theirs["token"], "nada"):
        await booked(service, clinic, clinic.guest(hold=token))
    held = (await hold(service, clinic, clinic.slot())).json()
    later = clinic.slot()
    made = await booked(service, clinic, clinic.guest(later, hold=held["token"]))
    assert instant(made["starts_at"]) == instant(later)


async def test_hold_replayed(service: Service, clinic: Clinic) -> None:
    """A hold whose answer was lost is had by sending it again under its key: its time is not lost to who held it."""
    wanted = {"service_id": clinic.ids["service_id"], "starts_at": clinic.slot()}
    key, at = {"Idempotency-Key": token_hex(8)}, f"/portal/clinics/{clinic.slug}/holds"
    first, again = [await service.ask("POST", at, json=wanted, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    await booked(service, clinic, clinic.guest(wanted["starts_at"], hold=again.json()["token"]))


async def test_resource(service: Service, clinic: Clinic) -> None:
    """A guest may name who leads the visit; anybody else, be it a room or another clinic's vet, is nobody."""
    other = await service.equip(await service.open_clinic("vecina"))
    answers = [
        await book(service, clinic, clinic.guest(resource_id=each))
        for each in (clinic.ids["resource_id"], clinic.ids["room_id"], other.ids["resource_id"], str(uuid4()))
    ]
    assert [answer.status_code for answer in answers] == [201, 404, 404, 404]


async def test_species(service: Service, clinic: Clinic) -> None:
    """A service for cats is not booked for a dog, and the form learns which field to mend."""
    await configure(service, clinic, species=["cat"])
    answer = await book(service, clinic)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/patient/species")


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"client": {"given_name": " ", "family_name": "P", "phone": "12"}}, {"/client/given_name", "/client/phone"}),
        ({"client": {"phone": 7}}, {"/client/given_name", "/client/family_name", "/client/phone"}),
        (
            {"client": stranger(document_type="cedula", document_number="1714307104")},
            {"/client/document_number"},
        ),
        ({"client": stranger(document_type="cedula")}, {"/client/document_number"}),
        ({"patient": {"name": "", "species": "dragon"}}, {"/patient/name", "/patient/species"}),
        ({"accepted": {}}, {"/accepted/slug", "/accepted/version", "/accepted/locale", "/accepted/sha256"}),
        ({"accepted": {**TERMS, "sha256": "x"}}, {"/accepted/sha256"}),
        ({"reason": "x" * 501}, {"/reason"}),
        ({"hold": "x" * 129, "precio": 3}, {"/hold", "/precio"}),
        ({"starts_at": "mañana"}, {"/starts_at"}),
    ],
)
async def test_garbage(service: Service, clinic: Clinic, changes: dict[str, Any], pointers: set[str]) -> None:
    """Each bad field is told by its place, in Spanish and in English, and nothing is stored."""
    before = await rows(service, clinic, "clients")
    told = []
    for language in ("es", "en"):
        answer = await book(service, clinic, clinic.guest(**changes), headers={"Accept-Language": language})
        assert answer.status_code == 422, answer.text
        assert {error["pointer"] for error in answer.json()["errors"]} == pointers
        told.append([error["detail"] for error in answer.json()["errors"]])
    assert not set(told[0]) & set(told[1])
    assert await rows(service, clinic, "clients") == before


async def test_too_large(service: Service, clinic: Clinic) -> None:
    """A body that nobody could have typed is refused unread."""
    body = b'{"reason": "' + b"x" * (service.settings.max_body_bytes + 1) + b'"}'
    answer = await service.ask("POST", f"/portal/clinics/{clinic.slug}/bookings", content=body)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "name", ["Premio! Entre a https://malo.example/x", "www.malo.example", '=HYPERLINK("x")', "a@b.c", "malo.example"]
)
async def test_names_are_names(service: Service, clinic: Clinic, name: str) -> None:
    """What a guest calls themselves and their animal is repeated in the clinic's mails, and so holds no addresses."""
    wanted = clinic.guest()
    for part, field in (("client", "given_name"), ("client", "family_name"), ("patient", "name")):
        answer = await book(service, clinic, wanted | {part: wanted[part] | {field: name}})
        assert answer.status_code == 422
        found = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
        assert found == [(f"/{part}/{field}", "not_a_name")]


async def test_names_of_many_kinds(service: Service, clinic: Clinic) -> None:
    """Accents, apostrophes, initials, hyphens and numbers belong to names."""
    wanted = clinic.guest()
    person = wanted["client"] | {"given_name": "Ma. José", "family_name": "D'Ávila-Ñusta"}
    await booked(service, clinic, wanted | {"client": person, "patient": {"name": "Rocky 2", "species": "dog"}})


async def test_a_new_guest_is_all_theirs(service: Service, clinic: Clinic) -> None:
    """What somebody wrote who was not known before, and from where they accepted the terms, is in their export and goes
    with them."""
    person = {"given_name": "Ximena", "family_name": f"Toapanta{token_hex(3)}", "phone": "0987654300"}
    wanted = clinic.guest(client=person, patient={"name": "Nube", "species": "cat"})
    visit = await booked(service, clinic, wanted)
    found = "SELECT client_id FROM appointments WHERE id = $1"
    async with superuser(service.settings) as admin:
        client_id = await admin.fetchval(found, visit["id"])
        at = f"/clinics/{clinic.slug}/clients/{client_id}"
        archive = await service.ask("POST", f"{at}/export", clinic.owner)
        with ZipFile(BytesIO(archive.content)) as files:
            data = json.loads(files.read("datos.json"))["data"]
        assert [len(data[table]) for table in ("guest_requests", "acceptances", "acceptance_evidence")] == [1, 1, 1]
        await service.done("POST", f"{at}/erase", clinic.owner, json={})
        asked = "SELECT * FROM guest_requests WHERE appointment_id = $1"
        assert person["family_name"] not in str(await admin.fetchrow(asked, visit["id"]))
        left = (
            "SELECT count(*) FROM acceptance_evidence e JOIN acceptances a USING (clinic_id, id)"
            " JOIN guest_requests g ON g.clinic_id = a.clinic_id AND g.id = a.guest_request_id"
            " WHERE g.appointment_id = $1"
        )
        assert await admin.fetchval(left, visit["id"]) == 0
