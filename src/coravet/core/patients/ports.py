"""What clients and patients ask of storage."""

from typing import Protocol
from uuid import UUID

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


class PatientsWork(Work, Protocol):
    """The unit of work as clients and patients use it."""

    @property
    def clients(self) -> Table[Client]: ...

    @property
    def patients(self) -> Table[Patient]: ...

    @property
    def parties(self) -> Table[Party]: ...

    @property
    def patient_reads(self) -> PatientReads: ...
