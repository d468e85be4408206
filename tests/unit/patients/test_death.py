"""When a patient can have died."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from coravet.core.kernel.actor import ClinicId
from coravet.core.patients.death import check_death, died_before_birth
from coravet.core.patients.model import Patient

TODAY = date(2026, 3, 2)
BORN = date(2020, 6, 15)


def test_nobody_died_tomorrow() -> None:
    """A patient may have died today in the clinic, and no later; no day at all is today."""
    assert check_death({"on": TODAY}, TODAY) == check_death({"on": None}, TODAY) == []
    assert [error.code for error in check_death({"on": date(2026, 3, 3)}, TODAY)] == ["in_future"]


def test_nobody_died_long_ago() -> None:
    """A year before 1980 is a slip of the hand."""
    assert check_death({"on": date(1980, 1, 1)}, TODAY) == []
    assert [error.code for error in check_death({"on": date(1979, 12, 31)}, TODAY)] == ["out_of_range"]


@pytest.mark.parametrize(
    ("precision", "first"),
    [
        ("day", BORN),
        ("month", date(2020, 6, 1)),
        ("year", date(2020, 1, 1)),
        ("estimated", date(2020, 1, 1)),
    ],
)
def test_birth(precision: str, first: date) -> None:
    """No patient died before it was born, as far as that is known."""
    patient = Patient(
        clinic_id=ClinicId(UUID(int=1)),
        id=UUID(int=2),
        name="Luna",
        species="cat",
        breed=None,
        sex="female",
        reproductive_status="unknown",
        birth_date=BORN,
        birth_date_precision=precision,
        color=None,
        search_key="luna",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert not died_before_birth(patient)
    patient.deceased_on = first
    assert not died_before_birth(patient)
    patient.deceased_on = date.fromordinal(first.toordinal() - 1)
    assert died_before_birth(patient)
