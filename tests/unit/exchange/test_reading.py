"""Bytes of whoever wrote them become rows, and one bad row stays one bad row."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coravet.core.exchange.encodings import Encoding, EncodingSurvey
from coravet.core.exchange.reading import LONGEST_LINE, MOST_LINES, Record, RecordReader


def read(data: bytes, encoding: Encoding = "utf-8-sig", separator: str = ";", piece: int = 7) -> list[Record]:
    """The records of a file that comes in pieces."""
    reader = RecordReader(encoding, separator, width=3)
    return [record for each in pieces(data, piece) for record in reader.feed(each)] + list(reader.finish())


def pieces(data: bytes, length: int) -> Iterator[bytes]:
    """The file in pieces."""
    return (data[place : place + length] for place in range(0, len(data), length))


def cells(text: str, separator: str = ";") -> list[list[str]]:
    """What is read of a text."""
    return [record.cells for record in read(text.encode(), separator=separator)]


def encoding_of(data: bytes) -> Encoding:
    """What a file's bytes tell."""
    survey = EncodingSurvey()
    for each in pieces(data, 5):
        survey.feed(each)
    return survey.result()


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators(separator: str, end: str) -> None:
    """Any of the usual separators and ends of lines; blank cells at the end are left out, blank rows are counted."""
    text = end.join([separator.join(row) for row in (["a", "b", ""], [], ["", " c "], ["d"])])
    found = read(text.encode(), separator=separator)
    assert [record.cells for record in found] == [["a", "b"], [], ["", "c"], ["d"]]
    assert [record.number for record in found] == [1, 2, 3, 4]


def test_quotes() -> None:
    """A quoted cell may hold the separator, doubled quotes and line breaks, and counts as one row."""
    found = read(b'"a;b";"say ""hi""";c\n"Calle 5\ny Av. 2";b;c\nlast;;\n')
    assert [(record.number, record.cells) for record in found] == [
        (1, ["a;b", 'say "hi"', "c"]),
        (2, ["Calle 5\ny Av. 2", "b", "c"]),
        (3, ["last"]),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        '"Ana;0991;x',  # never closed
        'Ana;"0991;x',
        '"Ana" Pérez;0991;x',  # closed in the middle of a cell
        '"Ana";"Pérez";"x"y"',
        'Ana;0991;"',
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_broken_quote(broken: str, quoted: bool) -> None:
    """A broken quote breaks its own row and no other, whether the rows around it have quotes or not."""
    sound = '"Luis";"Mora";"y"' if quoted else "Luis;Mora;y"
    rows = [sound] * 4711
    rows[4710] = broken
    rows += [sound] * 300
    found = read("\r\n".join(rows).encode("latin-1"), "cp1252", piece=4096)
    assert len(found) == 5011
    assert [(each.number, each.problem) for each in found if each.cells != ["Luis", "Mora", "y"]] == [
        (4711, "broken_quote")
    ]


@pytest.mark.parametrize("closing", ['Luis;Mora;mucho"', '"Luis";"Mora";mucho"', "Luis;Mora;mucho"])
def test_two_stray_quotes(closing: str) -> None:
    """A quote that somebody opened, and another rows below that would close it, take in none of the rows between."""
    found = read(f'Ana;Paz;"le gusta\nEva;Luz;jugar\n{closing}\nRosa;Sol;x\n'.encode())
    assert [record.problem for record in found[:1]] == ["broken_quote"]
    assert [(each.number, each.cells[:2]) for each in found if each.problem is None and each.cells[0] != "Luis"] == [
        (2, ["Eva", "Luz"]),
        (4, ["Rosa", "Sol"]),
    ]
    assert found[2].problem == "broken_quote" or found[2].cells[:2] == ["Luis", "Mora"]


def test_controls() -> None:
    """Signs that nobody sees, and no database keeps, are blanks."""
    assert cells("no\x00mbre\x07;b\x85;c\n") == [["no mbre", "b", "c"]]


def test_inches() -> None:
    """A quotation mark within a cell that does not begin with one is a sign like any other."""
    assert cells('Ana "La Flaca" Pérez;collar 12";x\n') == [['Ana "La Flaca" Pérez', 'collar 12"', "x"]]


def test_long_lines() -> None:
    """A line of megabytes is one broken row, is not kept, and the next row is read."""
    found = read(b"a;b\n" + b"x" * (5 * LONGEST_LINE) + b"\nc;d\n" + b"y" * (LONGEST_LINE + 1), piece=65536)
    assert [(record.number, record.problem, record.cells) for record in found] == [
        (1, None, ["a", "b"]),
        (2, "too_long", []),
        (3, None, ["c", "d"]),
        (4, "too_long", []),
    ]


def test_rows_over_many_lines() -> None:
    """A quoted cell goes on over a few lines only; one of more is a broken quote."""
    inside = "\n".join(["line"] * (MOST_LINES - 1))
    assert cells(f'"{inside}";b;c\nd\n') == [[inside, "b", "c"], ["d"]]
    found = read(f'"{inside}\nline\nline";b;c\nd\n'.encode())
    assert found[0].problem == "broken_quote"
    assert found[-1].cells == ["d"]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Peñafiel", "utf-8-sig"),
        ("\ufeffPeñafiel", "utf-8-sig"),
        ("Pena", "utf-8-sig"),
        ("Peñafiel Núñez", "cp1252"),
        ("Peñafiel Núñez ÁVILA", "cp850"),
        ("Peñafiel Núñez María José", "mac_roman"),
    ],
)
def test_encodings(data: str, encoding: Encoding) -> None:
    """The encoding is told by what reads as Spanish."""
    assert encoding_of(data.encode(encoding.removesuffix("-sig"))) == encoding


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16(encoding: Encoding, mark: bool) -> None:
    """UTF-16, as Excel's "Unicode text", with and without the mark at its beginning."""
    data = (("\ufeff" if mark else "") + "nombre\tPeñafiel\n").encode(encoding)
    assert encoding_of(data) == encoding
    assert read(data, encoding, "\t")[0].cells == ["nombre", "Peñafiel"]


