import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.text import clean, fold, paragraphs

typed = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs"]))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  José   PEÑA ", "jose pena"),
        ("Jose\u0301 Pen\u0303a", "jose pena"),
        ("ÑANDÚ", "nandu"),
        ("Agüero", "aguero"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("\ufb01ebre \u2167", "fiebre viii"),
        ("Ana\tMaría\u00a0Ruiz\n", "ana maria ruiz"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    """Case, accents, ligatures and the number of blanks make no difference to a search."""
    assert fold(text) == folded


@given(st.text())
def test_folding_twice(text: str) -> None:
    """What is folded stays as it is."""
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_every_letter_folds_for_good(text: str) -> None:
    """Neither case, nor accents, nor the way in which a letter is composed outlast folding."""
    folded = fold(text)
    assert folded == folded.casefold()
    assert not any(unicodedata.combining(character) for character in folded)
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text)) == folded


def test_every_character_folds_for_good() -> None:
    """No single character of Unicode changes when it is folded a second time; as folding joins none, no text does."""
    everything = "x".join(map(chr, range(0x110000)))
    assert fold(fold(everything)) == fold(everything)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Ana   María ", "Ana María"),
        ("Jose\u0301", "José"),
        ("Ana\tMaría\r\nRuiz\n", "Ana María Ruiz"),
        ("Ana\u00a0María\u2003Ruiz", "Ana María Ruiz"),
        ("O'Neill-García Ñ", "O'Neill-García Ñ"),
        ("Luna 🐶", "Luna 🐶"),
        ("   ", ""),
    ],
)
def test_cleaning(text: str, cleaned: str) -> None:
    """Text is composed and trimmed, its blanks become single spaces, and its letters stay as they are."""
    assert clean(text) == cleaned


@given(typed)
def test_cleaning_twice(text: str) -> None:
    """What is clean stays as it is: composed, without a blank at either end or two together."""
    try:
        cleaned = clean(text)
    except ValueError:
        return
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == " ".join(cleaned.split())


@pytest.mark.parametrize(
    "character",
    [
        "\x00",  # null
        "\x1b",  # escape
        "\x7f",  # delete
        "\x85",  # next line
        "\x1f",  # unit separator, which Python takes for a blank
        "\u00ad",  # soft hyphen
        "\u034f",  # combining grapheme joiner
        "\u061c",  # Arabic letter mark
        "\u200b",  # zero-width space
        "\u200c",  # zero-width non-joiner
        "\u200d",  # zero-width joiner
        "\u200e",  # left-to-right mark
        "\u202e",  # right-to-left override
        "\u2060",  # word joiner
        "\u2066",  # left-to-right isolate
        "\u3164",  # Hangul filler
        "\ufeff",  # byte order mark
        "\U000e0041",  # tag
        "\ud800",  # half of a surrogate pair
    ],
)
@pytest.mark.parametrize("place", ["{}Ana", "A{}na", "Ana{}", "{}"])
def test_invisible_characters(character: str, place: str) -> None:
    """A character that nobody sees is refused wherever it stands, and named by its number."""
    with pytest.raises(ValueError, match=rf"U\+{ord(character):04X}"):
        clean(place.format(character))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("uno\r\ndos\rtres\n", "uno\ndos\ntres\n"),
        ("  sangrado \t", "  sangrado \t"),
        ("a\u0000b\u001bc\u202ed", "abcd"),
        ("Jose\u0301 \U0001f468\u200d\U0001f469", "José \U0001f468\u200d\U0001f469"),
        ("\ud800", ""),
    ],
)
def test_paragraphs(typed: str, kept: str) -> None:
    """Text of many lines keeps every keystroke; what nobody can see or type is left out."""
    assert paragraphs(typed) == kept
    assert paragraphs(kept) == kept
