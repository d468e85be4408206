"""Registering a patient and changing what is known of it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import PatientCreated, PatientUpdated
from coravet.core.kernel.fields import clean_fields, given_fields
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.breeds import breed_code
from coravet.core.patients.death import died_before_birth, too_early
from coravet.core.patients.model import BirthDatePrecision, Party, Patient, ReproductiveStatus, Sex, Species
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.search import kept
from coravet.core.patients.views import PatientView
from coravet.core.tenancy.clinic_day import day_of, time_zone

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Words = Annotated[str, Meta(max_length=80)]


class NewPatient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A patient to register, with its owner."""

    client_id: UUID
    name: Name
    species: Species
    breed: Words | None = None
    sex: Sex = "unknown"
    reproductive_status: ReproductiveStatus = "unknown"
    birth_date: date | None = None
    birth_date_precision: BirthDatePrecision | None = None
    color: Words | None = None


class PatientChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a patient; what is left out stays, null clears. Its owner changes by a transfer only."""

    version: int | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    species: Species | UnsetType = UNSET
    breed: Words | UnsetType | None = UNSET
    sex: Sex | UnsetType = UNSET
    reproductive_status: ReproductiveStatus | UnsetType = UNSET
    birth_date: date | UnsetType | None = UNSET
    birth_date_precision: BirthDatePrecision | UnsetType | None = UNSET
    color: Words | UnsetType | None = UNSET


def check_patient(given: Mapping[str, Any], today: date) -> tuple[dict[str, Any], list[FieldError]]:
    """Bring the fields that were given into their normal form, finding every bad one at once.

    Args:
        today: the clinic's day; nobody is born after it.
    """
    fields, errors = clean_fields(given, ("name", "breed", "color"), required=("name",))
    born = fields.get("birth_date")
    if born is not None and born > today:
        errors.append(FieldError("/birth_date", "in_future", "A birth date cannot lie after today."))
    errors += too_early("birth_date", born)
    if "birth_date" in fields:
        if born is None:
            if fields.get("birth_date_precision") is not None:
                errors.append(FieldError("/birth_date", "required", "A precision needs a birth date."))
            fields["birth_date_precision"] = None
        elif fields.get("birth_date_precision") is None:
            fields["birth_date_precision"] = "day"
    return fields, errors


def search_key(patient: Patient) -> str:
    """The words of a patient's name and, after ` / `, of its breed, see `search.kept`."""
    return " / ".join(" ".join(kept(text)) for text in (patient.name, patient.breed) if text)


async def register_patient(command: NewPatient, actor: Actor, begin: Begin[PatientsWork], clock: Clock) -> PatientView:
    """Register a patient and its owner.

    Raises:
        Invalid: a field breaks a rule; every bad field is listed.
        NotFound: no such client here.
    """
    now = clock.now()
    fields, errors = check_patient(msgspec.structs.asdict(command), day_of(now, time_zone(actor.time_zone)))
    client_id = fields.pop("client_id")
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        client = await work.clients.get(client_id)
        patient = await add_patient(work, client.id, fields, now)
        return work.answer(await work.patient_reads.patient(patient.id))


async def add_patient(work: PatientsWork, client_id: UUID, fields: Mapping[str, Any], now: datetime) -> Patient:
    """A new patient of fields in their normal form, with its owner, told of."""
    patient = Patient(clinic_id=work.actor.clinic_id, id=work.new_id(), search_key="", created_at=now, **fields)
    patient.search_key = search_key(patient)
    patient.breed_code = breed_code(patient.species, patient.breed)
    await work.patients.add(patient)
    await work.parties.add(
        Party(
            clinic_id=work.actor.clinic_id,
            id=work.new_id(),
            patient_id=patient.id,
            client_id=client_id,
            role="owner",
            since=now,
        )
    )
    work.emit(PatientCreated(patient.id, patient.version))
    return patient


async def change_patient(
    patient_id: UUID, command: PatientChange, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> PatientView:
    """Change what is known of a patient.

    Raises:
        NotFound: no such patient here.
        StaleVersion: it changed since it was read.
        Invalid: a field breaks a rule; every bad field is listed.
    """
    given = given_fields(command)
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        if "birth_date" in given or "birth_date_precision" in given:
            given.setdefault("birth_date", patient.birth_date)
            if given["birth_date"] is not None:
                given.setdefault("birth_date_precision", patient.birth_date_precision)
        fields, errors = check_patient(given, day_of(clock.now(), time_zone(actor.time_zone)))
        if errors:
            raise Invalid(errors=errors)
        advance(patient, command.version)
        for name, value in fields.items():
            setattr(patient, name, value)
        if died_before_birth(patient):
            sentence = "The birth date lies after the day of death. Correct the one that is wrong."
            raise Invalid(errors=[FieldError("/birth_date", "after_death", sentence)])
        patient.search_key = search_key(patient)
        patient.breed_code = breed_code(patient.species, patient.breed)
        work.emit(PatientUpdated(patient.id, patient.version))
        return work.answer(await work.patient_reads.patient(patient.id))
