"""Somebody stands at the desk without an appointment."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.events import AppointmentBooked, AppointmentCheckedIn
from coravet.core.kernel.fields import sound
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.book import add_visit, check_appointment, check_patient, lanes_for
from coravet.core.scheduling.errors import NoTimeSoon
from coravet.core.scheduling.place import check_named, find_place, span_of
from coravet.core.scheduling.ports import Plan, SchedulingWork
from coravet.core.scheduling.slots import free, reach
from coravet.core.scheduling.views import AppointmentView
from coravet.core.tenancy.clinic_day import DayBounds, day_of, time_zone

SOON = timedelta(hours=12)
"""How long somebody may be asked to wait; who is here late is still seen on a night shift."""


class WalkIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A patient who is here now.

    Attributes:
        resource_ids: who shall serve it; by default whoever is free first.
        overbook: have it seen now, beside what holds the time already; needs `agenda:overbook` and names who does.
    """

    service_id: UUID
    patient_id: UUID
    resource_ids: Annotated[list[UUID], Meta(max_length=10)] = []
    reason: Annotated[str, Meta(max_length=500)] | None = None
    overbook: bool = False


async def walk_in(command: WalkIn, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> AppointmentView:
    """Give a patient who is here the first free time, to the minute; the visit begins `checked_in`.

    Raises:
        Invalid: the resources or the species do not fit; every bad field is listed.
        NotFound: no such service, patient or resource here.
        PatientDeceased: the patient has died.
        NoTimeSoon: nobody who could serve it is free in the next hours.
        OutsideHours: overbooking, who is named does not work now.
        SlotTaken: overbooking, every lane of theirs is full.
        NotPermitted: overbooking without the permission.
    """
    lanes = lanes_for(actor, overbook=command.overbook)
    now = clock.now()
    fields = sound(check_appointment(msgspec.structs.asdict(command), now))
    async with begin(actor) as work:
        plan = await work.offers.plan(command.service_id, *_days(now, actor))
        booked = await work.offers.booked(command.patient_id)
        check_patient(plan.offer, booked)
        if command.resource_ids or command.overbook:
            await check_named(work, plan.offer, command.resource_ids)
        await work.diary.lock(plan.offer.resources)
        minute = now.replace(second=0, microsecond=0)
        starts_at, named = (
            (minute, command.resource_ids)
            if command.overbook
            else await _first(work, plan, command.resource_ids, minute)
        )
        place = await find_place(work, plan.offer, span_of(plan.offer, starts_at), named, now, lanes=lanes)
        appointment = await add_visit(
            work, plan.offer, booked, place, now, status="checked_in", source="walk_in", reason=fields["reason"]
        )
        work.emit(AppointmentBooked(appointment.id, appointment.version))
        work.emit(AppointmentCheckedIn(appointment.id, appointment.version))
        return work.answer(await work.schedule_reads.appointment(appointment.id))


async def _first(work: SchedulingWork, plan: Plan, named: list[UUID], minute: datetime) -> tuple[datetime, list[UUID]]:
    """The first free start from that minute on, and who serves it: those named, or one who is free then.

    Raises:
        NoTimeSoon: there is none.
    """
    window = DayBounds(minute, minute + SOON)
    # Who waits is seen as soon as somebody is free, not at the next time that is offered to callers.
    to_the_minute = msgspec.structs.replace(plan, offer=msgspec.structs.replace(plan.offer, grid_minutes=1))
    held = await work.diary.taken(list(plan.offer.resources), reach(plan.offer, window), minute)
    days, zone = _days(minute, work.actor), time_zone(work.actor.time_zone)
    for slot in free(_only(to_the_minute, named), held, days, window, not_before=minute, zone=zone):
        return slot.starts_at, named or [slot.resource_ids[0]]
    raise NoTimeSoon


def _days(now: datetime, actor: Actor) -> tuple[date, date]:
    """The clinic days on which somebody who comes now may be seen."""
    zone = time_zone(actor.time_zone)
    return day_of(now, zone), day_of(now + SOON, zone)


def _only(plan: Plan, named: Sequence[UUID]) -> Plan:
    """The plan with those named as the only ones of their kinds."""
    kinds = {plan.offer.resources[each] for each in named}
    left = {each: kind for each, kind in plan.offer.resources.items() if each in named or kind not in kinds}
    return msgspec.structs.replace(plan, offer=msgspec.structs.replace(plan.offer, resources=left))
