"""How long what is held back from an erasure, if it is at all."""

from datetime import date

import pytest

from coravet.core.privacy.erasure_views import RetentionRule
from coravet.core.privacy.retention import CATEGORIES, held_until, in_force, months_after

TODAY = date(2026, 11, 23)


def test_shipped() -> None:
    """Every kind of data has a rule, provisional and with a day of review; none holds anything back."""
    rules = in_force([]).rules
    assert [rule.category for rule in rules] == list(CATEGORIES)
    assert all(rule.provisional and rule.review_on and rule.basis for rule in rules)
    assert held_until(rules, TODAY, TODAY) == {}


def test_running_terms() -> None:
    """A term runs from when the clinic last dealt with the person; what has run out holds nothing back."""
    rules = [RetentionRule("clinical_record", "x", 12), RetentionRule("identity", "x", 6)]
    assert held_until(rules, date(2026, 1, 31), TODAY) == {"clinical_record": date(2027, 1, 31)}
    assert held_until(rules, date(2025, 11, 23), TODAY) == {}


def test_own_rule() -> None:
    """The clinic's own rule stands for the shipped one of its kind, in the same place."""
    own = RetentionRule("messages", "Contrato", 3, provisional=False)
    rules = in_force([own]).rules
    assert [rule.category for rule in rules] == list(CATEGORIES)
    assert own in rules


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 1, 31), 13, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 5, 17), 0, date(2026, 5, 17)),
        (date(2026, 5, 17), 600, date(2076, 5, 17)),
    ],
)
def test_months(day: date, months: int, end: date) -> None:
    """A month later is the same day, or the month's last where it has none such."""
    assert months_after(day, months) == end
