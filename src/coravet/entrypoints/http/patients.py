"""Clients, patients and finding them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.text import fold
from coravet.core.patients.clients import ClientChange, NewClient, change_client, check_client, register_client
from coravet.core.patients.death import Death, check_death, record_death, revoke_death
from coravet.core.patients.patients import NewPatient, PatientChange, change_patient, check_patient, register_patient
from coravet.core.patients.search import search
from coravet.core.patients.views import ClientView, PatientView, SearchView
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit

# What PostgreSQL stores no text with (U+0000), it finds none with.
Text = Annotated[
    str | None,
    QueryParameter(max_length=80, pattern=r"^[^\x00]*$", description="Part of a name, phone or document."),
]


def _client_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_client(given, ports.numbers).errors


def _patient_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    # Which day it is in the clinic is not known here; what lies after tomorrow is ahead everywhere.
    return check_patient(given, ports.clock.now().date() + timedelta(days=1))[1]


def _death_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    # As with a birth date.
    return check_death(given, ports.clock.now().date() + timedelta(days=1))


@post(
    "/clinics/{clinic:str}/clients",
    opt=permitted("patients:write") | {"check": _client_errors},
    operation_id="registerClient",
    tags=["Clients"],
)
async def post_client(data: JSONBody[NewClient], call: NamedDependency[Call]) -> ClientView:
    """Register a client; what looks wrong but is accepted stands in `warnings`."""
    return await register_client(data, call.actor, call.begin, call.ports.clock, call.numbers)


@get("/clinics/{clinic:str}/clients", opt=permitted("patients:read"), operation_id="listClients", tags=["Clients"])
async def list_clients(
    call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None, q: Text = None
) -> Page[ClientView]:
    """Clients by family name."""
    async with call.begin(call.actor) as work:
        return await work.patient_reads.clients(PageRequest(limit, cursor), None if q is None else fold(q))


@get(
    "/clinics/{clinic:str}/clients/{client_id:uuid}",
    opt=permitted("patients:read"),
    operation_id="getClient",
    tags=["Clients"],
)
async def get_client(client_id: FromPath[UUID], call: NamedDependency[Call]) -> ClientView:
    """A client."""
    async with call.begin(call.actor) as work:
        return await work.patient_reads.client(client_id)


@patch(
    "/clinics/{clinic:str}/clients/{client_id:uuid}",
    opt=permitted("patients:write") | {"check": _client_errors},
    operation_id="changeClient",
    tags=["Clients"],
)
async def patch_client(
    client_id: FromPath[UUID], data: JSONBody[ClientChange], call: NamedDependency[Call]
) -> ClientView:
    """Change what is known of a client."""
    return await change_client(client_id, data, call.actor, call.begin, call.numbers)


@post(
    "/clinics/{clinic:str}/patients",
    opt=permitted("patients:write") | {"check": _patient_errors},
    operation_id="registerPatient",
    tags=["Patients"],
)
async def post_patient(data: JSONBody[NewPatient], call: NamedDependency[Call]) -> PatientView:
    """Register a patient and its owner."""
    return await register_patient(data, call.actor, call.begin, call.ports.clock)


@get("/clinics/{clinic:str}/patients", opt=permitted("patients:read"), operation_id="listPatients", tags=["Patients"])
async def list_patients(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    client_id: FromQuery[UUID | None] = None,
    q: Text = None,
) -> Page[PatientView]:
    """Patients by name, of one client where given."""
    async with call.begin(call.actor) as work:
        return await work.patient_reads.patients(PageRequest(limit, cursor), client_id, None if q is None else fold(q))


@get(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}",
    opt=permitted("patients:read"),
    operation_id="getPatient",
    tags=["Patients"],
)
async def get_patient(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> PatientView:
    """A patient with its present owner."""
    async with call.begin(call.actor) as work:
        return await work.patient_reads.patient(patient_id)


@patch(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}",
    opt=permitted("patients:write") | {"check": _patient_errors},
    operation_id="changePatient",
    tags=["Patients"],
)
async def patch_patient(
    patient_id: FromPath[UUID], data: JSONBody[PatientChange], call: NamedDependency[Call]
) -> PatientView:
    """Change what is known of a patient."""
    return await change_patient(patient_id, data, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/deceased",
    opt=permitted("patients:write") | {"check": _death_errors},
    operation_id="recordDeath",
    tags=["Patients"],
    status_code=200,
)
async def post_deceased(
    patient_id: FromPath[UUID], call: NamedDependency[Call], data: JSONBody[Death | None] = None
) -> PatientView:
    """Record that a patient has died, today where no day is given, or correct the day."""
    return await record_death(patient_id, data or Death(), call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/deceased",
    opt=permitted("patients:write"),
    operation_id="revokeDeath",
    tags=["Patients"],
    status_code=200,
)
async def delete_deceased(
    patient_id: FromPath[UUID], call: NamedDependency[Call], version: FromQuery[int | None] = None
) -> PatientView:
    """Take back that a patient has died."""
    return await revoke_death(patient_id, UNSET if version is None else version, call.actor, call.begin)


@get(
    "/clinics/{clinic:str}/search", opt=permitted("patients:read"), operation_id="search", tags=["Clients", "Patients"]
)
async def get_search(
    call: NamedDependency[Call],
    q: Annotated[str, QueryParameter(max_length=80, pattern=r"^[^\x00]*$")],
    limit: Limit = 20,
) -> SearchView:
    """Clients and patients by name, phone or document; accents and case do not matter."""
    return await search(q, limit, call.actor, call.begin)
