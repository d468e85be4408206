"""The last guard: who has not accepted what must be accepted does not get in."""

from typing import Protocol

import msgspec

from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.errors import Forbidden


class OpenDocument(msgspec.Struct, frozen=True):
    """A version of a legal text that waits for a person's decision. `sha256` is the hexadecimal hash of its text."""

    slug: str
    version: str
    locale: str
    sha256: str
    url: str


class AcceptanceRequired(Forbidden):
    """Legal texts must be accepted first; `documents` lists them, so that a page can show them."""

    code = "legal_acceptance_required"
    title = "Legal texts to accept"

    def __init__(self, documents: list[OpenDocument]) -> None:
        super().__init__("Read and accept the documents listed, then repeat the request.", documents=documents)


class Gate(Protocol):
    """Tells which blocking texts a person has not accepted yet."""

    async def pending(self, user_id: UserId, clinic_id: ClinicId | None) -> list[OpenDocument]:
        """Those open for the person, in this clinic where one is given; empty lets them in."""
        ...
