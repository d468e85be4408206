"""What readers of imports are shown."""

from datetime import datetime
from uuid import UUID

import msgspec

from coravet.core.exchange.model import ImportStatus, Outcome


class ColumnView(msgspec.Struct, frozen=True):
    """A column of the file: what stands above it, and what it is taken for.

    Attributes:
        field: such as `client.document` or `patient.species`; null where the column is left out.
        patient: which animal of the row it is about, from 1; null for the client's.
    """

    header: str
    field: str | None
    patient: int | None


class RowProblemView(msgspec.Struct, frozen=True):
    """What is wrong or odd about a row, or about the whole file.

    Attributes:
        column: as the file's header writes it; null where it is the row as a whole.
        error: whether the row cannot be imported because of it; otherwise it is a warning.
    """

    column: str | None
    code: str
    detail: str
    error: bool


class CountsView(msgspec.Struct, frozen=True):
    """Rows by what comes of them.

    Attributes:
        created: rows that make a new client; `matched`: of clients whom the clinic knows; `merged`: of a client of a
            row above; `errors`: that cannot be imported.
        warnings: rows that can, and have something odd about them.
        patients: that will be made.
    """

    created: int = 0
    matched: int = 0
    merged: int = 0
    errors: int = 0
    warnings: int = 0
    patients: int = 0


class ImportView(msgspec.Struct, frozen=True):
    """A file that the clinic hands in, and how far it is.

    Attributes:
        status: `uploading` until all of its bytes are here; then `checking`; `checked` is the dry run's end; then
            `applying` and `applied`; `refused` where the file as a whole cannot be read, `failed` where importing it
            broke off and nothing was imported, see `problem`.
        applied_by: the user who had it imported; null where that was done on the machine itself.
        size: of the file, in bytes, of which `received` are here.
        encoding: in which it is written, such as `cp1252`; null until it was looked at, as `separator` and `columns`.
        rows: below the header that hold something, of which `checked` were checked and `applied` imported.
        expires_at: from then on neither the file nor this report is kept.
    """

    id: UUID
    file_name: str
    size: int
    sha256: str
    status: ImportStatus
    received: int
    encoding: str | None
    separator: str | None
    columns: list[ColumnView]
    rows: int | None
    checked: int
    applied: int
    counts: CountsView
    problem: RowProblemView | None
    created_at: datetime
    checked_at: datetime | None
    applied_at: datetime | None
    applied_by: UUID | None
    expires_at: datetime


class ImportedAnimal(msgspec.Struct, frozen=True):
    """An animal of a row. `exists` where the clinic, or a row above, has it already, so that it is not made again."""

    name: str
    species: str
    exists: bool


class ImportRowView(msgspec.Struct, frozen=True):
    """A row of the file and what comes of it.

    Attributes:
        number: as a spreadsheet counts, the header being a row, too.
        outcome: `created`, `matched` (a client whom the clinic knows), `merged` (the client of row `merged_with`), or
            `error`.
        known_as: the name by which the clinic knows the client, where it does.
        client_id: of the client who exists or, once it was applied, was made; null otherwise.
    """

    number: int
    outcome: Outcome
    client_name: str | None
    known_as: str | None
    client_id: UUID | None
    merged_with: int | None
    patients: list[ImportedAnimal]
    problems: list[RowProblemView]
