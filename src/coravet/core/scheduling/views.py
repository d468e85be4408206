"""What readers of the schedule are shown."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.fields import WallTime
from coravet.core.legal.gate import OpenDocument
from coravet.core.patients.views import AlertRef
from coravet.core.scheduling.hours import DaySpan, Interval, WeeklySpan


class ResourceRef(msgspec.Struct, frozen=True):
    """A resource by name."""

    id: UUID
    kind: str
    name: str


class ServiceRef(msgspec.Struct, frozen=True):
    """A service by name, as a visit shows it."""

    id: UUID
    name: str
    color: str | None
    duration_minutes: int


class PatientRef(msgspec.Struct, frozen=True):
    """A patient by name, as a visit shows it."""

    id: UUID
    name: str
    species: str


class ClientRef(msgspec.Struct, frozen=True):
    """A client by name and phone, as a visit shows it."""

    id: UUID
    name: str
    phone: str | None


class AppointmentView(msgspec.Struct, frozen=True):
    """A visit with all that the agenda shows of it.

    Attributes:
        status_since: when it took on its status.
        rescheduled_from_id: the visit as it was before it was last moved.
        rescheduled_to_id: on such a former state: the visit itself.
        alerts: what is to be known of the patient at this point of the visit.
    """

    id: UUID
    status: str
    service: ServiceRef
    patient: PatientRef
    client: ClientRef
    resources: list[ResourceRef]
    starts_at: datetime
    ends_at: datetime
    reason: str | None
    source: str
    lane: int
    rescheduled_from_id: UUID | None
    version: int
    status_since: datetime
    checked_in_at: datetime | None
    rescheduled_to_id: UUID | None
    alerts: list[AlertRef]


class PersonRef(msgspec.Struct, frozen=True):
    """A user by name."""

    id: UUID
    name: str


class TransitionView(msgspec.Struct, frozen=True):
    """A step that a visit took.

    Attributes:
        starts_at: of the visit from then on.
        user: who took it, where a member did.
    """

    step: str
    from_status: str | None
    to_status: str
    starts_at: datetime
    at: datetime
    by: str
    user: PersonRef | None
    reason: str | None


class HistoryView(msgspec.Struct, frozen=True):
    """All that was done with a visit, oldest first."""

    items: list[TransitionView]


class AgendaView(msgspec.Struct, frozen=True):
    """A clinic day: its date, the instants it spans, and its visits by start."""

    date: date
    starts_at: datetime
    ends_at: datetime
    items: list[AppointmentView]


class BoardResourceView(msgspec.Struct, frozen=True):
    """A column of the board: when a resource works that day, and the visits that take its time, by start."""

    id: UUID
    kind: str
    name: str
    open: list[Interval]
    appointment_ids: list[UUID]


class BoardStatusView(msgspec.Struct, frozen=True):
    """A column of the board: the visits of one status, by start."""

    status: str
    appointment_ids: list[UUID]


class WaitingView(msgspec.Struct, frozen=True):
    """A patient who waits, to be seen (`checked_in`) or to be collected (`ready`), and for how many full minutes."""

    appointment_id: UUID
    status: str
    since: datetime
    minutes: int


class BoardView(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic day as columns by resource and by status; `items` holds each visit once.

    Attributes:
        at: the instant at which waiting was measured.
        waiting: longest first.
    """

    date: date
    starts_at: datetime
    ends_at: datetime
    at: datetime
    resources: list[BoardResourceView]
    statuses: list[BoardStatusView]
    waiting: list[WaitingView]
    items: list[AppointmentView]


class ServiceView(msgspec.Struct, frozen=True):
    """A service with the resources that may serve it."""

    id: UUID
    name: str
    duration_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    resource_ids: list[UUID]
    bookable_online: bool
    color: str | None
    species: list[str]
    room_kind: str | None
    minimum_notice_minutes: int
    horizon_days: int
    guest_needs_confirmation: bool
    guest_cutoff_minutes: int
    active: bool
    version: int


