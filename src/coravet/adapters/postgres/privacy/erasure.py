"""Taking a person out of every table, driven by what each column says of them and how its table relates to them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import Column, Table, Text

from coravet.adapters.postgres.patients.tables import FOLDED
from coravet.adapters.postgres.privacy.subject import FREE, RELATES, SUBJECT, Subject, Through, Time, rows_of
from coravet.adapters.postgres.schema import metadata
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.text import fold
from coravet.core.patients.errors import ClientMerged
from coravet.core.privacy.erasure_ports import ERASED, Begun, Cuts, Erased, Person
from coravet.core.privacy.erasure_views import Category, Certificate

OF_MEMBERS = {
    "addenda": {"author_name", "registration_number"},
    "dewormings": {"vet_name", "registration_number"},
    "encounters": {"signer_name", "registration_number"},
    "immunizations": {"vet_name", "registration_number"},
    "prescriptions": {"vet_name", "registration_number"},
}
"""Columns in a client's rows that tell of who works in the clinic."""

HELD_AS: dict[str, Category | None] = {
    "acceptance_evidence": "acceptances",
    "addenda": "clinical_record",
    "alerts": "clinical_record",
    "allergies": "clinical_record",
    "appointment_transitions": "appointments",
    "appointments": "appointments",
    "clients": "identity",
    "consents": "acceptances",
    "contacts": "identity",
    "dewormings": "clinical_record",
    "documents": "clinical_record",
    "encounters": "clinical_record",
    "guest_requests": "guest_requests",
    "identifiers": "clinical_record",
    "immunizations": "clinical_record",
    "import_rows": None,
    "media": "clinical_record",
    "media_variants": "clinical_record",
    "patients": "clinical_record",
    "prescription_items": "clinical_record",
    "prescriptions": "clinical_record",
    "privacy_request_steps": "rights_requests",
    "privacy_requests": "rights_requests",
    "problem_changes": "clinical_record",
    "problems": "clinical_record",
    "recalls": "messages",
    "search_words": None,
    "set_aside_notes": "clinical_record",
    "waitlist": "appointments",
    "weights": "clinical_record",
    "withheld": None,
}
"""Which rule of retention may hold a table's texts back; None where it would hold the same twice."""

HELD_ONLY = {
    # A portrait is no part of the record. What was attached to it stays in the store while its key is withheld.
    "media_variants": "EXISTS (SELECT FROM media m WHERE m.clinic_id = media_variants.clinic_id"
    " AND m.id = media_variants.media_id AND m.purpose = 'attachment')",
}
"""Which rows of a table a rule may hold back, where it is not all."""

OF_CLINIC = ("closures", "exceptions", "note_templates")
"""What a clinic writes for itself, where somebody may be named all the same."""

NOTED = {"contacts": ["label"]}
"""What is noted in rows that are another person's, and may name the one who is erased."""

_WORD = f"'{ERASED}'"
REPLACEMENTS = {
    "clients.family_name": "''",
    "clients.search_key": "''",
    "guest_requests.family_name": "''",
    "guest_requests.phone": "''",
    "identifiers.value_key": "'000000000000000'",  # a chip has fifteen digits
    "patients.birth_date": "date_trunc('year', birth_date)::date",
    "patients.birth_date_precision": "CASE WHEN birth_date IS NOT NULL THEN 'year' END",
    "patients.search_key": "''",
    # A draft of an erased animal is closed as an error is, so that nobody writes on.
    "encounters.void_reason": f"CASE WHEN signed_at IS NULL OR voided_at IS NOT NULL THEN {_WORD} END",
}
"""What stands for a value where the word `[eliminado]` cannot, or would be found."""

_NOW = "(SELECT now FROM at)"
_STOPPED = "status IN ('planned', 'waiting')"
ENDS = {
    "clients": {"erased_at": _NOW, "version": "version + 1"},
    "encounters": {"voided_at": f"CASE WHEN signed_at IS NULL THEN coalesce(voided_at, {_NOW}) ELSE voided_at END"},
    "identifiers": {"until": f"coalesce(until, greatest(since, {_NOW}))"},
    "links": {"revoked_at": f"coalesce(revoked_at, {_NOW})"},
    "media": {"removed_at": f"coalesce(removed_at, {_NOW})"},
    "messages": {
        "status": f"CASE WHEN {_STOPPED} THEN 'skipped' ELSE status END",
        "why": f"CASE WHEN {_STOPPED} THEN 'client_erased' ELSE why END",
        "not_before": f"CASE WHEN {_STOPPED} THEN NULL ELSE not_before END",
    },
    "patients": {"erased_at": _NOW, "version": "version + 1"},
    "recalls": {"closed_at": f"coalesce(closed_at, {_NOW})"},
}
"""What ends with the person, beside what is said of them."""

