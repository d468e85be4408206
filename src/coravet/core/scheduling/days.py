"""Which clinic days a reader asks for."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.sentences import Sentence
from coravet.core.tenancy.clinic_day import bounds, day_of

_MARGIN = timedelta(days=3)  # hours are drawn for the days about those asked for, too


def days_asked(
    from_day: date | None, to_day: date | None, now: datetime, zone: ZoneInfo, *, usual: int, longest: int
) -> tuple[date, date]:
    """The first and the last day, both included; by default `usual` days from today.

    Raises:
        Invalid: the days are out of order, out of the calendar, or more than `longest`.
    """
    first = from_day or day_of(now, zone)
    last = to_day or first + min(timedelta(days=usual - 1), date.max - first)
    errors = _out_of_range("/from", first, zone)
    if to_day is not None or not errors:
        errors += _out_of_range("/from" if to_day is None else "/to", last, zone)
    if errors:
        raise Invalid(errors=errors)
    if last < first:
        raise Invalid(errors=[FieldError("/to", "before_from", "The last day lies before the first.")])
    if (last - first).days >= longest:
        sentence = Sentence("Ask for at most {most} days at once.", most=longest)
        raise Invalid(errors=[FieldError("/to", "window_too_long", sentence)])
    return first, last


def _out_of_range(pointer: str, day: date, zone: ZoneInfo) -> list[FieldError]:
    try:
        bounds(day - _MARGIN, zone)
        bounds(day + _MARGIN, zone)
    except (ValueError, OverflowError):
        return [FieldError(pointer, "out_of_range", "The day lies too far from today. Choose another.")]
    return []
