"""Prescriptions, allergies and dewormings."""

from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service
from tests.integration.treatments.scene import Vet, ago, day, vet_with

MELOXICAM = {
    "drug": "Meloxicam 1,5 mg/ml",
    "strength": "1,5 mg/ml",
    "dose": 1.25,
    "unit": "ml",
    "route": "oral",
    "frequency_hours": 24,
    "duration_days": 5,
    "quantity": 1,
    "quantity_unit": "frasco",
    "instructions": "Dar con la comida, una vez al día.",
}


async def test_prescribed(service: Service, clinic: Clinic) -> None:
    """A prescription is in its vet's name and number, has its items in order, and is good for 30 days."""
    vet = await vet_with(service, clinic)
    items = [{**MELOXICAM, "drug": f"Meloxicam {number}", "quantity": number + 0.125} for number in range(3)]
    made = await vet.done("POST", "patient/prescriptions", {"items": items})
    assert [(item["drug"], item["quantity"]) for item in made["items"]] == [
        ("Meloxicam 0", 0.125),
        ("Meloxicam 1", 1.125),
        ("Meloxicam 2", 2.125),
    ]
    assert made["items"][0] | {"active_substances": [], "dose": 1.25} == made["items"][0]
    assert (made["vet"]["registration_number"], made["valid_until"]) == ("TEST-0001", day(30))
    assert await vet.done("GET", f"prescriptions/{made['id']}") == made
    assert (await vet.done("GET", "patient/prescriptions"))["items"] == [made]
    void = await vet.done("POST", f"prescriptions/{made['id']}/void", {"reason": "otro paciente"})
    assert void["voided"]["reason"] == "otro paciente"
    again = await vet.refused(f"prescriptions/{made['id']}/void", {"reason": "otro"})
    assert again == (409, "invalid_transition")


async def test_without_a_registration_number(service: Service, clinic: Clinic) -> None:
    """A vet without a registration number prescribes nothing."""
    vet = await vet_with(service, clinic)
    at = f"/clinics/{clinic.slug}/members/{clinic.ids['vet_member_id']}"
    await service.done("PATCH", at, clinic.owner, json={"registration_number": None})
    try:
        found = await vet.refused("patient/prescriptions", {"items": [MELOXICAM]})
        assert found == (403, "registration_required")
    finally:
        await service.done("PATCH", at, clinic.owner, json={"registration_number": "TEST-0001"})


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"items": []}, {"/items": "too_short"}),
        ({"items": [MELOXICAM, {**MELOXICAM, "quantity": 0}]}, {"/items/1/quantity": "too_small"}),
        ({"items": [{**MELOXICAM, "quantity": 0.0001}]}, {"/items/0/quantity": "too_small"}),
        ({"items": [{**MELOXICAM, "dose": 0.0125}]}, {"/items/0/dose": "too_precise"}),
        ({"items": [{**MELOXICAM, "quantity": "1"}]}, {"/items/0/quantity": "wrong_type"}),
        ({"items": [{**MELOXICAM, "quantity": 1e300}]}, {"/items/0/quantity": "too_large"}),
        ({"items": [{**MELOXICAM, "instructions": " "}]}, {"/items/0/instructions": "required"}),
        ({"items": [MELOXICAM], "valid_until": day(-2)}, {"/valid_until": "in_past"}),
        ({"items": [MELOXICAM] * 21}, {"/items": "too_long"}),
    ],
)
async def test_refused(body: Any, errors: dict[str, str], service: Service, clinic: Clinic) -> None:
    """A bad field is told by its place in the list."""
    vet = await vet_with(service, clinic)
    assert await vet.refused("patient/prescriptions", body) == (422, errors)


async def test_the_dead(service: Service, clinic: Clinic) -> None:
    """Nothing is prescribed to the dead."""
    vet = await vet_with(service, clinic)
    await service.done("POST", f"{vet.at}/deceased", clinic.owner)
    assert await vet.refused("patient/prescriptions", {"items": [MELOXICAM]}) == (409, "patient_deceased")


async def _allergic(vet: Vet, substance: str) -> Any:
    return await vet.done("POST", "patient/allergies", {"substance": substance, "severity": "severe"})


async def _warned(vet: Vet, **item: Any) -> list[tuple[str, str]]:
    made = await vet.done("POST", "patient/prescriptions", {"items": [MELOXICAM, {**MELOXICAM, **item}]})
    return [(warning["pointer"], warning["code"]) for warning in made["warnings"]]


async def test_allergies(service: Service, clinic: Clinic) -> None:
    """An allergy warns by active substance and by class, until it is over or was a mistake; it never blocks."""
    vet = await vet_with(service, clinic)
    amoxicillin = {"drug": "Synulox 250 mg", "active_substances": ["Amoxicilina", "Ácido clavulánico"]}
    assert await _warned(vet, **amoxicillin) == []
    allergy = await _allergic(vet, "Penicilinas")
    assert (allergy["active_substances"], allergy["state"]) == (["penicillins"], "active")
    assert await _warned(vet, **amoxicillin) == [("/items/1/drug", "allergy")]
    assert await _warned(vet, drug="Cefalexina 500 mg") == [("/items/1/drug", "allergy_akin")]
    assert await _warned(vet, drug="Jarabe casero") == [("/items/1/active_substances", "unchecked")]
    over = await vet.done("POST", f"allergies/{allergy['id']}/resolve")
    assert over["state"] == "resolved"
    assert await _warned(vet, **amoxicillin) == []
    assert await vet.refused(f"allergies/{allergy['id']}/resolve", None) == (409, "invalid_transition")
    wrong = await _allergic(vet, "Amoxicilina")
    await vet.done("POST", f"allergies/{wrong['id']}/void", {"reason": "era diarrea"})
    assert await _warned(vet, **amoxicillin) == []
    states = [each["state"] for each in (await vet.done("GET", "patient/allergies"))["items"]]
    assert states == ["voided", "resolved"]


