"""What readers of the clinical record are shown."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from coravet.core.kernel.errors import FieldError
from coravet.core.scheduling.views import PatientRef


class NoteView(msgspec.Struct, frozen=True):
    """A note in four parts: what the owner tells, what was found, what it means, what is to be done."""

    subjective: str | None = None
    objective: str | None = None
    assessment: str | None = None
    plan: str | None = None


class VitalsView(msgspec.Struct, frozen=True):
    """What was measured. Kilograms, degrees Celsius, beats and breaths a minute, seconds.

    Attributes:
        body_condition: 1 (emaciated) to 9 (obese), 5 is ideal.
        pain: 0 (none) to 10.
    """

    weight_kg: float | None = None
    temperature_c: float | None = None
    heart_rate: int | None = None
    respiratory_rate: int | None = None
    body_condition: int | None = None
    pain: int | None = None
    mucous_membranes: str | None = None
    capillary_refill_seconds: float | None = None


class WriterRef(msgspec.Struct, frozen=True):
    """A member by name; on what they signed also by the registration number that they had."""

    member_id: UUID
    name: str
    registration_number: str | None = None


class SignatureView(msgspec.Struct, frozen=True):
    """Who signed, when, and the SHA-256 (hexadecimal) of what was signed."""

    signed_at: datetime
    by: WriterRef
    sha256: str


class VoidedView(msgspec.Struct, frozen=True):
    """That something was entered in error: since when, by whom, and why."""

    voided_at: datetime
    by: WriterRef | None
    reason: str


class AddendumView(msgspec.Struct, frozen=True):
    """What was added after signing."""

    id: UUID
    text: str
    by: WriterRef
    added_at: datetime


class SetAsideView(msgspec.Struct, frozen=True):
    """A text that came too late for the note and was kept beside it.

    Attributes:
        written_from: the version that its writer had before them.
    """

    id: UUID
    note: NoteView
    by: WriterRef | None
    written_from: int
    set_aside_at: datetime


class DiagnosisView(msgspec.Struct, frozen=True):
    """A problem as it was judged in this encounter."""

    problem_id: UUID
    name: str
    status: str
    certainty: str


class TreatmentRef(msgspec.Struct, frozen=True):
    """Something that was given or prescribed in an encounter; each is entered in error by itself."""

    kind: str
    id: UUID
    title: str
    voided: bool


class EncounterView(msgspec.Struct, frozen=True, kw_only=True):
    """An encounter with all that belongs to it.

    Attributes:
        state: `draft`, `signed`, or `voided` where it was entered in error.
        set_aside: texts that lost a race for the note and that nobody has dealt with, the oldest first.
        warnings: what was accepted though it looks wrong, such as a temperature that no healthy dog has.
    """

    id: UUID
    patient: PatientRef
    appointment_id: UUID | None
    state: str
    reason: str
    started_at: datetime
    opened_by: WriterRef | None
    note: NoteView
    vitals: VitalsView
    diagnoses: list[DiagnosisView]
    treatments: list[TreatmentRef]
    signature: SignatureView | None
    addenda: list[AddendumView]
    set_aside: list[SetAsideView]
    voided: VoidedView | None
    version: int
    warnings: list[FieldError] = []


class EncounterSummary(msgspec.Struct, frozen=True):
    """An encounter as lists show it."""

    id: UUID
    patient: PatientRef
    appointment_id: UUID | None
    state: str
    reason: str
    started_at: datetime
    opened_by: WriterRef | None
    version: int


class ProblemView(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as it stands, and how it came to be so, the oldest first."""

    id: UUID
    patient_id: UUID
    name: str
    status: str
    certainty: str
    onset_on: date | None
    resolved_on: date | None
    created_at: datetime
    version: int
    changes: "list[ProblemChangeView]"


class ProblemChangeView(msgspec.Struct, frozen=True):
    """A problem as it was judged at a moment."""

    at: datetime
    by: WriterRef | None
    encounter_id: UUID | None
    name: str
    status: str
    certainty: str
    onset_on: date | None
    resolved_on: date | None


class NoteTemplateView(msgspec.Struct, frozen=True):
    """Words that a note may begin with."""

    id: UUID
    name: str
    species: str | None
    reason: str | None
    note: NoteView
    active: bool
    version: int


class WeightView(msgspec.Struct, frozen=True):
    """A point of a patient's weight curve.

    Attributes:
        encounter_id: the visit in which it was taken; None for one taken on the scales alone.
    """

    id: UUID
    patient_id: UUID
    weight_kg: float
    at: datetime
    encounter_id: UUID | None
    warnings: list[FieldError] = []


class TimelineEntry(msgspec.Struct, frozen=True):
    """Something of a patient's life.

    Attributes:
        id: of what `kind` names.
        title: an encounter's reason, a vaccine's or drug's name, a problem's, or a file's.
        detail: more in a few words, such as `signed`, a lot or a dose; `picture` or `pdf` of an attachment.
        weight_kg: of a weight, or taken in the encounter.
        voided: whether it was entered in error.
    """

    kind: str
    id: UUID
    at: datetime
    title: str
    detail: str | None
    weight_kg: float | None
    by: str | None
    encounter_id: UUID | None
    voided: bool


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet that was handed out.

    Attributes:
        number: the clinic's, counted from 1 without gaps over all kinds; printed on it.
        kind: `card`, `prescription` or `visit_summary`.
        subject_id: the patient of a card, the prescription, or the encounter of a visit summary.
        state: `valid` or `withdrawn`, as everybody is told who scans its code.
    """

    id: UUID
    number: int
    kind: str
    patient: PatientRef
    subject_id: UUID
    state: str
    issued_at: datetime
    issued_by: WriterRef | None
    withdrawn_at: datetime | None
    withdrawn_by: WriterRef | None
    withdraw_reason: str | None


class DocumentState(msgspec.Struct, frozen=True):
    """All that is told to whoever scans a document's code.

    Attributes:
        issued_on: the day on the paper.
        clinic: its name today.
    """

    number: int
    issued_on: date
    clinic: str
    state: Literal["valid", "withdrawn"]
