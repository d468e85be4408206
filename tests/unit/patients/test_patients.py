"""What is refused or filled in when a patient is registered."""

from datetime import date
from typing import Any

import pytest

from coravet.core.patients.patients import check_patient

TODAY = date(2026, 3, 2)


def bad(**given: Any) -> dict[str, str]:
    return {error.pointer: error.code for error in check_patient(given, TODAY)[1]}


def test_nobody_is_born_tomorrow() -> None:
    """A birth date may be today in the clinic, and no later."""
    assert bad(birth_date=TODAY) == {}
    assert bad(birth_date=date(2026, 3, 3)) == {"/birth_date": "in_future"}


def test_nobody_was_born_long_ago() -> None:
    """A year before 1980 is a slip of the hand."""
    assert bad(birth_date=date(1980, 1, 1)) == {}
    assert bad(birth_date=date(1979, 12, 31)) == {"/birth_date": "out_of_range"}


@pytest.mark.parametrize(
    ("given", "precision"),
    [
        ({"birth_date": TODAY}, "day"),
        ({"birth_date": TODAY, "birth_date_precision": "year"}, "year"),
        ({"birth_date": None}, None),
    ],
)
def test_a_birth_date_has_a_precision(given: dict[str, Any], precision: str | None) -> None:
    """Without one stated it is the day; without a date there is none."""
    assert check_patient(given, TODAY)[0]["birth_date_precision"] == precision


def test_a_precision_needs_a_date() -> None:
    """A precision alone is refused."""
    assert bad(birth_date=None, birth_date_precision="year") == {"/birth_date": "required"}


def test_a_name_cannot_be_blank() -> None:
    """Blanks are no name; a blank breed is none."""
    assert bad(name="  ") == {"/name": "required"}
    assert check_patient({"breed": "  "}, TODAY)[0]["breed"] is None
