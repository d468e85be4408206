"""Services, resources, visits and the time they hold, as the database keeps them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId

ResourceKind = Literal["vet", "room", "equipment"]
LEADING_KINDS: tuple[ResourceKind, ...] = ("vet", "room", "equipment")
"""Which kind leads a service that needs several: the first of these that it has."""

Status = Literal["requested", "confirmed", "checked_in", "in_exam", "ready", "completed", "cancelled", "no_show"]
Source = Literal["staff", "portal", "walk_in"]


@dataclass
class Service:
    """What can be booked. Durations and buffers are minutes; a retired service keeps its past visits."""

    clinic_id: ClinicId
    id: UUID
    name: str
    duration_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    bookable_online: bool
    color: str | None
    active: bool = True
    version: int = 1


@dataclass
class Resource:
    """What a visit occupies: a vet, a room, a piece of equipment. `member_id` names the vet's own account."""

    clinic_id: ClinicId
    id: UUID
    kind: str
    name: str
    member_id: MemberId | None
    active: bool = True
    version: int = 1


@dataclass
class Appointment:
    """A booked visit: `[starts_at, ends_at)` is what the client is told; buffers are in its allocations.

    Attributes:
        lane: 0 for normal bookings, above 0 for a deliberate overbooking by staff.
    """

    clinic_id: ClinicId
    id: UUID
    service_id: UUID
    patient_id: UUID
    client_id: UUID
    status: str
    starts_at: datetime
    ends_at: datetime
    reason: str | None
    source: str
    lane: int
    created_at: datetime
    cancel_reason: str | None = None
    rescheduled_from_id: UUID | None = None
    version: int = 1


@dataclass
class Allocation:
    """The stretch `[starts_at, ends_at)` of a resource's time that a visit holds, buffers included, until released."""

    clinic_id: ClinicId
    id: UUID
    appointment_id: UUID
    resource_id: UUID
    lane: int
    starts_at: datetime
    ends_at: datetime
    released_at: datetime | None = None
