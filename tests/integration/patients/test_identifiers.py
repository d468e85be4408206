"""What patients are told apart by, and what breed they are, over HTTP."""

import asyncio
from collections import Counter
from typing import Any

from tests.integration.http.service import Clinic, Service

CHIP = {"kind": "iso_chip", "value": "985 141-006 580 319"}


async def _patient(service: Service, clinic: Clinic, **given: Any) -> str:
    """A new patient's address."""
    animal = {"client_id": clinic.ids["client_id"], "name": "Luna", "species": "cat", **given}
    made = await service.done("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=animal)
    return f"/clinics/{clinic.slug}/patients/{made['id']}"


async def test_life(service: Service, clinic: Clinic) -> None:
    """An identifier is added, shown with its patient, ended and kept; what is ended may be given anew."""
    at = await _patient(service, clinic)
    made = await service.done("POST", f"{at}/identifiers", clinic.owner, json=CHIP)
    assert (made["value"], made["until"]) == ("985141006580319", None)
    shown = await service.done("GET", at, clinic.owner)
    assert shown["identifiers"] == [{"id": made["id"], "kind": "iso_chip", "value": "985141006580319"}]
    assert shown["version"] == 2
    again = await service.ask("POST", f"{at}/identifiers", clinic.owner, json=CHIP)
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")
    assert again.json()["detail"] == "This patient has this identifier already."
    await service.done("DELETE", f"{at}/identifiers/{made['id']}", clinic.owner)
    assert (await service.ask("DELETE", f"{at}/identifiers/{made['id']}", clinic.owner)).status_code == 404
    assert (await service.done("GET", at, clinic.owner))["identifiers"] == []
    other = await _patient(service, clinic)
    moved = await service.done("POST", f"{other}/identifiers", clinic.owner, json=CHIP)
    assert (await service.ask("DELETE", f"{at}/identifiers/{moved['id']}", clinic.owner)).status_code == 404
    [kept] = (await service.done("GET", f"{at}/identifiers", clinic.owner))["items"]
    assert (kept["id"], kept["value"]) == (made["id"], "985141006580319")
    assert kept["until"] is not None
    await service.done("DELETE", f"{other}/identifiers/{moved['id']}", clinic.owner)


async def test_bad_chip(service: Service, clinic: Clinic) -> None:
    """A chip of 14 digits is refused, with what to do, and so is one in a body that is malformed elsewhere."""
    at = await _patient(service, clinic)
    short = {"kind": "iso_chip", "value": "98514100658031"}
    answer = await service.ask("POST", f"{at}/identifiers", clinic.owner, json=short)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/value", "chip_length")
    assert "15" in error["detail"]
    answer = await service.ask("POST", f"{at}/identifiers", clinic.owner, json={**short, "colour": "azul"})
    assert {error["code"] for error in answer.json()["errors"]} == {"chip_length", "unknown"}


async def test_one_patient_each(service: Service, clinic: Clinic) -> None:
    """Of two patients that are given one chip at once one has it; another clinic neither minds nor learns of it."""
    chip = {"kind": "iso_chip", "value": "941000024680135"}
    patients = [await _patient(service, clinic) for _ in range(4)]
    answers = await asyncio.gather(
        *(service.ask("POST", f"{at}/identifiers", clinic.owner, json=chip) for at in patients)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"duplicate"}
    elsewhere = await service.open_clinic("vecina")
    person = {"given_name": "Rosa", "family_name": "Chila"}
    elsewhere.ids["client_id"] = (
        await service.done("POST", f"/clinics/{elsewhere.slug}/clients", elsewhere.owner, json=person)
    )["id"]
    theirs = await _patient(service, elsewhere)
    await service.done("POST", f"{theirs}/identifiers", elsewhere.owner, json=chip)


async def test_tags_may_repeat(service: Service, clinic: Clinic) -> None:
    """Two patients may wear tags of one number; one patient has it once."""
    tag = {"kind": "tag", "value": "17"}
    one, two = await _patient(service, clinic), await _patient(service, clinic)
    for at in (one, two):
        await service.done("POST", f"{at}/identifiers", clinic.owner, json=tag)
    again = await service.ask("POST", f"{one}/identifiers", clinic.owner, json={**tag, "value": " 1-7"})
    assert again.json()["code"] == "duplicate"


async def test_pages(service: Service, clinic: Clinic) -> None:
    """Long lists come in pages, the latest first."""
    at = await _patient(service, clinic)
    for number in range(5):
        await service.done("POST", f"{at}/identifiers", clinic.owner, json={"kind": "tag", "value": f"T{number}"})
    seen, cursor = [], None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await service.done("GET", f"{at}/identifiers", clinic.owner, params=params)
        seen += [item["value"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["T4", "T3", "T2", "T1", "T0"]


async def test_breeds(service: Service, clinic: Clinic) -> None:
    """Anybody reads the vocabulary; a patient keeps what was written, and its code where that names a breed."""
    answer = await service.ask("GET", "/breeds", params={"species": "dog"})
    found = answer.json()
    assert "Vertebrate Breed Ontology" in found["attribution"]
    assert {item["species"] for item in found["items"]} == {"dog"}
    assert {"code": "VBO:0200902", "species": "dog", "name": "Mestizo", "name_en": "Mixed Breed"} in found["items"]
    at = await _patient(service, clinic, species="dog", breed="French  PÓODLE")
    shown = await service.done("GET", at, clinic.owner)
    assert (shown["breed"], shown["breed_code"]) == ("French PÓODLE", "VBO:0201048")
    shown = await service.done("PATCH", at, clinic.owner, json={"breed": "de la calle"})
    assert (shown["breed"], shown["breed_code"]) == ("de la calle", None)
    await service.done("PATCH", at, clinic.owner, json={"breed": "Siamés"})
    shown = await service.done("PATCH", at, clinic.owner, json={"species": "cat"})
    assert shown["breed_code"] == "VBO:0100221"


async def test_birth(service: Service, clinic: Clinic) -> None:
    """A birth after today is refused; how precisely it is known is kept beside it."""
    animal = {"client_id": clinic.ids["client_id"], "name": "Luna", "species": "cat", "birth_date": "2999-01-01"}
    answer = await service.ask("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=animal)
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/birth_date", "in_future")]
    at = await _patient(service, clinic, birth_date="2020-06-01", birth_date_precision="month", sex="female")
    shown = await service.done("PATCH", at, clinic.owner, json={"reproductive_status": "neutered"})
    assert (shown["birth_date"], shown["birth_date_precision"]) == ("2020-06-01", "month")
    assert (shown["sex"], shown["reproductive_status"]) == ("female", "neutered")
