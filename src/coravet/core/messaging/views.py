"""What readers of messages are shown, and what is so of a message when it is sent."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import MemberId
from coravet.core.messaging.model import Channel, ReminderKind
from coravet.core.messaging.quiet import QuietHours

LONGEST_NOTICE = 366 * 24 * 60


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that a message says or is stopped by, as it is at one moment. Fields of what it is not about are None.

    Attributes:
        address: where the client is reached over the message's channel: a mail address, or a phone in E.164.
        allowed: the client's last choice on the channel; None where none was ever taken down.
        deceased, client_deceased: the patient, and who would be told of it.
        client_suspended: who would be told has their data contested: it is kept, and used for nothing (LOPDP art. 19).
        visit_status, starts_at, ends_at, version: the visit's; of one that is offered, the state is that of who waits.
        later: the kinds of what the client was to be told over the channel since, of the visit as it lies now.
        due_on, closed: the recall's.
    """

    clinic_name: str
    time_zone: str
    quiet: QuietHours | None
    client_id: UUID | None
    given_name: str | None
    client_name: str | None
    address: str | None
    allowed: bool | None
    patient_name: str | None
    deceased: bool
    client_deceased: bool
    client_suspended: bool
    service_name: str | None
    visit_status: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    version: int | None
    later: frozenset[str]
    due_on: date | None
    closed: bool


class ReminderRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Remind of it over one channel so long before.

    Attributes:
        minutes_before: before a visit starts, or before nine in the morning of a recall's day; elapsed minutes, so
            that where clocks change between the two a day's notice is 24 hours.
    """

    kind: ReminderKind
    channel: Channel
    minutes_before: Annotated[int, Meta(ge=0, le=LONGEST_NOTICE)]
    enabled: bool = True


class RemindersView(msgspec.Struct, frozen=True):
    """How a clinic reminds."""

    rules: list[ReminderRule]
    quiet_hours: QuietHours | None


class ChoiceView(msgspec.Struct, frozen=True):
    """What a client decided on a channel, how we know, and since when; never decided: not allowed, and no source."""

    allowed: bool
    source: str | None
    recorded_by: MemberId | None
    chosen_at: datetime | None


class ChannelsView(msgspec.Struct, frozen=True):
    """Over which channels a client wants to be reminded. `id` and `version` are the client's."""

    id: UUID
    mail: ChoiceView
    whatsapp: ChoiceView
    version: int


class OptOutView(msgspec.Struct, frozen=True):
    """What a link that ends reminders by mail is for, and whether they have ended."""

    clinic_name: str
    ended: bool


class RecallView(msgspec.Struct, frozen=True):
    """A patient that should come again on a day of the clinic."""

    id: UUID
    kind: str
    patient_id: UUID
    patient_name: str
    client_id: UUID
    client_name: str
    due_on: date
    note: str | None


class MessageView(msgspec.Struct, frozen=True):
    """A message, and for one that waits to be sent by hand the address that opens it.

    Attributes:
        why: a word for why it was or is not to be sent.
        url: opens WhatsApp with the text in it; None unless it waits and still holds.
    """

    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    channel: str
    due_at: datetime
    status: str
    why: str | None
    attempts: int
    sent_at: datetime | None
    sent_by: MemberId | None
    client_id: UUID | None
    client_name: str | None
    patient_name: str | None
    starts_at: datetime | None
    url: str | None = None
