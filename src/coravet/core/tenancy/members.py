"""Who belongs to a clinic, and as what."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor, MemberId
from coravet.core.kernel.events import MemberDeactivated, MemberJoined, MemberRolesChanged
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.tenancy.errors import LastOwner, NotPermitted
from coravet.core.tenancy.model import Member
from coravet.core.tenancy.permissions import Role
from coravet.core.tenancy.ports import TenancyWork
from coravet.core.tenancy.views import MemberView

RoleSet = Annotated[list[Role], Meta(min_length=1, max_length=4)]


class MemberChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a member; what is left out stays."""

    version: int | UnsetType = UNSET
    roles: RoleSet | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    registration_number: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET


def union(roles: Iterable[str]) -> list[str]:
    """Roles as they are kept: each once, sorted."""
    return sorted(set(roles))


def refuse_touching_owners(actor: Actor, *role_sets: Iterable[str]) -> None:
    """Only an owner gives, takes or touches ownership.

    Raises:
        NotPermitted: one of the role sets holds `owner` and the actor is none.
    """
    if "owner" not in actor.roles and any("owner" in roles for roles in role_sets):
        raise NotPermitted("Only an owner may change who owns the clinic.")


async def change_member(
    member_id: MemberId, command: MemberChange, actor: Actor, begin: Begin[TenancyWork]
) -> MemberView:
    """Change a member's roles or end their access.

    Raises:
        NotFound: no such member here.
        NotPermitted: a manager touches an owner.
        LastOwner: nobody would be left to own the clinic.
        StaleVersion: the member changed since they were read.
    """
    async with begin(actor) as work:
        owners = await work.members.active_owners()
        member = await work.members.get(member_id)
        roles = member.roles if command.roles is UNSET else union(command.roles)
        active = member.active if command.active is UNSET else command.active
        refuse_touching_owners(actor, member.roles, roles)
        stays_owner = active and "owner" in roles
        if not stays_owner and [owner.id for owner in owners] == [member.id]:
            raise LastOwner
        advance(member, command.version)
        for event in _changes(member, roles, active=active):
            work.emit(event(member.id, member.version))
        member.roles, member.active = roles, active
        if command.registration_number is not UNSET:
            member.registration_number = command.registration_number
        return work.answer(await work.members.view(member.id))


def _changes(
    member: Member, roles: list[str], *, active: bool
) -> list[type[MemberDeactivated | MemberJoined | MemberRolesChanged]]:
    changes: list[type[MemberDeactivated | MemberJoined | MemberRolesChanged]] = []
    if roles != member.roles:
        changes.append(MemberRolesChanged)
    if active != member.active:
        changes.append(MemberJoined if active else MemberDeactivated)
    return changes
