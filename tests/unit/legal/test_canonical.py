"""The canonical form of a legal text: what breaks it is found, all of it, where it stands."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.legal.canonical import digest, faults, title_of

TEXT = "# Términos\n\nUsted acepta («así») el niño, $5, 10 %, un [enlace](https://example.org/a_b).\n\n- Uno\n"

FAULTS = [
    ("carriage_return", "# T\r\n\r\nUno.\r\n", [(1, 4), (2, 1), (3, 5)]),
    ("carriage_return", "# T\rUno.\n", [(1, 4)]),
    ("not_nfc", "# T\n\nEl nin\u0303o y la cigu\u0308en\u0303a.\n", [(3, 6), (3, 18), (3, 21)]),
    ("not_nfc", "# T\n\n5 \u212b y \u1112\u1161\u11ab\n", [(3, 3), (3, 7)]),
    ("trailing_space", "# T\n\nUno. \nDos.\nTres.  \n", [(3, 5), (5, 6)]),
    ("trailing_space", "# T\n \nUno.\n", [(2, 1)]),
    ("invisible", "# T\n\nUno\u200d dos\u200b\u00ad tres\ufeff.\n", [(3, 4), (3, 9), (3, 10), (3, 16)]),
    ("invisible", "# T\n\nUno\u2060\u034f\u3164\ufe0f\U000e0041.\n", [(3, 4), (3, 5), (3, 6), (3, 7), (3, 8)]),
    ("bidirectional", "# T\n\n\u202eUno\u2069 dos\u200f.\n", [(3, 1), (3, 5), (3, 10)]),
    ("byte_order_mark", "\ufeff# T\n\nUno.\n", [(1, 1)]),
    ("unusual_space", "# T\n\nUno\u00a0dos\u2028tres\u2029cuatro\u3000cinco.\n", [(3, 4), (3, 8), (3, 13), (3, 20)]),
    ("control_character", "# T\n\nUno\tdos\x00tres\x1b\x85\x7f.\n", [(3, 4), (3, 8), (3, 13), (3, 14), (3, 15)]),
    ("unknown_character", "# T\n\nUno\ufffd\ue000\U0010ffff.\n", [(3, 4), (3, 5), (3, 6)]),
    ("extra_final_newline", "# T\n\nUno.\n\n", [(4, 1)]),
    ("extra_final_newline", "# T\n\nUno.\n\n\n\n", [(4, 1)]),
    ("no_final_newline", "# T\n\nUno.", [(3, 5)]),
    ("template_variable", "# T\n\nUno {{ dos }} y {% if %}, ${tres} o {x}.\n", [(3, 5), (3, 17), (3, 27), (3, 37)]),
    ("template_variable", "# T\n\n<% uno %>, [[dos]], [TRES], $cuatro.\n", [(3, 1), (3, 12), (3, 21), (3, 29)]),
    ("template_variable", "# T\n\n%(uno)s, %DOS%, ____ y }.\n", [(3, 1), (3, 10), (3, 17), (3, 24)]),
    ("html", "# T\n\nUno <!-- dos --> <b>tres</b>.\n", [(3, 5), (3, 18), (3, 25)]),
    ("image", "# T\n\nUno ![dos](https://example.org/tres.png), ![](x).\n", [(3, 5), (3, 43)]),
    ("missing_title", "Uno.\n", [(1, 1)]),
    ("missing_title", "\n# T\n", [(1, 1)]),
    ("missing_title", "## T\n", [(1, 1)]),
    ("second_title", "# T\n\n# U\n\n# V\n", [(3, 1), (5, 1)]),
]


@pytest.mark.parametrize(("code", "text", "places"), FAULTS)
def test_each_fault(code: str, text: str, places: list[tuple[int, int]]) -> None:
    """Every fault is found at its line and column, and nothing else is."""
    found = faults(text.encode())

    assert [(fault.code, (fault.line, fault.column)) for fault in found] == [(code, place) for place in places]
    assert all(fault.detail.endswith(".") for fault in found)


def test_bytes_that_are_no_text() -> None:
    """A run of bytes that are no UTF-8 is one fault, each byte counts as a character, and the rest is still read."""
    found = faults(b"# T\n\n\xc3\xa1 \xff\xfe\xe9 dos \xe9\nTres. \n")

    assert [(fault.line, fault.column, fault.code) for fault in found] == [
        (3, 3, "invalid_utf8"),
        (3, 11, "invalid_utf8"),
        (4, 6, "trailing_space"),
    ]
    assert "0xFF" in found[0].detail
    assert {fault.code for fault in faults("# T\n".encode("utf-16"))} >= {"invalid_utf8", "control_character"}
    assert [fault.code for fault in faults(b"# T\n\n\xed\xa0\x80.\n")] == ["invalid_utf8"], (
        "a surrogate is no character"
    )


def test_nothing() -> None:
    """An empty file lacks its title and its newline."""
    assert [fault.code for fault in faults(b"")] == ["missing_title", "no_final_newline"]


def test_all_at_once() -> None:
    """All faults are told, in the order in which they stand, not the first alone."""
    found = faults("\ufeff# T\r\n\nnin\u0303o {{x}} \n\n".encode())

    assert [fault.code for fault in found] == [
        "byte_order_mark",
        "carriage_return",
        "not_nfc",
        "template_variable",
        "trailing_space",
        "extra_final_newline",
    ]


def test_what_is_wrong_is_named() -> None:
    """A character that nobody can see is named by its code and its name, and not repeated in the sentence."""
    (fault,) = faults("# T\n\nUno\u200ddos.\n".encode())

    assert "U+200D ZERO WIDTH JOINER" in fault.detail
    assert "\u200d" not in fault.detail


def test_title() -> None:
    """A text is called by its heading."""
    assert title_of(TEXT) == "Términos"
    assert not title_of("## Uno\n")


def test_digest() -> None:
    """The hash is SHA-256 of the bytes as they are (FIPS 180-4, the example "abc")."""
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


NOT_SEEN = "\u115f\u1160\u2800\u3164\ufe0f\uffa0\ufffd"
LETTERS = st.characters(categories=("L", "N", "P", "S"), exclude_characters="{}[]<>$%_#" + NOT_SEEN)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Any canonical text."""
    paragraph = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=6).map(" ".join)
    written = "\n\n".join([f"# {draw(paragraph)}", *draw(st.lists(paragraph, max_size=4))])
    return unicodedata.normalize("NFC", written) + "\n"


