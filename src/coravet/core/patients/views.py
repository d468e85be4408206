"""What readers of clients and patients are shown."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from coravet.core.kernel.errors import FieldError
from coravet.core.legal.model import Shown


class ClientView(msgspec.Struct, frozen=True):
    """A client.

    Attributes:
        name: given and family name together, as lists show it.
        preferred_channel: how they like to be reached, for staff to know; what may be sent is told by their channels.
        canton: the INEC's code, of the list at `/cantons`.
        merged_into_id: who this client turned out to be, and has all that was theirs.
        suspended_at: since when their data is contested and, at their request, used for nothing: no message is sent.
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
    preferred_channel: str | None
    canton: str | None
    address: str | None
    deceased_on: date | None
    merged_into_id: UUID | None
    suspended_at: datetime | None
    created_at: datetime
    version: int
    warnings: list[FieldError] = []


class ContactView(msgspec.Struct, frozen=True):
    """A further phone (E.164) or mail address of a client; `warnings` as in a client."""

    id: UUID
    kind: str
    value: str
    label: str | None
    created_at: datetime
    warnings: list[FieldError] = []


class MemberRef(msgspec.Struct, frozen=True):
    """A member by name."""

    member_id: UUID
    name: str


class ConsentView(msgspec.Struct, frozen=True):
    """What a client decided on a purpose.

    Attributes:
        text: what they were shown; None where nothing was.
        source: how the client told.
        recorded_by: the member who wrote it down.
        current: whether it holds on its purpose: the last word, and of what two said before they were merged a refusal
            by either.
    """

    id: UUID
    purpose: str
    decision: str
    text: Shown | None
    source: str
    note: str | None
    recorded_by: MemberRef | None
    decided_at: datetime
    current: bool


class DuplicateView(msgspec.Struct, frozen=True):
    """A client who may be the same person.

    Attributes:
        reasons: what speaks for it: `document` (a cédula and the RUC made of it are one), `phone`, `name`.
        similarity: of the names, from 0 to 1.
        patients: names of their animals, a few.
    """

    id: UUID
    name: str
    document_type: str | None
    document_number: str | None
    phone: str | None
    reasons: list[str]
    similarity: float
    patients: list[str]


class DuplicatesView(msgspec.Struct, frozen=True):
    """Clients who may be the same person, the likeliest first."""

    items: list[DuplicateView]


class MergedRef(msgspec.Struct, frozen=True):
    """One of the two clients of a merge."""

    id: UUID
    name: str


class MergeView(msgspec.Struct, frozen=True):
    """Two clients who were one person.

    Attributes:
        client, merged: who stays, and who went.
        filled: fields of the one who stays that were empty and hold the other's value since.
        moved: how many rows changed hands, by what they are.
        undoable_until: until then it may be undone; None where that was done.
        warnings: what was kept apart though it looks odd; empty when read.
    """

    id: UUID
    client: MergedRef
    merged: MergedRef
    merged_at: datetime
    merged_by: MemberRef | None
    filled: list[str]
    moved: dict[str, int]
    undoable_until: datetime | None
    undone_at: datetime | None
    undone_by: MemberRef | None
    warnings: list[FieldError] = []


class OwnerRef(msgspec.Struct, frozen=True):
    """A client by name and phone, as their patients show them."""

    id: UUID
    name: str
    phone: str | None


class AlertRef(msgspec.Struct, frozen=True):
    """An alert that shows; `expires_on` is the last clinic day on which it does, if there is one."""

    id: UUID
    moment: str
    text: str
    expires_on: date | None


class IdentifierRef(msgspec.Struct, frozen=True):
    """An identifier that a patient has now."""

    id: UUID
    kind: str
    value: str


class PhotoRef(msgspec.Struct, frozen=True):
    """The photo that shows, to be read at `…/media/{id}/{variant}`; until then its `placeholder`, a ThumbHash."""

    id: UUID
    placeholder: str | None


class PatientView(msgspec.Struct, frozen=True):
    """A patient with its present owner, and what identifies it and is to be known of it now.

    Attributes:
        breed: as it was written.
        breed_code: of the vocabulary (see `GET /breeds`), where `breed` names one of its breeds.
        client_id, client: its owner.
        role: what the client is to it whose patients were asked for; None where they were nobody's.
    """

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
    breed_code: str | None
    identifiers: list[IdentifierRef]
    alerts: list[AlertRef]
    photo: PhotoRef | None = None
    role: str | None = None


class BreedView(msgspec.Struct, frozen=True):
    """A breed of the vocabulary.

    Attributes:
        code: its id in the Vertebrate Breed Ontology.
        name: in Spanish; `name_en` in English.
    """

    code: str
    species: str
    name: str
    name_en: str


class BreedsView(msgspec.Struct, frozen=True):
    """The vocabulary of breeds, by Spanish name, and whose work it is taken from."""

    items: list[BreedView]
    attribution: str


class IdentifierView(msgspec.Struct, frozen=True):
    """An identifier of a patient; one that was ended has `until`."""

    id: UUID
    kind: str
    value: str
    since: datetime
    until: datetime | None


class AlertView(msgspec.Struct, frozen=True):
    """An alert of a patient; `expires_on` is the last clinic day on which it shows, if there is one."""

    id: UUID
    moment: str
    text: str
    expires_on: date | None
    created_at: datetime


class PartyView(msgspec.Struct, frozen=True):
    """What a client is or was to a patient; a relation that was ended has `until`.

    Attributes:
        may_consent: whether the clinic may act on this client's word alone, as with surgery.
    """

    id: UUID
    client: OwnerRef
    role: str
    may_consent: bool
    since: datetime
    until: datetime | None


class DeathView(msgspec.Struct, frozen=True):
    """That a patient's death was recorded, corrected or taken back, by which member, and how much ended with it."""

    step: str
    deceased_on: date | None
    at: datetime
    recorded_by: UUID | None
    visits: int
    waitlist_entries: int
    recalls: int
    messages: int


class DeathsView(msgspec.Struct, frozen=True):
    """All that was recorded of a patient's death, oldest first."""

    items: list[DeathView]


class FoundView(msgspec.Struct, frozen=True):
    """One hit of a search: a client, or a patient with its owner's name in `detail`.

    Attributes:
        species: the patient's; None of a client.
        deceased: whether the client or patient has died.
    """

    type: Literal["client", "patient"]
    id: UUID
    name: str
    detail: str | None
    client_id: UUID
    species: str | None
    deceased: bool


class SearchView(msgspec.Struct, frozen=True):
    """Hits, best first."""

    items: list[FoundView]
