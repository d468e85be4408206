"""The country's holidays, as days that the clinic may close on."""

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.holidays import HolidayCalendar
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import HolidaysView, HolidayView
from coravet.core.tenancy.clinic_day import day_of, time_zone


async def suggest_holidays(
    year: int | None, actor: Actor, begin: Begin[SchedulingWork], clock: Clock, calendar: HolidayCalendar
) -> HolidaysView:
    """The holidays of a year (by default the clinic's present one), and on which of them the clinic is shut already.

    Nothing closes by itself: the clinic accepts one by making a closure of that day with `holiday: true`.

    Raises:
        Invalid: the holidays of that year are not known.
    """
    try:
        found = calendar.national(day_of(clock.now(), time_zone(actor.time_zone)).year if year is None else year)
    except ValueError as error:
        raise Invalid(errors=[FieldError("/year", "out_of_range", str(error))]) from error
    async with begin(actor) as work:
        closures = await work.schedule_reads.shut_days([holiday.date for holiday in found])
    return HolidaysView([HolidayView(each.date, each.name_es, each.name_en, closures.get(each.date)) for each in found])
