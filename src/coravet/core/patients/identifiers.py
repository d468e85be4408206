"""What a patient is told apart by: chips, tattoos, tags, municipal registrations. They are ended, never changed."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Duplicate, FieldError
from coravet.core.kernel.events import PatientUpdated
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.text import fold
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import Identifier, IdentifierKind
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import IdentifierView

_PARTED = re.compile(r"[\s.\-\u2010-\u2015]+")
_ISO_DIGITS = 15
_ISSUERS = (range(4, 895), range(900, 1000))
"""Countries by their ISO 3166-1 number, from Afghanistan to Zambia, and manufacturers by ICAR's."""
_LEGACY_CHIP = re.compile(r"[0-9A-Z]{9,10}")


class NewIdentifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a patient is to be told apart by; blanks and dashes within a chip's number do not matter."""

    kind: IdentifierKind
    value: Annotated[str, Meta(min_length=1, max_length=40)]


def check_identifier(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given of an identifier in its normal form, with its `value_key`, and every bad field.

    An ISO chip (ISO 11784 and 11785) has 15 digits, the first three of which are a country (ISO 3166-1 numeric) or a
    manufacturer (900 to 999). Older chips have 9 digits (AVID) or 10 letters and digits (Trovan, FECAVA).
    """
    fields, errors = clean_fields(given, ("value",), required=("value",))
    kind, value = fields.get("kind"), fields.get("value")
    if kind is None or not isinstance(value, str) or errors:
        return fields, errors
    if kind in {"iso_chip", "legacy_chip"}:
        value = fields["value"] = _PARTED.sub("", value).upper()
        error = _iso_chip_error(value) if kind == "iso_chip" else _legacy_chip_error(value)
        if error is not None:
            errors.append(error)
    fields["value_key"] = _PARTED.sub("", fold(value)).upper()
    if not fields["value_key"]:
        errors.append(FieldError("/value", "required", "Write the letters or digits of this identifier."))
    return fields, errors


def _iso_chip_error(value: str) -> FieldError | None:
    if not (value.isascii() and value.isdigit()):
        return FieldError(
            "/value", "chip_format", "An ISO chip has digits only. If it has letters, record it as an older chip."
        )
    if len(value) != _ISO_DIGITS:
        return FieldError(
            "/value",
            "chip_length",
            "An ISO chip has 15 digits. Read it again; one of 9 or 10 characters is an older chip.",
        )
    if not any(int(value[:3]) in issuers for issuers in _ISSUERS):
        return FieldError(
            "/value", "chip_prefix", "An ISO chip begins with a country's or a manufacturer's number. Read it again."
        )
    return None


def _legacy_chip_error(value: str) -> FieldError | None:
    if not _LEGACY_CHIP.fullmatch(value):
        return FieldError(
            "/value",
            "chip_length",
            "An older chip has 9 or 10 letters and digits. Read it again; one of 15 digits is an ISO chip.",
        )
    return None


async def add_identifier(
    patient_id: UUID, command: NewIdentifier, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> IdentifierView:
    """Write down what a patient is told apart by from now on.

    Raises:
        Invalid: a chip's number cannot be right (`chip_length`, `chip_format`, `chip_prefix`), or it is no text.
        NotFound: no such patient here.
        Duplicate: the patient has it already, or another patient of this clinic has this chip.
    """
    fields = sound(check_identifier(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        # Before the database says that some patient has this chip: which, it does not tell.
        if await work.identifiers.has(patient.id, fields["kind"], fields["value_key"]):
            raise Duplicate("This patient has this identifier already.")
        identifier = Identifier(
            clinic_id=actor.clinic_id, id=work.new_id(), patient_id=patient.id, since=clock.now(), **fields
        )
        await work.identifiers.add(identifier)
        advance(patient, UNSET)
        work.emit(PatientUpdated(patient.id, patient.version))
        return work.answer(
            IdentifierView(identifier.id, identifier.kind, identifier.value, identifier.since, identifier.until)
        )


async def end_identifier(
    patient_id: UUID, identifier_id: UUID, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> None:
    """End an identifier: a tag was lost, a chip was written down wrongly. It stays readable.

    Raises:
        NotFound: the patient has none such now.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        identifier = await work.identifiers.of(patient.id, identifier_id)
        identifier.until = max(clock.now(), identifier.since)
        advance(patient, UNSET)
        work.emit(PatientUpdated(patient.id, patient.version))
