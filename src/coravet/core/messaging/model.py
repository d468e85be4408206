"""Messages to clients and the links in them, as the database keeps them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId

Channel = Literal["mail", "whatsapp"]
CHANNELS: tuple[Channel, ...] = ("mail", "whatsapp")

MessageKind = Literal[
    "visit_requested",
    "visit_booked",
    "visit_confirmed",
    "visit_moved",
    "visit_cancelled",
    "visit_reminder",
    "vaccine_due",
    "deworming_due",
    "follow_up",
    "waitlist_offer",
]
MessageSubject = Literal["appointment", "hold", "recall"]
MessageStatus = Literal["planned", "waiting", "sent", "skipped", "failed"]
LinkPurpose = Literal["see", "confirm", "reschedule", "cancel", "accept_offer", "opt_out"]


@dataclass
class Message:
    """One thing to tell a client over one channel. Whom, where and in what words is looked up when it is sent.

    Attributes:
        kind, subject_type, subject_id: what it says, and of what: a visit, a held slot, a recall.
        due_at: when it is to be sent, before quiet hours have their say; with the subject, kind and channel it is
            unique, so that nobody is told the same thing twice.
        starts_at: the visit's start when the message was made; a visit that moved since is another message's affair.
        status: `planned` until it is due, `waiting` for a person to send it by hand; then for good `sent`, `skipped`
            or `failed`.
        why: a word for what kept it from being sent.
        attempts: how often it was handed to its channel.
        not_before: it is left alone until then: an attempt is under way or failed, or the clinic's quiet hours last.
        sent_by: the member who sent it by hand.
    """

    clinic_id: ClinicId
    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    channel: str
    due_at: datetime
    starts_at: datetime | None
    status: str = "planned"
    why: str | None = None
    attempts: int = 0
    not_before: datetime | None = None
    sent_at: datetime | None = None
    sent_by: MemberId | None = None


RecallKind = Literal["vaccine_due", "deworming_due", "follow_up"]
ReminderKind = Literal["visit_reminder", "vaccine_due", "deworming_due", "follow_up"]
REMINDERS: frozenset[str] = frozenset({"visit_reminder", "vaccine_due", "deworming_due", "follow_up"})
"""What a clinic sends of its own accord, and a client may do without; all else answers what the client did."""

ChoiceSource = Literal["in_person", "phone", "whatsapp", "portal", "opt_out_link"]


@dataclass
class Recall:
    """A patient that should come again: the day, and at what instant of it reminders are reckoned from.

    Attributes:
        note: what for, as staff wrote it, or what was given the last time; it is not sent.
        source_id: the immunization or deworming that it follows; None for one that staff wrote down.
        settled_by: the immunization or deworming that ended it; None while it is open, and where staff ended it.
    """

    clinic_id: ClinicId
    id: UUID
    patient_id: UUID
    kind: str
    due_on: date
    due_at: datetime
    note: str | None
    created_at: datetime
    closed_at: datetime | None = None
    source_id: UUID | None = None
    settled_by: UUID | None = None


@dataclass
class Choice:
    """What a client decided on one channel, and how we know; the newest of a channel holds, the others are its proof.

    Attributes:
        source: how the client told.
        recorded_by: the member who wrote it down; None where the client did it alone.
    """

    clinic_id: ClinicId
    id: UUID
    client_id: UUID
    channel: str
    allowed: bool
    source: str
    recorded_by: MemberId | None
    chosen_at: datetime


@dataclass
class Link:
    """Something that whoever holds the token may do without signing in. Only the token's hash is kept."""

    clinic_id: ClinicId
    id: UUID
    purpose: str
    subject_id: UUID
    token_hash: bytes
    expires_at: datetime
    revoked_at: datetime | None = None
