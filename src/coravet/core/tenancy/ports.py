"""What tenancy asks of storage."""

from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId, MemberId, UserId
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.tenancy.identity import Claims
from coravet.core.tenancy.model import Clinic, Invitation, Member
from coravet.core.tenancy.views import (
    ClinicSettingsView,
    ClinicView,
    InvitationView,
    MembershipView,
    MemberView,
    UserView,
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A person's active membership in one clinic, as the guards need it."""

    clinic_id: ClinicId
    member_id: MemberId
    roles: list[str]
    time_zone: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in, before any clinic.

    Attributes:
        session_id: stable for one session cookie or token, so that logging out can name it.
        place: the membership in the clinic that was asked for, if there is one.
    """

    user: UserView
    operator: bool
    session_id: UUID
    place: Place | None = None


class LinkFound(msgspec.Struct, frozen=True):
    """What a link in a message is for; see `messaging.links`."""

    clinic_id: ClinicId
    time_zone: str
    purpose: str
    subject_id: UUID
    expires_at: datetime


class ClinicFound(msgspec.Struct, frozen=True):
    """A clinic, to whoever need not sign in there."""

    clinic_id: ClinicId
    time_zone: str


class CalendarFound(msgspec.Struct, frozen=True):
    """What the address of a calendar leads to; see `scheduling.feeds`."""

    clinic_id: ClinicId
    time_zone: str
    clinic_name: str
    resource_name: str


class DocumentFound(msgspec.Struct, frozen=True):
    """What the code on a document leads to; see `records.documents`."""

    number: int
    issued_on: date
    withdrawn: bool
    clinic_name: str


class Directory(Protocol):
    """Who people are, before there is a clinic to scope by. Each method is one statement."""

    async def sign_in(self, claims: Claims) -> UserView:
        """Know a person from now on, with the mail and name that the provider states.

        Raises:
            TokenRevoked: the account was erased; the provider is about to delete it, too.
        """
        ...

    async def find(self, uid: str, session: bytes, clinic: str | None) -> Person | None:
        """The person behind a provider's uid, with their active place in the clinic of that slug.

        Args:
            session: the SHA-256 of the cookie or token.

        Raises:
            TokenRevoked: this cookie or token was logged out.
        """
        ...

    async def memberships(self, user_id: UserId) -> list[MembershipView]:
        """The clinics in which this person is active, by name."""
        ...

    async def clinics(self, user_id: UserId, page: PageRequest) -> Page[ClinicView]:
        """The same clinics, in pages. Raises Invalid for a cursor that is not this list's."""
        ...

    async def invited_to(self, token_hash: bytes) -> tuple[ClinicId, str] | None:
        """The clinic that an invitation is for, and its time zone."""
        ...

    async def link(self, token_hash: bytes) -> LinkFound | None:
        """What the link of that token is for; None where there is none, or it was revoked. Expired ones are found."""
        ...

    async def clinic(self, slug: str) -> ClinicFound | None:
        """The clinic at that address, for those who need not sign in."""
        ...

    async def hold(self, token_hash: bytes) -> ClinicFound | None:
        """The clinic in which a guest holds time under that token."""
        ...

    async def calendar(self, clinic: str, resource_id: UUID, token_hash: bytes) -> CalendarFound | None:
        """The resource whose calendar that token opens; None where clinic, resource and token are not of one another,
        the token was revoked, or the resource, its member or who made the token is no longer active."""
        ...

    async def document(self, token_hash: bytes) -> DocumentFound | None:
        """The document whose code holds that token, withdrawn or not; None where there is none."""
        ...


class Members(Table[Member], Protocol):
    """The clinic's members."""

    async def of_user(self, user_id: UserId) -> Member | None:
        """The member that this person is, active or not, locked."""
        ...

    async def active_owners(self) -> list[MemberId]:
        """The owners who can sign in; until this work ends no other gets past here, so that no two leave at once."""
        ...

    async def views(self, page: PageRequest) -> Page[MemberView]: ...

    async def view(self, member_id: MemberId) -> MemberView: ...


class Invitations(Table[Invitation], Protocol):
    """The clinic's invitations."""

    async def by_token(self, token_hash: bytes) -> Invitation:
        """The invitation, locked. Raises NotFound."""
        ...

    async def close_to(self, user_id: UserId, at: datetime) -> None:
        """Withdraw the open invitations that were made to this person's mail address."""
        ...

    async def close_by(self, user_id: UserId, at: datetime) -> None:
        """Withdraw the open invitations that this person made."""
        ...

    async def views(self, page: PageRequest) -> Page[InvitationView]: ...


class Clinics(Table[Clinic], Protocol):
    """Clinics: the actor's own in a scoped work, all of them in a system's."""

    async def views(self, page: PageRequest) -> Page[ClinicView]: ...

    async def view(self, clinic_id: ClinicId) -> ClinicSettingsView:
        """One clinic. Raises NotFound."""
        ...


class Account(msgspec.Struct, frozen=True):
    """Somebody who signed in, and whether the identity provider had verified their mail address when they last did."""

    user_id: UserId
    email_verified: bool


class Operators(Protocol):
    """The people who run the service."""

    async def accounts(self, email: str) -> list[Account]:
        """Everybody who signed in with this mail address, which is in lower case."""
        ...

    async def grant(self, user_id: UserId, reason: str) -> None:
        """Let this person act across clinics; for who may already, the reason is replaced."""
        ...


class Sessions(Protocol):
    """Cookies and tokens that were logged out before their time."""

    async def end(self, session: bytes, expires_at: datetime) -> None:
        """Refuse this cookie or token from now on."""
        ...

    async def clinics_of(self, user_id: UserId) -> list[ClinicId]:
        """The clinics whose streams this person may have open."""
        ...


class TenancyWork(Work, Protocol):
    """The unit of work as tenancy uses it."""

    @property
    def clinics(self) -> Clinics: ...

    @property
    def members(self) -> Members: ...

    @property
    def invitations(self) -> Invitations: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def operators(self) -> Operators: ...
