"""What scheduling asks of storage."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.fields import WallTime
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table
from coravet.core.legal.ports import LegalWork
from coravet.core.messaging.ports import MessagingWork
from coravet.core.scheduling.hours import DaySpan, Interval, Openings, WeeklySpan
from coravet.core.scheduling.model import (
    Allocation,
    Appointment,
    CalendarFeed,
    Closure,
    GuestRequest,
    Hold,
    Resource,
    Service,
    Transition,
    WaitlistEntry,
    WaitlistStatus,
)
from coravet.core.scheduling.views import (
    AppointmentView,
    ClosureView,
    ExceptionView,
    FeedVisit,
    GuestVisit,
    HoursView,
    OfferView,
    OnlineServiceView,
    ResourceRef,
    ResourceView,
    ServiceView,
    TransitionView,
    WaitlistView,
)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A service as booking needs it: its times, its rules, and who or what may serve it.

    Attributes:
        species: who it is for; everybody, where empty.
        room_kind: a room is needed, and any of this kind may serve.
        minimum_notice_minutes: how long before its start a guest may book at the latest.
        horizon_days: how many clinic days after today a guest may book.
        guest_cutoff_minutes: how long before the start a guest may cancel or move at the latest.
        grid_minutes: the clinic's; starts that are offered lie on it, counted from midnight.
    """

    service_id: UUID
    duration_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    resources: dict[UUID, str]
    """Active resources that may serve it, by id: their kind. Rooms of the service's kind of room are among them."""
    needs: frozenset[str] = frozenset()
    """Kinds of all that was named to serve it, what is retired included."""
    species: frozenset[str] = frozenset()
    room_kind: str | None = None
    bookable_online: bool = False
    minimum_notice_minutes: int = 0
    horizon_days: int = 365
    guest_needs_confirmation: bool = True
    guest_cutoff_minutes: int = 0
    grid_minutes: int = 15

    @property
    def kinds(self) -> set[str]:
        """What kinds of resource a visit takes, one of each; of one that is wanted there may be none at work."""
        kinds = {*self.needs, *self.resources.values()}
        return kinds if self.room_kind is None else kinds | {"room"}


class Plan(msgspec.Struct, frozen=True):
    """All that says when a service can be had, but for what is taken."""

    offer: Offer
    openings: dict[UUID, Openings]
    """When each of the offer's resources works, on the days asked for and about them."""


class Coming(msgspec.Struct, frozen=True):
    """A visit that is still to end, with a resource that it takes."""

    appointment_id: UUID
    resource_id: UUID
    visit: Interval


class Booked(msgspec.Struct, frozen=True):
    """Who a visit is for: the patient, and its present owner."""

    patient_id: UUID
    client_id: UUID
    species: str
    deceased: bool


class Held(msgspec.Struct, frozen=True):
    """Time of a resource that is taken in a lane."""

    resource_id: UUID
    lane: int
    during: Interval


class Wish(msgspec.Struct, frozen=True):
    """What somebody waits for; see `waitlist.NewEntry`."""

    from_date: date
    to_date: date
    weekdays: Sequence[int] = ()
    from_time: WallTime | None = None
    to_time: WallTime | None = None
    resource_ids: Sequence[UUID] = ()


class Waiting(msgspec.Struct, frozen=True):
    """Somebody who waits, and when they were offered a visit that they did not take."""

    entry_id: UUID
    service_id: UUID
    wish: Wish
    refused: list[Interval]
    patient_id: UUID


class Freed(msgspec.Struct, frozen=True):
    """Time that was given up.

    Attributes:
        starts_at: when the visit would have begun.
        holding: the visit with its buffers.
    """

    starts_at: datetime
    holding: Interval
    resource_ids: list[UUID]


class Offered(msgspec.Struct, frozen=True):
    """What an entry of the waitlist is offered, before anything is locked.

    Attributes:
        holding: the visit with its buffers; None where nothing is on offer.
    """

    service_id: UUID
    patient_id: UUID
    hold_id: UUID | None
    holding: Interval | None
    resource_ids: list[UUID]


class Offers(Protocol):
    """The conversation about what can be had: services, who or what serves them and when, and for whom."""

    async def offer(self, service_id: UUID, *, retired: bool = False) -> Offer:
        """An active service, or a retired one too, with its active resources. Raises NotFound."""
        ...

    async def plan(self, service_id: UUID, first: date, last: date) -> Plan:
        """An active service with its active resources and when they work on these clinic days; one query.

        Raises NotFound.
        """
        ...

    async def openings(self, resource_ids: Sequence[UUID], first: date, last: date) -> dict[UUID, Openings]:
        """When each resource works on these clinic days, for `hours.working`; one query.

        Those that are unknown or retired are absent.
        """
        ...

    async def booked(self, patient_id: UUID) -> Booked:
        """The patient as booking needs it; until the work ends nobody registers its death. Raises NotFound.

        Patients are locked before visits, visits before resources, and those before who waits.
        """
        ...

    async def of_visit(self, appointment_id: UUID) -> Booked:
        """The patient of a visit that is to be locked next, as `booked` has it. Raises NotFound."""
        ...

    async def known(self, resource_ids: Sequence[UUID]) -> bool:
        """Whether all of these are resources here, retired ones included."""
        ...

    async def resources(self) -> list[UUID]:
        """Every resource of the clinic, retired ones included."""
        ...


