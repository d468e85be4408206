"""Issuing a prescription, and marking one as entered in error."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, InvalidTransition, PatientDeceased
from coravet.core.kernel.events import PrescriptionIssued
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.work import Begin
from coravet.core.records.allergies import allergy_warnings, unchecked
from coravet.core.records.amounts import Amount, Unit, check_amounts, check_substances
from coravet.core.records.documents import Shown, withdraw_shown
from coravet.core.records.encounters import Voiding, check_reason
from coravet.core.records.errors import RegistrationRequired
from coravet.core.records.given import Product, Words
from coravet.core.records.problems import in_open_encounter
from coravet.core.records.treatment_ports import KnownAllergy, TreatmentsWork
from coravet.core.records.treatment_views import PrescriptionCheckView, PrescriptionView
from coravet.core.records.treatments import Prescription, PrescriptionItem, Route
from coravet.core.tenancy.clinic_day import day_of, time_zone

VALID = timedelta(days=30)
"""How long a prescription is good that says nothing else: a house rule, for no term of law was found."""

LONGEST = timedelta(days=366)


class NewItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One drug.

    Attributes:
        active_substances: left out, they are looked for in the drug's name.
        strength: of one unit, such as `250 mg`.
        dose: how much each time, in `unit`; left out, the instructions alone say.
        frequency_hours: hours between two doses; left out: once, or as the instructions say.
        duration_days: left out: until further notice, or as the instructions say.
        quantity: how much is to be handed out, in `quantity_unit`, which is `unit` unless it is named.
        instructions: in words that the owner understands.
    """

    drug: Product
    unit: Unit
    route: Route
    quantity: Amount
    instructions: Annotated[str, Meta(min_length=1, max_length=1000)]
    active_substances: Annotated[list[Annotated[str, Meta(min_length=1, max_length=80)]], Meta(max_length=10)] = []
    strength: Words | None = None
    dose: Amount | None = None
    frequency_hours: Annotated[int, Meta(ge=1, le=8784)] | None = None
    duration_days: Annotated[int, Meta(ge=1, le=3660)] | None = None
    quantity_unit: Unit | None = None


class NewPrescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a vet prescribes a patient now; good for 30 days unless `valid_until` says otherwise."""

    items: Annotated[list[NewItem], Meta(min_length=1, max_length=20)]
    encounter_id: UUID | None = None
    valid_until: date | None = None


def check_items(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The `items` as they are kept, and every bad field of theirs, at `/items/<i>/…`."""
    items, errors = [], []
    for index, item in enumerate(given.get("items", ())):
        texts = ("drug", "unit", "instructions", "strength", "quantity_unit")
        required = ("drug", "unit", "instructions")
        fields, bad = clean_fields(msgspec.structs.asdict(item), texts, required=required)
        bad += check_substances(fields) + check_amounts(fields, "dose", "quantity")
        fields["quantity_unit"] = fields["quantity_unit"] or fields["unit"]
        items.append(fields)
        errors += [FieldError(f"/items/{index}{error.pointer}", error.code, error.said) for error in bad]
    return {"items": items}, errors


def check_valid_until(valid_until: date | None, today: date) -> list[FieldError]:
    """What is wrong with the last day on which a prescription of today is good."""
    if valid_until is not None and valid_until < today:
        return [FieldError("/valid_until", "in_past", "The last day is past already.")]
    if valid_until is not None and valid_until > today + LONGEST:
        return [FieldError("/valid_until", "out_of_range", "A prescription is good for a year at most.")]
    return []


def item_warnings(items: list[dict[str, Any]], known: list[KnownAllergy]) -> list[FieldError]:
    """What the vet should look at: allergies, and drugs that could not be checked for them."""
    warnings = []
    for index, item in enumerate(items):
        names = [item["drug"], *item["active_substances"]]
        warnings += allergy_warnings(f"/items/{index}/drug", names, known)
        # Where substances are named, the rest of the drug's name is a brand.
        parts = item["active_substances"] or [item["drug"]]
        warnings += unchecked(f"/items/{index}/active_substances", parts, known)
    return warnings


async def issue_prescription(
    patient_id: UUID, command: NewPrescription, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> PrescriptionView:
    """Issue a prescription in the name of the vet who acts. What speaks against it stands in `warnings`.

    Raises:
        RegistrationRequired: the vet has no registration number.
        PatientDeceased: the patient has died.
        Invalid: a field breaks a rule; every bad field is listed.
        NotFound: no such patient or encounter here.
        InvalidTransition: the encounter is signed or was entered in error.
    """
    now = clock.now()
    today = day_of(now, time_zone(actor.time_zone))
    fields, errors = check_items(msgspec.structs.asdict(command))
    items = sound((fields, errors + check_valid_until(command.valid_until, today)))["items"]
    if actor.member_id is None:
        raise RegistrationRequired
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        signer = await work.signers.signer(actor.member_id)
        if signer.registration_number is None:
            raise RegistrationRequired
        if patient.deceased_on is not None:
            raise PatientDeceased
        await in_open_encounter(work, command.encounter_id, patient_id)
        prescription = Prescription(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            patient_id=patient_id,
            encounter_id=command.encounter_id,
            vet_id=actor.member_id,
            vet_name=signer.name,
            registration_number=signer.registration_number,
            issued_at=now,
            valid_until=command.valid_until or today + VALID,
            item_count=len(items),
        )
        parts = [
            PrescriptionItem(
                clinic_id=actor.clinic_id,
                id=work.new_id(),
                prescription_id=prescription.id,
                position=position,
                **item,
            )
            for position, item in enumerate(items)
        ]
        await work.prescriptions.issue(prescription, parts)
        work.emit(PrescriptionIssued(prescription.id))
        view = await work.prescription_reads.prescription(prescription.id)
        warnings = item_warnings(items, await work.allergy_reads.known(patient_id))
        return work.answer(msgspec.structs.replace(view, warnings=warnings))


async def check_prescription(
    patient_id: UUID, command: NewPrescription, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> PrescriptionCheckView:
    """What would speak against a prescription, before there is one: nothing is stored.

    Raises:
        Invalid: a field breaks a rule; every bad field is listed.
        NotFound: no such patient here.
    """
    today = day_of(clock.now(), time_zone(actor.time_zone))
    fields, errors = check_items(msgspec.structs.asdict(command))
    items = sound((fields, errors + check_valid_until(command.valid_until, today)))["items"]
    async with begin(actor) as work:
        patient = await work.patients.get(patient_id)
        return work.answer(PrescriptionCheckView(item_warnings(items, await work.allergy_reads.known(patient.id))))


async def void_prescription(
    prescription_id: UUID, command: Voiding, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> PrescriptionView:
    """Mark a prescription as entered in error.

    Raises:
        Invalid: the reason is blank.
        NotFound: no such prescription here.
        InvalidTransition: it is marked already.
    """
    reason = sound(check_reason(msgspec.structs.asdict(command)))["reason"]
    now = clock.now()
    async with begin(actor) as work:
        prescription = await work.prescriptions.lock(prescription_id)
        if prescription.voided_at is not None:
            raise InvalidTransition("This prescription is marked as entered in error already.")
        prescription.voided_at, prescription.voided_by = now, actor.member_id
        prescription.void_reason = reason
        shown: Shown = {"prescription": prescription.id, "visit_summary": prescription.encounter_id}
        await withdraw_shown(work, shown, now, reason, since=prescription.issued_at)
        work.emit(PrescriptionIssued(prescription.id))
        return work.answer(await work.prescription_reads.prescription(prescription.id))
