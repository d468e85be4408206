"""What replaying the register asks of storage."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.work import Work


class Standing(msgspec.Struct, frozen=True):
    """How this database has a client who was erased before.

    Attributes:
        time_zone: of the clinic.
        erased: whether they are erased here, too.
        merged_into_id: the client whom they are now.
    """

    clinic_id: ClinicId
    client_id: UUID
    time_zone: str
    erased: bool
    merged_into_id: UUID | None


class DoneHere(msgspec.Struct, frozen=True):
    """What this database carried out to its end.

    Attributes:
        clients: who were erased, each with their clinic.
        departures: the ids of the departures of clinics that were deleted.
        accounts: whose accounts were erased.
    """

    clients: list[tuple[ClinicId, UUID]]
    departures: list[UUID]
    accounts: list[UserId]


class Registered(Protocol):
    """The conversation about whom the register names; a system's work has it."""

    async def standing(self, clinics: Sequence[ClinicId], clients: Sequence[UUID]) -> list[Standing]:
        """Those of these clients, each given with its clinic, whom this database knows; one query."""
        ...

    async def still_here(self, clinics: Sequence[ClinicId], accounts: Sequence[UserId]) -> int:
        """How many of these clinics this database knows, and of these people as not erased."""
        ...

    async def done_here(self) -> DoneHere:
        """What the register must tell of, too."""
        ...


class ReplayWork(Work, Protocol):
    """The unit of work of replaying the register."""

    @property
    def registered(self) -> Registered: ...
