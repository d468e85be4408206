"""Imports on PostgreSQL: the file, its rows, and whom they may mean."""

from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapper, class_mapper

from coravet.adapters.postgres.cursors import after, page_of
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.exchange.model import Animal, Import, ImportStatus, Person, Problem, Row
from coravet.core.exchange.ports import KnownAnimal, KnownClient, Sought
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.text import fold

_IMPORTS = """
SELECT clinic_id, id, file_name, size, sha256, created_by, created_at, expires_at, status, received, layout, problem,
    last_row, checked, applied, counts, skip_errors, checked_at, applied_at, applied_by
FROM imports WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
"""
_LAST = """
SELECT number, outcome, client_id, known, known_as, seen, first_row, person::text, animals::text, problems::text
FROM import_rows
WHERE import_id = $1 ORDER BY number DESC LIMIT 1
"""
_SOUND = """
SELECT number, outcome, client_id, known, known_as, seen, first_row, person::text, animals::text, problems::text
FROM import_rows
WHERE import_id = $1 AND outcome <> 'error' AND (first_row, number) > ($2, $3) ORDER BY first_row, number LIMIT $4
"""
_CLIENTS = """
WITH named AS (
    SELECT c.id FROM unnest($2::text[], $3::text[]) AS document (type, number)
    JOIN clients c ON c.document_type = document.type AND c.document_number = document.number
    UNION SELECT c.id FROM clients c WHERE c.phone = ANY ($4)
    UNION SELECT o.client_id FROM contacts o WHERE o.kind = 'phone' AND o.value = ANY ($4)
    UNION SELECT unnest($5::uuid[])
    UNION SELECT unnest($6::uuid[])
), whole AS (SELECT id FROM named UNION SELECT c.merged_into_id FROM named n JOIN clients c ON c.id = n.id)
SELECT coalesce(c.merged_into_id, c.id), c.given_name || ' ' || c.family_name,
       c.document_type || ':' || c.document_number,
       array_remove(ARRAY[c.phone] || ARRAY(
           SELECT o.value FROM contacts o WHERE o.client_id = c.id AND o.kind = 'phone'), NULL),
       array_remove(ARRAY[c.email] || ARRAY(
           SELECT o.value FROM contacts o WHERE o.client_id = c.id AND o.kind = 'email'), NULL),
       (SELECT min(r.number) FROM import_rows r
        WHERE r.client_id = coalesce(c.merged_into_id, c.id) AND r.import_id::text = $1),
       true, NULL::integer
FROM whole n JOIN clients c ON c.id = n.id
WHERE NOT EXISTS (
    SELECT FROM import_rows r WHERE r.client_id = c.id AND r.import_id::text = $1 AND NOT r.known)
ORDER BY c.merged_into_id IS NOT NULL, c.created_at, c.id
"""
_NAMED = "SELECT id FROM clients WHERE name_key = ANY ($1) AND erased_at IS NULL"
# Of an import that is being checked nobody has counted the rows yet: an index that begins with the import looks as good
# to PostgreSQL as the right one, and reads them all. So the import is asked for in a way that no index serves.
_ABOVE = """
WITH named AS (
    SELECT client_id FROM import_rows WHERE document = ANY ($2) AND import_id::text = $1
    UNION SELECT client_id FROM import_rows WHERE phone = ANY ($3) AND import_id::text = $1
    UNION SELECT client_id FROM import_rows
    WHERE further_phones IS NOT NULL AND import_id::text = $1
      AND EXISTS (SELECT FROM unnest(further_phones) AS each (phone) WHERE each.phone = ANY ($3))
    UNION SELECT unnest($4::uuid[])
)
SELECT r.client_id, person ->> 'given_name' || ' ' || (person ->> 'family_name'), document,
       array_remove(ARRAY[phone], NULL) || coalesce(further_phones, '{}'), '{}'::text[], first_row, known, number
FROM named n JOIN import_rows r ON r.client_id = n.client_id AND r.import_id::text = $1
WHERE person IS NOT NULL ORDER BY number
"""
_ANIMALS = """
SELECT DISTINCT o.client_id, p.id, p.name, p.species, p.breed, p.sex, p.reproductive_status, p.birth_date,
       p.birth_date_precision, p.color, p.deceased_on IS NOT NULL AS dead,
       ARRAY(SELECT i.value_key FROM identifiers i
             WHERE i.patient_id = p.id AND i.kind IN ('iso_chip', 'legacy_chip') AND i.until IS NULL
             ORDER BY i.value_key) AS chips
FROM parties o JOIN patients p ON p.id = o.patient_id
WHERE o.client_id = ANY ($1) AND o.until IS NULL ORDER BY p.id
"""
_ANIMALS_ABOVE = """
SELECT client_id, animals::text FROM import_rows WHERE client_id = ANY ($2) AND import_id::text = $1 ORDER BY number
"""
_HOLD = """
SELECT id FROM clients WHERE id IN (SELECT client_id FROM import_rows WHERE import_id = $1 AND known)
ORDER BY id FOR SHARE
"""
_CHIPS = """
SELECT value_key FROM identifiers WHERE value_key = ANY ($2) AND kind IN ('iso_chip', 'legacy_chip') AND until IS NULL
UNION
SELECT unnest(chips) FROM import_rows WHERE import_id = $1 AND chips && $2
"""
_ADD = """
INSERT INTO import_rows (clinic_id, import_id, number, outcome, warned, client_id, known, known_as, seen, first_row,
    person, animals, problems, document, phone, further_phones, chips)
SELECT $1, $2, number, outcome, warned, client_id, known, known_as, seen, first_row, person::jsonb, animals::jsonb,
    problems::jsonb, document, phone, string_to_array(further_phones, ' '), string_to_array(chips, ' ')
FROM unnest($3::integer[], $4::text[], $5::boolean[], $6::uuid[], $7::boolean[], $8::text[], $9::text[], $10::integer[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[]) AS row (number, outcome,
    warned, client_id, known, known_as, seen, first_row, person, animals, problems, document, phone, further_phones,
    chips)
"""
_ROWS = """
SELECT i.status, r.number, r.outcome, r.client_id, r.known, r.known_as, r.seen, r.first_row, r.person::text,
       r.animals::text, r.problems::text
FROM imports i LEFT JOIN LATERAL (
    SELECT * FROM import_rows
    WHERE clinic_id = i.clinic_id AND import_id = i.id AND number > $2
      AND ($3::text IS NULL OR outcome = $3 OR ($3 = 'warning' AND warned AND outcome <> 'error'))
    ORDER BY number LIMIT $4
) r ON true WHERE i.id = $1 ORDER BY r.number
"""
ONE_AT_A_TIME = 7_236_003
"""Advisory lock of whoever imports into a clinic; held with a hash of that clinic."""

