"""Encounters, problems, templates of notes, and a patient's timeline and weights."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args
from uuid import UUID

from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.records.encounters import (
    EncounterChange,
    NewEncounter,
    Voiding,
    check_reason,
    dismiss_note,
    open_encounter,
    void_encounter,
    write_encounter,
)
from coravet.core.records.ports import TimelineKind
from coravet.core.records.problems import NewProblem, ProblemUpdate, judge_problem, note_problem
from coravet.core.records.scales import NewWeight, void_weight, weigh
from coravet.core.records.signing import NewAddendum, Signing, addend, sign_encounter
from coravet.core.records.templates import (
    NewNoteTemplate,
    NoteTemplateChange,
    change_template,
    check_template,
    make_template,
)
from coravet.core.records.views import (
    EncounterSummary,
    EncounterView,
    NoteTemplateView,
    ProblemView,
    TimelineEntry,
    WeightView,
)
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit

_CLINIC = "/clinics/{clinic:str}"
_ENCOUNTER = f"{_CLINIC}/encounters/{{encounter_id:uuid}}"
_PATIENT = f"{_CLINIC}/patients/{{patient_id:uuid}}"


def _reason_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_reason(given)[1]


def _template_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_template(given)[1]


@post(
    f"{_CLINIC}/encounters",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="openEncounter",
    tags=["Encounters"],
)
async def post_encounter(data: JSONBody[NewEncounter], call: NamedDependency[Call]) -> EncounterView:
    """Begin to write a visit down, booked or not."""
    return await open_encounter(data, call.actor, call.begin, call.ports.clock)


@get(f"{_CLINIC}/encounters", opt=permitted("records:read"), operation_id="listEncounters", tags=["Encounters"])
async def list_encounters(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    patient_id: FromQuery[UUID | None] = None,
    appointment_id: FromQuery[UUID | None] = None,
    unsigned: Annotated[bool, QueryParameter(description="Only drafts, which wait to be signed.")] = False,
) -> Page[EncounterSummary]:
    """Encounters, the newest first."""
    async with call.begin(call.actor) as work:
        return await work.record_reads.encounters(
            PageRequest(limit, cursor), patient_id, appointment_id, unsigned=unsigned
        )


@get(_ENCOUNTER, opt=permitted("records:read"), operation_id="getEncounter", tags=["Encounters"])
async def get_encounter(encounter_id: FromPath[UUID], call: NamedDependency[Call]) -> EncounterView:
    """An encounter with its note, vitals, diagnoses and addenda, and texts that were set aside."""
    async with call.begin(call.actor) as work:
        return await work.record_reads.encounter(encounter_id)


@patch(
    _ENCOUNTER,
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="writeEncounter",
    tags=["Encounters"],
)
async def patch_encounter(
    encounter_id: FromPath[UUID], data: JSONBody[EncounterChange], call: NamedDependency[Call]
) -> EncounterView:
    """Write in a draft; text that comes too late is kept beside the note, and `set_aside_id` names it."""
    return await write_encounter(encounter_id, data, call.actor, call.begin, call.ports.clock)


@post(
    f"{_ENCOUNTER}/sign",
    opt=permitted("records:write"),
    operation_id="signEncounter",
    tags=["Encounters"],
    status_code=200,
)
async def post_sign(
    encounter_id: FromPath[UUID], data: JSONBody[Signing], call: NamedDependency[Call]
) -> EncounterView:
    """Sign an encounter; from now on it is only added to."""
    return await sign_encounter(encounter_id, data, call.actor, call.begin, call.ports.clock)


@post(f"{_ENCOUNTER}/addenda", opt=permitted("records:write"), operation_id="addAddendum", tags=["Encounters"])
async def post_addendum(
    encounter_id: FromPath[UUID], data: JSONBody[NewAddendum], call: NamedDependency[Call]
) -> EncounterView:
    """Add to a signed encounter."""
    return await addend(encounter_id, data, call.actor, call.begin, call.ports.clock)


@post(
    f"{_ENCOUNTER}/void",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="voidEncounter",
    tags=["Encounters"],
    status_code=200,
)
async def post_void_encounter(
    encounter_id: FromPath[UUID], data: JSONBody[Voiding], call: NamedDependency[Call]
) -> EncounterView:
    """Mark an encounter as entered in error; it stays readable."""
    return await void_encounter(encounter_id, data, call.actor, call.begin, call.ports.clock)


@post(
    f"{_CLINIC}/set-aside-notes/{{note_id:uuid}}/dismiss",
    opt=permitted("records:write"),
    operation_id="dismissSetAsideNote",
    tags=["Encounters"],
    status_code=200,
)
async def post_dismiss_note(note_id: FromPath[UUID], call: NamedDependency[Call]) -> EncounterView:
    """Deal with a text that was set aside: it is kept, and shown no more."""
    return await dismiss_note(note_id, call.actor, call.begin, call.ports.clock)


@get(f"{_PATIENT}/timeline", opt=permitted("records:read"), operation_id="getTimeline", tags=["Records"])
async def get_timeline(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Annotated[list[TimelineKind] | None, QueryParameter(description="Only these kinds; repeatable.")] = None,
) -> Page[TimelineEntry]:
    """What was found, done and given to a patient, the newest first."""
    kinds = frozenset(kind or get_args(TimelineKind))
    async with call.begin(call.actor) as work:
        return await work.record_reads.timeline(PageRequest(limit, cursor), patient_id, kinds)


@get(f"{_PATIENT}/weights", opt=permitted("records:read"), operation_id="listWeights", tags=["Records"])
async def list_weights(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[WeightView]:
    """A patient's weights, the newest first, for a curve."""
    async with call.begin(call.actor) as work:
        return await work.record_reads.weights(PageRequest(limit, cursor), patient_id)


