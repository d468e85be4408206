"""What a clinic keeps to, and the day of the next dose."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.records.protocols import SHIPPED, check_protocols, covered, months_after, next_due
from coravet.core.records.treatment_views import Band, ProtocolEntry

DAY = date(2026, 3, 2)
OF_DOGS = [entry for entry in SHIPPED if entry.kind == "vaccine" and entry.species == "dog"]
OF_CATS = [entry for entry in SHIPPED if entry.kind == "vaccine" and entry.species == "cat"]


def _entry(code: str, species: str = "dog") -> ProtocolEntry:
    return next(entry for entry in SHIPPED if entry.code == code and entry.species == species)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Rabia", ["rabies"]),
        ("Vacuna ANTIRRÁBICA", ["rabies"]),
        ("rabies", ["rabies"]),
        ("Séxtuple canina", ["canine_core", "leptospirosis"]),
        ("DHPPi/L", ["canine_core", "leptospirosis"]),
        ("Puppy DP", ["canine_core"]),
        ("Bordetella", ["kennel_cough"]),
        ("Giardia", []),
        ("Arabia", []),
    ],
)
def test_covered(text: str, codes: list[str]) -> None:
    """What a dose protects from is found in its name, as whole words; a combined vaccine is several."""
    assert covered(text, OF_DOGS) == codes


def test_covered_by_species() -> None:
    """A cat's vaccines are its own."""
    assert covered("Triple felina", OF_CATS) == ["feline_core"]
    assert covered("Triple felina", OF_DOGS) == []


@pytest.mark.parametrize(
    ("code", "age", "doses", "due"),
    [
        ("rabies", 13, 1, date(2027, 3, 2)),
        ("rabies", 10, 1, DAY + timedelta(weeks=4)),
        ("rabies", None, 1, date(2027, 3, 2)),
        ("rabies", 200, 5, date(2027, 3, 2)),
        ("canine_core", 6, 1, DAY + timedelta(weeks=4)),
        ("canine_core", 15, 3, DAY + timedelta(weeks=4)),
        ("canine_core", 16, 4, DAY + timedelta(weeks=10)),
        ("canine_core", 26, 5, date(2029, 3, 2)),
        ("leptospirosis", 10, 1, DAY + timedelta(weeks=4)),
        ("leptospirosis", 14, 2, date(2027, 3, 2)),
        ("internal", 2, 1, DAY + timedelta(weeks=2)),
        ("internal", 12, 6, DAY + timedelta(weeks=4)),
        ("internal", 26, 9, date(2026, 6, 2)),
        ("external", 40, 1, date(2026, 4, 2)),
    ],
)
def test_next_due(code: str, age: int | None, doses: int, due: date) -> None:
    """By age while young, by the count of doses in a first course, yearly and so on afterwards; no age is grown up."""
    assert next_due(_entry(code), DAY, age, doses) == due


def test_never_again() -> None:
    """Where nothing is repeated, nothing is due."""
    entry = msgspec.structs.replace(_entry("rabies"), repeat_months=None)
    assert next_due(entry, DAY, 100, 1) is None


def test_puppies_reach_the_end() -> None:
    """A puppy that keeps every date has its core doses until 16 weeks, one after 26, and then every three years."""
    entry, age, doses = _entry("canine_core"), 6, 0
    ages = []
    while age < 60:
        doses += 1
        ages.append(age)
        due = next_due(entry, DAY, age, doses)
        assert due is not None
        age += (due - DAY).days // 7
    assert ages == [6, 10, 14, 18, 28]
    assert age > 3 * 52


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 120))
def test_months(day: date, months: int) -> None:
    """So many months later is the same day of the month, or the last of a shorter one."""
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


def test_shipped_entries_are_sound() -> None:
    """What is shipped could be sent back as a clinic's own, unchanged."""
    sent = msgspec.json.decode(msgspec.json.encode(SHIPPED), type=list[ProtocolEntry])
    fields, errors = check_protocols({"entries": sent})
    assert errors == []
    assert fields["entries"] == list(SHIPPED)


def test_bad_entries() -> None:
    """Each bad entry is told by its place."""
    rabies = _entry("rabies")
    entries = [
        rabies,
        rabies,
        msgspec.structs.replace(_entry("internal"), code="worms"),
        msgspec.structs.replace(_entry("canine_core"), bands=[Band(26, 4), Band(16, 4)]),
        msgspec.structs.replace(_entry("leptospirosis"), name=" "),
    ]
    found = {error.pointer: error.code for error in check_protocols({"entries": entries})[1]}
    assert found == {
        "/entries/1": "duplicate_entry",
        "/entries/2/code": "not_allowed",
        "/entries/3/bands": "out_of_order",
        "/entries/4/name": "required",
    }
