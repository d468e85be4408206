"""What a clinic offers: its services, its resources, and their weekly hours."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor, MemberId
from coravet.core.kernel.events import HoursChanged, ResourceChanged, ServiceChanged
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.hours import WeeklySpan, check_spans
from coravet.core.scheduling.model import Resource, ResourceKind, Service
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import HoursView, ResourceView, ServiceView

Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
Duration = Annotated[int, Meta(ge=5, le=1440, description="Minutes.")]
Buffer = Annotated[int, Meta(ge=0, le=480, description="Minutes.")]
Color = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}$", description="#rrggbb")]
ResourceIds = Annotated[list[UUID], Meta(min_length=1, max_length=100)]


class NewService(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service to offer, with those who or what may serve it."""

    name: Name
    duration_minutes: Duration
    resource_ids: ResourceIds
    buffer_before_minutes: Buffer = 0
    buffer_after_minutes: Buffer = 0
    bookable_online: bool = False
    color: Color | None = None


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
    active: bool | UnsetType = UNSET


class NewResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vet, a room or a piece of equipment; `member_id` names the vet's own account."""

    kind: ResourceKind
    name: Name
    member_id: MemberId | None = None


class ResourceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a resource; what is left out stays."""

    version: int | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    member_id: MemberId | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resource's weekly hours, instead of any before."""

    spans: Annotated[list[WeeklySpan], Meta(max_length=100)]


async def offer_service(command: NewService, actor: Actor, begin: Begin[SchedulingWork]) -> ServiceView:
    """Offer a service. Raises NotFound for an unknown resource."""
    async with begin(actor) as work:
        service = Service(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            name=command.name.strip(),
            duration_minutes=command.duration_minutes,
            buffer_before_minutes=command.buffer_before_minutes,
            buffer_after_minutes=command.buffer_after_minutes,
            bookable_online=command.bookable_online,
            color=command.color,
        )
        await work.services.add(service)
        await work.catalogue.assign(service.id, command.resource_ids)
        work.emit(ServiceChanged(service.id, service.version))
        return work.answer(await work.schedule_reads.service(service.id))


async def change_service(
    service_id: UUID, command: ServiceChange, actor: Actor, begin: Begin[SchedulingWork]
) -> ServiceView:
    """Change or retire a service. Raises NotFound, StaleVersion."""
    async with begin(actor) as work:
        service = await work.services.get(service_id)
        advance(service, command.version)
        for name, value in _given(command).items():
            setattr(service, name, value)
        if command.resource_ids is not UNSET:
            await work.catalogue.assign(service.id, command.resource_ids)
        work.emit(ServiceChanged(service.id, service.version))
        return work.answer(await work.schedule_reads.service(service.id))


async def add_resource(command: NewResource, actor: Actor, begin: Begin[SchedulingWork]) -> ResourceView:
    """Add a resource; it has no hours yet. Raises NotFound for an unknown member."""
    async with begin(actor) as work:
        resource = Resource(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            kind=command.kind,
            name=command.name.strip(),
            member_id=command.member_id,
        )
        await work.resources.add(resource)
        work.emit(ResourceChanged(resource.id, resource.version))
        return work.answer(await work.schedule_reads.resource(resource.id))


async def change_resource(
    resource_id: UUID, command: ResourceChange, actor: Actor, begin: Begin[SchedulingWork]
) -> ResourceView:
    """Change or retire a resource. Raises NotFound, StaleVersion."""
    async with begin(actor) as work:
        resource = await work.resources.get(resource_id)
        advance(resource, command.version)
        for name, value in _given(command).items():
            setattr(resource, name, value)
        work.emit(ResourceChanged(resource.id, resource.version))
        return work.answer(await work.schedule_reads.resource(resource.id))


async def set_hours(resource_id: UUID, command: Hours, actor: Actor, begin: Begin[SchedulingWork]) -> HoursView:
    """Replace a resource's weekly hours; visits booked before stay.

    Raises:
        Invalid: spans overlap; each that does is listed.
        NotFound: no such resource here.
    """
    check_spans(command.spans)
    async with begin(actor) as work:
        resource = await work.resources.lock(resource_id)
        view = await work.catalogue.set_hours(resource.id, command.spans)
        work.emit(HoursChanged(resource.id))
        return work.answer(view)


def _given(command: ServiceChange | ResourceChange) -> dict[str, object]:
    """The columns that a change sets."""
    given = {name: value for name, value in msgspec.structs.asdict(command).items() if value is not UNSET}
    return {
        name: value.strip() if name == "name" and isinstance(value, str) else value
        for name, value in given.items()
        if name not in {"version", "resource_ids"}
    }
