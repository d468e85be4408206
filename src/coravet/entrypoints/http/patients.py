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
from coravet.core.patients.alerts import NewAlert, add_alert, check_alert, end_alert
from coravet.core.patients.breeds import breeds
from coravet.core.patients.clients import ClientChange, NewClient, change_client, check_client, register_client
from coravet.core.patients.death import Deceased, check_death, revoke_death
from coravet.core.patients.identifiers import NewIdentifier, add_identifier, check_identifier, end_identifier
from coravet.core.patients.model import Species
from coravet.core.patients.parties import NewParty, PartyChange, add_party, change_party, check_party, end_party
from coravet.core.patients.patients import NewPatient, PatientChange, change_patient, check_patient, register_patient
from coravet.core.patients.search import search, typed
from coravet.core.patients.views import (
    AlertView,
    BreedsView,
    ClientView,
    DeathsView,
    IdentifierView,
    PartyView,
    PatientView,
    SearchView,
)
from coravet.core.scheduling.deceased import record_death
from coravet.core.scheduling.transfer import Transfer, transfer
from coravet.entrypoints.http.access import permitted, public
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit

# What PostgreSQL stores no text with (U+0000), it finds none with.
Text = Annotated[
    str | None,
    QueryParameter(
        max_length=80,
        pattern=r"^[^\x00]*$",
        description="Beginnings of names, a phone or a document; of numbers their end, too.",
    ),
]


def _client_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_client(given, ports.numbers).errors


def _patient_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    # Which day it is in the clinic is not known here; what lies after tomorrow is ahead everywhere.
    return check_patient(given, ports.clock.now().date() + timedelta(days=1))[1]


def _death_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    # As with a birth date.
    return check_death(given, ports.clock.now().date() + timedelta(days=1))


def _party_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    # As with a birth date.
    return check_party(given, ports.clock.now().date() + timedelta(days=1))


def _identifier_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as all checks
    return check_identifier(given)[1]


def _alert_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    # As with a birth date, the other way round: what lies before yesterday is past everywhere.
    return check_alert(given, ports.clock.now().date() - timedelta(days=1))[1]


@post(
    "/clinics/{clinic:str}/clients",
    opt=permitted("patients:write") | {"check": _client_errors},
    operation_id="registerClient",
    tags=["Clients"],
)
async def post_client(data: JSONBody[NewClient], call: NamedDependency[Call]) -> ClientView:
    """Register a client; what looks wrong but is accepted stands in `warnings`."""
    return await register_client(data, call.actor, call.begin, call.ports.clock, call.ports.numbers)


@get("/clinics/{clinic:str}/clients", opt=permitted("patients:read"), operation_id="listClients", tags=["Clients"])
async def list_clients(
    call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None, q: Text = None
) -> Page[ClientView]:
    """Clients by family name."""
    async with call.begin(call.actor) as work:
        return await work.patient_reads.clients(PageRequest(limit, cursor), None if q is None else typed(q))


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
    return await change_client(client_id, data, call.actor, call.begin, call.ports.numbers)


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
    """Patients by name, where given those whose owner, co-owner or caretaker (see `role`) a client is."""
    async with call.begin(call.actor) as work:
        return await work.patient_reads.patients(PageRequest(limit, cursor), client_id, None if q is None else typed(q))


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
    patient_id: FromPath[UUID], call: NamedDependency[Call], data: JSONBody[Deceased | None] = None
) -> PatientView:
    """Record that a patient has died, today where no day is given, or correct the day.

    All that it still had before it ends at once: visits (those under way apart), waitlist entries and what they were
    offered, recalls, and messages that were not sent yet. Nobody is told of that.
    """
    return await record_death(patient_id, data or Deceased(), call.actor, call.begin, call.ports.clock)


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
    """Take back that a patient has died; what ended with it stays ended."""
    seen = UNSET if version is None else version
    return await revoke_death(patient_id, seen, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/deceased",
    opt=permitted("patients:read"),
    operation_id="listDeathRecords",
    tags=["Patients"],
)
async def get_deceased(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> DeathsView:
    """Who recorded, corrected or took back that a patient has died, and how much ended with it; oldest first."""
    async with call.begin(call.actor) as work:
        return DeathsView(await work.deaths.views(patient_id))


@get("/breeds", opt=public("A vocabulary that anybody may use."), operation_id="listBreeds", tags=["Patients"])
async def list_breeds(species: FromQuery[Species | None] = None) -> BreedsView:
    """Breeds of dogs and cats by Spanish name, of one species where given. A patient's breed may be any other text."""
    return breeds(species)


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/transfer",
    opt=permitted("patients:write"),
    operation_id="transferPatient",
    tags=["Patients"],
    status_code=200,
)
async def post_transfer(
    patient_id: FromPath[UUID], data: JSONBody[Transfer], call: NamedDependency[Call]
) -> PatientView:
    """Make a client the patient's owner. Visits still to come are the new owner's; past ones stay as they were."""
    return await transfer(patient_id, data, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/parties",
    opt=permitted("patients:read"),
    operation_id="listParties",
    tags=["Patients"],
)
async def list_parties(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[PartyView]:
    """Who is and was a patient's owner, co-owner or caretaker, the latest first; present ones have no `until`."""
    async with call.begin(call.actor) as work:
        return await work.parties.views(patient_id, PageRequest(limit, cursor))


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/parties",
    opt=permitted("patients:write") | {"check": _party_errors},
    operation_id="addParty",
    tags=["Patients"],
)
async def post_party(patient_id: FromPath[UUID], data: JSONBody[NewParty], call: NamedDependency[Call]) -> PartyView:
    """Make a client a patient's co-owner or caretaker; owners change by a transfer."""
    return await add_party(patient_id, data, call.actor, call.begin, call.ports.clock)