async def test_checked_before(service: Service, clinic: Clinic) -> None:
    """What would speak against a prescription is told before there is one, and nothing is stored."""
    vet = await vet_with(service, clinic)
    await _allergic(vet, "AINEs")
    found = await vet.ask("POST", "patient/prescriptions/check", {"items": [MELOXICAM]})
    assert found.status_code == 200
    assert [(each["pointer"], each["code"]) for each in found.json()["warnings"]] == [("/items/0/drug", "allergy")]
    assert (await vet.done("GET", "patient/prescriptions"))["items"] == []
    bad = await vet.refused("patient/prescriptions/check", {"items": [{**MELOXICAM, "quantity": 0}]})
    assert bad == (422, {"/items/0/quantity": "too_small"})


async def test_allergies_to_what_is_given(service: Service, clinic: Clinic) -> None:
    """Vaccines and dewormings are looked at for allergies, too; a vaccine by any of its names."""
    vet = await vet_with(service, clinic)
    await _allergic(vet, "Vacuna antirrábica")
    await _allergic(vet, "Ivermectina")
    assert [each["code"] for each in (await vet.dose(vaccine="Rabia"))["warnings"]] == ["allergy"]
    body = {"product": "Pipeta sin nombre", "target": "external", "administered_at": ago(hours=1), "source": "external"}
    made = await vet.done("POST", "patient/dewormings", body)
    assert [(each["pointer"], each["code"]) for each in made["warnings"]] == [("/active_substances", "unchecked")]
    unknown = await vet.dose(vaccine="Vacuna nueva")
    assert [each["code"] for each in unknown["warnings"]] == ["not_reckoned", "unchecked"]
    body |= {"product": "Endectocida", "active_substances": ["Moxidectin"]}
    made = await vet.done("POST", "patient/dewormings", body)
    assert [(each["pointer"], each["code"]) for each in made["warnings"]] == [("/product", "allergy_akin")]


async def test_dewormings(service: Service, clinic: Clinic) -> None:
    """The last weight is what a dose is reckoned by; one that is missing or old is told, and the next is recalled."""
    vet = await vet_with(service, clinic)
    body: Any = {"product": "Febantel", "target": "internal", "administered_at": ago(hours=1), "source": "here"}
    made = await vet.done("POST", "patient/dewormings", body)
    assert [(each["pointer"], each["code"]) for each in made["warnings"]] == [("/weight_kg", "missing")]
    await vet.done("POST", "patient/weights", {"weight_kg": 12.4, "weighed_at": ago(days=40)})
    made = await vet.done("POST", "patient/dewormings", {**body, "dose": 1.24, "dose_unit": "tableta"})
    assert [(each["pointer"], each["code"]) for each in made["warnings"]] == [("/weight_kg", "outdated")]
    assert (made["weight_kg"], made["dose_per_kg"]) == (12.4, 0.1)
    await vet.done("POST", "patient/weights", {"weight_kg": 12.6, "weighed_at": ago(days=2)})
    made = await vet.done("POST", "patient/dewormings", body)
    assert (made["weight_kg"], made["warnings"]) == (12.6, [])
    assert await vet.recalls() == [("deworming_due", made["next_due_on"], "Febantel")]
    for weight, code in ((0, "too_small"), (900, "too_large")):
        found = await vet.refused("patient/dewormings", {**body, "weight_kg": weight})
        assert found == (422, {"/weight_kg": code})


async def test_against_both(service: Service, clinic: Clinic) -> None:
    """A treatment within and without ends the recalls of both; it is awaited while it is the last of either."""
    vet = await vet_with(service, clinic)
    body: Any = {"product": "Pipeta", "target": "external", "administered_at": ago(days=20), "source": "here"}
    await vet.done("POST", "patient/dewormings", body)
    both = await vet.done("POST", "patient/dewormings", {**body, "target": "both", "administered_at": ago(days=10)})
    assert [note for _, _, note in await vet.recalls()] == ["Desparasitación externa", "Desparasitación interna"]
    assert (await vet.recalls())[0][1] == both["next_due_on"]
    inner = {**body, "product": "Tableta", "target": "internal", "administered_at": ago(days=1)}
    await vet.done("POST", "patient/dewormings", inner)
    assert [note for _, _, note in await vet.recalls()] == ["Desparasitación externa", "Tableta"]
    void = await vet.done("POST", f"dewormings/{both['id']}/void", {"reason": "no se aplicó"})
    assert void["voided"]["reason"] == "no se aplicó"
    assert [note for _, _, note in await vet.recalls()] == ["Pipeta", "Tableta"]
    assert len((await vet.done("GET", "patient/dewormings"))["items"]) == 3
