"""The agenda, visits, and what the clinic offers."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.scheduling.agenda import agenda
from coravet.core.scheduling.board import board
from coravet.core.scheduling.book import NewAppointment, book, check_appointment
from coravet.core.scheduling.catalogue import (
    NewResource,
    NewService,
    ResourceChange,
    ServiceChange,
    add_resource,
    change_resource,
    change_service,
    check_offered,
    offer_service,
)
from coravet.core.scheduling.closures import ClosureChange, NewClosure, change_closure, check_closure, close, reopen
from coravet.core.scheduling.days import days_asked
from coravet.core.scheduling.hours import check_spans
from coravet.core.scheduling.move import Reassign, Reschedule, reassign, reschedule
from coravet.core.scheduling.openings import (
    DayHours,
    Hours,
    check_exception,
    drop_exception,
    set_exception,
    set_hours,
)
from coravet.core.scheduling.slots import find_slots
from coravet.core.scheduling.transition import TRANSITIONS, Step, StepCommand, check_step, take_step
from coravet.core.scheduling.views import (
    AgendaView,
    AppointmentView,
    AvailabilityView,
    BoardView,
    ClosureMadeView,
    ClosureView,
    ExceptionDroppedView,
    ExceptionSetView,
    ExceptionsView,
    HistoryView,
    HoursSetView,
    HoursView,
    ResourceView,
    ServiceView,
)
from coravet.core.scheduling.walk_in import WalkIn, walk_in
from coravet.core.tenancy.clinic_day import time_zone
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit

MOST_DAYS = 366
"""Days of a resource that a reader may ask for at once."""


def _appointment_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_appointment(given, ports.clock.now())[1]


def _step_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_step(given)[1]


def _named_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_offered(given)[1]


def _hours_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_spans(given.get("spans", ()))


def _exception_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_exception(given)[1]


def _closure_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_closure(given)[1]


@get("/clinics/{clinic:str}/agenda", opt=permitted("agenda:read"), operation_id="getAgenda", tags=["Agenda"])
async def get_agenda(
    call: NamedDependency[Call],
    day: Annotated[date | None, QueryParameter(name="date", description="Default: today.")] = None,
    resource: FromQuery[UUID | None] = None,
) -> AgendaView:
    """A clinic day: its visits with patient, client, service and resources, in one query."""
    return await agenda(day, resource, call.actor, call.begin, call.ports.clock)


@get("/clinics/{clinic:str}/board", opt=permitted("agenda:read"), operation_id="getBoard", tags=["Agenda"])
async def get_board(
    call: NamedDependency[Call],
    day: Annotated[date | None, QueryParameter(name="date", description="Default: today.")] = None,
) -> BoardView:
    """A clinic day as columns: by resource with its hours, by status, and who waits for how long."""
    return await board(day, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/availability",
    opt=permitted("agenda:read"),
    operation_id="getAvailability",
    tags=["Agenda"],
)
async def get_availability(
    call: NamedDependency[Call],
    service: FromQuery[UUID],
    from_day: Annotated[date | None, QueryParameter(name="from", description="First day; default today.")] = None,
    to_day: Annotated[date | None, QueryParameter(name="to", description="Last day, included.")] = None,
    resource: FromQuery[UUID | None] = None,
) -> AvailabilityView:
    """Free starts of a service, by clinic day."""
    return await find_slots(service, from_day, to_day, resource, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/appointments",
    opt=permitted("agenda:write") | {"check": _appointment_errors},
    operation_id="bookAppointment",
    tags=["Agenda"],
)
async def post_appointment(data: JSONBody[NewAppointment], call: NamedDependency[Call]) -> AppointmentView:
    """Book a visit."""
    return await book(data, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/appointments",
    opt=permitted("agenda:read"),
    operation_id="listAppointments",
    tags=["Agenda"],
)
async def list_appointments(
    call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None, patient_id: FromQuery[UUID | None] = None
) -> Page[AppointmentView]:
    """Visits, newest first, of one patient where given."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.appointments(PageRequest(limit, cursor), patient_id)


