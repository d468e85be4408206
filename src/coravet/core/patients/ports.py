"""What clients and patients ask of storage."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table
from coravet.core.legal.model import Shown
from coravet.core.legal.ports import LegalWork
from coravet.core.messaging.ports import Choices
from coravet.core.patients.model import (
    Alert,
    Client,
    Consent,
    ConsentPurpose,
    Contact,
    Death,
    Identifier,
    IdentifierKind,
    Merge,
    Party,
    Patient,
)
from coravet.core.patients.views import (
    AlertView,
    ClientView,
    ConsentView,
    ContactView,
    DeathView,
    DuplicateView,
    FoundView,
    IdentifierView,
    MergeView,
    PartyView,
    PatientView,
)


class Word(msgspec.Struct, frozen=True):
    """One word of a search: what a kept word must begin with.

    Attributes:
        forms: any one of these; several only of a number, which is looked for from its beginning and from its end.
        typos: what else it must begin with where the word was typed with one mistake; none where it is too short.
    """

    forms: tuple[str, ...]
    typos: tuple[str, ...] = ()


class Search(Protocol):
    """The conversation about whom somebody means."""

    async def as_typed(self, words: list[Word], limit: int) -> list[FoundView]:
        """Those whom every word means, best first: clients, patients, and last what else these clients own.

        A word means a client by name, document, phone or mail address; a patient by name, breed and identifiers, and by
        the names and numbers of whom it belongs to now, as long as another word means the patient itself.
        """
        ...

    async def with_a_typo(self, words: list[Word], limit: int, but: list[FoundView]) -> list[FoundView]:
        """As `as_typed`, where one of the words was typed with one mistake; without those that are known already."""
        ...


class PatientReads(Protocol):
    """Clients and patients as readers see them. Single reads raise NotFound."""

    async def client(self, client_id: UUID) -> ClientView: ...

    async def clients(self, page: PageRequest, words: list[Word] | None) -> Page[ClientView]:
        """Clients by family name, where given those whom every word means."""
        ...

    async def patient(self, patient_id: UUID) -> PatientView: ...

    async def patients(self, page: PageRequest, client_id: UUID | None, words: list[Word] | None) -> Page[PatientView]:
        """Patients by name, where given those to whom a client is something now, and whom every word means."""
        ...


class Likeness(msgspec.Struct, frozen=True):
    """What is known of a person who may be a client already.

    Attributes:
        name: folded; an empty one is like nobody's.
        documents: types and numbers, any of which would tell.
        phones: E.164.
    """

    name: str
    documents: list[tuple[str, str]]
    phones: list[str]


class Known(msgspec.Struct, frozen=True):
    """A client whom a guest may be."""

    client_id: UUID
    given_name: str
    family_name: str
    document_type: str | None
    document_number: str | None


class Animal(msgspec.Struct, frozen=True):
    """A living patient of a client."""

    patient_id: UUID
    name: str
    species: str


class Acquaintances(Protocol):
    """The conversation about whom the clinic knows already."""

    async def one_at_a_time(self, words: Iterable[str]) -> None:
        """Until this work ends let nobody else come in under any of these words, in whatever order they are given."""
        ...

    async def clients(self, document_type: str | None, document_number: str | None, phone: str) -> list[Known]:
        """Clients with that document or that phone, in the order in which they were registered."""
        ...

    async def animals(self, client_id: UUID) -> list[Animal]:
        """The client's living patients, in the order in which they were registered; none for an id that is new."""
        ...


class Identifiers(Table[Identifier], Protocol):
    """What patients are told apart by. Change them with the patient locked."""

    async def of(self, patient_id: UUID, identifier_id: UUID) -> Identifier:
        """An identifier that the patient has now, to end. Raises NotFound."""
        ...

    async def has(self, patient_id: UUID, kind: IdentifierKind, value_key: str) -> bool:
        """Whether the patient has it now."""
        ...

    async def views(self, patient_id: UUID, page: PageRequest) -> Page[IdentifierView]:
        """All that the patient has and had, the latest first; one query."""
        ...


class Alerts(Table[Alert], Protocol):
    """What must be known of patients. Change them with the patient locked."""

    async def of(self, patient_id: UUID, alert_id: UUID) -> Alert:
        """An alert of the patient that was not ended, to end. Raises NotFound."""
        ...

    async def views(self, patient_id: UUID, now: datetime, page: PageRequest) -> Page[AlertView]:
        """Those of the patient that show now, the latest first; one query."""
        ...


