"""Offering somebody a place in a clinic, and taking it."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from coravet.core.kernel.actor import Actor, ClinicId, MemberId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Forbidden, Invalid
from coravet.core.kernel.events import MemberInvited, MemberJoined, MemberRolesChanged
from coravet.core.kernel.fields import Email, clean_fields
from coravet.core.kernel.work import Begin
from coravet.core.tenancy.errors import InvitationClosed
from coravet.core.tenancy.members import RoleSet, refuse_touching_owners, union
from coravet.core.tenancy.model import Invitation, Member
from coravet.core.tenancy.ports import TenancyWork
from coravet.core.tenancy.views import MemberView, NewInvitationView

INVITATION_LIFE = timedelta(days=7)


class NewInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place to offer; the mail address is compared without regard to case."""

    email: Email
    roles: RoleSet


def invitation_errors(given: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with the fields of an offer that were given."""
    return clean_fields(given, ("email",))[1]


def kept(view: NewInvitationView) -> NewInvitationView:
    """An invitation as an answer is kept for a replay: without its token, which nobody is to find in the database."""
    return msgspec.structs.replace(view, token=None)


def hash_token(token: str) -> bytes:
    """What is kept of a token: its SHA-256."""
    return sha256(token.encode()).digest()


async def offer_place(
    work: TenancyWork, clinic_id: ClinicId, email: str, roles: list[str], now: datetime
) -> NewInvitationView:
    """Record an invitation within a work that is open; the token is in the answer and nowhere else."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        clinic_id=clinic_id,
        id=work.new_id(),
        email=email.casefold(),
        roles=sorted(roles),
        token_hash=hash_token(token),
        invited_by=work.actor.user_id,
        expires_at=now + INVITATION_LIFE,
    )
    await work.invitations.add(invitation)
    return NewInvitationView(invitation.id, invitation.email, invitation.roles, invitation.expires_at, token)


async def invite(command: NewInvitation, actor: Actor, begin: Begin[TenancyWork], clock: Clock) -> NewInvitationView:
    """Offer a place in the actor's clinic.

    Raises:
        Invalid: the address holds invisible characters.
        NotPermitted: a manager offers ownership.
    """
    errors = invitation_errors(msgspec.structs.asdict(command))
    if errors:
        raise Invalid(errors=errors)
    roles = union(command.roles)
    refuse_touching_owners(actor, roles)
    async with begin(actor) as work:
        view = await offer_place(work, actor.clinic_id, command.email, roles, clock.now())
        work.emit(MemberInvited(view.id))
        return work.answer(view, kept(view))


async def accept(
    token: str,
    email: str,
    actor: Actor,
    begin: Begin[TenancyWork],
    clock: Clock,
    *,
    email_verified: bool,
) -> MemberView:
    """Take the place that an invitation offers; who is a member already gains its roles, and is told so if any is new.

    Args:
        actor: the person, in the clinic of the invitation, not yet a member.
        email: the address that the identity provider states for the person.

    Raises:
        NotFound: no such invitation.
        Forbidden: it was made to another address, or this one is not verified.
        InvitationClosed: it was used or withdrawn, or its time is over.
    """
    if actor.user_id is None:
        raise Forbidden("Only a person can accept an invitation.")
    async with begin(actor) as work:
        # The member before the invitation: whoever ends their access locks in this order, too.
        member = await work.members.of_user(actor.user_id)
        invitation = await work.invitations.by_token(hash_token(token))
        if not email_verified or email.casefold() != invitation.email:
            raise Forbidden(
                "This invitation was made to another mail address, or yours is not verified yet. "
                "Sign in with the invited address."
            )
        if invitation.accepted_at is not None:
            raise InvitationClosed("This invitation was accepted before. Ask for a new one.")
        if invitation.closed_at is not None:
            raise InvitationClosed("This invitation was withdrawn. Ask for a new one.")
        now = clock.now()
        if invitation.expires_at <= now:
            raise InvitationClosed("This invitation has expired. Ask for a new one.")
        invitation.accepted_at = now
        if member is None:
            member = Member(
                clinic_id=actor.clinic_id, id=MemberId(work.new_id()), user_id=actor.user_id, roles=invitation.roles
            )
            await work.members.add(member)
            work.emit(MemberJoined(member.id, member.version))
        elif not member.active:
            member.roles, member.active = invitation.roles, True
            member.version += 1
            work.emit(MemberJoined(member.id, member.version))
        elif not set(invitation.roles) <= set(member.roles):
            member.roles = union([*member.roles, *invitation.roles])
            member.version += 1
            work.emit(MemberRolesChanged(member.id, member.version))
        return work.answer(await work.members.view(member.id))
