"""What a patient was given and prescribed, and what it does not bear, as the database keeps it.

None of these rows changes once it is written. What was wrong is marked as entered in error, once and with the reason.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId

GivenSource = Literal["here", "external"]
Target = Literal["internal", "external", "both"]
Severity = Literal["mild", "moderate", "severe", "unknown"]
Route = Literal[
    "oral",
    "subcutaneous",
    "intramuscular",
    "intravenous",
    "intradermal",
    "intranasal",
    "inhaled",
    "ophthalmic",
    "otic",
    "rectal",
    "spot_on",
    "topical",
    "other",
]


@dataclass
class Immunization:
    """One dose of a vaccine.

    Attributes:
        vaccine: its name, as it was written.
        covers: the codes of the protocol's entries that it is a dose of, such as `rabies`; a combined vaccine covers
            several, and one that the protocol does not know covers itself, under its folded name.
        administered_at: when; of a dose given elsewhere often only the day is certain.
        source: whether this clinic gave it.
        vet_id: the member who gave it here.
        vet_name, registration_number: theirs, as they were then.
        given_by: the vet or clinic who gave it elsewhere, as the card names them.
        next_due_on: a day of the clinic, the first of `due_days`; None where no further dose is due.
        due_days: of each code that it covers in turn, when its next dose is due.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    encounter_id: UUID | None
    vaccine: str
    covers: list[str]
    manufacturer: str | None
    lot_number: str | None
    lot_expires_on: date | None
    dose: str | None
    route: str | None
    site: str | None
    administered_at: datetime
    next_due_on: date | None
    due_days: list[date | None]
    source: str
    vet_id: MemberId | None
    vet_name: str | None
    registration_number: str | None
    given_by: str | None
    recorded_at: datetime
    recorded_by: MemberId | None
    voided_at: datetime | None = None
    voided_by: MemberId | None = None
    void_reason: str | None = None


@dataclass
class Deworming:
    """One antiparasitic treatment; what it shares with an immunization means the same.

    Attributes:
        target: what it is against: worms within, fleas, ticks and mites without, or both. It covers `internal`,
            `external`, or `external` and `internal`.
        dose: how much was given, in `dose_unit`.
        weight_kg: the weight that the dose was reckoned by.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    encounter_id: UUID | None
    product: str
    active_substances: list[str]
    target: str
    dose: Decimal | None
    dose_unit: str | None
    weight_kg: Decimal | None
    route: str | None
    lot_number: str | None
    lot_expires_on: date | None
    administered_at: datetime
    next_due_on: date | None
    due_days: list[date | None]
    source: str
    vet_id: MemberId | None
    vet_name: str | None
    registration_number: str | None
    given_by: str | None
    recorded_at: datetime
    recorded_by: MemberId | None
    voided_at: datetime | None = None
    voided_by: MemberId | None = None
    void_reason: str | None = None


@dataclass
class Prescription:
    """What a vet prescribed a patient at one time; its items are rows of their own.

    Attributes:
        vet_name, registration_number: the vet's, as they were then.
        valid_until: the last day of the clinic on which it is good.
        item_count: how many items it was issued with; it never gets others.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    encounter_id: UUID | None
    vet_id: MemberId
    vet_name: str
    registration_number: str
    issued_at: datetime
    valid_until: date
    item_count: int
    voided_at: datetime | None = None
    voided_by: MemberId | None = None
    void_reason: str | None = None


@dataclass
class PrescriptionItem:
    """One drug of a prescription.

    Attributes:
        position: its place in the prescription, from 0.
        strength: of one unit, such as `250 mg`.
        dose: how much is given each time, in `unit`; None where the instructions alone say.
        frequency_hours: hours between two doses; None: once, or as the instructions say.
        duration_days: None: until further notice, or as the instructions say.
        quantity: how much is to be handed out, in `quantity_unit`.
        instructions: in words that the owner understands. None where they were erased.
    """

    clinic_id: ClinicId
    id: UUID
    prescription_id: UUID
    position: int
    drug: str
    strength: str | None
    dose: Decimal | None
    unit: str
    route: str
    frequency_hours: int | None
    duration_days: int | None
    quantity: Decimal
    quantity_unit: str
    instructions: str | None
    active_substances: list[str] = field(default_factory=list)


@dataclass
class Allergy:
    """Something that a patient does not bear.

    Attributes:
        substance: an active substance or a class of them, as it was written.
        resolved_at: since when it is held to be over.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    substance: str
    reaction: str | None
    severity: str
    noted_at: datetime
    noted_by: MemberId | None
    resolved_at: datetime | None = None
    resolved_by: MemberId | None = None
    voided_at: datetime | None = None
    voided_by: MemberId | None = None
    void_reason: str | None = None
