"""Clients, patients and what binds them, as the database keeps them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId

DocumentType = Literal["cedula", "ruc", "passport"]
Species = Literal["dog", "cat", "rabbit", "bird", "horse", "cow", "pig", "reptile", "other"]
Sex = Literal["male", "female", "unknown"]
ReproductiveStatus = Literal["intact", "neutered", "unknown"]
BirthDatePrecision = Literal["day", "month", "year", "estimated"]
PartyRole = Literal["owner", "co_owner", "caretaker"]
IdentifierKind = Literal["iso_chip", "legacy_chip", "tattoo", "tag", "municipal"]
Moment = Literal["booking", "check_in", "exam"]
"""When an alert shows: as a visit is arranged, as the patient arrives, or in the exam room."""
DeathStep = Literal["recorded", "corrected", "revoked"]
PreferredChannel = Literal["mail", "whatsapp", "phone"]
ContactKind = Literal["phone", "email"]
ConsentPurpose = Literal["data_processing", "treatment", "marketing", "whatsapp", "photos"]
ConsentDecision = Literal["accepted", "declined", "withdrawn"]
ConsentSource = Literal["in_person", "phone", "whatsapp", "portal"]


@dataclass
class Client:
    """A person who brings animals.

    Attributes:
        phone: E.164, the first one; families share phones, so it identifies nobody.
        search_key: the words of the names, folded, see `clients.search_key`.
        preferred_channel: how they like to be reached; told to staff, and no consent.
        canton: its code at the INEC, four digits, the first two of them the province's.
        merged_into_id: the client whom this one turned out to be. One that is itself merged nobody is merged into.
        erased_at: since when nothing tells any more who they were.
        suspended_at: since when what the clinic knows of them is kept and not used, at their request (LOPDP art. 19).
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
    preferred_channel: str | None = None
    canton: str | None = None
    address: str | None = None
    deceased_on: date | None = None
    merged_into_id: UUID | None = None
    erased_at: datetime | None = None
    suspended_at: datetime | None = None


@dataclass
class Contact:
    """A further phone (E.164) or mail address of a client; the first of each is the client's own field.

    Attributes:
        label: whose or what for, in the clinic's words, such as "trabajo" or "hija".
    """

    clinic_id: ClinicId
    id: UUID
    client_id: UUID
    kind: str
    value: str
    label: str | None
    created_at: datetime


@dataclass
class Consent:
    """What a client decided on one purpose, and how we know; the newest of a purpose holds, the others are its proof.

    Attributes:
        text_slug, text_version, text_locale, text_sha256: what they were shown; all None where nothing was.
        source: how the client told.
        recorded_by: the member who wrote it down; None where the client did it alone.
    """

    clinic_id: ClinicId
    id: UUID
    client_id: UUID
    purpose: str
    decision: str
    text_slug: str | None
    text_version: str | None
    text_locale: str | None
    text_sha256: str | None
    source: str
    note: str | None
    recorded_by: MemberId | None
    decided_at: datetime


UNDOABLE = timedelta(days=30)
"""How long a merge can be undone."""


@dataclass
class Merge:
    """Two clients who were one person: all that was `merged_id`'s is `client_id`'s since.

    Attributes:
        filled: fields of the one who stays that were empty and hold the other's value since.
        moved: ids of the rows that changed hands, by table, and of what was made or ended on the way.
    """

    clinic_id: ClinicId
    id: UUID
    client_id: UUID
    merged_id: UUID
    merged_by: MemberId | None
    merged_at: datetime
    filled: list[str]
    moved: dict[str, list[str]]
    undone_by: MemberId | None = None
    undone_at: datetime | None = None


@dataclass
class Patient:
    """An animal. Who it belongs to is told by its parties.

    Attributes:
        breed: as it was written; `breed_code` where that names a breed of the vocabulary, see `breeds`.
        erased_at: since when nothing tells any more whose it was; nothing is written of it after that.
    """

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
    breed_code: str | None = None
    erased_at: datetime | None = None


@dataclass
class Party:
    """A client's relation to a patient, from an instant on and, once ended, until another.

    Attributes:
        may_consent: whether the clinic may act on this client's word alone, as with surgery.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    client_id: UUID
    role: str
    since: datetime
    may_consent: bool = True
    until: datetime | None = None


@dataclass
class Identifier:
    """A mark by which a patient is told apart, from an instant on and, once ended, until another.

    Attributes:
        value: as people read it; `value_key` is what two of a kind are compared by.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    kind: str
    value: str
    value_key: str
    since: datetime
    until: datetime | None = None


@dataclass
class Alert:
    """What must be known of a patient at a moment of its visits, until it is ended or expires.

    Attributes:
        expires_on: the last clinic day on which it shows, which ends at `expires_at`; none where it shows for good.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    moment: str
    text: str
    expires_on: date | None
    expires_at: datetime | None
    created_at: datetime
    created_by: MemberId | None
    ended_at: datetime | None = None
    ended_by: MemberId | None = None


@dataclass
class Death:
    """That a patient's death was recorded, corrected or taken back, and what ended with it; kept for good.

    Attributes:
        deceased_on: the day from then on; none once it was taken back.
        visits, waitlist_entries, recalls, messages: how many of each it ended.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    step: str
    deceased_on: date | None
    at: datetime
    recorded_by: MemberId | None
    visits: int = 0
    waitlist_entries: int = 0
    recalls: int = 0
    messages: int = 0
