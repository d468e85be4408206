"""Who acts, and in which clinic: what the guards hand on and what every unit of work is opened with."""

from typing import NewType
from uuid import UUID

import msgspec

ClinicId = NewType("ClinicId", UUID)
UserId = NewType("UserId", UUID)
MemberId = NewType("MemberId", UUID)


NO_CLINIC = ClinicId(UUID(int=0))
"""Scopes what belongs to no clinic: an operator's kept answers, and jobs of the service's own."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A person at work in one clinic, or (`user_id` None) the system on its behalf.

    Attributes:
        time_zone: the clinic's, an IANA name: it draws the clinic's days.
        member_id: None while the person is not yet a member, as when accepting an invitation.
        permissions: the union over `roles`; see `tenancy.permissions`.
    """

    clinic_id: ClinicId
    time_zone: str
    user_id: UserId | None
    member_id: MemberId | None = None
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
