"""What a clinic prints for people: what each sheet shows, and the ports by which it is read and written.

All days are the clinic's own. A sheet shows of the owner their name alone: where they live and how they are reached is
nothing that the next reader of the paper needs.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol
from uuid import UUID

import msgspec

SheetKind = Literal["card", "prescription", "visit_summary"]
Unprintable = Literal["unsigned", "voided"]
"""Why there is no sheet: an encounter is not signed, or what it would show was entered in error."""


class PatientOnSheet(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a sheet is about.

    Attributes:
        microchip: the digits of the chip that is read today.
        owner: the present owner's name.
    """

    name: str
    species: str
    breed: str | None = None
    sex: str = "unknown"
    birth_date: date | None = None
    birth_date_precision: str | None = None
    color: str | None = None
    microchip: str | None = None
    owner: str | None = None


class Professional(msgspec.Struct, frozen=True):
    """Who answers for what a sheet says, with the number under which the vets' register has them."""

    name: str
    registration_number: str | None = None


class ShownImmunization(msgspec.Struct, frozen=True, kw_only=True):
    """A dose that was given; `vet` may be somebody elsewhere, or unknown."""

    given_on: date
    vaccine: str
    manufacturer: str | None = None
    lot_number: str | None = None
    lot_expires_on: date | None = None
    vet: Professional | None = None
    next_due_on: date | None = None
    source: str = "here"


class ShownDeworming(msgspec.Struct, frozen=True, kw_only=True):
    """A treatment against parasites; `vet` may be somebody elsewhere, or unknown."""

    given_on: date
    product: str
    target: str
    vet: Professional | None = None
    next_due_on: date | None = None
    source: str = "here"


class ShownPrescription(msgspec.Struct, frozen=True, kw_only=True):
    """One drug and how to give it.

    Attributes:
        dose, unit: of one administration, as in 2.5 and `ml`; no dose where the instructions alone say.
        frequency_hours: hours between two doses; None: once, or as the instructions say.
        duration_days: None: until further notice, or as the instructions say.
        quantity: what to hand out, in `quantity_unit`.
        instructions: in the owner's words; may have several lines.
    """

    drug: str
    strength: str | None = None
    dose: Decimal | None = None
    unit: str
    route: str
    frequency_hours: int | None = None
    duration_days: int | None = None
    quantity: Decimal
    quantity_unit: str
    instructions: str | None = None


class ShownVital(msgspec.Struct, frozen=True):
    """One measurement as the record has it, such as `temperature_c` and `38.5`, or `mucous_membranes` and `pink`."""

    name: str
    value: str


class ShownNote(msgspec.Struct, frozen=True, kw_only=True):
    """The four parts of a note; each may have several lines."""

    subjective: str | None = None
    objective: str | None = None
    assessment: str | None = None
    plan: str | None = None


class ShownProblem(msgspec.Struct, frozen=True):
    """A problem as it was judged in a visit."""

    name: str
    status: str
    certainty: str


class ShownAddendum(msgspec.Struct, frozen=True):
    """What was added after signing."""

    added_on: date
    author: Professional
    text: str


class VaccinationCard(msgspec.Struct, frozen=True, kw_only=True, tag="card"):
    """Every vaccine and deworming of a patient that was not entered in error, oldest first."""

    clinic: str
    patient: PatientOnSheet
    immunizations: list[ShownImmunization] = []
    dewormings: list[ShownDeworming] = []


class PrescriptionSheet(msgspec.Struct, frozen=True, kw_only=True, tag="prescription"):
    """What a vet prescribed a patient."""

    clinic: str
    patient: PatientOnSheet
    vet: Professional
    prescribed_on: date
    valid_until: date
    drugs: list[ShownPrescription] = []


class VisitSummary(msgspec.Struct, frozen=True, kw_only=True, tag="visit_summary"):
    """A signed visit."""

    clinic: str
    patient: PatientOnSheet
    vet: Professional
    visited_on: date
    signed_on: date
    reason: str | None = None
    vitals: list[ShownVital] = []
    note: ShownNote = ShownNote()
    problems: list[ShownProblem] = []
    immunizations: list[ShownImmunization] = []
    dewormings: list[ShownDeworming] = []
    prescriptions: list[ShownPrescription] = []
    addenda: list[ShownAddendum] = []


Sheet = VaccinationCard | PrescriptionSheet | VisitSummary


class Stamp(msgspec.Struct, frozen=True):
    """What makes a sheet a document of the clinic.

    Attributes:
        number: the clinic's, counted from 1.
        issued_on: the clinic's day of `issued_at`, as its time zone was then.
        address: where anybody may see whether it is valid; printed as a QR code.
    """

    number: int
    issued_at: datetime
    issued_on: date
    address: str


class SheetWriter(Protocol):
    """The conversation about how sheets become paper."""

    async def write(self, sheet: Sheet, stamp: Stamp) -> bytes:
        """The sheet as PDF, A4, in Spanish, the same bytes for the same sheet and stamp.

        Whatever people typed is shown as they typed it. A character that no font has is shown as an empty box.

        Raises:
            Unavailable: too many wait to be written already.
        """
        ...


class FoundSheet(msgspec.Struct, frozen=True):
    """What a subject's sheet shows now, and whose it is."""

    patient_id: UUID
    sheet: Sheet


class Sheets(Protocol):
    """The conversation about what sheets show. Each is one query; each raises NotFound."""

    async def find(self, kind: SheetKind, subject_id: UUID) -> FoundSheet | Unprintable:
        """The card of a patient, the sheet of a prescription or the summary of an encounter, or why there is none."""
        ...