_encode = msgspec.json.encode


class NeighboursOnPostgres:
    """Whom the clinic knows, and whom the rows above name."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def clients(
        self, import_id: UUID, sought: Sought, also: Collection[UUID] = (), *, above: bool = True
    ) -> list[KnownClient]:
        # A plan that was made when there were no rows above is none for the last of many.
        await self._work.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        documents, phones, file = list(sought.documents), list(sought.phones), str(import_id)
        rows = await self._work.fetch(_ABOVE, file, documents, phones, list(also)) if above else []
        pairs = [each.split(":", 1) for each in documents]
        kinds, numbers = [kind for kind, _ in pairs], [number for _, number in pairs]
        known = list({row["client_id"] for row in rows if row["known"]})
        named = [row["id"] for row in await self._work.fetch(_NAMED, list(sought.names))] if sought.names else []
        here = await self._work.fetch(_CLIENTS, file, kinds, numbers, phones, known, named)
        return [KnownClient(row[0], row[1] or "", *row[2:8]) for row in (*here, *rows)]

    async def animals(self, import_id: UUID, client_ids: Collection[UUID], *, above: bool = True) -> list[KnownAnimal]:
        here = await self._work.fetch(_ANIMALS, list(client_ids))
        rows = await self._work.fetch(_ANIMALS_ABOVE, str(import_id), list(client_ids)) if above else []
        found = [KnownAnimal(row["client_id"], _animal(row), row["chips"], row["dead"], above=False) for row in here]
        for row in rows:
            animals = msgspec.json.decode(row["animals"], type=list[Animal])
            found += [
                KnownAnimal(row["client_id"], each, each.chips(), dead=False, above=True)
                for each in animals
                if not each.exists
            ]
        return found

    async def hold(self, import_id: UUID) -> None:
        await self._work.fetch(_HOLD, import_id)

    async def chips(self, import_id: UUID, keys: Collection[str]) -> set[str]:
        return {row[0] for row in await self._work.fetch(_CHIPS, import_id, list(keys))}

    async def last(self, import_id: UUID) -> Row | None:
        rows = await self._work.fetch(_LAST, import_id)
        return _row(rows[0]) if rows else None


class ImportBytes:
    """The file, in parts."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def add(self, import_id: UUID, place: int, data: bytes) -> None:
        await self._work.execute(
            "INSERT INTO import_parts (clinic_id, import_id, place, data) VALUES ($1, $2, $3, $4)",
            self._work.actor.clinic_id,
            import_id,
            place,
            data,
        )

    async def part(self, import_id: UUID, place: int) -> bytes | None:
        rows = await self._work.fetch(
            "SELECT data FROM import_parts WHERE import_id = $1 AND place = $2", import_id, place
        )
        return bytes(rows[0]["data"]) if rows else None

    async def drop(self, import_id: UUID) -> None:
        await self._work.execute("DELETE FROM import_parts WHERE import_id = $1", import_id)


