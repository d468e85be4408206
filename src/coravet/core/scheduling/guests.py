"""What guests do without an account: hold a time while they fill in a form, and book it."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, NotFound
from coravet.core.kernel.events import AppointmentBooked, AppointmentRequested
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.legal.accept import Whose, append, to_show
from coravet.core.legal.documents import PersonalCapacity
from coravet.core.legal.model import Evidence, Shown
from coravet.core.legal.shown import shown_text
from coravet.core.messaging.links import SEEN_AFTER, hash_link, mint
from coravet.core.scheduling.availability import on_grid
from coravet.core.scheduling.book import add_visit, check_appointment
from coravet.core.scheduling.hold import hold_place, let_go, stands
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.model import GuestRequest, Species, Status
from coravet.core.scheduling.place import Place, find_place, holding_of, leading_kind, span_of, working_during
from coravet.core.scheduling.ports import Offer, SchedulingWork
from coravet.core.scheduling.views import (
    GuestBookingView,
    GuestClientRef,
    GuestHoldView,
    GuestPatientRef,
    GuestStepView,
    GuestTokensView,
    GuestVisit,
    GuestVisitView,
    OnlineServicesView,
)
from coravet.core.tenancy.clinic_day import day_of, time_zone

HOLD = timedelta(minutes=10)
"""How long a time is held for a guest who fills in a form."""

PORTAL_TERMS = "portal-terms"
"""The text that a guest accepts by booking."""

WorkT = TypeVar("WorkT", bound=SchedulingWork)

Token = Annotated[str, Meta(min_length=1, max_length=128)]


class NewHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time to hold while a form is filled in; `resource_id` is of the kind that leads the service, any by default."""

    service_id: UUID
    starts_at: Annotated[datetime, Meta(tz=True)]
    resource_id: UUID | None = None


class NewVisit(msgspec.Struct, frozen=True):
    """What a guest asks for, and what they wrote, in its normal form.

    Attributes:
        resource_id: of the kind that leads the service; by default whoever is free.
        hold: the token of a hold; while it stands, its time is theirs.
        accepted: the portal's terms as they were shown; `evidence` is from where.
    """

    service_id: UUID
    starts_at: datetime
    resource_id: UUID | None
    hold: str | None
    reason: str | None
    given_name: str
    family_name: str
    phone: str
    email: str | None
    patient_name: str
    species: Species
    accepted: Shown
    evidence: Evidence = Evidence()
    capacity: PersonalCapacity = "oneself"


async def list_online(locale: str, actor: Actor, begin: Begin[SchedulingWork]) -> OnlineServicesView:
    """The services that guests may book, and the terms that they accept by booking.

    Args:
        locale: in which the terms are wanted.
    """
    async with begin(actor) as work:
        terms = await work.legal_texts.in_force(PORTAL_TERMS, locale)
        accept = None if terms is None else to_show(terms, work)
        return OnlineServicesView(await work.schedule_reads.online_services(), accept)


