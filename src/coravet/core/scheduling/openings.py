"""Setting when a resource works: its weekly hours, and single days that differ."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import HoursChanged
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.availability import open_for
from coravet.core.scheduling.hours import DaySpan, Interval, Openings, WeeklySpan, check_day, check_spans, working
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import AppointmentView, ExceptionDroppedView, ExceptionSetView, HoursSetView
from coravet.core.tenancy.clinic_day import day_of, time_zone

Reason = Annotated[str, Meta(max_length=200)]

MOST_LISTED = 100
"""Visits that an answer lists; it says how many there are."""

_AHEAD = timedelta(days=3 * 365)  # further than a visit can lie


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resource's weekly hours, instead of any before."""

    spans: Annotated[list[WeeklySpan], Meta(max_length=100)]


class DayHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a resource works on one day, instead of its weekly hours; nothing, where there are no spans."""

    spans: Annotated[list[DaySpan], Meta(max_length=20)]
    reason: Reason | None = None


def check_exception(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of a day with its reason in clean form, and every field of it that breaks a rule."""
    fields, errors = clean_fields(given, ("reason",))
    return fields, errors + check_day(given.get("spans", ()))


async def set_hours(
    resource_id: UUID, command: Hours, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> HoursSetView:
    """Replace a resource's weekly hours. Visits booked before stay; those that lie outside now are listed.

    Raises:
        Invalid: spans overlap, or a validity is turned round; each is listed.
        NotFound: no such resource here.
    """
    errors = check_spans(command.spans)
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        await _hold(work, resource_id)
        await work.catalogue.set_hours(resource_id, command.spans)
        work.emit(HoursChanged(resource_id))
        spans = sorted(command.spans, key=lambda span: (span.weekday, span.opens, span.valid_from or date.min))
        return work.answer(HoursSetView(resource_id, spans, *await _outside(work, resource_id, clock)))


async def set_exception(
    resource_id: UUID, day: date, command: DayHours, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> ExceptionSetView:
    """Say what a resource works on a day, instead of the hours that would open on it. Visits are treated as there.

    Raises:
        Invalid: spans overlap, or the reason is not text that a person could read.
        NotFound: no such resource here.
    """
    fields = sound(check_exception(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        await _hold(work, resource_id)
        await work.catalogue.set_exception(resource_id, day, command.spans, fields["reason"])
        work.emit(HoursChanged(resource_id))
        outside = await _outside(work, resource_id, clock)
        return work.answer(ExceptionSetView(resource_id, day, command.spans, fields["reason"], *outside))


async def drop_exception(
    resource_id: UUID, day: date, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> ExceptionDroppedView:
    """Let the weekly hours hold on a day again. Visits are treated as when setting hours.

    Raises:
        NotFound: no such resource here, or no exception on that day.
    """
    async with begin(actor) as work:
        await _hold(work, resource_id)
        await work.catalogue.drop_exception(resource_id, day)
        work.emit(HoursChanged(resource_id))
        return work.answer(ExceptionDroppedView(resource_id, *await _outside(work, resource_id, clock)))


async def listed(work: SchedulingWork, appointment_ids: Iterable[UUID]) -> tuple[list[AppointmentView], int]:
    """The first visits of those, which come by start, as an answer lists them, and how many they are."""
    ids = list(dict.fromkeys(appointment_ids))
    return (await work.schedule_reads.these(ids[:MOST_LISTED]) if ids else []), len(ids)


async def _hold(work: SchedulingWork, resource_id: UUID) -> None:
    """Keep bookings of the resource waiting, so that none slips in unlisted. Raises NotFound."""
    # First the lock that a booking takes first: one that holds it goes on to refer to the resource's row.
    await work.diary.lock([resource_id])
    await work.resources.lock(resource_id)


async def _outside(work: SchedulingWork, resource_id: UUID, clock: Clock) -> tuple[list[AppointmentView], int]:
    """The visits to come that the resource does not work through from now on."""
    now, zone = clock.now(), time_zone(work.actor.time_zone)
    booked = await work.diary.coming([resource_id], Interval(now, now + _AHEAD))
    if not booked:
        return [], 0
    days = day_of(booked[0].visit.starts_at, zone), day_of(max(each.visit.ends_at for each in booked), zone)
    openings = await work.offers.openings([resource_id], *days)
    opened = working(openings.get(resource_id, Openings()), *days, zone)
    return await listed(work, (each.appointment_id for each in booked if not open_for(opened, each.visit)))
