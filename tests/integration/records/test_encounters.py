"""A visit is written down over HTTP: drafts, conflicts, signing, addenda, corrections."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.integration.http.service import Clinic, Headers, Service, superuser

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.records.signing import digest

LATE = "Se quejaba al palpar el oído"


class Visit:
    """One encounter, and requests about it by the clinic's vet."""

    def __init__(self, service: Service, clinic: Clinic, made: Any) -> None:
        self._service = service
        self._clinic = clinic
        self.id = made["id"]
        self.at = f"/clinics/{clinic.slug}/encounters/{made['id']}"

    async def write(self, version: int, who: Headers | None = None, **change: Any) -> httpx.Response:
        """The answer to one write."""
        who = who or self._clinic.people["vet"]
        return await self._service.ask("PATCH", self.at, who, json={"version": version, **change})

    async def post(self, step: str, body: Any, who: Headers | None = None) -> httpx.Response:
        """The answer to a step."""
        return await self._service.ask("POST", f"{self.at}/{step}", who or self._clinic.people["vet"], json=body)

    async def read(self) -> Any:
        """The encounter as it stands."""
        return await self._service.done("GET", self.at, self._clinic.people["vet"])


@pytest.fixture
async def visit(service: Service, clinic: Clinic) -> Visit:
    """An encounter in which nothing is written yet, of a dog of its own."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    animal = {"client_id": clinic.ids["client_id"], "name": "Toby", "species": "dog"}
    dog = await service.done("POST", f"{base}/patients", vet, json=animal)
    made = await service.done("POST", f"{base}/encounters", vet, json={"patient_id": dog["id"], "reason": " Otitis "})
    assert made["reason"] == "Otitis"
    assert made["state"] == "draft"
    return Visit(service, clinic, made)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_drafts(visit: Visit) -> None:
    """A draft takes its parts one by one, keeps what is left out, clears what is null, and keeps lines and blanks."""
    note = {"subjective": "Se rasca\r\n\r\n desde ayer ", "plan": "Gotas"}
    written = (await visit.write(1, note=note, vitals={"weight_kg": 12.5, "heart_rate": 90})).json()
    assert written["version"] == 2
    assert written["note"] == {
        "subjective": "Se rasca\n\n desde ayer ",
        "objective": None,
        "assessment": None,
        "plan": "Gotas",
    }
    written = (await visit.write(2, note={"plan": None}, vitals={"heart_rate": None}, reason="Control")).json()
    assert written["note"]["plan"] is None
    assert written["note"]["subjective"].startswith("Se rasca")
    assert (written["vitals"]["weight_kg"], written["vitals"]["heart_rate"]) == (12.5, None)
    assert written["reason"] == "Control"
    assert written == await visit.read()


async def test_both_texts(visit: Visit, service: Service, clinic: Clinic) -> None:
    """Who names an old version is 409 with the current one, and both texts are kept: theirs beside the note, once."""
    assert (await visit.write(1, note={"objective": "Oído rojo"})).status_code == 200
    for _ in range(2):
        late = await visit.write(1, note={"objective": LATE})
        assert problem(late) == (409, "stale_version")
        assert late.json()["version"] == 2
    shown = await visit.read()
    assert shown["note"]["objective"] == "Oído rojo"
    [aside] = shown["set_aside"]
    assert "kept beside the note" in late.json()["detail"]
    assert aside["id"] == late.json()["set_aside_id"]
    assert aside["note"]["objective"] == LATE
    assert aside["written_from"] == 1
    at = f"/clinics/{clinic.slug}/set-aside-notes/{aside['id']}/dismiss"
    done = await service.done("POST", at, clinic.people["vet"])
    assert done["set_aside"] == []
    assert done["version"] == 2


async def test_numbers_that_come_late(visit: Visit) -> None:
    """A late write without words is 409, and nothing is set aside."""
    await visit.write(1, note={"objective": "Oído rojo"})
    late = await visit.write(1, vitals={"pain": 3})
    assert problem(late) == (409, "stale_version")
    assert "set_aside_id" not in late.json()
    assert (await visit.read())["vitals"]["pain"] is None


async def test_an_answer_was_lost(visit: Visit) -> None:
    """A write that is repeated since its answer was lost succeeds, and changes nothing."""
    body: dict[str, Any] = {"note": {"plan": "Gotas"}, "vitals": {"weight_kg": 12.5}}
    first = (await visit.write(1, **body)).json()
    again = await visit.write(1, **body)
    assert again.status_code == 200
    assert again.json() == first


async def test_a_form_writes_on(visit: Visit) -> None:
    """A form that says who it is writes on from a version of its own; what overtook it on the way stays."""
    form = str(uuid4())

    async def types(version: int, sequence: int, text: str) -> httpx.Response:
        return await visit.write(version, note={"plan": text}, editor={"id": form, "sequence": sequence})

    assert (await types(1, 1, "Go")).json()["version"] == 2
    # Its answer was lost: the form still believes to be at version 1.
    assert (await types(1, 2, "Gotas")).json()["version"] == 3
    late = await types(1, 1, "Go")
    assert (late.status_code, late.json()["note"]["plan"]) == (200, "Gotas")
    # Somebody else writes in between, so that the form must look first.
    assert (await visit.write(3, note={"objective": "Oído rojo"})).json()["version"] == 4
    other = await types(3, 3, "Gotas tres veces")
    assert problem(other) == (409, "stale_version")
    assert (await types(4, 4, "Gotas tres veces")).json()["version"] == 5
    shown = await visit.read()
    assert shown["note"]["plan"] == "Gotas tres veces"
    assert shown["note"]["objective"] == "Oído rojo"
    assert [aside["note"]["plan"] for aside in shown["set_aside"]] == ["Gotas tres veces"]


async def test_parts_that_overtake_each_other(visit: Visit) -> None:
    """A form that sends what changed alone loses nothing where its writes arrive in another order."""
    form = str(uuid4())

    async def types(version: int, sequence: int, **change: Any) -> httpx.Response:
        return await visit.write(version, editor={"id": form, "sequence": sequence}, **change)

    assert (await types(1, 2, note={"subjective": "Se rasca"})).json()["version"] == 2
    late = await types(1, 1, note={"subjective": "Se", "plan": "Gotas"}, vitals={"weight_kg": 12})
    assert late.status_code == 200
    assert late.json()["note"] == {"subjective": "Se rasca", "objective": None, "assessment": None, "plan": "Gotas"}
    assert late.json()["vitals"]["weight_kg"] == 12
    # What stands there already counts as written: an older text does not come back.
    assert (await types(3, 5, note={"plan": "Gotas"})).json()["version"] == 3
    assert (await types(3, 4, note={"plan": "Gota"})).json()["note"]["plan"] == "Gotas"


async def test_a_text_that_was_dealt_with(visit: Visit, service: Service, clinic: Clinic) -> None:
    """A text that was set aside and dismissed is shown again where it is lost once more."""
    await visit.write(1, note={"objective": "Oído rojo"})
    first = (await visit.write(1, note={"objective": LATE})).json()["set_aside_id"]
    at = f"/clinics/{clinic.slug}/set-aside-notes/{first}/dismiss"
    assert (await service.done("POST", at, clinic.people["vet"]))["set_aside"] == []
    again = (await visit.write(1, note={"objective": LATE})).json()["set_aside_id"]
    assert again != first
    assert [aside["id"] for aside in (await visit.read())["set_aside"]] == [again]


async def test_signed(visit: Visit, service: Service, clinic: Clinic) -> None:
    """Once signed a note only grows by addenda; what comes too late for it is kept beside it."""
    assert problem(await visit.post("sign", {"version": 1})) == (422, "invalid")
    await visit.write(1, note={"assessment": "Otitis externa"}, vitals={"temperature_c": 39.0})
    assert problem(await visit.post("sign", {"version": 1})) == (409, "stale_version")
    assert problem(await visit.post("addenda", {"text": "Mejoró"})) == (409, "invalid_transition")
    signed = (await visit.post("sign", {"version": 2})).json()
    assert signed["state"] == "signed"
    assert signed["signature"]["by"]["registration_number"] == "TEST-0001"
    assert len(signed["signature"]["sha256"]) == 64
    assert problem(await visit.post("sign", {"version": 3})) == (409, "invalid_transition")
    late = await visit.write(3, note={"plan": LATE})
    assert problem(late) == (409, "invalid_transition")
    assert problem(await visit.write(3, vitals={"pain": 1})) == (409, "invalid_transition")
    assert problem(await visit.post("addenda", {"text": " \n"})) == (422, "invalid")
    added = (await visit.post("addenda", {"text": "Llamó:\nmejor"})).json()
    assert added["version"] == 4
    assert [addendum["text"] for addendum in added["addenda"]] == ["Llamó:\nmejor"]
    assert added["note"]["plan"] is None
    assert [aside["note"]["plan"] for aside in added["set_aside"]] == [LATE]
    problems = f"/clinics/{clinic.slug}/patients/{signed['patient']['id']}/problems"
    into = {"name": "Otitis", "encounter_id": visit.id}
    answer = await service.ask("POST", problems, clinic.people["vet"], json=into)
    assert problem(answer) == (409, "invalid_transition")


async def test_what_was_signed_can_be_proven(visit: Visit, service: Service, clinic: Clinic) -> None:
    """The hash is that of what stands in the database, so that a change past the triggers can be told."""
    await visit.write(1, note={"plan": "Gotas"}, vitals={"weight_kg": 12.5, "capillary_refill_seconds": 1})
    patient = (await visit.read())["patient"]["id"]
    found = {"name": "Otitis", "encounter_id": visit.id}
    problems = f"/clinics/{clinic.slug}/patients/{patient}/problems"
    await service.done("POST", problems, clinic.people["vet"], json=found)
    signed = (await visit.post("sign", {"version": 2})).json()
    actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
    async with service.application.works.begin(actor) as work:
        stored = await work.encounters.get(UUID(visit.id))
        diagnoses = (await work.record_reads.encounter(stored.id)).diagnoses
        assert len(diagnoses) == 1
        assert digest(stored, diagnoses).hex() == signed["signature"]["sha256"]
        assert digest(stored, []) != stored.digest


async def test_without_a_registration_number(visit: Visit, service: Service, clinic: Clinic) -> None:
    """A vet without a registration number writes, and cannot sign."""
    other = await service.open_clinic("sin-registro")
    await service.equip(other)
    vet = await service.join(other, "vet")
    base = f"/clinics/{other.slug}"
    made = await service.done(
        "POST", f"{base}/encounters", vet, json={"patient_id": other.ids["patient_id"], "reason": "Tos"}
    )
    at = f"{base}/encounters/{made['id']}"
    await service.done("PATCH", at, vet, json={"version": 1, "note": {"plan": "Reposo"}})
    answer = await service.ask("POST", f"{at}/sign", vet, json={"version": 2})
    assert problem(answer) == (403, "registration_required")
    member = f"{base}/members/{other.ids['vet_member_id']}"
    await service.done("PATCH", member, other.owner, json={"registration_number": "1006-2019"})
    signed = await service.done("POST", f"{at}/sign", vet, json={"version": 2})
    assert signed["signature"]["by"]["registration_number"] == "1006-2019"
    await service.done("PATCH", member, other.owner, json={"registration_number": None})
    assert (await service.done("GET", at, vet))["signature"] == signed["signature"]
    answer = await service.ask("POST", f"{at}/void", vet, json={"reason": "Otra mascota"})
    assert problem(answer) == (403, "registration_required")


async def test_entered_in_error(visit: Visit, service: Service, clinic: Clinic) -> None:
    """What was entered in error stays readable, takes nothing more, and its weight leaves the curve."""
    await visit.write(1, note={"assessment": "Otitis"}, vitals={"weight_kg": 12.5})
    await visit.post("sign", {"version": 2})
    patient = (await visit.read())["patient"]["id"]
    weights = f"/clinics/{clinic.slug}/patients/{patient}/weights"
    assert len((await service.done("GET", weights, clinic.owner))["items"]) == 1
    assert problem(await visit.post("void", {"reason": " "})) == (422, "invalid")
    voided = (await visit.post("void", {"reason": "Otra mascota"})).json()
    assert voided["state"] == "voided"
    assert voided["voided"]["reason"] == "Otra mascota"
    assert voided["note"]["assessment"] == "Otitis"
    for answer in (
        await visit.post("void", {"reason": "Otra vez"}),
        await visit.post("addenda", {"text": "Más"}),
        await visit.post("sign", {"version": 4}),
        await visit.write(4, note={"plan": "Más"}),
    ):
        assert problem(answer) == (409, "invalid_transition")
    assert (await service.done("GET", weights, clinic.owner))["items"] == []
    line = f"/clinics/{clinic.slug}/patients/{patient}/timeline"
    [entry] = (await service.done("GET", line, clinic.owner))["items"]
    assert (entry["kind"], entry["detail"], entry["voided"]) == ("encounter", "voided", True)


async def test_what_stands_after_a_mistake(visit: Visit, service: Service, clinic: Clinic) -> None:
    """What was given in an encounter is shown with it, and stands until it is entered in error by itself."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    patient = (await visit.read())["patient"]["id"]
    dose = {"vaccine": "Rabia", "administered_at": datetime.now(UTC).isoformat(), "source": "here"}
    given = await service.done(
        "POST", f"{base}/patients/{patient}/immunizations", vet, json={**dose, "encounter_id": visit.id}
    )
    voided = (await visit.post("void", {"reason": "Otra mascota"})).json()
    expected = {"kind": "immunization", "id": given["id"], "title": "Rabia", "voided": False}
    assert voided["treatments"] == [expected]
    await service.done("POST", f"{base}/immunizations/{given['id']}/void", vet, json={"reason": "Otra mascota"})
    assert (await visit.read())["treatments"] == [{**expected, "voided": True}]


