"""Handing a person everything that a clinic holds on them: for programs, and to be read.

For the rights of access (LOPDP art. 13) and portability (art. 17). What is portable goes without inferred data, so what
the clinic concluded by itself stands in a file of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from coravet.core.exchange.export import kept
from coravet.core.exchange.glossary import COLUMNS, KINDS
from coravet.core.exchange.ports import Archiver, Member
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.work import Begin
from coravet.core.media.ports import ObjectStore
from coravet.core.privacy.page import page, title_of
from coravet.core.privacy.ports import Held, HeldTable, HoldingsWork

FORMAT = 1
"""Of `datos.json` and `inferidos.json`; it grows when one that is read by a program would have to be read otherwise."""

_PORTABLE = {
    "es": "Lo que la clínica tiene sobre la persona y sus animales, sin lo que ella misma dedujo. En `data`, por tabla,"
    " cada fila con los nombres de columna que `tables` explica. Los instantes están en UTC. Faltan los datos de otras"
    " personas, los de quienes trabajan en la clínica y las claves secretas.",
    "en": "What the clinic holds on the person and their animals, without what it concluded by itself. In `data`, by"
    " table, each row with the column names that `tables` explains. Instants are in UTC. Data of other people, of those"
    " who work at the clinic, and secrets are not here.",
}
_CONCLUDED = {
    "es": "Lo que la clínica o el programa dedujo por sí mismo, como las fechas que resultan de un esquema de vacunas."
    " Cada fila lleva la clave de aquella a la que pertenece en `datos.json`, o es deducida entera.",
    "en": "What the clinic or the program concluded by itself, such as days that follow from a protocol of vaccines."
    " Each row carries the key of the row in `datos.json` that it belongs to, or is concluded as a whole.",
}


class Export(NamedTuple):
    """An export that was begun.

    Attributes:
        content: the archive's bytes, made as they are asked for; nothing is read of the database any more.
    """

    id: UUID
    content: AsyncGenerator[bytes, None]


async def export_client(
    client_id: UUID, actor: Actor, begin: Begin[HoldingsWork], clock: Clock, archiver: Archiver, store: ObjectStore
) -> Export:
    """All that is held on a client at one moment, as an archive of `LEEME.html`, `datos.json` and `inferidos.json`.

    The photos of their animals are in it, too, as `archivos/<media id>.webp`.

    Of somebody who was merged into another it is the one person's whom both turned out to be.

    Raises:
        NotFound: no such client here, or one who was erased.
    """
    async with begin(actor) as work:
        await work.holdings.freeze()
        held = await work.holdings.of(client_id)
        export_id = work.new_id()
    return Export(export_id, _packed(held, export_id, clock.now(), actor.time_zone, archiver, store))


async def _packed(
    held: Held, export_id: UUID, now: datetime, zone: str, archiver: Archiver, store: ObjectStore
) -> AsyncGenerator[bytes, None]:
    async for chunk in archiver.write(_members(held, export_id, now, zone, store)):
        yield chunk


async def _members(
    held: Held, export_id: UUID, now: datetime, zone: str, store: ObjectStore
) -> AsyncGenerator[Member, None]:
    yield Member("LEEME.html", now, _paced(page(held, export_id, now, zone)))
    for name, about, rows_of in (("datos.json", _PORTABLE, _portable), ("inferidos.json", _CONCLUDED, _concluded)):
        head = {
            "format": FORMAT,
            "export_id": export_id,
            "exported_at": now,
            "time_zone": zone,
            "clinic": held.clinic_name,
            "client_id": held.client_id,
            "about": about,
        }
        yield Member(name, now, _paced(_json(head, held.tables, rows_of)))
    async for file in kept(held.files, now, store):
        yield file


_AT_LEAST = 32 * 1024
"""Characters that are packed at once: the archiver changes threads for each piece that it is given."""


async def _paced(parts: Iterable[str]) -> AsyncIterator[bytes]:
    """The same as bytes, in pieces; others have their turn between two."""
    held: list[str] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= _AT_LEAST:
            yield "".join(held).encode()
            await asyncio.sleep(0)
            held, size = [], 0
    yield "".join(held).encode()


Rows = list[dict[str, Any]]


def _json(head: dict[str, Any], tables: list[HeldTable], rows_of: Callable[[HeldTable], Rows]) -> Iterator[str]:
    """A JSON document, table by table."""
    yield msgspec.json.encode(head).decode()[:-1] + ',\n"tables": ['
    for place, table in enumerate(tables):
        yield ("," if place else "") + "\n" + msgspec.json.encode(_described(table)).decode()
    yield '\n],\n"data": {'
    for place, table in enumerate(tables):
        rows = ",\n".join(msgspec.json.encode(row).decode() for row in rows_of(table))
        yield ("," if place else "") + f'\n"{table.name}": [{rows}]'
    yield "\n}}\n"


def _described(table: HeldTable) -> dict[str, Any]:
    title = title_of(table.name)
    return {
        "name": table.name,
        "es": title.es,
        "en": title.en,
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "es": COLUMNS.get(column.name, KINDS.get(column.kind, ("", "")))[0],
                "en": COLUMNS.get(column.name, KINDS.get(column.kind, ("", "")))[1],
                **({"refers_to": column.refers_to} if column.refers_to else {}),
                **({"values": column.values} if column.values else {}),
                **({"inferred": True} if column.name in table.inferred else {}),
            }
            for column in table.columns
        ],
    }


def _portable(table: HeldTable) -> Rows:
    if not table.inferred:
        return table.rows
    return [{name: value for name, value in row.items() if name not in table.inferred} for row in table.rows]


def _concluded(table: HeldTable) -> Rows:
    wanted = [*table.keys, *table.inferred]
    of_rows = [{name: row[name] for name in wanted} for row in table.rows] if table.inferred else []
    return of_rows + table.inferred_rows
