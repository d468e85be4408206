"""What is looked for when somebody types at the counter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.text import words
from coravet.core.patients.search import MOST_WORDS, kept, typed, typos


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
        ("AB-123456", ["ab123456"]),
        ("lc-2024-77 luna", ["lc202477", "luna"]),
        ("mendoza 099 123 0567", ["0991230567", "mendoza"]),
        ("mendoza +593 (99) - 123 0567 luna", ["593991230567", "mendoza", "luna"]),
        ("Señora Mendoza", ["mendoza"]),
        ("Dra. doña  don sr MENDOZA", ["mendoza"]),
        ("doctor", ["doctor"]),
        ("dr a", ["dr", "a"]),
        ("dra 4567", ["4567"]),
    ],
)
def test_typed(text: str, firsts: list[str]) -> None:
    """Each word counts once, none that another begins with, and the longest six; digits apart are one number."""
    assert [word.forms[0] for word in typed(text)] == firsts
    assert len(firsts) <= MOST_WORDS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("K-9", ["k", "9", "k9"]),
        ("Luna 2", ["luna", "2", "luna2"]),
        ("R2-D2 (azul)", ["r2", "d2", "azul", "r2d2"]),
        ("José Pérez-Luna", ["jose", "perez", "luna"]),
    ],
)
def test_kept(name: str, words: list[str]) -> None:
    """Of a name each word is kept, and where letters meet digits their joined form."""
    assert kept(name) == words


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("0991234567", ["0991234567", "~7654321990", "593991234567", "~765432199"]),
        ("00593991234567", ["00593991234567", "~76543219939500", "593991234567"]),
        ("0567", ["0567", "~7650", "593567"]),
        ("0000003", ["0000003", "~3000000"]),
        ("000", ["000", "~000"]),
    ],
)
def test_numbers(text: str, forms: list[str]) -> None:
    """A number is looked for as it begins and as it ends; before a whole phone its zeros do not count."""
    [word] = typed(text)
    assert list(word.forms) == forms
    assert word.typos == ()


def test_likeliest() -> None:
    """Letters that sound alike, and then a letter too many, swapped or missing, come before any other wrong one."""
    order = typos("mendosa")
    assert [order.index(form) for form in ("mendos", "mendoza", "medosa", "mednosa", "menrdosa", "mendofa")] == sorted(
        order.index(form) for form in ("mendos", "mendoza", "medosa", "mednosa", "menrdosa", "mendofa")
    )


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