async def test_bad_input(visit: Visit) -> None:
    """Every bad field is told at its place, and nothing is written."""
    answer = await visit.write(
        1,
        vitals={"weight_kg": 0, "body_condition": 10, "pain": 11, "temperature_c": 390, "mucous_membranes": "red"},
        editor={"id": "x", "sequence": -1},
    )
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/vitals/weight_kg",
        "/vitals/body_condition",
        "/vitals/pain",
        "/vitals/temperature_c",
        "/vitals/mucous_membranes",
        "/editor/id",
        "/editor/sequence",
    }
    answer = await visit.write(1, vitals={"weight_kg": 900})
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/vitals/weight_kg", "too_large")
    ]
    assert (await visit.write(1, note={"plan": "x" * 20_001})).status_code == 422
    assert (await visit.write(1, note={"objetivo": "x"})).status_code == 422
    assert (await visit.read())["version"] == 1


async def test_warnings(visit: Visit) -> None:
    """What is unusual for a dog is kept and told."""
    written = (await visit.write(1, vitals={"temperature_c": 41.2, "heart_rate": 100})).json()
    assert [(warning["pointer"], warning["code"]) for warning in written["warnings"]] == [
        ("/vitals/temperature_c", "unusual")
    ]
    assert written["vitals"]["temperature_c"] == 41.2


