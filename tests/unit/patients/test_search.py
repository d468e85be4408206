"""What is looked for when somebody types at the counter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.text import words
from coravet.core.patients.search import MOST_WORDS, typed, typos


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("José Pérez-Luna", ["jose", "perez", "luna"]),
        ("O'Brien D\u2019Angelo O\u00b4Neill", ["obrien", "dangelo", "oneill"]),
        ("Dr. Núñez (hijo)", ["dr", "nunez", "hijo"]),
        ("Luna 🐶", ["luna"]),
        ("...", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    """A name falls into folded words: an apostrophe joins, every other sign parts."""
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "firsts"),
    [
        ("Mendoza  FIRU", ["mendoza", "firu"]),
        ("ma maria MARIA", ["maria"]),
        ("ana@correo.test", ["ana@correo.test"]),
        ("099 123-4567", ["0991234567"]),
        ("+593 (99) 123 4567", ["593991234567"]),
        ("luna 4567", ["4567", "luna"]),
        ("a b c d e f g h", ["a", "b", "c", "d", "e", "f"]),
        ("'.'", []),
    ],
)
def test_typed(text: str, firsts: list[str]) -> None:
    """Each word counts once, none that another begins with, and the longest six; digits apart are one number."""
    assert [word.forms[0] for word in typed(text)] == firsts
    assert len(firsts) <= MOST_WORDS


def test_numbers() -> None:
    """A number is looked for as it begins and as it ends, with the country's code in the place of a trunk's zero."""
    [word] = typed("0991234567")
    assert word.forms == ("0991234567", "~7654321990", "593991234567", "~765432199")
    assert word.typos == ()
    assert typed("000")[0].forms == ("000", "~000", "59300", "~00")


letters = st.text("abcdn", min_size=4, max_size=7)


def _mistakes(one: str, other: str) -> int:
    """The fewest letters too many, too few, wrong or swapped with the next that make one word of the other."""
    rows = [[max(i, j) if 0 in {i, j} else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            cost = one[i - 1] != other[j - 1]
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i][j] = best
    return rows[-1][-1]


@given(letters, letters)
def test_typos(sought: str, kept: str) -> None:
    """A kept word is met by one mistake exactly where some beginning of it is at most one away from what was typed."""
    near = any(_mistakes(sought, kept[:length]) <= 1 for length in range(1, len(kept) + 1))
    begins = kept.startswith(sought) or any(kept.startswith(form) for form in typos(sought))
    assert begins == near


@pytest.mark.parametrize("word", ["ana", "k9", "ab12cd", "ana@correo.test", "x" * 25])
def test_without_typos(word: str) -> None:
    """Short words resemble everything, and in what has digits each letter counts."""
    assert typos(word) == ()
