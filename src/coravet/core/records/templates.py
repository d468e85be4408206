"""Templates: words that a clinic's notes begin with."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.fields import clean_fields, given_fields, sound
from coravet.core.kernel.text import paragraphs
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import Species
from coravet.core.records.encounters import PARTS, Part
from coravet.core.records.model import NoteTemplate
from coravet.core.records.ports import RecordsWork
from coravet.core.records.views import NoteTemplateView, NoteView

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Reason = Annotated[str, Meta(max_length=500)]


class NewNoteTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template; for every species where none is named."""

    name: Name
    species: Species | None = None
    reason: Reason | None = None
    subjective: Part | None = None
    objective: Part | None = None
    assessment: Part | None = None
    plan: Part | None = None


class NoteTemplateChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a template; what is left out stays, null clears."""

    version: int | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    species: Species | UnsetType | None = UNSET
    reason: Reason | UnsetType | None = UNSET
    subjective: Part | UnsetType | None = UNSET
    objective: Part | UnsetType | None = UNSET
    assessment: Part | UnsetType | None = UNSET
    plan: Part | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


def check_template(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields in their normal form, and every bad one of them."""
    fields, errors = clean_fields(given, ("name", "reason"), required=("name",))
    for name in PARTS:
        if isinstance(fields.get(name), str):
            fields[name] = paragraphs(fields[name]) or None
    return fields, errors


def template_view(template: NoteTemplate) -> NoteTemplateView:
    """A template as its readers see it."""
    return NoteTemplateView(
        id=template.id,
        name=template.name,
        species=template.species,
        reason=template.reason,
        note=NoteView(template.subjective, template.objective, template.assessment, template.plan),
        active=template.active,
        version=template.version,
    )


async def make_template(command: NewNoteTemplate, actor: Actor, begin: Begin[RecordsWork]) -> NoteTemplateView:
    """Make a template. Raises Invalid."""
    fields = sound(check_template(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        template = NoteTemplate(clinic_id=actor.clinic_id, id=work.new_id(), **fields)
        await work.note_templates.add(template)
        return work.answer(template_view(template))


async def change_template(
    template_id: UUID, command: NoteTemplateChange, actor: Actor, begin: Begin[RecordsWork]
) -> NoteTemplateView:
    """Change a template, or retire it and take it up again (`active`); notes that began with it stay as they are.

    Raises:
        Invalid: a field breaks a rule.
        NotFound: no such template here.
        StaleVersion: it changed since it was read.
    """
    fields = sound(check_template(given_fields(command)))
    async with begin(actor) as work:
        template = await work.note_templates.lock(template_id)
        advance(template, command.version)
        for name, value in fields.items():
            setattr(template, name, value)
        return work.answer(template_view(template))
