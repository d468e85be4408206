"""What imports and exports ask of storage."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.exchange.model import Animal, Import, ImportStatus, Row
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.media.keys import Key

FILES = "archivos/"
_ENDINGS = {"image/webp": "webp", "application/pdf": "pdf"}


class KnownClient(msgspec.Struct, frozen=True):
    """What the clinic, or a row above, has of a client whom a row may mean.

    Attributes:
        client_id: of a client who was merged, the one who stayed.
        name: given and family names.
        document: its type and number, such as `cedula:2300000003`.
        phones: in E.164.
        first_row: the row of the file that first names them; None where it is a client of the clinic's alone.
        known: whether the clinic knows them.
        row: which row says this; None where the clinic has it.
    """

    client_id: UUID
    name: str
    document: str | None
    phones: list[str]
    mails: list[str]
    first_row: int | None
    known: bool
    row: int | None


class KnownAnimal(msgspec.Struct, frozen=True):
    """An animal of such a client, with all the chips that it has.

    Attributes:
        above: whether it is of a row above.
    """

    client_id: UUID
    animal: Animal
    chips: list[str]
    dead: bool
    above: bool


class Sought(msgspec.Struct, frozen=True):
    """By what clients are looked up whom some rows may mean: names, folded, only where a row has nothing else."""

    documents: set[str]
    phones: set[str]
    names: set[str]


class Neighbours(Protocol):
    """The conversation about whom the clinic knows, and whom the rows above name."""

    async def clients(
        self, import_id: UUID, sought: Sought, also: Collection[UUID] = (), *, above: bool = True
    ) -> list[KnownClient]:
        """All that is known of those who are sought, and of `also`: the clinic's first, then of rows above in order.

        Clients whom this import has made itself are none of the clinic's yet.

        Args:
            above: whether rows above are asked, too.
        """
        ...

    async def animals(self, import_id: UUID, client_ids: Collection[UUID], *, above: bool = True) -> list[KnownAnimal]:
        """Their animals, dead ones too: the clinic's, and those that rows above will make."""
        ...

    async def hold(self, import_id: UUID) -> None:
        """Until this work ends let nobody change or merge clients whom the clinic knew when the rows were checked."""
        ...

    async def chips(self, import_id: UUID, keys: Collection[str]) -> set[str]:
        """Which of these chips an animal of the clinic has now, or one of the rows above."""
        ...

    async def last(self, import_id: UUID) -> Row | None:
        """The lowest row that was checked so far."""
        ...


class Bytes(Protocol):
    """The conversation about the file itself, in parts."""

    async def add(self, import_id: UUID, place: int, data: bytes) -> None:
        """Keep the bytes that begin at a place of the file."""
        ...

    async def part(self, import_id: UUID, place: int) -> bytes | None:
        """The part that begins there; None where the file ends there."""
        ...

    async def drop(self, import_id: UUID) -> None:
        """Keep the file no longer."""
        ...


class ImportRows(Protocol):
    """The conversation about checked rows."""

    async def add(self, import_id: UUID, rows: Sequence[Row]) -> None:
        """Keep what will come of these rows."""
        ...

    async def sound(self, import_id: UUID, after: tuple[int, int], limit: int) -> list[Row]:
        """Rows without errors, by the row that first names their client and their own number, after such a pair."""
        ...

    async def drop(self, import_id: UUID) -> None:
        """Forget them all."""
        ...


class Imports(Table[Import], Protocol):
    """The files of a clinic."""

    async def open(self, fresh: Import) -> UUID:
        """Store a new import, unless there is one of this file; answers whose id it is."""
        ...

    async def delete(self, import_id: UUID) -> None:
        """Forget the import, its file and its rows."""
        ...

    async def alone(self) -> bool:
        """Whether nobody else imports into this clinic; until this work ends nobody will."""
        ...

    async def outdate(self, import_id: UUID) -> list[UUID]:
        """Have all others that were checked checked again, for the clinic has other clients now; answers which."""
        ...


class ImportReads(Protocol):
    """Imports as they are read, one query each."""

    async def imports(self, page: PageRequest) -> Page[Import]:
        """The newest first."""
        ...

    async def rows(self, import_id: UUID, page: PageRequest, outcome: str | None) -> tuple[ImportStatus, Page[Row]]:
        """The rows of one import by their numbers, of one outcome (or `warning`) where given, and its status.

        Raises:
            NotFound: no such import here.
        """
        ...


class Newcomers(Protocol):
    """Storing many new rows of other nouns at once."""

    async def add(self, rows: Sequence[object]) -> None:
        """Store aggregates of one kind, in one statement."""
        ...


class ExchangeWork(Work, Protocol):
    """The unit of work as imports use it."""

    @property
    def imports(self) -> Imports: ...

    @property
    def import_bytes(self) -> Bytes: ...

    @property
    def import_rows(self) -> ImportRows: ...

    @property
    def import_reads(self) -> ImportReads: ...

    @property
    def neighbours(self) -> Neighbours: ...

    @property
    def newcomers(self) -> Newcomers: ...


class Member(msgspec.Struct, frozen=True):
    """A file of an archive, its bytes made as they are asked for."""

    name: str
    at: datetime
    data: AsyncIterator[bytes]


class Archiver(Protocol):
    """Packs files into one."""

    def write(self, members: AsyncIterator[Member]) -> AsyncIterator[bytes]:
        """The archive's bytes. A member's are asked for before the next member is."""
        ...


class TableColumn(msgspec.Struct, frozen=True):
    """A column of a table as it is exported.

    Attributes:
        kind: PostgreSQL's name of its type.
        refers_to: the file that holds the rows whose ids these are.
        values: all that it may be, where that is a list of words.
    """

    name: str
    kind: str
    nullable: bool
    refers_to: str | None
    values: list[str]


class ExportedTable(msgspec.Struct, frozen=True):
    """A table of the clinic, with the columns that are exported."""

    name: str
    columns: list[TableColumn]


class KeptFile(msgspec.Struct, frozen=True):
    """A photo or file as it is handed over: the row of `media` that tells of it, and where it lies."""

    media_id: UUID
    key: Key
    media_type: str

    def name(self) -> str:
        """As it is called in an archive: by its own id, for what people called it may be anything."""
        return f"{FILES}{self.media_id}.{_ENDINGS.get(self.media_type, 'bin')}"


class Dump(Protocol):
    """The conversation about everything that is the clinic's."""

    async def freeze(self) -> bool:
        """See everything as it is now until this work ends; False where the clinic is being exported already."""
        ...

    def tables(self) -> list[ExportedTable]:
        """What is exported, by name."""
        ...

    def rows(self, table: str) -> AsyncIterator[bytes]:
        """The clinic's rows as CSV (RFC 4180, UTF-8) with a header, by their keys."""
        ...

    async def files(self) -> list[KeptFile]:
        """The clinic's photos, in their largest size, and files."""
        ...


class DumpWork(Work, Protocol):
    """The unit of work as exports use it."""

    @property
    def dump(self) -> Dump: ...
