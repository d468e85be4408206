"""Registering a client and changing what is known of them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import ClientCreated, ClientUpdated
from coravet.core.kernel.fields import Email, clean_fields, given_fields
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.cantons import cantons
from coravet.core.patients.death import Deceased, check_death
from coravet.core.patients.model import Client, DocumentType, PreferredChannel
from coravet.core.patients.numbers import BadNumber, Checked, Numbers
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.search import kept
from coravet.core.patients.views import ClientView
from coravet.core.tenancy.clinic_day import day_of, time_zone

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Number = Annotated[str, Meta(min_length=1, max_length=32)]
Phone = Annotated[str, Meta(min_length=1, max_length=32, description="Any usual form; kept as E.164.")]


Canton = Annotated[str, Meta(min_length=4, max_length=4, description="The INEC's code, of the list at /cantons.")]
Address = Annotated[str, Meta(max_length=200)]


class NewClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client to register."""

    given_name: Name
    family_name: Name
    document_type: DocumentType | None = None
    document_number: Number | None = None
    phone: Phone | None = None
    email: Email | None = None
    preferred_channel: PreferredChannel | None = None
    canton: Canton | None = None
    address: Address | None = None


class ClientChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a client; what is left out stays, null clears."""

    version: int | UnsetType = UNSET
    given_name: Name | UnsetType = UNSET
    family_name: Name | UnsetType = UNSET
    document_type: DocumentType | UnsetType | None = UNSET
    document_number: Number | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    email: Email | UnsetType | None = UNSET
    preferred_channel: PreferredChannel | UnsetType | None = UNSET
    canton: Canton | UnsetType | None = UNSET
    address: Address | UnsetType | None = UNSET


class CheckedClient(msgspec.Struct, frozen=True):
    """What was given of a client, in its normal form, with all that is wrong and all that looks wrong."""

    fields: dict[str, Any]
    errors: list[FieldError]
    warnings: list[FieldError]


def check_client(given: Mapping[str, Any], numbers: Numbers) -> CheckedClient:
    """Bring the fields that were given into their normal form, finding every bad one at once.

    Fields that are absent are not looked at, so that a form can be checked though other fields are malformed.
    """
    texts = ("given_name", "family_name", "email", "address")
    fields, errors = clean_fields(given, texts, required=("given_name", "family_name"))
    checked = CheckedClient(fields, errors, [])
    if given.get("canton") is not None and given["canton"] not in cantons():
        errors.append(FieldError("/canton", "unknown_canton", "There is no such canton. Choose one of the list."))
    kind, number = given.get("document_type"), given.get("document_number")
    if "document_type" in given and "document_number" in given and (kind is None) != (number is None):
        missing = "document_type" if kind is None else "document_number"
        checked.errors.append(FieldError(f"/{missing}", "required", "A document needs its type and its number."))
    elif kind is not None and number is not None:
        _check_number("document_number", lambda: numbers.document(kind, number), checked)
    phone = given.get("phone")
    if phone is not None:
        _check_number("phone", lambda: numbers.phone(phone), checked)
    return checked


def _check_number(field: str, check: Callable[[], Checked], checked: CheckedClient) -> None:
    try:
        found = check()
    except BadNumber as error:
        checked.errors.append(FieldError(f"/{field}", error.code, error.detail))
        return
    checked.fields[field] = found.value
    if found.warning is not None:
        checked.warnings.append(FieldError(f"/{field}", "unusual", found.warning))


def search_key(client: Client) -> str:
    """The words of a client's names, see `search.kept`; numbers and mail addresses are found by their own columns."""
    return " ".join(kept(f"{client.given_name} {client.family_name}"))


def client_view(client: Client, warnings: list[FieldError]) -> ClientView:
    """A client as its readers see it."""
    return ClientView(
        id=client.id,
        name=f"{client.given_name} {client.family_name}",
        given_name=client.given_name,
        family_name=client.family_name,
        document_type=client.document_type,
        document_number=client.document_number,
        phone=client.phone,
        email=client.email,
        preferred_channel=client.preferred_channel,
        canton=client.canton,
        address=client.address,
        deceased_on=client.deceased_on,
        merged_into_id=client.merged_into_id,
        suspended_at=client.suspended_at,
        created_at=client.created_at,
        version=client.version,
        warnings=warnings,
    )


async def register_client(
    command: NewClient, actor: Actor, begin: Begin[PatientsWork], clock: Clock, numbers: Numbers
) -> ClientView:
    """Register a client.

    Raises:
        Invalid: a field breaks a rule; every bad field is listed.
        Duplicate: another client of this clinic has this document.
    """
    checked = check_client(msgspec.structs.asdict(command), numbers)
    if checked.errors:
        raise Invalid(errors=checked.errors)
    async with begin(actor) as work:
        client = await add_client(work, checked.fields, clock.now())
        return work.answer(client_view(client, checked.warnings))


async def add_client(work: PatientsWork, fields: Mapping[str, Any], now: datetime) -> Client:
    """A new client of fields in their normal form, told of. Raises Duplicate as `register_client`."""
    client = Client(clinic_id=work.actor.clinic_id, id=work.new_id(), search_key="", created_at=now, **fields)
    client.search_key = search_key(client)
    await work.clients.add(client)
    work.emit(ClientCreated(client.id, client.version))
    return client


async def change_client(
    client_id: UUID, command: ClientChange, actor: Actor, begin: Begin[PatientsWork], numbers: Numbers
) -> ClientView:
    """Change what is known of a client.

    Raises:
        NotFound, ClientMerged: no such client here.
        StaleVersion: they changed since they were read.
        Invalid, Duplicate: as when registering.
    """
    given = given_fields(command)
    async with begin(actor) as work:
        client = await work.clients.lock(client_id)
        if "document_type" in given or "document_number" in given:
            given = {"document_type": client.document_type, "document_number": client.document_number, **given}
        checked = check_client(given, numbers)
        if checked.errors:
            raise Invalid(errors=checked.errors)
        advance(client, command.version)
        for name, value in checked.fields.items():
            setattr(client, name, value)
        client.search_key = search_key(client)
        work.emit(ClientUpdated(client.id, client.version))
        return work.answer(client_view(client, checked.warnings))


async def record_client_death(
    client_id: UUID, command: Deceased, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> ClientView:
    """Record the day on which a client died, or correct it. No message reaches them any more; their patients stay.

    Raises:
        Invalid: the day lies after today (`in_future`).
        NotFound, ClientMerged: no such client here.
        StaleVersion: they changed since they were read.
    """
    today = day_of(clock.now(), time_zone(actor.time_zone))
    errors = check_death(msgspec.structs.asdict(command), today)
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        client = await work.clients.lock(client_id)
        advance(client, command.version)
        client.deceased_on = command.on or today
        work.emit(ClientUpdated(client.id, client.version))
        return work.answer(client_view(client, []))


async def revoke_client_death(
    client_id: UUID, version: int | UnsetType, actor: Actor, begin: Begin[PatientsWork]
) -> ClientView:
    """Take back that a client has died. One who lives is left as they are.

    Raises:
        NotFound, ClientMerged: no such client here.
        StaleVersion: they changed since they were read.
    """
    async with begin(actor) as work:
        client = await work.clients.lock(client_id)
        if client.deceased_on is not None:
            advance(client, version)
            client.deceased_on = None
            work.emit(ClientUpdated(client.id, client.version))
        return client_view(client, [])
