"""What immunizations and dewormings have in common: when, by whom, of which lot, and what they must not contradict."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta

from coravet.core.kernel.actor import Actor, MemberId
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.sentences import Sentence
from coravet.core.patients.death import FIRST_DAY, earliest_birth
from coravet.core.patients.model import Patient
from coravet.core.records.protocols import months_after, next_due
from coravet.core.records.treatment_ports import Given, TreatmentsWork
from coravet.core.records.treatment_views import ProtocolEntry
from coravet.core.tenancy.clinic_day import day_of

SKEW = timedelta(minutes=5)
"""How far a clock at the clinic may be ahead of ours."""

LAST_DAY = date(2100, 1, 1)
"""A later year is a slip of the hand."""

FURTHEST = 120
"""Months after a dose within which the next one lies: no vaccine is said to last longer."""

Instant = Annotated[datetime, Meta(tz=True)]
Product = Annotated[str, Meta(min_length=1, max_length=120)]
Words = Annotated[str, Meta(max_length=80)]
Lot = Annotated[str, Meta(max_length=40)]


def check_given(
    given: Mapping[str, Any], texts: tuple[str, ...], required: tuple[str, ...], now: datetime
) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given with their texts cleaned, and what is wrong with them, whoever the patient is.

    Args:
        texts: fields of its own that hold text; `required` are those that cannot be blank.
    """
    fields, errors = clean_fields(given, (*texts, "lot_number", "given_by"), required=required)
    at = fields.get("administered_at")
    if at is not None and at > now + SKEW:
        errors.append(FieldError("/administered_at", "in_future", "It was not given yet. Record it when it is."))
    elif at is not None and at.date() < FIRST_DAY:
        errors.append(_out_of_range("administered_at"))
    errors += [
        _out_of_range(name)
        for name in ("lot_expires_on", "next_due_on")
        if isinstance(fields.get(name), date) and not FIRST_DAY <= fields[name] <= LAST_DAY
    ]
    if fields.get("source") == "here" and fields.get("given_by") is not None:
        sentence = "Only what was given elsewhere names who gave it there. Choose the vet instead."
        errors.append(FieldError("/given_by", "not_external", sentence))
    if fields.get("source") == "external" and fields.get("vet_id") is not None:
        sentence = "What was given elsewhere has no vet of this clinic. Write who gave it under given_by."
        errors.append(FieldError("/vet_id", "not_here", sentence))
    return fields, errors


def _out_of_range(name: str) -> FieldError:
    return FieldError(f"/{name}", "out_of_range", "The day lies before 1980 or after 2100. Check the year.")


def check_days(fields: Mapping[str, Any], zone: ZoneInfo) -> tuple[list[FieldError], list[FieldError]]:
    """What is wrong with the days around a dose, and what only looks wrong.

    A lot that had expired by the day of the dose is refused here, where another can be taken; of a dose given
    elsewhere it is told, for what happened happened.
    """
    errors, warnings = [], []
    day = day_of(fields["administered_at"], zone)
    expires, due = fields["lot_expires_on"], fields["next_due_on"]
    if expires is not None and expires < day:
        if fields["source"] == "here":
            sentence = "This lot had expired on the day of the dose. Take another lot, or correct the date."
            errors.append(FieldError("/lot_expires_on", "expired", sentence))
        else:
            sentence = "This lot had expired on the day of the dose. It may not protect: consider to repeat it."
            warnings.append(FieldError("/lot_expires_on", "expired", sentence))
    if isinstance(due, date) and due <= day:
        errors.append(FieldError("/next_due_on", "out_of_order", "The next dose lies after this one."))
    elif isinstance(due, date) and due > months_after(day, FURTHEST):
        errors.append(FieldError("/next_due_on", "out_of_range", "It lies more than ten years ahead. Check the year."))
    return errors, warnings


def check_life(fields: Mapping[str, Any], patient: Patient, zone: ZoneInfo) -> list[FieldError]:
    """What is wrong with a dose that the patient had before its birth or after its death."""
    day = day_of(fields["administered_at"], zone)
    if patient.birth_date is not None and day < earliest_birth(patient.birth_date, patient.birth_date_precision):
        sentence = "It lies before the patient's birth. Correct the one that is wrong."
        return [FieldError("/administered_at", "before_birth", sentence)]
    if patient.deceased_on is not None and day > patient.deceased_on:
        sentence = "It lies after the patient's death. Correct the one that is wrong."
        return [FieldError("/administered_at", "after_death", sentence)]
    return []


def age_weeks(patient: Patient, day: date) -> int | None:
    """Full weeks of age; None where the birth date is not known, or only its year and the patient may be young."""
    if patient.birth_date is None:
        return None
    if patient.birth_date_precision == "year" and day.year - patient.birth_date.year < 2:
        return None
    return max((day - patient.birth_date).days, 0) // 7


def reckon(
    entries: list[ProtocolEntry], patient: Patient, day: date, given: list[Given]
) -> tuple[date | None, list[FieldError]]:
    """When the next dose is due by the protocol, and a warning where this one came early.

    Args:
        entries: what the dose covers; the one that falls due first counts.
        given: what the patient had of it before.
    """
    age = age_weeks(patient, day)
    days = []
    warnings = []
    for entry in entries:
        doses = 1 + sum(entry.code in each.covers for each in given)
        due = next_due(entry, day, age, doses)
        days += [] if due is None else [due]
        if age is not None and age < entry.from_weeks:
            sentence = Sentence(
                "The clinic's protocol begins later: {name} at {weeks} weeks of age.",
                name=entry.name,
                weeks=entry.from_weeks,
            )
            warnings.append(FieldError("/administered_at", "too_young", sentence))
    return min(days, default=None), warnings


async def the_vet(fields: Mapping[str, Any], actor: Actor, work: TreatmentsWork) -> dict[str, Any]:
    """Who gave a dose here, as it is kept: the vet who was named, or who records it; nobody of one given elsewhere.

    Raises:
        Invalid: the member is no vet.
        NotFound: no such member here.
    """
    if fields["source"] == "external":
        return {"vet_id": None, "vet_name": None, "registration_number": None}
    vet_id: MemberId | None = fields["vet_id"] or actor.member_id
    vet = None if vet_id is None else await work.vets.vet(vet_id)
    if vet is None:
        raise Invalid(errors=[FieldError("/vet_id", "not_a_vet", "Only a vet gives it. Choose one of the clinic's.")])
    return {"vet_id": vet_id, "vet_name": vet.name, "registration_number": vet.registration_number}


def wanted_due(fields: Mapping[str, Any], reckoned: date | None) -> date | None:
    """The day that was asked for (null: none), or the one that the protocol says."""
    due: date | None = fields["next_due_on"] if fields["next_due_on"] is not UNSET else reckoned
    return due


def unreckoned(fields: Mapping[str, Any], reckoned: date | None) -> list[FieldError]:
    """A warning where no day was asked for and the protocol says none."""
    if fields["next_due_on"] is not UNSET or reckoned is not None:
        return []
    sentence = "The clinic's protocol says no day for the next dose. Nobody will be reminded unless you recall it."
    return [FieldError("/next_due_on", "not_reckoned", sentence)]
