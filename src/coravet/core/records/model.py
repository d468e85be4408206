"""Encounters, what was found in them, and problems that outlive them, as the database keeps them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId

MucousMembranes = Literal["pink", "pale", "white", "injected", "icteric", "cyanotic", "muddy"]
ProblemStatus = Literal["active", "resolved", "ruled_out"]
Certainty = Literal["suspected", "confirmed"]


@dataclass
class Encounter:
    """A visit that took place. Once signed, nothing of it changes but that it may be marked as entered in error.

    Attributes:
        started_at: when the visit began; its vitals are of that moment.
        weight_kg: kilograms, to the gram.
        temperature_c: degrees Celsius.
        heart_rate, respiratory_rate: a minute.
        body_condition: 1 (emaciated) to 9 (obese), 5 is ideal.
        pain: 0 (none) to 10.
        capillary_refill_seconds: seconds.
        editor_id: the open form that wrote last; None where no form said who it is.
        editor_sequences: for each field the number of that form's last write of it, so that one that comes late or
            twice is known.
        editor_base: the version that this form's unbroken run of writes began from.
        signer_name, registration_number: the signer's, as they were when signing.
        digest: SHA-256 over what was signed; see `signing.digest`.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    appointment_id: UUID | None
    opened_by: MemberId | None
    started_at: datetime
    reason: str
    created_at: datetime
    subjective: str | None = None
    objective: str | None = None
    assessment: str | None = None
    plan: str | None = None
    weight_kg: Decimal | None = None
    temperature_c: Decimal | None = None
    heart_rate: int | None = None
    respiratory_rate: int | None = None
    body_condition: int | None = None
    pain: int | None = None
    mucous_membranes: str | None = None
    capillary_refill_seconds: Decimal | None = None
    editor_id: UUID | None = None
    editor_sequences: dict[str, int] | None = None
    editor_base: int | None = None
    signed_at: datetime | None = None
    signed_by: MemberId | None = None
    signer_name: str | None = None
    registration_number: str | None = None
    digest: bytes | None = None
    voided_at: datetime | None = None
    voided_by: MemberId | None = None
    void_reason: str | None = None
    version: int = 1


@dataclass
class SetAside:
    """Text that lost a race for an encounter's note, kept so that no keystroke is lost.

    Attributes:
        written_from: the version that its writer had before them.
        digest: of the text, so that a write that is repeated is kept once.
    """

    clinic_id: ClinicId
    id: UUID
    encounter_id: UUID
    member_id: MemberId | None
    written_from: int
    subjective: str | None
    objective: str | None
    assessment: str | None
    plan: str | None
    digest: bytes
    set_aside_at: datetime
    dismissed_at: datetime | None = None
    dismissed_by: MemberId | None = None


@dataclass
class Addendum:
    """What was added to an encounter after it was signed. It never changes."""

    clinic_id: ClinicId
    id: UUID
    encounter_id: UUID
    text: str
    member_id: MemberId
    author_name: str
    registration_number: str | None
    added_at: datetime


@dataclass
class Weight:
    """A patient on the scales outside an encounter. Settled when written."""

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    weight_kg: Decimal
    weighed_at: datetime
    weighed_by: MemberId | None
    created_at: datetime
    voided_at: datetime | None = None
    voided_by: MemberId | None = None
    void_reason: str | None = None


@dataclass
class Problem:
    """Something that a patient has or had, across visits: a diagnosis, proven or suspected.

    Attributes:
        onset_on, resolved_on: days, as far as known.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    name: str
    status: str
    certainty: str
    onset_on: date | None
    resolved_on: date | None
    created_at: datetime
    version: int = 1


@dataclass
class ProblemChange:
    """A problem as it was from a moment on: each change is a row, and none is ever changed.

    Attributes:
        encounter_id: the visit in which it was found or judged anew, while that was not signed.
    """

    clinic_id: ClinicId
    id: UUID
    problem_id: UUID
    encounter_id: UUID | None
    member_id: MemberId | None
    at: datetime
    name: str
    status: str
    certainty: str
    onset_on: date | None
    resolved_on: date | None


@dataclass
class NoteTemplate:
    """Words that a note may begin with. A retired one is offered no more."""

    clinic_id: ClinicId
    id: UUID
    name: str
    species: str | None
    reason: str | None
    subjective: str | None
    objective: str | None
    assessment: str | None
    plan: str | None
    active: bool = True
    version: int = 1


@dataclass
class Document:
    """A sheet that was handed out. Settled when written, but that it may be withdrawn.

    Attributes:
        number: the clinic's, counted from 1 without gaps over all kinds.
        subject_id: the patient of a card, the prescription, or the encounter of a visit summary.
        content: SHA-256 over what the sheet shows; see `documents.content_of`.
        token_hash: of the token in its QR code; see `documents.Seal`.
        issued_on: the clinic's day then: paper and page agree for ever, whatever becomes of the clinic's time zone.
        withdraw_reason: why it is no longer valid.
    """

    clinic_id: ClinicId
    id: UUID
    number: int
    kind: str
    patient_id: UUID
    subject_id: UUID
    content: bytes
    token_hash: bytes
    issued_at: datetime
    issued_on: date
    issued_by: MemberId | None
    withdrawn_at: datetime | None = None
    withdrawn_by: MemberId | None = None
    withdraw_reason: str | None = None