class Diary(Protocol):
    """The conversation about whose time is taken, and taking it."""

    async def lock(self, resource_ids: Iterable[UUID]) -> None:
        """Let nobody else book these resources until the work ends; always taken in one order, so none deadlock."""
        ...

    async def held(self, resource_ids: Sequence[UUID], window: Interval, now: datetime) -> list[Held]:
        """What is taken of these resources and overlaps the window; holds that expired take nothing."""
        ...

    async def taken(self, resource_ids: Sequence[UUID], window: Interval, now: datetime) -> list[Held]:
        """As `held`, under the lock: expired holds give their time back, so that it can be taken."""
        ...

    async def coming(self, resource_ids: Sequence[UUID], window: Interval) -> list[Coming]:
        """Visits neither over nor given up that overlap the window, with those of the resources that they take."""
        ...

    async def add(self, appointment: Appointment, allocations: list[Allocation], booked: Transition) -> None:
        """Book; later changes to either are not stored. Raises SlotTaken where the time turns out to be held."""
        ...

    async def add_hold(self, hold: Hold, allocations: list[Allocation]) -> None:
        """Hold time. Raises SlotTaken as `add` does."""
        ...

    async def take(self, allocations: list[Allocation]) -> None:
        """Take time for a visit that is there. Raises SlotTaken as `add` does."""
        ...

    async def taken_by(self, holder_id: UUID) -> list[UUID]:
        """The resources whose time a visit or a hold takes, or took last."""
        ...

    async def release(self, holder_id: UUID, at: datetime) -> None:
        """Free the time that a visit or a hold takes."""
        ...

    async def reclaim(self, appointment_id: UUID, now: datetime) -> bool:
        """Take again what a visit gave up; False where somebody else has it now."""
        ...


class History(Protocol):
    """What visits were, and what was done with them, for good."""

    async def record(self, *transitions: Transition) -> None:
        """Append to visits' histories."""
        ...

    async def set_aside(self, appointment_id: UUID, copy_id: UUID, now: datetime) -> UUID:
        """Keep what a visit is before it is moved as a row of that id, with its time, which is released."""
        ...


class ScheduleReads(Protocol):
    """The schedule as readers see it. Single reads raise NotFound."""

    async def agenda(self, starts_at: datetime, ends_at: datetime, resource_id: UUID | None) -> list[AppointmentView]:
        """Visits that begin within the half-open stretch, by start, cancelled ones included; one query."""
        ...

    async def board(self, starts_at: datetime, ends_at: datetime, now: datetime) -> list[AppointmentView]:
        """Visits that lie in the stretch of a day in whole or in part, by start, and where `now` does, too, those of
        up to a day before or after whose patients are here; one query."""
        ...

    async def staffing(self, also: Collection[UUID], day: date) -> list[tuple[ResourceRef, Openings]]:
        """Every active resource, and these others, by kind and name, with what says when it works that day."""
        ...

    async def appointment(self, appointment_id: UUID) -> AppointmentView: ...

    async def history(self, appointment_id: UUID) -> list[TransitionView]:
        """Every step of a visit, oldest first; visits of before steps were kept have none."""
        ...

    async def appointments(self, page: PageRequest, patient_id: UUID | None) -> Page[AppointmentView]:
        """Visits, newest first, of one patient where given."""
        ...

    async def these(self, appointment_ids: Sequence[UUID]) -> list[AppointmentView]:
        """Those visits, by start."""
        ...

    async def hours(self, resource_id: UUID) -> HoursView: ...

    async def exceptions(self, resource_id: UUID, first: date, last: date) -> list[ExceptionView]:
        """The days, both included, on which the resource's hours are others, in order."""
        ...

    async def closures(
        self, page: PageRequest, first: date | None, last: date | None, resource_id: UUID | None
    ) -> Page[ClosureView]:
        """Closures that touch these days, by their first; of one resource (the whole clinic's included) where given."""
        ...

    async def shut_days(self, days: Sequence[date]) -> dict[date, UUID]:
        """Which of the days the whole clinic is shut, from beginning to end, by a closure; one query."""
        ...

    async def closure(self, closure_id: UUID) -> ClosureView: ...

    async def service(self, service_id: UUID) -> ServiceView: ...

    async def online_services(self) -> list[OnlineServiceView]:
        """The services that guests may book, by name; one query."""
        ...

    async def guest_visit(self, appointment_id: UUID) -> GuestVisit:
        """A visit as whoever holds a link to it may know it; one query."""
        ...

    async def services(self, page: PageRequest) -> Page[ServiceView]: ...

    async def resource(self, resource_id: UUID) -> ResourceView: ...

    async def resources(self, page: PageRequest) -> Page[ResourceView]: ...


