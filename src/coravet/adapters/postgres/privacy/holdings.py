"""All that a clinic holds on one client, as the application's role sees it at one moment."""

from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Column, Integer, Table
from sqlalchemy.dialects.postgresql import BYTEA

from coravet.adapters.postgres.exchange.dump import FILES_OF, HIDDEN, described
from coravet.adapters.postgres.privacy.subject import RELATES, SUBJECT, find_subject, rows_of
from coravet.adapters.postgres.schema import Instant
from coravet.adapters.postgres.tables import metadata
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.exchange.ports import KeptFile, TableColumn
from coravet.core.media.keys import Key
from coravet.core.privacy.ports import Held, HeldTable

KEPT_BACK = {
    "erasures": "somebody who was erased is handed nothing any more",
    "withheld": "as erasures",
    "allocations": "which time of its vets and rooms the clinic set apart; the visit says when it is",
    "holds": "as allocations, for a while; the waitlist says what was offered",
    "links": "hashes of what was sent so that one may act without signing in",
    "media_variants": "where pictures and files lie; they themselves are in the archive",
    "search_words": "the words of other tables once more, to be searched by",
}
"""Tables with rows about a client that are not handed to them, and why."""

NOT_SHOWN = {
    "acceptance_evidence.key": "proves an entry of the log; whoever has it could forge one",
    "acceptances.previous": "the log's own chain",
    "acceptances.hash": "as acceptances.previous",
    "acceptances.commitment": "as acceptances.previous",
    "appointments.lane": "how the agenda is drawn",
    "client_merges.moved": "ids of rows, which stand in their tables",
    "encounters.editor_id": "which screen wrote last",
    "encounters.editor_sequences": "as encounters.editor_id",
    "encounters.editor_base": "as encounters.editor_id",
    "import_rows.chips": "what `animals` says, to be compared by",
    "import_rows.document": "what `person` says, to be compared by",
    "import_rows.further_phones": "as import_rows.document",
    "import_rows.phone": "as import_rows.document",
    "import_rows.first_row": "where else the list named the same person",
    "messages.attempts": "how sending it was tried",
    "messages.not_before": "as messages.attempts",
    "privacy_requests.due_day_at": "when the clinic's own people are reminded",
    "privacy_requests.reminded": "as privacy_requests.due_day_at",
    "privacy_requests.soon_at": "as privacy_requests.due_day_at",
    "set_aside_notes.written_from": "which version of the note it was written from",
    "waitlist.refused": "ids of times that were offered",
    "waitlist.hold_id": "as waitlist.refused",
}
"""Columns that are not handed over besides secrets, hashes and who of the clinic did it, and why."""

INFERRED = {
    "dewormings.due_days": "reckoned by the clinic's protocol",
    "dewormings.next_due_on": "as dewormings.due_days, where the vet named no day",
    "immunizations.due_days": "as dewormings.due_days",
    "immunizations.next_due_on": "as dewormings.next_due_on",
    "import_rows.known": "whom a row of a list was taken for",
    "import_rows.known_as": "as import_rows.known",
    "import_rows.outcome": "as import_rows.known",
    "import_rows.problems": "what was odd about the row",
    "import_rows.seen": "as import_rows.known",
    "import_rows.warned": "as import_rows.problems",
    "patients.breed_code": "which breed was meant by what was written",
}
"""What the clinic or the service concluded by itself, and from what. It is told for access (LOPDP art. 13), but apart
from what is portable, which goes without inferred data (art. 17)."""

INFERRED_ROWS = {"recalls": "recalls.source_id IS NOT NULL"}
"""Rows that are such conclusions as a whole: a recall that follows a dose was reckoned by the protocol."""

STANDING = {"client_merges": "client_merges.undone_at IS NULL"}
"""Which rows alone are handed over: a merge that was undone was somebody else after all."""

