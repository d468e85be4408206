"""What the tenancy's readers are shown."""

from datetime import datetime
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId, MemberId, UserId


class UserView(msgspec.Struct, frozen=True):
    """A person who signed in."""

    id: UserId
    email: str
    display_name: str


class ClinicView(msgspec.Struct, frozen=True):
    """A clinic, to those in it and to operators."""

    id: ClinicId
    slug: str
    name: str
    time_zone: str
    version: int


class ClinicSettingsView(ClinicView, frozen=True):
    """A clinic with what it settles for itself.

    Attributes:
        grid_minutes: visits are offered at multiples of it, counted from midnight.
    """

    grid_minutes: int


class MembershipView(msgspec.Struct, frozen=True):
    """One clinic that a person works in, and as what."""

    clinic: ClinicView
    roles: list[str]
    permissions: list[str]


class MemberView(msgspec.Struct, frozen=True):
    """A member, to the colleagues who manage members."""

    id: MemberId
    user: UserView
    roles: list[str]
    active: bool
    registration_number: str | None
    version: int


class InvitationView(msgspec.Struct, frozen=True):
    """An invitation that was made; open until `expires_at`, `accepted_at` or (withdrawn) `closed_at`."""

    id: UUID
    email: str
    roles: list[str]
    expires_at: datetime
    accepted_at: datetime | None
    closed_at: datetime | None


class NewInvitationView(msgspec.Struct, frozen=True):
    """An invitation to its maker: `token` is shown this once, also under an Idempotency-Key: a replay has null."""

    id: UUID
    email: str
    roles: list[str]
    expires_at: datetime
    token: str | None


class NewClinicView(msgspec.Struct, frozen=True):
    """A clinic just made, with its first owner's invitation where an address was given."""

    id: ClinicId
    slug: str
    name: str
    time_zone: str
    version: int
    invitation: NewInvitationView | None
