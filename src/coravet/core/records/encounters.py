"""Opening an encounter, writing in it while it is a draft, and marking one as entered in error."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, InvalidTransition, StaleVersion
from coravet.core.kernel.events import EncounterOpened, EncounterUpdated
from coravet.core.kernel.fields import clean_fields, given_fields, sound
from coravet.core.kernel.text import paragraphs
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.records.documents import withdraw_shown
from coravet.core.records.errors import NoteSetAside
from coravet.core.records.model import Encounter, SetAside
from coravet.core.records.ports import Chart, RecordsWork
from coravet.core.records.signers import registered
from coravet.core.records.views import EncounterView
from coravet.core.records.vitals import Vitals, measured, unusual
from coravet.core.tenancy.clinic_day import day_of, time_zone

PARTS = ("subjective", "objective", "assessment", "plan")
VITALS = tuple(field.name for field in msgspec.structs.fields(Vitals))
TAKES_PLACE = frozenset({"confirmed", "checked_in", "in_exam", "ready", "completed"})
"""Statuses of a visit that somebody came to, or comes to right now."""

Part = Annotated[str, Meta(max_length=20_000)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
LATEST_VERSION = 2**31 - 1
SKEW = timedelta(minutes=5)
"""How far a clock at the clinic may be ahead of ours."""


class NewEncounter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A visit that takes place, booked or not.

    Attributes:
        started_at: when it began; by default now, or of a visit that was booked for an earlier day its start.
    """

    patient_id: UUID
    reason: Reason
    appointment_id: UUID | None = None
    started_at: datetime | None = None


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note's parts; what is left out stays, null clears."""

    subjective: Part | UnsetType | None = UNSET
    objective: Part | UnsetType | None = UNSET
    assessment: Part | UnsetType | None = UNSET
    plan: Part | UnsetType | None = UNSET


class Editor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An open form, so that it may write on when an answer to it was lost.

    Attributes:
        id: made anew each time that a form is opened.
        sequence: grows with each write of that form; a repeated write has the number that it had. A field of a write
            counts where no later one of the form brought it.
    """

    id: UUID
    sequence: Annotated[int, Meta(ge=0, le=LATEST_VERSION)]


class EncounterChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to write in a draft; `version` is the one that the writer saw."""

    version: Annotated[int, Meta(ge=1, le=LATEST_VERSION)]
    reason: Reason | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    vitals: Vitals | UnsetType = UNSET
    editor: Editor | UnsetType = UNSET


class Voiding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something was entered in error."""

    reason: Reason


def check_reason(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given with the reason in its clean form, and whether it cannot be one."""
    return clean_fields(given, ("reason",), required=("reason",))


def check_moment(name: str, at: datetime | None, now: datetime) -> list[FieldError]:
    """What is wrong with the moment of something that happened; None is now."""
    if at is not None and at.tzinfo is None:
        sentence = "Say which time zone it is in: end it with Z or with one such as -05:00."
        return [FieldError(f"/{name}", "needs_offset", sentence)]
    if at is not None and at > now + SKEW:
        return [FieldError(f"/{name}", "in_future", "It cannot lie ahead.")]
    return []


def check_change(command: EncounterChange) -> dict[str, Any]:
    """The columns that a change sets, in their normal form; vitals are only checked against their species later.

    Raises:
        Invalid: the reason is blank or holds what cannot be text.
    """
    given = {} if command.reason is UNSET else {"reason": command.reason}
    fields, errors = check_reason(given)
    if errors:
        raise Invalid(errors=errors)
    if command.note is not UNSET:
        fields |= {name: part and (paragraphs(part) or None) for name, part in given_fields(command.note).items()}
    return fields