@get(
    "/clinics/{clinic:str}/appointments/{appointment_id:uuid}",
    opt=permitted("agenda:read"),
    operation_id="getAppointment",
    tags=["Agenda"],
)
async def get_appointment(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> AppointmentView:
    """A visit."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.appointment(appointment_id)


@post(
    "/clinics/{clinic:str}/appointments/walk-in",
    opt=permitted("agenda:write") | {"check": _appointment_errors},
    operation_id="walkIn",
    tags=["Agenda"],
)
async def post_walk_in(data: JSONBody[WalkIn], call: NamedDependency[Call]) -> AppointmentView:
    """Give a patient who is here now the first free time of today."""
    return await walk_in(data, call.actor, call.begin, call.ports.clock)


def _step(step: Step) -> HTTPRouteHandler:
    """The route of one transition."""
    verb = "".join(part.capitalize() for part in step.split("-"))

    @post(
        f"/clinics/{{clinic:str}}/appointments/{{appointment_id:uuid}}/{step}",
        opt=permitted("agenda:write") | {"check": _step_errors},
        operation_id=f"appointment{verb}",
        summary=f"Appointment: {step.replace('-', ' ')}",
        tags=["Agenda"],
        status_code=200,
    )
    async def post_step(
        appointment_id: FromPath[UUID], call: NamedDependency[Call], data: JSONBody[StepCommand | None] = None
    ) -> AppointmentView:
        """Move a visit one step on, or one back."""
        command = data or StepCommand()
        return await take_step(appointment_id, step, command, call.actor, call.begin, call.ports.clock)

    return post_step


STEPS = [_step(step) for step in TRANSITIONS]


@post(
    "/clinics/{clinic:str}/appointments/{appointment_id:uuid}/reschedule",
    opt=permitted("agenda:write") | {"check": _appointment_errors},
    operation_id="appointmentReschedule",
    tags=["Agenda"],
    status_code=200,
)
async def post_reschedule(
    appointment_id: FromPath[UUID], data: JSONBody[Reschedule], call: NamedDependency[Call]
) -> AppointmentView:
    """Move a visit to another time; it keeps its id."""
    return await reschedule(appointment_id, data, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/appointments/{appointment_id:uuid}/reassign",
    opt=permitted("agenda:write") | {"check": _appointment_errors},
    operation_id="appointmentReassign",
    tags=["Agenda"],
    status_code=200,
)
async def post_reassign(
    appointment_id: FromPath[UUID], data: JSONBody[Reassign], call: NamedDependency[Call]
) -> AppointmentView:
    """Have others serve a visit, at the same time."""
    return await reassign(appointment_id, data, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/appointments/{appointment_id:uuid}/history",
    opt=permitted("agenda:read"),
    operation_id="getAppointmentHistory",
    tags=["Agenda"],
)
async def get_history(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> HistoryView:
    """Every step of a visit, oldest first: who took it, and why."""
    async with call.begin(call.actor) as work:
        return HistoryView(await work.schedule_reads.history(appointment_id))


@get("/clinics/{clinic:str}/services", opt=permitted("clinic:read"), operation_id="listServices", tags=["Catalogue"])
async def list_services(call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None) -> Page[ServiceView]:
    """Services on offer, by name."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.services(PageRequest(limit, cursor))


@post(
    "/clinics/{clinic:str}/services",
    opt=permitted("clinic:configure") | {"check": _named_errors},
    operation_id="offerService",
    tags=["Catalogue"],
)
async def post_service(data: JSONBody[NewService], call: NamedDependency[Call]) -> ServiceView:
    """Offer a service."""
    return await offer_service(data, call.actor, call.begin)


@get(
    "/clinics/{clinic:str}/services/{service_id:uuid}",
    opt=permitted("clinic:read"),
    operation_id="getService",
    tags=["Catalogue"],
)
async def get_service(service_id: FromPath[UUID], call: NamedDependency[Call]) -> ServiceView:
    """A service."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.service(service_id)


@patch(
    "/clinics/{clinic:str}/services/{service_id:uuid}",
    opt=permitted("clinic:configure") | {"check": _named_errors},
    operation_id="changeService",
    tags=["Catalogue"],
)
async def patch_service(
    service_id: FromPath[UUID], data: JSONBody[ServiceChange], call: NamedDependency[Call]
) -> ServiceView:
    """Change a service."""
    return await change_service(service_id, data, call.actor, call.begin)


@delete(
    "/clinics/{clinic:str}/services/{service_id:uuid}",
    opt=permitted("clinic:configure"),
    operation_id="retireService",
    tags=["Catalogue"],
)
async def delete_service(service_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Retire a service: it is no longer on offer, its past visits stay."""
    await change_service(service_id, ServiceChange(active=False), call.actor, call.begin)


@get("/clinics/{clinic:str}/resources", opt=permitted("clinic:read"), operation_id="listResources", tags=["Catalogue"])
async def list_resources(call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None) -> Page[ResourceView]:
    """Vets, rooms and equipment, by name."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.resources(PageRequest(limit, cursor))


@post(
    "/clinics/{clinic:str}/resources",
    opt=permitted("clinic:configure") | {"check": _named_errors},
    operation_id="addResource",
    tags=["Catalogue"],
)
async def post_resource(data: JSONBody[NewResource], call: NamedDependency[Call]) -> ResourceView:
    """Add a vet, a room or a piece of equipment."""
    return await add_resource(data, call.actor, call.begin)


@get(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}",
    opt=permitted("clinic:read"),
    operation_id="getResource",
    tags=["Catalogue"],
)
async def get_resource(resource_id: FromPath[UUID], call: NamedDependency[Call]) -> ResourceView:
    """A resource."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.resource(resource_id)


@patch(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}",
    opt=permitted("clinic:configure") | {"check": _named_errors},
    operation_id="changeResource",
    tags=["Catalogue"],
)
async def patch_resource(
    resource_id: FromPath[UUID], data: JSONBody[ResourceChange], call: NamedDependency[Call]
) -> ResourceView:
    """Change a resource."""
    return await change_resource(resource_id, data, call.actor, call.begin)


