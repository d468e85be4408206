"""What the leaving of clinics and the erasure of accounts ask of storage."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId, MemberId, UserId
from coravet.core.kernel.work import Work
from coravet.core.legal.documents import Decision
from coravet.core.legal.ports import Chains


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of the clinic itself on a legal text, without the person who took it for the clinic.

    Attributes:
        number: its place in the clinic's chain of decisions.
        sha256: of the text that was shown, in hex.
        previous, hash: of the chain's entries, in hex; heads of the chain are kept apart, too.
    """

    number: int
    slug: str
    version: str
    sha256: str
    decision: Decision
    decided_at: datetime
    previous: str
    hash: str


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What a clinic that leaves was handed, and what was there when it was deleted.

    Attributes:
        sha256: of the archive, as `sha256sum` tells it.
        bytes: its size.
        rows: how many rows each table of the clinic's had.
        accounts: people who were members of this clinic alone.
        agreements: what was decided for the clinic, whose chain is deleted with it.
    """

    sha256: str
    bytes: int
    rows: dict[str, int]
    accounts: int
    agreements: list[Agreement]


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """How far the leaving of a clinic is.

    Attributes:
        slug_sha256: of the address, as a hexadecimal number.
        handed: None while the clinic can still be opened again.
        certificate: as it was told when all was deleted; None before.
    """

    id: UUID
    clinic_id: ClinicId
    time_zone: str
    slug_sha256: str
    closed_at: datetime
    handed: Handed | None = None
    certificate: str | None = None


class Departures(Protocol):
    """Clinics that leave or left; only a system's work sees them."""

    async def close(self, slug: str, departure_id: UUID, reason: str, at: datetime) -> Departure:
        """Have nobody find the clinic of that address any more; a departure that was begun before is found, instead.

        Waits for whoever is changing something in the clinic. Raises NotFound.
        """
        ...

    async def lock(self, departure_id: UUID) -> Departure:
        """The departure, locked until this work ends. Raises NotFound."""
        ...

    async def reopen(self, departure_id: UUID) -> None:
        """Have the clinic found again, unless all of it was handed over."""
        ...

    async def hand_over(self, departure: Departure, handed: Handed) -> None:
        """Note what the clinic was handed: from now on its rows may be deleted."""
        ...

    async def resume(self, departure: Departure) -> bool:
        """Close the clinic, which a backup brought back, and go on where it was; False where it is not there."""
        ...


class Places(msgspec.Struct, frozen=True):
    """A member of a clinic whose streams are to end."""

    member_id: MemberId
    version: int


class Clearing(Protocol):
    """All rows of a clinic that leaves; only a system's work sees them.

    Nothing may be deleted for good before `Departures.hand_over`, and only in the work that began with `allow`.
    """

    def tables(self) -> list[str]:
        """The tables of clinics' rows, each before those that it refers to."""
        ...

    async def counts(self, clinic_id: ClinicId) -> dict[str, int]:
        """How many rows each of them has."""
        ...

    async def people(self, clinic_id: ClinicId) -> tuple[list[Places], int]:
        """Who is active there, and how many people were ever members of no other clinic."""
        ...

    async def empty(self, departure: Departure, table: str, limit: int) -> int:
        """Delete some of the clinic's rows from this table, and those of the same table that refer to them."""
        ...

    async def remove(self, departure: Departure, at: datetime, certificate: str) -> bool:
        """Delete the clinic itself and what waits in the queue for it; False where rows of it are left."""
        ...


class DepartureWork(Work, Protocol):
    """The unit of work as the leaving of clinics uses it."""

    @property
    def departures(self) -> Departures: ...

    @property
    def clearing(self) -> Clearing: ...
    @property
    def chains(self) -> Chains: ...


class LockedAccount(msgspec.Struct, frozen=True):
    """Somebody who signed in, locked until the work ends."""

    user_id: UserId
    uid: str
    email: str


class Left(msgspec.Struct, frozen=True):
    """A row that names the person no more, with its new version.

    Attributes:
        kind: `member`, where they were active until now, or `resource`.
    """

    kind: str
    clinic_id: ClinicId
    id: UUID
    version: int


class AccountErasure(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted of an erasure: nothing of it is the person's but what `firebase_uid` still has to be used for."""

    id: UUID
    user_id: UserId
    uid: str
    reason: str
    erased_at: datetime
    certificate: str


class Accounts(Protocol):
    """People's accounts, in all clinics at once; only a system's work sees them."""

    async def named(self, email: str) -> list[tuple[UserId, datetime]]:
        """Everybody who signed in with this mail address, which is in lower case, and since when they are known."""
        ...

    async def lock(self, user_id: UserId) -> LockedAccount | None:
        """The account, and every place of its person; None where there is none, or it was erased."""
        ...

    async def owned_alone(self, user_id: UserId) -> list[str]:
        """The addresses of the clinics that this person alone owns; until this work ends no other owner leaves them."""
        ...

    async def leave(self, account: LockedAccount) -> list[Left]:
        """End every place of the person, and take their name from what clinics book."""
        ...

    async def erase(self, account: LockedAccount) -> dict[str, int]:
        """Take the person from everything else that CoraVet keeps of them; answers how many rows of which table."""
        ...

    async def held_back(self, user_id: UserId) -> dict[str, int]:
        """In how many signed records of which table the person is named as who signed."""
        ...

    async def record(self, erasure: AccountErasure) -> None:
        """Note the erasure; until its account is deleted at the identity provider, by which uid that one knows it."""
        ...

    async def uid(self, erasure_id: UUID) -> str | None:
        """The uid of an account that is to be deleted at the identity provider still."""
        ...

    async def completed(self, erasure_id: UUID, at: datetime) -> None:
        """It was deleted there: forget the uid."""
        ...


class AccountWork(Work, Protocol):
    """The unit of work as the erasure of accounts uses it."""

    @property
    def accounts(self) -> Accounts: ...
