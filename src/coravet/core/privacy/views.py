"""What readers of rights requests are shown."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from coravet.core.patients.views import MemberRef


class RequestSubject(msgspec.Struct, frozen=True):
    """Who asks: a client with their id, or somebody else with how they are reached."""

    client_id: UUID | None
    name: str | None
    contact: str | None


class IdentityView(msgspec.Struct, frozen=True):
    """How and when the person proved who they are."""

    method: str
    at: datetime


class ClarificationView(msgspec.Struct, frozen=True):
    """The one clarification; `until` is the last clinic day on which it may be answered."""

    asked_at: datetime
    until: date
    answered_at: datetime | None


class RequestDecisionView(msgspec.Struct, frozen=True):
    """How the clinic decided, and why not in full."""

    outcome: str
    basis: str | None
    at: datetime


class RequestStepView(msgspec.Struct, frozen=True):
    """One thing that was done about a request, by which member, and the status that it led to.

    Attributes:
        due_on: the day computed at receipt; of that step alone.
        text: None where nothing was said, or the person was erased.
    """

    step: str
    status: str
    at: datetime
    by: MemberRef | None
    due_on: date | None
    method: str | None
    outcome: str | None
    basis: str | None
    reference: UUID | None
    recipients_told: bool | None
    text: str | None


class RightsRequestSummary(msgspec.Struct, frozen=True):
    """A rights request as lists show it.

    Attributes:
        due_on: the last clinic day on which it is in time.
        late: it was closed after that day, or is open and the day has passed.
    """

    id: UUID
    right: str
    status: str
    subject: RequestSubject
    channel: str
    received_at: datetime
    due_on: date
    late: bool
    closed_at: datetime | None
    version: int


class RightsRequestView(msgspec.Struct, frozen=True):
    """A rights request with all that was done about it, oldest first.

    Attributes:
        due_on, late: as in lists.
        opened_at: when it was written down here.
        asked: None once the person was erased.
        executed_reference: the erasure's or export's id.
        lifted_at: when the suspension that it brought about ended.
    """

    id: UUID
    right: str
    status: str
    subject: RequestSubject
    minor: bool
    representative: str | None
    channel: str
    asked: str | None
    received_at: datetime
    opened_at: datetime
    due_on: date
    late: bool
    identity: IdentityView | None
    clarification: ClarificationView | None
    decision: RequestDecisionView | None
    executed_at: datetime | None
    executed_reference: UUID | None
    lifted_at: datetime | None
    closed_at: datetime | None
    version: int
    steps: list[RequestStepView]
