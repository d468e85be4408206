"""What erasing asks of storage."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.privacy.erasure_views import Category, Certificate, ErasureView, RetentionRule
from coravet.core.privacy.ports import RightsRequests
from coravet.core.scheduling.deceased import UpcomingWork

ERASED = "[eliminado]"
"""What stands where something was erased."""


class Person(msgspec.Struct, frozen=True):
    """By what somebody is named.

    Attributes:
        names: given and family names, each pair once.
        phones: E.164.
        others: mail addresses and places, as they were written.
        also: what whoever erases knows besides, such as a former name or phone.
    """

    names: list[tuple[str, str]]
    documents: list[str]
    phones: list[str]
    others: list[str]
    also: list[str] = []


class Cuts(msgspec.Struct, frozen=True):
    """What takes the person out of a text, by where it stands.

    Attributes:
        prose: in what is told of animals that they had.
        products: there, in what names drugs, vaccines and their like: by whole names and numbers alone.
        elsewhere: in all that is told of others, or that the clinic wrote for itself: likewise, without whole names
            that are another client's, too.
        sought: letters and digits, folded, of which a text holds some where `elsewhere` changes it.
    """

    prose: Callable[[str], str]
    products: Callable[[str], str]
    elsewhere: Callable[[str], str]
    sought: list[str]


class Erased(msgspec.Struct, frozen=True):
    """Whom an erasure is about, locked until the work ends.

    Attributes:
        version: the client's.
        erased: whether they were erased before.
        clients: the client's id, and those of whoever was merged into them.
        animals: patients that nobody else keeps, and that are erased with them, but for the record of the time in
            which somebody had them who is known still. Those that were erased with somebody else are among them.
        others: patients that are or were theirs and that others keep.
        person: by what they are named.
        spared: names of the others who keep patients, and of these patients.
        namesakes: other clients of the clinic who may be called the same in full.
        last_dealt: when the clinic last dealt with them.
        under_way: whether a visit of theirs is going on.
        in_import: whether an import that is not finished may hold them.
    """

    version: int
    erased: bool
    clients: list[UUID]
    animals: list[UUID] = []
    others: list[UUID] = []
    person: Person = Person([], [], [], [])
    spared: list[str] = []
    namesakes: list[tuple[str, str]] = []
    last_dealt: datetime | None = None
    under_way: bool = False
    in_import: bool = False


class Begun(msgspec.Struct, frozen=True):
    """An erasure that was begun in this work; `number` is the clinic's next."""

    id: UUID
    number: int


class Erasures(Protocol):
    """The conversation about taking a person out of what is kept."""

    async def subject(self, client_id: UUID, now: datetime, again: Sequence[UUID] | None) -> Erased:
        """Lock the client with whoever was merged into them, after all of their patients, and tell what is theirs.

        Args:
            again: the animals that were erased with them before, and that are now whoever keeps them here.

        Raises:
            NotFound: no such client here.
            ClientMerged: they are another one now.
        """
        ...

    async def part(self, erased: Erased, now: datetime) -> dict[UUID, list[UUID]]:
        """End what they are to patients that others keep; who co-owned one the longest owns what was theirs.

        Answers these patients by their new owner.
        """
        ...

    async def begin(
        self, subject_id: UUID, request_id: UUID | None, by: MemberId | None, now: datetime, again: Begun | None
    ) -> Begun:
        """From now on, and until `complete`, this work may change what is kept for good.

        Args:
            again: the erasure that was registered, where a restored database is brought to what was so before.
        """
        ...

    async def anonymise_forms(self, begun: Begun, erased: Erased, held: Mapping[Category, date], now: datetime) -> None:
        """Take them out of what they wrote as guests, while their visits tell whose that is; `anonymise` counts it."""
        ...

    async def anonymise(
        self,
        begun: Begun,
        erased: Erased,
        cuts: Cuts,
        held: Mapping[Category, date],
        now: datetime,
    ) -> tuple[dict[str, int], dict[Category, int]]:
        """Take them out of every table; answers of how many rows of each, and how many of each category are blocked.

        Args:
            held: until when what the law holds back is blocked.
        """
        ...

    async def complete(self, begun: Begun, certificate: Certificate, sha256: str) -> None:
        """Keep the certificate, after which nothing may be changed any more."""
        ...


class ErasureReads(Protocol):
    """Erasures as readers see them."""

    async def of_client(self, client_id: UUID) -> ErasureView:
        """Raises NotFound."""
        ...

    async def view(self, erasure_id: UUID) -> ErasureView:
        """Raises NotFound."""
        ...

    async def views(self, page: PageRequest) -> Page[ErasureView]:
        """The latest first; one query."""
        ...


class Retention(Protocol):
    """What the clinic keeps how long."""

    async def own(self) -> list[RetentionRule]:
        """The rules that the clinic set."""
        ...

    async def replace(self, rules: list[RetentionRule]) -> int:
        """Set these instead; answers the clinic's version, which has changed."""
        ...


class ErasureWork(UpcomingWork, Protocol):
    """The unit of work of erasing a person."""

    @property
    def rights_requests(self) -> RightsRequests: ...

    @property
    def erasures(self) -> Erasures: ...

    @property
    def erasure_reads(self) -> ErasureReads: ...

    @property
    def retention(self) -> Retention: ...
