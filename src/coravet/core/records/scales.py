"""Weighing a patient outside an encounter."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import InvalidTransition
from coravet.core.kernel.events import PatientUpdated
from coravet.core.kernel.fields import sound
from coravet.core.kernel.work import Begin
from coravet.core.records.encounters import Voiding, check_moment, check_reason
from coravet.core.records.model import Weight
from coravet.core.records.ports import RecordsWork
from coravet.core.records.views import WeightView
from coravet.core.records.vitals import Kilograms, jump, measured
from coravet.core.tenancy.clinic_day import time_zone


class NewWeight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A patient's weight in kilograms; by default it was taken now."""

    weight_kg: Kilograms
    weighed_at: datetime | None = None


async def weigh(
    patient_id: UUID, command: NewWeight, actor: Actor, begin: Begin[RecordsWork], clock: Clock
) -> WeightView:
    """Write down a weight, and warn where it jumped.

    Raises:
        Invalid: no animal of the species weighs so much, or it was weighed in the future.
        NotFound: no such patient here.
    """
    now = clock.now()
    at = sound(({"at": command.weighed_at}, check_moment("weighed_at", command.weighed_at, now)))["at"] or now
    async with begin(actor) as work:
        patient = await work.patients.get(patient_id)
        chart = await work.charts.chart(patient_id, at)
        values: dict[str, Any] = sound(measured({"weight_kg": command.weight_kg}, chart.species))
        weight = Weight(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            patient_id=patient_id,
            weighed_at=at,
            weighed_by=actor.member_id,
            created_at=now,
            **values,
        )
        await work.weights.add(weight)
        work.emit(PatientUpdated(patient.id, patient.version))
        warnings = jump(weight.weight_kg, chart, at, time_zone(actor.time_zone))
        return work.answer(
            WeightView(weight.id, patient_id, float(weight.weight_kg), at, encounter_id=None, warnings=warnings)
        )


async def void_weight(weight_id: UUID, command: Voiding, actor: Actor, begin: Begin[RecordsWork], clock: Clock) -> None:
    """Mark a weight as entered in error; it leaves the curve.

    Raises:
        Invalid: the reason is blank.
        NotFound: no such weight here.
        InvalidTransition: it is marked already.
    """
    reason = sound(check_reason(msgspec.structs.asdict(command)))["reason"]
    async with begin(actor) as work:
        weight = await work.weights.lock(weight_id)
        if weight.voided_at is not None:
            raise InvalidTransition("This weight is marked as entered in error already.")
        weight.voided_at, weight.voided_by, weight.void_reason = clock.now(), actor.member_id, reason
        patient = await work.patients.get(weight.patient_id)
        work.emit(PatientUpdated(patient.id, patient.version))