async def open_encounter(command: NewEncounter, actor: Actor, begin: Begin[RecordsWork], clock: Clock) -> EncounterView:
    """Begin to write a visit down; of one that was booked, once.

    Raises:
        Invalid: the reason is blank, it began in the future, or the booked visit is of another patient
            (`other_patient`).
        NotFound: no such patient or booked visit here.
        InvalidTransition: the booked visit was not confirmed, or will not take place; carries its status.
        Duplicate: the booked visit has an encounter already.
    """
    now = clock.now()
    fields, errors = check_reason(msgspec.structs.asdict(command))
    fields = sound((fields, [*errors, *check_moment("started_at", command.started_at, now)]))
    today = day_of(now, time_zone(actor.time_zone))
    async with begin(actor) as work:
        # Before the visit, as everybody does: a death or a transfer at this moment waits, or is waited for.
        await work.patients.lock(command.patient_id)
        if command.appointment_id is not None:
            appointment = await work.appointments.lock(command.appointment_id)
            if appointment.patient_id != command.patient_id:
                sentence = "This visit was booked for another patient. Open the encounter from the patient's own visit."
                raise Invalid(errors=[FieldError("/appointment_id", "other_patient", sentence)])
            if appointment.status not in TAKES_PLACE:
                raise InvalidTransition(
                    "This visit was not confirmed or will not take place. Confirm or check it in first.",
                    current_status=appointment.status,
                )
            if day_of(appointment.starts_at, time_zone(actor.time_zone)) < today:
                fields["started_at"] = fields["started_at"] or appointment.starts_at
        fields["started_at"] = fields["started_at"] or now
        encounter = Encounter(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            opened_by=actor.member_id,
            created_at=now,
            **fields,
        )
        await work.encounters.add(encounter)
        work.emit(EncounterOpened(encounter.id, encounter.version))
        return work.answer(await work.record_reads.encounter(encounter.id))


async def write_encounter(
    encounter_id: UUID, command: EncounterChange, actor: Actor, begin: Begin[RecordsWork], clock: Clock
) -> EncounterView:
    """Write in a draft. The last writer who saw the present version wins; no text is lost.

    A form that says who it is (`editor`) may write on from a version of its own, since the answer to its last write may
    have been lost. Of what it wrote before and arrives late or twice, a field that it has written anew since changes
    nothing. A write that would put down what stands there already succeeds, whatever version it names.

    Raises:
        NotFound: no such encounter here.
        StaleVersion: somebody else wrote since.
        NoteSetAside: so it is, and the write brought text, which was kept beside the note.
        InvalidTransition: the encounter is signed or was entered in error; text is kept as with StaleVersion.
        Invalid: a field breaks a rule; every bad field is listed.
    """
    fields = check_change(command)
    async with begin(actor) as work:
        encounter = await work.encounters.lock(encounter_id)
        chart = await work.charts.chart(encounter.patient_id, encounter.started_at, but=encounter.id)
        if command.vitals is not UNSET:
            fields |= sound(measured(given_fields(command.vitals), chart.species, "/vitals"))
        refused = _refusal(encounter, fields, command)
        if refused is None:
            if _is_due(encounter, command) and _put_down(encounter, fields, command):
                work.emit(EncounterUpdated(encounter.id, encounter.version))
            return work.answer(await _shown(work, encounter, chart, actor))
        set_aside = await _set_aside(work, encounter, fields, command, clock.now())
        if set_aside is not None:
            work.emit(EncounterUpdated(encounter.id, encounter.version))
    # Raised after the work has ended: what was set aside is to stay.
    if set_aside is None:
        raise refused
    if isinstance(refused, StaleVersion):
        raise NoteSetAside(encounter.version, set_aside)
    refused.extra["set_aside_id"] = set_aside
    raise refused


def _refusal(
    encounter: Encounter, fields: Mapping[str, Any], command: EncounterChange
) -> StaleVersion | InvalidTransition | None:
    """Why the write may not be put down, if so."""
    if encounter.signed_at is not None or encounter.voided_at is not None:
        return InvalidTransition(
            "The encounter is signed or was entered in error, so it stays as it is. Write an addendum.",
            version=encounter.version,
        )
    if _is_due(encounter, command):
        return None
    stands = bool(fields) and all(getattr(encounter, name) == value for name, value in fields.items())
    return None if stands else StaleVersion(encounter.version)


def _is_due(encounter: Encounter, command: EncounterChange) -> bool:
    """Whether the writer saw the present version, or nobody but its own form has written since the one it saw."""
    if encounter.version == command.version:
        return True
    if command.editor is UNSET or encounter.editor_id != command.editor.id or encounter.editor_base is None:
        return False
    return encounter.editor_base <= command.version <= encounter.version


