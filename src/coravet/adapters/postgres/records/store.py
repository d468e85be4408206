"""Encounters, problems and templates on PostgreSQL, and a patient's timeline and weights."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from coravet.adapters.postgres.cursors import FIRST, LAST, NEWEST, after, page_of
from coravet.adapters.postgres.tenancy.tables import MEMBER_NAME
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.records.model import SetAside
from coravet.core.records.ports import Chart, Signer, TimelineKind
from coravet.core.records.views import (
    AddendumView,
    DiagnosisView,
    EncounterSummary,
    EncounterView,
    NoteTemplateView,
    NoteView,
    ProblemChangeView,
    ProblemView,
    SetAsideView,
    SignatureView,
    TimelineEntry,
    TreatmentRef,
    VitalsView,
    VoidedView,
    WeightView,
    WriterRef,
)
from coravet.core.scheduling.views import PatientRef


def _writer(member: str) -> str:
    """A member as a `WriterRef`, or null."""
    return (
        f"(SELECT json_build_object('member_id', m.id, 'name', {MEMBER_NAME})"  # noqa: S608 -- our names
        f" FROM members m JOIN users u ON u.id = m.user_id WHERE m.clinic_id = e.clinic_id AND m.id = {member})"
    )


def _instant(column: str) -> str:
    """An instant in JSON, in UTC whatever the server's own zone is."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


STATE = "CASE WHEN e.voided_at IS NOT NULL THEN 'voided' WHEN e.signed_at IS NOT NULL THEN 'signed' ELSE 'draft' END"

_ENCOUNTER = f"""
SELECT e.id, e.patient_id, p.name AS patient_name, p.species, e.appointment_id, {STATE} AS state, e.reason,
    e.started_at, {_writer("e.opened_by")} AS opened_by, e.subjective, e.objective, e.assessment, e.plan, e.weight_kg,
    e.temperature_c, e.heart_rate, e.respiratory_rate, e.body_condition, e.pain, e.mucous_membranes,
    e.capillary_refill_seconds, e.signed_at, e.signed_by, e.signer_name, e.registration_number, e.digest, e.voided_at,
    {_writer("e.voided_by")} AS voided_by, e.void_reason, e.version,
    (SELECT coalesce(json_agg(json_build_object('problem_id', d.problem_id, 'name', coalesce(d.name, ''),
        'status', d.status, 'certainty', d.certainty) ORDER BY d.at, d.id), '[]')
     FROM (SELECT DISTINCT ON (c.problem_id) c.* FROM problem_changes c
        WHERE c.clinic_id = e.clinic_id AND c.encounter_id = e.id ORDER BY c.problem_id, c.at DESC, c.id DESC) d
    ) AS diagnoses,
    (SELECT coalesce(json_agg(json_build_object('id', a.id, 'text', coalesce(a.text, ''), 'added_at',
        {_instant("a.added_at")}, 'by', json_build_object('member_id', a.member_id, 'name', a.author_name,
        'registration_number', a.registration_number)) ORDER BY a.added_at, a.id), '[]')
     FROM addenda a WHERE a.clinic_id = e.clinic_id AND a.encounter_id = e.id) AS addenda,
    (SELECT coalesce(json_agg(json_build_object('id', n.id, 'written_from', n.written_from, 'set_aside_at',
        {_instant("n.set_aside_at")}, 'by', {_writer("n.member_id")}, 'note', json_build_object('subjective',
        n.subjective, 'objective', n.objective, 'assessment', n.assessment, 'plan', n.plan))
        ORDER BY n.set_aside_at, n.id), '[]')
     FROM set_aside_notes n WHERE n.clinic_id = e.clinic_id AND n.encounter_id = e.id AND n.dismissed_at IS NULL
    ) AS set_aside,
    (SELECT coalesce(json_agg(json_build_object('kind', t.kind, 'id', t.id, 'title', t.title, 'voided', t.voided)
        ORDER BY t.at, t.id), '[]') FROM (
        SELECT 'immunization' AS kind, i.id, i.vaccine AS title, i.voided_at IS NOT NULL AS voided, i.recorded_at AS at
        FROM immunizations i WHERE i.clinic_id = e.clinic_id AND i.patient_id = e.patient_id AND i.encounter_id = e.id
        UNION ALL SELECT 'deworming', i.id, i.product, i.voided_at IS NOT NULL, i.recorded_at
        FROM dewormings i WHERE i.clinic_id = e.clinic_id AND i.patient_id = e.patient_id AND i.encounter_id = e.id
        UNION ALL SELECT 'prescription', i.id, (SELECT string_agg(d.drug, ', ' ORDER BY d.position)
            FROM prescription_items d WHERE d.clinic_id = i.clinic_id AND d.prescription_id = i.id),
            i.voided_at IS NOT NULL, i.issued_at
        FROM prescriptions i WHERE i.clinic_id = e.clinic_id AND i.patient_id = e.patient_id AND i.encounter_id = e.id
    ) t) AS treatments
FROM encounters e JOIN patients p ON p.clinic_id = e.clinic_id AND p.id = e.patient_id
WHERE e.id = $1
"""  # noqa: S608 -- parts of ours

