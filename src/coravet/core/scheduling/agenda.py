"""The visits of a clinic day."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import AgendaView
from coravet.core.tenancy.clinic_day import DayBounds, bounds, day_of, time_zone


async def agenda(
    day: date | None, resource_id: UUID | None, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> AgendaView:
    """The visits of a clinic day (by default the clinic's today), of one resource where given.

    Raises:
        Invalid: the day is outside the calendar.
    """
    shown, stretch = shown_day(day, clock.now(), time_zone(actor.time_zone))
    async with begin(actor) as work:
        items = await work.schedule_reads.agenda(stretch.starts_at, stretch.ends_at, resource_id)
    return AgendaView(shown, stretch.starts_at, stretch.ends_at, items)


def shown_day(day: date | None, now: datetime, zone: ZoneInfo) -> tuple[date, DayBounds]:
    """The day asked for, by default today, and its instants. Raises Invalid where it is outside the calendar."""
    shown = day or day_of(now, zone)
    try:
        return shown, bounds(shown, zone)
    except ValueError as error:
        raise Invalid(errors=[FieldError("/date", "out_of_range", str(error))]) from error
