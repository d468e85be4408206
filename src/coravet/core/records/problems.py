"""The problem list: what a patient has or had, across visits. Every judgement is kept."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, InvalidTransition
from coravet.core.kernel.events import ProblemChanged
from coravet.core.kernel.fields import clean_fields, given_fields, sound
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.records.model import Certainty, Problem, ProblemChange, ProblemStatus
from coravet.core.records.ports import RecordsWork
from coravet.core.records.views import ProblemView
from coravet.core.tenancy.clinic_day import day_of, time_zone

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class NewProblem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A problem to note, found in an encounter or known from before."""

    name: Name
    status: ProblemStatus = "active"
    certainty: Certainty = "suspected"
    onset_on: date | None = None
    resolved_on: date | None = None
    encounter_id: UUID | None = None


class ProblemUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known anew of a problem; what is left out stays, null clears.

    `encounter_id` is the visit in which it was judged so.
    """

    version: int | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    status: ProblemStatus | UnsetType = UNSET
    certainty: Certainty | UnsetType = UNSET
    onset_on: date | UnsetType | None = UNSET
    resolved_on: date | UnsetType | None = UNSET
    encounter_id: UUID | UnsetType | None = UNSET


def check_problem(given: Mapping[str, Any], today: date) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields in their normal form, and every bad one of them.

    Args:
        today: the clinic's day, after which nothing began or ended yet.
    """
    fields, errors = clean_fields(given, ("name",), required=("name",))
    onset, resolved = fields.get("onset_on"), fields.get("resolved_on")
    for name, day in (("onset_on", onset), ("resolved_on", resolved)):
        if day is not None and day > today:
            errors.append(FieldError(f"/{name}", "in_future", "The day cannot lie after today."))
    if onset is not None and resolved is not None and resolved < onset:
        errors.append(FieldError("/resolved_on", "before_onset", "The problem cannot end before it began."))
    if resolved is not None and fields.get("status") == "active":
        sentence = "A problem that has ended is not active. Mark it as resolved, or clear the day."
        errors.append(FieldError("/resolved_on", "still_active", sentence))
    return fields, errors


async def note_problem(
    patient_id: UUID, command: NewProblem, actor: Actor, begin: Begin[RecordsWork], clock: Clock
) -> ProblemView:
    """Note a problem; in an open encounter it is one of its diagnoses.

    Raises:
        Invalid: a field breaks a rule, or the encounter is another patient's.
        NotFound: no such patient or encounter here.
        InvalidTransition: the encounter is signed or was entered in error.
    """
    now = clock.now()
    given = msgspec.structs.asdict(command)
    fields = sound(check_problem(given, day_of(now, time_zone(actor.time_zone))))
    encounter_id = fields.pop("encounter_id")
    async with begin(actor) as work:
        await work.patients.get(patient_id)
        problem = Problem(clinic_id=actor.clinic_id, id=work.new_id(), patient_id=patient_id, created_at=now, **fields)
        await in_open_encounter(work, encounter_id, patient_id)
        await work.problems.add(problem)
        await _keep(work, problem, encounter_id, now)
        work.emit(ProblemChanged(problem.id, problem.version))
        return work.answer(await work.record_reads.problem(problem.id))


async def judge_problem(
    problem_id: UUID, command: ProblemUpdate, actor: Actor, begin: Begin[RecordsWork], clock: Clock
) -> ProblemView:
    """Change what is known of a problem; what was known before stays readable.

    Raises:
        Invalid, InvalidTransition: as when noting one.
        NotFound: no such problem or encounter here.
        StaleVersion: it changed since it was read.
    """
    now = clock.now()
    given = given_fields(command)
    encounter_id = given.pop("encounter_id", None)
    async with begin(actor) as work:
        problem = await work.problems.lock(problem_id)
        whole = {name: getattr(problem, name) for name in ("name", "status", "certainty", "onset_on", "resolved_on")}
        fields = sound(check_problem({**whole, **given}, day_of(now, time_zone(actor.time_zone))))
        advance(problem, command.version)
        await in_open_encounter(work, encounter_id, problem.patient_id)
        for name, value in fields.items():
            setattr(problem, name, value)
        await _keep(work, problem, encounter_id, now)
        work.emit(ProblemChanged(problem.id, problem.version))
        return work.answer(await work.record_reads.problem(problem.id))


async def in_open_encounter(work: RecordsWork, encounter_id: UUID | None, patient_id: UUID) -> None:
    """Hold the encounter open while something of it is written; None is none.

    Raises:
        NotFound: no such encounter here.
        Invalid: it is another patient's (`other_patient`).
        InvalidTransition: it is signed or was entered in error.
    """
    if encounter_id is None:
        return
    encounter = await work.encounters.lock(encounter_id)
    if encounter.patient_id != patient_id:
        sentence = "This encounter is another patient's. Open it from the patient's own record."
        raise Invalid(errors=[FieldError("/encounter_id", "other_patient", sentence)])
    if encounter.signed_at is not None or encounter.voided_at is not None:
        raise InvalidTransition("The encounter is signed or was entered in error. Leave it out, or open a new one.")


async def _keep(work: RecordsWork, problem: Problem, encounter_id: UUID | None, now: datetime) -> None:
    await work.problem_changes.add(
        ProblemChange(
            clinic_id=problem.clinic_id,
            id=work.new_id(),
            problem_id=problem.id,
            encounter_id=encounter_id,
            member_id=work.actor.member_id,
            at=now,
            name=problem.name,
            status=problem.status,
            certainty=problem.certainty,
            onset_on=problem.onset_on,
            resolved_on=problem.resolved_on,
        )
    )
