"""Shutting the clinic, or one resource of it, for a time: holidays, leave, works."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.events import ClosureChanged
from coravet.core.kernel.fields import WallTime, clean_fields, given_fields, sound, wall_text, wall_time
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.errors import BookingsInClosure
from coravet.core.scheduling.hours import Closing, Interval, shut
from coravet.core.scheduling.model import Closure
from coravet.core.scheduling.openings import Reason, listed
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import AppointmentView, ClosureMadeView
from coravet.core.tenancy.clinic_day import time_zone

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
LONGEST_DAYS = 366

SHUTS = ("starts_on", "ends_on", "from_time", "to_time", "resource_id")
"""Fields of a closure that say what is shut, and when."""

_BEGINNING, _END = "00:00", "24:00"  # of a day; wall times compare as texts


From = Annotated[
    WallTime, Meta(description="On the first day; shut without a break from then on. Its beginning, where left out.")
]
Until = Annotated[WallTime, Meta(description="On the last day; shut without a break until then. Default: its end.")]
Keep = Annotated[bool, Meta(description="Close although visits are booked then; they stay booked, and are listed.")]


class NewClosure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A closure to make, without a break from its first to its last moment.

    Attributes:
        ends_on: the last day, included; the first, where left out.
        from_time: wall time on the first day; its beginning, where left out.
        to_time: wall time on the last day; its end, where left out or 00:00.
        resource_id: what is shut; the whole clinic, where left out.
        holiday: whether it is a public holiday.
        keep_bookings: make it although visits are booked in it; they stay booked.
    """

    starts_on: date
    ends_on: date | None = None
    from_time: From | None = None
    to_time: Until | None = None
    resource_id: UUID | None = None
    reason: Reason | None = None
    holiday: bool = False
    keep_bookings: Keep = False


class ClosureChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a closure; what is left out stays."""

    version: int | UnsetType = UNSET
    starts_on: date | UnsetType = UNSET
    ends_on: date | UnsetType = UNSET
    from_time: From | UnsetType | None = UNSET
    to_time: Until | UnsetType | None = UNSET
    resource_id: UUID | UnsetType | None = UNSET
    reason: Reason | UnsetType | None = UNSET
    holiday: bool | UnsetType = UNSET
    keep_bookings: Keep = False


def check_closure(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of a closure with its reason in clean form, and every field of it that breaks a rule.

    Fields that are absent are not looked at, so that a form can be checked though other fields are malformed.
    """
    fields, errors = clean_fields(given, ("reason",))
    if fields.get("to_time") == _BEGINNING:  # midnight ends a closure as it ends a span of hours
        fields["to_time"] = None
    first, last = fields.get("starts_on"), fields.get("ends_on")
    for name, day in (("starts_on", first), ("ends_on", last)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            errors.append(FieldError(f"/{name}", "out_of_range", "The day lies too far from today. Choose another."))
    if errors or first is None:
        return fields, errors
    last = last or first
    if last < first:
        errors.append(FieldError("/ends_on", "before_start", "The last day lies before the first."))
    elif (last - first).days >= LONGEST_DAYS:
        sentence = Sentence("A closure lasts at most {most} days. Shorten it, or make several.", most=LONGEST_DAYS)
        errors.append(FieldError("/ends_on", "closure_too_long", sentence))
    elif last == first and (fields.get("to_time") or _END) <= (fields.get("from_time") or _BEGINNING):
        errors.append(FieldError("/to_time", "before_start", "The closure ends before it starts."))
    return fields, errors


async def close(command: NewClosure, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> ClosureMadeView:
    """Shut the clinic or a resource. Nothing is cancelled: visits in it are refused, or with `keep_bookings` listed.

    Raises:
        Invalid: days or times are out of order or out of reach; every bad field is listed.
        NotFound: no such resource here.
        BookingsInClosure: visits are booked in it.
    """
    fields = sound(check_closure(msgspec.structs.asdict(command)))
    keep = fields.pop("keep_bookings")
    fields["ends_on"] = fields["ends_on"] or fields["starts_on"]
    async with begin(actor) as work:
        affected = await _affected(work, fields, clock, keep=keep)
        closure = Closure(clinic_id=actor.clinic_id, id=work.new_id(), **_stored(fields))
        await work.closures.add(closure)
        work.emit(ClosureChanged(closure.id, closure.version))
        return work.answer(_made(closure, affected))


async def change_closure(
    closure_id: UUID, command: ClosureChange, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> ClosureMadeView:
    """Change a closure. Visits in it are treated as when closing.

    Raises:
        StaleVersion: it changed since it was read.
        Invalid, NotFound, BookingsInClosure: as when closing.
    """
    given = given_fields(command)
    keep = given.pop("keep_bookings")
    async with begin(actor) as work:
        closure = await work.closures.lock(closure_id)
        advance(closure, command.version)
        before = _told(closure)
        fields = sound(check_closure(before | given))
        shuts_anew = any(fields[name] != before[name] for name in SHUTS)
        # Before the row refers to another resource: a booking locks resources first, and refers to them then.
        affected = await _affected(work, fields, clock, keep=keep) if shuts_anew else ([], 0)
        for name, value in _stored(fields).items():
            setattr(closure, name, value)
        work.emit(ClosureChanged(closure.id, closure.version))
        return work.answer(_made(closure, affected))


async def reopen(closure_id: UUID, actor: Actor, begin: Begin[SchedulingWork]) -> None:
    """Forget a closure. Raises NotFound."""
    async with begin(actor) as work:
        await work.catalogue.drop_closure(closure_id)
        work.emit(ClosureChanged(closure_id))


def _stored(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with wall times as the row keeps them."""
    walls = {name: None if fields[name] is None else wall_time(fields[name]) for name in ("from_time", "to_time")}
    return {**fields, **walls}


def _told(closure: Closure) -> dict[str, Any]:
    """A closure's fields as a command gives them."""
    return {
        "starts_on": closure.starts_on,
        "ends_on": closure.ends_on,
        "from_time": None if closure.from_time is None else wall_text(closure.from_time),
        "to_time": None if closure.to_time is None else wall_text(closure.to_time),
        "resource_id": closure.resource_id,
        "reason": closure.reason,
        "holiday": closure.holiday,
    }


def _made(closure: Closure, affected: tuple[list[AppointmentView], int]) -> ClosureMadeView:
    appointments, total = affected
    return ClosureMadeView(
        id=closure.id,
        **_told(closure),
        version=closure.version,
        appointments=appointments,
        appointments_total=total,
    )


async def _affected(
    work: SchedulingWork, fields: Mapping[str, Any], clock: Clock, *, keep: bool
) -> tuple[list[AppointmentView], int]:
    """The visits still to end that lie in what is to be shut. Until the work ends nobody books it.

    Raises:
        BookingsInClosure: there are some, and they are not to be kept.
    """
    resource_id = fields["resource_id"]
    resource_ids = await work.offers.resources() if resource_id is None else [resource_id]
    await work.diary.lock(resource_ids)
    closing = Closing(fields["starts_on"], fields["ends_on"], fields["from_time"], fields["to_time"])
    now, parts = clock.now(), shut(closing, time_zone(work.actor.time_zone))
    if not parts or parts[-1].ends_at <= now:
        return [], 0
    window = Interval(max(parts[0].starts_at, now), parts[-1].ends_at)
    affected = await listed(
        work,
        (
            each.appointment_id
            for each in await work.diary.coming(resource_ids, window)
            if any(each.visit.starts_at < part.ends_at and part.starts_at < each.visit.ends_at for part in parts)
        ),
    )
    if affected[1] and not keep:
        raise BookingsInClosure(*affected)
    return affected
