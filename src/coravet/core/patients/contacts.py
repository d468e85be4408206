"""Further phones and mail addresses of a client. Families share them, so that none is one client's alone."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Duplicate, FieldError, Invalid
from coravet.core.kernel.events import ClientUpdated
from coravet.core.kernel.fields import Email, clean_fields
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import Contact, ContactKind
from coravet.core.patients.numbers import BadNumber, Numbers
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import ContactView

MOST = 20
"""Contacts of one client."""


class NewContact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further phone or mail address. `label` says whose or what for, such as "trabajo" or "hija"."""

    kind: ContactKind
    value: Annotated[str, Meta(min_length=1, max_length=254)]
    label: Annotated[str, Meta(max_length=60)] | None = None


def check_contact(
    given: Mapping[str, Any], numbers: Numbers
) -> tuple[dict[str, Any], list[FieldError], list[FieldError]]:
    """What was given in its normal form, with all that is wrong and all that looks wrong."""
    fields, errors = clean_fields(given, ("value", "label"), required=("value",))
    value = fields.get("value")
    warnings: list[FieldError] = []
    if value is not None and fields.get("kind") == "email":
        try:
            msgspec.convert(value, Email)
        except msgspec.ValidationError:
            errors.append(FieldError("/value", "malformed", "Write one mail address, such as ana@example.com."))
    if value is not None and fields.get("kind") == "phone":
        try:
            found = numbers.phone(value)
        except BadNumber as error:
            errors.append(FieldError("/value", error.code, error.detail))
        else:
            fields["value"] = found.value
            if found.warning is not None:
                warnings.append(FieldError("/value", "unusual", found.warning))
    return fields, errors, warnings


async def add_contact(
    client_id: UUID, command: NewContact, actor: Actor, begin: Begin[PatientsWork], clock: Clock, numbers: Numbers
) -> ContactView:
    """Add a contact, which is a change of the client.

    Raises:
        NotFound, ClientMerged: no such client here.
        Invalid: it is no phone or mail address, or there are too many.
        Duplicate: the client has it already.
    """
    fields, errors, warnings = check_contact(msgspec.structs.asdict(command), numbers)
    if errors:
        raise Invalid(errors=errors)
    async with begin(actor) as work:
        client = await work.clients.lock(client_id)
        known = await work.contacts.of(client_id)
        if fields["value"] in {client.phone, client.email, *(each.value for each in known)}:
            raise Duplicate("The client has this phone or address already.")
        if len(known) >= MOST:
            raise Invalid(errors=[FieldError("/value", "too_many", "The client has enough contacts. Remove one.")])
        contact = Contact(
            clinic_id=actor.clinic_id, id=work.new_id(), client_id=client_id, created_at=clock.now(), **fields
        )
        await work.contacts.add(contact)
        advance(client, UNSET)
        work.emit(ClientUpdated(client.id, client.version))
        return work.answer(
            ContactView(contact.id, contact.kind, contact.value, contact.label, contact.created_at, warnings)
        )


async def remove_contact(client_id: UUID, contact_id: UUID, actor: Actor, begin: Begin[PatientsWork]) -> None:
    """Forget a contact.

    Raises:
        NotFound, ClientMerged: no such client here, or not with that contact.
    """
    async with begin(actor) as work:
        client = await work.clients.lock(client_id)
        await work.contacts.remove(client_id, contact_id)
        advance(client, UNSET)
        work.emit(ClientUpdated(client.id, client.version))
