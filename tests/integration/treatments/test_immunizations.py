"""Doses of vaccines: what is refused, what is told, and the recalls that follow."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.treatments.scene import ago, day, vet_with

from coravet.core.kernel.clock import SystemClock
from coravet.core.messaging.plan import plan


async def test_the_next_dose(service: Service, clinic: Clinic) -> None:
    """A dose is shown as it was recorded, with who gave it, and its next is recalled as the protocol says."""
    vet = await vet_with(service, clinic)
    made = await vet.dose(vaccine="Vacuna antirrábica", lot_expires_on=day(0), route="subcutaneous", site="flanco")
    assert made["covers"] == ["rabies"]
    assert made["vet"]["member_id"] == clinic.ids["vet_member_id"]
    assert made["vet"]["registration_number"] == "TEST-0001"
    assert made["warnings"] == []
    assert await vet.recalls() == [("vaccine_due", made["next_due_on"], "Vacuna antirrábica")]
    assert made["next_due_on"][5:] == day(0)[5:] or day(0)[5:] == "02-29"
    assert await vet.done("GET", f"immunizations/{made['id']}") == made


async def test_twice_a_day(service: Service, clinic: Clinic) -> None:
    """A second dose of a vaccine on one day is told, by whatever name; of another vaccine or day it is not."""
    vet = await vet_with(service, clinic)
    await vet.dose()
    assert [each["code"] for each in (await vet.dose(vaccine="Vacuna antirrábica"))["warnings"]] == ["given_today"]
    for other in ({"vaccine": "Leptospira"}, {"administered_at": ago(days=300)}):
        assert "given_today" not in [each["code"] for each in (await vet.dose(**other))["warnings"]]


async def test_who_gave_it(service: Service, clinic: Clinic) -> None:
    """A dose is in the name and the number that its vet had then, whatever becomes of them."""
    vet = await vet_with(service, clinic)
    deworming = {"product": "Febantel", "target": "internal", "administered_at": ago(hours=1), "source": "here"}
    made = [await vet.dose(), await vet.done("POST", "patient/dewormings", deworming)]
    at = f"/clinics/{clinic.slug}/members/{clinic.ids['vet_member_id']}"
    await service.done("PATCH", at, clinic.owner, json={"registration_number": "TEST-0002"})
    try:
        for kind, each in zip(("immunizations", "dewormings"), made, strict=True):
            assert each["vet"]["registration_number"] == "TEST-0001"
            assert (await vet.done("GET", f"{kind}/{each['id']}"))["vet"] == each["vet"]
    finally:
        await service.done("PATCH", at, clinic.owner, json={"registration_number": "TEST-0001"})


async def test_recalls_follow(service: Service, clinic: Clinic) -> None:
    """Each dose ends the recall of the one before; without it, the former one is open again."""
    vet = await vet_with(service, clinic)
    first = await vet.dose(administered_at=ago(days=360))
    second = await vet.dose()
    assert await vet.recalls() == [("vaccine_due", second["next_due_on"], "Rabia")]
    void = await vet.done("POST", f"immunizations/{second['id']}/void", {"reason": "otro paciente"})
    assert (void["voided"]["reason"], void["voided"]["by"]["member_id"]) == (
        "otro paciente",
        clinic.ids["vet_member_id"],
    )
    assert await vet.recalls() == [("vaccine_due", first["next_due_on"], "Rabia")]
    assert await vet.refused(f"immunizations/{second['id']}/void", {"reason": "otra vez"}) == (
        409,
        "invalid_transition",
    )
    await vet.dose(next_due_on=None)
    assert await vet.recalls() == []


async def test_a_booster_of_a_part(service: Service, clinic: Clinic) -> None:
    """A booster against the part that is due yearly ends that part's recall; the others keep their day."""
    vet = await vet_with(service, clinic)
    for days in (500, 400):
        await vet.dose(vaccine="Séxtuple", administered_at=ago(days=days))
    assert [note for _, _, note in await vet.recalls()] == ["Leptospirosis", "Moquillo, parvovirus y hepatitis"]
    booster = await vet.dose(vaccine="Leptospira", administered_at=ago(days=1))
    notes = {note: due for _, due, note in await vet.recalls()}
    assert set(notes) == {"Leptospira", "Moquillo, parvovirus y hepatitis"}
    assert notes["Leptospira"] == booster["next_due_on"]
    assert notes["Moquillo, parvovirus y hepatitis"] > booster["next_due_on"]


async def test_what_it_covers(service: Service, clinic: Clinic) -> None:
    """Whoever knows what a vaccine holds says so, by the protocol's codes."""
    vet = await vet_with(service, clinic)
    made = await vet.dose(vaccine="Vacuna de la casa", covers=["rabies", "canine_core", "rabies"])
    assert (sorted(made["covers"]), made["warnings"]) == (["canine_core", "rabies"], [])
    body = {"vaccine": "Rabia", "administered_at": ago(hours=1), "source": "here", "covers": ["rabies", "feline_core"]}
    assert await vet.refused("patient/immunizations", body) == (422, {"/covers/1": "unknown_code"})


