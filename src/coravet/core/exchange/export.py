"""Handing a clinic everything that is its own: one archive of CSV files that explains itself."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256

import msgspec

from coravet.core.exchange.glossary import COLUMNS, KINDS, TABLES
from coravet.core.exchange.ports import Archiver, DumpWork, ExportedTable, KeptFile, Member, TableColumn
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.core.kernel.work import Begin
from coravet.core.media.ports import ObjectStore

FORMAT = 1
"""Of the archive; it grows when one that is read by a program would have to be read in another way."""


class File(msgspec.Struct, frozen=True):
    """A file of the archive as its manifest lists it.

    Attributes:
        rows: of a table; None where it is none.
    """

    name: str
    rows: int | None
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What the archive holds, and by which whoever got it sees that it is whole: it is the archive's last file."""

    format: int
    clinic_id: str
    exported_at: datetime
    tables: list[ExportedTable]
    files: list[File]


MANIFEST = "manifest.json"
FOLDER = "datos/"


class NotWhole(Exception):
    """An archive does not hold what its manifest says; the message names a file of it."""


async def export(
    actor: Actor, begin: Begin[DumpWork], clock: Clock, archiver: Archiver, store: ObjectStore
) -> AsyncGenerator[bytes, None]:
    """Everything of the clinic at one moment, as an archive that is made while it is read.

    It holds `LEEME.txt` and `README.txt`, `datos/<table>.csv`, `archivos/<media id>.webp` or `.pdf` for each photo and
    attachment, and at its end `manifest.json`. A photo that is replaced or removed meanwhile may be missing.

    Raises:
        Unavailable: the clinic is being exported already, or the store does not answer: then the archive breaks off.
    """
    async with begin(actor) as work:
        if not await work.dump.freeze():
            raise Unavailable("Everything of this clinic is being exported already. Wait until that is done.", 30)
        async for chunk in archiver.write(_members(work, actor, clock.now(), store)):
            yield chunk


async def _members(work: DumpWork, actor: Actor, now: datetime, store: ObjectStore) -> AsyncIterator[Member]:
    tables = work.dump.tables()
    files: list[File] = []

    def member(name: str, data: AsyncIterator[bytes], *, rows: bool = False) -> Member:
        return Member(name, now, _counted(name, data, files, rows=rows))

    yield member("LEEME.txt", _bytes(spanish(tables, now).encode("utf-8-sig")))
    yield member("README.txt", _bytes(english(tables, now).encode("utf-8-sig")))
    for table in tables:
        yield member(f"{FOLDER}{table.name}.csv", work.dump.rows(table.name), rows=True)
    async for file in kept(await work.dump.files(), now, store):
        yield member(file.name, file.data)
    manifest = Manifest(FORMAT, str(actor.clinic_id), now, tables, files)
    yield Member(MANIFEST, now, _bytes(msgspec.json.format(msgspec.json.encode(manifest))))


async def kept(files: Sequence[KeptFile], now: datetime, store: ObjectStore) -> AsyncIterator[Member]:
    """The photos and files themselves, each read when its turn comes; those that were deleted by then are left out."""
    for file in files:
        with suppress(NotFound):
            content = await store.open(file.key)
            yield Member(file.name(), now, content.chunks)


def verify(members: Iterable[tuple[str, Iterable[bytes]]]) -> Manifest:
    """The manifest of an archive that holds every file which that lists, as it lists it, and no other.

    Args:
        members: the archive's files by name, in their order.

    Raises:
        NotWhole: it does not.
    """
    found: dict[str, File] = {}
    manifest: Manifest | None = None
    for name, pieces in members:
        if name == MANIFEST:
            try:
                manifest = msgspec.json.decode(b"".join(pieces), type=Manifest)
            except msgspec.MsgspecError as error:
                raise NotWhole(MANIFEST) from error
            continue
        digest, size, lines = sha256(), 0, _Lines()
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            lines.feed(piece)
        found[name] = File(name, lines.records - 1 if name.startswith(FOLDER) else None, size, digest.hexdigest())
    if manifest is None:
        raise NotWhole(MANIFEST)
    listed = {file.name: file for file in manifest.files}
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise NotWhole(name)
    return manifest


