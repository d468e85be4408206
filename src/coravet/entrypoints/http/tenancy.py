"""Clinics, members and invitations."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter

from coravet.core.kernel.actor import Actor, MemberId
from coravet.core.kernel.errors import FieldError, NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.tenancy.clinics import ClinicChange, NewClinic, change_clinic, clinic_errors, open_clinic
from coravet.core.tenancy.invitations import NewInvitation, accept, hash_token, invitation_errors, invite
from coravet.core.tenancy.members import MemberChange, change_member, member_errors
from coravet.core.tenancy.views import (
    ClinicSettingsView,
    ClinicView,
    InvitationView,
    MemberView,
    NewClinicView,
    NewInvitationView,
)
from coravet.entrypoints.http.access import operators, permitted, signed_in
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit


def _clinic_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return clinic_errors(given)


def _member_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return member_errors(given)


def _invitation_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return invitation_errors(given)


@post("/clinics", opt=operators() | {"check": _clinic_errors}, operation_id="openClinic", tags=["Clinics"])
async def open_new_clinic(data: JSONBody[NewClinic], call: NamedDependency[Call]) -> NewClinicView:
    """Open a clinic and invite its first owner."""
    return await open_clinic(data, call.system_begin, call.ports.clock, call.granted.person.user.id)


@get(
    "/clinics",
    opt=signed_in("Everybody may know the clinics they work in; operators all of them."),
    operation_id="listClinics",
    tags=["Clinics"],
)
async def list_clinics(call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None) -> Page[ClinicView]:
    """The clinics that one works in; for operators, every clinic."""
    person = call.granted.person
    if person.operator:
        async with call.system_begin("operator lists clinics", person.user.id) as work:
            return await work.clinics.views(PageRequest(limit, cursor))
    return await call.ports.directory.clinics(person.user.id, PageRequest(limit, cursor))


@get("/clinics/{clinic:str}", opt=permitted("clinic:read"), operation_id="getClinic", tags=["Clinics"])
async def get_clinic(call: NamedDependency[Call]) -> ClinicSettingsView:
    """The clinic itself."""
    async with call.begin(call.actor) as work:
        return await work.clinics.view(call.actor.clinic_id)


@patch(
    "/clinics/{clinic:str}",
    opt=permitted("clinic:configure") | {"check": _clinic_errors},
    operation_id="changeClinic",
    tags=["Clinics"],
)
async def patch_clinic(data: JSONBody[ClinicChange], call: NamedDependency[Call]) -> ClinicSettingsView:
    """Change the clinic's name, time zone or grid."""
    return await change_clinic(data, call.actor, call.begin)


@get("/clinics/{clinic:str}/members", opt=permitted("members:manage"), operation_id="listMembers", tags=["Members"])
async def list_members(call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None) -> Page[MemberView]:
    """The clinic's members, inactive ones included."""
    async with call.begin(call.actor) as work:
        return await work.members.views(PageRequest(limit, cursor))


@patch(
    "/clinics/{clinic:str}/members/{member_id:uuid}",
    opt=permitted("members:manage") | {"check": _member_errors},
    operation_id="changeMember",
    tags=["Members"],
)
async def patch_member(
    member_id: FromPath[UUID], data: JSONBody[MemberChange], call: NamedDependency[Call]
) -> MemberView:
    """Change a member's roles, or end their access."""
    return await change_member(MemberId(member_id), data, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/invitations",
    opt=permitted("members:manage"),
    operation_id="listInvitations",
    tags=["Members"],
)
async def list_invitations(
    call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[InvitationView]:
    """The invitations that were made, in the order they were."""
    async with call.begin(call.actor) as work:
        return await work.invitations.views(PageRequest(limit, cursor))


@post(
    "/clinics/{clinic:str}/invitations",
    opt=permitted("members:manage") | {"check": _invitation_errors},
    operation_id="inviteMember",
    tags=["Members"],
)
async def post_invitation(data: JSONBody[NewInvitation], call: NamedDependency[Call]) -> NewInvitationView:
    """Offer a place to a mail address; the token is in this answer and nowhere else, a replay included."""
    return await invite(data, call.actor, call.begin, call.ports.clock)


@post(
    "/invitations/{token:str}/accept",
    opt=signed_in("Who is invited is no member yet; the token and the verified address are the proof."),
    operation_id="acceptInvitation",
    tags=["Members"],
    status_code=200,
)
async def accept_invitation(
    token: Annotated[str, PathParameter(max_length=128)], call: NamedDependency[Call]
) -> MemberView:
    """Take the place that an invitation offers; it must have been made to one's verified mail address."""
    found = await call.ports.directory.invited_to(hash_token(token))
    if found is None:
        raise NotFound
    clinic_id, time_zone = found
    granted = call.granted
    actor = Actor(clinic_id=clinic_id, time_zone=time_zone, user_id=granted.person.user.id)
    claims = granted.claims
    return await accept(
        token, claims.email or "", actor, call.begin, call.ports.clock, email_verified=claims.email_verified
    )
