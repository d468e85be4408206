"""What readers of treatments, allergies and protocols are shown."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.errors import FieldError
from coravet.core.patients.model import Species
from coravet.core.records.views import VoidedView, WriterRef

ProtocolKind = Literal["vaccine", "deworming"]
Weeks = Annotated[int, Meta(ge=1, le=520)]
Words = Annotated[str, Meta(min_length=1, max_length=80)]


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a dose is given to a patient that is younger than `until_weeks`."""

    until_weeks: Weeks
    every_weeks: Weeks


class ProtocolEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One vaccine, or one kind of deworming, of one species.

    Attributes:
        code: names it, such as `rabies`; of a deworming `internal` or `external`.
        also: other names by which it is found in what is written of a dose: products, diseases, usual words.
        from_weeks: the age from which it is given; earlier is warned of.
        bands: how often while young, the youngest first.
        primary_doses, primary_weeks: of how many doses the first course consists, whatever the age, and how far apart.
        repeat_months: how often afterwards; null: never.
    """

    kind: ProtocolKind
    species: Species
    code: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=40)]
    name: Words
    also: Annotated[list[Words], Meta(max_length=50)] = []
    from_weeks: Annotated[int, Meta(ge=0, le=520)] = 0
    bands: Annotated[list[Band], Meta(max_length=10)] = []
    primary_doses: Annotated[int, Meta(ge=1, le=10)] = 1
    primary_weeks: Weeks = 4
    repeat_months: Annotated[int, Meta(ge=1, le=240)] | None = None


class ProtocolsView(msgspec.Struct, frozen=True):
    """What a clinic keeps to.

    Attributes:
        shipped: whether it is what comes with the service.
    """

    entries: list[ProtocolEntry]
    shipped: bool


class ImmunizationView(msgspec.Struct, frozen=True, kw_only=True):
    """One dose of a vaccine.

    Attributes:
        covers: the protocol's entries that it is a dose of.
        vet: who gave it here, with the name and the registration number that they had then; `given_by` is who gave it
            elsewhere.
        warnings: what was accepted though it looks wrong, such as a dose without a lot; empty when read.
    """

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
    source: str
    vet: WriterRef | None
    given_by: str | None
    recorded_at: datetime
    recorded_by: WriterRef | None
    voided: VoidedView | None
    warnings: list[FieldError] = []


class DewormingView(msgspec.Struct, frozen=True, kw_only=True):
    """One antiparasitic treatment; what it shares with an immunization means the same.

    Attributes:
        dose: how much was given, in `dose_unit`; `dose_per_kg` is that by the weight, to three decimals.
        weight_kg: the weight that the dose was reckoned by.
    """

    id: UUID
    patient_id: UUID
    encounter_id: UUID | None
    product: str
    active_substances: list[str]
    target: str
    dose: float | None
    dose_unit: str | None
    weight_kg: float | None
    dose_per_kg: float | None
    route: str | None
    lot_number: str | None
    lot_expires_on: date | None
    administered_at: datetime
    next_due_on: date | None
    source: str
    vet: WriterRef | None
    given_by: str | None
    recorded_at: datetime
    recorded_by: WriterRef | None
    voided: VoidedView | None
    warnings: list[FieldError] = []


class PrescriptionItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One drug of a prescription.

    Attributes:
        strength: of one unit, such as `250 mg`.
        dose: how much each time, in `unit`.
        frequency_hours: hours between two doses; null: once, or as the instructions say.
        duration_days: null: until further notice, or as the instructions say.
        quantity: how much is to be handed out, in `quantity_unit`.
        instructions: in words that the owner understands; null where they were erased.
    """

    drug: str
    active_substances: list[str]
    strength: str | None
    dose: float | None
    unit: str
    route: str
    frequency_hours: int | None
    duration_days: int | None
    quantity: float
    quantity_unit: str
    instructions: str | None


class PrescriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a vet prescribed at one time.

    Attributes:
        vet: with the name and the registration number that they had then.
        valid_until: the last day on which it is good.
        warnings: what the vet should look at, such as an allergy of the patient; empty when read.
    """

    id: UUID
    patient_id: UUID
    encounter_id: UUID | None
    vet: WriterRef
    issued_at: datetime
    valid_until: date
    items: list[PrescriptionItemView]
    voided: VoidedView | None
    warnings: list[FieldError] = []


class PrescriptionCheckView(msgspec.Struct, frozen=True):
    """What speaks against a prescription that is not issued yet, as its own `warnings` would."""

    warnings: list[FieldError]


class AllergyView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a patient does not bear.

    Attributes:
        active_substances: the substances and classes that `substance` was understood as; one that names none of those
            known is looked for as it was written.
        state: `active`, `resolved`, or `voided` where it was entered in error.
    """

    id: UUID
    patient_id: UUID
    substance: str
    active_substances: list[str]
    reaction: str | None
    severity: str
    state: str
    noted_at: datetime
    noted_by: WriterRef | None
    resolved_at: datetime | None
    resolved_by: WriterRef | None
    voided: VoidedView | None
