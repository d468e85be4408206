"""What the clinical record asks of storage."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.patients.ports import PatientsWork
from coravet.core.records.model import (
    Addendum,
    Document,
    Encounter,
    NoteTemplate,
    Problem,
    ProblemChange,
    SetAside,
    Weight,
)
from coravet.core.records.sheets import SheetKind, Sheets
from coravet.core.records.views import (
    DocumentView,
    EncounterSummary,
    EncounterView,
    NoteTemplateView,
    ProblemView,
    TimelineEntry,
    WeightView,
)
from coravet.core.scheduling.model import Appointment


class Signer(msgspec.Struct, frozen=True):
    """A member as what they write names them."""

    name: str
    registration_number: str | None


class Signers(Protocol):
    """The conversation about who writes."""

    async def signer(self, member_id: MemberId) -> Signer:
        """The member. Raises NotFound."""
        ...


class Chart(msgspec.Struct, frozen=True):
    """What an exam compares with: the patient, and its last weight before a moment."""

    species: str
    birth_date: date | None
    deceased_on: date | None
    weight_kg: Decimal | None
    weighed_at: datetime | None


class Charts(Protocol):
    """The conversation about what is known of a patient when it is examined."""

    async def chart(self, patient_id: UUID, before: datetime, *, but: UUID | None = None) -> Chart:
        """The patient with its last weight before then, of encounters and scales; `but` one encounter.

        Raises:
            NotFound: no such patient here.
        """
        ...


class NotesAside(Protocol):
    """The conversation about texts that lost a race."""

    async def put(self, note: SetAside) -> UUID:
        """Keep it and answer its id; the same text of the same encounter is kept once."""
        ...

    async def lock(self, note_id: UUID) -> SetAside:
        """One that was kept, until the work ends. Raises NotFound."""
        ...


TimelineKind = Literal[
    "encounter", "immunization", "deworming", "prescription", "weight", "problem", "allergy", "attachment"
]
"""What a patient's timeline is made of."""


class RecordReads(Protocol):
    """The clinical record as readers see it, one query each. What is of nothing, or of no patient, raises NotFound."""

    async def encounter(self, encounter_id: UUID) -> EncounterView: ...

    async def encounters(
        self, page: PageRequest, patient_id: UUID | None, appointment_id: UUID | None, *, unsigned: bool
    ) -> Page[EncounterSummary]:
        """Encounters, the newest first, of one patient or booked visit where given; `unsigned`: only drafts."""
        ...

    async def problem(self, problem_id: UUID) -> ProblemView: ...

    async def problems(self, page: PageRequest, patient_id: UUID) -> Page[ProblemView]:
        """A patient's problems, the active first."""
        ...

    async def templates(self, page: PageRequest, *, retired: bool) -> Page[NoteTemplateView]:
        """Templates in use by name, or those that are `retired`."""
        ...

    async def timeline(
        self, page: PageRequest, patient_id: UUID, kinds: frozenset[TimelineKind]
    ) -> Page[TimelineEntry]:
        """What was found, done and given to a patient, the newest first."""
        ...

    async def weights(self, page: PageRequest, patient_id: UUID) -> Page[WeightView]:
        """A patient's weights of encounters and scales, the newest first; what was entered in error is left out."""
        ...


class Documents(Table[Document], Protocol):
    """The conversation about sheets that were handed out."""

    async def next_number(self) -> int:
        """The number of the next one. Until this work ends nobody else is given one, or withdraws by subject."""
        ...

    async def latest(self, kind: SheetKind, subject_id: UUID) -> Document | None:
        """The last one that was issued of a subject; changes to it are not stored."""
        ...

    async def withdraw(
        self, subjects: list[tuple[SheetKind, UUID]], since: datetime, at: datetime, by: MemberId | None, reason: str
    ) -> None:
        """Withdraw what was issued of these subjects since then and is valid, and let nobody issue meanwhile."""
        ...

    async def view(self, document_id: UUID) -> DocumentView:
        """One of them. Raises NotFound."""
        ...

    async def views(self, page: PageRequest, patient_id: UUID | None) -> Page[DocumentView]:
        """Those of a patient, or all; the newest first."""
        ...


class DocumentsWork(Work, Protocol):
    """The unit of work as documents use it."""

    @property
    def documents(self) -> Documents: ...

    @property
    def sheets(self) -> Sheets: ...


class RecordsWork(DocumentsWork, PatientsWork, Protocol):
    """The unit of work as the clinical record uses it."""

    @property
    def appointments(self) -> Table[Appointment]: ...

    @property
    def encounters(self) -> Table[Encounter]: ...

    @property
    def addenda(self) -> Table[Addendum]: ...

    @property
    def weights(self) -> Table[Weight]: ...

    @property
    def problems(self) -> Table[Problem]: ...

    @property
    def problem_changes(self) -> Table[ProblemChange]: ...

    @property
    def note_templates(self) -> Table[NoteTemplate]: ...

    @property
    def notes_aside(self) -> NotesAside: ...

    @property
    def signers(self) -> Signers: ...

    @property
    def charts(self) -> Charts: ...

    @property
    def record_reads(self) -> RecordReads: ...
