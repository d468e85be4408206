"""Moving a visit to another time, or to other hands.

The visit keeps its id, and with it everything that points there: links, reminders, calendars. What it was before
becomes a row of its own, cancelled and never shown among visits, which `rescheduled_from_id` leads back to.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import PatientDeceased
from coravet.core.kernel.events import AppointmentReassigned, AppointmentRescheduled
from coravet.core.kernel.fields import sound
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.messaging.links import SEEN_AFTER
from coravet.core.messaging.ports import NewMessage
from coravet.core.scheduling.book import check_appointment, lanes_for
from coravet.core.scheduling.freed import time_freed
from coravet.core.scheduling.history import step_taken
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.model import Appointment, By, Status
from coravet.core.scheduling.place import allocations, check_named, find_place, leading_kind
from coravet.core.scheduling.ports import Booked, SchedulingWork
from coravet.core.scheduling.transition import refusal
from coravet.core.scheduling.views import AppointmentView

MOVABLE: frozenset[Status] = frozenset({"requested", "confirmed"})
"""A visit can be moved to another time until its patient arrives."""

REASSIGNABLE: frozenset[Status] = MOVABLE | {"checked_in", "in_exam"}
"""Somebody else may take over until the exam is done."""

ResourceIds = Annotated[list[UUID], Meta(min_length=1, max_length=10)]
Reason = Annotated[str, Meta(max_length=500)]


class Reschedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another time for a visit; it keeps its length.

    Attributes:
        resource_ids: who shall serve it then; by default who leads it now, and what else is free.
        overbook: place it beside what holds the time already; needs `agenda:overbook`.
    """

    starts_at: Annotated[datetime, Meta(tz=True)]
    version: int | UnsetType = UNSET
    resource_ids: ResourceIds | UnsetType = UNSET
    reason: Reason | None = None
    overbook: bool = False


class Reassign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Others to serve a visit, at the same time."""

    resource_ids: ResourceIds
    version: int | UnsetType = UNSET
    reason: Reason | None = None
    overbook: bool = False


async def reschedule(
    appointment_id: UUID, command: Reschedule, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> AppointmentView:
    """Move a visit to another time.

    Raises:
        Invalid: the start is past or out of reach, or the resources do not fit; every bad field is listed.
        NotFound: no such visit or resource here.
        StaleVersion: it changed since it was read.
        InvalidTransition: its patient arrived already, or it will not take place.
        OutsideHours: a resource does not work then.
        SlotTaken: the time is held.
        PatientDeceased: the patient has died.
        NotPermitted: overbooking without the permission.
    """
    lanes = lanes_for(actor, overbook=command.overbook)
    fields = sound(check_appointment(msgspec.structs.asdict(command), clock.now()))
    async with begin(actor) as work:
        booked = await work.offers.of_visit(appointment_id)
        appointment = await work.appointments.lock(appointment_id)
        advance(appointment, command.version)
        named = None if command.resource_ids is UNSET else command.resource_ids
        starts_at = command.starts_at.astimezone(UTC)
        await move(work, appointment, booked, starts_at, named, clock, by="staff", reason=fields["reason"], lanes=lanes)
        return work.answer(await work.schedule_reads.appointment(appointment.id))


async def reassign(
    appointment_id: UUID, command: Reassign, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> AppointmentView:
    """Have others serve a visit. Raises as `reschedule`; until the exam is done."""
    lanes = lanes_for(actor, overbook=command.overbook)
    fields = sound(check_appointment(msgspec.structs.asdict(command), clock.now()))
    named = command.resource_ids
    async with begin(actor) as work:
        booked = await work.offers.of_visit(appointment_id)
        appointment = await work.appointments.lock(appointment_id)
        advance(appointment, command.version)
        await move(work, appointment, booked, None, named, clock, by="staff", reason=fields["reason"], lanes=lanes)
        return work.answer(await work.schedule_reads.appointment(appointment.id))


async def move(
    work: SchedulingWork,
    appointment: Appointment,
    booked: Booked,
    starts_at: datetime | None,
    named: Sequence[UUID] | None,
    clock: Clock,
    *,
    by: By,
    reason: str | None = None,
    lanes: int = 1,
) -> None:
    """Place anew a visit that this work locked and advanced, write that down, and tell of it.

    Whom it does not name, it keeps where they are free.

    Args:
        booked: who the visit is for, as it was locked before it.
        starts_at: None where only who serves it changes.
        named: resources that it must get; by default the one that leads it now. None are demanded by an empty list.
        lanes: as `find_place` takes them.

    Raises:
        PatientDeceased: the patient has died.
        Invalid, NotFound, InvalidTransition, OutsideHours, SlotTaken: as `reschedule`.
    """
    now = clock.now()
    allowed = REASSIGNABLE if starts_at is None else MOVABLE
    if appointment.status not in allowed or appointment.superseded_by_id is not None:
        raise refusal("reassign" if starts_at is None else "reschedule", appointment, allowed)
    if booked.deceased:
        raise PatientDeceased
    offer = await work.offers.offer(appointment.service_id, retired=True)
    present = await work.diary.taken_by(appointment.id)
    if named is None:
        leading = leading_kind(offer.kinds)
        named = [each for each in present if offer.resources.get(each) == leading]
    elif named:
        await check_named(work, offer, named)
    before = Interval(appointment.starts_at, appointment.ends_at)
    start = before.starts_at if starts_at is None else starts_at
    visit = Interval(start, start + (before.ends_at - before.starts_at))
    # With those that it leaves, so that nobody is let in between what it gives up and what it takes.
    await work.diary.lock({*offer.resources, *present})
    before_id = await work.history.set_aside(appointment.id, work.new_id(), now)
    place = await find_place(work, offer, visit, named, now, lanes=lanes, rather=present)
    appointment.starts_at, appointment.ends_at = visit.starts_at, visit.ends_at
    appointment.lane = place.lane
    appointment.rescheduled_from_id = before_id
    await work.diary.take(allocations(work, place, appointment.id))
    await time_freed(work, before_id, before.ends_at, now)
    step = "reassign" if starts_at is None else "reschedule"
    await work.history.record(step_taken(work, appointment, step, appointment.status, now, by=by, reason=reason))
    if starts_at is not None:
        await work.links.prolong(appointment.id, visit.ends_at + SEEN_AFTER, now)
        await work.messages.queue(NewMessage("visit_moved", "appointment", appointment.id, now))
    event = AppointmentReassigned if starts_at is None else AppointmentRescheduled
    work.emit(event(appointment.id, appointment.version))
