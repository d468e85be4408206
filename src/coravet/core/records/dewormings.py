"""Recording an antiparasitic treatment, and marking one as entered in error."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, InvalidTransition
from coravet.core.kernel.events import DewormingRecorded
from coravet.core.kernel.fields import sound
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.records.allergies import allergy_warnings, unchecked
from coravet.core.records.amounts import Amount, Unit, check_amounts, check_substances
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
from coravet.core.records.ports import Chart
from coravet.core.records.problems import in_open_encounter
from coravet.core.records.protocols import entries_for
from coravet.core.records.treatment_ports import TreatmentsWork
from coravet.core.records.treatment_views import DewormingView
from coravet.core.records.treatments import Deworming, GivenSource, Route, Target
from coravet.core.records.vitals import Kilograms, jump, measured
from coravet.core.tenancy.clinic_day import day_of, time_zone

STALE = timedelta(days=30)
"""How old the weight may be that a dose is reckoned by: puppies and kittens outgrow it sooner, the sick as well."""

COVERS = {"internal": ["internal"], "external": ["external"], "both": ["external", "internal"]}


class NewDeworming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A treatment that a patient had; what it shares with an immunization means the same.

    Attributes:
        active_substances: left out, they are looked for in the product's name.
        dose, dose_unit: how much was given, and of what, such as 1.5 tablets.
        weight_kg: what the dose was reckoned by; by default the last weight.
    """

    product: Product
    target: Target
    administered_at: Instant
    source: GivenSource
    active_substances: Annotated[list[Annotated[str, Meta(min_length=1, max_length=80)]], Meta(max_length=10)] = []
    dose: Amount | None = None
    dose_unit: Unit | None = None
    weight_kg: Kilograms | None = None
    route: Route | None = None
    lot_number: Lot | None = None
    lot_expires_on: date | None = None
    next_due_on: date | UnsetType | None = UNSET
    encounter_id: UUID | None = None
    vet_id: UUID | None = None
    given_by: Words | None = None


def check_deworming(given: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given in their normal form, and every bad one that can be told without the patient."""
    fields, errors = check_given(given, ("product", "dose_unit"), ("product",), now)
    errors += check_substances(fields) + check_amounts(fields, "dose")
    if "dose" in fields and "dose_unit" in fields and (fields["dose"] is None) != (fields["dose_unit"] is None):
        missing = "dose" if fields["dose"] is None else "dose_unit"
        errors.append(FieldError(f"/{missing}", "required", "A dose needs its amount and its unit."))
    return fields, errors


async def record_deworming(
    patient_id: UUID, command: NewDeworming, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> DewormingView:
    """Record a treatment. It ends the recall that asked for it, and makes the one for the next.

    Raises:
        Invalid: as with an immunization, and where no animal of the species weighs so much.
        NotFound, InvalidTransition: as with an immunization.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    fields = sound(check_deworming(msgspec.structs.asdict(command), now))
    errors, warnings = check_days(fields, zone)
    sound((fields, errors))
    at = fields["administered_at"]
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        fields |= sound(measured({"weight_kg": fields["weight_kg"]}, patient.species))
        sound((fields, check_life(fields, patient, zone)))
        await in_open_encounter(work, fields["encounter_id"], patient_id)
        vet = await the_vet(fields, actor, work)
        chart = await work.charts.chart(patient_id, at)
        weight, of_weight = the_weight(fields["weight_kg"], chart, at, zone)
        if fields["source"] == "here":
            warnings += of_weight
        entries = await entries_for(work, "deworming", patient.species)
        covers = COVERS[fields["target"]]
        before = [each for each in await work.dues.given(patient_id, "deworming_due") if each.administered_at < at]
        concerned = [entry for entry in entries if entry.code in covers]
        due, doubts = reckon(concerned, patient, day_of(at, zone), before, zone)
        warnings += doubts_of_due(fields, due, doubts)
        known = await work.allergy_reads.known(patient_id)
        warnings += allergy_warnings("/product", [fields["product"], *fields["active_substances"]], known)
        warnings += unchecked("/active_substances", fields["active_substances"] or [fields["product"]], known)
        deworming = Deworming(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            patient_id=patient_id,
            recorded_at=now,
            recorded_by=actor.member_id,
            **{**fields, **vet, **wanted_due(fields, covers, due), "weight_kg": weight},
        )
        await work.dewormings.add(deworming)
        await renew_recalls(work, patient, "deworming_due", entries, actor, now)
        work.emit(DewormingRecorded(deworming.id))
        view = await work.treatment_reads.deworming(deworming.id)
        return work.answer(msgspec.structs.replace(view, warnings=warnings))


def the_weight(
    given: Decimal | None, chart: Chart, at: datetime, zone: ZoneInfo
) -> tuple[Decimal | None, list[FieldError]]:
    """The weight that a dose at `at` was reckoned by, and what is doubtful about it."""
    if given is not None:
        return given, jump(given, chart, at, zone)
    if chart.weight_kg is None or chart.weighed_at is None:
        sentence = "The weight is missing, so the dose cannot be checked against it. Weigh the patient."
        return None, [FieldError("/weight_kg", "missing", sentence)]
    age = at - chart.weighed_at
    if age <= STALE:
        return chart.weight_kg, []
    sentence = Sentence("The last weight is {days} days old. Weigh the patient again.", days=age.days)
    return chart.weight_kg, [FieldError("/weight_kg", "outdated", sentence)]


async def void_deworming(
    deworming_id: UUID, command: Voiding, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> DewormingView:
    """Mark a treatment as entered in error; its recall ends with it, and what it had ended is open again.

    Raises:
        Invalid: the reason is blank.
        NotFound: no such deworming here.
        InvalidTransition: it is marked already.
    """
    reason = sound(check_reason(msgspec.structs.asdict(command)))["reason"]
    now = clock.now()
    async with begin(actor) as work:
        found = await work.dewormings.get(deworming_id)
        patient = await work.patients.lock(found.patient_id)
        deworming = await work.dewormings.lock(deworming_id)
        if deworming.voided_at is not None:
            raise InvalidTransition("This deworming is marked as entered in error already.")
        deworming.voided_at, deworming.voided_by, deworming.void_reason = now, actor.member_id, reason
        entries = await entries_for(work, "deworming", patient.species)
        await renew_recalls(work, patient, "deworming_due", entries, actor, now)
        shown: Shown = {"card": patient.id, "visit_summary": deworming.encounter_id}
        await withdraw_shown(work, shown, now, reason, since=deworming.recorded_at)
        work.emit(DewormingRecorded(deworming.id))
        return work.answer(await work.treatment_reads.deworming(deworming.id))
