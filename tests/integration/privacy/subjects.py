"""A client of whom something is written everywhere: a word of its own in each column that may hold one.

What there is to fill is read off the tables, so that a table that comes later fails here until somebody plants a row of
it, and is then searched for like all others.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from tests.integration.http.service import superuser

from coravet.adapters.postgres.privacy.subject import RELATES, SUBJECT, find_subject, rows_of
from coravet.adapters.postgres.tables import metadata
from coravet.settings import Settings

NO_WORD = {
    "clients.canton": "a code",
    "clients.document_type": "a fixed word",
    "clients.name_key": "made of the names",
    "patients.birth_date_precision": "a fixed word",
}
"""Columns that tell of a person and cannot hold a word, and why."""

TOGETHER = {
    "clients.document_number": "document_type = 'passport'",
    "void_reason": "voided_at = now()",
    "withdraw_reason": "withdrawn_at = now()",
}
"""What must be so for a column to hold anything, by the column alone or with its table."""

PLANTED = {
    "import_rows": "UPDATE import_rows SET client_id = $2, outcome = 'created' WHERE (clinic_id, import_id, number) IN"
    " (SELECT r.clinic_id, r.import_id, r.number FROM import_rows r WHERE r.clinic_id = $1"
    " ORDER BY r.import_id DESC LIMIT 1)",
}
"""What makes a row of a table, which the clinic has, the client's."""

NOT_YET = {
    "erasures": "of who was erased",
    "withheld": "as erasures",
}
"""Tables that need not have a row about a client, and why."""

_BY_VET = (
    "source = 'here', given_by = NULL, vet_id = (SELECT m.id FROM members m WHERE m.clinic_id = {}.clinic_id LIMIT 1)"
)
_ELSEWHERE = "source = 'external', vet_id = NULL, vet_name = NULL, registration_number = NULL"
ANEW = {
    f"{table}.{column}": way
    for table in ("immunizations", "dewormings")
    for column, way in (("vet_name", _BY_VET.format(table)), ("given_by", _ELSEWHERE))
}
"""The same of columns that no row can hold beside all others, so that they get a row of their own."""


def word_columns(table: Table) -> list[Column[Any]]:
    """The columns of a table that may hold something about a person in words."""
    return [
        column
        for column in table.columns
        if column.info["privacy"].kind != "none"
        and isinstance(column.type.item_type if isinstance(column.type, ARRAY) else column.type, Text | JSONB)
        and f"{table.name}.{column.name}" not in NO_WORD
    ]


async def spell_out(settings: Settings, work: Any, client_id: str, seed: str) -> dict[str, str]:
    """Write a word of its own into every such column of one row each that is the client's.

    Args:
        work: of the client's clinic.
        seed: letters by which two clients' words differ.

    Returns:
        The words, by `table.column`; letters alone, and none is part of another.
    """
    subject = await find_subject(work, UUID(client_id))
    words: dict[str, str] = {}
    async with superuser(settings) as admin, unguarded(admin):
        for name in sorted(RELATES):
            table = metadata.tables[name]
            keys = [str(column.name) for column in table.primary_key]
            if name in PLANTED:
                await admin.execute(PLANTED[name], subject.clinic_id, subject.clients[0])
            found = await admin.fetch(
                f"{SUBJECT} SELECT {', '.join(keys)} FROM {name} WHERE {rows_of(name)}",  # noqa: S608 -- our own names
                *subject.arguments(),
            )
            columns, rows = word_columns(table), [tuple(row) for row in found]
            assert found or not columns or name in NOT_YET, f"plant a row of {name} for the client"
            for column in columns if found else ():
                at = f"{name}.{column.name}"
                words[at] = f"q{seed}{len(words):03}x".translate(str.maketrans("0123456789", "abcdefghij"))
                await _write(admin, table, column, rows, keys, words[at])
    return words


async def _write(
    admin: asyncpg.Connection,
    table: Table,
    column: Column[Any],
    rows: list[tuple[Any, ...]],
    keys: list[str],
    word: str,
) -> None:
    """Write a word into a column of the first row that bears it."""
    value = {ARRAY: f"ARRAY['{word}']", JSONB: f"""'{{"word": "{word}"}}'"""}.get(type(column.type), f"'{word}'")
    meant = " AND ".join(f"{key} = ${number}" for number, key in enumerate(keys, 1))
    name = f"{table.name}.{column.name}"
    ways = [f"{column.name} = {value}"]
    if name in ANEW:
        ways = [f"{ways[0]}, {ANEW[name]}"]
        rows.insert(0, tuple(await admin.fetchrow(_COPY.format(table.name, meant, ", ".join(keys)), *rows[0])))
    elif also := TOGETHER.get(name, TOGETHER.get(str(column.name))):
        ways.append(f"{ways[0]}, {also}")
    for way in ways:
        for row in rows:
            try:
                async with admin.transaction():
                    await admin.execute(f"UPDATE {table.name} SET {way} WHERE {meant}", *row)  # noqa: S608 -- our names
            except asyncpg.CheckViolationError:
                continue
            return
    raise AssertionError(f"no row of {table.name} bears a word in {column.name}: say in TOGETHER what must be so")


_COPY = (
    "INSERT INTO {0} SELECT (jsonb_populate_record({0}, jsonb_build_object('id', gen_random_uuid()))).*"
    " FROM {0} WHERE {1} RETURNING {2}"
)


@asynccontextmanager
async def unguarded(admin: asyncpg.Connection) -> AsyncIterator[None]:
    """Have the triggers that keep rows from being changed sleep meanwhile, in one transaction."""
    async with admin.transaction():
        guards = await admin.fetch(
            "SELECT tgrelid::regclass::text AS on_table, tgname AS name, tgenabled = 'A' AS always FROM pg_trigger"
            " WHERE tgname LIKE ANY ('{keep_%,refuse_%}')"
        )
        for each in guards:
            await admin.execute(f"ALTER TABLE {each['on_table']} DISABLE TRIGGER {each['name']}")
        yield
        for each in guards:
            enable = "ENABLE ALWAYS" if each["always"] else "ENABLE"
            await admin.execute(f"ALTER TABLE {each['on_table']} {enable} TRIGGER {each['name']}")
