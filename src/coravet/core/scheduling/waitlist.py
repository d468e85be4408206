"""The waitlist: who wishes for a visit on which days and at which times, and joins or leaves."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, InvalidTransition, NotFound, StaleVersion
from coravet.core.kernel.events import WaitlistJoined, WaitlistLeft
from coravet.core.kernel.fields import WallTime, clean_fields, wall_time
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.availability import open_for
from coravet.core.scheduling.book import FURTHEST, check_patient
from coravet.core.scheduling.freed import time_freed
from coravet.core.scheduling.hold import let_go
from coravet.core.scheduling.hours import Interval, Openings, WeeklySpan, working
from coravet.core.scheduling.model import WaitlistEntry
from coravet.core.scheduling.place import leading_kind
from coravet.core.scheduling.ports import Offer, Offered, SchedulingWork, Wish
from coravet.core.scheduling.views import WaitlistView
from coravet.core.tenancy.clinic_day import bounds, day_of, time_zone

Weekday = Annotated[int, Meta(ge=1, le=7, description="1 is Monday, 7 Sunday.")]

MIDNIGHT = time()
_DAY = timedelta(days=1)


class WishEnds(Job, frozen=True, tag="waitlist.wish_ends"):
    """The last day that an entry wishes for is over."""

    entry_id: UUID


class NewEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who waits for time to become free.

    Attributes:
        from_date: the first clinic day that would do; `to_date` the last, included.
        resource_ids: who may lead the visit, any one of them; whoever can, where empty.
        weekdays: on which the visit may lie; any, where empty.
        from_time: before which the visit must not begin; `to_time` until when it must be over, 00:00 being midnight.
        note: what the visit is for; it becomes the visit's reason.
    """

    service_id: UUID
    patient_id: UUID
    from_date: date
    to_date: date
    resource_ids: Annotated[list[UUID], Meta(max_length=20)] = []
    weekdays: Annotated[list[Weekday], Meta(max_length=7)] = []
    from_time: WallTime | None = None
    to_time: WallTime | None = None
    note: Annotated[str, Meta(max_length=500)] | None = None


def fits(wish: Wish, visit: Interval, zone: ZoneInfo) -> bool:
    """Whether a visit begins on a clinic day that was wished for, and lies wholly in the hours that were.

    The hours are those that the clinic's clock shows, as it does for working hours: they do not exist where it skips
    them, and come twice where it is put back.
    """
    day = day_of(visit.starts_at, zone)
    if not wish.from_date <= day <= wish.to_date:
        return False
    opens, closes = wish.from_time or "00:00", wish.to_time or "00:00"
    spans = [WeeklySpan(weekday, opens, closes) for weekday in wish.weekdays or range(1, 8)]
    return open_for(working(Openings(spans), day, day, zone), visit)


