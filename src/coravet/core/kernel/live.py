"""How events reach those who may hear of them: the journal they are numbered in, and its announcements."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor, ClinicId, UserId


class Recorded(msgspec.Struct, frozen=True):
    """An event as the journal keeps it, committed and numbered."""

    number: int
    clinic_id: ClinicId
    kind: str
    audience: str
    person_id: UserId | None
    subject_type: str
    subject_id: UUID
    subject_version: int | None
    actor_user_id: UserId | None
    at: datetime


def hears(actor: Actor, event: Recorded) -> bool:
    """Whether a member of the event's clinic may hear of it. Of their own place everybody does, whoever else may."""
    if event.subject_type == "member" and event.subject_id == actor.member_id:
        return True
    match event.audience:
        case "clinic":
            return True
        case "person":
            return event.person_id == actor.user_id
        case permission:
            return permission in actor.permissions


class Numbered(msgspec.Struct, frozen=True):
    """How many events were given their numbers, and the highest number there is."""

    count: int
    highest: int


class Batch(msgspec.Struct, frozen=True):
    """Consecutive events of all clinics, and the highest number there was when they were read."""

    events: list[Recorded]
    highest: int


class Journal(Protocol):
    """Everything that happened, in the one order in which everybody hears of it.

    Numbers begin at 1 and have no gaps, but where a backup was restored: there many are left out. Whoever sees one sees
    all below it. Every method raises `Unavailable` where storage does not answer.
    """

    async def number(self, limit: int) -> Numbered:
        """Give committed events their numbers, up to `limit` of them; callers come in one at a time."""
        ...

    async def highest(self) -> int:
        """The highest number there is; 0 where nothing happened yet."""
        ...

    async def above(self, number: int, limit: int) -> Batch:
        """The events after a number, of all clinics, up to `limit` of them."""
        ...

    async def replay(self, actor: Actor, after: int, limit: int) -> Batch | None:
        """The events of the actor's clinic after a number that the actor may hear of.

        None where that cannot be told in full: the number is higher than any, some of what followed it is no longer
        kept, or it is more than `limit`.
        """
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget numbered events older than an instant, lowest first, up to `limit`; answers how many."""
        ...


class Fanout(Protocol):
    """Tells every process that there is something new in the journal.

    An announcement is a hint that may be lost or come late, so whoever listens also looks by itself now and then.
    """

    @property
    def listening(self) -> bool:
        """Whether announcements arrive now, as far as is known."""
        ...

    def listen(self, heard: Callable[[int], None]) -> None:
        """Call `heard` with the highest numbers that are announced, this process's own included.

        Of announcements that come close together it may be told the last one only.
        """
        ...

    async def announce(self, highest: int) -> None:
        """Say that the journal reaches up to this number. Waits for no connection, and never raises for want of one."""
        ...
