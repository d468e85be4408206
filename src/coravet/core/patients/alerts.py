"""Alerts: what must be known of a patient at a moment of its visits."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.events import PatientAlertChanged
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import Alert, Moment
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import AlertView
from coravet.core.tenancy.clinic_day import bounds, day_of, time_zone

LAST_DAY = date(2100, 1, 1)


class NewAlert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be known of a patient, and when.

    Attributes:
        expires_on: the last clinic day on which it shows; by default it shows until it is ended.
    """

    moment: Moment
    text: Annotated[str, Meta(min_length=1, max_length=200)]
    expires_on: date | None = None


def check_alert(given: Mapping[str, Any], today: date) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of an alert with its text in clean form, and every bad field.

    Args:
        today: the clinic's day; what expired before it never shows.
    """
    fields, errors = clean_fields(given, ("text",), required=("text",))
    last = given.get("expires_on")
    if last is not None and last < today:
        errors.append(FieldError("/expires_on", "in_past", "The last day of an alert cannot lie before today."))
    if last is not None and last > LAST_DAY:
        errors.append(FieldError("/expires_on", "too_far", "The day lies after 2100. Check the year, or leave it out."))
    return fields, errors


async def add_alert(
    patient_id: UUID, command: NewAlert, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> AlertView:
    """Have something shown from now on.

    Raises:
        Invalid: the text is none that a person could read, or its last day is past or out of reach.
        NotFound: no such patient here.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    fields = sound(check_alert(msgspec.structs.asdict(command), day_of(now, zone)))
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        last = command.expires_on
        alert = Alert(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            patient_id=patient.id,
            expires_at=None if last is None else bounds(last, zone).ends_at,
            created_at=now,
            created_by=actor.member_id,
            **fields,
        )
        await work.alerts.add(alert)
        advance(patient, UNSET)
        work.emit(PatientAlertChanged(patient.id, patient.version))
        return work.answer(AlertView(alert.id, alert.moment, alert.text, alert.expires_on, alert.created_at))


async def end_alert(patient_id: UUID, alert_id: UUID, actor: Actor, begin: Begin[PatientsWork], clock: Clock) -> None:
    """Have an alert shown no longer.

    Raises:
        NotFound: the patient has none such, or it was ended before.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        alert = await work.alerts.of(patient.id, alert_id)
        alert.ended_at, alert.ended_by = clock.now(), actor.member_id
        advance(patient, UNSET)
        work.emit(PatientAlertChanged(patient.id, patient.version))
