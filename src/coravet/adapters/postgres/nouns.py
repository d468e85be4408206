"""The work with every noun's ports: what `begin` opens."""

from functools import cached_property

from coravet.adapters.postgres import tables
from coravet.adapters.postgres.exchange.dump import DumpOnPostgres
from coravet.adapters.postgres.exchange.store import (
    ImportBytes,
    ImportReadsOnPostgres,
    ImportRowsOnPostgres,
    ImportsOnPostgres,
    NeighboursOnPostgres,
    NewcomersOnPostgres,
)
from coravet.adapters.postgres.legal.store import AcceptancesOnPostgres, LegalTextsOnPostgres
from coravet.adapters.postgres.media.store import DiscardsOnPostgres, MediaOnPostgres
from coravet.adapters.postgres.messaging.store import (
    ChoiceRows,
    LinkRows,
    MessageReadsOnPostgres,
    MessageRows,
    RecallRows,
    ReminderRulesOnPostgres,
)
from coravet.adapters.postgres.patients.clients import (
    ClientRows,
    ConsentRows,
    ContactRows,
    DuplicatesOnPostgres,
    MergeRows,
)
from coravet.adapters.postgres.patients.search import SearchOnPostgres
from coravet.adapters.postgres.patients.store import (
    AcquaintancesOnPostgres,
    AlertRows,
    DeathsOnPostgres,
    IdentifierRows,
    PartyRows,
    PatientReadsOnPostgres,
    PatientRows,
)
from coravet.adapters.postgres.privacy.accounts import AccountsOnPostgres
from coravet.adapters.postgres.privacy.departures import ClearingOnPostgres, DeparturesOnPostgres
from coravet.adapters.postgres.privacy.erasure import ErasuresOnPostgres
from coravet.adapters.postgres.privacy.erasure_reads import ErasureReadsOnPostgres, RetentionOnPostgres
from coravet.adapters.postgres.privacy.holdings import HoldingsOnPostgres
from coravet.adapters.postgres.privacy.registered import RegisteredOnPostgres
from coravet.adapters.postgres.privacy.requests import (
    RequestReadsOnPostgres,
    RequestRemindersOnPostgres,
    RightsRequestRows,
)
from coravet.adapters.postgres.records.documents import DocumentRows
from coravet.adapters.postgres.records.sheets import SheetsOnPostgres
from coravet.adapters.postgres.records.store import (
    ChartsOnPostgres,
    NotesAsideOnPostgres,
    RecordReadsOnPostgres,
    SignersOnPostgres,
)
from coravet.adapters.postgres.records.treatments import (
    AllergyReadsOnPostgres,
    DuesOnPostgres,
    PrescriptionReadsOnPostgres,
    PrescriptionRows,
    ProtocolsOnPostgres,
    TreatmentReadsOnPostgres,
    VetsOnPostgres,
)
from coravet.adapters.postgres.scheduling.catalogue import CatalogueOnPostgres
from coravet.adapters.postgres.scheduling.diary import DiaryOnPostgres, HoldRows
from coravet.adapters.postgres.scheduling.feeds import FeedRows
from coravet.adapters.postgres.scheduling.history import HistoryOnPostgres
from coravet.adapters.postgres.scheduling.offers import OffersOnPostgres
from coravet.adapters.postgres.scheduling.reads import ScheduleReadsOnPostgres
from coravet.adapters.postgres.scheduling.upcoming import UpcomingOnPostgres
from coravet.adapters.postgres.scheduling.waitlist import WaitlistRows
from coravet.adapters.postgres.tenancy.store import (
    ClinicRows,
    EndedSessions,
    InvitationRows,
    MemberRows,
    OperatorsOnPostgres,
)
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.patients.model import Client, Patient
from coravet.core.privacy.model import RightsRequestStep
from coravet.core.records.model import Addendum, Encounter, NoteTemplate, Problem, ProblemChange, Weight
from coravet.core.records.treatments import Allergy, Deworming, Immunization
from coravet.core.scheduling.model import Appointment, Closure, GuestRequest, Resource, Service

__all__ = ["ClinicWork", "tables"]


