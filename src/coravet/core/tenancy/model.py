"""Clinics, their members and invitations, as the database keeps them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId, UserId


@dataclass
class Clinic:
    """A tenant. `time_zone` is an IANA name; `slug` is its address and never changes.

    Attributes:
        grid_minutes: visits are offered at multiples of it, counted from midnight; it divides a day.
    """

    id: ClinicId
    slug: str
    name: str
    time_zone: str
    grid_minutes: int = 15
    version: int = 1


@dataclass
class Member:
    """A user's place in one clinic.

    Attributes:
        registration_number: a vet's professional registration, printed on what they sign.
    """

    clinic_id: ClinicId
    id: MemberId
    user_id: UserId
    roles: list[str] = field(default_factory=list)
    active: bool = True
    registration_number: str | None = None
    version: int = 1


@dataclass
class Invitation:
    """A place offered to a mail address. Only the token's hash is kept; the token is shown once, to the inviter.

    Attributes:
        closed_at: when it was withdrawn, since its maker or the person invited lost the clinic's trust.
    """

    clinic_id: ClinicId
    id: UUID
    email: str
    roles: list[str]
    token_hash: bytes
    invited_by: UserId | None
    expires_at: datetime
    accepted_at: datetime | None = None
    closed_at: datetime | None = None
