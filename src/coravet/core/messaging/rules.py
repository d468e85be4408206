"""How a clinic reminds: by which rules, and when not."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import ClinicUpdated
from coravet.core.kernel.work import Begin
from coravet.core.messaging.ports import MessagingWork
from coravet.core.messaging.quiet import QuietHours
from coravet.core.messaging.views import ReminderRule, RemindersView


class Reminders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a clinic's rules, and its quiet hours."""

    rules: Annotated[list[ReminderRule], Meta(max_length=50)]
    quiet_hours: QuietHours | None = None


def check_reminders(given: Mapping[str, Any]) -> list[FieldError]:
    """`duplicate_rule` at `/rules/<i>` for each rule that says what an earlier one does."""
    rules: Sequence[ReminderRule] = given.get("rules", ())
    errors, seen = [], set()
    for index, rule in enumerate(rules):
        says = (rule.kind, rule.channel, rule.minutes_before)
        if says in seen:
            errors.append(FieldError(f"/rules/{index}", "duplicate_rule", "Another rule of the list says the same."))
        seen.add(says)
    return errors


async def set_reminders(command: Reminders, actor: Actor, begin: Begin[MessagingWork]) -> RemindersView:
    """Replace how the clinic reminds, which is a change of the clinic. What only former rules planned is withdrawn.

    Raises:
        Invalid: two rules say the same.
    """
    errors = check_reminders(msgspec.structs.asdict(command))
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        before = await work.message_reads.reminders()
        if set(command.rules) == set(before.rules) and command.quiet_hours == before.quiet_hours:
            return work.answer(before)
        version = await work.reminder_rules.replace(command.rules, command.quiet_hours)
        work.emit(ClinicUpdated(actor.clinic_id, version))
        return work.answer(await work.message_reads.reminders())