async def test_of_a_booked_visit(service: Service, clinic: Clinic) -> None:
    """A booked visit has one encounter; one entered in error makes room for another. It must be its patient's."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    booked = await service.book(clinic)
    wanted = {"patient_id": clinic.ids["patient_id"], "appointment_id": booked["id"], "reason": "Control"}
    animal = {"client_id": clinic.ids["client_id"], "name": "Otro", "species": "cat"}
    other = await service.done("POST", f"{base}/patients", vet, json=animal)
    answer = await service.ask("POST", f"{base}/encounters", vet, json={**wanted, "patient_id": other["id"]})
    assert [error["code"] for error in answer.json()["errors"]] == ["other_patient"]
    made = await service.done("POST", f"{base}/encounters", vet, json=wanted)
    assert made["appointment_id"] == booked["id"]
    params = {"appointment_id": booked["id"]}
    [listed] = (await service.done("GET", f"{base}/encounters", clinic.owner, params=params))["items"]
    assert (listed["id"], listed["state"]) == (made["id"], "draft")
    assert problem(await service.ask("POST", f"{base}/encounters", vet, json=wanted)) == (409, "duplicate")
    await service.done("POST", f"{base}/encounters/{made['id']}/void", vet, json={"reason": "Equivocada"})
    await service.done("POST", f"{base}/encounters", vet, json=wanted)
    gone = await service.book(clinic)
    await service.done("POST", f"{base}/appointments/{gone['id']}/cancel", clinic.owner)
    answer = await service.ask("POST", f"{base}/encounters", vet, json={**wanted, "appointment_id": gone["id"]})
    assert problem(answer) == (409, "invalid_transition")


async def test_when_it_began(service: Service, clinic: Clinic) -> None:
    """What is written down the next morning bears the day of the visit; what lies ahead is refused."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    visit: dict[str, Any] = {"patient_id": clinic.ids["patient_id"], "reason": "Control"}
    told = await service.done("POST", f"{base}/encounters", vet, json={**visit, "started_at": yesterday.isoformat()})
    assert datetime.fromisoformat(told["started_at"]) == yesterday
    ahead = (yesterday + timedelta(days=2)).isoformat()
    answer = await service.ask("POST", f"{base}/encounters", vet, json={**visit, "started_at": ahead})
    assert [error["code"] for error in answer.json()["errors"]] == ["in_future"]
    booked = await service.book(clinic)
    visit["appointment_id"] = booked["id"]
    async with superuser(service.settings) as admin:
        await admin.execute(
            "UPDATE appointments SET starts_at = $2, ends_at = $2::timestamptz + interval '30 min' WHERE id = $1",
            UUID(booked["id"]),
            yesterday,
        )
    made = await service.done("POST", f"{base}/encounters", vet, json=visit)
    assert datetime.fromisoformat(made["started_at"]) == yesterday


