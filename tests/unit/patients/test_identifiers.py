"""What a patient can be told apart by."""

import pytest

from coravet.core.patients.identifiers import check_identifier


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("iso_chip", "900 182-001 234 567", "900182001234567"),
        ("iso_chip", "218.098.100.012.345", "218098100012345"),
        ("iso_chip", "985\u2013141006580319", "985141006580319"),
        ("legacy_chip", "0a1-12c 3d4e", "0A112C3D4E"),
        ("legacy_chip", "123 456 789", "123456789"),
        ("tattoo", "  EC   12 ", "EC 12"),
        ("municipal", "GADLC-2026/0001", "GADLC-2026/0001"),
    ],
)
def test_normal_form(kind: str, written: str, kept: str) -> None:
    """A chip is kept without what parts it; what is free is kept as it was written, blanks apart."""
    fields, errors = check_identifier({"kind": kind, "value": written})
    assert (fields["value"], errors) == (kept, [])


@pytest.mark.parametrize(
    ("kind", "written", "code"),
    [
        ("iso_chip", "90018200123456", "chip_length"),
        ("iso_chip", "9001820012345678", "chip_length"),
        ("iso_chip", "90018200123456A", "chip_format"),
        ("iso_chip", "\u0669" * 15, "chip_format"),
        ("iso_chip", "000182001234567", "chip_prefix"),
        ("iso_chip", "897182001234567", "chip_prefix"),
        ("legacy_chip", "12345678", "chip_length"),
        ("legacy_chip", "900182001234567", "chip_length"),
        ("tattoo", " ", "required"),
        ("tag", "---", "required"),
        ("tag", "A\u200b1", "not_text"),
    ],
)
def test_refused(kind: str, written: str, code: str) -> None:
    """What cannot be right is refused under a code of its own, such as a chip of 14 digits."""
    _, errors = check_identifier({"kind": kind, "value": written})
    assert [(error.pointer, error.code) for error in errors] == [("/value", code)]


def test_compared() -> None:
    """Case, accents, blanks and dashes make no two of one kind different."""
    keys = {check_identifier({"kind": "tag", "value": each})[0]["value_key"] for each in ("A-17", "a 17", "Á17")}
    assert keys == {"A17"}


def test_half_given() -> None:
    """A form can be checked though its kind is malformed."""
    assert check_identifier({"value": "1"})[1] == check_identifier({"kind": "tag"})[1] == []