_ENCOUNTERS = f"""
SELECT e.id, e.patient_id, p.name AS patient_name, p.species, e.appointment_id, {STATE} AS state, e.reason,
    e.started_at, {_writer("e.opened_by")} AS opened_by, e.version
FROM encounters e JOIN patients p ON p.clinic_id = e.clinic_id AND p.id = e.patient_id
WHERE (e.started_at, e.id) < ($1, $2) AND ($3::uuid IS NULL OR e.patient_id = $3)
    AND ($6::uuid IS NULL OR e.appointment_id = $6) AND (NOT $4 OR (e.signed_at IS NULL AND e.voided_at IS NULL))
ORDER BY e.started_at DESC, e.id DESC LIMIT $5
"""  # noqa: S608 -- parts of ours

_CHANGES = f"""
(SELECT coalesce(json_agg(json_build_object('at', {_instant("e.at")}, 'by', {_writer("e.member_id")}, 'encounter_id',
    e.encounter_id, 'name', coalesce(e.name, ''), 'status', e.status, 'certainty', e.certainty, 'onset_on', e.onset_on,
    'resolved_on', e.resolved_on) ORDER BY e.at, e.id), '[]')
 FROM problem_changes e WHERE e.clinic_id = p.clinic_id AND e.problem_id = p.id) AS changes
"""  # noqa: S608 -- parts of ours

_PROBLEM = (
    f"p.id, p.patient_id, p.name, p.status, p.certainty, p.onset_on, p.resolved_on, p.created_at, p.version, {_CHANGES}"
)

_CHART = """
SELECT p.species, p.birth_date, p.deceased_on, w.weight_kg, w.at FROM patients p
LEFT JOIN LATERAL (
    (SELECT e.weight_kg, e.started_at AS at FROM encounters e
     WHERE e.clinic_id = p.clinic_id AND e.patient_id = p.id AND e.started_at < $2 AND e.weight_kg IS NOT NULL
        AND e.voided_at IS NULL AND e.id IS DISTINCT FROM $3 ORDER BY e.started_at DESC LIMIT 1)
    UNION ALL
    (SELECT s.weight_kg, s.weighed_at FROM weights s
     WHERE s.clinic_id = p.clinic_id AND s.patient_id = p.id AND s.weighed_at < $2 AND s.voided_at IS NULL
     ORDER BY s.weighed_at DESC LIMIT 1)
    ORDER BY at DESC LIMIT 1
) w ON true
WHERE p.id = $1
"""

# Each part is read along its own index and cut to the page before they are put together.
_WEIGHTS = """
SELECT w.* FROM patients p LEFT JOIN LATERAL (
    (SELECT e.id, e.weight_kg, e.started_at AS at, e.id AS encounter_id FROM encounters e
     WHERE e.clinic_id = p.clinic_id AND e.patient_id = p.id AND (e.started_at, e.id) < ($2, $3)
        AND e.weight_kg IS NOT NULL AND e.voided_at IS NULL ORDER BY e.started_at DESC, e.id DESC LIMIT $4)
    UNION ALL
    (SELECT s.id, s.weight_kg, s.weighed_at, NULL FROM weights s
     WHERE s.clinic_id = p.clinic_id AND s.patient_id = p.id AND (s.weighed_at, s.id) < ($2, $3)
        AND s.voided_at IS NULL ORDER BY s.weighed_at DESC, s.id DESC LIMIT $4)
    ORDER BY at DESC, id DESC LIMIT $4
) w ON true
WHERE p.id = $1 ORDER BY w.at DESC, w.id DESC
"""