async def test_problems_outlive_the_visit(visit: Visit, service: Service, clinic: Clinic) -> None:
    """A diagnosis stands in its visit as it was judged there, and in the problem list as it stands now."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    patient = (await visit.read())["patient"]["id"]
    found = {"name": "Otitis externa", "certainty": "suspected", "encounter_id": visit.id}
    noted = await service.done("POST", f"{base}/patients/{patient}/problems", vet, json=found)
    await visit.write(1, note={"assessment": "Otitis"})
    await visit.post("sign", {"version": 2})
    at = f"{base}/problems/{noted['id']}"
    healed = {"version": 1, "status": "resolved", "certainty": "confirmed", "resolved_on": "2026-01-02"}
    judged = await service.done("PATCH", at, vet, json=healed)
    assert (judged["status"], judged["version"], len(judged["changes"])) == ("resolved", 2, 2)
    [listed] = (await service.done("GET", f"{base}/patients/{patient}/problems", clinic.owner))["items"]
    assert listed == judged
    [diagnosis] = (await visit.read())["diagnoses"]
    assert diagnosis == {
        "problem_id": noted["id"],
        "name": "Otitis externa",
        "status": "active",
        "certainty": "suspected",
    }
    for change, code in (
        ({"resolved_on": "2999-01-01"}, "in_future"),
        ({"onset_on": "2026-01-03"}, "before_onset"),
        ({"status": "active"}, "still_active"),
    ):
        answer = await service.ask("PATCH", at, vet, json=change)
        assert [error["code"] for error in answer.json()["errors"]] == [code]


async def test_timeline(visit: Visit, service: Service, clinic: Clinic) -> None:
    """The timeline holds all of a patient's life, newest first, page by page, and of the kinds that are asked for."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    patient = (await visit.read())["patient"]["id"]
    await visit.write(1, vitals={"weight_kg": 12.5})
    for weight in (12.6, 12.7, 12.8):
        await service.done("POST", f"{base}/patients/{patient}/weights", clinic.owner, json={"weight_kg": weight})
    await service.done("POST", f"{base}/patients/{patient}/problems", vet, json={"name": "Otitis"})
    at = f"{base}/patients/{patient}/timeline"
    whole = (await service.done("GET", at, clinic.owner))["items"]
    assert [entry["kind"] for entry in whole] == ["problem", "weight", "weight", "weight", "encounter"]
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True)
    paged, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await service.done("GET", at, clinic.owner, params=params)
        paged += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == whole
    some = await service.done("GET", at, clinic.owner, params={"kind": ["weight", "problem"]})
    assert some["items"] == whole[:4]
    curve = (await service.done("GET", f"{base}/patients/{patient}/weights", clinic.owner))["items"]
    assert [point["weight_kg"] for point in curve] == [12.8, 12.7, 12.6, 12.5]
    nobody = await service.ask("GET", f"{base}/patients/{uuid4()}/timeline", clinic.owner)
    assert problem(nobody) == (404, "not_found")
    assert (await service.ask("GET", at, clinic.people["staff"])).status_code == 403