# Visits before what hangs on them, as others lock them.
_FIRST = ("appointments", "waitlist", "encounters")

# In this order: the second leads to the first.
_FORMS = ("acceptance_evidence", "guest_requests")

_THEIR_PATIENTS = """
SELECT p.id FROM patients p WHERE p.id IN (
    SELECT o.patient_id FROM parties o JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
    WHERE c.id = $1 OR c.merged_into_id = $1
) ORDER BY p.id FOR UPDATE
"""
# Stronger than who writes of them needs, so that whoever does is waited for, or waits and finds them erased. Whom
# somebody merged into them meanwhile only the next statement sees; once the client is locked nobody else is.
_THEM = """
SELECT id, version, merged_into_id, erased_at, given_name, family_name, document_number, phone, email, address,
       created_at
FROM clients WHERE id = $1 OR merged_into_id = $1 ORDER BY id FOR UPDATE
"""
_OWNS = "role IN ('owner', 'co_owner') AND {0}.until IS NULL"
_ANIMALS = f"""
SELECT p.id, p.name, p.erased_at IS NOT NULL AS erased,
       EXISTS (SELECT FROM parties o WHERE o.clinic_id = p.clinic_id AND o.patient_id = p.id
               AND o.client_id = ANY ($1) AND o.{_OWNS.format("o")}) AS theirs,
       EXISTS (SELECT FROM parties o JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
               WHERE o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.client_id <> ALL ($1)
               AND c.erased_at IS NULL AND c.deceased_on IS NULL AND o.{_OWNS.format("o")}) AS kept,
       ARRAY(SELECT c.given_name || ' ' || c.family_name FROM parties o
             JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
             WHERE o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.client_id <> ALL ($1)) AS others
FROM patients p WHERE p.id IN (SELECT patient_id FROM parties WHERE client_id = ANY ($1))
"""  # noqa: S608 -- our own words
# When others had an animal that is erased; while they are known its record of that time stays theirs. Who has one after
# somebody else has it from that day on, the first ones ever since.
_OF_OTHERS = """
SELECT o.patient_id,
       (SELECT max(f.until) FROM parties f
        WHERE f.clinic_id = o.clinic_id AND f.patient_id = o.patient_id AND f.role = 'owner' AND f.until <= o.since
          AND f.client_id <> o.client_id) AS begins,
       o.until AS ends
FROM parties o JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
WHERE o.patient_id = ANY ($2) AND o.client_id <> ALL ($1) AND o.role IN ('owner', 'co_owner') AND c.erased_at IS NULL
"""
_CLOSE_DRAFTS = f"""
UPDATE encounters SET voided_at = $3, void_reason = {_WORD}
WHERE clinic_id = $1 AND patient_id = ANY ($2) AND signed_at IS NULL AND voided_at IS NULL
"""  # noqa: S608 -- our own words
_WITHHOLD = """
INSERT INTO withheld AS w (clinic_id, erasure_id, table_name, row_id, category, content, until)
SELECT $1, $2, $3, x.id, $4, x.content, $5 FROM unnest($6::uuid[], $7::jsonb[]) AS x (id, content)
ON CONFLICT (clinic_id, erasure_id, table_name, row_id) DO UPDATE SET content = excluded.content || w.content
RETURNING xmax = 0 AS anew
"""
_DEALT = f"""
{SUBJECT}
SELECT (SELECT greatest(max(a.starts_at), (SELECT max(e.started_at) FROM encounters e
            WHERE e.clinic_id = $1 AND e.patient_id = ANY ($3)))
        FROM appointments a WHERE a.clinic_id = $1 AND a.client_id = ANY ($2) AND a.starts_at <= ${FREE}
        AND a.status NOT IN ('cancelled', 'no_show')) AS last_dealt,
       EXISTS (SELECT FROM appointments a WHERE a.clinic_id = $1
               AND (a.client_id = ANY ($2) OR a.patient_id = ANY ($3))
               AND a.status IN ('checked_in', 'in_exam', 'ready')) AS under_way
"""  # noqa: S608 -- our own words
_NAMESAKES = """
SELECT given_name, family_name FROM clients
WHERE clinic_id = $1 AND id <> ALL ($2) AND erased_at IS NULL AND name_key LIKE ANY ($3)
"""
_CONTACTS = f"{SUBJECT} SELECT kind, value FROM contacts WHERE {rows_of('contacts')}"  # noqa: S608 -- our own words
_GUESTS = f"""
{SUBJECT} SELECT given_name, family_name, phone, email FROM guest_requests WHERE {rows_of("guest_requests")}
"""  # noqa: S608 -- our own words
# As a row was read, with all that was noted of it.
_ROW_NAMES = (
    "(r.client_id = ANY ($2) OR r.document = ANY ($3) OR r.phone = ANY ($4) OR r.further_phones && $4 OR "
    + FOLDED.format("concat_ws(' ', r.person, r.animals, r.problems, r.known_as, r.seen)")
    + " LIKE ANY ($5))"
)
# A file that was not read to its end may hold anybody.
_MAY_NAME = f"""
i.clinic_id = $1 AND (i.status IN ('checking', 'applying') OR i.status = 'uploading' AND i.received > 0
    OR i.status = 'checked' AND EXISTS (SELECT FROM import_rows r
        WHERE r.clinic_id = i.clinic_id AND r.import_id = i.id AND {_ROW_NAMES}))
"""
_UNFINISHED = f"SELECT i.id FROM imports i WHERE {_MAY_NAME}"  # noqa: S608 -- our own words
_END_IMPORTS = f"UPDATE imports i SET status = 'failed' WHERE {_MAY_NAME}"  # noqa: S608 -- our own words
_ROWS = f"DELETE FROM import_rows r WHERE r.clinic_id = $1 AND {_ROW_NAMES}"  # noqa: S608 -- our own words
_FILES = (
    "DELETE FROM import_parts t USING imports i WHERE i.clinic_id = $1 AND t.clinic_id = i.clinic_id"
    " AND t.import_id = i.id AND i.status NOT IN ('uploading', 'checking', 'checked', 'applying')"
)
_IMPORT_NAMES = (
    f"UPDATE imports SET file_name = {_WORD}, layout = NULL, problem = NULL WHERE clinic_id = $1 AND "  # noqa: S608 -- our own words
    + FOLDED.format("concat_ws(' ', file_name, layout, problem)")
    + " LIKE ANY ($2)"
)
_ANSWERS = (
    "DELETE FROM idempotency_keys WHERE clinic_id = $1 AND answer IS NOT NULL AND "  # noqa: S608 -- our own words
    + FOLDED.format("convert_from(answer, 'UTF8')")
    + " LIKE ANY ($2)"
)
# An animal that nobody else keeps yet, in a backup from before, stays with the erased owner until it is transferred.
_END_PARTIES = """
UPDATE parties p SET until = greatest(p.since, $4)
WHERE p.clinic_id = $1 AND p.client_id = ANY ($2) AND p.patient_id = ANY ($3) AND p.until IS NULL
  AND (p.role <> 'owner' OR EXISTS (
    SELECT FROM parties o JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
    WHERE o.clinic_id = $1 AND o.patient_id = p.patient_id AND o.client_id <> ALL ($2) AND o.role = 'co_owner'
      AND o.until IS NULL AND c.erased_at IS NULL AND c.deceased_on IS NULL
  ))
RETURNING p.patient_id, p.role
"""
_HEIRS = """
UPDATE parties k SET role = 'owner' FROM (
    SELECT DISTINCT ON (o.patient_id) o.id FROM parties o
    JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
    WHERE o.clinic_id = $1 AND o.patient_id = ANY ($2) AND o.role = 'co_owner' AND o.until IS NULL
      AND c.erased_at IS NULL AND c.deceased_on IS NULL
    ORDER BY o.patient_id, o.since, o.id
) heir WHERE k.clinic_id = $1 AND k.id = heir.id
RETURNING k.patient_id, k.client_id
"""
_PLAIN: dict[str, str] = {}
for _code in range(ord("A"), 0x250):
    if (_plain := fold(chr(_code))).isalpha() and _plain.isascii() and len(_plain) == 1:
        _PLAIN[_plain] = _PLAIN.get(_plain, "") + chr(_code)