def check_entry(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of an entry with its texts in clean form, and every field of it that breaks a rule.

    Fields that are absent are not looked at, so that a form can be checked though other fields are malformed.
    """
    fields, errors = clean_fields(given, ("note",))
    first, last = given.get("from_date"), given.get("to_date")
    if isinstance(first, date) and isinstance(last, date) and last < first:
        errors.append(FieldError("/to_date", "before_from", "The last day lies before the first."))
    begins, ends = given.get("from_time"), given.get("to_time")
    if begins and ends and ends <= begins and wall_time(ends) != MIDNIGHT:
        errors.append(FieldError("/to_time", "before_from", "The end lies before the beginning."))
    resource_ids = given.get("resource_ids", ())
    if len(set(resource_ids)) != len(resource_ids):
        errors.append(FieldError("/resource_ids", "repeated", "Name each resource once."))
    return fields, errors


async def join(command: NewEntry, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> WaitlistView:
    """Put a patient on the waitlist.

    Raises:
        Invalid: the days are past, out of reach or turned round, or the resources or the species do not fit; every bad
            field is listed.
        NotFound: no such service, patient or resource here.
        PatientDeceased: the patient has died.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    today = day_of(now, zone)
    fields, errors = check_entry(msgspec.structs.asdict(command))
    if command.to_date < today:
        errors.append(FieldError("/to_date", "in_past", "The last day is past already."))
    if command.to_date > today + FURTHEST:
        errors.append(FieldError("/to_date", "too_far", "A visit can be booked up to two years ahead."))
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        offer = await work.offers.offer(command.service_id)
        booked = await work.offers.booked(command.patient_id)
        check_patient(offer, booked)
        await _check_wished(work, offer, command.resource_ids)
        entry = WaitlistEntry(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            service_id=offer.service_id,
            patient_id=booked.patient_id,
            client_id=booked.client_id,
            resource_ids=command.resource_ids,
            weekdays=sorted(set(command.weekdays)),
            from_date=command.from_date,
            to_date=command.to_date,
            from_time=None if command.from_time is None else wall_time(command.from_time),
            to_time=None if command.to_time is None else wall_time(command.to_time),
            note=fields["note"],
            created_at=now,
        )
        await work.waitlist.add(entry)
        over = bounds(command.to_date, zone).ends_at
        await work.jobs.defer(WishEnds(actor.clinic_id, entry.id), at=over, once=str(entry.id))
        work.emit(WaitlistJoined(entry.id, entry.version))
        return work.answer(await work.waitlist.view(entry.id))


async def leave(entry_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> None:
    """Take a patient off the waitlist; what is on offer goes to the next. Doing so again changes nothing.

    Raises:
        NotFound: no such entry here.
        InvalidTransition: a visit came of it, or its days are over; carries the status.
        StaleVersion: it was offered something, or gave it up, in the same moment.
    """
    async with begin(actor) as work:
        entry, offered = await locked(work, entry_id)
        if entry.status == "left":
            return
        if entry.status not in {"waiting", "offered"}:
            raise refusal(entry, ["waiting", "offered"])
        if entry.hold_id != offered.hold_id:
            raise StaleVersion(entry.version)
        now = clock.now()
        if entry.hold_id is not None:
            await give_back(work, entry, now)
        entry.status = "left"
        entry.version += 1
        work.emit(WaitlistLeft(entry.id, entry.version))


async def end_wish(job: WishEnds, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> None:
    """Take off the waitlist who waited in vain. What is still on offer is let pass by its own deadline."""
    async with begin(actor) as work:
        entry = await work.waitlist.lock(job.entry_id)
        over = bounds(entry.to_date, time_zone(actor.time_zone)).ends_at
        if clock.now() < over:
            # Another clock than the queue's, or the clinic moved to another zone meanwhile.
            await work.jobs.defer(job, at=over)
        elif entry.status == "waiting":
            entry.status = "expired"
            entry.version += 1
            work.emit(WaitlistLeft(entry.id, entry.version))


async def locked(work: SchedulingWork, entry_id: UUID) -> tuple[WaitlistEntry, Offered]:
    """The entry, locked after the resources that it was offered when this began: see whether `hold_id` is the same.

    Raises NotFound.
    """
    offered = await work.waitlist.offered(entry_id)
    await work.diary.lock(offered.resource_ids)
    return await work.waitlist.lock(entry_id), offered


async def give_back(work: SchedulingWork, entry: WaitlistEntry, now: datetime) -> None:
    """Give back what a locked entry was offered, and remember not to offer it again."""
    assert entry.hold_id is not None  # noqa: S101 -- the caller has looked
    hold = await work.holds.get(entry.hold_id)
    await let_go(work, hold, now)
    await time_freed(work, hold.id, hold.ends_at, now)
    entry.refused = [*entry.refused, hold.id]
    entry.hold_id = None


def refusal(entry: WaitlistEntry, allowed: Sequence[str]) -> InvalidTransition:
    """Why this cannot be done with an entry as it stands."""
    sentence = Sentence(
        "This entry of the waitlist is {status}; this is possible while it is {allowed}.",
        status=entry.status,
        allowed=list(allowed),
    )
    return InvalidTransition(sentence, current_status=entry.status)


async def _check_wished(work: SchedulingWork, offer: Offer, resource_ids: Sequence[UUID]) -> None:
    leading = leading_kind(offer.kinds)
    strange = [each for each in resource_ids if offer.resources.get(each) != leading]
    if strange:
        if not await work.offers.known(strange):
            raise NotFound
        raise Invalid(
            errors=[
                FieldError(f"/resource_ids/{index}", "resource_not_suited", "It does not lead visits of this service.")
                for index, each in enumerate(resource_ids)
                if each in strange
            ]
        )