def test_damaged() -> None:
    """A file in UTF-8 with a few damaged bytes is one in UTF-8: the other letters are read rightly."""
    data = "Peñafiel;Núñez;José\n".encode() * 20 + b"Pe\xf1a;x\n"
    assert encoding_of(data) == "utf-8-sig"
    assert read(data)[-1].cells == ["Pe\ufffda", "x"]


@given(st.binary(max_size=3000), st.integers(1, 64))
@example(b'"' * 2000, 3)
@example(b'"a;b\r\n\x00\xff\xfe' * 90, 1)
def test_any_bytes(data: bytes, piece: int) -> None:
    """Whatever comes in is read to its end, the same however it is cut, with rows numbered without a gap."""
    survey = EncodingSurvey()
    for each in pieces(data, piece):
        survey.feed(each)
    encoding = survey.result()
    found = read(data, encoding, piece=piece)
    assert found == read(data, encoding, piece=len(data) or 1)
    assert [record.number for record in found] == list(range(1, len(found) + 1))


@given(
    st.lists(
        st.lists(
            st.text(st.characters(blacklist_categories=["Cs", "Cc"]) | st.just("\n"), max_size=9).filter(
                lambda cell: ";" not in cell.partition("\n")[2]
            ),
            min_size=3,
            max_size=3,
        ),
        max_size=20,
    ),
    st.integers(1, 64),
)
def test_whatever_was_written(rows: list[list[str]], piece: int) -> None:
    """What Python's own writer wrote is read as it was, blanks around cells apart."""
    file = io.StringIO()
    csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    found = read(b"\xef\xbb\xbf" + file.getvalue().encode(), piece=piece)
    expected = [[cell.strip() for cell in row] for row in rows]
    assert [record.cells + [""] * (3 - len(record.cells)) for record in found] == expected