class ImportRowsOnPostgres:
    """Checked rows."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def add(self, import_id: UUID, rows: Sequence[Row]) -> None:
        columns = zip(*map(_columns, rows), strict=True)
        await self._work.execute(_ADD, self._work.actor.clinic_id, import_id, *map(list, columns))

    async def sound(self, import_id: UUID, after: tuple[int, int], limit: int) -> list[Row]:
        rows = await self._work.fetch(_SOUND, import_id, *after, limit)
        return [_row(row) for row in rows]

    async def drop(self, import_id: UUID) -> None:
        await self._work.execute("DELETE FROM import_rows WHERE import_id = $1", import_id)


def _columns(row: Row) -> tuple[Any, ...]:
    person = row.person
    document = person and person.document_number and f"{person.document_type}:{person.document_number}"
    return (
        row.number,
        row.outcome,
        row.warned,
        row.client_id,
        row.known,
        row.known_as,
        row.seen,
        row.first_row,
        person and _encode(person).decode(),
        _encode(row.animals).decode(),
        _encode(row.problems).decode(),
        document,
        person and person.phone,
        (person and " ".join(each for each in person.phones() if each != person.phone)) or None,
        " ".join(chip for each in row.animals for chip in each.chips()) or None,
    )


def _animal(row: asyncpg.Record) -> Animal:
    return Animal(
        name=row["name"],
        key=fold(row["name"]),
        species=row["species"],
        breed=row["breed"],
        sex=row["sex"],
        reproductive_status=row["reproductive_status"],
        birth_date=row["birth_date"],
        birth_date_precision=row["birth_date_precision"],
        color=row["color"],
    )


def _row(found: asyncpg.Record) -> Row:
    return Row(
        number=found["number"],
        outcome=found["outcome"],
        client_id=found["client_id"],
        known=found["known"],
        known_as=found["known_as"],
        seen=found["seen"],
        first_row=found["first_row"],
        person=found["person"] and msgspec.json.decode(found["person"], type=Person),
        animals=msgspec.json.decode(found["animals"], type=list[Animal]),
        problems=msgspec.json.decode(found["problems"], type=list[Problem]),
    )


class ImportsOnPostgres(Rows[Import]):
    """The files of a clinic."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Import)
        self._work = work

    async def open(self, fresh: Import) -> UUID:
        taken = await self._work.fetch(
            "INSERT INTO imports (clinic_id, id, file_name, size, sha256, created_by, created_at, expires_at, status,"
            " received, last_row, checked, applied, counts, skip_errors)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, 0, '{}', false)"
            " ON CONFLICT (clinic_id, sha256) DO NOTHING RETURNING id",
            fresh.clinic_id,
            fresh.id,
            fresh.file_name,
            fresh.size,
            fresh.sha256,
            fresh.created_by,
            fresh.created_at,
            fresh.expires_at,
            fresh.status,
        )
        found = taken or await self._work.fetch("SELECT id FROM imports WHERE sha256 = $1", fresh.sha256)
        import_id: UUID = found[0]["id"]
        return import_id

    async def delete(self, import_id: UUID) -> None:
        await self._work.execute("DELETE FROM import_rows WHERE import_id = $1", import_id)
        await self._work.execute("DELETE FROM import_parts WHERE import_id = $1", import_id)
        await self._work.execute("DELETE FROM imports WHERE id = $1", import_id)

    async def alone(self) -> bool:
        rows = await self._work.fetch(
            "SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS alone",
            ONE_AT_A_TIME,
            str(self._work.actor.clinic_id),
        )
        return bool(rows[0]["alone"])

    async def outdate(self, import_id: UUID) -> list[UUID]:
        rows = await self._work.fetch(
            "WITH gone AS (DELETE FROM import_rows r USING imports i"
            " WHERE i.id = r.import_id AND i.status = 'checked' AND i.id <> $1)"
            " UPDATE imports SET status = 'checking', last_row = 0, checked = 0, counts = '{}', checked_at = NULL"
            " WHERE status = 'checked' AND id <> $1 RETURNING id",
            import_id,
        )
        return [row["id"] for row in rows]