class ClinicWork(PostgresWork):
    """Satisfies the work of every noun; a port is made when it is first asked for."""

    @cached_property
    def clinics(self) -> ClinicRows:
        return ClinicRows(self)

    @cached_property
    def members(self) -> MemberRows:
        return MemberRows(self)

    @cached_property
    def invitations(self) -> InvitationRows:
        return InvitationRows(self)

    @cached_property
    def sessions(self) -> EndedSessions:
        return EndedSessions(self)

    @cached_property
    def operators(self) -> OperatorsOnPostgres:
        return OperatorsOnPostgres(self)

    @cached_property
    def legal_texts(self) -> LegalTextsOnPostgres:
        return LegalTextsOnPostgres(self)

    @cached_property
    def publishing(self) -> LegalTextsOnPostgres:
        return self.legal_texts

    @cached_property
    def acceptances(self) -> AcceptancesOnPostgres:
        return AcceptancesOnPostgres(self)

    @cached_property
    def chains(self) -> AcceptancesOnPostgres:
        return self.acceptances

    @cached_property
    def media(self) -> MediaOnPostgres:
        return MediaOnPostgres(self)

    @cached_property
    def discards(self) -> DiscardsOnPostgres:
        return DiscardsOnPostgres(self)

    @cached_property
    def messages(self) -> MessageRows:
        return MessageRows(self)

    @cached_property
    def message_reads(self) -> MessageReadsOnPostgres:
        return MessageReadsOnPostgres(self)

    @cached_property
    def reminder_rules(self) -> ReminderRulesOnPostgres:
        return ReminderRulesOnPostgres(self)

    @cached_property
    def choices(self) -> ChoiceRows:
        return ChoiceRows(self)

    @cached_property
    def recalls(self) -> RecallRows:
        return RecallRows(self)

    @cached_property
    def links(self) -> LinkRows:
        return LinkRows(self)

    @cached_property
    def clients(self) -> ClientRows:
        return ClientRows(self.session, Client)

    @cached_property
    def contacts(self) -> ContactRows:
        return ContactRows(self)

    @cached_property
    def consents(self) -> ConsentRows:
        return ConsentRows(self)

    @cached_property
    def duplicates(self) -> DuplicatesOnPostgres:
        return DuplicatesOnPostgres(self)

    @cached_property
    def merges(self) -> MergeRows:
        return MergeRows(self)

    @cached_property
    def patients(self) -> PatientRows:
        return PatientRows(self.session, Patient)

    @cached_property
    def parties(self) -> PartyRows:
        return PartyRows(self)

    @cached_property
    def identifiers(self) -> IdentifierRows:
        return IdentifierRows(self)

    @cached_property
    def alerts(self) -> AlertRows:
        return AlertRows(self)

    @cached_property
    def deaths(self) -> DeathsOnPostgres:
        return DeathsOnPostgres(self)

    @cached_property
    def acquaintances(self) -> AcquaintancesOnPostgres:
        return AcquaintancesOnPostgres(self)

    @cached_property
    def search(self) -> SearchOnPostgres:
        return SearchOnPostgres(self)

    @cached_property
    def patient_reads(self) -> PatientReadsOnPostgres:
        return PatientReadsOnPostgres(self)

    @cached_property
    def services(self) -> Rows[Service]:
        return Rows(self.session, Service)

    @cached_property
    def resources(self) -> Rows[Resource]:
        return Rows(self.session, Resource)

    @cached_property
    def closures(self) -> Rows[Closure]:
        return Rows(self.session, Closure)

    @cached_property
    def appointments(self) -> Rows[Appointment]:
        return Rows(self.session, Appointment)

    @cached_property
    def holds(self) -> HoldRows:
        return HoldRows(self)

    @cached_property
    def guest_requests(self) -> Rows[GuestRequest]:
        return Rows(self.session, GuestRequest)

    @cached_property
    def waitlist(self) -> WaitlistRows:
        return WaitlistRows(self)

    @cached_property
    def upcoming(self) -> UpcomingOnPostgres:
        return UpcomingOnPostgres(self)

    @cached_property
    def offers(self) -> OffersOnPostgres:
        return OffersOnPostgres(self)

    @cached_property
    def diary(self) -> DiaryOnPostgres:
        return DiaryOnPostgres(self)

    @cached_property
    def history(self) -> HistoryOnPostgres:
        return HistoryOnPostgres(self)

    @cached_property
    def catalogue(self) -> CatalogueOnPostgres:
        return CatalogueOnPostgres(self)

    @cached_property
    def feeds(self) -> FeedRows:
        return FeedRows(self)

    @cached_property
    def schedule_reads(self) -> ScheduleReadsOnPostgres:
        return ScheduleReadsOnPostgres(self)

    @cached_property
    def encounters(self) -> Rows[Encounter]:
        return Rows(self.session, Encounter)

    @cached_property
    def addenda(self) -> Rows[Addendum]:
        return Rows(self.session, Addendum)

    @cached_property
    def weights(self) -> Rows[Weight]:
        return Rows(self.session, Weight)

    @cached_property
    def problems(self) -> Rows[Problem]:
        return Rows(self.session, Problem)

    @cached_property
    def problem_changes(self) -> Rows[ProblemChange]:
        return Rows(self.session, ProblemChange)

    @cached_property
    def note_templates(self) -> Rows[NoteTemplate]:
        return Rows(self.session, NoteTemplate)

    @cached_property
    def notes_aside(self) -> NotesAsideOnPostgres:
        return NotesAsideOnPostgres(self)

    @cached_property
    def signers(self) -> SignersOnPostgres:
        return SignersOnPostgres(self)

    @cached_property
    def charts(self) -> ChartsOnPostgres:
        return ChartsOnPostgres(self)

    @cached_property
    def record_reads(self) -> RecordReadsOnPostgres:
        return RecordReadsOnPostgres(self)

    @cached_property
    def immunizations(self) -> Rows[Immunization]:
        return Rows(self.session, Immunization)

    @cached_property
    def dewormings(self) -> Rows[Deworming]:
        return Rows(self.session, Deworming)

    @cached_property
    def prescriptions(self) -> PrescriptionRows:
        return PrescriptionRows(self)

    @cached_property
    def allergies(self) -> Rows[Allergy]:
        return Rows(self.session, Allergy)

    @cached_property
    def dues(self) -> DuesOnPostgres:
        return DuesOnPostgres(self)

    @cached_property
    def vets(self) -> VetsOnPostgres:
        return VetsOnPostgres(self)

    @cached_property
    def protocols(self) -> ProtocolsOnPostgres:
        return ProtocolsOnPostgres(self)

    @cached_property
    def treatment_reads(self) -> TreatmentReadsOnPostgres:
        return TreatmentReadsOnPostgres(self)

    @cached_property
    def prescription_reads(self) -> PrescriptionReadsOnPostgres:
        return PrescriptionReadsOnPostgres(self)

    @cached_property
    def allergy_reads(self) -> AllergyReadsOnPostgres:
        return AllergyReadsOnPostgres(self)

    @cached_property
    def imports(self) -> ImportsOnPostgres:
        return ImportsOnPostgres(self)

    @cached_property
    def import_bytes(self) -> ImportBytes:
        return ImportBytes(self)

    @cached_property
    def import_rows(self) -> ImportRowsOnPostgres:
        return ImportRowsOnPostgres(self)

    @cached_property
    def import_reads(self) -> ImportReadsOnPostgres:
        return ImportReadsOnPostgres(self)

    @cached_property
    def neighbours(self) -> NeighboursOnPostgres:
        return NeighboursOnPostgres(self)

    @cached_property
    def newcomers(self) -> NewcomersOnPostgres:
        return NewcomersOnPostgres(self)

    @cached_property
    def documents(self) -> DocumentRows:
        return DocumentRows(self)

    @cached_property
    def sheets(self) -> SheetsOnPostgres:
        return SheetsOnPostgres(self)

    @cached_property
    def accounts(self) -> AccountsOnPostgres:
        return AccountsOnPostgres(self)

    @cached_property
    def departures(self) -> DeparturesOnPostgres:
        return DeparturesOnPostgres(self)

    @cached_property
    def clearing(self) -> ClearingOnPostgres:
        return ClearingOnPostgres(self)

    @cached_property
    def dump(self) -> DumpOnPostgres:
        return DumpOnPostgres(self)

    @cached_property
    def rights_requests(self) -> RightsRequestRows:
        return RightsRequestRows(self)

    @cached_property
    def request_steps(self) -> Rows[RightsRequestStep]:
        return Rows(self.session, RightsRequestStep)

    @cached_property
    def request_reads(self) -> RequestReadsOnPostgres:
        return RequestReadsOnPostgres(self)

    @cached_property
    def request_reminders(self) -> RequestRemindersOnPostgres:
        return RequestRemindersOnPostgres(self)

    @cached_property
    def erasures(self) -> ErasuresOnPostgres:
        return ErasuresOnPostgres(self)

    @cached_property
    def erasure_reads(self) -> ErasureReadsOnPostgres:
        return ErasureReadsOnPostgres(self)

    @cached_property
    def retention(self) -> RetentionOnPostgres:
        return RetentionOnPostgres(self)

    @cached_property
    def holdings(self) -> HoldingsOnPostgres:
        return HoldingsOnPostgres(self)

    @cached_property
    def registered(self) -> RegisteredOnPostgres:
        return RegisteredOnPostgres(self)
