"""What a dose must not contradict, and what is only told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import UNSET

from coravet.core.kernel.actor import ClinicId
from coravet.core.patients.model import Patient
from coravet.core.records.dewormings import check_deworming, the_weight
from coravet.core.records.given import (
    GROWN_UP,
    ages,
    check_days,
    check_life,
    doubts_of_due,
    reckon,
    wanted_due,
)
from coravet.core.records.immunizations import NewImmunization, check_immunization
from coravet.core.records.ports import Chart
from coravet.core.records.prescriptions import NewItem, check_items, check_valid_until, item_warnings
from coravet.core.records.protocols import SHIPPED
from coravet.core.records.treatment_ports import Given, KnownAllergy

ZONE = ZoneInfo("America/Guayaquil")
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def _dose(**changes: Any) -> dict[str, Any]:
    return msgspec.structs.asdict(
        NewImmunization(**{"vaccine": "Rabia", "administered_at": NOW, "source": "here"} | changes)
    )


def _bad(**changes: Any) -> dict[str, str]:
    fields, errors = check_immunization(_dose(**changes), NOW)
    errors = errors or check_days(fields, ZONE)[0]
    return {error.pointer: error.code for error in errors}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({}, {}),
        ({"administered_at": NOW + timedelta(minutes=4)}, {}),
        ({"administered_at": NOW + timedelta(minutes=6)}, {"/administered_at": "in_future"}),
        ({"administered_at": datetime(1026, 3, 2, tzinfo=UTC)}, {"/administered_at": "out_of_range"}),
        ({"vaccine": "  "}, {"/vaccine": "required"}),
        ({"lot_expires_on": TODAY}, {}),
        ({"lot_expires_on": TODAY - timedelta(days=1)}, {"/lot_expires_on": "expired"}),
        ({"lot_expires_on": TODAY - timedelta(days=1), "source": "external"}, {}),
        ({"lot_expires_on": date(2206, 1, 1)}, {"/lot_expires_on": "out_of_range"}),
        ({"next_due_on": TODAY}, {"/next_due_on": "out_of_order"}),
        ({"next_due_on": date(2036, 3, 3)}, {"/next_due_on": "out_of_range"}),
        ({"next_due_on": None}, {}),
        ({"given_by": "Otra clínica"}, {"/given_by": "not_external"}),
        ({"given_by": "Otra clínica", "source": "external"}, {}),
        ({"vet_id": uuid4(), "source": "external"}, {"/vet_id": "not_here"}),
    ],
)
def test_refused(changes: dict[str, Any], errors: dict[str, str]) -> None:
    """Nothing ahead of time, no expired lot here, no next dose before this one, and nobody of ours elsewhere."""
    assert _bad(**changes) == errors


def test_an_expired_lot_elsewhere_is_told() -> None:
    """What another clinic gave was given: the lot's date is a warning."""
    fields = _dose(source="external", lot_expires_on=TODAY - timedelta(days=1))
    errors, warnings = check_days(fields, ZONE)
    assert (errors, [warning.code for warning in warnings]) == ([], ["expired"])


def test_the_lot_expires_by_the_clinics_day() -> None:
    """At eight in the evening in Ecuador the day is still the lot's last, though it is over in UTC."""
    fields = _dose(administered_at=datetime(2026, 3, 2, 1, tzinfo=UTC), lot_expires_on=date(2026, 3, 1))
    assert check_days(fields, ZONE) == ([], [])


def _patient(born: date | None = None, precision: str | None = "day", deceased_on: date | None = None) -> Patient:
    return Patient(
        clinic_id=ClinicId(UUID(int=1)),
        id=UUID(int=2),
        name="Firulais",
        species="dog",
        breed=None,
        sex="unknown",
        reproductive_status="unknown",
        birth_date=born,
        birth_date_precision=precision if born else None,
        color=None,
        search_key="firulais",
        created_at=NOW,
        deceased_on=deceased_on,
    )


