"""How long computing free slots takes, with room for machines at work; `python -m bench.availability` measures."""

import pytest
from bench.availability import milliseconds, question

pytestmark = pytest.mark.alone


def test_a_month() -> None:
    """Thirty days of five vets and two rooms with 1,500 allocations take less than ten milliseconds of a processor."""
    assert min(milliseconds(question(30, 1500)) for _ in range(3)) < 10


def test_growth_is_linear() -> None:
    """Four times the days and the allocations take about four times as long, and never anything like their square."""
    month = min(milliseconds(question(30, 1500)) for _ in range(3))
    assert min(milliseconds(question(120, 6000)) for _ in range(3)) < 7 * month
