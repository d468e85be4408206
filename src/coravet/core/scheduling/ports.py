"""What scheduling asks of storage."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.scheduling.hours import Interval, WeeklySpan
from coravet.core.scheduling.model import Allocation, Appointment, Resource, Service
from coravet.core.scheduling.views import AppointmentView, HoursView, ResourceView, ServiceView


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A service as booking needs it: its times, and who or what may serve it."""

    service_id: UUID
    duration_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    resources: dict[UUID, str]
    """Active resources that may serve it, by id: their kind."""


class Held(msgspec.Struct, frozen=True):
    """Time of a resource that is taken in a lane."""

    resource_id: UUID
    lane: int
    during: Interval


class Diary(Protocol):
    """The conversation about who is free when."""

    async def offer(self, service_id: UUID) -> Offer:
        """An active service with its active resources. Raises NotFound."""
        ...

    async def owner_of(self, patient_id: UUID) -> UUID:
        """The patient's present owner. Raises NotFound."""
        ...

    async def lock(self, resource_ids: Iterable[UUID]) -> None:
        """Let nobody else book these resources until the work ends; always taken in one order, so none deadlock."""
        ...

    async def held(self, resource_ids: Sequence[UUID], window: Interval) -> list[Held]:
        """What is taken of these resources and overlaps the window."""
        ...

    async def hours(self, resource_ids: Sequence[UUID]) -> dict[UUID, list[WeeklySpan]]:
        """Weekly hours; a resource without any is there with an empty list."""
        ...

    async def add(self, appointment: Appointment, allocations: list[Allocation]) -> None:
        """Book. Raises SlotTaken where the database finds the time held after all."""
        ...

    async def release(self, appointment_id: UUID, at: datetime) -> None:
        """Free the time that a visit holds."""
        ...


class ScheduleReads(Protocol):
    """The schedule as readers see it. Single reads raise NotFound."""

    async def agenda(self, starts_at: datetime, ends_at: datetime, resource_id: UUID | None) -> list[AppointmentView]:
        """Visits that begin within the half-open stretch, by start, cancelled ones included; one query."""
        ...

    async def appointment(self, appointment_id: UUID) -> AppointmentView: ...

    async def appointments(self, page: PageRequest, patient_id: UUID | None) -> Page[AppointmentView]:
        """Visits, newest first, of one patient where given."""
        ...

    async def service(self, service_id: UUID) -> ServiceView: ...

    async def services(self, page: PageRequest) -> Page[ServiceView]: ...

    async def resource(self, resource_id: UUID) -> ResourceView: ...

    async def resources(self, page: PageRequest) -> Page[ResourceView]: ...


class Catalogue(Protocol):
    """What a clinic offers, beyond its rows."""

    async def assign(self, service_id: UUID, resource_ids: Iterable[UUID]) -> None:
        """Say which resources may serve a service, instead of any before. Raises NotFound for an unknown one."""
        ...

    async def set_hours(self, resource_id: UUID, spans: list[WeeklySpan]) -> HoursView:
        """Replace a resource's weekly hours."""
        ...


class SchedulingWork(Work, Protocol):
    """The unit of work as scheduling uses it."""

    @property
    def services(self) -> Table[Service]: ...

    @property
    def resources(self) -> Table[Resource]: ...

    @property
    def appointments(self) -> Table[Appointment]: ...

    @property
    def diary(self) -> Diary: ...

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def schedule_reads(self) -> ScheduleReads: ...
