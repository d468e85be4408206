"""A visit's life, step by step: every transition in one table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, InvalidTransition, PatientDeceased
from coravet.core.kernel.events import (
    AppointmentCancelled,
    AppointmentCheckedIn,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentNoShow,
    AppointmentReady,
    AppointmentRequested,
    AppointmentStarted,
    Event,
)
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.messaging.model import MessageKind
from coravet.core.messaging.ports import NewMessage
from coravet.core.scheduling.errors import OutsideHours, SlotTaken
from coravet.core.scheduling.freed import time_freed
from coravet.core.scheduling.history import step_taken
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.model import Appointment, By, Status
from coravet.core.scheduling.place import working_during
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import AppointmentView

Step = Literal["confirm", "check-in", "start", "ready", "complete", "cancel", "no-show", "back"]

COMES_TRUE: dict[str, type[Event]] = {
    "requested": AppointmentRequested,
    "confirmed": AppointmentConfirmed,
    "checked_in": AppointmentCheckedIn,
    "in_exam": AppointmentStarted,
    "ready": AppointmentReady,
    "completed": AppointmentCompleted,
    "cancelled": AppointmentCancelled,
    "no_show": AppointmentNoShow,
}
"""What is told when a visit takes on a status, be it by a step on or a step back."""

RELEASED: frozenset[Status] = frozenset({"cancelled", "no_show"})
"""A visit of these takes no time."""

TO_COME: frozenset[Status] = frozenset({"requested", "confirmed"})
"""Who has a visit of these is waited for."""

TRANSITIONS: dict[Step, dict[Status, frozenset[Status]]] = {
    "confirm": {"requested": frozenset({"confirmed"})},
    "check-in": {"confirmed": frozenset({"checked_in"})},
    "start": {"checked_in": frozenset({"in_exam"})},
    "ready": {"in_exam": frozenset({"ready"})},
    "complete": {"ready": frozenset({"completed"})},
    "cancel": {"requested": frozenset({"cancelled"}), "confirmed": frozenset({"cancelled"})},
    "no-show": {"requested": frozenset({"no_show"}), "confirmed": frozenset({"no_show"})},
    "back": {
        "checked_in": frozenset({"confirmed"}),
        "in_exam": frozenset({"checked_in"}),
        "ready": frozenset({"in_exam"}),
        "completed": frozenset({"ready"}),
        "cancelled": frozenset({"requested", "confirmed"}),
        "no_show": frozenset({"requested", "confirmed"}),
    },
}
"""Every step: whence, and whither. Where there are several, back goes to where the visit came from."""


class StepCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step to take; the reason is kept in the visit's history."""

    version: int | UnsetType = UNSET
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
    """Move a visit one step on, or back.

    Raises:
        Invalid: the reason is not text that a person could read.
        NotFound: no such visit here.
        StaleVersion: it changed since it was read.
        InvalidTransition: its status does not allow the step; carries the status.
        PatientDeceased: nobody waits any more for the patient.
        OutsideHours, SlotTaken: going back, the time that it gave up cannot be had any more.
    """
    fields = sound(check_step(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        # A guest's step is taken before the visit only, when a death has ended it.
        deceased = step in {"confirm", "back"} and (await work.offers.of_visit(appointment_id)).deceased
        appointment = await work.appointments.lock(appointment_id)
        advance(appointment, command.version)
        await change_status(work, appointment, step, clock, by="staff", reason=fields["reason"], deceased=deceased)
        return work.answer(await work.schedule_reads.appointment(appointment.id))


async def change_status(
    work: SchedulingWork,
    appointment: Appointment,
    step: Step,
    clock: Clock,
    *,
    by: By,
    reason: str | None = None,
    deceased: bool = False,
) -> None:
    """Have a visit that this work locked and advanced take a step, write that down, and tell of it.

    Args:
        deceased: of a step that may lead there, whether who is to come has died, as they were locked before the visit.

    Raises:
        InvalidTransition: its status does not allow the step; carries the status.
        PatientDeceased: nobody waits any more for the patient.
        OutsideHours, SlotTaken: going back, the time that it gave up cannot be had any more.
    """
    came_from = appointment.status
    target = destination(step, came_from, appointment.previous_status)
    if target is None or appointment.superseded_by_id is not None:
        raise refusal(step, appointment)
    if deceased and target in TO_COME:
        raise PatientDeceased
    now = clock.now()
    appointment.previous_status = came_from
    appointment.status, appointment.status_since = target, now
    if target == "checked_in" and step != "back":
        appointment.checked_in_at = now
    elif target in TO_COME:
        appointment.checked_in_at = None
    if step == "cancel":
        appointment.cancel_reason = reason
    if target in RELEASED:
        await work.diary.release(appointment.id, now)
        await time_freed(work, appointment.id, appointment.ends_at, now)
    elif came_from in RELEASED:
        appointment.cancel_reason = None
        await _take_again(work, appointment, now)
    await work.history.record(step_taken(work, appointment, step, came_from, now, by=by, reason=reason))
    message = _news(step, came_from, target)
    if message is not None:
        await work.messages.queue(NewMessage(message, "appointment", appointment.id, now))
    work.emit(COMES_TRUE[target](appointment.id, appointment.version))


def _news(step: Step, came_from: Status, target: Status) -> MessageKind | None:
    """What a client is told of a step: that the visit will take place, or will not."""
    if step == "cancel":
        return "visit_cancelled"
    if step == "confirm":
        return "visit_confirmed"
    if came_from == "cancelled":
        return "visit_requested" if target == "requested" else "visit_confirmed"
    return None


async def _take_again(work: SchedulingWork, appointment: Appointment, now: datetime) -> None:
    """Take the time that a visit gave up, if it could be booked today.

    Raises:
        OutsideHours: who or what it took does not work then any more.
        SlotTaken: somebody has it now.
    """
    taken = await work.diary.taken_by(appointment.id)
    await work.diary.lock(taken)
    offer = await work.offers.offer(appointment.service_id, retired=True)
    visit = Interval(appointment.starts_at, appointment.ends_at)
    if not await working_during(work, offer, visit) >= set(taken):
        raise OutsideHours
    if not await work.diary.reclaim(appointment.id, now):
        raise SlotTaken


def destination(step: Step, status: Status, came_from: Status | None) -> Status | None:
    """Where a step leads, or None where it cannot be taken.

    Args:
        came_from: the status before this one, None where it began so.
    """
    targets = TRANSITIONS[step].get(status, frozenset())
    if len(targets) == 1:
        return next(iter(targets))
    return came_from if came_from in targets else None


def refusal(step: str, appointment: Appointment, sources: frozenset[Status] | None = None) -> InvalidTransition:
    """Why a visit cannot take a step now."""
    if appointment.superseded_by_id is not None:
        return InvalidTransition(
            "This is what a visit was before it was moved. Look at the visit itself.",
            current_status=appointment.status,
            rescheduled_to_id=appointment.superseded_by_id,
        )
    sentence = Sentence(
        "This visit is {status}; {step} is possible while it is {allowed}.",
        status=appointment.status,
        step=step,
        allowed=sorted(TRANSITIONS[step] if sources is None else sources),  # type: ignore[index]  # a Step
    )
    return InvalidTransition(sentence, current_status=appointment.status)
