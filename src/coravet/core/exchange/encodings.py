"""In which encoding a file of unknown origin was written, told from its bytes."""

import codecs
from collections import Counter
from typing import Literal

Encoding = Literal["utf-8-sig", "utf-16-le", "utf-16-be", "cp1252", "cp850", "mac_roman"]

_MARKS: tuple[tuple[bytes, Encoding], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What Excel writes on Windows, as "CSV (MS-DOS)" and as "CSV (Macintosh)"; the first wins where all are as likely.
_ONE_BYTE: tuple[Encoding, ...] = ("cp1252", "cp850", "mac_roman")
_LETTERS = frozenset("áéíóúüñÁÉÍÓÚÜÑ")
_SIGNS = frozenset("°ºª¿¡“”‘’«»–—…€´\u00a0")  # noqa: RUF001 -- the signs that word processors put in
_MOST_STRAYS = 0.2
"""Bytes that are no UTF-8 among those beyond ASCII: below, a few were damaged; above, the file is not UTF-8."""


class EncodingSurvey:
    """Sees all bytes of a file in order, in pieces of any length, and then says how they are to be read.

    A mark at the beginning decides, then zeros at every second place, then whether it is UTF-8. What is left has one
    byte for each letter, and the encoding in which most of them are Spanish letters is taken.
    """

    def __init__(self) -> None:
        self._start = b""
        self._size = 0
        self._zeros = [0, 0]
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._read: Counter[str] = Counter()
        self._bytes: Counter[int] = Counter()

    def feed(self, data: bytes) -> None:
        """Look at the next bytes."""
        if len(self._start) < 4:
            self._start += data[:4]
        for place in (0, 1):
            self._zeros[place ^ (self._size & 1)] += data[place::2].count(0)
        self._size += len(data)
        self._bytes.update(data.translate(None, _ASCII))
        self._count(self._utf8.decode(data))

    def result(self) -> Encoding:
        """The encoding of what was seen."""
        self._count(self._utf8.decode(b"", final=True))
        for mark, encoding in _MARKS:
            if self._start.startswith(mark):
                return encoding
        even, odd = self._zeros
        if max(even, odd) > self._size / 8:
            return "utf-16-le" if odd > even else "utf-16-be"
        strays, sound = self._read["\ufffd"], self._read["sound"]
        if strays <= (strays + sound) * _MOST_STRAYS:
            return "utf-8-sig"
        return max(_ONE_BYTE, key=self._likeness)

    def _count(self, text: str) -> None:
        if text.isascii():
            return
        strays = text.count("\ufffd")
        self._read["\ufffd"] += strays
        self._read["sound"] += sum(not character.isascii() for character in text) - strays

    def _likeness(self, encoding: Encoding) -> int:
        total = 0
        for value, times in self._bytes.items():
            character = bytes([value]).decode(encoding, "replace")
            total += times * (2 if character in _LETTERS else 0 if character in _SIGNS else -1)
        return total


_ASCII = bytes(range(128))


def decoder(encoding: Encoding) -> codecs.IncrementalDecoder:
    """Reads text in that encoding, piece by piece; what cannot be read becomes U+FFFD."""
    return codecs.getincrementaldecoder(encoding)("replace")
