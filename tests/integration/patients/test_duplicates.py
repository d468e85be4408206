"""Who may be registered already: suggested to who registers, and of a client who is."""

from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service

PEOPLE = {
    "rosa": {"given_name": "Rosa Elena", "family_name": "Mendoza Cedeño", "phone": "0981111111"},
    "father": {
        "given_name": "Segundo",
        "family_name": "Cedeño",
        "phone": "0981111111",
        "document_type": "cedula",
        "document_number": "1714307103",
    },
    "company": {
        "given_name": "Hacienda",
        "family_name": "La Esperanza",
        "document_type": "ruc",
        "document_number": "2300000003001",
    },
    "stranger": {"given_name": "Kléver", "family_name": "Zambrano", "phone": "0982222222"},
}


@pytest.fixture(scope="module")
async def ids(service: Service, clinic: Clinic) -> dict[str, str]:
    """Four clients; the stranger has a further phone, and Rosa's is her father's, too."""
    at = f"/clinics/{clinic.slug}/clients"
    found = {name: (await service.done("POST", at, clinic.owner, json=body))["id"] for name, body in PEOPLE.items()}
    phone = {"kind": "phone", "value": "0983333333"}
    await service.done("POST", f"{at}/{found['stranger']}/contacts", clinic.owner, json=phone)
    animal = {"client_id": found["rosa"], "name": "Copito", "species": "cat"}
    await service.done("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=animal)
    # A clinic with the same people: none of them is ever suggested here.
    other = await service.open_clinic()
    for body in PEOPLE.values():
        await service.done("POST", f"/clinics/{other.slug}/clients", other.owner, json=body)
    return found


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"given_name": "ROSA ELENA", "family_name": "mendosa cedeno"}, {"rosa": ["name"]}),
        ({"given_name": "Cedeño Mendoza", "family_name": "Rosa"}, {"rosa": ["name"]}),
        ({"given_name": "Rosa", "family_name": "Vélez"}, {}),
        ({"phone": "098 333 3333"}, {"stranger": ["phone"]}),
        ({"phone": "0981111111", "given_name": "Rosa", "family_name": "Mendoza"}, {
            "rosa": ["name", "phone"], "father": ["phone"],
        }),
        ({"phone": "0981111111", "document_type": "cedula", "document_number": "1714307103"}, {
            "father": ["document", "phone"], "rosa": ["phone"],
        }),
        ({"document_type": "ruc", "document_number": "1714307103001"}, {"father": ["document"]}),
        ({"document_type": "cedula", "document_number": "2300000003"}, {"company": ["document"]}),
        ({"document_number": "171430710-3"}, {"father": ["document"]}),
        ({"document_number": "2300000003001"}, {"company": ["document"]}),
        ({"phone": "098", "document_type": "cedula", "document_number": "17143"}, {}),
        ({"given_name": "%_'"}, {}),
        ({}, {}),
    ],
)  # fmt: skip
async def test_before_registering(
    typed: dict[str, str], expected: dict[str, list[str]], service: Service, clinic: Clinic, ids: dict[str, str]
) -> None:
    """Accents, case, order and a slip of the pen are forgiven; a document counts first, and half a number nothing."""
    at = f"/clinics/{clinic.slug}/clients/duplicates"
    found = (await service.done("GET", at, clinic.owner, params=typed))["items"]
    names = {client_id: name for name, client_id in ids.items()}
    assert [(names.get(each["id"]), each["reasons"]) for each in found] == list(expected.items())


async def test_of_a_client(service: Service, clinic: Clinic, ids: dict[str, str]) -> None:
    """Who is registered is never their own duplicate; others are told with what tells people apart."""
    at = f"/clinics/{clinic.slug}/clients"
    twin = {"given_name": "Rosa", "family_name": "Mendoza Cedeño", "phone": "0981111111"}
    twin = await service.done("POST", at, clinic.owner, json=twin)
    found: list[Any] = (await service.done("GET", f"{at}/{twin['id']}/duplicates", clinic.owner))["items"]
    assert [each["id"] for each in found] == [ids["rosa"], ids["father"]]
    assert (found[0]["reasons"], found[0]["patients"]) == (["name", "phone"], ["Copito"])
    assert 0.5 < found[0]["similarity"] < 1
    await service.done("POST", f"{at}/{ids['rosa']}/merge", clinic.owner, json={"merged_id": twin["id"]})
    found = (await service.done("GET", f"{at}/{ids['rosa']}/duplicates", clinic.owner))["items"]
    assert [each["id"] for each in found] == [ids["father"]]
    assert (await service.ask("GET", f"{at}/{twin['id']}/duplicates", clinic.owner)).status_code == 404
