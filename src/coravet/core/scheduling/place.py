"""Taking time: which resources a visit gets, in which lane, so that no two collide."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from coravet.core.kernel.errors import FieldError, Invalid, NotFound
from coravet.core.kernel.sentences import Sentence
from coravet.core.scheduling.availability import open_for
from coravet.core.scheduling.errors import OutsideHours, SlotTaken
from coravet.core.scheduling.hours import Interval, working
from coravet.core.scheduling.model import LEADING_KINDS, Allocation
from coravet.core.scheduling.ports import Held, Offer, SchedulingWork
from coravet.core.tenancy.clinic_day import day_of, time_zone

LANES = 4
"""Lanes of a resource: the normal one, and three for deliberate overbooking."""


class Place(msgspec.Struct, frozen=True):
    """Where a visit takes place.

    Attributes:
        holding: the visit with its buffers, during which its resources are taken.
    """

    visit: Interval
    holding: Interval
    lane: int
    resource_ids: list[UUID]


def span_of(offer: Offer, starts_at: datetime) -> Interval:
    """The visit that a service makes of a start."""
    return Interval(starts_at, starts_at + timedelta(minutes=offer.duration_minutes))


def holding_of(offer: Offer, visit: Interval) -> Interval:
    """The visit with the service's buffers around it."""
    return Interval(
        visit.starts_at - timedelta(minutes=offer.buffer_before_minutes),
        visit.ends_at + timedelta(minutes=offer.buffer_after_minutes),
    )


def leading_kind(kinds: Iterable[str]) -> str:
    """Which kind leads a service that needs these: vets before rooms before equipment."""
    return min(kinds, key=LEADING_KINDS.index)


async def find_place(
    work: SchedulingWork,
    offer: Offer,
    visit: Interval,
    named: Sequence[UUID],
    now: datetime,
    *,
    lanes: int = 1,
    rather: Collection[UUID] = (),
) -> Place:
    """Find room for a visit; what it may come to is locked from here to the end of the work, so that it stays found.

    Args:
        named: resources that the visit must get; see `check_named`. Other kinds are assigned.
        lanes: how many lanes may be tried; 1 unless it is overbooked on purpose. Only then may a resource be had that
            others hold, be it in whatever lane.
        rather: what is assigned before others, where it is free.

    Raises:
        OutsideHours: a named resource does not work then, or none of another kind does.
        SlotTaken: somebody holds the time.
    """
    # Those only that it may come to: bookings of one vet do not wait for those of another.
    kinds = {offer.resources[each] for each in named}
    possible = [each for each, kind in offer.resources.items() if each in named or kind not in kinds]
    await work.diary.lock(possible)
    able = await working_among(work, possible, visit)
    kinds_able = {offer.resources[resource_id] for resource_id in able}
    if any(each not in able for each in named) or kinds_able != offer.kinds:
        raise OutsideHours
    holding = holding_of(offer, visit)
    held = await work.diary.taken(possible, holding, now)
    order = sorted(possible, key=lambda each: each not in rather)
    lane, resource_ids = choose(offer, named, [each for each in order if each in able], held, lanes=lanes)
    return Place(visit, holding, lane, resource_ids)


async def working_during(work: SchedulingWork, offer: Offer, visit: Interval) -> set[UUID]:
    """Those of the offer's resources that work during the whole visit."""
    return await working_among(work, list(offer.resources), visit)


async def working_among(work: SchedulingWork, resource_ids: Sequence[UUID], visit: Interval) -> set[UUID]:
    """Those of these resources that work during the whole visit; none that was retired."""
    zone = time_zone(work.actor.time_zone)
    days = day_of(visit.starts_at, zone), day_of(visit.ends_at, zone)
    openings = await work.offers.openings(resource_ids, *days)
    return {each for each, rules in openings.items() if open_for(working(rules, *days, zone), visit)}


def choose(
    offer: Offer, named: Sequence[UUID], able: Sequence[UUID], held: Iterable[Held], lanes: int
) -> tuple[int, list[UUID]]:
    """The lane and the resources that a visit takes: those named, and the first free one of each other kind.

    What nobody holds in any lane is taken first. Overbooking, what is held only in other lanes is taken next.

    Args:
        able: those of the offer's resources that work during the visit, in the order in which they are assigned.
        lanes: how many lanes may be tried; with one, what is held in any lane is taken.

    Raises:
        SlotTaken: in every one of them a named resource is held, or all of another kind are.
    """
    needed = offer.kinds - {offer.resources[resource_id] for resource_id in named}
    taken = {(each.resource_id, each.lane) for each in held}
    busy = {resource_id for resource_id, _ in taken}
    for lane in range(lanes):
        out = busy if lanes == 1 else {resource_id for resource_id, held_in in taken if held_in == lane}
        best_first = sorted((each for each in able if each not in out), key=lambda each: each in busy)
        others = {offer.resources[each]: each for each in reversed(best_first)}
        if out.isdisjoint(named) and needed <= others.keys():
            return lane, [*named, *(others[kind] for kind in sorted(needed, key=LEADING_KINDS.index))]
    raise SlotTaken


async def check_named(work: SchedulingWork, offer: Offer, resource_ids: Sequence[UUID]) -> None:
    """Whether a visit of the service can name these resources.

    Raises:
        NotFound: one of them is nobody here.
        Invalid: one does not serve the service, none is of the leading kind, or two are of one kind.
    """
    strange = [each for each in resource_ids if each not in offer.resources]
    if strange:
        if not await work.offers.known(strange):
            raise NotFound
        sentence = "It does not serve this service. Choose another, or change the service."
        raise Invalid(
            errors=[
                FieldError(f"/resource_ids/{index}", "resource_not_suited", sentence)
                for index, each in enumerate(resource_ids)
                if each in strange
            ]
        )
    kinds = [offer.resources[each] for each in resource_ids]
    leading = leading_kind(offer.kinds)
    if leading not in kinds:
        wanted = Sentence("Name the {leading} that serves the visit.", leading=leading)
        raise Invalid(errors=[FieldError("/resource_ids", "leading_resource_missing", wanted)])
    if len(set(kinds)) != len(kinds):
        sentence = "Name one resource of each kind."
        raise Invalid(errors=[FieldError("/resource_ids", "repeated_kind", sentence)])


def allocations(work: SchedulingWork, place: Place, appointment_id: UUID) -> list[Allocation]:
    """The time that a visit takes at a place, one row a resource."""
    return [
        Allocation(
            clinic_id=work.actor.clinic_id,
            id=work.new_id(),
            appointment_id=appointment_id,
            resource_id=resource_id,
            lane=place.lane,
            starts_at=place.holding.starts_at,
            ends_at=place.holding.ends_at,
        )
        for resource_id in place.resource_ids
    ]
