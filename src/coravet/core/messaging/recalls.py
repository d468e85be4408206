"""Recalls: patients that should come again."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, NotFound, PatientDeceased
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.work import Begin
from coravet.core.messaging.model import Recall, RecallKind
from coravet.core.messaging.ports import MessagingWork
from coravet.core.messaging.views import RecallView
from coravet.core.tenancy.clinic_day import bounds, instants, time_zone

RECKONED_AT = time(9)
"""A recall has a day and no hour: its reminders are reckoned from nine in the morning, when nobody is woken."""

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)


class NewRecall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A patient that should come again; `due_on` is a day of the clinic."""

    patient_id: UUID
    kind: RecallKind
    due_on: date
    note: Annotated[str, Meta(max_length=500)] | None = None


def check_recall(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given, with their texts cleaned, and every bad one of them."""
    fields, errors = clean_fields(given, ("note",))
    due_on = fields.get("due_on")
    if due_on is not None and not FIRST_DAY <= due_on <= LAST_DAY:
        errors.append(FieldError("/due_on", "out_of_range", "The day lies before 2000 or after 2100. Check the year."))
    return fields, errors


def reckoned_from(due_on: date, zone: ZoneInfo) -> datetime:
    """The instant that reminders of a recall are reckoned from."""
    return next(iter(instants(due_on, RECKONED_AT, zone)), bounds(due_on, zone).starts_at)


async def recall_patient(command: NewRecall, actor: Actor, begin: Begin[MessagingWork], clock: Clock) -> RecallView:
    """Write down that a patient should come again.

    Raises:
        Invalid: the day is out of reach, or the note holds invisible characters.
        NotFound: no such patient here.
        PatientDeceased: it has died.
    """
    fields, errors = check_recall(msgspec.structs.asdict(command))
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        if not await work.recalls.lives(command.patient_id):
            raise PatientDeceased
        recall = Recall(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            due_at=reckoned_from(command.due_on, time_zone(actor.time_zone)),
            created_at=clock.now(),
            **fields,
        )
        await work.recalls.add(recall)
        return work.answer(await work.message_reads.recall(recall.id))


async def close_recall(recall_id: UUID, actor: Actor, begin: Begin[MessagingWork], clock: Clock) -> None:
    """End a recall; nobody is reminded of it any more.

    Raises:
        NotFound: no such open recall here.
    """
    async with begin(actor) as work:
        recall = await work.recalls.lock(recall_id)
        if recall.closed_at is not None:
            raise NotFound
        recall.closed_at = clock.now()