_THEN = (
    "(NOT EXISTS (SELECT FROM times WHERE times.patient_id = {0}.patient_id) OR EXISTS (SELECT FROM times"
    " WHERE times.patient_id = {0}.patient_id AND {0}.created_at >= times.begins AND {0}.created_at < times.ends))"
)
_SHOWN = {
    # A visit or wish may be handed over with its patient; what the former owner wrote on it is theirs.
    "appointments.reason": f"CASE WHEN {_THEN.format('appointments')} THEN appointments.reason END",
    "waitlist.note": f"CASE WHEN {_THEN.format('waitlist')} THEN waitlist.note END",
    "appointment_transitions.reason": (
        "CASE WHEN EXISTS (SELECT FROM appointments v WHERE v.clinic_id = $1 AND"
        " v.id = appointment_transitions.appointment_id AND (NOT EXISTS (SELECT FROM times WHERE times.patient_id ="
        " v.patient_id) OR EXISTS (SELECT FROM times WHERE times.patient_id = v.patient_id AND"
        " appointment_transitions.at >= times.begins AND appointment_transitions.at < times.ends)))"
        " THEN appointment_transitions.reason END"
    ),
    # What became of it at somebody else's is not theirs to know.
    "patients.deceased_on": (
        "CASE WHEN EXISTS (SELECT FROM times WHERE times.patient_id = patients.id AND times.ends = 'infinity')"
        " THEN patients.deceased_on END"
    ),
}
_NAMES = {
    "service_id": ("service", "(SELECT s.name FROM services s WHERE s.clinic_id = $1 AND s.id = {0}.service_id)"),
}
"""What stands beside an id that leads to no table of the export."""

_decoded = msgspec.json.Decoder(list[dict[str, Any]]).decode


def handed_over() -> list[Table]:
    """The tables, by name."""
    return [metadata.tables[name] for name in sorted(set(RELATES) - set(KEPT_BACK))]


def shown(table: Table) -> list[Column[Any]]:
    """The columns of a table that are handed over: no secrets, and nobody who works at the clinic."""
    return [column for column in table.columns if not _withheld(table, column)]


def _withheld(table: Table, column: Column[Any]) -> bool:
    name = f"{table.name}.{column.name}"
    staff = {str(key.column.table.name) for key in column.foreign_keys} & {"members", "users"}
    return (
        column.name in {"clinic_id", "erased_at"}
        or (column.name == "version" and isinstance(column.type, Integer))  # how often it changed
        or name in HIDDEN
        or name in NOT_SHOWN
        or isinstance(column.type, BYTEA)
        or bool(staff)
    )


def _selected(table: Table) -> str:
    """One statement's part: the subject's rows of a table as JSON."""
    parts = []
    for column in shown(table):
        name = f"{table.name}.{column.name}"
        value = _SHOWN.get(name, f'{table.name}."{column.name}"')
        if column.type is Instant:
            value = f"""to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        parts.append(f'{value} AS "{column.name}"')
    parts += [
        f"{sql.format(table.name)} AS {name}" for column, (name, sql) in _NAMES.items() if column in table.columns
    ]
    if table.name in INFERRED_ROWS:
        parts.append(f'{INFERRED_ROWS[table.name]} AS "~"')
    keys = ", ".join(f'{table.name}."{column.name}"' for column in table.primary_key)
    alone = f" AND {STANDING[table.name]}" if table.name in STANDING else ""
    rows = f"SELECT {', '.join(parts)} FROM {table.name} WHERE {rows_of(table.name)}{alone} ORDER BY {keys}"  # noqa: S608 -- the metadata's own names
    return f"SELECT '{table.name}' AS name, (SELECT json_agg(r)::text FROM ({rows}) r) AS rows"  # noqa: S608 -- as above


@cache
def _statement() -> str:
    return SUBJECT + " UNION ALL ".join(_selected(table) for table in handed_over())


@cache
def _described(table: Table) -> list[TableColumn]:
    return [described(table, column) for column in shown(table)]


class HoldingsOnPostgres:
    """The `Holdings` port: a few statements, however much there is."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def freeze(self) -> None:
        await self._work.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    async def of(self, client_id: UUID) -> Held:
        subject = await find_subject(self._work, client_id)
        found = await self._work.fetch(_statement(), *subject.arguments())
        rows = {row["name"]: _decoded(row["rows"]) if row["rows"] else [] for row in found}
        [clinic] = await self._work.fetch("SELECT name FROM clinics WHERE id = $1", subject.clinic_id)
        files = await self._work.fetch(SUBJECT + FILES_OF.format(rows_of("media")), *subject.arguments())
        return Held(
            clinic["name"],
            subject.clients[0],
            [_held(table, rows[str(table.name)]) for table in handed_over()],
            [KeptFile(row["media_id"], Key(row["key"]), row["media_type"]) for row in files],
        )


def _held(table: Table, rows: list[dict[str, Any]]) -> HeldTable:
    concluded = [row for row in rows if row.pop("~", False)]
    return HeldTable(
        name=str(table.name),
        columns=_described(table),
        keys=[str(column.name) for column in table.primary_key if column.name != "clinic_id"],
        inferred=[str(column.name) for column in shown(table) if f"{table.name}.{column.name}" in INFERRED],
        rows=[row for row in rows if row not in concluded] if concluded else rows,
        inferred_rows=concluded,
    )
