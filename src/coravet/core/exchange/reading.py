"""Reading separated values from whoever wrote them, so that one bad row stays one bad row."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from itertools import islice

import msgspec

from coravet.core.exchange.encodings import Encoding, decoder

SEPARATORS = (";", ",", "\t", "|")

LONGEST_LINE = 32_768
"""Characters of a line; a longer one is no row of a list of clients, and is not kept."""

_CONTROLS = {code: " " for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
"""What no list means to say, and no database keeps, such as NUL; the lines of a cell stay lines."""

MOST_LINES = 25
"""Lines over which one quoted field may go on. An address has three; a quote that nobody closed has all that follow."""


class Record(msgspec.Struct, frozen=True):
    """One row of the file.

    Attributes:
        number: as a spreadsheet counts rows, from 1, the header and blank rows included. Where a row before it goes on
            over several lines, a text editor counts more.
        cells: as they were written, trimmed, without control characters and without the blank ones at the end; none
            where the row is blank or broken.
        problem: why it cannot be read: `broken_quote` or `too_long`.
        width: of its cells, the blank ones included.
    """

    number: int
    cells: list[str]
    problem: str | None = None
    width: int = 0


class RecordReader:
    """Makes records of bytes that come in pieces of any length, holding on to few of them.

    A quote is a field's only where it opens and closes it; a quoted field may go on over lines. A row whose quotes do
    not come to an end so, that would come to another number of cells for it, or that would take in a line which is a
    row by itself, is a broken row of one line, and what follows is read as if it had not been there.

    Args:
        width: cells that a row over several lines must have; None where that is not known yet.
    """

    def __init__(self, encoding: Encoding, separator: str, width: int | None = None) -> None:
        self._separator = separator
        self._width = width
        self._decoder = io.IncrementalNewlineDecoder(decoder(encoding), translate=True)
        self._rest = ""
        self._begun = False
        self._overlong = False
        self._lines: deque[str | None] = deque()
        self._number = 0

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that are known to be whole by now."""
        self._split(self._decoder.decode(data))
        yield from self._records(MOST_LINES)

    def finish(self) -> Iterator[Record]:
        """The last records; the file has ended."""
        self._split(self._decoder.decode(b"", final=True))
        if self._rest or self._overlong:
            self._split("\n")
        yield from self._records(0)

    def _split(self, text: str) -> None:
        if text and not self._begun:
            self._begun, text = True, text.removeprefix("\ufeff")
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            too_long = self._overlong or len(line) > LONGEST_LINE
            self._lines.append(None if too_long else line)
            self._overlong = False
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._overlong = "", True

    def _records(self, kept: int) -> Iterator[Record]:
        while len(self._lines) > kept:
            self._number += 1
            line = self._lines.popleft()
            if line is None:
                yield Record(self._number, [], "too_long")
            elif '"' not in line:
                yield _record(self._number, line.split(self._separator))
            else:
                yield self._quoted(line)

    def _quoted(self, line: str) -> Record:
        following = islice((f"{each}\n" for each in _until_none(self._lines)), MOST_LINES - 1)
        rows = csv.reader(_chain(line, following), delimiter=self._separator, strict=True, skipinitialspace=True)
        try:
            cells = next(rows)
        except csv.Error:
            return Record(self._number, [], "broken_quote")
        more = rows.line_num - 1
        width = self._width or len(cells)
        if more and (len(cells) != width or self._takes_in_rows(cells, width)):
            return Record(self._number, [], "broken_quote")
        for _ in range(more):
            self._lines.popleft()
        return _record(self._number, cells)

    def _takes_in_rows(self, cells: list[str], width: int) -> bool:
        """Whether a line that these cells go on over would be a whole row, were it not for the quotes."""
        inside = (part for cell in cells for part in cell.split("\n")[1:])
        return any(
            self._separator in part and (line or "").count(self._separator) + 1 >= width
            for part, line in zip(inside, self._lines, strict=False)
        )


def _until_none(lines: deque[str | None]) -> Iterator[str]:
    for line in lines:
        if line is None:
            return
        yield line


def _chain(line: str, following: Iterator[str]) -> Iterator[str]:
    yield f"{line}\n"
    yield from following


def _record(number: int, cells: list[str]) -> Record:
    trimmed = [(cell if cell.isprintable() else cell.translate(_CONTROLS)).strip() for cell in cells]
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    return Record(number, trimmed, width=len(cells))
