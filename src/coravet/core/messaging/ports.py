"""What messaging asks of storage."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.work import Table, Work
from coravet.core.messaging.model import Link, Message, MessageKind, MessageSubject


class NewMessage(msgspec.Struct, frozen=True):
    """Something to tell a client, once it is due."""

    kind: MessageKind
    subject_type: MessageSubject
    subject_id: UUID
    due_at: datetime


class Messages(Table[Message], Protocol):
    """What is told, was told and is to be told."""

    async def queue(self, message: NewMessage) -> None:
        """Have it sent over every channel from `due_at` on, once: one that is there already stays as it is.

        Whether it still holds, where it goes and whether the client wants it there is asked when it is sent.
        """
        ...


class MessagingWork(Work, Protocol):
    """The unit of work as messaging uses it."""

    @property
    def messages(self) -> Messages: ...

    @property
    def links(self) -> Table[Link]: ...