async def test_an_unknown_age(service: Service, clinic: Clinic) -> None:
    """An animal that may be a puppy is recalled as one, and that is told."""
    vet = await vet_with(service, clinic, birth_date=None)
    made = await vet.dose(vaccine="Parvovirus", administered_at=ago(minutes=1))
    assert (made["next_due_on"], [each["code"] for each in made["warnings"]]) == (day(28), ["age_unknown"])


async def test_a_recall_by_staff(service: Service, clinic: Clinic) -> None:
    """What staff wrote down about a vaccine ends with that vaccine, and opens again where the dose was a mistake."""
    vet = await vet_with(service, clinic)
    for note in ("antirrábica", "tos de las perreras"):
        recall = {"patient_id": vet.patient["id"], "kind": "vaccine_due", "due_on": day(10), "note": note}
        await vet.done("POST", "recalls", recall)
    made = await vet.dose(next_due_on=None)
    assert await vet.recalls() == [("vaccine_due", day(10), "tos de las perreras")]
    await vet.done("POST", f"immunizations/{made['id']}/void", {"reason": "no se aplicó"})
    assert len(await vet.recalls()) == 2


async def _waiting(service: Service, times: int) -> None:
    """Return when so many wait for a row in this database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with superuser(service.settings) as admin:
        while True:
            if await admin.fetchval(query) >= times:
                return
            await asyncio.sleep(0.01)


async def test_two_at_once(service: Service, clinic: Clinic) -> None:
    """Of doses that are recorded at the same moment one is awaited, not each: who comes second waits for the first."""
    vet = await vet_with(service, clinic)
    async with superuser(service.settings) as holder, asyncio.timeout(30):
        transaction = holder.transaction()
        await transaction.start()
        # As weak as lets others refer to the patient, so that it holds up only who locks it.
        await holder.execute("SELECT FROM patients WHERE id = $1 FOR NO KEY UPDATE", vet.patient["id"])
        doses = [asyncio.create_task(vet.dose(administered_at=ago(days=days))) for days in (1, 2)]
        await _waiting(service, 2)
        await transaction.rollback()
        await asyncio.gather(*doses)
    assert len(await vet.recalls()) == 1


async def test_puppies(service: Service, clinic: Clinic) -> None:
    """A puppy's series goes by its age, and the clinic's day draws it; too early a dose is told."""
    vet = await vet_with(service, clinic, birth_date=day(-70))
    made = await vet.dose(vaccine="Séxtuple")
    assert (made["covers"], made["next_due_on"]) == (["canine_core", "leptospirosis"], day(28))
    rabies = await vet.dose()
    assert [warning["code"] for warning in rabies["warnings"]] == ["too_young"]


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"administered_at": ago(days=-1)}, {"/administered_at": "in_future"}),
        ({"administered_at": "2020-06-14T12:00:00Z"}, {"/administered_at": "before_birth"}),
        ({"lot_expires_on": day(-2)}, {"/lot_expires_on": "expired"}),
        ({"next_due_on": day(-2)}, {"/next_due_on": "out_of_order"}),
        ({"vaccine": " ", "route": "magia"}, {"/vaccine": "required", "/route": "not_allowed"}),
        ({"vaccine": "Rabia", "administered_at": "2026-01-10T15:00:00"}, {"/administered_at": "needs_offset"}),
        ({"given_by": "Otra clínica"}, {"/given_by": "not_external"}),
        ({"vet_id": "{owner_member_id}"}, {"/vet_id": "not_a_vet"}),
        ({"lot": "A1"}, {"/lot": "unknown"}),
    ],
)
async def test_refused(changes: dict[str, Any], errors: dict[str, str], service: Service, clinic: Clinic) -> None:
    """What cannot be so is refused with its field; nothing is recorded."""
    vet = await vet_with(service, clinic)
    filled = {
        name: clinic.ids[value.strip("{}")] if str(value).startswith("{") else value for name, value in changes.items()
    }
    body = {"vaccine": "Rabia", "administered_at": ago(hours=1), "source": "here", "lot_number": "A1"} | filled
    assert await vet.refused("patient/immunizations", body) == (422, errors)
    assert (await vet.done("GET", "patient/immunizations"))["items"] == []


async def test_given_elsewhere(service: Service, clinic: Clinic) -> None:
    """Of a dose given elsewhere we keep who gave it; that its lot had expired is told, in the reader's language."""
    vet = await vet_with(service, clinic)
    body = {
        "vaccine": "Giardia",
        "administered_at": ago(days=100),
        "source": "external",
        "given_by": "Campaña municipal",
        "lot_expires_on": day(-200),
    }
    key = {"Idempotency-Key": vet.patient["id"], "Accept-Language": "es"}
    answer = await vet.ask("POST", "patient/immunizations", body, **key)
    made = answer.json()
    assert (made["vet"], made["given_by"], made["covers"]) == (None, "Campaña municipal", ["giardia"])
    assert [warning["code"] for warning in made["warnings"]] == ["expired", "not_reckoned"]
    assert made["warnings"][0]["detail"].startswith("Este lote ya estaba caducado")
    again = await vet.ask("POST", "patient/immunizations", body, **key)
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", made)
    assert await vet.recalls() == []


