"""Services, resources, visits and the time they hold, as the database keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId, UserId
from coravet.core.patients.model import Moment

ResourceKind = Literal["vet", "room", "equipment"]
LEADING_KINDS: tuple[ResourceKind, ...] = ("vet", "room", "equipment")
"""Which kind leads a service that needs several: the first of these that it has."""

RoomKind = Literal["consultation", "surgery", "hospitalization", "imaging", "grooming", "isolation"]
Species = Literal["dog", "cat", "rabbit", "bird", "horse", "cow", "pig", "reptile", "other"]
"""The species of patients, in the words of a patient."""

Status = Literal["requested", "confirmed", "checked_in", "in_exam", "ready", "completed", "cancelled", "no_show"]
Source = Literal["staff", "portal", "walk_in"]
HoldKind = Literal["guest", "offer"]
WaitlistStatus = Literal["waiting", "offered", "booked", "left", "expired"]
By = Literal["staff", "guest", "system"]
"""Who takes a step: a member of the clinic, a guest by a link, or the service itself."""


ALERTS_AT: Mapping[str, frozenset[Moment]] = MappingProxyType(
    {
        "requested": frozenset({"booking", "check_in"}),
        "confirmed": frozenset({"booking", "check_in"}),
        "checked_in": frozenset({"check_in", "exam"}),
        "in_exam": frozenset({"exam"}),
        "ready": frozenset({"exam"}),
    }
)
"""Which alerts of its patient a visit of each status shows: those of the moment it is in, and of the one ahead. What
is over or will not take place shows none."""


@dataclass
class Service:
    """What can be booked. Durations and buffers are minutes; a retired service keeps its past visits.

    Attributes:
        species: who it is for; everybody, where empty.
        room_kind: any room of this kind may serve it, beside the rooms that are named.
        minimum_notice_minutes: how long before its start a guest may book at the latest.
        horizon_days: how many clinic days after today a guest may book.
        guest_needs_confirmation: whether a guest's booking begins `requested`.
        guest_cutoff_minutes: how long before the start a guest may cancel or move at the latest.
    """

    clinic_id: ClinicId
    id: UUID
    name: str
    duration_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    bookable_online: bool
    color: str | None
    species: list[str] = field(default_factory=list)
    room_kind: str | None = None
    minimum_notice_minutes: int = 60
    horizon_days: int = 60
    guest_needs_confirmation: bool = True
    guest_cutoff_minutes: int = 120
    active: bool = True
    version: int = 1


@dataclass
class Resource:
    """What a visit occupies: a vet, a room, a piece of equipment.

    Attributes:
        member_id: the vet's own account.
        room_kind: what kind of room it is, where it is one.
    """

    clinic_id: ClinicId
    id: UUID
    kind: str
    name: str
    member_id: MemberId | None
    room_kind: str | None = None
    active: bool = True
    version: int = 1


@dataclass
class Closure:
    """Time in which the clinic, or one resource of it, is shut: a holiday, a vet's leave.

    It lasts without a break from `from_time` (None: the day's beginning) on the clinic day `starts_on` until `to_time`
    (None: the day's end) on the clinic day `ends_on`.

    Attributes:
        resource_id: what is shut; None for the whole clinic.
        holiday: whether it is a public holiday.
    """

    clinic_id: ClinicId
    id: UUID
    starts_on: date
    ends_on: date
    from_time: time | None
    to_time: time | None
    resource_id: UUID | None
    reason: str | None
    holiday: bool
    version: int = 1


@dataclass
class Appointment:
    """A booked visit: `[starts_at, ends_at)` is what the client is told; buffers are in its allocations.

    Its id is its own for life: when it is moved, what it was before becomes a row of its own, see `move`.

    Attributes:
        lane: 0 for normal bookings, above 0 for a deliberate overbooking by staff.
        rescheduled_from_id: the visit as it was before it was last moved.
        previous_status: whence the last step came; a cancelled visit can go back there.
        status_since: when it took on its status.
        superseded_by_id: on what a visit was before a move: the visit.
    """

    clinic_id: ClinicId
    id: UUID
    service_id: UUID
    patient_id: UUID
    client_id: UUID
    status: Status
    starts_at: datetime
    ends_at: datetime
    reason: str | None
    source: Source
    lane: int
    created_at: datetime
    status_since: datetime
    checked_in_at: datetime | None = None
    previous_status: Status | None = None
    cancel_reason: str | None = None
    rescheduled_from_id: UUID | None = None
    superseded_by_id: UUID | None = None
    version: int = 1


@dataclass
class CalendarFeed:
    """The address under which calendar programs find a resource's visits.

    Attributes:
        member_id: who made it; it ends with their membership.
        token_hash: SHA-256 of the token in the address.
    """

    clinic_id: ClinicId
    id: UUID
    resource_id: UUID
    member_id: MemberId | None
    token_hash: bytes
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass
class Transition:
    """A step that a visit took, as its history keeps it for good.

    Attributes:
        starts_at: of the visit from then on.
        user_id: who took it, where a member did.
    """

    clinic_id: ClinicId
    id: UUID
    appointment_id: UUID
    step: str
    from_status: Status | None
    to_status: Status
    starts_at: datetime
    at: datetime
    by: By
    user_id: UserId | None
    reason: str | None


@dataclass
class Hold:
    """Time held without a visit: while a guest fills in a form, or until a waiting client takes an offer.

    Attributes:
        token_hash: SHA-256 of what a guest shows to use it; an offer is used otherwise.
        released_at: when it was used or given up; past `expires_at` it holds nothing either way.
    """

    clinic_id: ClinicId
    id: UUID
    service_id: UUID
    kind: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    token_hash: bytes | None
    created_at: datetime
    released_at: datetime | None = None


@dataclass
class WaitlistEntry:
    """Somebody who waits for time to become free; see `waitlist.NewEntry` for the wish.

    Attributes:
        hold_id: what is on offer, or became the visit.
        appointment_id: the visit that came of it.
        offers: how many were made.
        refused: holds that were offered and not taken; nothing that overlaps one is offered again.
    """

    clinic_id: ClinicId
    id: UUID
    service_id: UUID
    patient_id: UUID
    client_id: UUID
    resource_ids: list[UUID]
    weekdays: list[int]
    from_date: date
    to_date: date
    from_time: time | None
    to_time: time | None
    note: str | None
    created_at: datetime
    status: WaitlistStatus = "waiting"
    hold_id: UUID | None = None
    appointment_id: UUID | None = None
    offered_at: datetime | None = None
    offers: int = 0
    refused: list[UUID] = field(default_factory=list)
    version: int = 1


@dataclass
class GuestRequest:
    """What a guest wrote when they booked a visit: all that they are ever shown of themselves, and where mail goes.

    Attributes:
        phone: E.164.
        accepted_slug, accepted_version, accepted_locale, accepted_sha256: the legal text that they accepted.
    """

    clinic_id: ClinicId
    id: UUID
    appointment_id: UUID
    given_name: str
    family_name: str
    phone: str
    email: str | None
    patient_name: str
    species: str
    accepted_slug: str
    accepted_version: str
    accepted_locale: str
    accepted_sha256: str
    created_at: datetime


@dataclass
class Allocation:
    """The stretch `[starts_at, ends_at)` of a resource's time that is taken, buffers included, until released.

    A visit takes it, or a hold, and then only until `expires_at`.
    """

    clinic_id: ClinicId
    id: UUID
    appointment_id: UUID | None
    resource_id: UUID
    lane: int
    starts_at: datetime
    ends_at: datetime
    released_at: datetime | None = None
    hold_id: UUID | None = None
    expires_at: datetime | None = None
