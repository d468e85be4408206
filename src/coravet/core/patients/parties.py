"""Who a patient belongs to, and who looks after it: relations that begin and end, and are never overwritten."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Conflict, Duplicate, FieldError, Invalid, NotFound
from coravet.core.kernel.events import PatientUpdated
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import Client, Party, Patient
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import OwnerRef, PartyView


class OwnerStays(Conflict):
    """Every patient has one owner, who leaves it only to another."""

    code = "owner_stays"
    title = "A patient needs an owner"

    def __init__(self) -> None:
        super().__init__("A patient always has an owner. Transfer it to its new owner instead.")


class NewParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody else who answers for a patient; its owner changes by a transfer only.

    Attributes:
        may_consent: whether the clinic may act on this client's word alone, as with surgery; by default co-owners may.
    """

    client_id: UUID
    role: Literal["co_owner", "caretaker"]
    may_consent: bool | None = None


async def add_party(
    patient_id: UUID, command: NewParty, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> PartyView:
    """Write down that a client is a patient's co-owner or caretaker from now on.

    Raises:
        NotFound: no such patient or client here.
        Duplicate: the client is something to the patient already.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        client = await work.clients.get(command.client_id)
        if any(party.client_id == client.id for party in await work.parties.current(patient.id)):
            raise Duplicate("This client is the patient's owner, co-owner or caretaker already. End that first.")
        may_consent = command.role == "co_owner" if command.may_consent is None else command.may_consent
        party = await _open(work, patient, client, command.role, may_consent=may_consent, now=clock.now())
        advance(patient, UNSET)
        work.emit(PatientUpdated(patient.id, patient.version))
        return work.answer(
            PartyView(
                party.id,
                OwnerRef(client.id, f"{client.given_name} {client.family_name}", client.phone),
                party.role,
                party.may_consent,
                party.since,
                party.until,
            )
        )


async def end_party(patient_id: UUID, party_id: UUID, actor: Actor, begin: Begin[PatientsWork], clock: Clock) -> None:
    """End what a co-owner or caretaker is to a patient. It stays readable.

    Raises:
        NotFound: the patient has no such relation now.
        OwnerStays: it is the owner's.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        found = [party for party in await work.parties.current(patient.id) if party.id == party_id]
        if not found:
            raise NotFound
        [party] = found
        if party.role == "owner":
            raise OwnerStays
        party.until = max(clock.now(), party.since)
        advance(patient, UNSET)
        work.emit(PatientUpdated(patient.id, patient.version))


async def change_owner(
    work: PatientsWork, patient: Patient, client_id: UUID, *, may_consent: bool, now: datetime
) -> None:
    """Make a client the owner of a patient that this work locked: what was ends, and what is begins.

    Whatever else the client was to the patient ends, too. The caller advances the patient and raises the event.

    Raises:
        NotFound: no such client here.
        Invalid: the client is its owner already.
    """
    client = await work.clients.get(client_id)
    current = await work.parties.current(patient.id)
    # Not before what ends here began, be it written by a machine whose clock goes before this one's.
    at = max(now, *(party.since for party in current))
    for party in current:
        if party.client_id == client.id and party.role == "owner":
            sentence = "This client is the patient's owner already. Choose the new owner."
            raise Invalid(errors=[FieldError("/client_id", "already_owner", sentence)])
        if party.client_id == client.id or party.role == "owner":
            party.until = at
    await _open(work, patient, client, "owner", may_consent=may_consent, now=at)


async def _open(
    work: PatientsWork, patient: Patient, client: Client, role: str, *, may_consent: bool, now: datetime
) -> Party:
    party = Party(
        clinic_id=work.actor.clinic_id,
        id=work.new_id(),
        patient_id=patient.id,
        client_id=client.id,
        role=role,
        since=now,
        may_consent=may_consent,
    )
    await work.parties.add(party)
    return party
