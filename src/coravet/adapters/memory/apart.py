"""Books in memory, for unit tests; held to the same contract tests as the folder."""

import msgspec

from coravet.core.kernel.apart import Book
from coravet.core.kernel.errors import Unavailable


class MemoryApart:
    """The `KeptApart` port over lists.

    Attributes:
        reachable: while False everything ends in `Unavailable`.
    """

    def __init__(self) -> None:
        self.reachable = True
        self._books: dict[Book, list[bytes]] = {}

    async def append(self, book: Book, entry: bytes) -> None:
        if b"\n" in entry:
            raise ValueError("An entry is one line.")
        try:
            msgspec.json.decode(entry)
        except msgspec.DecodeError as error:
            raise ValueError("An entry is a JSON value.") from error
        self._ask()
        self._books.setdefault(book, []).append(entry.strip())

    async def entries(self, book: Book) -> list[bytes]:
        self._ask()
        return list(self._books.get(book, []))

    def damage(self, book: Book, place: int) -> None:
        """Spoil an entry, as a bad disk does; `place` counts from 0."""
        self._books[book][place] = b""

    def _ask(self) -> None:
        if not self.reachable:
            raise Unavailable("The register does not answer.")
