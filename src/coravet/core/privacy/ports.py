"""What privacy asks of storage and of channels."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec

from coravet.core.exchange.ports import KeptFile, TableColumn
from coravet.core.kernel.actor import ClinicId, MemberId
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.messaging.ports import Letter, MessagingWork
from coravet.core.patients.ports import PatientsWork
from coravet.core.privacy.model import Right, RightsRequest, RightsRequestStep
from coravet.core.privacy.views import RightsRequestSummary, RightsRequestView

ReminderReason = Literal["soon", "due"]


class RightsRequests(Table[RightsRequest], Protocol):
    """What people in the data ask for."""

    async def changes(self, request_id: UUID) -> UUID | None:
        """The client whom executing a request changes, as an objection or a suspension does. Raises NotFound."""
        ...

    async def lift(self, client_id: UUID, request_id: UUID) -> list[tuple[UUID, int]]:
        """Unmark a client as suspended, with whoever was merged into them, unless another request than this holds.

        Answers who changed, with their versions.
        """
        ...

    async def erased(self, request_id: UUID) -> bool:
        """Whether who asks was erased; if not, they are not before the work ends."""
        ...

    async def check_erased(self, client_id: UUID, erasure_id: UUID) -> None:
        """Raises NotFound where that is no erasure of the client, or one that is not completed."""
        ...


class RequestSteps(Protocol):
    """The register of what was done about requests, for good."""

    async def add(self, row: RightsRequestStep) -> None: ...


class RequestReads(Protocol):
    """Rights requests as readers see them."""

    async def request(self, request_id: UUID, now: datetime) -> RightsRequestView:
        """One with its steps; one query. Raises NotFound."""
        ...

    async def requests(
        self, page: PageRequest, now: datetime, right: Right | None, *, open_only: bool | None, overdue: bool
    ) -> Page[RightsRequestSummary]:
        """Open ones by the day on which they are due, then closed ones likewise; one query.

        Args:
            open_only: whether only open ones or only closed ones; None for all.
            overdue: only open ones whose day has passed.
        """
        ...


class Due(msgspec.Struct, frozen=True):
    """A request of which to remind those who handle requests."""

    clinic_id: ClinicId
    request_id: UUID
    version: int
    reason: ReminderReason


class DueNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What a reminder says, and to whom: nothing of who asks."""

    clinic_name: str
    clinic_slug: str
    to: str
    due_on: date


class RequestReminders(Protocol):
    """The conversation about which requests to remind of, in all clinics."""

    async def take(self, now: datetime, limit: int) -> list[Due]:
        """Open requests whose time to be reminded of has come, each reason once however many ask at the same time."""
        ...

    async def holders(self, clinics: Sequence[ClinicId], roles: Sequence[str]) -> list[tuple[ClinicId, MemberId]]:
        """The active members of these clinics who have one of the roles."""
        ...

    async def notice(self, request_id: UUID, member_id: MemberId, roles: Sequence[str]) -> DueNotice | None:
        """What to tell a member of a request; None where it is closed by now, or the member no longer handles them."""
        ...


class RequestsWork(PatientsWork, MessagingWork, Protocol):
    """The unit of work as rights requests use it."""

    @property
    def rights_requests(self) -> RightsRequests: ...

    @property
    def request_steps(self) -> RequestSteps: ...

    @property
    def request_reads(self) -> RequestReads: ...

    @property
    def request_reminders(self) -> RequestReminders: ...


class NotifyOfRequest(Job, frozen=True, tag="privacy.notify"):
    """A member is to be told by mail that a rights request is due soon, or today."""

    request_id: UUID
    member_id: MemberId
    reason: ReminderReason


class NoticeWriter(Protocol):
    """Puts reminders to the clinic's own people into words: Spanish first, then English."""

    def write(self, notice: DueNotice, job: NotifyOfRequest) -> Letter:
        """The reminder as a mail; of one job always under the same message id."""
        ...


class HeldTable(msgspec.Struct, frozen=True):
    """What a table holds on a person.

    Attributes:
        columns: what is handed over of it.
        keys: columns that tell its rows apart.
        inferred: columns that nobody told the clinic: it concluded them.
        rows: by their keys; values as in JSON, instants as RFC 3339 in UTC.
        inferred_rows: rows that are such conclusions as a whole.
    """

    name: str
    columns: list[TableColumn]
    keys: list[str]
    inferred: list[str]
    rows: list[dict[str, Any]]
    inferred_rows: list[dict[str, Any]]


class Held(msgspec.Struct, frozen=True):
    """All that a clinic holds on one person.

    Attributes:
        client_id: of one who was merged into another, the one who stayed.
        tables: all there are, those without rows too.
        files: photos and files of their animals.
    """

    clinic_name: str
    client_id: UUID
    tables: list[HeldTable]
    files: list[KeptFile]


class Holdings(Protocol):
    """The conversation about all that the clinic holds on one person."""

    async def freeze(self) -> None:
        """See everything as it is now until this work ends, and change nothing."""
        ...

    async def of(self, client_id: UUID) -> Held:
        """What is held on a client, and on whoever was merged into them.

        Raises:
            NotFound: no such client here, or one who was erased.
        """
        ...


class HoldingsWork(Work, Protocol):
    """The unit of work as an export for one person uses it."""

    @property
    def holdings(self) -> Holdings: ...