async def hold_for_guest(command: NewHold, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> GuestHoldView:
    """Hold a time for ten minutes.

    Raises:
        Invalid: the start is none that guests may book.
        NotFound: no such service here or not for guests, or the resource does not lead it.
        OutsideHours: nobody who could serve it works then.
        SlotTaken: the time is held.
    """
    now = clock.now()
    starts_at = start_asked(command.starts_at, now)
    async with begin(actor) as work:
        offer = await offered(work, command.service_id)
        check_start(offer, starts_at, now, time_zone(actor.time_zone))
        named = named_by_guest(offer, command.resource_id)
        place = await find_place(work, offer, span_of(offer, starts_at), named, now)
        token = secrets.token_urlsafe(32)
        hold = await hold_place(work, offer, place, "guest", now, now + HOLD, hash_link(token))
        view = GuestHoldView(hold.id, token, hold.starts_at, hold.ends_at, hold.expires_at)
        return work.answer(view, msgspec.structs.replace(view, token=None))


async def renew_hold(kept: GuestHoldView, actor: Actor, begin: Begin[SchedulingWork]) -> GuestHoldView:
    """The answer to a hold that was asked for again, since the first answer was lost: under a token of its own."""
    token = secrets.token_urlsafe(32)
    async with begin(actor) as work:
        hold = await work.holds.lock(kept.id)
        hold.token_hash = hash_link(token)
    return msgspec.structs.replace(kept, token=token)


async def drop_hold(token: str, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> None:
    """Let go of what a guest holds; one that was let go, used or expired before stays so.

    Raises:
        NotFound: no such hold here.
    """
    async with begin(actor) as work:
        hold_id = await work.holds.of_token(hash_link(token))
        if hold_id is None:
            raise NotFound
        await work.diary.lock(await work.diary.taken_by(hold_id))
        hold = await work.holds.lock(hold_id)
        await let_go(work, hold, clock.now())


async def book_as_guest(
    command: NewVisit,
    register: Callable[[WorkT], Awaitable[UUID]],
    actor: Actor,
    begin: Begin[WorkT],
    clock: Clock,
) -> GuestBookingView:
    """Book a visit for a guest; it begins `requested`, or `confirmed` where the service says so.

    With the visit the guest's acceptance of the portal's terms is added to the clinic's chain of decisions.

    Args:
        register: finds or makes the patient whom the guest means, in the work that it is handed.

    Raises:
        Invalid: the start is none that guests may book, the service is not for the species, or no such terms exist.
        NotFound: no such service here or not for guests, or the resource does not lead it.
        TextReplaced, HashMismatch: the terms are not those of now, or have other words.
        OutsideHours: nobody who could serve it works then.
        SlotTaken: the time is held.
    """
    now = clock.now()
    starts_at = start_asked(command.starts_at, now)
    async with begin(actor) as work:
        offer = await offered(work, command.service_id)
        if offer.species and command.species not in offer.species:
            sentence = "This service is not for animals of this species. Choose another service."
            raise Invalid(errors=[FieldError("/patient/species", "species_not_served", sentence)])
        terms = await shown_text(work, command.accepted, {PORTAL_TERMS}, "/accepted", agreed=True)
        # The patient before the place: both are locked, and everybody who locks both does so in this order.
        booked = await work.offers.booked(await register(work))
        if booked.deceased:
            # It died since it was found, and is found no more: as whoever books a moment later, they bring another.
            booked = await work.offers.booked(await register(work))
        place = await _place(work, offer, command, starts_at, now)
        status: Status = "requested" if offer.guest_needs_confirmation else "confirmed"
        appointment = await add_visit(
            work, offer, booked, place, now, status=status, source="portal", reason=command.reason, by="guest"
        )
        request_id = work.new_id()
        await work.guest_requests.add(
            GuestRequest(
                clinic_id=actor.clinic_id,
                id=request_id,
                appointment_id=appointment.id,
                given_name=command.given_name,
                family_name=command.family_name,
                phone=command.phone,
                email=command.email,
                patient_name=command.patient_name,
                species=command.species,
                accepted_slug=command.accepted.slug,
                accepted_version=command.accepted.version,
                accepted_locale=command.accepted.locale,
                accepted_sha256=command.accepted.sha256,
                created_at=now,
            )
        )
        event = AppointmentRequested if status == "requested" else AppointmentBooked
        work.emit(event(appointment.id, appointment.version))
        tokens = await mint_tokens(work, appointment.id, appointment.ends_at)
        whose = Whose(guest_request_id=request_id)
        await append(
            work,
            terms,
            "accepted",
            whose,
            command.evidence,
            clock,
            clinic_id=actor.clinic_id,
            capacity=command.capacity,
        )
        seen = guest_view(await work.schedule_reads.guest_visit(appointment.id), now)
        view = GuestBookingView(
            **msgspec.structs.asdict(seen),
            id=appointment.id,
            client=GuestClientRef(command.given_name, command.family_name, command.phone, command.email),
            token=tokens.see,
            tokens=tokens,
        )
        return work.answer(view, msgspec.structs.replace(view, token=None, tokens=None))


async def renew_tokens(kept: GuestBookingView, actor: Actor, begin: Begin[SchedulingWork]) -> GuestBookingView:
    """The answer to a booking that was sent again, since the first answer was lost: with links of its own."""
    async with begin(actor) as work:
        tokens = await mint_tokens(work, kept.id, kept.ends_at)
    return msgspec.structs.replace(kept, token=tokens.see, tokens=tokens)


async def offered(work: SchedulingWork, service_id: UUID) -> Offer:
    """A service that guests may book. Raises NotFound for any other, as for one that does not exist."""
    offer = await work.offers.offer(service_id)
    if not offer.bookable_online:
        raise NotFound
    return offer


def start_asked(starts_at: datetime, now: datetime) -> datetime:
    """The instant in UTC. Raises Invalid where no visit can begin then, whatever the service."""
    _, errors = check_appointment({"starts_at": starts_at}, now)
    if errors:
        raise Invalid(errors=errors)
    return starts_at.astimezone(UTC)


def check_start(offer: Offer, starts_at: datetime, now: datetime, zone: ZoneInfo) -> None:
    """Whether a guest may book that start, be it free or not.

    Raises:
        Invalid: it lies too near, too far ahead, or between the times that are offered.
    """
    errors = []
    if starts_at < now + timedelta(minutes=offer.minimum_notice_minutes):
        sentence = Sentence(
            "Online this service is booked at least this many minutes ahead: {minutes}. Choose a later time, or call.",
            minutes=offer.minimum_notice_minutes,
        )
        errors.append(FieldError("/starts_at", "too_soon", sentence))
    elif (day_of(starts_at, zone) - day_of(now, zone)).days > offer.horizon_days:
        sentence = Sentence(
            "Online this service is booked at most this many days ahead: {days}. Choose an earlier day, or call.",
            days=offer.horizon_days,
        )
        errors.append(FieldError("/starts_at", "too_far", sentence))
    elif not on_grid(starts_at, offer.grid_minutes, zone):
        errors.append(FieldError("/starts_at", "not_offered", "Choose one of the times that are offered."))
    if errors:
        raise Invalid(errors=errors)


def named_by_guest(offer: Offer, resource_id: UUID | None) -> list[UUID]:
    """The resources that a guest's visit must get. Raises NotFound for one that does not lead the service."""
    if resource_id is None:
        return []
    if offer.resources.get(resource_id) != leading_kind(offer.kinds):
        raise NotFound
    return [resource_id]


def guest_view(visit: GuestVisit, now: datetime) -> GuestVisitView:
    """A visit as its guest sees it now."""
    return GuestVisitView(
        status=visit.status,
        service=visit.service,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        clinic=visit.clinic,
        vet=visit.vet,
        patient=GuestPatientRef(visit.patient_name, visit.species),
        can=[GuestStepView(step, until) for step, until in possible(visit).items() if now < until],
    )


def possible(visit: GuestVisit) -> dict[str, datetime]:
    """What a guest can do with a visit in its status, and before when; staff are bound by none of this."""
    cutoff = visit.starts_at - timedelta(minutes=visit.cutoff_minutes)
    steps: dict[str, datetime] = {}
    if visit.status == "requested":
        steps["confirm"] = visit.starts_at
    if visit.status in {"requested", "confirmed"}:
        if visit.online:
            steps["reschedule"] = cutoff
        steps["cancel"] = cutoff
    return steps


async def mint_tokens(work: SchedulingWork, appointment_id: UUID, ends_at: datetime) -> GuestTokensView:
    """Links to a visit, one of each purpose. Until when something can be done is the visit's affair, not theirs."""
    until = ends_at + SEEN_AFTER
    return GuestTokensView(
        see=await mint(work, "see", appointment_id, until),
        confirm=await mint(work, "confirm", appointment_id, until),
        reschedule=await mint(work, "reschedule", appointment_id, until),
        cancel=await mint(work, "cancel", appointment_id, until),
    )


async def _place(work: SchedulingWork, offer: Offer, command: NewVisit, starts_at: datetime, now: datetime) -> Place:
    """The held place where the hold stands, else one that is found."""
    named = named_by_guest(offer, command.resource_id)
    if command.hold is not None:
        held = await _redeem(work, offer, command.hold, now)
        if held is not None and held.visit.starts_at == starts_at and set(named) <= set(held.resource_ids):
            return held
    check_start(offer, starts_at, now, time_zone(work.actor.time_zone))
    return await find_place(work, offer, span_of(offer, starts_at), named, now)


async def _redeem(work: SchedulingWork, offer: Offer, token: str, now: datetime) -> Place | None:
    """What a guest's hold of this service still holds, free for this work to take. A hold is used once."""
    hold_id = await work.holds.of_token(hash_link(token))
    if hold_id is None:
        return None
    await work.diary.lock(offer.resources)
    hold = await work.holds.lock(hold_id)
    if hold.service_id != offer.service_id or not stands(hold, now):
        return None
    resource_ids = await work.diary.taken_by(hold.id)
    await let_go(work, hold, now)
    visit = Interval(hold.starts_at, hold.ends_at)
    # A closure lists visits, and a hold is none: what was closed meanwhile is not booked after all.
    if not await working_during(work, offer, visit) >= set(resource_ids):
        return None
    return Place(visit, holding_of(offer, visit), 0, resource_ids)