def _timeline_part(kind: str, columns: str, table: str, at: str, only: str = "") -> str:
    return (
        f"(SELECT '{kind}' AS kind, e.id, e.{at} AS at, {columns} FROM {table} e"  # noqa: S608 -- our names
        f" WHERE '{kind}' = ANY($5) AND e.clinic_id = p.clinic_id AND e.patient_id = p.id"
        f"{only} AND (e.{at}, e.id) < ($2, $3) ORDER BY e.{at} DESC, e.id DESC LIMIT $4)"
    )


TIMELINE: dict[TimelineKind, str] = {
    "encounter": _timeline_part(
        "encounter",
        f"e.reason AS title, {STATE} AS detail, e.weight_kg, coalesce(e.signed_by, e.opened_by) AS member_id,"
        " e.id AS encounter_id, e.voided_at IS NOT NULL AS voided",
        "encounters",
        "started_at",
    ),
    "immunization": _timeline_part(
        "immunization",
        "e.vaccine AS title, e.lot_number AS detail, NULL::numeric, e.vet_id, e.encounter_id, e.voided_at IS NOT NULL",
        "immunizations",
        "administered_at",
    ),
    "deworming": _timeline_part(
        "deworming",
        "e.product AS title, e.target AS detail, e.weight_kg, e.vet_id, e.encounter_id, e.voided_at IS NOT NULL",
        "dewormings",
        "administered_at",
    ),
    "prescription": _timeline_part(
        "prescription",
        "(SELECT string_agg(i.drug, ', ' ORDER BY i.position) FROM prescription_items i"
        " WHERE i.clinic_id = e.clinic_id AND i.prescription_id = e.id) AS title,"
        " NULL AS detail, NULL::numeric, e.vet_id, e.encounter_id, e.voided_at IS NOT NULL",
        "prescriptions",
        "issued_at",
    ),
    "allergy": _timeline_part(
        "allergy",
        "e.substance AS title, e.severity AS detail, NULL::numeric, e.noted_by, NULL::uuid, e.voided_at IS NOT NULL",
        "allergies",
        "noted_at",
    ),
    "weight": _timeline_part(
        "weight",
        "'' AS title, NULL AS detail, e.weight_kg, e.weighed_by, NULL::uuid, e.voided_at IS NOT NULL",
        "weights",
        "weighed_at",
    ),
    "problem": _timeline_part(
        "problem",
        "e.name AS title, e.status AS detail, NULL::numeric,"
        " (SELECT c.member_id FROM problem_changes c WHERE c.clinic_id = e.clinic_id AND c.problem_id = e.id"
        " ORDER BY c.at, c.id LIMIT 1),"
        " (SELECT c.encounter_id FROM problem_changes c WHERE c.clinic_id = e.clinic_id AND c.problem_id = e.id"
        " ORDER BY c.at, c.id LIMIT 1), false",
        "problems",
        "created_at",
    ),
    "attachment": _timeline_part(
        "attachment",
        "coalesce(e.file_name, '') AS title, CASE WHEN e.placeholder IS NULL THEN 'pdf' ELSE 'picture' END AS detail,"
        " NULL::numeric, e.uploaded_by, e.encounter_id, e.voided_at IS NOT NULL",
        "media",
        "created_at",
        " AND e.purpose = 'attachment' AND e.status = 'ready' AND e.removed_at IS NULL",
    ),
}
"""What each kind of entry is read from; every table has an index by patient, moment and id."""

_TIMELINE = f"""
SELECT t.kind, t.id, t.at, t.title, t.detail, t.weight_kg, {MEMBER_NAME} AS by,
    t.encounter_id, t.voided
FROM patients p
LEFT JOIN LATERAL ({" UNION ALL ".join(TIMELINE.values())} ORDER BY at DESC, id DESC LIMIT $4) t ON true
LEFT JOIN members m ON m.clinic_id = p.clinic_id AND m.id = t.member_id
LEFT JOIN users u ON u.id = m.user_id
WHERE p.id = $1 ORDER BY t.at DESC, t.id DESC
"""  # noqa: S608 -- parts of ours


