"""What messaging asks of storage, of writers and of channels."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.messaging.model import (
    Channel,
    Choice,
    Link,
    LinkPurpose,
    Message,
    MessageKind,
    MessageStatus,
    MessageSubject,
    Recall,
)
from coravet.core.messaging.quiet import QuietHours
from coravet.core.messaging.views import ChannelsView, Facts, RecallView, ReminderRule, RemindersView


class SendMessage(Job, frozen=True, tag="message.send"):
    """A message is due, or due again."""

    message_id: UUID


class NewMessage(msgspec.Struct, frozen=True):
    """Something to tell a client, once it is due."""

    kind: MessageKind
    subject_type: MessageSubject
    subject_id: UUID
    due_at: datetime


class Planned(msgspec.Struct, frozen=True):
    """A message that is to be sent: the clinic's, and when."""

    clinic_id: ClinicId
    id: UUID
    at: datetime


class Messages(Table[Message], Protocol):
    """What is told, was told and is to be told."""

    async def queue(self, message: NewMessage) -> None:
        """Have it sent over every channel from `due_at` on, once: one that is there already stays as it is.

        Whether it still holds, where it goes and whether the client wants it there is asked when it is sent.
        """
        ...

    async def plan(self, since: datetime, until: datetime, limit: int) -> list[Planned]:
        """In all clinics, make the reminders that fall due within `[since, until)` by their rules, up to `limit`.

        One statement; those that are there already are passed over.
        """
        ...

    async def overdue(self, before: datetime, last: Planned | None, limit: int) -> list[Planned]:
        """In all clinics, what should have been sent before an instant and was not; oldest first, after `last`."""
        ...

    async def withdraw(self, patient_id: UUID, why: str) -> int:
        """Skip all that is planned, or waits to be sent by hand, about a patient; answers how much that was."""
        ...

    async def let_go(self, now: datetime) -> None:
        """In all clinics, skip what waits to be sent by hand for a visit that has begun."""
        ...


class MessageReads(Protocol):
    """Messages as readers see them, and what is so of them."""

    async def facts(self, message_id: UUID) -> Facts:
        """What is so of a message now. Raises NotFound."""
        ...

    async def messages(
        self, page: PageRequest, channel: Channel | None, status: MessageStatus | None
    ) -> Page[tuple[Message, Facts]]:
        """Messages with what is so of them, the last due first; one query."""
        ...

    async def reminders(self) -> RemindersView:
        """How the clinic reminds."""
        ...

    async def clinic_name(self) -> str:
        """What the clinic calls itself."""
        ...

    async def channels(self, client_id: UUID) -> ChannelsView:
        """A client's choices. Raises NotFound."""
        ...

    async def recalls(self, page: PageRequest, patient_id: UUID | None) -> Page[RecallView]:
        """Open recalls of patients that live, the next first, of one patient where given."""
        ...

    async def recall(self, recall_id: UUID) -> RecallView:
        """An open recall. Raises NotFound."""
        ...


class ReminderRules(Protocol):
    """How the clinic reminds."""

    async def replace(self, rules: list[ReminderRule], quiet: QuietHours | None) -> int:
        """Instead of any before; answers the clinic's version from now on. Of several at once one is stored, whole."""
        ...


class Choices(Table[Choice], Protocol):
    """What clients decided."""

    async def change(self, client_id: UUID) -> int:
        """Count one more change of the client, whose version is the answer; others who change them wait.

        Raises:
            NotFound: no such client here.
        """
        ...


class Recalls(Table[Recall], Protocol):
    """Patients that should come again."""

    async def lives(self, patient_id: UUID) -> bool:
        """Whether a patient lives, which nobody changes until the work ends. Raises NotFound."""
        ...

    async def close(self, patient_id: UUID, at: datetime) -> int:
        """Close all that are open for a patient; answers how many those were."""
        ...


class Links(Table[Link], Protocol):
    """What may be done without signing in."""

    async def revoke(self, subject_ids: Sequence[UUID], at: datetime) -> None:
        """End every link to these subjects."""
        ...

    async def prolong(self, subject_id: UUID, until: datetime, now: datetime) -> None:
        """Let the links to a subject that are good now be good until then at least."""
        ...


class MessagingWork(Work, Protocol):
    """The unit of work as messaging uses it."""

    @property
    def messages(self) -> Messages: ...

    @property
    def message_reads(self) -> MessageReads: ...

    @property
    def reminder_rules(self) -> ReminderRules: ...

    @property
    def choices(self) -> Choices: ...

    @property
    def recalls(self) -> Recalls: ...

    @property
    def links(self) -> Links: ...


class Attachment(msgspec.Struct, frozen=True):
    """An iCalendar object: a visit to keep (`PUBLISH`), or one that is called off (`CANCEL`)."""

    content: bytes
    method: Literal["PUBLISH", "CANCEL"]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message in words, on its way to one client.

    Attributes:
        to: a mail address, or a phone in E.164.
        sender: the clinic's name.
        subject: one line, for channels that have one.
        text: all of it, for people.
        parts: what the text names, in an order of the kind's own, for channels that only fill in texts approved before.
        opt_out: opens the page on which the client ends such messages; None for what is no reminder.
    """

    message_id: UUID
    kind: str
    channel: str
    to: str
    sender: str
    subject: str
    text: str
    parts: list[str]
    calendar: Attachment | None = None
    opt_out: str | None = None


class Writer(Protocol):
    """Puts messages into words: Spanish first, then English where there is room."""

    def write(self, message: Message, facts: Facts, tokens: Mapping[LinkPurpose, str], now: datetime) -> Letter:
        """The message as it is told now.

        Args:
            facts: with an address.
            tokens: of the links that it may hold.
        """
        ...


class NotDelivered(Exception):
    """A channel did not take a letter.

    Attributes:
        why: a word for it, without personal data.
        again: whether the same letter may be taken later.
    """

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.why = why
        self.again = again


class Messenger(Protocol):
    """One channel."""

    async def deliver(self, letter: Letter) -> Literal["sent", "waiting"]:
        """Hand a letter over; `waiting` where a person is to send it.

        A letter may come twice, after a crash between being taken and being written down as sent; it has the same
        message id.

        Raises:
            NotDelivered: it was not taken.
        """
        ...


Messengers = Mapping[str, Messenger]
"""The channels that are set up; one that is not there sends nothing."""


class ByHand(Protocol):
    """How a person sends a letter."""

    def url(self, letter: Letter) -> str:
        """Opens the channel with the letter in it, for a person to send."""
        ...
