"""Who a guest is taken for, and what is wrong with what they wrote."""

from typing import Any
from uuid import UUID

import pytest

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.patients.guests import GuestClient, GuestPatient, check_guest, same_person
from coravet.core.patients.ports import Known

ROSA, FATHER, TWIN = (UUID(int=number) for number in range(1, 4))
NUMBERS = EcuadorNumbers()


def person(given: str, family: str, document: str | None = None) -> dict[str, Any]:
    """What a guest wrote."""
    kind = None if document is None else "cedula"
    return {"given_name": given, "family_name": family, "document_type": kind, "document_number": document}


def known(client_id: UUID, given: str, family: str, document: str | None = None) -> Known:
    """A client with the guest's phone or document."""
    return Known(client_id, given, family, None if document is None else "cedula", document)


FAMILY = [known(FATHER, "José", "Ñauta", "1714307103"), known(ROSA, "Rosa", "Ñauta"), known(TWIN, "Rosa", "Ñauta")]


@pytest.mark.parametrize(
    ("guest", "clients", "found"),
    [
        (person("ROSA", "nauta"), FAMILY, ROSA),
        (person("Rosa Ñauta", ""), FAMILY, ROSA),
        (person("Eva", "Ñauta"), FAMILY, None),
        (person("Pepe", "N.", "1714307103"), FAMILY, FATHER),
        (person("José", "Ñauta", "2300000003"), FAMILY, None),
        (person("Rosa", "Ñauta", "2300000003"), FAMILY, ROSA),
        (person("José", "Ñauta"), FAMILY, FATHER),
        (person("José", "Ñauta"), [], None),
    ],
)
def test_same_person(guest: dict[str, Any], clients: list[Known], found: UUID | None) -> None:
    """A document decides; a phone does with the name, and never for who has another document; the first of several."""
    assert same_person(guest, clients) == found


def test_check_guest() -> None:
    """Numbers take their normal form; every bad field is told by its place in the form, and what looks odd passes."""
    client, patient, errors = check_guest(
        GuestClient(given_name=" Ana ", family_name="Pérez", phone="099 123 4567"),
        GuestPatient(name="  Luna", species="cat"),
        NUMBERS,
    )
    assert not errors
    assert (client["given_name"], client["phone"], patient["name"]) == ("Ana", "+593991234567", "Luna")
    odd = GuestClient(given_name="\u200b", family_name="P", phone="12", document_type="cedula", document_number="1")
    _, _, errors = check_guest(odd, GuestPatient(name=" ", species="cat"), NUMBERS)
    assert {error.pointer for error in errors} == {
        "/client/given_name", "/client/phone", "/client/document_number", "/patient/name",
    }  # fmt: skip
    assert check_guest(None, None, NUMBERS) == ({}, {}, [])
