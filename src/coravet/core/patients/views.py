"""What readers of clients and patients are shown."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from coravet.core.kernel.errors import FieldError


class ClientView(msgspec.Struct, frozen=True):
    """A client.

    Attributes:
        name: given and family name together, as lists show it.
        warnings: what was accepted though it looks wrong, such as a phone number of an unknown range; empty when read.
    """

    id: UUID
    name: str
    given_name: str
    family_name: str
    document_type: str | None
    document_number: str | None
    phone: str | None
    email: str | None
    created_at: datetime
    version: int
    warnings: list[FieldError] = []


class OwnerRef(msgspec.Struct, frozen=True):
    """A client by name and phone, as their patients show them."""

    id: UUID
    name: str
    phone: str | None


class PatientView(msgspec.Struct, frozen=True):
    """A patient with its present owner."""

    id: UUID
    name: str
    species: str
    breed: str | None
    sex: str
    reproductive_status: str
    birth_date: date | None
    birth_date_precision: str | None
    deceased_on: date | None
    color: str | None
    client_id: UUID
    client: OwnerRef
    created_at: datetime
    version: int


class FoundView(msgspec.Struct, frozen=True):
    """One hit of a search: a client, or a patient with its owner's name in `detail`."""

    type: Literal["client", "patient"]
    id: UUID
    name: str
    detail: str | None
    client_id: UUID


class SearchView(msgspec.Struct, frozen=True):
    """Hits, best first."""

    items: list[FoundView]
