"""What clients and patients ask of storage."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.patients.model import Client, Party, Patient
from coravet.core.patients.views import ClientView, FoundView, PatientView


class PatientReads(Protocol):
    """Clients and patients as readers see them. Single reads raise NotFound."""

    async def client(self, client_id: UUID) -> ClientView: ...

    async def clients(self, page: PageRequest, search: str | None) -> Page[ClientView]:
        """Clients by family name; `search` is folded text that their search key must contain."""
        ...

    async def patient(self, patient_id: UUID) -> PatientView: ...

    async def patients(self, page: PageRequest, client_id: UUID | None, search: str | None) -> Page[PatientView]:
        """Patients by name, of one client where given."""
        ...

    async def search(self, words: list[str], limit: int) -> list[FoundView]:
        """Clients and patients whose search key contains every folded word, names that begin so first."""
        ...


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


class PatientsWork(Work, Protocol):
    """The unit of work as clients and patients use it."""

    @property
    def clients(self) -> Table[Client]: ...

    @property
    def patients(self) -> Table[Patient]: ...

    @property
    def parties(self) -> Table[Party]: ...

    @property
    def acquaintances(self) -> Acquaintances: ...

    @property
    def patient_reads(self) -> PatientReads: ...
