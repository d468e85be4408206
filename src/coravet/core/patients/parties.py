"""Who a patient belongs to, and who looks after it: relations that begin and end, and are never overwritten."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Conflict, Duplicate, FieldError, Invalid, NotFound
from coravet.core.kernel.events import PatientUpdated
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.death import earliest_birth, too_early
from coravet.core.patients.errors import ClientDeceased
from coravet.core.patients.model import Client, Party, Patient
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import OwnerRef, PartyView
from coravet.core.tenancy.clinic_day import bounds, day_of, time_zone


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
        since: the clinic day from whose beginning they are; by default from now on.
    """

    client_id: UUID
    role: Literal["co_owner", "caretaker"]
    may_consent: bool | None = None
    since: date | None = None


class PartyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the clinic may act on a party's word alone, from now on."""

    may_consent: bool


def check_party(given: Mapping[str, Any], today: date) -> list[FieldError]:
    """What is wrong with the day since which somebody is a party, whatever the patient.

    Args:
        today: the clinic's day; nobody becomes a party after it.
    """
    since = given.get("since")
    if since is not None and since > today:
        return [FieldError("/since", "in_future", "This day cannot lie after today.")]
    return too_early("since", since)


async def add_party(
    patient_id: UUID, command: NewParty, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> PartyView:
    """Write down that a client is a patient's co-owner or caretaker from now on, or since a day.

    Raises:
        Invalid: the day lies after today (`in_future`), before 1980 or before the patient's birth (`before_birth`).
        NotFound: no such patient or client here.
        Duplicate: the client is something to the patient already.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    errors = check_party(msgspec.structs.asdict(command), day_of(now, zone))
    if errors:
        raise Invalid(errors=errors)
    since = now if command.since is None else bounds(command.since, zone).starts_at
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        client = await work.clients.get(command.client_id)
        if any(party.client_id == client.id for party in await work.parties.current(patient.id)):
            raise Duplicate("This client is the patient's owner, co-owner or caretaker already. End that first.")
        born = patient.birth_date
        if command.since and born and command.since < earliest_birth(born, patient.birth_date_precision):
            sentence = "This day lies before the patient's birth date. Correct the one that is wrong."
            raise Invalid(errors=[FieldError("/since", "before_birth", sentence)])
        may_consent = command.role == "co_owner" if command.may_consent is None else command.may_consent
        party = await _open(work, patient, client, command.role, may_consent=may_consent, now=since)
        advance(patient, UNSET)
        work.emit(PatientUpdated(patient.id, patient.version))
        return work.answer(_view(party, client))


async def change_party(
    patient_id: UUID, party_id: UUID, command: PartyChange, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> PartyView:
    """Say whether a party, the owner too, may consent from now on: what they are ends, and begins anew with that.

    What is so already stays as it is.

    Raises:
        NotFound: the patient has no such relation now.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        party = await _current(work, patient, party_id)
        client = await work.clients.get(party.client_id)
        if party.may_consent != command.may_consent:
            party.until = at = max(clock.now(), party.since)
            party = await _open(work, patient, client, party.role, may_consent=command.may_consent, now=at)
            advance(patient, UNSET)
            work.emit(PatientUpdated(patient.id, patient.version))
        return work.answer(_view(party, client))


async def end_party(patient_id: UUID, party_id: UUID, actor: Actor, begin: Begin[PatientsWork], clock: Clock) -> None:
    """End what a co-owner or caretaker is to a patient. It stays readable.

    Raises:
        NotFound: the patient has no such relation now.
        OwnerStays: it is the owner's.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        party = await _current(work, patient, party_id)
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
        ClientDeceased: the client has died.
        Invalid: the client is its owner already.
    """
    client = await work.clients.get(client_id)
    if client.deceased_on is not None:
        raise ClientDeceased
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


async def _current(work: PatientsWork, patient: Patient, party_id: UUID) -> Party:
    for party in await work.parties.current(patient.id):
        if party.id == party_id:
            return party
    raise NotFound


def _view(party: Party, client: Client) -> PartyView:
    ref = OwnerRef(client.id, f"{client.given_name} {client.family_name}", client.phone)
    return PartyView(party.id, ref, party.role, party.may_consent, party.since, party.until)


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
