"""Clients, patients and what binds them, as the database keeps them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId

DocumentType = Literal["cedula", "ruc", "passport"]
Species = Literal["dog", "cat", "rabbit", "bird", "horse", "cow", "pig", "reptile", "other"]
Sex = Literal["male", "female", "unknown"]
ReproductiveStatus = Literal["intact", "neutered", "unknown"]
BirthDatePrecision = Literal["day", "month", "year", "estimated"]


@dataclass
class Client:
    """A person who brings animals.

    Attributes:
        phone: E.164; families share phones, so it identifies nobody.
        search_key: the names, document and contacts, folded; what searching reads.
    """

    clinic_id: ClinicId
    id: UUID
    given_name: str
    family_name: str
    document_type: str | None
    document_number: str | None
    phone: str | None
    email: str | None
    search_key: str
    created_at: datetime
    version: int = 1


@dataclass
class Patient:
    """An animal. Who it belongs to is told by its parties."""

    clinic_id: ClinicId
    id: UUID
    name: str
    species: str
    breed: str | None
    sex: str
    reproductive_status: str
    birth_date: date | None
    birth_date_precision: str | None
    color: str | None
    search_key: str
    created_at: datetime
    version: int = 1
    deceased_on: date | None = None


@dataclass
class Party:
    """A client's relation to a patient, from an instant on and, once ended, until another."""

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    client_id: UUID
    role: str
    since: datetime
    until: datetime | None = None
