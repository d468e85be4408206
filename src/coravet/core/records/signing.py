"""Signing an encounter, and adding to one that is signed."""

from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, InvalidTransition
from coravet.core.kernel.events import EncounterAddended, EncounterSigned
from coravet.core.kernel.text import paragraphs
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.records.encounters import LATEST_VERSION, PARTS, VITALS
from coravet.core.records.model import Addendum, Encounter
from coravet.core.records.ports import RecordsWork
from coravet.core.records.signers import registered, written_by
from coravet.core.records.views import DiagnosisView, EncounterView


class Signing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that the signer has read."""

    version: Annotated[int, Meta(ge=1, le=LATEST_VERSION)]


class NewAddendum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to add to a signed encounter."""

    text: Annotated[str, Meta(min_length=1, max_length=20_000)]


def digest(encounter: Encounter, diagnoses: list[DiagnosisView]) -> bytes:
    """SHA-256 over what is signed: JSON with the fields in this order, instants in UTC, numbers as they are kept."""
    signed = {
        "patient_id": encounter.patient_id,
        "started_at": encounter.started_at,
        "reason": encounter.reason,
        "note": {name: getattr(encounter, name) for name in PARTS},
        "vitals": {name: getattr(encounter, name) for name in VITALS},
        "diagnoses": diagnoses,
    }
    return sha256(msgspec.json.encode(signed)).digest()


async def sign_encounter(
    encounter_id: UUID, command: Signing, actor: Actor, begin: Begin[RecordsWork], clock: Clock
) -> EncounterView:
    """Sign an encounter; from now on it is only added to, which the database enforces.

    Raises:
        NotFound: no such encounter here.
        RegistrationRequired: the signer has no registration number.
        StaleVersion: it changed since it was read.
        InvalidTransition: it is signed already, or was entered in error.
        Invalid: there is no word in its note yet.
    """
    async with begin(actor) as work:
        encounter = await work.encounters.lock(encounter_id)
        signer = await registered(work)
        if encounter.voided_at is not None:
            raise InvalidTransition("This encounter was entered in error. Open a new one.")
        if encounter.signed_at is not None:
            raise InvalidTransition("This encounter is signed already. Write an addendum.")
        advance(encounter, command.version)
        if not any(getattr(encounter, name) for name in PARTS):
            raise Invalid(errors=[FieldError("/note", "required", "Write the note before you sign it.")])
        diagnoses = (await work.record_reads.encounter(encounter.id)).diagnoses
        encounter.digest = digest(encounter, diagnoses)
        encounter.signed_at, encounter.signed_by = clock.now(), actor.member_id
        encounter.signer_name, encounter.registration_number = signer.name, signer.registration_number
        work.emit(EncounterSigned(encounter.id, encounter.version))
        return work.answer(await work.record_reads.encounter(encounter.id))


async def addend(
    encounter_id: UUID, command: NewAddendum, actor: Actor, begin: Begin[RecordsWork], clock: Clock
) -> EncounterView:
    """Add to a signed encounter.

    Raises:
        NotFound: no such encounter here.
        InvalidTransition: it is not signed yet, or was entered in error.
        Invalid: the text is blank.
    """
    text = paragraphs(command.text)
    if not text.strip():
        raise Invalid(errors=[FieldError("/text", "required", "It cannot be blank.")])
    async with begin(actor) as work:
        encounter = await work.encounters.lock(encounter_id)
        if encounter.voided_at is not None:
            raise InvalidTransition("This encounter was entered in error. Open a new one.")
        if encounter.signed_at is None:
            raise InvalidTransition("Only what is signed is added to. Write in the note itself.")
        member_id = written_by(actor)
        author = await work.signers.signer(member_id)
        await work.addenda.add(
            Addendum(
                clinic_id=actor.clinic_id,
                id=work.new_id(),
                encounter_id=encounter.id,
                text=text,
                member_id=member_id,
                author_name=author.name,
                registration_number=author.registration_number,
                added_at=clock.now(),
            )
        )
        advance(encounter, encounter.version)
        work.emit(EncounterAddended(encounter.id, encounter.version))
        return work.answer(await work.record_reads.encounter(encounter.id))