class Catalogue(Protocol):
    """What a clinic offers, beyond its rows."""

    async def assign(self, service_id: UUID, resource_ids: Iterable[UUID]) -> None:
        """Say which resources may serve a service, instead of any before. Raises NotFound for an unknown one."""
        ...

    async def set_hours(self, resource_id: UUID, spans: list[WeeklySpan]) -> None:
        """Replace a resource's weekly hours."""
        ...

    async def set_exception(self, resource_id: UUID, day: date, spans: list[DaySpan], reason: str | None) -> None:
        """Say what opens on a day instead of the weekly hours."""
        ...

    async def drop_exception(self, resource_id: UUID, day: date) -> None:
        """Let the weekly hours hold on a day again. Raises NotFound."""
        ...

    async def drop_closure(self, closure_id: UUID) -> None:
        """Forget a closure. Raises NotFound."""
        ...


class Holds(Table[Hold], Protocol):
    """Time that is held without a visit."""

    async def of_token(self, token_hash: bytes) -> UUID | None:
        """The guest's hold of that token. Lock the resources that it holds before it is locked itself."""
        ...


class Feeds(Table[CalendarFeed], Protocol):
    """The feeds of resources' calendars."""

    async def revoke(self, resource_id: UUID, at: datetime) -> None:
        """End the resource's feed, if it has one."""
        ...

    async def visits(self, resource_id: UUID, starts_at: datetime, ends_at: datetime) -> list[FeedVisit]:
        """The resource's visits that begin within the half-open stretch, by start, and those that were cancelled or
        missed while they were its; one query."""
        ...


class Waitlist(Table[WaitlistEntry], Protocol):
    """Who waits for what."""

    async def freed(self, holder_id: UUID, now: datetime) -> Freed | None:
        """What a visit or a hold gave up; None where that is nothing, or past."""
        ...

    async def waiting(self, freed: Freed, first: date, last: date) -> list[Waiting]:
        """Who waits for a service that one of the freed resources may serve, on one of those days; longest first.

        One query. The living only, of a species that the service is for.
        """
        ...

    async def offered(self, entry_id: UUID) -> Offered:
        """What an entry is offered. Raises NotFound."""
        ...

    async def of_hold(self, hold_id: UUID) -> UUID | None:
        """The entry that is offered this hold, or was booked by it."""
        ...

    async def offer(self, hold_id: UUID, now: datetime) -> OfferView:
        """An offer as its client sees it. Raises NotFound."""
        ...

    async def view(self, entry_id: UUID) -> WaitlistView:
        """An entry. Raises NotFound."""
        ...

    async def views(self, page: PageRequest, status: WaitlistStatus | None) -> Page[WaitlistView]:
        """Entries, who waits longest first, of one status where given; one query."""
        ...


class Upcoming(Protocol):
    """What patients still have before them, to be ended or handed over; lock the patients first."""

    async def visits(self, patient_ids: Sequence[UUID], now: datetime) -> list[Appointment]:
        """Their visits that are asked for or booked and not over, locked. One whose patient has arrived is none."""
        ...

    async def entries(self, patient_ids: Sequence[UUID]) -> list[WaitlistEntry]:
        """Their entries of the waitlist that wait or are offered something, locked after what the offers hold."""
        ...

    async def release(self, holder_ids: Sequence[UUID], at: datetime) -> None:
        """Free the time that these visits and holds take."""
        ...


class SchedulingWork(LegalWork, MessagingWork, Protocol):
    """The unit of work as scheduling uses it."""

    @property
    def services(self) -> Table[Service]: ...

    @property
    def resources(self) -> Table[Resource]: ...

    @property
    def closures(self) -> Table[Closure]: ...

    @property
    def appointments(self) -> Table[Appointment]: ...

    @property
    def holds(self) -> Holds: ...

    @property
    def guest_requests(self) -> Table[GuestRequest]: ...

    @property
    def offers(self) -> Offers: ...

    @property
    def diary(self) -> Diary: ...

    @property
    def history(self) -> History: ...

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def feeds(self) -> Feeds: ...

    @property
    def schedule_reads(self) -> ScheduleReads: ...

    @property
    def waitlist(self) -> Waitlist: ...

    @property
    def upcoming(self) -> Upcoming: ...
