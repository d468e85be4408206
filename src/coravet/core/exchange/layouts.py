"""How a file is to be read: what separates its cells, where its header stands, and in which order its dates are."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from coravet.core.exchange.columns import columns_of, tells_who, understood
from coravet.core.exchange.encodings import Encoding
from coravet.core.exchange.model import MOST_ROWS, Layout, Problem, problem
from coravet.core.exchange.reading import MOST_LINES, SEPARATORS, Record, RecordReader
from coravet.core.exchange.values import date_order_of
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.sentences import Sentence

LOOKED_AT = 128 * 1024
"""Bytes at the beginning of a file in which its header stands."""

_ROWS_ABOVE = 30
"""Rows in which the header is looked for: titles and blank rows may stand above it."""

NO_HEADER = Sentence(
    "No row with the names of the columns was found at the beginning. Write one above the others: at least the client's"
    " name, such as nombre, apellidos, cédula, teléfono, mascota, especie."
)


class Unreadable(Exception):
    """The file as a whole cannot be imported.

    Attributes:
        problem: why, and what to do.
    """

    def __init__(self, found: Problem) -> None:
        super().__init__(found.code)
        self.problem = found


class LayoutSurvey:
    """Sees the whole file once, in pieces, and then says how it is to be read.

    Args:
        start: the file's first `LOOKED_AT` bytes, or all of them.

    Raises:
        Unreadable: there is no header with a client's name.
    """

    def __init__(self, start: bytes, encoding: Encoding) -> None:
        found = max((_look(start, encoding, separator) for separator in SEPARATORS), key=_clarity)
        # Rows over several lines are told by the header's width, so that it is looked for anew once that is known.
        found = found and _look(start, encoding, found.separator, found.width)
        if found is None:
            raise Unreadable(problem(None, FieldError("", "no_header", NO_HEADER)))
        self._layout = found
        self._reader = RecordReader(encoding, found.separator, found.width)
        self._dates = [place for place, column in enumerate(found.columns) if column.field == "birth_date"]
        self._orders = {"day_first": 0, "month_first": 0}
        self._rows = 0

    def feed(self, data: bytes) -> None:
        """Look at the next bytes. Raises Unreadable where there are too many rows."""
        self._count(self._reader.feed(data))

    def result(self) -> Layout:
        """What was found. Raises Unreadable where there are too many rows, or none."""
        self._count(self._reader.finish())
        if not self._rows:
            sentence = Sentence("There are no rows below the names of the columns.")
            raise Unreadable(problem(None, FieldError("", "no_rows", sentence)))
        order = "month_first" if self._orders["month_first"] > self._orders["day_first"] else "day_first"
        return msgspec.structs.replace(self._layout, rows=self._rows, date_order=order)

    def _count(self, records: Iterator[Record]) -> None:
        for record in records:
            if record.number <= self._layout.header or not (record.cells or record.problem):
                continue
            self._rows += 1
            if self._rows > MOST_ROWS:
                sentence = Sentence("More than {most} rows are too many at once. Split the file.", most=MOST_ROWS)
                raise Unreadable(problem(None, FieldError("", "too_many_rows", sentence)))
            for place in self._dates:
                told = date_order_of(record.cells[place]) if place < len(record.cells) else None
                if told is not None:
                    self._orders[told] += 1


def _look(start: bytes, encoding: Encoding, separator: str, width: int | None = None) -> Layout | None:
    """The layout by this separator; None where no header is found."""
    reader = RecordReader(encoding, separator, width)
    best: Layout | None = None
    records = list(islice(reader.feed(start), _ROWS_ABOVE))
    if len(records) < _ROWS_ABOVE:
        records += islice(reader.finish(), _ROWS_ABOVE + MOST_LINES)
    for record in records:
        columns = columns_of(record.cells)
        if tells_who(columns) and (best is None or understood(columns) > understood(best.columns)):
            best = Layout(encoding, separator, record.width, record.number, columns)
    return best


def _clarity(layout: Layout | None) -> tuple[int, int]:
    return (0, 0) if layout is None else (understood(layout.columns), layout.width)
