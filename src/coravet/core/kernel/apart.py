"""What is kept where neither the database's owner nor a restored backup reaches."""

from typing import Final, Literal, Protocol, get_args

Book = Literal["erasures", "departures", "acceptance-heads"]
"""Who was erased, which clinics and accounts were deleted, and the heads of the chains of acceptances."""

BOOKS: Final[tuple[Book, ...]] = get_args(Book)


class KeptApart(Protocol):
    """The conversation about what must outlive the database: books that only grow.

    An entry is one JSON value on one line, with ids and instants, never a person's data: nothing is ever erased here.
    """

    async def append(self, book: Book, entry: bytes) -> None:
        """Write one entry at the end; it lasts once this returns, whatever happens to the machine.

        Call it last before the transaction that it tells of commits: an entry whose transaction did not commit is made
        good by the next replay, a commit without its entry by nothing. What may be undone by its own doer, as a clinic
        that leaves and is opened again, is committed first as what cannot be undone any more, and carried out after.

        Raises:
            ValueError: the entry is no JSON, or more than one line.
            Unavailable: it may or may not have been written; the transaction must not commit.
        """
        ...

    async def entries(self, book: Book) -> list[bytes]:
        """All entries in the order in which they were written; a damaged one is empty, so that each keeps its place.

        What was cut off while it was written, and so never promised, is left out.

        Raises:
            Unavailable: the place where books are kept cannot be read, or this book is missing beside others.
        """
        ...
