"""Opening a clinic and changing what it says of itself."""

import re
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import ClinicUpdated, MemberInvited
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin, SystemBegin
from coravet.core.tenancy.clinic_day import time_zone
from coravet.core.tenancy.invitations import Email, offer_place
from coravet.core.tenancy.model import Clinic
from coravet.core.tenancy.ports import TenancyWork
from coravet.core.tenancy.views import ClinicView, NewClinicView

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$", description="The clinic's address.")]
ClinicName = Annotated[str, Meta(min_length=1, max_length=120)]

RESERVED_SLUGS = frozenset({"api", "admin", "app", "health", "docs", "www", "portal", "legal", "session", "status"})


class NewClinic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clinic to open. Its first owner is invited at `owner_email`."""

    slug: Slug
    name: ClinicName
    time_zone: str = "America/Guayaquil"
    owner_email: Email | None = None


class ClinicChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    version: int | UnsetType = UNSET
    name: ClinicName | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET


def _known_zone(name: str) -> str:
    try:
        return time_zone(name).key
    except ValueError as error:
        raise Invalid(errors=[FieldError("/time_zone", "unknown_time_zone", str(error))]) from error


async def open_clinic(
    command: NewClinic, begin: SystemBegin[TenancyWork], clock: Clock, operator: UserId | None = None
) -> NewClinicView:
    """Open a clinic and invite its first owner.

    Raises:
        Invalid: the zone is not IANA's, or the slug is one that the service keeps for itself.
        Duplicate: the slug is taken.
    """
    zone = _known_zone(command.time_zone)
    if command.slug in RESERVED_SLUGS or re.fullmatch(r"[0-9-]+", command.slug):
        raise Invalid(errors=[FieldError("/slug", "reserved", "This address is kept for the service. Choose another.")])
    async with begin("open clinic", operator) as work:
        clinic = Clinic(id=ClinicId(work.new_id()), slug=command.slug, name=command.name.strip(), time_zone=zone)
        await work.clinics.add(clinic)
        invitation = None
        if command.owner_email is not None:
            invitation = await offer_place(work, clinic.id, command.owner_email, ["owner"], clock.now())
            work.emit(MemberInvited(invitation.id), clinic.id)
        return work.answer(
            NewClinicView(clinic.id, clinic.slug, clinic.name, clinic.time_zone, clinic.version, invitation)
        )


async def change_clinic(command: ClinicChange, actor: Actor, begin: Begin[TenancyWork]) -> ClinicView:
    """Change the clinic's name or zone. Instants stay; days and hours are read in the new zone from then on.

    Raises:
        StaleVersion: it changed since it was read.
        Invalid: the zone is not IANA's.
    """
    async with begin(actor) as work:
        clinic = await work.clinics.get(actor.clinic_id)
        advance(clinic, command.version)
        if command.name is not UNSET:
            clinic.name = command.name.strip()
        if command.time_zone is not UNSET:
            clinic.time_zone = _known_zone(command.time_zone)
        work.emit(ClinicUpdated(clinic.id, clinic.version))
        return work.answer(ClinicView(clinic.id, clinic.slug, clinic.name, clinic.time_zone, clinic.version))
