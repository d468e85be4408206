"""Messages to clients and the links in them, as the database keeps them."""

from dataclasses import dataclass
from datetime import datetime
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
LinkPurpose = Literal["see", "confirm", "reschedule", "cancel", "accept_offer"]


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
        claimed_until: until when an attempt under way is not joined by a second.
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
    claimed_until: datetime | None = None
    sent_at: datetime | None = None
    sent_by: MemberId | None = None


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
