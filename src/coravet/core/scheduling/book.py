"""Booking a visit that cannot collide."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, NotFound
from coravet.core.kernel.events import AppointmentBooked
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.availability import open_for
from coravet.core.scheduling.errors import OutsideHours, SlotTaken
from coravet.core.scheduling.hours import Interval, open_intervals
from coravet.core.scheduling.model import LEADING_KINDS, Allocation, Appointment
from coravet.core.scheduling.ports import Diary, Held, Offer, SchedulingWork
from coravet.core.scheduling.views import AppointmentView
from coravet.core.tenancy.clinic_day import day_of, time_zone
from coravet.core.tenancy.errors import NotPermitted

PAST_GRACE = timedelta(hours=1)
"""How long after its start a visit may still be written down: somebody walked in, and was seen first."""

FURTHEST = timedelta(days=2 * 365)
"""How far ahead a visit may lie: a typing mistake in the year is caught."""

LANES = 4
"""Lanes of a resource: the normal one, and three for deliberate overbooking."""


class NewAppointment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A visit to book.

    Attributes:
        resource_ids: at least one of the kind that leads the service; what else it needs is assigned unless named too.
        overbook: book beside what holds the time already; needs `agenda:overbook`.
    """

    service_id: UUID
    patient_id: UUID
    resource_ids: Annotated[list[UUID], Meta(min_length=1, max_length=10)]
    starts_at: Annotated[datetime, Meta(tz=True)]
    reason: Annotated[str, Meta(max_length=500)] | None = None
    overbook: bool = False


async def book(command: NewAppointment, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> AppointmentView:
    """Book a visit for a patient, by staff; it begins `confirmed`.

    Raises:
        Invalid: the start is past or out of reach, or the resources do not fit; every bad field is listed.
        NotFound: no such service, patient or resource here.
        OutsideHours: a resource does not work then.
        SlotTaken: the time is held.
        NotPermitted: overbooking without the permission.
    """
    if command.overbook and "agenda:overbook" not in actor.permissions:
        raise NotPermitted("Your roles in this clinic do not include agenda:overbook.")
    now = clock.now()
    fields, errors = check_appointment(msgspec.structs.asdict(command), now)
    if errors:
        raise Invalid(errors=errors)
    starts_at = command.starts_at.astimezone(UTC)
    async with begin(actor) as work:
        offer = await work.diary.offer(command.service_id)
        client_id = await work.diary.owner_of(command.patient_id)
        visit = Interval(starts_at, starts_at + timedelta(minutes=offer.duration_minutes))
        holding = Interval(
            visit.starts_at - timedelta(minutes=offer.buffer_before_minutes),
            visit.ends_at + timedelta(minutes=offer.buffer_after_minutes),
        )
        named = _named(command.resource_ids, offer)
        await work.diary.lock(offer.resources)
        able = await _working(work.diary, offer, visit, actor)
        if any(resource_id not in able for resource_id in named):
            raise OutsideHours
        held = await work.diary.held(list(offer.resources), holding)
        lane, taken = choose(offer, named, able, held, lanes=LANES if command.overbook else 1)
        appointment = Appointment(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            service_id=offer.service_id,
            patient_id=command.patient_id,
            client_id=client_id,
            status="confirmed",
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            reason=fields["reason"],
            source="staff",
            lane=lane,
            created_at=now,
        )
        allocations = [
            Allocation(
                clinic_id=actor.clinic_id,
                id=work.new_id(),
                appointment_id=appointment.id,
                resource_id=resource_id,
                lane=lane,
                starts_at=holding.starts_at,
                ends_at=holding.ends_at,
            )
            for resource_id in taken
        ]
        await work.diary.add(appointment, allocations)
        work.emit(AppointmentBooked(appointment.id, appointment.version))
        return work.answer(await work.schedule_reads.appointment(appointment.id))


def check_appointment(given: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of a visit with its texts in clean form, and every field of it that breaks a rule.

    Fields that are absent are not looked at, so that a form can be checked though other fields are malformed.
    """
    fields, errors = clean_fields(given, ("reason",))
    starts_at = given.get("starts_at")
    if starts_at is not None and starts_at < now - PAST_GRACE:
        errors.append(FieldError("/starts_at", "in_past", "A visit cannot be booked in the past."))
    if starts_at is not None and starts_at > now + FURTHEST:
        errors.append(FieldError("/starts_at", "too_far", "A visit can be booked up to two years ahead."))
    resource_ids = given.get("resource_ids", ())
    if len(set(resource_ids)) != len(resource_ids):
        errors.append(FieldError("/resource_ids", "repeated", "Name each resource once."))
    return fields, errors


def leading_kind(kinds: Iterable[str]) -> str:
    """Which kind leads a service that needs these: vets before rooms before equipment."""
    return min(kinds, key=LEADING_KINDS.index)


def _named(resource_ids: list[UUID], offer: Offer) -> list[UUID]:
    """The resources that the booking names.

    Raises:
        NotFound: one of them is not among those that serve the service; nobody is told whether it exists.
        Invalid: none of them is of the leading kind, or two are of one kind.
    """
    if any(resource_id not in offer.resources for resource_id in resource_ids):
        raise NotFound
    kinds = [offer.resources[resource_id] for resource_id in resource_ids]
    leading = leading_kind(offer.resources.values())
    if leading not in kinds:
        wanted = Sentence("Name the {leading} that serves the visit.", leading=leading)
        raise Invalid(errors=[FieldError("/resource_ids", "leading_resource_missing", wanted)])
    if len(set(kinds)) != len(kinds):
        sentence = "Name one resource of each kind."
        raise Invalid(errors=[FieldError("/resource_ids", "repeated_kind", sentence)])
    return resource_ids


async def _working(diary: Diary, offer: Offer, visit: Interval, actor: Actor) -> set[UUID]:
    """Those of the offer's resources that work during the whole visit."""
    zone = time_zone(actor.time_zone)
    weekly = await diary.hours(list(offer.resources))
    days = day_of(visit.starts_at, zone), day_of(visit.ends_at, zone)
    return {resource_id for resource_id, spans in weekly.items() if open_for(open_intervals(spans, *days, zone), visit)}


def choose(offer: Offer, named: list[UUID], able: set[UUID], held: list[Held], lanes: int) -> tuple[int, list[UUID]]:
    """The lane and the resources that the visit takes: those named, and the first free one of each other kind.

    Args:
        able: those of the offer's resources that work during the visit.
        lanes: how many lanes may be tried; 1 unless it is overbooked on purpose.

    Raises:
        SlotTaken: in every one of them a named resource is held, or all of another kind are.
    """
    needed = set(offer.resources.values()) - {offer.resources[resource_id] for resource_id in named}
    for lane in range(lanes):
        busy = {each.resource_id for each in held if each.lane == lane}
        free = [resource_id for resource_id in offer.resources if resource_id in able - busy]
        others = {offer.resources[resource_id]: resource_id for resource_id in reversed(free)}
        if busy.isdisjoint(named) and needed <= others.keys():
            return lane, [*named, *(others[kind] for kind in sorted(needed))]
    raise SlotTaken
