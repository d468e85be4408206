"""What a clinic offers: its services and its resources."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor, MemberId
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.events import ResourceChanged, ServiceChanged
from coravet.core.kernel.fields import clean_fields, given_fields, sound
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.model import Resource, ResourceKind, RoomKind, Service, Species
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import ResourceView, ServiceView

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Duration = Annotated[int, Meta(ge=5, le=1440, description="Minutes.")]
Buffer = Annotated[int, Meta(ge=0, le=480, description="Minutes.")]
# `$` alone would let a newline follow.
Color = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}$(?!\n)", description="#rrggbb")]
AllSpecies = Annotated[list[Species], Meta(max_length=9, description="Who it is for; everybody, where empty.")]
Notice = Annotated[
    int, Meta(ge=0, le=43_200, description="Minutes before its start until which a guest may book a visit.")
]
Horizon = Annotated[int, Meta(ge=0, le=730, description="How many days ahead guests may book.")]
Cutoff = Annotated[
    int,
    Meta(ge=0, le=43_200, description="Minutes before the start until which a guest may cancel or move the visit."),
]
Confirmation = Annotated[
    bool,
    Meta(description="A guest's booking begins `requested`, until the clinic or the guest's own link confirms it."),
]
ResourceIds = Annotated[list[UUID], Meta(min_length=1, max_length=100)]


class NewService(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service to offer, with those who or what may serve it.

    Attributes:
        room_kind: any room of this kind may serve it, beside the rooms among `resource_ids`.
        minimum_notice_minutes: how long before its start a guest may book at the latest.
        horizon_days: how many clinic days after today a guest may book.
        guest_needs_confirmation: whether a guest's booking begins `requested`, instead of `confirmed`.
        guest_cutoff_minutes: how long before the start a guest may cancel or move at the latest.
    """

    name: Name
    duration_minutes: Duration
    resource_ids: ResourceIds
    buffer_before_minutes: Buffer = 0
    buffer_after_minutes: Buffer = 0
    bookable_online: bool = False
    color: Color | None = None
    species: AllSpecies = []
    room_kind: RoomKind | None = None
    minimum_notice_minutes: Notice = 60
    horizon_days: Horizon = 60
    guest_needs_confirmation: Confirmation = True
    guest_cutoff_minutes: Cutoff = 120


class ServiceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a service; what is left out stays. Visits booked before keep their times."""

    version: int | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    duration_minutes: Duration | UnsetType = UNSET
    resource_ids: ResourceIds | UnsetType = UNSET
    buffer_before_minutes: Buffer | UnsetType = UNSET
    buffer_after_minutes: Buffer | UnsetType = UNSET
    bookable_online: bool | UnsetType = UNSET
    color: Color | UnsetType | None = UNSET
    species: AllSpecies | UnsetType = UNSET
    room_kind: RoomKind | UnsetType | None = UNSET
    minimum_notice_minutes: Notice | UnsetType = UNSET
    horizon_days: Horizon | UnsetType = UNSET
    guest_needs_confirmation: Confirmation | UnsetType = UNSET
    guest_cutoff_minutes: Cutoff | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class NewResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vet, a room or a piece of equipment; `member_id` names the vet's own account, `room_kind` a room's."""

    kind: ResourceKind
    name: Name
    member_id: MemberId | None = None
    room_kind: RoomKind | None = None


class ResourceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a resource; what is left out stays."""

    version: int | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    member_id: MemberId | UnsetType | None = UNSET
    room_kind: RoomKind | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


def check_offered(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of a service or a resource with its name in clean form, and every field that breaks a rule.

    Fields that are absent are not looked at, so that a form can be checked though other fields are malformed.
    """
    fields, errors = clean_fields(given, ("name",), required=("name",))
    if fields.get("room_kind") is not None and fields.get("kind", "room") != "room":
        errors.append(FieldError("/room_kind", "not_a_room", "Only a room has a kind of room. Leave it out."))
    species = fields.get("species", ())
    if len(set(species)) != len(species):
        errors.append(FieldError("/species", "repeated", "Name each species once."))
    return fields, errors


async def offer_service(command: NewService, actor: Actor, begin: Begin[SchedulingWork]) -> ServiceView:
    """Offer a service. Raises NotFound for an unknown resource, Invalid for a name that nobody could read."""
    fields = sound(check_offered(msgspec.structs.asdict(command)))
    resource_ids = fields.pop("resource_ids")
    async with begin(actor) as work:
        service = Service(clinic_id=actor.clinic_id, id=work.new_id(), **fields)
        await work.services.add(service)
        await work.catalogue.assign(service.id, resource_ids)
        work.emit(ServiceChanged(service.id, service.version))
        return work.answer(await work.schedule_reads.service(service.id))


async def change_service(
    service_id: UUID, command: ServiceChange, actor: Actor, begin: Begin[SchedulingWork]
) -> ServiceView:
    """Change or retire a service. Raises NotFound, StaleVersion, Invalid."""
    fields = sound(check_offered(given_fields(command)))
    resource_ids = fields.pop("resource_ids", None)
    async with begin(actor) as work:
        service = await work.services.lock(service_id)
        advance(service, command.version)
        for name, value in fields.items():
            setattr(service, name, value)
        if resource_ids is not None:
            await work.catalogue.assign(service.id, resource_ids)
        work.emit(ServiceChanged(service.id, service.version))
        return work.answer(await work.schedule_reads.service(service.id))


async def add_resource(command: NewResource, actor: Actor, begin: Begin[SchedulingWork]) -> ResourceView:
    """Add a resource; it has no hours yet. Raises NotFound for an unknown member, Invalid as when offering."""
    fields = sound(check_offered(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        resource = Resource(clinic_id=actor.clinic_id, id=work.new_id(), **fields)
        await work.resources.add(resource)
        work.emit(ResourceChanged(resource.id, resource.version))
        return work.answer(await work.schedule_reads.resource(resource.id))


async def change_resource(
    resource_id: UUID, command: ResourceChange, actor: Actor, begin: Begin[SchedulingWork]
) -> ResourceView:
    """Change or retire a resource. Raises NotFound, StaleVersion, Invalid."""
    fields = sound(check_offered(given_fields(command)))
    async with begin(actor) as work:
        resource = await work.resources.lock(resource_id)
        sound(check_offered({"kind": resource.kind, **fields}))
        advance(resource, command.version)
        for name, value in fields.items():
            setattr(resource, name, value)
        work.emit(ResourceChanged(resource.id, resource.version))
        return work.answer(await work.schedule_reads.resource(resource.id))