class OnlineServiceView(msgspec.Struct, frozen=True):
    """A service that guests may book.

    Attributes:
        species: who it is for; everybody, where empty.
    """

    id: UUID
    name: str
    duration_minutes: int
    color: str | None
    species: list[str]


class OnlineServicesView(msgspec.Struct, frozen=True):
    """What guests may book, by name.

    Attributes:
        accept: the terms to show before a visit is booked, and to name in the booking; None where none are published,
            and nothing can be booked.
    """

    items: list[OnlineServiceView]
    accept: OpenDocument | None


class GuestHoldView(msgspec.Struct, frozen=True):
    """Time that is held while a guest fills in the form.

    Attributes:
        token: booking names it, and so does letting go; kept nowhere.
    """

    id: UUID
    token: str | None
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime


class PublicClinicRef(msgspec.Struct, frozen=True):
    """A clinic, to its guests."""

    slug: str
    name: str
    time_zone: str


class GuestVisit(msgspec.Struct, frozen=True):
    """A visit, with what its guest may know of it and the service's rules for guests.

    Attributes:
        patient_name, species: as the guest wrote them, where a guest booked.
    """

    service: ServiceRef
    clinic: PublicClinicRef
    status: str
    starts_at: datetime
    ends_at: datetime
    vet: str | None
    patient_name: str
    species: str
    online: bool
    cutoff_minutes: int


class GuestStepView(msgspec.Struct, frozen=True):
    """Something that the guest can still do, before `until`."""

    step: str
    until: datetime


class GuestPatientRef(msgspec.Struct, frozen=True):
    """A patient as its guest named it."""

    name: str
    species: str


class GuestVisitView(msgspec.Struct, frozen=True):
    """A visit, to whoever holds a link to it.

    Attributes:
        vet: who will see the patient, where a vet does.
        can: what can still be done with a link of that purpose, and until when.
    """

    status: str
    service: ServiceRef
    starts_at: datetime
    ends_at: datetime
    clinic: PublicClinicRef
    vet: str | None
    patient: GuestPatientRef
    can: list[GuestStepView]


class GuestClientRef(msgspec.Struct, frozen=True):
    """A guest, as they wrote of themselves; the phone in E.164."""

    given_name: str
    family_name: str
    phone: str
    email: str | None


class GuestTokensView(msgspec.Struct, frozen=True):
    """A token for each thing that can be done with a visit, each good for that alone."""

    see: str
    confirm: str
    reschedule: str
    cancel: str


class GuestBookingView(GuestVisitView, frozen=True, kw_only=True):
    """A visit that a guest just booked, with what they wrote.

    Attributes:
        token: the one to see it by; like all `tokens` kept nowhere, so that each answer has its own.
    """

    id: UUID
    client: GuestClientRef
    token: str | None
    tokens: GuestTokensView | None


class ResourceView(msgspec.Struct, frozen=True):
    """A resource."""

    id: UUID
    kind: str
    name: str
    member_id: MemberId | None
    room_kind: str | None
    active: bool
    version: int


class HolidayView(msgspec.Struct, frozen=True):
    """A day on which the country rests, and what it is for in Spanish and in English.

    Attributes:
        closure_id: what shuts the whole clinic all of that day, if anything does.
    """

    date: date
    name: str
    name_en: str
    closure_id: UUID | None


class HolidaysView(msgspec.Struct, frozen=True):
    """A year's holidays, by date."""

    items: list[HolidayView]


class FeedVisit(msgspec.Struct, frozen=True):
    """A visit as a resource's feed knows it; `changed_at` is when it last changed."""

    id: UUID
    version: int
    status: str
    starts_at: datetime
    ends_at: datetime
    patient_name: str
    service_name: str
    changed_at: datetime


class NewFeedView(msgspec.Struct, frozen=True):
    """A feed's address with its token, told once: in a replayed answer both are null."""

    url: str | None
    token: str | None


