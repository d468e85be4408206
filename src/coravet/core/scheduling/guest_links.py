"""What guests do with a visit by the links to it: each acts once it is posted, and only for its own purpose."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Invalid
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.errors import NotBookedOnline, TooLateForGuests
from coravet.core.scheduling.guests import check_start, guest_view, named_by_guest, possible, start_asked
from coravet.core.scheduling.model import Appointment
from coravet.core.scheduling.move import MOVABLE, move
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.transition import change_status, refusal
from coravet.core.scheduling.views import GuestVisit, GuestVisitView
from coravet.core.tenancy.clinic_day import time_zone

Reason = Annotated[str, Meta(max_length=500)]


class GuestCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a guest does not come; they need not say."""

    reason: Reason | None = None


class GuestReschedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another time for a visit; it keeps its length, and by default who leads it."""

    starts_at: Annotated[datetime, Meta(tz=True)]
    resource_id: UUID | None = None
    reason: Reason | None = None


async def see(appointment_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> GuestVisitView:
    """The visit as it is now. Changes nothing."""
    async with begin(actor) as work:
        return guest_view(await work.schedule_reads.guest_visit(appointment_id), clock.now())


async def confirm_as_guest(
    appointment_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> GuestVisitView:
    """Confirm a visit that was asked for; one that is confirmed stays as it is.

    Raises:
        TooLateForGuests: it has begun.
        InvalidTransition: it was cancelled, or is past that.
    """
    async with begin(actor) as work:
        appointment = await work.appointments.lock(appointment_id)
        if appointment.status != "confirmed":
            await _in_time(work, appointment, "confirm", clock)
            advance(appointment, msgspec.UNSET)
            await change_status(work, appointment, "confirm", clock, by="guest")
        return work.answer(await _seen(work, appointment, clock))


async def cancel_as_guest(
    appointment_id: UUID, command: GuestCancel, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> GuestVisitView:
    """Call off a visit; one that was called off stays so.

    Raises:
        Invalid: the reason is not text that a person could read.
        TooLateForGuests: the service's cut-off has passed.
        InvalidTransition: the patient has arrived, or was not brought.
    """
    reason = _reason(command.reason)
    async with begin(actor) as work:
        appointment = await work.appointments.lock(appointment_id)
        if appointment.status != "cancelled":
            await _in_time(work, appointment, "cancel", clock)
            advance(appointment, msgspec.UNSET)
            await change_status(work, appointment, "cancel", clock, by="guest", reason=reason)
        return work.answer(await _seen(work, appointment, clock))


async def reschedule_as_guest(
    appointment_id: UUID, command: GuestReschedule, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> GuestVisitView:
    """Move a visit to another time; one that is there already stays as it is.

    Raises:
        Invalid: the start is none that guests may book, or the reason is not text that a person could read.
        NotFound: the resource does not lead the service.
        NotBookedOnline: guests do not book the service, or no longer.
        TooLateForGuests: the service's cut-off has passed.
        InvalidTransition: the patient has arrived, or the visit will not take place.
        OutsideHours: nobody who could serve it works then.
        SlotTaken: the time is held.
    """
    reason = _reason(command.reason)
    starts_at = start_asked(command.starts_at, clock.now())
    async with begin(actor) as work:
        booked = await work.offers.of_visit(appointment_id)
        appointment = await work.appointments.lock(appointment_id)
        if not await _there_already(work, appointment, starts_at, command.resource_id):
            if appointment.status not in MOVABLE:
                raise refusal("reschedule", appointment, MOVABLE)
            await _in_time(work, appointment, "reschedule", clock)
            offer = await work.offers.offer(appointment.service_id)
            check_start(offer, starts_at, clock.now(), time_zone(actor.time_zone))
            named = named_by_guest(offer, command.resource_id) or None
            advance(appointment, msgspec.UNSET)
            await move(work, appointment, booked, starts_at, named, clock, by="guest", reason=reason)
        return work.answer(await _seen(work, appointment, clock))


async def _there_already(
    work: SchedulingWork, appointment: Appointment, starts_at: datetime, resource_id: UUID | None
) -> bool:
    if appointment.status not in MOVABLE or appointment.starts_at != starts_at:
        return False
    return resource_id is None or resource_id in await work.diary.taken_by(appointment.id)


async def _in_time(work: SchedulingWork, appointment: Appointment, step: str, clock: Clock) -> None:
    """Whether a guest may still take a step that the visit's status allows; of others the step itself tells."""
    visit: GuestVisit = await work.schedule_reads.guest_visit(appointment.id)
    if step == "reschedule" and not visit.online:
        raise NotBookedOnline
    until = possible(visit).get(step)
    if until is not None and clock.now() >= until:
        raise TooLateForGuests


async def _seen(work: SchedulingWork, appointment: Appointment, clock: Clock) -> GuestVisitView:
    return guest_view(await work.schedule_reads.guest_visit(appointment.id), clock.now())


def _reason(text: str | None) -> str | None:
    fields, errors = clean_fields({"reason": text}, ("reason",))
    if errors:
        raise Invalid(errors=errors)
    reason: str | None = fields["reason"]
    return reason
