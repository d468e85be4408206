"""Who a guest is: a client whom the clinic knows, or a new one. Which of the two, nobody is told."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.fields import Email, clean_fields
from coravet.core.kernel.text import fold
from coravet.core.patients.clients import Name, Number, Phone, add_client, check_client
from coravet.core.patients.model import DocumentType, Species
from coravet.core.patients.numbers import Numbers
from coravet.core.patients.patients import add_patient
from coravet.core.patients.ports import Known, PatientsWork

# Letters with their marks, digits, spaces, apostrophes and hyphens; a full stop only where no domain could go on.
_NAME = re.compile(r"(?:[^\W_]|[\u0300-\u036f '\u2019\-]|\.(?= |$))+")


class GuestClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person who books without an account, as they write of themselves."""

    given_name: Name
    family_name: Name
    phone: Phone
    email: Email | None = None
    document_type: DocumentType | None = None
    document_number: Number | None = None


class GuestPatient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The animal that they want to bring."""

    name: Name
    species: Species


def check_guest(
    client: GuestClient | None, patient: GuestPatient | None, numbers: Numbers
) -> tuple[dict[str, Any], dict[str, Any], list[FieldError]]:
    """What was given of the two in its normal form, and every bad field; what only looks wrong is let pass.

    Whoever is None is not looked at, so that a form can be checked though other fields are malformed.
    """
    errors: list[FieldError] = []
    person: dict[str, Any] = {}
    animal: dict[str, Any] = {}
    if client is not None:
        checked = check_client(msgspec.structs.asdict(client), numbers)
        person = checked.fields
        errors += _below("client", [*checked.errors, *_no_names(person, "given_name", "family_name")])
    if patient is not None:
        animal, bad = clean_fields(msgspec.structs.asdict(patient), ("name",), required=("name",))
        errors += _below("patient", [*bad, *_no_names(animal, "name")])
    return person, animal, errors


def _no_names(given: Mapping[str, Any], *fields: str) -> list[FieldError]:
    """Those fields that hold more than a name: the clinic's mails repeat them, and must carry nobody's addresses."""
    sentence = "Write a name only: letters, numbers and spaces, without addresses or other signs."
    return [
        FieldError(f"/{field}", "not_a_name", sentence)
        for field in fields
        if isinstance(given.get(field), str) and not _NAME.fullmatch(given[field])
    ]


def _below(field: str, errors: list[FieldError]) -> list[FieldError]:
    return [FieldError(f"/{field}{error.pointer}", error.code, error.said) for error in errors]


async def match_or_register(
    work: PatientsWork, person: Mapping[str, Any], animal: Mapping[str, Any], now: datetime
) -> UUID:
    """The patient that a guest means: a living one of theirs of that name and species, or a new one.

    What is kept of a client whom the clinic knows stays as it is, whatever the guest wrote.

    Args:
        person, animal: as `check_guest` answers them.
    """
    document_type, document_number, phone = person["document_type"], person["document_number"], person["phone"]
    # Under the lock, so that of two forms that one person sends at once the second finds what the first made.
    await work.acquaintances.one_at_a_time(word for word in (document_number, phone) if word is not None)
    known = await work.acquaintances.clients(document_type, document_number, phone)
    client_id = same_person(person, known) or (await add_client(work, person, now)).id
    for each in await work.acquaintances.animals(client_id):
        if fold(each.name) == fold(animal["name"]) and each.species == animal["species"]:
            return each.patient_id
    fields = {
        "breed": None,
        "sex": "unknown",
        "reproductive_status": "unknown",
        "birth_date": None,
        "birth_date_precision": None,
        "color": None,
    }
    return (await add_patient(work, client_id, {**fields, **animal}, now)).id


def same_person(person: Mapping[str, Any], known: list[Known]) -> UUID | None:
    """Which of these clients a guest is: by document, or by phone and name, for families share phones.

    One who has another document is somebody else.

    Args:
        known: clients with the guest's document or phone.
    """
    document = person["document_type"], person["document_number"]
    name = _name(person["given_name"], person["family_name"])
    named = None
    for each in known:
        theirs = each.document_type, each.document_number
        if None not in document and theirs == document:
            return each.client_id
        stranger = None not in document and None not in theirs
        if named is None and not stranger and _name(each.given_name, each.family_name) == name:
            named = each.client_id
    return named


def _name(given: str, family: str) -> str:
    return fold(f"{given} {family}")
