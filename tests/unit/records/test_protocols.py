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
        ("Nobivac DHPPi + L4", ["canine_core", "leptospirosis"]),
        ("Vanguard Plus 5 L4", ["canine_core", "leptospirosis"]),
        ("Vanguard Plus 5", ["canine_core"]),
        ("Eurican DHPPi2-LR", ["rabies", "canine_core", "leptospirosis"]),
        ("Nobivac RL", ["rabies", "leptospirosis"]),
        ("Canigen MHA2PPi/L", ["canine_core", "leptospirosis"]),
        ("Recombitek C6/CV", ["canine_core", "leptospirosis"]),
        ("Recombitek C4", ["canine_core"]),
        ("Hexadog", ["rabies", "canine_core", "leptospirosis"]),
        ("Múltiple canina", ["canine_core"]),
        ("Triple canina", ["canine_core"]),
        ("Polivalente", ["canine_core"]),
        ("Séptuple", ["canine_core", "leptospirosis"]),
        ("Defensor 3", ["rabies"]),
        ("Nobivac KC", ["kennel_cough"]),
    ],
)
def test_covered(text: str, codes: list[str]) -> None:
    """What a dose protects from is found in its name, as whole words; a combined vaccine is several."""
    assert covered(text, OF_DOGS) == codes


def test_covered_by_species() -> None:
    """A cat's vaccines are its own."""
    assert covered("Triple felina", OF_CATS) == ["feline_core"]
    assert covered("Purevax RCPCh FeLV", OF_CATS) == ["feline_core", "feline_leukaemia"]
    assert covered("Feligen RCP/R", OF_CATS) == ["rabies", "feline_core"]
    assert covered("Cuádruple felina", OF_CATS) == ["feline_core"]
    assert covered("Felocell 4", OF_CATS) == ["feline_core"]
    assert covered("Defensor 3", OF_CATS) == ["rabies"]
    assert covered("Triple felina", OF_DOGS) == []


@pytest.mark.parametrize(
    ("code", "age", "doses", "due"),
    [
        ("rabies", 13, 1, date(2027, 3, 2)),
        ("rabies", 10, 1, DAY + timedelta(weeks=4)),
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
def test_next_due(code: str, age: int, doses: int, due: date) -> None:
    """By age while young, by the count of doses in a first course, yearly and so on afterwards."""
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


SOURCES = """
vaccine   dog rabies           13 12:4       1 12  Ley Orgánica de Salud art. 123; campaigns from three months, yearly
vaccine   dog canine_core       6 16:4 26:10 1 36  WSAVA 2024, table 1: from 6-8 to 16 weeks, at 26, every three years
vaccine   dog leptospirosis     8            2 12  WSAVA 2024, table 1: from 8 weeks, two doses, yearly
vaccine   dog kennel_cough      8            1 12  WSAVA 2024, table 1: yearly
vaccine   cat rabies           13 12:4       1 12  as the dog's
vaccine   cat feline_core       6 16:4 26:10 1 36  WSAVA 2024, table 2: as the dog's
vaccine   cat feline_leukaemia  8            2 12  WSAVA 2024, table 2: from 8 weeks, two doses, yearly
deworming dog internal          2 12:2 26:4  1 3   ESCCAP Guideline 1: fortnightly to 12 weeks, monthly to six months
deworming dog external          8            1 1   ESCCAP Guideline 3: the year round
deworming cat internal          3 12:2 26:4  1 3   ESCCAP Guideline 1: as the dog's, from 3 weeks
deworming cat external          8            1 1   ESCCAP Guideline 3: the year round
"""
"""Kind, species, code, first week, weeks between doses until an age, doses of the first course, months; and source."""


def test_shipped_entries_are_the_guidelines() -> None:
    """What is shipped is what its sources say: nobody changes an interval by the way."""
    written = [
        f"{entry.kind} {entry.species} {entry.code} {entry.from_weeks} "
        + "".join(f"{band.until_weeks}:{band.every_weeks} " for band in entry.bands)
        + f"{entry.primary_doses} {entry.repeat_months} "
        for entry in SHIPPED
    ]
    lines = [" ".join(line.split()) for line in SOURCES.strip().splitlines()]
    assert len(written) == len(lines)
    assert [line for line, entry in zip(lines, written, strict=True) if not line.startswith(entry)] == []
    assert {entry.primary_weeks for entry in SHIPPED} == {4}


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