@delete(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}",
    opt=permitted("clinic:configure"),
    operation_id="retireResource",
    tags=["Catalogue"],
)
async def delete_resource(resource_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Retire a resource: it can no longer be booked, its past visits stay."""
    await change_resource(resource_id, ResourceChange(active=False), call.actor, call.begin)


@get(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}/hours",
    opt=permitted("clinic:read"),
    operation_id="getHours",
    tags=["Catalogue"],
)
async def get_hours(resource_id: FromPath[UUID], call: NamedDependency[Call]) -> HoursView:
    """A resource's weekly hours."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.hours(resource_id)


@put(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}/hours",
    opt=permitted("clinic:configure") | {"check": _hours_errors},
    operation_id="setHours",
    tags=["Catalogue"],
)
async def put_hours(resource_id: FromPath[UUID], data: JSONBody[Hours], call: NamedDependency[Call]) -> HoursSetView:
    """Replace a resource's weekly hours; the answer lists visits that lie outside now, and stay booked."""
    return await set_hours(resource_id, data, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}/exceptions",
    opt=permitted("clinic:read"),
    operation_id="listExceptions",
    tags=["Catalogue"],
)
async def list_exceptions(
    resource_id: FromPath[UUID],
    call: NamedDependency[Call],
    from_day: Annotated[date | None, QueryParameter(name="from", description="First day; default today.")] = None,
    to_day: Annotated[date | None, QueryParameter(name="to", description="Last day, included.")] = None,
) -> ExceptionsView:
    """The days on which a resource's hours are others; by default of the year to come."""
    zone = time_zone(call.actor.time_zone)
    days = days_asked(from_day, to_day, call.ports.clock.now(), zone, usual=MOST_DAYS, longest=MOST_DAYS)
    async with call.begin(call.actor) as work:
        return ExceptionsView(await work.schedule_reads.exceptions(resource_id, *days))


@put(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}/exceptions/{day:date}",
    opt=permitted("clinic:configure") | {"check": _exception_errors},
    operation_id="setException",
    tags=["Catalogue"],
)
async def put_exception(
    resource_id: FromPath[UUID], day: FromPath[date], data: JSONBody[DayHours], call: NamedDependency[Call]
) -> ExceptionSetView:
    """Say what a resource works on a day; the answer lists visits that lie outside now, and stay booked."""
    return await set_exception(resource_id, day, data, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}/exceptions/{day:date}",
    opt=permitted("clinic:configure"),
    operation_id="dropException",
    tags=["Catalogue"],
    status_code=200,
)
async def delete_exception(
    resource_id: FromPath[UUID], day: FromPath[date], call: NamedDependency[Call]
) -> ExceptionDroppedView:
    """Let the weekly hours hold on a day again; the answer lists visits that lie outside now, and stay booked."""
    return await drop_exception(resource_id, day, call.actor, call.begin, call.ports.clock)


@get("/clinics/{clinic:str}/closures", opt=permitted("clinic:read"), operation_id="listClosures", tags=["Catalogue"])
async def list_closures(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    from_day: Annotated[date | None, QueryParameter(name="from", description="None that ends before it.")] = None,
    to_day: Annotated[date | None, QueryParameter(name="to", description="None that starts after it.")] = None,
    resource: FromQuery[UUID | None] = None,
) -> Page[ClosureView]:
    """Closures of the clinic and its resources, by their first day; what shuts one resource, where it is named."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.closures(PageRequest(limit, cursor), from_day, to_day, resource)


@post(
    "/clinics/{clinic:str}/closures",
    opt=permitted("clinic:configure") | {"check": _closure_errors},
    operation_id="closeClinic",
    tags=["Catalogue"],
)
async def post_closure(data: JSONBody[NewClosure], call: NamedDependency[Call]) -> ClosureMadeView:
    """Shut the clinic or a resource; visits in that time are refused or, with keep_bookings, listed."""
    return await close(data, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/closures/{closure_id:uuid}",
    opt=permitted("clinic:read"),
    operation_id="getClosure",
    tags=["Catalogue"],
)
async def get_closure(closure_id: FromPath[UUID], call: NamedDependency[Call]) -> ClosureView:
    """A closure."""
    async with call.begin(call.actor) as work:
        return await work.schedule_reads.closure(closure_id)


@patch(
    "/clinics/{clinic:str}/closures/{closure_id:uuid}",
    opt=permitted("clinic:configure") | {"check": _closure_errors},
    operation_id="changeClosure",
    tags=["Catalogue"],
)
async def patch_closure(
    closure_id: FromPath[UUID], data: JSONBody[ClosureChange], call: NamedDependency[Call]
) -> ClosureMadeView:
    """Change a closure; visits in its time are treated as when closing."""
    return await change_closure(closure_id, data, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/closures/{closure_id:uuid}",
    opt=permitted("clinic:configure"),
    operation_id="reopenClinic",
    tags=["Catalogue"],
)
async def delete_closure(closure_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Forget a closure: its time can be booked again."""
    await reopen(closure_id, call.actor, call.begin)
