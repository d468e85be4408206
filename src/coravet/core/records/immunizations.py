"""Recording a dose of a vaccine, and marking one as entered in error."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, InvalidTransition
from coravet.core.kernel.events import ImmunizationRecorded
from coravet.core.kernel.fields import sound
from coravet.core.kernel.text import fold
from coravet.core.kernel.work import Begin
from coravet.core.records.allergies import allergy_warnings, unchecked
from coravet.core.records.documents import Shown, withdraw_shown
from coravet.core.records.due import renew_recalls
from coravet.core.records.encounters import Voiding, check_reason
from coravet.core.records.given import (
    Instant,
    Lot,
    Product,
    Words,
    check_days,
    check_given,
    check_life,
    doubts_of_due,
    reckon,
    the_vet,
    wanted_due,
)
from coravet.core.records.problems import in_open_encounter
from coravet.core.records.protocols import covered, entries_for, named
from coravet.core.records.treatment_ports import TreatmentsWork
from coravet.core.records.treatment_views import ImmunizationView
from coravet.core.records.treatments import GivenSource, Immunization, Route
from coravet.core.tenancy.clinic_day import day_of, time_zone

TEXTS = ("vaccine", "manufacturer", "dose", "site")


class NewImmunization(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dose that a patient had.

    Attributes:
        vaccine: its name.
        covers: codes of the clinic's protocol that it is a dose of; left out, they are found in the name.
        next_due_on: left out, it is reckoned by the clinic's protocol; null: no further dose.
        vet_id: the member who gave it here; by default who records it.
        given_by: of one given elsewhere, the vet or clinic that the card names.
    """

    vaccine: Product
    administered_at: Instant
    source: GivenSource
    covers: Annotated[list[str], Meta(min_length=1, max_length=20)] | None = None
    manufacturer: Words | None = None
    lot_number: Lot | None = None
    lot_expires_on: date | None = None
    dose: Annotated[str, Meta(max_length=40)] | None = None
    route: Route | None = None
    site: Words | None = None
    next_due_on: date | UnsetType | None = UNSET
    encounter_id: UUID | None = None
    vet_id: UUID | None = None
    given_by: Words | None = None


def check_immunization(given: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given in their normal form, and every bad one that can be told without the patient."""
    return check_given(given, TEXTS, ("vaccine",), now)


async def record_immunization(
    patient_id: UUID, command: NewImmunization, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> ImmunizationView:
    """Record a dose. It ends the recall that asked for it, and makes the one for the next.

    Raises:
        Invalid: a field breaks a rule: it was not given yet, or before the patient's birth or after its death, here of
            a lot that had expired, by somebody who is no vet, or covers what the protocol does not know; every bad
            field is listed.
        NotFound: no such patient, encounter or member here.
        InvalidTransition: the encounter is signed or was entered in error.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    fields = sound(check_immunization(msgspec.structs.asdict(command), now))
    errors, warnings = check_days(fields, zone)
    sound((fields, errors))
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        sound((fields, check_life(fields, patient, zone)))
        await in_open_encounter(work, fields["encounter_id"], patient_id)
        vet = await the_vet(fields, actor, work)
        entries = await entries_for(work, "vaccine", patient.species)
        codes = covered(fields["vaccine"], entries) if command.covers is None else named(command.covers, entries)
        day = day_of(fields["administered_at"], zone)
        covers = codes or [fold(fields["vaccine"])]
        given = await work.dues.given(patient_id, "vaccine_due")
        before = [each for each in given if each.administered_at < fields["administered_at"]]
        due, doubts = reckon([entry for entry in entries if entry.code in codes], patient, day, before, zone)
        warnings += doubts_of_due(fields, due, doubts)
        if fields["source"] == "here" and fields["lot_number"] is None:
            sentence = "The lot is missing. Without it nobody can be told if the maker recalls it."
            warnings.append(FieldError("/lot_number", "missing", sentence))
        if any(day_of(each.administered_at, zone) == day and not set(covers).isdisjoint(each.covers) for each in given):
            sentence = (
                "A dose of it is recorded on this day already."
                " If it is the same one, mark one of the two as entered in error."
            )
            warnings.append(FieldError("/administered_at", "given_today", sentence))
        known = await work.allergy_reads.known(patient_id)
        # An allergy may name a vaccine by another of its names.
        same = [each.substance for each in known if not set(codes).isdisjoint(covered(each.substance, entries))]
        warnings += allergy_warnings("/vaccine", [fields["vaccine"], *same], known)
        if not codes:
            warnings += unchecked("/vaccine", [fields["vaccine"]], known)
        immunization = Immunization(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            patient_id=patient_id,
            recorded_at=now,
            recorded_by=actor.member_id,
            **{**fields, **vet, **wanted_due(fields, covers, due), "covers": covers},
        )
        await work.immunizations.add(immunization)
        await renew_recalls(work, patient, "vaccine_due", entries, actor, now)
        work.emit(ImmunizationRecorded(immunization.id))
        view = await work.treatment_reads.immunization(immunization.id)
        return work.answer(msgspec.structs.replace(view, warnings=warnings))


async def void_immunization(
    immunization_id: UUID, command: Voiding, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> ImmunizationView:
    """Mark a dose as entered in error; its recall ends with it, and what it had ended is open again.

    Raises:
        Invalid: the reason is blank.
        NotFound: no such immunization here.
        InvalidTransition: it is marked already.
    """
    reason = sound(check_reason(msgspec.structs.asdict(command)))["reason"]
    now = clock.now()
    async with begin(actor) as work:
        found = await work.immunizations.get(immunization_id)
        patient = await work.patients.lock(found.patient_id)
        immunization = await work.immunizations.lock(immunization_id)
        if immunization.voided_at is not None:
            raise InvalidTransition("This immunization is marked as entered in error already.")
        immunization.voided_at, immunization.voided_by, immunization.void_reason = now, actor.member_id, reason
        entries = await entries_for(work, "vaccine", patient.species)
        await renew_recalls(work, patient, "vaccine_due", entries, actor, now)
        shown: Shown = {"card": patient.id, "visit_summary": immunization.encounter_id}
        await withdraw_shown(work, shown, now, reason, since=immunization.recorded_at)
        work.emit(ImmunizationRecorded(immunization.id))
        return work.answer(await work.treatment_reads.immunization(immunization.id))
