"""Finding free starts of a service in a clinic."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.availability import Candidate, Slot, slots
from coravet.core.scheduling.days import days_asked
from coravet.core.scheduling.hours import Interval, working
from coravet.core.scheduling.ports import Held, Offer, Plan, SchedulingWork
from coravet.core.scheduling.views import AvailabilityView, DaySlotsView, SlotView
from coravet.core.tenancy.clinic_day import DayBounds, bounds, day_of, time_zone

LONGEST_DAYS = 92
DEFAULT_DAYS = 7


async def find_slots(
    service_id: UUID,
    from_day: date | None,
    to_day: date | None,
    resource_id: UUID | None,
    actor: Actor,
    begin: Begin[SchedulingWork],
    clock: Clock,
    *,
    guest: bool = False,
) -> AvailabilityView:
    """The free starts on the clinic days from `from_day` to `to_day`, both included; by default a week from today.

    Two queries, however long the window.

    Args:
        resource_id: only starts that this resource leads; of another kind than the leading one it leads none.
        guest: only what a guest may book: of a service that is bookable online, within its notice and its horizon.

    Raises:
        Invalid: the days are out of order, out of the calendar, or more than 92.
        NotFound: no such service here, or not for guests, or the resource does not serve it.
    """
    zone, now = time_zone(actor.time_zone), clock.now()
    first, last = days_asked(from_day, to_day, now, zone, usual=DEFAULT_DAYS, longest=LONGEST_DAYS)
    window = DayBounds(bounds(first, zone).starts_at, bounds(last, zone).ends_at)
    async with begin(actor) as work:
        plan = await work.offers.plan(service_id, first, last)
        held = await work.diary.held(list(plan.offer.resources), reach(plan.offer, window), now)
    if resource_id is not None and resource_id not in plan.offer.resources:
        raise NotFound
    not_before = now
    if guest:
        if not plan.offer.bookable_online:
            raise NotFound
        not_before, window = guests(plan.offer, window, now, zone)
    found = free(plan, held, (first, last), window, not_before=not_before, zone=zone)
    if resource_id is not None:
        found = [slot for slot in found if resource_id in slot.resource_ids]
    by_day = {
        day: [SlotView(slot.starts_at, list(slot.resource_ids)) for slot in group]
        for day, group in groupby(found, key=lambda slot: day_of(slot.starts_at, zone))
    }
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return AvailabilityView([DaySlotsView(day, by_day.get(day, [])) for day in days])


def reach(offer: Offer, window: DayBounds) -> Interval:
    """The time that visits which start in the window can hold, buffers included."""
    return Interval(
        window.starts_at - timedelta(minutes=offer.buffer_before_minutes),
        window.ends_at + timedelta(minutes=offer.duration_minutes + offer.buffer_after_minutes),
    )


def guests(offer: Offer, window: DayBounds, now: datetime, zone: ZoneInfo) -> tuple[datetime, DayBounds]:
    """The first instant at which a guest's visit may start, and what the service's horizon leaves of a window."""
    furthest = bounds(day_of(now, zone) + timedelta(days=offer.horizon_days), zone).ends_at
    ends_at = max(window.starts_at, min(window.ends_at, furthest))
    return now + timedelta(minutes=offer.minimum_notice_minutes), DayBounds(window.starts_at, ends_at)


def free(
    plan: Plan,
    held: Iterable[Held],
    days: tuple[date, date],
    window: DayBounds,
    *,
    not_before: datetime,
    zone: ZoneInfo,
) -> list[Slot]:
    """The slots of a plan that start in the window and not before that instant. What is held in any lane is taken.

    Args:
        days: the first and the last clinic day that the plan was made for; the window lies within.
    """
    busy: defaultdict[UUID, list[Interval]] = defaultdict(list)
    for each in held:
        busy[each.resource_id].append(each.during)
    candidates: dict[str, list[Candidate]] = {kind: [] for kind in plan.offer.kinds}
    for resource_id, kind in plan.offer.resources.items():
        opened = working(plan.openings[resource_id], *days, zone)
        candidates[kind].append(Candidate(resource_id, opened, busy[resource_id]))
    return slots(plan.offer, candidates, window, grid_minutes=plan.offer.grid_minutes, not_before=not_before, zone=zone)
