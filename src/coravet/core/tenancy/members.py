"""Who belongs to a clinic, and as what."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor, MemberId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, StaleVersion
from coravet.core.kernel.events import MemberDeactivated, MemberJoined, MemberRolesChanged
from coravet.core.kernel.fields import clean_fields, given_fields
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.tenancy.errors import LastOwner, NotPermitted
from coravet.core.tenancy.model import Member
from coravet.core.tenancy.permissions import Role, permissions_of
from coravet.core.tenancy.ports import TenancyWork
from coravet.core.tenancy.views import MemberView

_TEXTS = ("registration_number",)

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


def member_errors(given: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with the fields of a change that were given."""
    return clean_fields(given, _TEXTS)[1]


async def change_member(
    member_id: MemberId, command: MemberChange, actor: Actor, begin: Begin[TenancyWork], clock: Clock
) -> MemberView:
    """Change a member's roles or end their access.

    Whose access ends or who loses a role loses the open invitations to their address, too, and who may no longer
    invite as before those that they made. A change of nothing is no new version; one of the registration number alone
    is, but no event: nobody sees it live.

    Raises:
        Invalid: the registration number holds invisible characters.
        NotFound: no such member here.
        NotPermitted: a manager touches an owner.
        LastOwner: nobody would be left to own the clinic.
        StaleVersion: the member changed since they were read.
    """
    given, errors = clean_fields(given_fields(command), _TEXTS)
    if errors:
        raise Invalid(errors=errors)
    if "roles" in given:
        given["roles"] = union(given["roles"])
    async with begin(actor) as work:
        member = await work.members.lock(member_id)
        owners = await work.members.active_owners()
        roles, active = given.get("roles", member.roles), given.get("active", member.active)
        refuse_touching_owners(actor, member.roles, roles)
        stays_owner = active and "owner" in roles
        if not stays_owner and owners == [member.id]:
            raise LastOwner
        if all(getattr(member, name) == value for name, value in given.items()):
            if command.version is not UNSET and command.version != member.version:
                raise StaleVersion(member.version)
            return work.answer(await work.members.view(member.id))
        advance(member, command.version)
        for event in _changes(member, roles, active=active):
            work.emit(event(member.id, member.version))
        before = frozenset(member.roles if member.active else [])
        after = frozenset(roles if active else [])
        for name, value in given.items():
            setattr(member, name, value)
        if before - after:
            await work.invitations.close_to(member.user_id, clock.now())
        if _may_offer(before) - _may_offer(after):
            await work.invitations.close_by(member.user_id, clock.now())
        return work.answer(await work.members.view(member.id))


def _may_offer(roles: Iterable[str]) -> frozenset[str]:
    """What decides which places somebody may offer: the permission to, and ownership."""
    return (permissions_of(roles) & {"members:manage"}) | (frozenset(roles) & {"owner"})


def _changes(
    member: Member, roles: list[str], *, active: bool
) -> list[type[MemberDeactivated | MemberJoined | MemberRolesChanged]]:
    changes: list[type[MemberDeactivated | MemberJoined | MemberRolesChanged]] = []
    if roles != member.roles:
        changes.append(MemberRolesChanged)
    if active != member.active:
        changes.append(MemberJoined if active else MemberDeactivated)
    return changes