_LETTERS = {plain: f"[{letters}]" for plain, letters in _PLAIN.items()}

_BEGIN = """
INSERT INTO erasures (clinic_id, id, number, subject_type, subject_id, request_id, requested_by, begun_at)
SELECT $1, $2, CASE WHEN $3::integer IS NULL OR EXISTS (SELECT FROM erasures WHERE clinic_id = $1 AND number = $3)
    THEN (SELECT coalesce(max(number), 0) + 1 FROM erasures WHERE clinic_id = $1) ELSE $3 END, 'client', $4, $5, $6, $7
RETURNING number
"""


def erased_columns(table: Table) -> list[Column[object]]:
    """The columns of a client's row that do not stay as they are, in the table's order."""
    return [
        column
        for column in table.columns
        if column.info["privacy"].on_erasure in {"clear", "replace", "delete_row"}
        and column.name not in OF_MEMBERS.get(table.name, ())
        and column.computed is None
    ]


def cut_columns(table: Table) -> list[Column[object]]:
    """The columns in which a person may be named though the row is another's."""
    return [
        column
        for column in table.columns
        if column.info["privacy"].kind in {"free_text", "sensitive"}
        and column.name not in OF_MEMBERS.get(table.name, ())
        and isinstance(column.type, Text)
    ]