class ImportReadsOnPostgres:
    """Imports as they are read, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def imports(self, page: PageRequest) -> Page[Import]:
        last = after(page, tuple[UUID])
        rows = await self._work.fetch(_IMPORTS, last and last[0], page.limit + 1)
        return page_of(rows, page, _import, lambda row: (row["id"],))

    async def rows(self, import_id: UUID, page: PageRequest, outcome: str | None) -> tuple[ImportStatus, Page[Row]]:
        last = after(page, tuple[int]) or (0,)
        rows = await self._work.fetch(_ROWS, import_id, min(last[0], 2**31 - 1), outcome, page.limit + 1)
        if not rows:
            raise NotFound
        found = [row for row in rows if row["number"] is not None]
        return rows[0]["status"], page_of(found, page, _row, lambda row: (row["number"],))


def _import(row: asyncpg.Record) -> Import:
    return Import(**dict(row))


class NewcomersOnPostgres:
    """Many new rows of other nouns at once."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def add(self, rows: Sequence[object]) -> None:
        kind: type[Any] = type(rows[0])
        sql, values = _insertion(kind)
        await self._work.execute(sql, *map(list, zip(*map(values, rows), strict=True)))


def _insertion(kind: type[Any]) -> tuple[str, Callable[[Any], tuple[Any, ...]]]:
    """A statement that stores aggregates given column by column, the same however many; and the values of one."""
    mapper: Mapper[Any] = class_mapper(kind)
    columns = [column for column in mapper.local_table.columns if column.key in mapper.attrs and not column.computed]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's
    arrays = ", ".join(f"${place}::{column.type.compile(dialect)}[]" for place, column in enumerate(columns, 1))
    names = ", ".join(column.name for column in columns)
    sql = f"INSERT INTO {mapper.local_table} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 -- our own names
    return sql, attrgetter(*(column.key for column in columns))