@patch(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/parties/{party_id:uuid}",
    opt=permitted("patients:write"),
    operation_id="changeParty",
    tags=["Patients"],
)
async def patch_party(
    patient_id: FromPath[UUID], party_id: FromPath[UUID], data: JSONBody[PartyChange], call: NamedDependency[Call]
) -> PartyView:
    """Say whether a client's word alone suffices: what they are ends, and begins anew under the id that is answered."""
    return await change_party(patient_id, party_id, data, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/parties/{party_id:uuid}",
    opt=permitted("patients:write"),
    operation_id="endParty",
    tags=["Patients"],
)
async def delete_party(patient_id: FromPath[UUID], party_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """End what a co-owner or caretaker is to a patient; it stays readable."""
    await end_party(patient_id, party_id, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/identifiers",
    opt=permitted("patients:read"),
    operation_id="listIdentifiers",
    tags=["Patients"],
)
async def list_identifiers(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[IdentifierView]:
    """What a patient is and was told apart by, the latest first; present ones have no `until`."""
    async with call.begin(call.actor) as work:
        return await work.identifiers.views(patient_id, PageRequest(limit, cursor))


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/identifiers",
    opt=permitted("patients:write") | {"check": _identifier_errors},
    operation_id="addIdentifier",
    tags=["Patients"],
)
async def post_identifier(
    patient_id: FromPath[UUID], data: JSONBody[NewIdentifier], call: NamedDependency[Call]
) -> IdentifierView:
    """Write down a chip, tattoo, tag or municipal registration. A chip is one patient's at a time within the clinic."""
    return await add_identifier(patient_id, data, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/identifiers/{identifier_id:uuid}",
    opt=permitted("patients:write"),
    operation_id="endIdentifier",
    tags=["Patients"],
)
async def delete_identifier(
    patient_id: FromPath[UUID], identifier_id: FromPath[UUID], call: NamedDependency[Call]
) -> None:
    """End an identifier; it stays readable."""
    await end_identifier(patient_id, identifier_id, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/alerts",
    opt=permitted("patients:read"),
    operation_id="listAlerts",
    tags=["Patients"],
)
async def list_alerts(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[AlertView]:
    """The alerts of a patient that show now, the latest first."""
    async with call.begin(call.actor) as work:
        return await work.alerts.views(patient_id, call.ports.clock.now(), PageRequest(limit, cursor))


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/alerts",
    opt=permitted("patients:write") | {"check": _alert_errors},
    operation_id="addAlert",
    tags=["Patients"],
)
async def post_alert(patient_id: FromPath[UUID], data: JSONBody[NewAlert], call: NamedDependency[Call]) -> AlertView:
    """Have something shown at a moment of a patient's visits, until it is ended or its last day is over."""
    return await add_alert(patient_id, data, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/alerts/{alert_id:uuid}",
    opt=permitted("patients:write"),
    operation_id="endAlert",
    tags=["Patients"],
)
async def delete_alert(patient_id: FromPath[UUID], alert_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Have an alert shown no longer."""
    await end_alert(patient_id, alert_id, call.actor, call.begin, call.ports.clock)


@get(
    "/clinics/{clinic:str}/search", opt=permitted("patients:read"), operation_id="search", tags=["Clients", "Patients"]
)
async def get_search(
    call: NamedDependency[Call],
    q: Annotated[str, QueryParameter(max_length=80, pattern=r"^[^\x00]*$")],
    limit: Limit = 20,
) -> SearchView:
    """Clients and patients by names, phone, mail, document or chip, best first; accents, case and a typo are forgiven.

    Words may be cut short and stand in any order; of a number its last digits suffice.
    """
    return await search(q, limit, call.actor, call.begin)
