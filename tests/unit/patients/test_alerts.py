"""What an alert may say, and until when."""

from datetime import date

import pytest

from coravet.core.patients.alerts import check_alert

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"text": "Muerde", "expires_on": TODAY}, None),
        ({"text": "Muerde", "expires_on": None}, None),
        ({"text": "Muerde", "expires_on": date(2026, 3, 1)}, "in_past"),
        ({"text": "Muerde", "expires_on": date(9999, 12, 31)}, "too_far"),
        ({"text": " "}, "required"),
        ({"text": "Mu\u202eerde"}, "not_text"),
    ],
)
def test_checked(given: dict[str, object], code: str | None) -> None:
    """An alert says something that people can read, and shows today at least."""
    _, errors = check_alert(given, TODAY)
    assert [error.code for error in errors] == ([] if code is None else [code])
