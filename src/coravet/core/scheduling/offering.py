"""Offering time to who waits for it, and what becomes of the offer."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, StaleVersion
from coravet.core.kernel.events import AppointmentBooked, WaitlistJoined, WaitlistLeft, WaitlistOffered
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.messaging.ports import NewMessage
from coravet.core.messaging.quiet import awake
from coravet.core.scheduling.availability import Slot
from coravet.core.scheduling.book import add_visit, check_appointment, check_patient
from coravet.core.scheduling.errors import OfferExpired, OutsideHours
from coravet.core.scheduling.freed import TimeFreed
from coravet.core.scheduling.hold import hold_place, let_go, stands
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.model import By, WaitlistEntry
from coravet.core.scheduling.place import Place, check_named, find_place, leading_kind, span_of, working_during
from coravet.core.scheduling.ports import Freed, Held, Offer, Plan, SchedulingWork, Waiting
from coravet.core.scheduling.slots import free, reach
from coravet.core.scheduling.views import AppointmentView, OfferView, WaitlistView
from coravet.core.scheduling.waitlist import fits, give_back, locked, refusal
from coravet.core.tenancy.clinic_day import DayBounds, day_of, time_zone

ANSWER_WITHIN = timedelta(hours=2)
"""How long a client has to answer, unless staff say otherwise."""

BEFORE_START = timedelta(minutes=30)
"""An offer ends so long before the visit would begin: whoever comes must get there, and the next may want it."""

SHORTEST = timedelta(minutes=10)
"""Less time than this to answer is none: the time is offered to nobody."""

_MINUTE = timedelta(minutes=1)


class OfferEnds(Job, frozen=True, tag="waitlist.offer_ends"):
    """An offer's deadline has come."""

    entry_id: UUID
    hold_id: UUID


class NewOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time to offer.

    Attributes:
        resource_ids: as a booking names them; by default one that was wished for and is free.
        minutes: how long the client has to answer; 120 by default, and never until the visit would begin.
    """

    starts_at: Annotated[datetime, Meta(tz=True)]
    resource_ids: Annotated[list[UUID], Meta(min_length=1, max_length=10)] | None = None
    minutes: Annotated[int, Meta(ge=10, le=2880, description="Minutes.")] | None = None


def deadline(now: datetime, starts_at: datetime, within: timedelta = ANSWER_WITHIN) -> datetime | None:
    """Until when an offer of that start can be answered; None where nobody could answer in time."""
    until = min(now + within, starts_at - BEFORE_START)
    return until if until - now >= SHORTEST else None


async def offer_by_hand(
    entry_id: UUID, command: NewOffer, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> WaitlistView:
    """Offer a time that staff chose, whatever was wished for; it is held until it is answered, or the deadline comes.

    Raises:
        Invalid: the start is past, too near or out of reach, or the resources do not fit; every bad field is listed.
        NotFound: no such entry or resource here, or its service is retired.
        InvalidTransition: the entry does not wait; carries its status.
        PatientDeceased: the patient has died.
        OutsideHours: a resource does not work then.
        SlotTaken: the time is held.
    """
    now = clock.now()
    _, errors = check_appointment(msgspec.structs.asdict(command), now)
    if errors:
        raise Invalid(errors=errors)
    starts_at = command.starts_at.astimezone(UTC)
    until = deadline(now, starts_at, ANSWER_WITHIN if command.minutes is None else timedelta(minutes=command.minutes))
    if until is None:
        least = int((BEFORE_START + SHORTEST) / _MINUTE)
        sentence = Sentence("Offer a time at least {least} minutes ahead, or book it at once.", least=least)
        raise Invalid(errors=[FieldError("/starts_at", "too_soon", sentence)])
    async with begin(actor) as work:
        offered = await work.waitlist.offered(entry_id)
        offer = await work.offers.offer(offered.service_id)
        check_patient(offer, await work.offers.booked(offered.patient_id))
        if command.resource_ids is not None:
            await check_named(work, offer, command.resource_ids)
        await work.diary.lock({*offer.resources, *offered.resource_ids})
        entry = await work.waitlist.lock(entry_id)
        if entry.hold_id != offered.hold_id:
            raise StaleVersion(entry.version)
        held = await work.holds.get(entry.hold_id) if entry.status == "offered" and entry.hold_id else None
        if held is not None and not stands(held, now):
            # Its deadline is past, and no worker was there to see it.
            await give_back(work, entry, now)
            entry.status = "waiting"
        if entry.status != "waiting":
            raise refusal(entry, ["waiting"])
        visit = span_of(offer, starts_at)
        named = command.resource_ids or await _free_and_wished(work, entry, visit, now)
        place = await find_place(work, offer, visit, named, now)
        await _make(work, entry, offer, place, now, until, now)
        return work.answer(await work.waitlist.view(entry.id))


async def offer_freed(job: TimeFreed, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> None:
    """Offer time that was given up to the first who waits for it; where more of it is left, to the next.

    What is offered is looked for without a lock and then found again under it. Whoever was faster makes this fail, and
    the queue tries it again: it holds no more than one visit's resources at any moment, and so waits for no other.

    Raises:
        SlotTaken: somebody booked the time meanwhile.
        StaleVersion: the first who waits for it left meanwhile, or was offered something else.
    """
    zone = time_zone(actor.time_zone)
    async with begin(actor) as work:
        now = clock.now()
        freed = await work.waitlist.freed(job.holder_id, now)
        if freed is None:
            return
        days = day_of(freed.holding.starts_at, zone), day_of(freed.holding.ends_at, zone)
        # Nobody is woken: who is asked at night has from the morning on to answer.
        tell_at = awake(now, (await work.message_reads.reminders()).quiet_hours, zone)
        found: dict[UUID, tuple[Offer, list[Slot]]] = {}
        for waiting in await work.waitlist.waiting(freed, *days):
            if waiting.service_id not in found:
                # Asked once for each service that is waited for, never for each who waits.
                plan = await work.offers.plan(waiting.service_id, *days)
                window = DayBounds(freed.holding.starts_at, freed.holding.ends_at)
                held = await work.diary.held(list(plan.offer.resources), reach(plan.offer, window), now)
                found[waiting.service_id] = plan.offer, _starts(plan, held, freed, now, work.actor)
            offer, slots = found[waiting.service_id]
            chosen = first_fit(offer, slots, freed, waiting, tell_at, zone)
            # Locked before the resources: whoever registers its death in this moment waits, or is waited for.
            if chosen is not None and not (await work.offers.booked(waiting.patient_id)).deceased:
                visit, leading, until = chosen
                place = await find_place(work, offer, visit, [leading], now)
                entry = await work.waitlist.lock(waiting.entry_id)
                if entry.status != "waiting":
                    raise StaleVersion(entry.version)
                await _make(work, entry, offer, place, now, until, tell_at)
                await work.jobs.defer(job)
                return


def first_fit(
    offer: Offer, slots: Sequence[Slot], freed: Freed, waiting: Waiting, tell_at: datetime, zone: ZoneInfo
) -> tuple[Interval, UUID, datetime] | None:
    """The first slot that somebody who waits would take: the visit, who leads it, and until when it can be answered,
    where they are told at `tell_at`.

    A resource that was freed must lead it where one can. What overlaps an offer that they let pass is not for them.
    """
    leading = leading_kind(offer.kinds)
    suited = {each for each, kind in offer.resources.items() if kind == leading}
    suited = suited.intersection(freed.resource_ids) or suited
    if waiting.wish.resource_ids:
        suited = suited.intersection(waiting.wish.resource_ids)
    for slot in slots:
        visit = span_of(offer, slot.starts_at)
        until = deadline(tell_at, visit.starts_at)
        leaders = [each for each in slot.resource_ids if each in suited]
        passed = any(each.starts_at < visit.ends_at and visit.starts_at < each.ends_at for each in waiting.refused)
        if leaders and until is not None and not passed and fits(waiting.wish, visit, zone):
            return visit, leaders[0], until
    return None


async def accept(entry_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> AppointmentView:
    """Make what an entry was offered a visit, by staff on the client's behalf; accepting again answers the same visit.

    Raises:
        NotFound: no such entry here.
        InvalidTransition: nothing is on offer; carries the status.
        OfferExpired: its deadline has come.
        OutsideHours: the time was closed since it was offered.
        PatientDeceased: the patient has died.
    """
    async with begin(actor) as work:
        entry, appointment_id = await _accept(work, entry_id, clock, by="staff")
        if appointment_id is None:
            raise refusal(entry, ["offered"])
        return work.answer(await work.schedule_reads.appointment(appointment_id))


async def decline(entry_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> WaitlistView:
    """Let an offer pass, by staff on the client's behalf: it goes to the next, and the entry waits on.

    Raises:
        NotFound: no such entry here.
        InvalidTransition: nothing is on offer; carries the status.
    """
    async with begin(actor) as work:
        entry, offered = await locked(work, entry_id)
        if entry.status != "offered" or entry.hold_id != offered.hold_id:
            raise refusal(entry, ["offered"])
        await _pass(work, entry, clock.now())
        return work.answer(await work.waitlist.view(entry.id))


async def show_offer(hold_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> OfferView:
    """An offer as its client sees it. Raises NotFound."""
    async with begin(actor) as work:
        return await work.waitlist.offer(hold_id, clock.now())


async def accept_by_link(hold_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> OfferView:
    """Take an offer, by who was sent it; again changes nothing.

    Raises:
        NotFound: no such offer.
        OfferExpired: it was let pass, or its deadline has come.
        OutsideHours: the time was closed since it was offered.
        PatientDeceased: the patient has died.
    """
    async with begin(actor) as work:
        entry_id = await work.waitlist.of_hold(hold_id)
        if entry_id is None:
            raise OfferExpired
        entry, appointment_id = await _accept(work, entry_id, clock, by="guest")
        if entry.hold_id != hold_id or appointment_id is None:
            raise OfferExpired
        return work.answer(await work.waitlist.offer(hold_id, clock.now()))


async def decline_by_link(hold_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> OfferView:
    """Let an offer pass, by who was sent it; again changes nothing.

    Raises:
        NotFound: no such offer.
        InvalidTransition: it was accepted.
    """
    async with begin(actor) as work:
        entry_id = await work.waitlist.of_hold(hold_id)
        if entry_id is not None:
            entry, _ = await locked(work, entry_id)
            if entry.hold_id == hold_id:
                if entry.status != "offered":
                    raise refusal(entry, ["offered"])
                await _pass(work, entry, clock.now())
        return work.answer(await work.waitlist.offer(hold_id, clock.now()))


async def end_offer(job: OfferEnds, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> None:
    """Let an offer pass that nobody answered in time. One that was answered stays as it is."""
    async with begin(actor) as work:
        entry, _ = await locked(work, job.entry_id)
        if entry.status != "offered" or entry.hold_id != job.hold_id:
            return
        now, hold = clock.now(), await work.holds.get(job.hold_id)
        if stands(hold, now):
            # Another clock than the queue's.
            await work.jobs.defer(job, at=hold.expires_at)
            return
        await _pass(work, entry, now)


async def _accept(work: SchedulingWork, entry_id: UUID, clock: Clock, *, by: By) -> tuple[WaitlistEntry, UUID | None]:
    """The entry, locked, and the visit that its offer has become by now; None where nothing is on offer."""
    booked = await work.offers.booked((await work.waitlist.offered(entry_id)).patient_id)
    entry, offered = await locked(work, entry_id)
    if entry.hold_id != offered.hold_id:
        raise OfferExpired
    if entry.status != "offered" or entry.hold_id is None or offered.holding is None:
        return entry, entry.appointment_id
    now, hold = clock.now(), await work.holds.get(entry.hold_id)
    if not stands(hold, now):
        raise OfferExpired
    offer = await work.offers.offer(entry.service_id, retired=True)
    check_patient(offer, booked)
    await let_go(work, hold, now)
    visit = Interval(hold.starts_at, hold.ends_at)
    # A closure lists visits, and an offer is none: what was closed meanwhile is not booked after all.
    if not await working_during(work, offer, visit) >= set(offered.resource_ids):
        raise OutsideHours
    place = Place(visit, offered.holding, 0, list(offered.resource_ids))
    source: Any = "staff" if by == "staff" else "portal"
    appointment = await add_visit(
        work, offer, booked, place, now, status="confirmed", source=source, reason=entry.note, by=by
    )
    entry.status, entry.appointment_id = "booked", appointment.id
    entry.version += 1
    work.emit(AppointmentBooked(appointment.id, appointment.version))
    work.emit(WaitlistLeft(entry.id, entry.version))
    return entry, appointment.id


async def _pass(work: SchedulingWork, entry: WaitlistEntry, now: datetime) -> None:
    """Let what a locked entry was offered go to the next; the entry waits on while its days last."""
    await give_back(work, entry, now)
    over = day_of(now, time_zone(work.actor.time_zone)) > entry.to_date
    entry.status = "expired" if over else "waiting"
    entry.version += 1
    event = WaitlistLeft if over else WaitlistJoined
    work.emit(event(entry.id, entry.version))


async def _make(
    work: SchedulingWork,
    entry: WaitlistEntry,
    offer: Offer,
    place: Place,
    now: datetime,
    until: datetime,
    tell_at: datetime,
) -> None:
    """Hold a place that was found in this work for a locked entry that waits, and tell its client."""
    hold = await hold_place(work, offer, place, "offer", now, until)
    entry.status, entry.hold_id, entry.offered_at = "offered", hold.id, now
    entry.offers += 1
    entry.version += 1
    work.emit(WaitlistOffered(entry.id, entry.version))
    await work.messages.queue(NewMessage("waitlist_offer", "hold", hold.id, tell_at))
    await work.jobs.defer(OfferEnds(work.actor.clinic_id, entry.id, hold.id), at=until, once=str(hold.id))


async def _free_and_wished(work: SchedulingWork, entry: WaitlistEntry, visit: Interval, now: datetime) -> list[UUID]:
    """Who is to lead a visit: the first of those wished for who is free, or else the first, to be refused; nobody in
    particular where nobody was wished for."""
    if not entry.resource_ids:
        return []
    zone = time_zone(work.actor.time_zone)
    days = day_of(visit.starts_at, zone), day_of(visit.ends_at, zone)
    plan = await work.offers.plan(entry.service_id, *days)
    held = await work.diary.held(
        list(plan.offer.resources), reach(plan.offer, DayBounds(visit.starts_at, visit.ends_at)), now
    )
    leaders = [each for slot in _at(plan, held, visit.starts_at, now, work.actor) for each in slot.resource_ids]
    return [each for each in leaders if each in entry.resource_ids][:1] or entry.resource_ids[:1]


def _starts(plan: Plan, held: Sequence[Held], freed: Freed, now: datetime, actor: Actor) -> list[Slot]:
    """Where a service fits into freed time: at its very start, on the clinic's grid or off it, then on the grid."""
    zone, window = time_zone(actor.time_zone), DayBounds(freed.holding.starts_at, freed.holding.ends_at)
    days = day_of(window.starts_at, zone), day_of(window.ends_at, zone)
    on_grid = free(plan, held, days, window, not_before=now, zone=zone)
    return [*_at(plan, held, freed.starts_at, now, actor), *on_grid]


def _at(plan: Plan, held: Sequence[Held], starts_at: datetime, now: datetime, actor: Actor) -> list[Slot]:
    """The slot at that very minute, if there is one."""
    zone = time_zone(actor.time_zone)
    day = day_of(starts_at, zone)
    by_minute = Plan(msgspec.structs.replace(plan.offer, grid_minutes=1), plan.openings)
    found = free(by_minute, held, (day, day), DayBounds(starts_at, starts_at + _MINUTE), not_before=now, zone=zone)
    return [slot for slot in found if slot.starts_at == starts_at]