async def test_the_dead(service: Service, clinic: Clinic) -> None:
    """A dead patient's history may be completed up to its death; nobody is recalled for it."""
    vet = await vet_with(service, clinic)
    await service.done("POST", f"{vet.at}/deceased", clinic.owner, json={"on": day(-5)})
    after = {"vaccine": "Rabia", "administered_at": ago(days=2), "source": "here"}
    assert await vet.refused("patient/immunizations", after) == (422, {"/administered_at": "after_death"})
    made = await vet.dose(administered_at=ago(days=30))
    assert made["next_due_on"] is not None
    async with superuser(service.settings) as admin:
        assert await admin.fetchval("SELECT count(*) FROM recalls WHERE patient_id = $1", vet.patient["id"]) == 0
    await vet.done("POST", f"immunizations/{made['id']}/void", {"reason": "otro paciente"})


async def test_encounters(service: Service, clinic: Clinic) -> None:
    """A dose is written into an open encounter of its patient, and into no other."""
    vet = await vet_with(service, clinic)
    visit = await vet.done("POST", "encounters", {"patient_id": vet.patient["id"], "reason": "Vacuna"})
    made = await vet.dose(encounter_id=visit["id"])
    assert made["encounter_id"] == visit["id"]
    other = await vet_with(service, clinic)
    body = {"vaccine": "Rabia", "administered_at": ago(hours=1), "source": "here", "encounter_id": visit["id"]}
    assert await other.refused("patient/immunizations", body) == (422, {"/encounter_id": "other_patient"})
    await vet.done("POST", f"encounters/{visit['id']}/void", {"reason": "otra mascota"})
    assert await vet.refused("patient/immunizations", body) == (409, "invalid_transition")


async def test_pages(service: Service, clinic: Clinic) -> None:
    """A patient's doses come in pages, the last given first, those entered in error among them."""
    vet = await vet_with(service, clinic)
    made = [await vet.dose(administered_at=ago(days=days)) for days in (30, 10, 20)]
    await vet.done("POST", f"immunizations/{made[1]['id']}/void", {"reason": "duplicada"})
    first = await vet.done("GET", "patient/immunizations?limit=2")
    rest = await vet.done("GET", f"patient/immunizations?limit=2&cursor={first['next_cursor']}")
    assert [each["id"] for each in first["items"] + rest["items"]] == [made[index]["id"] for index in (1, 2, 0)]
    assert rest["next_cursor"] is None
    assert [each["voided"] is None for each in first["items"]] == [False, True]


async def test_protocols(service: Service, clinic: Clinic) -> None:
    """A clinic keeps to its own protocol once it has set one, and to what is shipped again without."""
    vet = await vet_with(service, clinic)
    at, owner = f"/clinics/{clinic.slug}/protocols", clinic.owner
    shipped = await service.done("PUT", at, owner, json={"entries": []})
    assert shipped["shipped"]
    assert await service.done("GET", at, owner) == shipped
    own = {
        "kind": "vaccine",
        "species": "dog",
        "code": "giardia",
        "name": "Giardiasis",
        "also": ["Giardia"],
        "bands": [{"until_weeks": 20, "every_weeks": 3}],
        "repeat_months": 6,
    }
    try:
        kept = await service.done("PUT", at, owner, json={"entries": [own]})
        assert (kept["shipped"], kept["entries"][0]["also"]) == (False, ["giardia"])
        assert await service.done("GET", at, owner) == kept
        made = await vet.dose(vaccine="GIARDIA Plus", administered_at="2026-01-31T15:00:00Z")
        assert (made["covers"], made["next_due_on"]) == (["giardia"], "2026-07-31")
        assert (await vet.dose())["next_due_on"] is None
        answer = await service.ask("PUT", at, owner, json={"entries": [own, own]})
        assert answer.json()["errors"][0]["pointer"] == "/entries/1"
    finally:
        assert await service.done("PUT", at, owner, json={"entries": []}) == shipped


async def test_reminders_leave(service: Service) -> None:
    """The next dose is reminded of by the clinic's rules, nobody having asked for it."""
    clinic = await service.equip(await service.open_clinic())
    await service.treat(clinic)
    vet = await vet_with(service, clinic)
    made = await vet.dose(next_due_on=day(2))
    async with superuser(service.settings) as admin:
        [recall] = await admin.fetch("SELECT id, due_at FROM recalls WHERE source_id = $1", made["id"])
        assert recall["due_at"].isoformat() == f"{day(2)}T14:00:00+00:00"
        minutes = int((recall["due_at"] - datetime.now(UTC)).total_seconds() // 60)
        rule = {"kind": "vaccine_due", "channel": "whatsapp", "minutes_before": minutes}
        await service.done("PUT", f"/clinics/{clinic.slug}/reminder-rules", clinic.owner, json={"rules": [rule]})
        await plan(service.system_begin, SystemClock())
        planned = await admin.fetch("SELECT kind, channel FROM messages WHERE subject_id = $1", recall["id"])
    assert [tuple(row) for row in planned] == [("vaccine_due", "whatsapp")]