class Parties(Table[Party], Protocol):
    """Who patients belong to. Change them with the patient locked."""

    async def current(self, patient_id: UUID) -> list[Party]:
        """The patient's relations of now, to read or end."""
        ...

    async def views(self, patient_id: UUID, page: PageRequest) -> Page[PartyView]:
        """All that the patient has and had, the latest first; one query."""
        ...


class Deaths(Protocol):
    """What was recorded of patients' deaths, for good."""

    async def add(self, death: Death) -> None: ...

    async def views(self, patient_id: UUID) -> list[DeathView]:
        """All of a patient's, oldest first; one query."""
        ...


class Clients(Table[Client], Protocol):
    """The clinic's clients. `get` and `lock` raise ClientMerged for one who is another one now.

    Whoever is got is nobody's to merge away until the work ends, so that what refers to them then stays theirs.
    """


class Contacts(Table[Contact], Protocol):
    """Further phones and mail addresses. Change them with the client locked."""

    async def of(self, client_id: UUID) -> list[Contact]:
        """All that a client has, in the order in which they were added."""
        ...

    async def remove(self, client_id: UUID, contact_id: UUID) -> None:
        """Forget one of a client's, and whatever equals it. Raises NotFound."""
        ...

    async def views(self, client_id: UUID, page: PageRequest) -> Page[ContactView]:
        """A client's but for what equals another or their own, in the order in which they were added; one query."""
        ...


class Consents(Protocol):
    """What clients decided, for good."""

    async def add(self, row: Consent) -> None: ...

    async def view(self, client_id: UUID, consent_id: UUID) -> ConsentView:
        """One of them; one query."""
        ...

    async def agreed(self, client_id: UUID, purpose: ConsentPurpose) -> Shown | None:
        """The text by which a client, or whoever was merged into them, last agreed to a purpose."""
        ...

    async def views(self, client_id: UUID, page: PageRequest, *, current: bool) -> Page[ConsentView]:
        """What a client decided, and whoever was merged into them, the latest first; one query.

        A refusal of the channel WhatsApp after they agreed to it is told as a withdrawal, under the choice's id.

        Args:
            current: only what holds of each purpose: the last word, and of what two said before they were merged a
                refusal by either.
        """
        ...


class Duplicates(Protocol):
    """The conversation about who may be one person."""

    async def of_person(self, person: Likeness, limit: int) -> list[DuplicateView]:
        """Clients who may be that person, the likeliest first; one query."""
        ...

    async def of_client(self, client_id: UUID, limit: int) -> list[DuplicateView]:
        """Others who may be the same person as a client, the likeliest first; one query. Raises NotFound."""
        ...


class Merges(Table[Merge], Protocol):
    """Clients who were one person."""

    async def both(self, first: UUID, second: UUID) -> tuple[Client, Client]:
        """Two clients, merged or not, locked in one order whoever asks, after all of their patients.

        Raises:
            NotFound: one of them is nobody here.
        """
        ...

    async def move(self, source: UUID, target: UUID, now: datetime) -> dict[str, list[UUID]]:
        """Make all that is a locked client's another one's; answers the ids of what moved, by table.

        Of two present relations to one patient the weaker is ended at `now`; those are under `ended`.
        """
        ...

    async def put_back(self, merge: Merge) -> list[UUID]:
        """Make what a merge moved the other's again, take away what it added, and reopen what it ended.

        Answers the patients that the other owns again by that.
        """
        ...

    async def view(self, merge_id: UUID) -> MergeView:
        """Raises NotFound."""
        ...

    async def views(self, page: PageRequest, client_id: UUID | None) -> Page[MergeView]:
        """Merges, the latest first, of one client where given; one query."""
        ...


class PatientsWork(LegalWork, Protocol):
    """The unit of work as clients and patients use it."""

    @property
    def clients(self) -> Clients: ...

    @property
    def contacts(self) -> Contacts: ...

    @property
    def consents(self) -> Consents: ...

    @property
    def choices(self) -> Choices: ...

    @property
    def duplicates(self) -> Duplicates: ...

    @property
    def merges(self) -> Merges: ...

    @property
    def patients(self) -> Table[Patient]: ...

    @property
    def parties(self) -> Parties: ...

    @property
    def identifiers(self) -> Identifiers: ...

    @property
    def alerts(self) -> Alerts: ...

    @property
    def deaths(self) -> Deaths: ...

    @property
    def acquaintances(self) -> Acquaintances: ...

    @property
    def patient_reads(self) -> PatientReads: ...

    @property
    def search(self) -> Search: ...
