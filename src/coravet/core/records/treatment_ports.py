"""What treatments ask of storage."""

from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table
from coravet.core.messaging.model import Recall
from coravet.core.messaging.ports import Recalls
from coravet.core.records.ports import RecordsWork, Signer
from coravet.core.records.treatment_views import (
    AllergyView,
    DewormingView,
    ImmunizationView,
    PrescriptionView,
    ProtocolEntry,
)
from coravet.core.records.treatments import Allergy, Deworming, Immunization, Prescription, PrescriptionItem

DueKind = Literal["vaccine_due", "deworming_due"]


class Given(msgspec.Struct, frozen=True):
    """A dose that stands, as the next ones are reckoned from it.

    Attributes:
        name: of the vaccine or product.
        covers: codes of the protocol's entries.
        due_days: of each of them in turn, when its next dose is due; None where none is.
    """

    id: UUID
    name: str
    covers: list[str]
    administered_at: datetime
    due_days: list[date | None]


class Dues(Protocol):
    """The conversation about what a patient had and when it should come again."""

    async def given(self, patient_id: UUID, kind: DueKind) -> list[Given]:
        """Its doses of that kind that were not entered in error, the oldest first."""
        ...

    async def recalls(self, patient_id: UUID, kind: DueKind) -> list[Recall]:
        """Its recalls of that kind, open or closed; changes to them are stored, and others who change them wait."""
        ...


class Vets(Protocol):
    """The conversation about who treats."""

    async def vet(self, member_id: MemberId) -> Signer | None:
        """A member, present or past, as what they give names them; None where they are no vet. Raises NotFound."""
        ...


class KnownAllergy(msgspec.Struct, frozen=True):
    """An allergy that holds."""

    substance: str
    severity: str


class ClinicProtocols(Protocol):
    """The conversation about what a clinic keeps to instead of what is shipped."""

    async def own(self) -> list[ProtocolEntry]:
        """Its entries; none where it has not set any."""
        ...

    async def replace(self, entries: list[ProtocolEntry]) -> int:
        """Instead of any before; answers the clinic's version from now on."""
        ...


class Prescriptions(Table[Prescription], Protocol):
    """What was prescribed."""

    async def issue(self, prescription: Prescription, items: list[PrescriptionItem]) -> None:
        """Store a new one with its items, as many as it counts."""
        ...


class TreatmentReads(Protocol):
    """Treatments as readers see them, one query each. Reads of one thing, or of one patient's, raise NotFound."""

    async def immunization(self, immunization_id: UUID) -> ImmunizationView: ...

    async def immunizations(self, page: PageRequest, patient_id: UUID) -> Page[ImmunizationView]:
        """A patient's, the last given first, those entered in error included."""
        ...

    async def deworming(self, deworming_id: UUID) -> DewormingView: ...

    async def dewormings(self, page: PageRequest, patient_id: UUID) -> Page[DewormingView]:
        """As `immunizations`."""
        ...


class PrescriptionReads(Protocol):
    """Prescriptions as readers see them; as `TreatmentReads`."""

    async def prescription(self, prescription_id: UUID) -> PrescriptionView: ...

    async def prescriptions(self, page: PageRequest, patient_id: UUID) -> Page[PrescriptionView]:
        """A patient's, the newest first, each with its items."""
        ...


class AllergyReads(Protocol):
    """Allergies as readers see them; as `TreatmentReads`."""

    async def allergy(self, allergy_id: UUID) -> AllergyView: ...

    async def allergies(self, page: PageRequest, patient_id: UUID) -> Page[AllergyView]:
        """A patient's, the newest first, resolved ones and those entered in error included."""
        ...

    async def known(self, patient_id: UUID) -> list[KnownAllergy]:
        """Those that hold now."""
        ...


class TreatmentsWork(RecordsWork, Protocol):
    """The unit of work as treatments use it."""

    @property
    def recalls(self) -> Recalls: ...

    @property
    def immunizations(self) -> Table[Immunization]: ...

    @property
    def dewormings(self) -> Table[Deworming]: ...

    @property
    def prescriptions(self) -> Prescriptions: ...

    @property
    def allergies(self) -> Table[Allergy]: ...

    @property
    def dues(self) -> Dues: ...

    @property
    def vets(self) -> Vets: ...

    @property
    def protocols(self) -> ClinicProtocols: ...

    @property
    def treatment_reads(self) -> TreatmentReads: ...

    @property
    def prescription_reads(self) -> PrescriptionReads: ...

    @property
    def allergy_reads(self) -> AllergyReads: ...
