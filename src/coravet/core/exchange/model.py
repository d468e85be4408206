"""An import as the database keeps it, and what is known of its rows."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from coravet.core.exchange.columns import Column
from coravet.core.exchange.encodings import Encoding
from coravet.core.exchange.values import DateOrder
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.sentences import recalled

ImportStatus = Literal["uploading", "checking", "checked", "applying", "applied", "refused", "failed"]
Outcome = Literal["created", "matched", "merged", "error"]

MOST_BYTES = 64 * 1024 * 1024
"""Of one file; 100,000 rows of a clinic's list are some 20 MB."""

MOST_ROWS = 100_000
KEPT = timedelta(days=30)
"""How long what was uploaded, and the report on it, are kept: it is personal data of people, some not yet clients."""


class Layout(msgspec.Struct, frozen=True):
    """How the file is to be read, found out once from all of it.

    Attributes:
        width: cells of the header, the blank ones at its end included.
        header: the row in which it stands.
        date_order: of day and month where both could be either.
        rows: rows below the header that hold something.
    """

    encoding: Encoding
    separator: str
    width: int
    header: int
    columns: list[Column]
    date_order: DateOrder = "day_first"
    rows: int = 0


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, or only odd, about a row or the whole file.

    Attributes:
        column: its header as the file writes it; None where it is the row as a whole.
        pattern: of an English sentence, whose names `values` has.
        error: whether the row cannot be imported because of it.
    """

    column: str | None
    code: str
    pattern: str
    values: dict[str, Any]
    error: bool = True

    def said(self) -> str:
        """The sentence, from which other languages are made."""
        return recalled(self.pattern, self.values)


def problem(column: str | None, found: FieldError, *, error: bool = True) -> Problem:
    """A bad field as a row's problem."""
    said = found.said
    pattern = getattr(said, "pattern", str.__str__(said))
    return Problem(column, found.code, pattern, dict(getattr(said, "values", {})), error)


class Animal(msgspec.Struct, frozen=True, kw_only=True):
    """An animal of a row, in the normal form of a patient's fields.

    Attributes:
        key: the name, folded; with the species it tells the animals of one client apart.
        chip: an identifier's fields in their normal form.
        exists: whether it is known already: as the client's patient, or from a row above.
    """

    name: str
    key: str
    species: str
    breed: str | None = None
    sex: str = "unknown"
    reproductive_status: str = "unknown"
    birth_date: date | None = None
    birth_date_precision: str | None = None
    color: str | None = None
    chip: dict[str, str] | None = None
    exists: bool = False

    def chips(self) -> list[str]:
        """The chip as it is compared, if it has one."""
        return [] if self.chip is None else [self.chip["value_key"]]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The client of a row, in the normal form of a client's fields.

    Attributes:
        further: phones and mail addresses beyond the first, as (kind, value).
    """

    given_name: str
    family_name: str
    document_type: str | None = None
    document_number: str | None = None
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    canton: str | None = None
    further: list[tuple[str, str]] = []

    @property
    def name(self) -> str:
        """Given and family names."""
        return f"{self.given_name} {self.family_name}"

    @property
    def bare(self) -> bool:
        """Whether there is but a name to tell who it is."""
        return self.document_number is None and not self.phones()

    def phones(self) -> list[str]:
        """All of their phones."""
        return [each for each in (self.phone, *(value for kind, value in self.further if kind == "phone")) if each]

    def reached_by(self) -> list[str]:
        """All of their phones and mail addresses."""
        return [each for each in (self.phone, self.email, *(value for _, value in self.further)) if each]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file with what will come of it.

    Attributes:
        number: the row as a spreadsheet counts.
        outcome: `created`: a new client; `matched`: one whom the clinic knows; `merged`: the client of a row above;
            `error`: nothing, for its problems.
        client_id: the client, or the one who will be; None where there is an error.
        known: whether that client exists already, and `known_as` by which name.
        seen: a digest of what the clinic had that bears upon this row; None where it had nothing.
        first_row: the row that first names the client in this file.
        person: None where the row names nobody and goes on with the client of the row above.
    """

    number: int
    outcome: Outcome
    client_id: UUID | None = None
    known: bool = False
    known_as: str | None = None
    seen: str | None = None
    first_row: int | None = None
    person: Person | None = None
    animals: list[Animal] = []
    problems: list[Problem] = []

    @property
    def warned(self) -> bool:
        """Whether something about it is odd, though it can be imported."""
        return any(not each.error for each in self.problems)


@dataclass
class Import:
    """A file that a clinic hands in, from its first byte to its last patient.

    Attributes:
        sha256: of the whole file, in hex, as whoever hands it in says; checked when it is whole.
        received: bytes that are here.
        last_row: the number of the last row that was checked; checking goes on after it.
        checked: rows that were.
        applied: rows that were, while that is done; it is done for all or for none.
        counts: rows by outcome, those that are odd as `warned`, and `patients` that will be made.
        problem: why it cannot be read (`refused`), or that importing it broke off (`failed`).
        applied_by: the user who had it imported; None where that was done on the machine itself.
        skip_errors: whether rows with errors are left out, and the others imported.
    """

    clinic_id: ClinicId
    id: UUID
    file_name: str
    size: int
    sha256: str
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime
    status: str = "uploading"
    received: int = 0
    layout: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    last_row: int = 0
    checked: int = 0
    applied: int = 0
    skip_errors: bool = False
    checked_at: datetime | None = None
    applied_at: datetime | None = None
    applied_by: UUID | None = None
    counts: dict[str, int] = field(default_factory=dict)