async def _counted(name: str, data: AsyncIterator[bytes], files: list[File], *, rows: bool) -> AsyncIterator[bytes]:
    """The same bytes; what they are is noted once they are through."""
    digest, size, lines = sha256(), 0, _Lines()
    async for piece in data:
        digest.update(piece)
        size += len(piece)
        if rows:
            lines.feed(piece)
        yield piece
    files.append(File(name, lines.records - 1 if rows else None, size, digest.hexdigest()))


class _Lines:
    """Counts the records of a CSV: line ends that stand in no quotes."""

    def __init__(self) -> None:
        self.records = 0
        self._quoted = False

    def feed(self, data: bytes) -> None:
        for part in data.split(b'"'):
            # Each quotation mark between two parts opens or closes; a doubled one does both.
            self.records += 0 if self._quoted else part.count(b"\n")
            self._quoted = not self._quoted
        self._quoted = not self._quoted


async def _bytes(data: bytes) -> AsyncIterator[bytes]:
    yield data


def spanish(tables: Sequence[ExportedTable], now: datetime) -> str:
    """What stands in the archive, for people who read Spanish."""
    head = f"""Archivo completo de la clínica
Hecho el {now:%Y-%m-%d %H:%M} UTC, tal como estaba todo en ese momento.

Cada archivo de la carpeta "datos" es una tabla en CSV (RFC 4180): UTF-8, separada por comas, con los nombres de las
columnas en la primera fila. Una celda vacía sin comillas es un dato que no existe; "" es un texto vacío. Las columnas
que terminan en _id señalan la fila de otra tabla. Los instantes están en UTC.

Los textos están tal como se escribieron. En Excel, ábralos con Datos > Desde texto/CSV y elija UTF-8 y "no detectar
tipos de datos": así ningún texto que empiece con =, +, - o @ se toma como fórmula y ningún número pierde sus ceros.

La carpeta "archivos" tiene las fotos y los adjuntos: cada uno se llama como el id de su fila en datos/media.csv.

manifest.json trae, de cada archivo, cuántas filas tiene y su SHA-256. No están las claves de acceso ni los enlaces
secretos, ni lo que el servicio guarda por pocas horas para sí mismo.
"""
    return head + "".join(_table(table, 0, "Se refiere a {}.", "Uno de: {}.", "puede faltar") for table in tables)


def english(tables: Sequence[ExportedTable], now: datetime) -> str:
    """What stands in the archive, for people who read English."""
    head = f"""Everything of the clinic
Made on {now:%Y-%m-%d %H:%M} UTC, as all of it was at that moment.

Each file of the folder "datos" is a table as CSV (RFC 4180): UTF-8, separated by commas, with the columns' names in the
first row. A blank cell without quotation marks is a value that does not exist; "" is an empty text. Columns that end
with _id name a row of another table. Instants are in UTC.

Texts are as they were written. In Excel, open them with Data > From Text/CSV and choose UTF-8 and "do not detect data
types": so no text that begins with =, +, - or @ is taken for a formula, and no number loses its zeros.

The folder "archivos" has photos and attachments: each is called by the id of its row in datos/media.csv.

manifest.json has, of each file, how many rows it has, and its SHA-256. Secrets by which people sign in or act by a link
are not here, nor what the service keeps for itself for a few hours.
"""
    return head + "".join(_table(table, 1, "Refers to {}.", "One of: {}.", "may be missing") for table in tables)


def _table(table: ExportedTable, language: int, refers: str, words: str, missing: str) -> str:
    title = TABLES[table.name][language] if table.name in TABLES else table.name
    lines = [f"\n\ndatos/{table.name}.csv\n{title}.\n"]
    lines += [f"  {column.name}: {_column(column, language, refers, words, missing)}" for column in table.columns]
    return "\n".join(lines) + "\n"


def _column(column: TableColumn, language: int, refers: str, words: str, missing: str) -> str:
    kind = KINDS[column.kind][language] if column.kind in KINDS else column.kind
    meaning = COLUMNS[column.name][language] if column.name in COLUMNS else None
    said = [
        "; ".join(part for part in (meaning, kind, missing if column.nullable else None) if part) + ".",
        refers.format(f"datos/{column.refers_to}.csv") if column.refers_to else "",
        words.format(", ".join(column.values)) if column.values else "",
    ]
    return " ".join(part for part in said if part)