@pytest.mark.parametrize(
    ("patient", "codes"),
    [
        (_patient(), []),
        (_patient(TODAY), []),
        (_patient(TODAY + timedelta(days=1)), ["before_birth"]),
        (_patient(date(2026, 12, 1), "year"), []),
        (_patient(date(2026, 3, 31), "month"), []),
        (_patient(deceased_on=TODAY), []),
        (_patient(deceased_on=TODAY - timedelta(days=1)), ["after_death"]),
    ],
)
def test_within_its_life(patient: Patient, codes: list[str]) -> None:
    """A dose lies between birth, as precisely as it is known, and death."""
    assert [error.code for error in check_life(_dose(), patient, ZONE)] == codes


@pytest.mark.parametrize(
    ("patient", "found"),
    [
        (_patient(TODAY - timedelta(days=48)), (6, 6)),
        (_patient(date(2025, 12, 10), "month"), (8, 13)),
        (_patient(date(2025, 6, 1), "year"), (8, 60)),
        (_patient(date(2026, 1, 1), "year"), (4, 8)),
        (_patient(date(2020, 1, 1), "year"), (269, 321)),
        (_patient(), (4, GROWN_UP)),
    ],
)
def test_age(patient: Patient, found: tuple[int, int]) -> None:
    """Full weeks at least and at most, as the birth date is known; who is known since a month is that old."""
    assert ages(patient, TODAY, TODAY - timedelta(weeks=4)) == found


CORE = [entry for entry in SHIPPED if entry.species == "dog" and entry.code in {"canine_core", "leptospirosis"}]
SOON, NEXT_YEAR, IN_THREE = TODAY + timedelta(weeks=4), date(2027, 3, 2), date(2029, 3, 2)


def _reckoned(patient: Patient, *had: Given) -> tuple[list[date | None], list[str]]:
    days, warnings = reckon(CORE, patient, TODAY, list(had), ZONE)
    return list(days.values()), [warning.code for warning in warnings]


def _had(days: int) -> Given:
    return Given(uuid4(), "Séxtuple", ["canine_core", "leptospirosis"], NOW - timedelta(days=days), [None, None])


def test_reckoned() -> None:
    """Each part of what a dose covers has its day; a dose before its time is told."""
    grown = _patient(date(2020, 1, 1))
    assert _reckoned(grown) == ([IN_THREE, SOON], [])
    assert _reckoned(grown, _had(30)) == ([IN_THREE, NEXT_YEAR], [])
    assert _reckoned(_patient(TODAY - timedelta(weeks=7))) == ([SOON, SOON], ["too_young"])
    assert reckon([], grown, TODAY, [], ZONE) == ({}, [])


def test_an_age_that_is_not_known() -> None:
    """Who may be a puppy is reckoned as one, and told; who has been known for long is grown up."""
    assert _reckoned(_patient()) == ([SOON, SOON], ["age_unknown"])
    assert _reckoned(_patient(date(2025, 6, 1), "year")) == ([SOON, SOON], ["age_unknown"])
    assert _reckoned(_patient(date(2026, 1, 20), "month")) == ([SOON, SOON], [])
    assert _reckoned(_patient(date(2024, 6, 1), "year")) == ([IN_THREE, SOON], [])
    assert _reckoned(_patient(), _had(300)) == ([IN_THREE, NEXT_YEAR], [])
    known = replace(_patient(), created_at=NOW - timedelta(days=300))
    assert _reckoned(known) == ([IN_THREE, SOON], [])


def test_days_that_are_asked_for() -> None:
    """A day that is asked for is that of all that a dose covers, and nothing is doubtful about it."""
    covers, reckoned = ["canine_core", "leptospirosis"], {"canine_core": IN_THREE, "leptospirosis": SOON}
    doubts = reckon(CORE, _patient(), TODAY, [], ZONE)[1]
    assert wanted_due(_dose(), covers, reckoned) == {"due_days": [IN_THREE, SOON], "next_due_on": SOON}
    assert wanted_due(_dose(next_due_on=None), covers, reckoned) == {"due_days": [None, None], "next_due_on": None}
    asked = _dose(next_due_on=NEXT_YEAR)
    assert wanted_due(asked, covers, reckoned) == {"due_days": [NEXT_YEAR] * 2, "next_due_on": NEXT_YEAR}
    assert (doubts_of_due(asked, reckoned, doubts), doubts_of_due(_dose(), reckoned, doubts)) == ([], doubts)
    assert [each.code for each in doubts_of_due(_dose(), {}, [])] == ["not_reckoned"]


