"""Booking a visit that cannot collide."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, PatientDeceased
from coravet.core.kernel.events import AppointmentBooked
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.work import Begin
from coravet.core.messaging.ports import NewMessage
from coravet.core.scheduling.history import step_taken
from coravet.core.scheduling.model import Appointment, By, Source, Status
from coravet.core.scheduling.place import LANES, Place, allocations, check_named, find_place, span_of
from coravet.core.scheduling.ports import Booked, Offer, SchedulingWork
from coravet.core.scheduling.views import AppointmentView
from coravet.core.tenancy.errors import NotPermitted

PAST_GRACE = timedelta(hours=1)
"""How long after its start a visit may still be written down: somebody walked in, and was seen first."""

FURTHEST = timedelta(days=2 * 365)
"""How far ahead a visit may lie: a typing mistake in the year is caught."""


Overbook = Annotated[bool, Meta(description="Beside what holds the time already; needs agenda:overbook.")]


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
    overbook: Overbook = False


async def book(command: NewAppointment, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> AppointmentView:
    """Book a visit for a patient, by staff; it begins `confirmed`.

    Raises:
        Invalid: the start is past or out of reach, or the resources or the species do not fit; every bad field is told.
        NotFound: no such service, patient or resource here.
        PatientDeceased: the patient has died.
        OutsideHours: a resource does not work then.
        SlotTaken: the time is held.
        NotPermitted: overbooking without the permission.
    """
    lanes = lanes_for(actor, overbook=command.overbook)
    now = clock.now()
    fields = sound(check_appointment(msgspec.structs.asdict(command), now))
    async with begin(actor) as work:
        offer = await work.offers.offer(command.service_id)
        booked = await work.offers.booked(command.patient_id)
        check_patient(offer, booked)
        await check_named(work, offer, command.resource_ids)
        visit = span_of(offer, command.starts_at.astimezone(UTC))
        place = await find_place(work, offer, visit, command.resource_ids, now, lanes=lanes)
        appointment = await add_visit(
            work, offer, booked, place, now, status="confirmed", source="staff", reason=fields["reason"]
        )
        work.emit(AppointmentBooked(appointment.id, appointment.version))
        return work.answer(await work.schedule_reads.appointment(appointment.id))


async def add_visit(
    work: SchedulingWork,
    offer: Offer,
    booked: Booked,
    place: Place,
    now: datetime,
    *,
    status: Status,
    source: Source,
    reason: str | None,
    by: By = "staff",
) -> Appointment:
    """Book a place that was found in this work, and have the client told by message. The caller raises the event."""
    appointment = Appointment(
        clinic_id=work.actor.clinic_id,
        id=work.new_id(),
        service_id=offer.service_id,
        patient_id=booked.patient_id,
        client_id=booked.client_id,
        status=status,
        starts_at=place.visit.starts_at,
        ends_at=place.visit.ends_at,
        reason=reason,
        source=source,
        lane=place.lane,
        created_at=now,
        status_since=now,
        checked_in_at=now if status == "checked_in" else None,
    )
    booking = step_taken(work, appointment, "book", None, now, by=by)
    await work.diary.add(appointment, allocations(work, place, appointment.id), booking)
    if status == "requested":
        await work.messages.queue(NewMessage("visit_requested", "appointment", appointment.id, now))
    elif status == "confirmed":
        await work.messages.queue(NewMessage("visit_booked", "appointment", appointment.id, now))
    return appointment


def lanes_for(actor: Actor, *, overbook: bool) -> int:
    """How many lanes the actor may try. Raises NotPermitted for overbooking without the permission."""
    if overbook and "agenda:overbook" not in actor.permissions:
        raise NotPermitted("Your roles in this clinic do not include agenda:overbook.")
    return LANES if overbook else 1


def check_appointment(given: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of a visit with its texts in clean form, and every field of it that breaks a rule.

    Fields that are absent are not looked at, so that a form can be checked though other fields are malformed.
    """
    fields, errors = clean_fields(given, ("reason",))
    starts_at = given.get("starts_at")
    if isinstance(starts_at, datetime):
        if starts_at < now - PAST_GRACE:
            errors.append(FieldError("/starts_at", "in_past", "A visit cannot be booked in the past."))
        if starts_at > now + FURTHEST:
            errors.append(FieldError("/starts_at", "too_far", "A visit can be booked up to two years ahead."))
    resource_ids = given.get("resource_ids")
    if isinstance(resource_ids, list) and len(set(resource_ids)) != len(resource_ids):
        errors.append(FieldError("/resource_ids", "repeated", "Name each resource once."))
    return fields, errors


def check_patient(offer: Offer, booked: Booked) -> None:
    """Whether the service is for this patient.

    Raises:
        PatientDeceased: it has died.
        Invalid: the service is not for its species.
    """
    if booked.deceased:
        raise PatientDeceased
    if offer.species and booked.species not in offer.species:
        sentence = "This service is not for animals of this species. Choose another service."
        raise Invalid(errors=[FieldError("/patient_id", "species_not_served", sentence)])