def of_patients(table: Table) -> str | None:
    """The condition that picks the rows about patients `$2` of a clinic `$1`; None where the table has none."""
    here = f"{table.name}.clinic_id = $1 AND {table.name}."
    if table.name == "patients":
        return f"{here}id = ANY ($2)"
    if "patient_id" in table.columns:
        return f"{here}patient_id = ANY ($2)"
    tie = RELATES.get(table.name)
    above = of_patients(metadata.tables[tie.table]) if isinstance(tie, Through) else None
    if above is None or not isinstance(tie, Through):
        return None
    return f"{here}{tie.column} IN (SELECT {tie.table}.id FROM {tie.table} WHERE {above})"  # noqa: S608 -- our own names


def _set(table: Table, column: Column[object]) -> str:
    if column.info["privacy"].on_erasure == "clear":
        return "NULL"
    return REPLACEMENTS.get(f"{table.name}.{column.name}", f"CASE WHEN {column.name} IS NOT NULL THEN {_WORD} END")


def _statement(table: Table, *, held: bool) -> str:
    """Clear, replace or delete, and where it is held back keep what stood there. Answers how many of both.

    After the subject it takes the instant, and where something is held back the erasure, the category and the day.
    """
    columns, rows = erased_columns(table), rows_of(table.name)
    if "erased_at" in table.columns:
        rows += f" AND {table.name}.erased_at IS NULL"
    if any(column.info["privacy"].on_erasure == "delete_row" for column in columns):
        change = f"DELETE FROM {table.name} WHERE {rows}"  # noqa: S608 -- our own names
    else:
        sets = {column.name: _set(table, column) for column in columns} | ENDS.get(table.name, {})
        listed = ", ".join(f"{name} = {value}" for name, value in sets.items())
        change = f"UPDATE {table.name} SET {listed} WHERE {rows}"  # noqa: S608 -- our own names
    keep = "SELECT WHERE false"
    if held:
        names = ", ".join(f"'{column.name}', {table.name}.{column.name}" for column in columns)
        some = f"{rows} AND {HELD_ONLY[table.name]}" if table.name in HELD_ONLY else rows
        keep = (
            "INSERT INTO withheld (clinic_id, erasure_id, table_name, row_id, category, content, until)"  # noqa: S608 -- our own names
            f" SELECT {table.name}.clinic_id, ${FREE + 1}, '{table.name}', {table.name}.id, ${FREE + 2},"
            f" jsonb_strip_nulls(jsonb_build_object({names})), ${FREE + 3}::date FROM {table.name}"
            f" WHERE {some} AND num_nonnulls({', '.join(column.name for column in columns)}) > 0 RETURNING 1"
        )
    return (
        f"{SUBJECT}, at AS (SELECT ${FREE}::timestamptz AS now), kept AS ({keep}), changed AS ({change} RETURNING 1)"  # noqa: S608 -- our own names
        " SELECT (SELECT count(*) FROM changed) AS changed, (SELECT count(*) FROM kept) AS kept"
    )


