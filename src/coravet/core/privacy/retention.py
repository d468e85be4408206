"""How long a clinic must keep what, though the person asks for its erasure.

No statutory term for veterinary records was found, so that each is a row of a table, with its basis and the day on
which somebody is to look at it again; by default nothing is held back.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.events import ClinicUpdated
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.work import Begin
from coravet.core.privacy.erasure_ports import ErasureWork
from coravet.core.privacy.erasure_views import Category, RetentionRule, RetentionView

CATEGORIES: tuple[Category, ...] = get_args(Category)
NO_TERM = "No se halló un plazo legal de conservación; se elimina cuando la persona lo pide (LOPDP art. 15)."
SHIPPED = {category: RetentionRule(category, NO_TERM, 0, date(2027, 12, 1)) for category in CATEGORIES}


class NewRetention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The clinic's own rules; what is not among them follows the shipped one."""

    rules: Annotated[list[RetentionRule], Meta(max_length=len(CATEGORIES))]


def check_retention(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The `rules` with their texts cleaned, and what is wrong with each, at `/rules/<i>/…`."""
    rules: list[RetentionRule] = []
    errors: list[FieldError] = []
    for index, rule in enumerate(given.get("rules", ())):
        fields, bad = clean_fields({"basis": rule.basis}, ("basis",), required=("basis",))
        if rule.category in {each.category for each in rules}:
            sentence = "There is another rule for this kind of data. Keep one of them."
            bad.append(FieldError("/category", "repeated", sentence))
        errors += [FieldError(f"/rules/{index}{error.pointer}", error.code, error.said) for error in bad]
        rules.append(msgspec.structs.replace(rule, basis=fields["basis"] or rule.basis))
    return {"rules": rules}, errors


async def set_retention(command: NewRetention, actor: Actor, begin: Begin[ErasureWork]) -> RetentionView:
    """Replace the clinic's own rules, which is a change of the clinic. What is blocked already stays so until its day.

    Raises:
        Invalid: a rule is not sound, or two are for the same; every bad field is listed.
    """
    rules = sound(check_retention({"rules": command.rules}))["rules"]
    async with begin(actor) as work:
        version = await work.retention.replace(rules)
        work.emit(ClinicUpdated(actor.clinic_id, version))
        return work.answer(in_force(rules))


def in_force(own: Iterable[RetentionRule]) -> RetentionView:
    """The rules of a clinic that set these."""
    return RetentionView(list((SHIPPED | {rule.category: rule for rule in own}).values()))


def held_until(rules: Iterable[RetentionRule], last_dealt: date, today: date) -> dict[Category, date]:
    """Until when each kind of data is held back, of those whose term is running.

    Args:
        last_dealt: the day on which the clinic last dealt with the person, from which terms run.
    """
    ends = {rule.category: months_after(last_dealt, rule.months) for rule in rules if rule.months}
    return {category: end for category, end in ends.items() if end > today}


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
