"""Two clients who turn out to be one person: all that is theirs becomes one client's, and for 30 days two's again
(`scheduling.parting`).

Who stays keeps what is known of them; what is empty is filled from the other, and a phone or mail address that differs
becomes a further contact. The other's own row stays as it was, for undoing and for whoever has its id.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import ClientMerged as MergedEvent
from coravet.core.kernel.events import ClientUpdated
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.clients import search_key
from coravet.core.patients.duplicates import same_documents
from coravet.core.patients.errors import ClientMerged
from coravet.core.patients.model import Client, Contact, Merge
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import MergeView

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("document_type", "document_number"),
    ("phone",),
    ("email",),
    ("canton", "address"),
    ("preferred_channel",),
    ("deceased_on",),
    ("suspended_at",),
)
"""Fields that are filled where all of a group are empty: an address belongs to its canton."""


class NewMerge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The client who is the same person and goes; `version` is of the one who stays."""

    merged_id: UUID
    version: int | UnsetType = UNSET


async def merge_clients(
    client_id: UUID, command: NewMerge, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> MergeView:
    """Make all that is another client's this one's.

    Raises:
        Invalid: both are the same client.
        NotFound: one of them is nobody here.
        ClientMerged: one of them is another one already.
        StaleVersion: who stays changed since they were read.
    """
    if client_id == command.merged_id:
        sentence = "This is the client itself. Choose the other one of the two."
        raise Invalid(errors=[FieldError("/merged_id", "same_client", sentence)])
    now = clock.now()
    async with begin(actor) as work:
        client, merged = await work.merges.both(client_id, command.merged_id)
        for each in (client, merged):
            if each.merged_into_id is not None:
                raise ClientMerged(each.merged_into_id)
        warnings = oddities(client, merged)
        advance(client, command.version)
        advance(merged, UNSET)
        merged.merged_into_id = client.id
        moved = await work.merges.move(merged.id, client.id, now)
        filled = fill(client, merged)
        moved["added"] = await _keep_reachable(work, client, merged, now)
        client.search_key = search_key(client)
        merge = Merge(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            client_id=client.id,
            merged_id=merged.id,
            merged_by=actor.member_id,
            merged_at=now,
            filled=filled,
            moved={table: [str(each) for each in ids] for table, ids in moved.items() if ids},
        )
        await work.merges.add(merge)
        work.emit(MergedEvent(client.id, client.version))
        work.emit(ClientUpdated(merged.id, merged.version))
        return work.answer(msgspec.structs.replace(await work.merges.view(merge.id), warnings=warnings))


def oddities(client: Client, merged: Client) -> list[FieldError]:
    """What speaks against two being one person, and is left to those who know them."""
    warnings = []
    kind, number, theirs = client.document_type, client.document_number, (merged.document_type, merged.document_number)
    if kind is not None and number is not None and None not in theirs and theirs not in same_documents(kind, number):
        sentence = "The two have different documents. The one of the client who stays is kept."
        warnings.append(FieldError("/document_number", "differs", sentence))
    if client.deceased_on != merged.deceased_on and None in {client.deceased_on, merged.deceased_on}:
        sentence = "Only one of the two is registered as deceased. The client who stays is, from now on."
        warnings.append(FieldError("/deceased_on", "differs", sentence))
    return warnings


def fill(client: Client, merged: Client) -> list[str]:
    """Fill what is empty of who stays from who goes; answers the names of the fields."""
    filled = []
    for group in TOGETHER:
        if all(getattr(client, name) is None for name in group):
            for name in group:
                value = getattr(merged, name)
                if value is not None:
                    setattr(client, name, value)
                    filled.append(name)
    return filled


def empty(client: Client, merged: Client, filled: list[str]) -> None:
    """Empty again what was filled and has not been changed by hand since."""
    for group in TOGETHER:
        names = [name for name in group if name in filled]
        if all(getattr(client, name) == getattr(merged, name) for name in names):
            for name in names:
                setattr(client, name, None)


async def _keep_reachable(work: PatientsWork, client: Client, merged: Client, now: datetime) -> list[UUID]:
    """Make the other's own phone and mail address contacts of who stays; answers the ids of those that are new."""
    known = {client.phone, client.email, *(each.value for each in await work.contacts.of(client.id))}
    added = []
    for kind, value in (("phone", merged.phone), ("email", merged.email)):
        if value is not None and value not in known:
            contact = Contact(client.clinic_id, work.new_id(), client.id, kind, value, None, now)
            await work.contacts.add(contact)
            added.append(contact.id)
    return added
