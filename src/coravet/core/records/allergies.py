"""What a patient does not bear: noting it, and looking for it in what it is about to be given."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, InvalidTransition
from coravet.core.kernel.events import PatientAlertChanged
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.records.encounters import Voiding, check_reason
from coravet.core.records.substances import akin, includes, substances_in, unknown_in, words_of
from coravet.core.records.treatment_ports import KnownAllergy, TreatmentsWork
from coravet.core.records.treatment_views import AllergyView
from coravet.core.records.treatments import Allergy, Severity


class NewAllergy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a patient does not bear: an active substance, a class of them, or whatever else."""

    substance: Annotated[str, Meta(min_length=1, max_length=120)]
    reaction: Annotated[str, Meta(max_length=500)] | None = None
    severity: Severity = "unknown"


def check_allergy(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given with their texts cleaned, and every bad one of them."""
    return clean_fields(given, ("substance", "reaction"), required=("substance",))


def allergy_warnings(pointer: str, texts: Iterable[str], known: Iterable[KnownAllergy]) -> list[FieldError]:
    """A warning for each allergy that what is given speaks against.

    `allergy` where it holds the substance itself, or one of a class that the patient does not bear; `allergy_akin`
    where it is of the same class as the substance. What our table does not know is compared word by word.

    Args:
        pointer: where in the body it stands.
        texts: names of the product and of what is in it.
    """
    warnings = []
    written = list(texts)
    keys = frozenset[str]().union(*map(substances_in, written))
    phrases = [f" {' '.join(words_of(text))} " for text in written]
    for allergy in known:
        against = substances_in(allergy.substance)
        named = f" {' '.join(words_of(allergy.substance))} "
        if any(includes(group, key) for group in against for key in keys) or any(named in each for each in phrases):
            sentence = Sentence("The patient is allergic to {substance}.", substance=allergy.substance)
            warnings.append(FieldError(pointer, "allergy", sentence))
        elif any(akin(group, key) for group in against for key in keys):
            sentence = Sentence(
                "The patient is allergic to {substance}, which is of the same class.", substance=allergy.substance
            )
            warnings.append(FieldError(pointer, "allergy_akin", sentence))
    return warnings


def unchecked(pointer: str, texts: Iterable[str], known: list[KnownAllergy]) -> list[FieldError]:
    """A warning for each part of what is given that our table does not know: its kin could not be looked for.

    Args:
        pointer: where in the body they stand.
        known: the patient's allergies; without any there is nothing to look for.
    """
    parts = dict.fromkeys(part for text in texts for part in unknown_in(text)) if known else ()
    return [
        FieldError(
            pointer,
            "unchecked",
            Sentence(
                "{part} is not known here, so its class was not checked for allergies. Check it yourself.", part=part
            ),
        )
        for part in parts
    ]


async def note_allergy(
    patient_id: UUID, command: NewAllergy, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> AllergyView:
    """Note that a patient does not bear something.

    Raises:
        Invalid: a text is blank or holds what cannot be text.
        NotFound: no such patient here.
    """
    fields = sound(check_allergy(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        allergy = Allergy(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            patient_id=(await work.patients.get(patient_id)).id,
            noted_at=clock.now(),
            noted_by=actor.member_id,
            **fields,
        )
        await work.allergies.add(allergy)
        return await _told(allergy, work)


async def resolve_allergy(allergy_id: UUID, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock) -> AllergyView:
    """Hold an allergy to be over; it stays readable, and nobody is warned of it any more.

    Raises:
        NotFound: no such allergy here.
        InvalidTransition: it is over already, or was entered in error.
    """
    async with begin(actor) as work:
        allergy = await work.allergies.lock(allergy_id)
        _refuse_ended(allergy)
        allergy.resolved_at, allergy.resolved_by = clock.now(), actor.member_id
        return await _told(allergy, work)


async def void_allergy(
    allergy_id: UUID, command: Voiding, actor: Actor, begin: Begin[TreatmentsWork], clock: Clock
) -> AllergyView:
    """Mark an allergy as entered in error.

    Raises:
        Invalid: the reason is blank.
        NotFound: no such allergy here.
        InvalidTransition: it is marked already.
    """
    reason = sound(check_reason(msgspec.structs.asdict(command)))["reason"]
    async with begin(actor) as work:
        allergy = await work.allergies.lock(allergy_id)
        if allergy.voided_at is not None:
            raise InvalidTransition("This allergy is marked as entered in error already.")
        allergy.voided_at, allergy.voided_by, allergy.void_reason = clock.now(), actor.member_id, reason
        return await _told(allergy, work)


def _refuse_ended(allergy: Allergy) -> None:
    if allergy.resolved_at is not None or allergy.voided_at is not None:
        raise InvalidTransition("This allergy is over already, or was entered in error.")


async def _told(allergy: Allergy, work: TreatmentsWork) -> AllergyView:
    """The allergy as its readers see it. Whoever shows the patient learns that what to mind with it has changed."""
    patient = await work.patients.get(allergy.patient_id)
    work.emit(PatientAlertChanged(patient.id, patient.version))
    return work.answer(await work.allergy_reads.allergy(allergy.id))