def _tables() -> Iterator[Table]:
    """Tables with something to erase, in the order in which works lock them; what triggers write comes last."""
    names = [name for name in RELATES if erased_columns(metadata.tables[name]) or name in ENDS]
    last = ("search_words",)
    for name in sorted(names, key=lambda name: (name in last, name not in _FIRST, name)):
        if name not in {"withheld", *_FORMS}:
            yield metadata.tables[name]


class ErasuresOnPostgres:
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work
        self._rows: Counter[str] = Counter()
        self._blocked: Counter[Category] = Counter()
        self._of_others: list[Time] = []

    async def subject(self, client_id: UUID, now: datetime, again: Sequence[UUID] | None) -> Erased:
        await self._work.fetch(_THEIR_PATIENTS, client_id)
        them = await self._work.fetch(_THEM, client_id)
        client = next((row for row in them if row["id"] == client_id), None)
        if client is None:
            raise NotFound
        if client["merged_into_id"] is not None:
            raise ClientMerged(client["merged_into_id"])
        clients = [row["id"] for row in them]
        if client["erased_at"] is not None:
            return Erased(client["version"], erased=True, clients=clients)
        # Those that became theirs before the client was locked, and those who became them.
        await self._work.fetch(_THEIR_PATIENTS, client_id)
        them = await self._work.fetch(_THEM, client_id)
        clients = [row["id"] for row in them]
        found = await self._work.fetch(_ANIMALS, clients)
        # Of one that was erased with who had it later, the time in which it was theirs is left.
        animals = [
            row["id"]
            for row in found
            if row["erased"] or (row["theirs"] and not row["kept"] if again is None else row["id"] in again)
        ]
        self._of_others = [Time(*row) for row in await self._work.fetch(_OF_OTHERS, clients, animals)]
        arguments = self._subject(clients, animals)
        contacts = await self._work.fetch(_CONTACTS, *arguments)
        guests = await self._work.fetch(_GUESTS, *arguments)
        [dealt] = await self._work.fetch(_DEALT, *arguments, now)
        named = [*them, *guests]
        phones = [row["phone"] for row in named] + [row["value"] for row in contacts if row["kind"] == "phone"]
        others = [row["email"] for row in named] + [row["value"] for row in contacts if row["kind"] == "email"]
        person = Person(
            names=sorted({(row["given_name"], row["family_name"]) for row in named}),
            documents=sorted({row["document_number"] for row in them} - {None}),
            phones=sorted({*phones} - {None, ""}),
            others=sorted({*others, *(row["address"] for row in them)} - {None, ""}),
        )
        return Erased(
            version=client["version"],
            erased=False,
            clients=clients,
            animals=animals,
            others=[row["id"] for row in found if row["id"] not in animals],
            person=person,
            spared=[row["name"] for row in found if row["id"] not in animals]
            + [name for row in found for name in row["others"]],
            namesakes=[
                (row["given_name"], row["family_name"])
                for row in await self._work.fetch(_NAMESAKES, self._clinic, clients, _alike(person))
            ],
            last_dealt=dealt["last_dealt"] or max(row["created_at"] for row in them),
            under_way=dealt["under_way"],
            in_import=bool(await self._work.fetch(_UNFINISHED, *self._named(clients, person))),
        )

    async def part(self, erased: Erased, now: datetime) -> dict[UUID, list[UUID]]:
        ended = await self._work.fetch(_END_PARTIES, self._clinic, erased.clients, erased.others, now)
        orphans = [row["patient_id"] for row in ended if row["role"] == "owner"]
        heirs: dict[UUID, list[UUID]] = {}
        for row in await self._work.fetch(_HEIRS, self._clinic, orphans):
            heirs.setdefault(row["client_id"], []).append(row["patient_id"])
        await self._work.execute(
            "UPDATE patients SET version = version + 1 WHERE clinic_id = $1 AND id = ANY ($2)", self._clinic, orphans
        )
        return heirs

    async def begin(
        self, subject_id: UUID, request_id: UUID | None, by: MemberId | None, now: datetime, again: Begun | None
    ) -> Begun:
        erasure_id = self._work.new_id() if again is None else again.id
        await self._work.fetch("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{self._clinic}:erasures")
        async with self._work.as_system("erasure"):
            [row] = await self._work.fetch(
                _BEGIN, self._clinic, erasure_id, again and again.number, subject_id, request_id, by, now
            )
        await self._work.execute(f"SET LOCAL app.erasure = '{UUID(int=erasure_id.int)}'")
        return Begun(erasure_id, row["number"])

    async def anonymise_forms(self, begun: Begun, erased: Erased, held: Mapping[Category, date], now: datetime) -> None:
        async with self._work.as_system("erasure"):
            for name in _FORMS:
                await self._take(metadata.tables[name], begun, erased, held, now)

    async def anonymise(
        self,
        begun: Begun,
        erased: Erased,
        cuts: Cuts,
        held: Mapping[Category, date],
        now: datetime,
    ) -> tuple[dict[str, int], dict[Category, int]]:
        async with self._work.as_system("erasure"):
            # While their rows tell which these are.
            await self._work.execute(_END_IMPORTS, *self._named(erased.clients, erased.person))
            for table in _tables():
                await self._take(table, begun, erased, held, now)
            await self._work.execute(_CLOSE_DRAFTS, self._clinic, erased.animals, now)
            for name in sorted(RELATES):
                self._rows[name] += await self._cut(metadata.tables[name], begun, erased, cuts, held)
            if cuts.sought:
                pattern = "|".join(sorted(map(_loosely, cuts.sought)))
                for name in sorted({*RELATES, *OF_CLINIC}):
                    self._rows[name] += await self._cut_elsewhere(metadata.tables[name], cuts, pattern)
            await self._forget_files(erased)
        return {name: count for name, count in self._rows.items() if count}, dict(self._blocked)

    async def _take(
        self, table: Table, begun: Begun, erased: Erased, held: Mapping[Category, date], now: datetime
    ) -> None:
        category = HELD_AS.get(table.name)
        until = None if category is None else held.get(category)
        more = [] if until is None else [begun.id, category, until]
        arguments = [*self._subject(erased.clients, erased.animals), now, *more]
        [done] = await self._work.fetch(_statement(table, held=until is not None), *arguments)
        self._rows[table.name] += done["changed"]
        if category is not None:
            self._blocked[category] += done["kept"]

    async def complete(self, begun: Begun, certificate: Certificate, sha256: str) -> None:
        async with self._work.as_system("erasure"):
            await self._work.execute(
                "UPDATE erasures SET completed_at = $3, certificate = $4, sha256 = $5 WHERE clinic_id = $1 AND id = $2",
                self._clinic,
                begun.id,
                certificate.erased_at,
                msgspec.json.encode(certificate).decode(),
                sha256,
            )

    @property
    def _clinic(self) -> UUID:
        return self._work.actor.clinic_id

    def _subject(self, clients: list[UUID], animals: list[UUID]) -> list[object]:
        times = [Time(animal, None, None) for animal in animals]
        return Subject(self._clinic, clients, times, self._of_others).arguments()

    async def _cut(self, table: Table, begun: Begun, erased: Erased, cuts: Cuts, held: Mapping[Category, date]) -> int:
        """Cut the person out of what is told of patients; answers of how many rows."""
        columns, where = [column.name for column in cut_columns(table)], of_patients(table)
        if not columns or where is None:
            return 0
        listed = ", ".join(columns)
        found = await self._work.fetch(
            f"SELECT id, {listed} FROM {table.name} WHERE {where} AND num_nonnulls({listed}) > 0 FOR NO KEY UPDATE",  # noqa: S608 -- our own names
            self._clinic,
            [*erased.others, *erased.animals],
        )
        products = {column.name for column in table.columns if column.info["privacy"].on_erasure == "cut"}
        each = [cuts.products if name in products else cuts.prose for name in columns]
        changed = []
        former = []
        for row in found:
            old = tuple(row.values())[1:]
            new = tuple(None if text is None else cut(text) for cut, text in zip(each, old, strict=True))
            if new != old:
                changed.append((row["id"], *new))
                former.append({name: was for name, was, now in zip(columns, old, new, strict=True) if was != now})
        category = HELD_AS.get(table.name)
        if changed and category is not None and category in held:
            kept = await self._work.fetch(
                _WITHHOLD,
                self._clinic,
                begun.id,
                table.name,
                category,
                held[category],
                [row[0] for row in changed],
                [msgspec.json.encode(each).decode() for each in former],
            )
            self._blocked[category] += sum(row["anew"] for row in kept)
        if changed:
            sets = ", ".join(f"{name} = x.{name}" for name in columns)
            arrays = ", ".join(f"${place}::text[]" for place in range(3, len(columns) + 3))
            await self._work.execute(
                f"UPDATE {table.name} SET {sets} FROM unnest($2::uuid[], {arrays}) AS x (id, {listed})"  # noqa: S608 -- our own names
                f" WHERE {table.name}.clinic_id = $1 AND {table.name}.id = x.id",
                self._clinic,
                *([row[place] for row in changed] for place in range(len(columns) + 1)),
            )
        return len(changed)

    async def _cut_elsewhere(self, table: Table, cuts: Cuts, pattern: str) -> int:
        """Cut the person out of what is told of others, or is the clinic's own; answers of how many rows."""
        columns = [column.name for column in cut_columns(table)] + NOTED.get(table.name, [])
        if not columns:
            return 0
        listed = ", ".join(columns)
        found = await self._work.fetch(
            f"SELECT ctid::text, {listed} FROM {table.name}"  # noqa: S608 -- our own names
            f" WHERE clinic_id = $1 AND concat_ws(' ', {listed}) ~ $2 FOR NO KEY UPDATE",
            self._clinic,
            pattern,
        )
        changed = []
        for row in found:
            place, *old = row.values()
            new = [None if text is None else cuts.elsewhere(text) for text in old]
            if new != old:
                changed.append((self._clinic, place, *new))
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 3))
        await self._work.execute_many(
            f"UPDATE {table.name} SET {sets} WHERE clinic_id = $1 AND ctid = $2::text::tid",  # noqa: S608 -- our own names
            changed,
        )
        return len(changed)

    async def _forget_files(self, erased: Erased) -> None:
        """Let go of files that were handed in, and of answers that are kept, where they name the person."""
        await self._work.execute(_ROWS, *self._named(erased.clients, erased.person))
        await self._work.execute(_FILES, self._clinic)
        likes = _likes(erased.person)
        await self._work.execute(_IMPORT_NAMES, self._clinic, likes)
        ids = [f"%{each}%" for each in (*erased.clients, *erased.animals)]
        await self._work.execute(_ANSWERS, self._clinic, [*likes, *ids])

    def _named(self, clients: list[UUID], person: Person) -> list[object]:
        return [self._clinic, clients, person.documents, person.phones, _likes(person)]


def _loosely(word: str) -> str:
    """A regular expression of a word's letters and digits in their order, whatever signs and marks are among them."""
    return "[^[:alnum:]]*".join(_LETTERS.get(letter, letter) for letter in word)


def _alike(person: Person) -> list[str]:
    """Patterns of `name_key` of who may be called the same in full."""
    firsts = [(fold(given).split(), fold(family).split()) for given, family in person.names]
    pairs = [(given[0], family[0]) for given, family in firsts if given and family]
    return [f"%{_escaped(one)}%{_escaped(other)}%" for pair in pairs for one, other in (pair, pair[::-1])]


def _likes(person: Person) -> list[str]:
    """Patterns of folded text that names the person."""
    names = [pair for given, family in person.names for pair in ((given, family), (family, given))]
    texts = ["%".join(map(_escaped, pair)) for pair in names if all(pair)]
    texts += [_escaped(each) for each in (*person.documents, *person.phones, *person.others)]
    texts += [_escaped(each) for each in person.also if len(each.split()) > 1 or any(map(str.isdigit, each))]
    return [f"%{text}%" for text in texts]


def _escaped(text: str) -> str:
    return fold(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
