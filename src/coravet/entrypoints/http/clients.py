"""How clients are reached, what they decided, who may be registered twice, and making one of two."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.legal.model import Evidence
from coravet.core.patients.cantons import CantonsView, cantons
from coravet.core.patients.clients import record_client_death, revoke_client_death
from coravet.core.patients.consents import NewConsent, check_consent, record_consent
from coravet.core.patients.contacts import NewContact, add_contact, check_contact, remove_contact
from coravet.core.patients.death import Deceased, check_death
from coravet.core.patients.duplicates import MOST, Person, find_duplicates
from coravet.core.patients.merge import NewMerge, merge_clients
from coravet.core.patients.model import DocumentType
from coravet.core.patients.views import ClientView, ConsentView, ContactView, DuplicatesView, MergeView
from coravet.core.scheduling.parting import undo_merge
from coravet.entrypoints.http.access import permitted, public
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.legal import evidence_of
from coravet.entrypoints.http.paging import Cursor, Limit

_CLIENTS = "/clinics/{clinic:str}/clients"
_CLIENT = f"{_CLIENTS}/{{client_id:uuid}}"
_READ, _WRITE = permitted("patients:read"), permitted("patients:write")

Typed = Annotated[
    str | None, QueryParameter(max_length=80, pattern=r"^[^\x00]*$", description="As far as it was typed.")
]


def _contact_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_contact(given, ports.numbers)[1]


def _consent_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_consent(given)[1]


def _death_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    # Which day it is in the clinic is not known here; what lies after tomorrow is ahead everywhere.
    return check_death(given, ports.clock.now().date() + timedelta(days=1))


@get("/cantons", opt=public("The country publishes them."), operation_id="listCantons", tags=["Clients"])
async def list_cantons() -> CantonsView:
    """Ecuador's cantons with their provinces, by the INEC's code."""
    return CantonsView(list(cantons().values()))


@post(
    f"{_CLIENT}/deceased",
    opt=_WRITE | {"check": _death_errors},
    operation_id="recordClientDeath",
    tags=["Clients"],
    status_code=200,
)
async def post_client_deceased(
    client_id: FromPath[UUID], call: NamedDependency[Call], data: JSONBody[Deceased | None] = None
) -> ClientView:
    """Record that a client has died, today where no day is given, or correct the day: no message reaches them then."""
    return await record_client_death(client_id, data or Deceased(), call.actor, call.begin, call.ports.clock)


@delete(f"{_CLIENT}/deceased", opt=_WRITE, operation_id="revokeClientDeath", tags=["Clients"], status_code=200)
async def delete_client_deceased(
    client_id: FromPath[UUID], call: NamedDependency[Call], version: FromQuery[int | None] = None
) -> ClientView:
    """Take back that a client has died."""
    return await revoke_client_death(client_id, UNSET if version is None else version, call.actor, call.begin)


@get(f"{_CLIENT}/contacts", opt=_READ, operation_id="listContacts", tags=["Clients"])
async def list_contacts(
    client_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[ContactView]:
    """A client's phones and mail addresses besides the first of each, which are the client's own fields."""
    async with call.begin(call.actor) as work:
        return await work.contacts.views(client_id, PageRequest(limit, cursor))


@post(f"{_CLIENT}/contacts", opt=_WRITE | {"check": _contact_errors}, operation_id="addContact", tags=["Clients"])
async def post_contact(
    client_id: FromPath[UUID], data: JSONBody[NewContact], call: NamedDependency[Call]
) -> ContactView:
    """Add a phone or mail address; others may have the same one."""
    return await add_contact(client_id, data, call.actor, call.begin, call.ports.clock, call.ports.numbers)


@delete(f"{_CLIENT}/contacts/{{contact_id:uuid}}", opt=_WRITE, operation_id="removeContact", tags=["Clients"])
async def delete_contact(client_id: FromPath[UUID], contact_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Forget a phone or mail address."""
    await remove_contact(client_id, contact_id, call.actor, call.begin)


@get(f"{_CLIENT}/consents", opt=_READ, operation_id="listConsents", tags=["Clients"])
async def list_consents(
    client_id: FromPath[UUID],
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    current: Annotated[bool, QueryParameter(description="Only the last word on each purpose.")] = False,
) -> Page[ConsentView]:
    """What a client decided, the latest first; `current` of each tells whether it holds."""
    async with call.begin(call.actor) as work:
        return await work.consents.views(client_id, PageRequest(limit, cursor), current=current)


@post(f"{_CLIENT}/consents", opt=_WRITE | {"check": _consent_errors}, operation_id="recordConsent", tags=["Clients"])
async def post_consent(
    client_id: FromPath[UUID], data: JSONBody[NewConsent], request: JsonRequest, call: NamedDependency[Call]
) -> ConsentView:
    """Write down that a client agreed to a purpose, declined it, or took it back; nothing written before changes.

    Agreeing is to a published text, to the words of now: those that the client was shown. Consent to treatment is the
    clinic's own paper, and taking something back needs no text.
    """
    # The address and browser are the clinic's, and prove nothing about the client.
    told = Evidence(request_id=evidence_of(request, call).request_id)
    return await record_consent(client_id, data, call.actor, call.begin, call.ports.clock, told)


@get(f"{_CLIENTS}/duplicates", opt=_READ, operation_id="findDuplicates", tags=["Clients"])
async def get_duplicates_of_person(
    call: NamedDependency[Call],
    given_name: Typed = None,
    family_name: Typed = None,
    document_type: FromQuery[DocumentType | None] = None,
    document_number: Typed = None,
    phone: Typed = None,
) -> DuplicatesView:
    """Who may be registered already, to be asked before registering: by document, phone or a similar name."""
    person = Person(given_name, family_name, document_type, document_number, phone)
    return await find_duplicates(person, call.actor, call.begin, call.ports.numbers)


@get(f"{_CLIENT}/duplicates", opt=_READ, operation_id="listDuplicates", tags=["Clients"])
async def get_duplicates(client_id: FromPath[UUID], call: NamedDependency[Call]) -> DuplicatesView:
    """Others who may be the same person as this client."""
    async with call.begin(call.actor) as work:
        return DuplicatesView(await work.duplicates.of_client(client_id, MOST))


@post(f"{_CLIENT}/merge", opt=_WRITE, operation_id="mergeClients", tags=["Clients"])
async def post_merge(client_id: FromPath[UUID], data: JSONBody[NewMerge], call: NamedDependency[Call]) -> MergeView:
    """Make all that is another client's this one's; it can be undone for 30 days."""
    return await merge_clients(client_id, data, call.actor, call.begin, call.ports.clock)


@get("/clinics/{clinic:str}/merges", opt=_READ, operation_id="listMerges", tags=["Clients"])
async def list_merges(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    client_id: FromQuery[UUID | None] = None,
) -> Page[MergeView]:
    """Clients who were one person, the latest merge first, or the merges of one."""
    async with call.begin(call.actor) as work:
        return await work.merges.views(PageRequest(limit, cursor), client_id)


@post(
    "/clinics/{clinic:str}/merges/{merge_id:uuid}/undo",
    opt=_WRITE,
    operation_id="undoMerge",
    tags=["Clients"],
    status_code=200,
)
async def post_undo(merge_id: FromPath[UUID], call: NamedDependency[Call]) -> MergeView:
    """Make two clients of one again: what was moved goes back, and nothing else."""
    return await undo_merge(merge_id, call.actor, call.begin, call.ports.clock)
