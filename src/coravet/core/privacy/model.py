"""What people in the data ask for under the law, and what was done about it, as the database keeps it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId

Right = Literal["access", "correction", "erasure", "portability", "objection", "suspension", "automated_decision"]
"""LOPDP arts. 13, 14, 15, 17, 16, 19 and 20."""

RequestChannel = Literal["in_person", "phone", "whatsapp", "mail", "letter", "portal"]
RequestStatus = Literal["received", "identified", "decided", "executed", "closed"]
IdentityMethod = Literal["document_shown", "known_in_person", "confirmed_contact", "electronic_signature"]
"""How the clinic made sure who asks. What was shown is given back: no copy and no number of it is kept."""

RequestDecision = Literal["granted", "partly", "refused"]
RefusalBasis = Literal[
    "legal_duty",
    "contract",
    "claims",
    "public_interest",
    "third_parties",
    "identity_not_proven",
    "not_clarified",
]
"""Why a request is not granted in full: an exception of LOPDP art. 18, or that it cannot be acted upon."""

RequestStep = Literal["prove_identity", "ask", "clarify", "decide", "execute", "close", "withdraw", "lift"]
"""What may be done about a request after its receipt."""


@dataclass
class RightsRequest:
    """What somebody asks of the clinic as a person in its data.

    Attributes:
        kind: the right.
        client_id: who asks, where that is a client; else `subject_name` and `subject_contact` say who.
        minor: the person is under fifteen, so that `representative` (name and relation) asks for them.
        asked: in the person's own words, or as they were taken down.
        received_at: when it reached the clinic, on whatever paper; the terms run from that day.
        due_on: the last clinic day on which it is in time, computed at receipt; that day ends at `due_at`.
        soon_at, due_day_at: when whoever handles requests is reminded of it.
        outcome: the decision, or `withdrawn` where the person took the request back.
        clarification_until: the last clinic day on which the one clarification may be answered.
        executed_reference: what was made of it: the erasure's id, or the export's.
        lifted_at: when a suspension that it brought about ended.
    """

    clinic_id: ClinicId
    id: UUID
    kind: str
    client_id: UUID | None
    subject_name: str | None
    subject_contact: str | None
    minor: bool
    representative: str | None
    channel: str
    asked: str | None
    received_at: datetime
    opened_at: datetime
    opened_by: MemberId | None
    due_on: date
    due_at: datetime
    soon_at: datetime
    due_day_at: datetime
    status: str = "received"
    identity_method: str | None = None
    identified_at: datetime | None = None
    clarification_asked_at: datetime | None = None
    clarification_until: date | None = None
    clarified_at: datetime | None = None
    outcome: str | None = None
    basis: str | None = None
    decided_at: datetime | None = None
    executed_at: datetime | None = None
    executed_reference: UUID | None = None
    closed_at: datetime | None = None
    lifted_at: datetime | None = None
    version: int = 1


@dataclass
class RightsRequestStep:
    """One thing that was done about a request, for good.

    Attributes:
        status: the request's from then on.
        due_on: the day that was computed; of the receipt alone.
        text: the question, the answer, or what else was said; erasing the person clears it.
    """

    clinic_id: ClinicId
    id: UUID
    request_id: UUID
    step: str
    status: str
    at: datetime
    member_id: MemberId | None
    due_on: date | None = None
    method: str | None = None
    outcome: str | None = None
    basis: str | None = None
    reference: UUID | None = None
    recipients_told: bool | None = None
    text: str | None = None