class HoursView(msgspec.Struct, frozen=True):
    """A resource's weekly hours, as wall times of the clinic."""

    resource_id: UUID
    spans: list[WeeklySpan]


class HoursSetView(HoursView, frozen=True):
    """A resource's new weekly hours, with the visits to come that they leave outside of its working time.

    Attributes:
        appointments_outside: the first hundred of them, by start. They stay booked.
        appointments_outside_total: how many there are.
    """

    appointments_outside: list[AppointmentView]
    appointments_outside_total: int


class ExceptionView(msgspec.Struct, frozen=True):
    """What a resource works on one day, instead of its weekly hours; nothing, where there are no spans."""

    resource_id: UUID
    date: date
    spans: list[DaySpan]
    reason: str | None


class ExceptionsView(msgspec.Struct, frozen=True):
    """The days on which a resource's hours are others."""

    items: list[ExceptionView]


class ExceptionSetView(ExceptionView, frozen=True):
    """What was set for a day, and the visits to come outside of the resource's working time, as `HoursSetView`."""

    appointments_outside: list[AppointmentView]
    appointments_outside_total: int


class ExceptionDroppedView(msgspec.Struct, frozen=True):
    """The visits to come that lie outside of the resource's working time, as `HoursSetView`."""

    resource_id: UUID
    appointments_outside: list[AppointmentView]
    appointments_outside_total: int


class ClosureView(msgspec.Struct, frozen=True):
    """Time in which the clinic, or one resource, is shut, without a break between its two ends.

    Attributes:
        from_time: wall time on the first day; None is its beginning.
        to_time: wall time on the last day; None is its end.
        resource_id: what is shut; None for the whole clinic.
    """

    id: UUID
    starts_on: date
    ends_on: date
    from_time: WallTime | None
    to_time: WallTime | None
    resource_id: UUID | None
    reason: str | None
    holiday: bool
    version: int


class ClosureMadeView(ClosureView, frozen=True):
    """A closure with the visits to come that lie in it; they stay booked.

    Attributes:
        appointments: the first hundred of them, by start.
        appointments_total: how many there are.
    """

    appointments: list[AppointmentView]
    appointments_total: int


class SlotView(msgspec.Struct, frozen=True):
    """A free start, with the resources any one of which can serve it."""

    starts_at: datetime
    resource_ids: list[UUID]


class DaySlotsView(msgspec.Struct, frozen=True):
    """The free starts of a clinic day."""

    date: date
    slots: list[SlotView]


class AvailabilityView(msgspec.Struct, frozen=True):
    """Free starts by clinic day; every day asked for is there, be it empty."""

    days: list[DaySlotsView]


class OfferRef(msgspec.Struct, frozen=True):
    """Time that is held for somebody who waits, until they answer or it expires."""

    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    resources: list[ResourceRef]


class WaitlistView(msgspec.Struct, frozen=True):
    """Somebody on the waitlist; see `waitlist.NewEntry` for the wish.

    Attributes:
        offer: what is on offer, or became the visit.
        appointment_id: the visit that came of it.
        offers: how many were made.
    """

    id: UUID
    status: str
    service: ServiceRef
    patient: PatientRef
    client: ClientRef
    resources: list[ResourceRef]
    weekdays: list[int]
    from_date: date
    to_date: date
    from_time: WallTime | None
    to_time: WallTime | None
    note: str | None
    offer: OfferRef | None
    appointment_id: UUID | None
    offers: int
    offered_at: datetime | None
    created_at: datetime
    version: int


class OfferView(msgspec.Struct, frozen=True):
    """An offer as its client sees it.

    Attributes:
        status: `open` to be answered until `expires_at`, `accepted`, or `closed`.
        patient: whose visit it would be; None once it is closed.
    """

    status: str
    clinic: str
    time_zone: str
    service: str
    patient: str | None
    resources: list[str]
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
