"""Offering somebody a place in a clinic, and taking it."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor, ClinicId, MemberId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Forbidden
from coravet.core.kernel.events import MemberInvited, MemberJoined
from coravet.core.kernel.work import Begin
from coravet.core.tenancy.errors import InvitationClosed
from coravet.core.tenancy.members import RoleSet, refuse_touching_owners, union
from coravet.core.tenancy.model import Invitation, Member
from coravet.core.tenancy.ports import TenancyWork
from coravet.core.tenancy.views import MemberView, NewInvitationView

INVITATION_LIFE = timedelta(days=7)

Email = Annotated[
    str,
    Meta(
        pattern=r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}$",
        max_length=254,
        description="A mail address; compared without regard to case.",
    ),
]


class NewInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place to offer."""

    email: Email
    roles: RoleSet


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
        Forbidden: a manager offers ownership.
    """
    roles = union(command.roles)
    refuse_touching_owners(actor, roles)
    async with begin(actor) as work:
        view = await offer_place(work, actor.clinic_id, command.email, roles, clock.now())
        work.emit(MemberInvited(view.id))
        return work.answer(view)


async def accept(
    token: str,
    email: str,
    actor: Actor,
    begin: Begin[TenancyWork],
    clock: Clock,
    *,
    email_verified: bool,
) -> MemberView:
    """Take the place that an invitation offers; who is a member already gains its roles.

    Args:
        actor: the person, in the clinic of the invitation, not yet a member.
        email: the address that the identity provider states for the person.

    Raises:
        NotFound: no such invitation.
        Forbidden: it was made to another address, or this one is not verified.
        InvitationClosed: it was used, or its time is over.
    """
    if actor.user_id is None:
        raise Forbidden("Only a person can accept an invitation.")
    async with begin(actor) as work:
        invitation = await work.invitations.by_token(hash_token(token))
        if not email_verified or email.casefold() != invitation.email:
            raise Forbidden(
                "This invitation was made to another mail address, or yours is not verified yet. "
                "Sign in with the invited address."
            )
        if invitation.accepted_at is not None:
            raise InvitationClosed("This invitation was accepted before. Ask for a new one.")
        now = clock.now()
        if invitation.expires_at <= now:
            raise InvitationClosed("This invitation has expired. Ask for a new one.")
        invitation.accepted_at = now
        member = await work.members.of_user(actor.user_id)
        if member is None:
            member = Member(
                clinic_id=actor.clinic_id, id=MemberId(work.new_id()), user_id=actor.user_id, roles=invitation.roles
            )
            await work.members.add(member)
        else:
            member.roles = union([*(member.roles if member.active else []), *invitation.roles])
            member.active = True
            member.version += 1
        work.emit(MemberJoined(member.id, member.version))
        return work.answer(await work.members.view(member.id))
