"""What legal asks of storage."""

from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Work
from coravet.core.legal.model import Entry, PublishedText, Secret, StoredText
from coravet.core.legal.views import AcceptanceView, LegalTextView


class LegalTexts(Protocol):
    """The published texts, which are the same for all clinics and never change."""

    async def text(self, slug: str, version: str, locale: str) -> PublishedText | None: ...

    async def in_force(self, slug: str, locale: str) -> PublishedText | None:
        """The version of now in that language; in the required one where there is no other."""
        ...

    async def body(self, slug: str, version: str, locale: str) -> str | None:
        """The words themselves."""
        ...

    async def views(self, page: PageRequest) -> Page[LegalTextView]:
        """All versions in all languages: by slug, the newest and the required language first."""
        ...

    def url(self, text: PublishedText) -> str:
        """Where the text stays for good."""
        ...


class Publishing(Protocol):
    """The conversation about a new version; only a system's work has it."""

    async def versions(self, slug: str) -> list[PublishedText]:
        """All versions in all languages, the oldest first; until this work ends nobody else publishes."""
        ...

    async def stored(self) -> list[StoredText]:
        """Every published text, with the hash of its words computed anew."""
        ...

    async def add(self, texts: list[PublishedText], bodies: list[str]) -> None:
        """Store one new version in all its languages."""
        ...

    async def concerned(
        self, *, owners: bool, clinic_id: ClinicId | None = None, user_id: UserId | None = None
    ) -> list[tuple[ClinicId, UserId]]:
        """Everybody who is active in a clinic, or the owners alone; of one clinic or of one person where asked for."""
        ...


class Acceptances(Protocol):
    """Decisions, each in its clinic's chain; those on one's own behalf in the chain of the nil clinic."""

    async def head(self, clinic_id: ClinicId) -> tuple[int, bytes]:
        """Number and hash of the last entry; until this work ends nobody else adds to the chain."""
        ...

    async def add(self, entry: Entry, secret: Secret | None) -> None: ...

    async def last_of(
        self, clinic_id: ClinicId, user_id: UserId | None, slug: str, *, declined: bool = True
    ) -> Entry | None:
        """The person's last decision on that text or, without a person, the clinic's.

        Args:
            declined: whether declining counts as one.
        """
        ...

    async def hold(self, user_id: UserId) -> bool:
        """Whether there is this person, whom nobody erases until this work ends."""
        ...

    async def owned(self, user_id: UserId, slug: str | None) -> list[ClinicId] | None:
        """The clinics that the person owns, or of these the one at that address; None where the person is no active
        member there."""
        ...

    async def views(self, user_id: UserId, page: PageRequest) -> Page[AcceptanceView]:
        """The person's own decisions, the newest first."""
        ...

    async def view(self, user_id: UserId, acceptance_id: UUID) -> AcceptanceView:
        """One of the person's own decisions. Raises NotFound."""
        ...


class Chains(Protocol):
    """Whole chains, to be verified; only a system's work sees them all."""

    async def heads(self) -> list[tuple[ClinicId, int, bytes]]:
        """Number and hash of every chain's last entry."""
        ...

    def entries(self, clinic_id: ClinicId) -> AsyncIterator[Entry]:
        """A chain in its order."""
        ...

    async def secrets(self, clinic_id: ClinicId) -> dict[UUID, Secret]:
        """What is still kept of from where its entries were decided, by their ids."""
        ...


class LegalWork(Work, Protocol):
    """The unit of work as legal uses it."""

    @property
    def legal_texts(self) -> LegalTexts: ...

    @property
    def publishing(self) -> Publishing: ...

    @property
    def acceptances(self) -> Acceptances: ...

    @property
    def chains(self) -> Chains: ...