async def test_templates(service: Service, clinic: Clinic) -> None:
    """A template is offered until it is retired."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    words = {"name": "Vacunación", "species": "cat", "objective": "Examen:\n- mucosas"}
    made = await service.done("POST", f"{base}/note-templates", vet, json=words)
    assert made["note"]["objective"] == "Examen:\n- mucosas"
    listed = (await service.done("GET", f"{base}/note-templates", clinic.owner))["items"]
    assert made in listed
    change = {"version": 1, "active": False}
    await service.done("PATCH", f"{base}/note-templates/{made['id']}", vet, json=change)
    assert made["id"] not in {
        each["id"] for each in (await service.done("GET", f"{base}/note-templates", clinic.owner))["items"]
    }
    [retired] = (await service.done("GET", f"{base}/note-templates", clinic.owner, params={"retired": True}))["items"]
    assert (retired["id"], retired["version"]) == (made["id"], 2)
    stale = await service.ask("PATCH", f"{base}/note-templates/{made['id']}", vet, json=change)
    assert problem(stale) == (409, "stale_version")


async def test_nothing_clinical_is_logged(
    visit: Visit, service: Service, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words of a note reach neither a log line nor the outbox."""
    await visit.write(1, note={"plan": LATE})
    await visit.write(1, note={"plan": f"{LATE} y cojea"})
    logged = caplog.text + "".join(capsys.readouterr())
    assert "palpar" not in logged
    async with superuser(service.settings) as admin:
        told = await admin.fetchval("SELECT count(*) FROM outbox o WHERE o::text LIKE '%palpar%'")
    assert told == 0