class SignersOnPostgres:
    """Members as what they write names them."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def signer(self, member_id: MemberId) -> Signer:
        rows = await self._work.fetch(
            f"SELECT {MEMBER_NAME} AS name, m.registration_number"  # noqa: S608 -- our names
            " FROM members m JOIN users u ON u.id = m.user_id WHERE m.id = $1",
            member_id,
        )
        if not rows:
            raise NotFound
        return Signer(*rows[0].values())


class ChartsOnPostgres:
    """Patients as exams compare with them."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def chart(self, patient_id: UUID, before: datetime, *, but: UUID | None = None) -> Chart:
        rows = await self._work.fetch(_CHART, patient_id, before, but)
        if not rows:
            raise NotFound
        return Chart(*rows[0].values())


class NotesAsideOnPostgres:
    """Texts that lost a race."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work
        self._rows = Rows(work.session, SetAside)

    async def put(self, note: SetAside) -> UUID:
        [kept] = await self._work.fetch(
            "INSERT INTO set_aside_notes (clinic_id, id, encounter_id, member_id, written_from, subjective, objective,"
            " assessment, plan, digest, set_aside_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            " ON CONFLICT (clinic_id, encounter_id, digest) WHERE dismissed_at IS NULL"
            " DO UPDATE SET dismissed_at = NULL"
            " RETURNING id",
            note.clinic_id,
            note.id,
            note.encounter_id,
            note.member_id,
            note.written_from,
            note.subjective,
            note.objective,
            note.assessment,
            note.plan,
            note.digest,
            note.set_aside_at,
        )
        found: UUID = kept["id"]
        return found

    async def lock(self, note_id: UUID) -> SetAside:
        return await self._rows.lock(note_id)


class RecordReadsOnPostgres:
    """The clinical record as readers see it, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def encounter(self, encounter_id: UUID) -> EncounterView:
        rows = await self._work.fetch(_ENCOUNTER, encounter_id)
        if not rows:
            raise NotFound
        return _encounter_view(rows[0])

    async def encounters(
        self, page: PageRequest, patient_id: UUID | None, appointment_id: UUID | None, *, unsigned: bool
    ) -> Page[EncounterSummary]:
        last = after(page, tuple[datetime, UUID]) or (NEWEST, LAST)
        rows = await self._work.fetch(_ENCOUNTERS, *last, patient_id, unsigned, page.limit + 1, appointment_id)
        return page_of(rows, page, _summary, lambda row: (row["started_at"], row["id"]))

    async def problem(self, problem_id: UUID) -> ProblemView:
        rows = await self._work.fetch(f"SELECT {_PROBLEM} FROM problems p WHERE p.id = $1", problem_id)  # noqa: S608 -- parts of ours
        if not rows:
            raise NotFound
        return _problem_view(rows[0])

    async def problems(self, page: PageRequest, patient_id: UUID) -> Page[ProblemView]:
        last = after(page, tuple[bool, datetime, UUID]) or (True, NEWEST, LAST)
        rows = await self._work.fetch(
            f"SELECT l.* FROM patients a LEFT JOIN LATERAL (SELECT {_PROBLEM} FROM problems p"  # noqa: S608 -- parts of ours
            " WHERE p.clinic_id = a.clinic_id AND p.patient_id = a.id"
            " AND (p.status = 'active', p.created_at, p.id) < ($2, $3, $4)"
            " ORDER BY p.status = 'active' DESC, p.created_at DESC, p.id DESC LIMIT $5) l ON true WHERE a.id = $1"
            " ORDER BY l.status = 'active' DESC, l.created_at DESC, l.id DESC",
            patient_id,
            *last,
            page.limit + 1,
        )
        return page_of(
            _of_patient(rows),
            page,
            _problem_view,
            lambda row: (row["status"] == "active", row["created_at"], row["id"]),
        )

    async def templates(self, page: PageRequest, *, retired: bool) -> Page[NoteTemplateView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._work.fetch(
            "SELECT id, name, species, reason, subjective, objective, assessment, plan, active, version"
            " FROM note_templates WHERE active <> $4 AND (name, id) > ($1, $2) ORDER BY name, id LIMIT $3",
            *last,
            page.limit + 1,
            retired,
        )
        return page_of(rows, page, _template_view, lambda row: (row["name"], row["id"]))

    async def timeline(
        self, page: PageRequest, patient_id: UUID, kinds: frozenset[TimelineKind]
    ) -> Page[TimelineEntry]:
        last = after(page, tuple[datetime, UUID]) or (NEWEST, LAST)
        rows = await self._work.fetch(_TIMELINE, patient_id, *last, page.limit + 1, sorted(kinds))
        return page_of(_of_patient(rows), page, _entry, lambda row: (row["at"], row["id"]))

    async def weights(self, page: PageRequest, patient_id: UUID) -> Page[WeightView]:
        last = after(page, tuple[datetime, UUID]) or (NEWEST, LAST)
        rows = await self._work.fetch(_WEIGHTS, patient_id, *last, page.limit + 1)

        def view(row: asyncpg.Record) -> WeightView:
            return WeightView(row["id"], patient_id, float(row["weight_kg"]), row["at"], row["encounter_id"])

        return page_of(_of_patient(rows), page, view, lambda row: (row["at"], row["id"]))


def _of_patient(rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
    """The rows of a patient's list, who is there even where it has none. Raises NotFound where there is no patient."""
    if not rows:
        raise NotFound
    return [row for row in rows if row["id"] is not None]


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _patient(row: asyncpg.Record) -> PatientRef:
    return PatientRef(row["patient_id"], row["patient_name"], row["species"])


def _ref(found: Any) -> WriterRef | None:
    return None if found is None else msgspec.convert(found, type=WriterRef)


def _summary(row: asyncpg.Record) -> EncounterSummary:
    return EncounterSummary(
        row["id"],
        _patient(row),
        row["appointment_id"],
        row["state"],
        row["reason"],
        row["started_at"],
        _ref(row["opened_by"]),
        row["version"],
    )


def _encounter_view(row: asyncpg.Record) -> EncounterView:
    signature = voided = None
    if row["signed_at"] is not None:
        by = WriterRef(row["signed_by"], row["signer_name"], row["registration_number"])
        signature = SignatureView(row["signed_at"], by, row["digest"].hex())
    if row["voided_at"] is not None:
        voided = VoidedView(row["voided_at"], _ref(row["voided_by"]), row["void_reason"])
    return EncounterView(
        id=row["id"],
        patient=_patient(row),
        appointment_id=row["appointment_id"],
        state=row["state"],
        reason=row["reason"],
        started_at=row["started_at"],
        opened_by=_ref(row["opened_by"]),
        note=NoteView(row["subjective"], row["objective"], row["assessment"], row["plan"]),
        vitals=VitalsView(
            _number(row["weight_kg"]),
            _number(row["temperature_c"]),
            row["heart_rate"],
            row["respiratory_rate"],
            row["body_condition"],
            row["pain"],
            row["mucous_membranes"],
            _number(row["capillary_refill_seconds"]),
        ),
        diagnoses=msgspec.convert(row["diagnoses"], type=list[DiagnosisView]),
        signature=signature,
        addenda=msgspec.convert(row["addenda"], type=list[AddendumView]),
        treatments=msgspec.convert(row["treatments"], type=list[TreatmentRef]),
        set_aside=msgspec.convert(row["set_aside"], type=list[SetAsideView]),
        voided=voided,
        version=row["version"],
    )


def _problem_view(row: asyncpg.Record) -> ProblemView:
    found = dict(row)
    found["changes"] = msgspec.convert(found["changes"], type=list[ProblemChangeView])
    return ProblemView(**found)


def _template_view(row: asyncpg.Record) -> NoteTemplateView:
    note = NoteView(row["subjective"], row["objective"], row["assessment"], row["plan"])
    return NoteTemplateView(
        row["id"], row["name"], row["species"], row["reason"], note, active=row["active"], version=row["version"]
    )


def _entry(row: asyncpg.Record) -> TimelineEntry:
    found = dict(row)
    found["weight_kg"] = _number(found["weight_kg"])
    return TimelineEntry(**found)