@post(f"{_PATIENT}/weights", opt=permitted("patients:write"), operation_id="weighPatient", tags=["Records"])
async def post_weight(patient_id: FromPath[UUID], data: JSONBody[NewWeight], call: NamedDependency[Call]) -> WeightView:
    """Write down a weight that was taken outside an encounter."""
    return await weigh(patient_id, data, call.actor, call.begin, call.ports.clock)


@post(
    f"{_CLINIC}/weights/{{weight_id:uuid}}/void",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="voidWeight",
    tags=["Records"],
    status_code=204,
)
async def post_void_weight(weight_id: FromPath[UUID], data: JSONBody[Voiding], call: NamedDependency[Call]) -> None:
    """Mark a weight as entered in error; it leaves the curve."""
    await void_weight(weight_id, data, call.actor, call.begin, call.ports.clock)


@get(f"{_PATIENT}/problems", opt=permitted("records:read"), operation_id="listProblems", tags=["Records"])
async def list_problems(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[ProblemView]:
    """A patient's problems, the active first."""
    async with call.begin(call.actor) as work:
        return await work.record_reads.problems(PageRequest(limit, cursor), patient_id)


@post(f"{_PATIENT}/problems", opt=permitted("records:write"), operation_id="noteProblem", tags=["Records"])
async def post_problem(
    patient_id: FromPath[UUID], data: JSONBody[NewProblem], call: NamedDependency[Call]
) -> ProblemView:
    """Note a problem; in an open encounter it is one of its diagnoses."""
    return await note_problem(patient_id, data, call.actor, call.begin, call.ports.clock)


@get(
    f"{_CLINIC}/problems/{{problem_id:uuid}}",
    opt=permitted("records:read"),
    operation_id="getProblem",
    tags=["Records"],
)
async def get_problem(problem_id: FromPath[UUID], call: NamedDependency[Call]) -> ProblemView:
    """A problem, and how it was judged over time."""
    async with call.begin(call.actor) as work:
        return await work.record_reads.problem(problem_id)


@patch(
    f"{_CLINIC}/problems/{{problem_id:uuid}}",
    opt=permitted("records:write"),
    operation_id="judgeProblem",
    tags=["Records"],
)
async def patch_problem(
    problem_id: FromPath[UUID], data: JSONBody[ProblemUpdate], call: NamedDependency[Call]
) -> ProblemView:
    """Change what is known of a problem; what was known before stays readable."""
    return await judge_problem(problem_id, data, call.actor, call.begin, call.ports.clock)


@get(f"{_CLINIC}/note-templates", opt=permitted("records:read"), operation_id="listNoteTemplates", tags=["Encounters"])
async def list_note_templates(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    retired: Annotated[bool, QueryParameter(description="Those that are offered no more, instead.")] = False,
) -> Page[NoteTemplateView]:
    """Templates in use, by name."""
    async with call.begin(call.actor) as work:
        return await work.record_reads.templates(PageRequest(limit, cursor), retired=retired)


@post(
    f"{_CLINIC}/note-templates",
    opt=permitted("records:write") | {"check": _template_errors},
    operation_id="makeNoteTemplate",
    tags=["Encounters"],
)
async def post_note_template(data: JSONBody[NewNoteTemplate], call: NamedDependency[Call]) -> NoteTemplateView:
    """Make a template."""
    return await make_template(data, call.actor, call.begin)


@patch(
    f"{_CLINIC}/note-templates/{{template_id:uuid}}",
    opt=permitted("records:write") | {"check": _template_errors},
    operation_id="changeNoteTemplate",
    tags=["Encounters"],
)
async def patch_note_template(
    template_id: FromPath[UUID], data: JSONBody[NoteTemplateChange], call: NamedDependency[Call]
) -> NoteTemplateView:
    """Change a template, or retire it."""
    return await change_template(template_id, data, call.actor, call.begin)
