"""All rows of a clinic, table by table, as the application's role sees them."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.schema import metadata
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.exchange.ports import ExportedTable, KeptFile, TableColumn
from coravet.core.media.keys import Key

LEFT_OUT = {
    "account_erasures": "accounts of the service that were erased, of no clinic",
    "departures": "clinics that left",
    "discarded_objects": "names of what is about to be deleted",
    "ended_sessions": "hashes of the cookies of people who logged out, of no clinic",
    "idempotency_keys": "answers kept for a day, in case a request is repeated",
    "import_parts": "a file that the clinic itself handed in, kept for a month",
    "import_rows": "as import_parts; what came of it is among clients and patients",
    "imports": "as import_parts",
    "links": "hashes of what was sent to people so that they may act without signing in",
    "operators": "people who run the service, of no clinic",
    "outbox": "what open screens were told in the last day",
    "outbox_mark": "a number of the service's own",
    "search_words": "made of what other tables hold, to be searched by",
    "withheld": "what the law holds back of who was erased, which nobody may read meanwhile",
    "rate_limits": "how often an address asked, of no clinic",
}
"""Tables that are not exported, and why. Every other is, whoever adds it."""

HIDDEN = {
    "clinics.leaving_since": "only while the clinic is being handed over",
    "acceptance_evidence.key": "proves from where a text was accepted, and would let it be guessed",
    "calendar_feeds.token_hash": "proves who may read a calendar",
    "clients.name_key": "made of the names, to be searched by",
    "clients.search_key": "as clients.name_key",
    "documents.token_hash": "leads to the public page that verifies the document",
    "holds.token_hash": "proves who holds the time",
    "identifiers.value_key": "as clients.name_key",
    "invitations.token_hash": "proves who was invited",
    "patients.search_key": "as clients.name_key",
    "users.firebase_uid": "the person's own account, with whoever signs them in",
}
"""Columns that are not exported, and why."""

ONE_AT_A_TIME = 7_236_004
"""Advisory lock of whoever exports a clinic; held with a hash of that clinic."""

FILES_OF = """
SELECT v.media_id, v.key, v.media_type FROM media JOIN media_variants v ON v.clinic_id = media.clinic_id
    AND v.media_id = media.id
WHERE v.variant IN ('full', 'original') AND media.removed_at IS NULL AND {}
ORDER BY v.media_id
"""
"""The photos and files that are handed over, on a condition."""

_AHEAD = 4
"""Pieces that PostgreSQL may be ahead of who reads."""

_LONGEST_SECONDS = 3600.0
_WORDS = re.compile(r"^(\w+) IN \((.*)\)$", re.DOTALL)


def exported() -> list[Table]:
    """The tables, by name."""
    return [table for name, table in sorted(metadata.tables.items()) if name not in LEFT_OUT]


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if f"{table.name}.{column.name}" not in HIDDEN]


class DumpOnPostgres:
    """The `Dump` port. Row-level security draws the clinic's border, as for every other work."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def freeze(self) -> bool:
        await self._work.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rows = await self._work.fetch(
            "SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS alone",
            ONE_AT_A_TIME,
            str(self._work.actor.clinic_id),
        )
        return bool(rows[0]["alone"])

    def tables(self) -> list[ExportedTable]:
        return [
            ExportedTable(str(each.name), [described(each, column) for column in _columns(each)]) for each in exported()
        ]

    async def rows(self, table: str) -> AsyncIterator[bytes]:
        found = metadata.tables[table]
        names = ", ".join(f'"{column.name}"' for column in _columns(found))
        keys = ", ".join(f'"{column.name}"' for column in found.primary_key)
        pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
        copying = asyncio.create_task(self._copy(f"SELECT {names} FROM {table} ORDER BY {keys}", pieces))  # noqa: S608 -- the metadata's own names
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await copying
        finally:
            copying.cancel()
            with suppress(asyncio.CancelledError):
                await copying

    async def files(self) -> list[KeptFile]:
        rows = await self._work.fetch(FILES_OF.format("true"))
        return [KeptFile(row["media_id"], Key(row["key"]), row["media_type"]) for row in rows]

    async def _copy(self, query: str, pieces: "asyncio.Queue[bytes | None]") -> None:
        try:
            await self._work.copy_out(query, pieces.put, _LONGEST_SECONDS)
        except Exception:
            await pieces.put(None)
            raise
        await pieces.put(None)


def described(table: Table, column: Column[Any]) -> TableColumn:
    """A column as it is exported."""
    refers_to = sorted({str(key.column.table.name) for key in column.foreign_keys} - {"clinics"})
    words = [
        re.findall(r"'((?:[^']|'')*)'", found[2])
        for each in table.constraints
        if isinstance(each, CheckConstraint) and (found := _WORDS.match(str(each.sqltext))) and found[1] == column.name
    ]
    return TableColumn(
        name=str(column.name),
        kind=column.type.compile(postgresql.dialect()).lower(),  # type: ignore[no-untyped-call]  # SQLAlchemy's
        nullable=bool(column.nullable),
        refers_to=refers_to[0] if refers_to else None,
        values=words[0] if words else [],
    )
