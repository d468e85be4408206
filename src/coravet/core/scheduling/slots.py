"""Finding free starts of a service in a clinic."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, NotFound
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.availability import Candidate, slots
from coravet.core.scheduling.hours import Interval, open_intervals
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import AvailabilityView, DaySlotsView, SlotView
from coravet.core.tenancy.clinic_day import DayBounds, bounds, day_of, time_zone

GRID_MINUTES = 15
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
) -> AvailabilityView:
    """The free starts on the clinic days from `from_day` to `to_day`, both included; by default a week from today.

    Args:
        resource_id: only starts that this resource of the leading kind can serve.

    Raises:
        Invalid: the days are out of order, out of the calendar, or more than 92.
        NotFound: no such service here, or the resource does not lead it.
    """
    zone, now = time_zone(actor.time_zone), clock.now()
    first = from_day or day_of(now, zone)
    last = to_day or first + min(timedelta(days=DEFAULT_DAYS - 1), date.max - first)
    errors = _out_of_range("/from", first, zone)
    if to_day is not None or not errors:
        errors += _out_of_range("/from" if to_day is None else "/to", last, zone)
    if errors:
        raise Invalid(errors=errors)
    window = DayBounds(bounds(first, zone).starts_at, bounds(last, zone).ends_at)
    if last < first:
        raise Invalid(errors=[FieldError("/to", "before_from", "The last day lies before the first.")])
    if (last - first).days >= LONGEST_DAYS:
        raise Invalid(
            errors=[FieldError("/to", "too_long", Sentence("Ask for at most {most} days at once.", most=LONGEST_DAYS))]
        )
    async with begin(actor) as work:
        offer = await work.diary.offer(service_id)
        ids = list(offer.resources)
        weekly = await work.diary.hours(ids)
        margin = timedelta(days=2)
        held = await work.diary.held(ids, Interval(window.starts_at - margin, window.ends_at + margin), now)
    busy: defaultdict[UUID, list[Interval]] = defaultdict(list)
    for each in held:
        busy[each.resource_id].append(each.during)
    candidates: defaultdict[str, list[Candidate]] = defaultdict(list)
    for each_id, kind in offer.resources.items():
        working = open_intervals(weekly[each_id], first, last, zone)
        candidates[kind].append(Candidate(each_id, working, busy[each_id]))
    found = slots(offer, candidates, window, grid_minutes=GRID_MINUTES, not_before=now, zone=zone)
    if resource_id is not None:
        if resource_id not in offer.resources:
            raise NotFound
        found = [slot for slot in found if resource_id in slot.resource_ids]
    by_day = {
        day: [SlotView(slot.starts_at, list(slot.resource_ids)) for slot in group]
        for day, group in groupby(found, key=lambda slot: day_of(slot.starts_at, zone))
    }
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return AvailabilityView([DaySlotsView(day, by_day.get(day, [])) for day in days])


def _out_of_range(pointer: str, day: date, zone: ZoneInfo) -> list[FieldError]:
    try:
        bounds(day, zone)
    except ValueError as error:
        return [FieldError(pointer, "out_of_range", str(error))]
    return []