@given(texts())
def test_canonical_text_passes(text: str) -> None:
    """A text in its canonical form has no fault, whatever its letters."""
    assert faults(text.encode()) == []


UNSEEN = (
    "\t\x00\r\x0b\x0c\x1b\x7f\x85\u00a0\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b"
    "\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\u3000\ufe0f\ufeff\ufffd\ufff9\U000e0020\U000e0101"
)
TO_FILL_IN = ["{", "}", "{{x}}", "${x}", "{% x %}", "<%", "[[x]]", "<!--"]


@given(st.sampled_from([*UNSEEN, *TO_FILL_IN]), st.integers(0, len(TEXT)))
def test_any_breaking_edit_is_found(edit: str, at: int) -> None:
    """Whatever of these comes into a canonical text, and wherever, is found on its line."""
    found = faults((TEXT[:at] + edit + TEXT[at:]).encode())

    assert TEXT[:at].count("\n") + 1 in {fault.line for fault in found}


@given(st.integers(0, len(TEXT)), st.sampled_from([" \n", "\n# T\n"]))
def test_a_breaking_line_is_found(at: int, edit: str) -> None:
    """A line that ends with a space, or a second title, is found wherever it was put."""
    assert faults((TEXT[:at] + edit + TEXT[at:]).encode())


@given(st.integers(0, len(TEXT)), st.integers(0x80, 0xFF))
def test_a_byte_that_is_no_utf8_is_found(at: int, byte: int) -> None:
    """A byte that UTF-8 has no place for is found, wherever it came in between characters."""
    found = faults(TEXT[:at].encode() + bytes([byte]) + TEXT[at:].encode())

    assert "invalid_utf8" in {fault.code for fault in found}


@given(texts())
def test_taken_apart(text: str) -> None:
    """Where Unicode writes a text otherwise in NFC, exactly then its form is a fault."""
    apart = unicodedata.normalize("NFD", text)

    assert ("not_nfc" in {fault.code for fault in faults(apart.encode())}) == (apart != text)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are answered by faults that lie within them; bytes without a fault are what the form demands."""
    found = faults(data)
    lines = data.decode("utf-8", "surrogateescape").split("\n")

    assert found == sorted(found)
    assert all(1 <= fault.column <= len(lines[fault.line - 1]) + 1 for fault in found)
    if not found:
        text = data.decode()
        assert unicodedata.is_normalized("NFC", text)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert all(line == line.rstrip() for line in text.split("\n"))
