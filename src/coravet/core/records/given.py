"""What immunizations and dewormings have in common: when, by whom, of which lot, and what they must not contradict."""

from calendar import monthrange
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

GROWN_UP = 10_000
"""Weeks that a patient may have whose birth date nobody knows: more than any stretch of age in a protocol."""

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


def ages(patient: Patient, day: date, known_since: date) -> tuple[int, int]:
    """Full weeks of age that the patient has at least, and at most, as precisely as its birth date is known.

    Args:
        known_since: the first day from which anything is known of it: by then it lived.
    """
    born, precision = patient.birth_date, patient.birth_date_precision
    if born is None:
        return max((day - known_since).days, 0) // 7, GROWN_UP
    if precision == "day":
        age = max((day - born).days, 0) // 7
        return age, age
    end = born.replace(day=monthrange(born.year, born.month)[1]) if precision == "month" else date(born.year, 12, 31)
    oldest = max((day - earliest_birth(born, precision)).days, 0) // 7
    return max((day - min(end, known_since)).days, 0) // 7, oldest


def reckon(
    entries: list[ProtocolEntry], patient: Patient, day: date, given: list[Given], zone: ZoneInfo
) -> tuple[dict[str, date | None], list[FieldError]]:
    """When the next dose of each entry is due by the protocol, and what to look at: a dose that came early, an age that
    is not known well enough. Such a patient is taken to be as young as it may be, for a puppy's series that is not
    finished leaves it without protection, and a dose too many does it no harm.

    Args:
        entries: what the dose covers.
        given: what the patient had of it before.
    """
    known_since = min(day_of(at, zone) for at in (patient.created_at, *(each.administered_at for each in given)))
    youngest, oldest = ages(patient, day, known_since)
    days: dict[str, date | None] = {}
    warnings: list[FieldError] = []
    unsure = False
    for entry in entries:
        doses = 1 + sum(entry.code in each.covers for each in given)
        days[entry.code] = next_due(entry, day, youngest, doses)
        unsure = unsure or days[entry.code] != next_due(entry, day, oldest, doses)
        if oldest < entry.from_weeks:
            sentence = Sentence(
                "The clinic's protocol begins later: {name} at {weeks} weeks of age.",
                name=entry.name,
                weeks=entry.from_weeks,
            )
            warnings.append(FieldError("/administered_at", "too_young", sentence))
    if unsure:
        told = "The age is not known well enough: the next dose is reckoned as for the young. Note when it was born."
        warnings.append(FieldError("/next_due_on", "age_unknown", told))
    return days, warnings


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


def wanted_due(fields: Mapping[str, Any], covers: list[str], reckoned: Mapping[str, date | None]) -> dict[str, Any]:
    """The days of what a dose covers, as they are kept: what was asked for (null: none), or what the protocol says."""
    asked = fields["next_due_on"]
    days = [reckoned.get(code) if asked is UNSET else asked for code in covers]
    return {"due_days": days, "next_due_on": min(filter(None, days), default=None)}


def doubts_of_due(
    fields: Mapping[str, Any], reckoned: Mapping[str, date | None], doubts: list[FieldError]
) -> list[FieldError]:
    """What is doubtful about the next day: of one that was asked for nothing, and the protocol may say none."""
    if fields["next_due_on"] is not UNSET:
        return [doubt for doubt in doubts if doubt.pointer != "/next_due_on"]
    if any(reckoned.values()):
        return doubts
    sentence = "The clinic's protocol says no day for the next dose. Nobody will be reminded unless you recall it."
    return [*doubts, FieldError("/next_due_on", "not_reckoned", sentence)]