@pytest.mark.parametrize(
    ("given", "weight", "days", "codes"),
    [
        (None, None, 0, ["missing"]),
        (None, "12.4", 30, []),
        (None, "12.4", 31, ["outdated"]),
        ("12.5", "12.4", 90, []),
        ("30", "12.4", 90, ["jump"]),
        ("12.5", None, 0, []),
    ],
)
def test_weight(given: str | None, weight: str | None, days: int, codes: list[str]) -> None:
    """The last weight counts where none is given; one that is missing, old or jumped is told."""
    last = None if weight is None else Decimal(weight)
    chart = Chart("dog", date(2020, 1, 1), None, last, None if last is None else NOW - timedelta(days=days))
    used, warnings = the_weight(None if given is None else Decimal(given), chart, NOW, ZONE)
    assert used == (Decimal(given) if given is not None else last)
    assert [warning.code for warning in warnings] == codes


def test_deworming() -> None:
    """A dose has its amount and its unit, and amounts are kept as they were written; finer ones are not rounded."""
    base = {"product": "Febantel", "administered_at": NOW, "source": "here"}
    fields, errors = check_deworming(
        {**base, "dose": 0.1, "dose_unit": " tableta ", "active_substances": [" a  b "]}, NOW
    )
    assert errors == []
    assert (fields["dose"], fields["dose_unit"], fields["active_substances"]) == (Decimal("0.100"), "tableta", ["a b"])
    for dose, codes in ((0.0125, ["too_precise"]), (0.012, []), (1e9, []), (0.00099, ["too_small"])):
        errors = check_deworming({**base, "dose": dose, "dose_unit": "ml"}, NOW)[1]
        assert [error.code for error in errors] == codes
    found = check_deworming({**base, "dose": 0.0001, "dose_unit": None, "active_substances": [" ", "\u200b"]}, NOW)[1]
    assert {error.pointer: error.code for error in found} == {
        "/active_substances/0": "required",
        "/active_substances/1": "not_text",
        "/dose": "too_small",
        "/dose_unit": "required",
    }


def _item(**changes: Any) -> NewItem:
    base = {"drug": "Meloxicam", "unit": "ml", "route": "oral", "quantity": 1, "instructions": "Con la comida."}
    return NewItem(**base | changes)


def test_items() -> None:
    """What is handed out is counted in the dose's unit unless another is named; bad fields are told by their place."""
    fields, errors = check_items({"items": [_item(), _item(quantity_unit="frasco", dose=1234567890.123)]})
    assert errors == []
    assert [item["quantity_unit"] for item in fields["items"]] == ["ml", "frasco"]
    assert fields["items"][1]["dose"] == Decimal("1234567890.123")
    bad = check_items({"items": [_item(), _item(drug=" ", quantity=0.0004)]})[1]
    assert {error.pointer: error.code for error in bad} == {
        "/items/1/drug": "required",
        "/items/1/quantity": "too_small",
    }


def test_validity() -> None:
    """A prescription is good today at least, and a year at most."""
    assert check_valid_until(None, TODAY) == check_valid_until(TODAY, TODAY) == []
    assert [error.code for error in check_valid_until(TODAY - timedelta(days=1), TODAY)] == ["in_past"]
    assert [error.code for error in check_valid_until(date(2027, 3, 4), TODAY)] == ["out_of_range"]


def test_unchecked() -> None:
    """With an allergy on record, a drug whose substances nobody knows is told; without one nothing is to be checked."""
    items = check_items(
        {"items": [_item(drug="Jarabe de la casa"), _item(), _item(drug="X", active_substances=["Misterina"])]}
    )
    known = [KnownAllergy("Meloxicam", "mild")]
    found = [(warning.pointer, warning.code) for warning in item_warnings(items[0]["items"], known)]
    assert found == [
        ("/items/0/active_substances", "unchecked"),
        ("/items/1/drug", "allergy"),
        ("/items/2/active_substances", "unchecked"),
    ]
    assert item_warnings(items[0]["items"], []) == []


def test_left_out_is_not_null() -> None:
    """A next dose that is left out is reckoned, and null is none."""
    assert _dose()["next_due_on"] is UNSET
    assert _dose(next_due_on=None)["next_due_on"] is None