def _put_down(encounter: Encounter, fields: Mapping[str, Any], command: EncounterChange) -> bool:
    """Put down what is new in a write; answers whether anything was.

    Of one form each field goes by its own count: a write that was overtaken may bring one that no later write had.
    """
    if command.editor is not UNSET:
        if encounter.editor_id != command.editor.id:
            encounter.editor_id, encounter.editor_base = command.editor.id, encounter.version
            encounter.editor_sequences = {}
        written = encounter.editor_sequences or {}
        fields = {name: value for name, value in fields.items() if command.editor.sequence > written.get(name, -1)}
        encounter.editor_sequences = written | dict.fromkeys(fields, command.editor.sequence)
    changed = {name: value for name, value in fields.items() if getattr(encounter, name) != value}
    if not changed:
        return False
    for name, value in changed.items():
        setattr(encounter, name, value)
    if command.editor is UNSET:
        encounter.editor_id = encounter.editor_sequences = encounter.editor_base = None
    advance(encounter, encounter.version)
    return True


async def _set_aside(
    work: RecordsWork, encounter: Encounter, fields: Mapping[str, Any], command: EncounterChange, now: datetime
) -> UUID | None:
    """Keep the text that cannot be put down; None where there is none that the note does not have."""
    texts = {name: fields[name] for name in PARTS if fields.get(name) and fields[name] != getattr(encounter, name)}
    if not texts:
        return None
    parts = {name: texts.get(name) for name in PARTS}
    return await work.notes_aside.put(
        SetAside(
            clinic_id=work.actor.clinic_id,
            id=work.new_id(),
            encounter_id=encounter.id,
            member_id=work.actor.member_id,
            written_from=command.version,
            digest=sha256(msgspec.json.encode(parts)).digest(),
            set_aside_at=now,
            **parts,
        )
    )


async def _shown(work: RecordsWork, encounter: Encounter, chart: Chart, actor: Actor) -> EncounterView:
    """The encounter with what looks wrong in it."""
    view = await work.record_reads.encounter(encounter.id)
    values = {name: getattr(encounter, name) for name in VITALS}
    warnings = unusual(values, chart, encounter.started_at, time_zone(actor.time_zone), "/vitals")
    return msgspec.structs.replace(view, warnings=warnings)


async def dismiss_note(note_id: UUID, actor: Actor, begin: Begin[RecordsWork], clock: Clock) -> EncounterView:
    """Deal with a text that was set aside: it is kept, and shown no more.

    Raises:
        NotFound: no such text here.
    """
    async with begin(actor) as work:
        note = await work.notes_aside.lock(note_id)
        view = await work.record_reads.encounter(note.encounter_id)
        if note.dismissed_at is None:
            note.dismissed_at, note.dismissed_by = clock.now(), actor.member_id
            work.emit(EncounterUpdated(view.id, view.version))
            view = await work.record_reads.encounter(note.encounter_id)
        return work.answer(view)


async def void_encounter(
    encounter_id: UUID, command: Voiding, actor: Actor, begin: Begin[RecordsWork], clock: Clock
) -> EncounterView:
    """Mark an encounter as entered in error, signed or not; it stays readable, and a booked visit may have another.

    Raises:
        Invalid: the reason is blank.
        NotFound: no such encounter here.
        RegistrationRequired: it is signed, and who would mark it has no registration number.
        InvalidTransition: it is marked already.
    """
    reason = sound(check_reason(msgspec.structs.asdict(command)))["reason"]
    async with begin(actor) as work:
        encounter = await work.encounters.lock(encounter_id)
        if encounter.voided_at is not None:
            raise InvalidTransition("This encounter is marked as entered in error already.")
        if encounter.signed_at is not None:
            await registered(work)
        encounter.voided_at, encounter.voided_by, encounter.void_reason = clock.now(), actor.member_id, reason
        advance(encounter, encounter.version)
        if encounter.signed_at is not None:
            await withdraw_shown(work, {"visit_summary": encounter.id}, encounter.voided_at, reason)
        work.emit(EncounterUpdated(encounter.id, encounter.version))
        return work.answer(await work.record_reads.encounter(encounter.id))
