"""The vocabulary of breeds."""

import re
from collections import Counter

import pytest

from coravet.core.kernel.text import clean, fold
from coravet.core.patients.breed_list import CATS, DOGS
from coravet.core.patients.breeds import ATTRIBUTION, breed_code, breeds


def test_size() -> None:
    """It has the dogs and cats that a clinic meets, and of no other species any."""
    assert len(breeds("dog").items) > 100
    assert len(breeds("cat").items) > 40
    assert breeds("horse").items == []
    assert len(breeds(None).items) == len(breeds("dog").items) + len(breeds("cat").items)
    assert "CC BY 4.0" in ATTRIBUTION


def test_codes() -> None:
    """Each breed has one code of the ontology, in the ranges in which it numbers dogs and cats."""
    codes = [breed.code for breed in breeds(None).items]
    assert len(set(codes)) == len(codes)
    for species, form in (("dog", r"VBO:02\d{5}"), ("cat", r"VBO:01\d{5}")):
        assert [breed for breed in breeds(species).items if not re.fullmatch(form, breed.code)] == []


def test_names() -> None:
    """A name means one breed of its species, is in clean form, and the list is in Spanish order."""
    for lines, species in ((DOGS, "dog"), (CATS, "cat")):
        said: Counter[str] = Counter()
        for line in lines.strip().splitlines():
            _, english, spanish, further = line.split("|")
            names = {spanish, english, *filter(None, further.split(", "))}
            assert {clean(name) for name in names} == names
            said.update({fold(name) for name in names})
        assert [name for name, times in said.items() if times > 1] == []
        shown = [fold(breed.name) for breed in breeds(species).items]
        assert shown == sorted(shown)


@pytest.mark.parametrize(
    ("species", "written", "code"),
    [
        ("dog", "Labrador Retriever", "VBO:0200800"),
        ("dog", "  PASTOR   aleman", "VBO:0200577"),
        ("dog", "french poodle", "VBO:0201048"),
        ("dog", "Toy Poodle", "VBO:0201061"),
        ("dog", "criollo", "VBO:0200902"),
        ("cat", "Mestizo", "VBO:0100262"),
        ("cat", "siames", "VBO:0100221"),
        ("dog", "siamés", None),
        ("rabbit", "Mestizo", None),
        ("dog", "mezcla de labrador con pastor", None),
        ("dog", None, None),
    ],
)
def test_named(species: str, written: str | None, code: str | None) -> None:
    """A text that names a known breed of the species has its code, whatever its accents and case; another has none."""
    assert breed_code(species, written) == code
