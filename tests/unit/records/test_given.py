"""What a dose must not contradict, and what is only told."""

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
from coravet.core.records.given import age_weeks, check_days, check_life, reckon
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


def test_age() -> None:
    """Weeks are full ones; a year alone tells the age of an old animal only."""
    assert age_weeks(_patient(TODAY - timedelta(days=48)), TODAY) == 6
    assert age_weeks(_patient(date(2026, 1, 1), "year"), TODAY) is None
    assert age_weeks(_patient(date(2020, 1, 1), "year"), TODAY) == 321
    assert age_weeks(_patient(), TODAY) is None


def test_reckoned() -> None:
    """The first that falls due of what a dose covers counts; a dose before its time is told."""
    entries = [entry for entry in SHIPPED if entry.species == "dog" and entry.code in {"canine_core", "leptospirosis"}]
    grown = _patient(date(2020, 1, 1))
    assert reckon(entries, grown, TODAY, []) == (TODAY + timedelta(weeks=4), [])
    had = [Given(uuid4(), "Séxtuple", ["canine_core", "leptospirosis"], NOW - timedelta(days=30), TODAY)]
    assert reckon(entries, grown, TODAY, had) == (date(2027, 3, 2), [])
    due, warnings = reckon(entries, _patient(TODAY - timedelta(weeks=7)), TODAY, [])
    assert due == TODAY + timedelta(weeks=4)
    assert [warning.code for warning in warnings] == ["too_young"]
    assert reckon([], grown, TODAY, []) == (None, [])


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
    """A dose has its amount and its unit, and amounts are kept to a thousandth, as they were written."""
    base = {"product": "Febantel", "administered_at": NOW, "source": "here"}
    fields, errors = check_deworming(
        {**base, "dose": 0.1, "dose_unit": " tableta ", "active_substances": [" a  b "]}, NOW
    )
    assert errors == []
    assert (fields["dose"], fields["dose_unit"], fields["active_substances"]) == (Decimal("0.100"), "tableta", ["a b"])
    # The nearest double lies above 0.0025; what was written is half-way, and goes to the even digit.
    assert check_deworming({**base, "dose": 0.0025, "dose_unit": "ml"}, NOW)[0]["dose"] == Decimal("0.002")
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
    items = check_items({"items": [_item(drug="Jarabe de la casa"), _item(), _item(drug="X", active_substances=["Y"])]})
    known = [KnownAllergy("Meloxicam", "mild")]
    found = [(warning.pointer, warning.code) for warning in item_warnings(items[0]["items"], known)]
    assert found == [("/items/0/active_substances", "unchecked"), ("/items/1/drug", "allergy")]
    assert item_warnings(items[0]["items"], []) == []


def test_left_out_is_not_null() -> None:
    """A next dose that is left out is reckoned, and null is none."""
    assert _dose()["next_due_on"] is UNSET
    assert _dose(next_due_on=None)["next_due_on"] is None
