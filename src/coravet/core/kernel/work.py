"""The unit of work: one transaction, one clinic, one actor."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.core.kernel.events import Event
from coravet.core.kernel.jobs import Jobs

T = TypeVar("T")
Row = TypeVar("Row")
WorkT_co = TypeVar("WorkT_co", covariant=True)


class Once(msgspec.Struct, frozen=True):
    """A request that must have its effect once: the caller's key, and a hash of what was asked."""

    key: str
    fingerprint: bytes


class Replayed(Exception):
    """The request was answered before; `answer` is the JSON that was kept with its effect."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("answered before")
        self.answer = answer


class Work(Protocol):
    """What every use case may do inside its transaction; each noun's ports add what it needs."""

    @property
    def actor(self) -> Actor: ...

    @property
    def jobs(self) -> Jobs: ...

    def new_id(self) -> UUID:
        """A fresh UUIDv7."""
        ...

    def emit(self, event: Event, clinic_id: ClinicId | None = None) -> None:
        """Append to the outbox in this transaction; a system's work names the clinic."""
        ...

    def answer(self, view: T, kept: T | None = None) -> T:
        """Hand on what the caller will be told; under an Idempotency-Key it is kept with the change itself.

        Args:
            kept: what a replay tells instead, where `view` holds a secret that must not be stored.
        """
        ...


class Begin(Protocol[WorkT_co]):
    """Opens a unit of work. Leaving it normally commits; any error rolls back."""

    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[WorkT_co]: ...


class SystemBegin(Protocol[WorkT_co]):
    """Opens a unit of work across clinics, for jobs and operators; every use is counted under its reason.

    `user_id` is the operator's, where a person acts.
    """

    def __call__(self, reason: str, user_id: UserId | None = None) -> AbstractAsyncContextManager[WorkT_co]: ...


class Table(Protocol[Row]):
    """The rows of one noun in the actor's clinic. A change to a row that was got is stored when the work ends."""

    async def add(self, row: Row) -> None:
        """Store a new row at once, so that a broken constraint shows here."""
        ...

    async def get(self, row_id: UUID) -> Row:
        """The row, to read or change.

        Raises:
            NotFound: no such row in this clinic.
        """
        ...

    async def lock(self, row_id: UUID) -> Row:
        """As `get`, and no other work changes it until this one ends."""
        ...
