"""A visit's life, step by step: every transition in one table."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, InvalidTransition
from coravet.core.kernel.events import (
    AppointmentCancelled,
    AppointmentCheckedIn,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentNoShow,
    AppointmentReady,
    AppointmentStarted,
    Event,
)
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.model import Status
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import AppointmentView

Step = Literal["confirm", "check-in", "start", "ready", "complete", "cancel", "no-show"]


class Transition(msgspec.Struct, frozen=True):
    """One step: whence, whither, and whether it frees the time that the visit holds."""

    sources: frozenset[Status]
    target: Status
    event: type[Event]
    releases: bool = False


TRANSITIONS: dict[Step, Transition] = {
    "confirm": Transition(frozenset({"requested"}), "confirmed", AppointmentConfirmed),
    "check-in": Transition(frozenset({"confirmed"}), "checked_in", AppointmentCheckedIn),
    "start": Transition(frozenset({"checked_in"}), "in_exam", AppointmentStarted),
    "ready": Transition(frozenset({"in_exam"}), "ready", AppointmentReady),
    "complete": Transition(frozenset({"ready"}), "completed", AppointmentCompleted),
    "cancel": Transition(frozenset({"requested", "confirmed"}), "cancelled", AppointmentCancelled, releases=True),
    "no-show": Transition(frozenset({"requested", "confirmed"}), "no_show", AppointmentNoShow, releases=True),
}


class StepCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step to take."""

    version: int | UnsetType = UNSET


class CancelCommand(StepCommand, frozen=True, forbid_unknown_fields=True):
    """A visit to cancel; the reason is kept with it."""

    reason: Annotated[str, Meta(max_length=500)] | None = None


def check_step(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given with a step, its texts in clean form, and those that cannot be."""
    return clean_fields(given, ("reason",))


async def take_step(
    appointment_id: UUID,
    step: Step,
    command: StepCommand,
    actor: Actor,
    begin: Begin[SchedulingWork],
    clock: Clock,
) -> AppointmentView:
    """Move a visit one step on.

    Raises:
        Invalid: the reason is not text that a person could read.
        NotFound: no such visit here.
        StaleVersion: it changed since it was read.
        InvalidTransition: its status does not allow the step; carries the status.
    """
    transition = TRANSITIONS[step]
    fields, errors = check_step(msgspec.structs.asdict(command))
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        appointment = await work.appointments.lock(appointment_id)
        advance(appointment, command.version)
        if appointment.status not in transition.sources:
            sentence = Sentence(
                "This visit is {status}; {step} is possible while it is {allowed}.",
                status=appointment.status,
                step=step,
                allowed=sorted(transition.sources),
            )
            raise InvalidTransition(sentence, current_status=appointment.status)
        appointment.status = transition.target
        if step == "cancel":
            appointment.cancel_reason = fields.get("reason")
        if transition.releases:
            await work.diary.release(appointment.id, clock.now())
        work.emit(transition.event(appointment.id, appointment.version))
        return work.answer(await work.schedule_reads.appointment(appointment.id))
