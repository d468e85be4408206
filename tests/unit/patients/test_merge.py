"""What two clients who were one person make together, and what speaks against it."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.kernel.actor import ClinicId
from coravet.core.patients.duplicates import Person, likeness, same_documents
from coravet.core.patients.merge import TOGETHER, empty, fill, oddities
from coravet.core.patients.model import Client

NUMBERS = EcuadorNumbers()


def client(**known: Any) -> Client:
    """A client of whom that is known."""
    nothing = dict.fromkeys(("document_type", "document_number", "phone", "email"))
    who = {"given_name": "Ana", "family_name": "Vera", "search_key": "", "created_at": datetime(2026, 1, 2, tzinfo=UTC)}
    return Client(clinic_id=ClinicId(UUID(int=1)), id=UUID(int=2), **{**nothing, **who, **known})


CEDULA = {"document_type": "cedula", "document_number": "2300000003"}
OTHER = {"document_type": "cedula", "document_number": "1714307103"}


@pytest.mark.parametrize(
    ("kept", "gone", "filled"),
    [
        ({}, CEDULA, ["document_type", "document_number"]),
        (OTHER, CEDULA, []),
        ({"address": "Av. Uno"}, {"canton": "2302", "address": "Av. Dos"}, []),
        ({}, {"canton": "2302"}, ["canton"]),
        ({"phone": "+593991234567"}, {"phone": "+593991234568", "email": "a@b.test"}, ["email"]),
        ({}, {"deceased_on": date(2026, 1, 2), "preferred_channel": "phone"}, ["preferred_channel", "deceased_on"]),
        ({}, {}, []),
    ],
)
def test_fill(kept: dict[str, Any], gone: dict[str, Any], filled: list[str]) -> None:
    """What is empty is filled, whole groups or not at all; emptied again, both are as they were."""
    stays, goes = client(**kept), client(**gone)
    assert fill(stays, goes) == filled
    assert all(getattr(stays, name) == getattr(goes, name) for name in filled)
    empty(stays, goes, filled)
    assert (stays, goes) == (client(**kept), client(**gone))


def test_changed_by_hand() -> None:
    """A group of which a part was changed since stays as it is; a document is never half emptied."""
    stays, goes = client(), client(**CEDULA, phone="+593991234567")
    filled = fill(stays, goes)
    stays.document_number = "1714307103"
    empty(stays, goes, filled)
    assert (stays.document_type, stays.document_number, stays.phone) == ("cedula", "1714307103", None)


def test_groups() -> None:
    """No field is in two groups, and each is one that a client has."""
    names = [name for group in TOGETHER for name in group]
    assert len(names) == len(set(names))
    assert all(hasattr(client(), name) for name in names)


@pytest.mark.parametrize(
    ("kept", "gone", "pointers"),
    [
        (OTHER, CEDULA, ["/document_number"]),
        (CEDULA, CEDULA, []),
        (CEDULA, {}, []),
        (CEDULA, {"document_type": "ruc", "document_number": "1714307103001"}, ["/document_number"]),
        (CEDULA, {"document_type": "ruc", "document_number": "2300000003001"}, []),
        (CEDULA, {"document_type": "passport", "document_number": "A1234567"}, ["/document_number"]),
        ({"deceased_on": date(2026, 1, 2)}, {}, ["/deceased_on"]),
        ({"deceased_on": date(2026, 1, 2)}, {"deceased_on": date(2026, 1, 3)}, []),
    ],
)
def test_oddities(kept: dict[str, Any], gone: dict[str, Any], pointers: list[str]) -> None:
    """Documents of two persons and a death that one of the two knows nothing of are told."""
    assert [each.pointer for each in oddities(client(**kept), client(**gone))] == pointers


def test_same_documents() -> None:
    """A natural person's RUC is their cédula and 001, seen from either."""
    assert same_documents("cedula", "1714307103") == [("cedula", "1714307103"), ("ruc", "1714307103001")]
    assert same_documents("ruc", "1714307103002") == [("ruc", "1714307103002"), ("cedula", "1714307103")]
    assert same_documents("passport", "A1234567") == [("passport", "A1234567")]


def test_likeness() -> None:
    """What is typed is compared in its normal form; a number that cannot be right yet is left out."""
    found = likeness(Person(" ROSA ", "Ñauta", "cedula", "171430710-3", "099 123 4567"), NUMBERS)
    assert (found.name, found.phones) == ("rosa nauta", ["+593991234567"])
    assert ("cedula", "1714307103") in found.documents
    half = likeness(Person("Rosa", None, "cedula", "17143", "099"), NUMBERS)
    assert (half.name, half.documents, half.phones) == ("rosa", [], [])
