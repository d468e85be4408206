"""Opening a clinic and changing what it says of itself."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import ClinicUpdated, MemberInvited
from coravet.core.kernel.fields import Email, clean_fields, given_fields
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin, SystemBegin
from coravet.core.tenancy.clinic_day import time_zone
from coravet.core.tenancy.invitations import kept, offer_place
from coravet.core.tenancy.model import Clinic
from coravet.core.tenancy.ports import TenancyWork
from coravet.core.tenancy.views import ClinicSettingsView, NewClinicView

# `$` alone would let a newline follow.
Slug = Annotated[
    str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$(?!\n)", description="The clinic's address.")
]
Grid = Annotated[int, Meta(ge=5, le=1440, description="Minutes; a divisor of 1440.")]
ClinicName = Annotated[str, Meta(min_length=1, max_length=120)]

_DAY_MINUTES = 24 * 60

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
    grid_minutes: Grid | UnsetType = UNSET


def check_clinic(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given, with their texts cleaned, and every bad one of them.

    Fields that are absent are not looked at, so that a form can be checked though other fields are malformed.
    """
    fields, errors = clean_fields(given, ("name", "owner_email"), required=("name",))
    slug = fields.get("slug")
    if slug is not None and (slug in RESERVED_SLUGS or re.fullmatch(r"[0-9-]+", slug)):
        errors.append(FieldError("/slug", "reserved", "This address is kept for the service. Choose another."))
    if "time_zone" in fields:
        try:
            time_zone(fields["time_zone"])
        except ValueError as error:
            errors.append(FieldError("/time_zone", "unknown_time_zone", str(error)))
    grid = fields.get("grid_minutes")
    if grid is not None and _DAY_MINUTES % grid:
        errors.append(
            FieldError(
                "/grid_minutes", "grid_not_divisor", "A day cannot be divided so. Choose 10, 15, 20 or 30 minutes."
            )
        )
    return fields, errors


def clinic_errors(given: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with the fields of a clinic that were given."""
    return check_clinic(given)[1]


async def open_clinic(
    command: NewClinic, begin: SystemBegin[TenancyWork], clock: Clock, operator: UserId | None = None
) -> NewClinicView:
    """Open a clinic and invite its first owner.

    Raises:
        Invalid: a text is blank or holds invisible characters, the zone is not IANA's, or the slug is one that the
            service keeps for itself; every bad field is listed.
        Duplicate: the slug is taken.
    """
    fields, errors = check_clinic(msgspec.structs.asdict(command))
    if errors:
        raise Invalid(errors=errors)
    owner_email = fields.pop("owner_email")
    async with begin("open clinic", operator) as work:
        clinic = Clinic(id=ClinicId(work.new_id()), **fields)
        await work.clinics.add(clinic)
        view = NewClinicView(clinic.id, clinic.slug, clinic.name, clinic.time_zone, clinic.version, None)
        if owner_email is None:
            return work.answer(view)
        invitation = await offer_place(work, clinic.id, owner_email, ["owner"], clock.now())
        work.emit(MemberInvited(invitation.id), clinic.id)
        return work.answer(
            msgspec.structs.replace(view, invitation=invitation),
            msgspec.structs.replace(view, invitation=kept(invitation)),
        )


async def change_clinic(command: ClinicChange, actor: Actor, begin: Begin[TenancyWork]) -> ClinicSettingsView:
    """Change the clinic's name, zone or grid. Instants stay; days and hours are read in the new zone from then on.

    Raises:
        StaleVersion: it changed since it was read.
        Invalid: as when opening.
    """
    fields, errors = check_clinic(given_fields(command))
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        clinic = await work.clinics.lock(actor.clinic_id)
        advance(clinic, command.version)
        for name, value in fields.items():
            setattr(clinic, name, value)
        work.emit(ClinicUpdated(clinic.id, clinic.version))
        view = ClinicSettingsView(
            clinic.id, clinic.slug, clinic.name, clinic.time_zone, clinic.version, clinic.grid_minutes
        )
        return work.answer(view)
