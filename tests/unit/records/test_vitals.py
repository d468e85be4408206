"""Measurements: what cannot be is refused, what seldom is is told."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from coravet.core.records.ports import Chart
from coravet.core.records.vitals import HEAVIEST, USUAL, jump, measured, unusual

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
ZONE = ZoneInfo("America/Guayaquil")
DOG = Chart(species="dog", birth_date=None, deceased_on=None, weight_kg=None, weighed_at=None)


@pytest.mark.parametrize(
    ("species", "weight", "code"),
    [
        ("dog", 0.0004, "too_small"),
        ("dog", 0.001, None),
        ("dog", 900, "too_large"),
        ("cat", 42, "too_large"),
        ("horse", 900, None),
        ("cow", 900, None),
    ],
)
def test_weights(species: str, weight: float, code: str | None) -> None:
    """A weight that no animal of the species can have is refused where it stands; a horse of 900 kg is a horse."""
    fields, errors = measured({"weight_kg": weight}, species, "/vitals")
    assert [(error.pointer, error.code) for error in errors] == ([("/vitals/weight_kg", code)] if code else [])
    assert fields["weight_kg"] == Decimal(str(weight)).quantize(Decimal("0.001"))


def test_every_species() -> None:
    """Every species has a most, and its healthiest measures warn of nothing."""
    assert set(USUAL) < set(HEAVIEST)
    for species, ranges in USUAL.items():
        for least, most in ((0, 0), (1, 1)):
            values = {name: Decimal(str(span[least or most])) for name, span in ranges.items()}
            assert unusual(values, Chart(species, None, None, None, None), NOW, ZONE) == []


def test_usual() -> None:
    """The ranges are those that the decision record's sources give, with the room that is told there."""
    assert {species: [*ranges.values()] for species, ranges in USUAL.items()} == {
        "dog": [(37.9, 39.9), (60, 160), (10, 34)],
        "cat": [(37.8, 39.4), (120, 220), (16, 42)],
        "rabbit": [(38.5, 40.1), (130, 350), (30, 60)],
        "horse": [(37.2, 38.6), (28, 48), (8, 16)],
        "cow": [(36.7, 39.3), (48, 84), (24, 50)],
        "pig": [(38.4, 39.8), (60, 120), (10, 58)],
    }


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"temperature_c": Decimal("40.0"), "heart_rate": 161, "respiratory_rate": 9}, 3),
        ({"temperature_c": Decimal("37.8")}, 1),
        ({"capillary_refill_seconds": Decimal("2.1")}, 1),
        ({"capillary_refill_seconds": Decimal("2.0")}, 0),
        ({"mucous_membranes": "cyanotic"}, 1),
        ({"mucous_membranes": "pink", "pain": 10, "body_condition": 9}, 0),
        ({"temperature_c": None, "heart_rate": None}, 0),
    ],
)
def test_unusual(values: dict[str, object], names: int) -> None:
    """What lies outside the usual of the species is told at its place."""
    warnings = unusual(values, DOG, NOW, ZONE, "/vitals")
    assert len(warnings) == names
    assert {warning.code for warning in warnings} <= {"unusual"}
    assert all(warning.pointer.startswith("/vitals/") for warning in warnings)


@pytest.mark.parametrize(
    ("former", "weight", "days", "born", "jumps"),
    [
        ("10", "9.01", 30, None, False),
        ("10", "9.00", 30, None, True),
        ("10", "11.99", 30, None, False),
        ("10", "12.00", 30, None, True),
        ("12.5", "125", 1, None, True),
        ("4", "7.9", 30, date(2025, 9, 1), False),
        ("4", "8", 30, date(2025, 9, 1), True),
        ("4", "3.5", 30, date(2025, 9, 1), True),
        ("4", "7.9", 30, date(2020, 9, 1), True),
        ("10", "20", 180, None, True),
        ("10", "20", 181, None, False),
    ],
)
def test_jumps(former: str, weight: str, days: int, born: date | None, jumps: bool) -> None:
    """An adult that lost a tenth or gained a fifth is told, a growing one that doubled; after half a year nobody is."""
    chart = Chart("dog", born, None, Decimal(former), NOW - timedelta(days=days))
    found = jump(Decimal(weight), chart, NOW, ZONE)
    assert [warning.code for warning in found] == (["jump"] if jumps else [])


def test_says_by_how_much() -> None:
    """The warning says by how much, and from what."""
    chart = Chart("dog", None, None, Decimal("12.500"), NOW - timedelta(days=9))
    [warning] = jump(Decimal(125), chart, NOW, ZONE)
    assert "+900 %" in warning.detail
    assert "12.5 kg" in warning.detail
