"""That a patient has died, and that this is taken back. What ends with it is told in `scheduling.deceased`."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import PatientDeceased, PatientRevived
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import Death, DeathStep, Patient
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import PatientView
from coravet.core.tenancy.clinic_day import day_of, time_zone

FIRST_DAY = date(1980, 1, 1)
"""No living patient was born or had a dose before, and nobody's death is written down; an earlier year is a slip."""


class Deceased(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The day on which a patient, or a client, died; by default today in the clinic."""

    on: date | None = None
    version: int | UnsetType = UNSET


def check_death(given: Mapping[str, Any], today: date) -> list[FieldError]:
    """What is wrong with a day of death, whoever died.

    Args:
        today: the clinic's day; nobody has died after it.
    """
    on = given.get("on")
    if on is not None and on > today:
        return [FieldError("/on", "in_future", "The day of death cannot lie after today.")]
    return too_early("on", on)


def too_early(name: str, day: date | None) -> list[FieldError]:
    """That a day lies before anything that is written down here, where it does."""
    if day is None or day >= FIRST_DAY:
        return []
    return [FieldError(f"/{name}", "out_of_range", "The day lies before 1980. Check the year.")]


def earliest_birth(birth_date: date, precision: str | None) -> date:
    """The first day on which a patient may have been born whose birth date is known that precisely."""
    if precision == "day":
        return birth_date
    if precision == "month":
        return birth_date.replace(day=1)
    return birth_date.replace(month=1, day=1)


def died_before_birth(patient: Patient) -> bool:
    """Whether the patient died on a day before it can have been born."""
    if patient.deceased_on is None or patient.birth_date is None:
        return False
    return patient.deceased_on < earliest_birth(patient.birth_date, patient.birth_date_precision)


def decease(work: PatientsWork, patient: Patient, command: Deceased, now: datetime) -> Death:
    """Have a patient that this work locked be dead, and tell of it; answers what is to be kept of that.

    Raises:
        Invalid: the day lies after today (`in_future`) or before the patient's birth (`before_birth`).
        StaleVersion: it changed since it was read.
    """
    today = day_of(now, time_zone(work.actor.time_zone))
    errors = check_death(msgspec.structs.asdict(command), today)
    if errors:
        raise Invalid(errors=errors)
    advance(patient, command.version)
    step: DeathStep = "recorded" if patient.deceased_on is None else "corrected"
    patient.deceased_on = command.on or today
    if died_before_birth(patient):
        sentence = "The day of death lies before the birth date. Correct the one that is wrong."
        raise Invalid(errors=[FieldError("/on", "before_birth", sentence)])
    work.emit(PatientDeceased(patient.id, patient.version))
    return _kept(work, patient, step, now)


async def revoke_death(
    patient_id: UUID, version: int | UnsetType, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> PatientView:
    """Take back that a patient has died. One that lives is left as it is.

    What ended with its death stays ended: people look at it anew, and book, wait or recall again what still holds.

    Raises:
        NotFound: no such patient here.
        StaleVersion: it changed since it was read.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        if patient.deceased_on is not None:
            advance(patient, version)
            patient.deceased_on = None
            await work.deaths.add(_kept(work, patient, "revoked", clock.now()))
            work.emit(PatientRevived(patient.id, patient.version))
        return await work.patient_reads.patient(patient.id)


def _kept(work: PatientsWork, patient: Patient, step: DeathStep, now: datetime) -> Death:
    return Death(
        clinic_id=work.actor.clinic_id,
        id=work.new_id(),
        patient_id=patient.id,
        step=step,
        deceased_on=patient.deceased_on,
        at=now,
        recorded_by=work.actor.member_id,
    )
