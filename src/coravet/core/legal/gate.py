"""The last guard: who has not accepted what must be accepted does not get in."""

from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Forbidden

KEPT = timedelta(minutes=1)
"""How long it is remembered at most that somebody has nothing open, should a change go unheard."""

KEPT_NOWHERE = timedelta(seconds=0.5)
"""The same for requests outside a clinic: of who belongs to none, no event tells, since every event is a clinic's."""

KEPT_PEOPLE = 20_000
"""Of how many people and clinics that is remembered in one process; beyond, all is asked anew."""


class OpenDocument(msgspec.Struct, frozen=True):
    """A version of a legal text that waits for a person's decision. `sha256` is the hexadecimal hash of its text.

    Attributes:
        clinic: the slug of the clinic that an owner decides for; None for what is one's own affair.
    """

    slug: str
    version: str
    locale: str
    sha256: str
    url: str
    title: str | None = None
    clinic: str | None = None


class AcceptanceRequired(Forbidden):
    """Legal texts must be accepted first; `documents` lists them, so that a page can show them."""

    code = "legal_acceptance_required"
    title = "Legal texts to accept"

    def __init__(self, documents: list[OpenDocument]) -> None:
        super().__init__("Read and accept the documents listed, then repeat the request.", documents=documents)


class Open(msgspec.Struct, frozen=True):
    """What waits for a person.

    Attributes:
        pending: blocks until it is accepted.
        notices: changed in a smaller way since the person last decided; it blocks nothing.
    """

    pending: list[OpenDocument]
    notices: list[OpenDocument]


class Gate(Protocol):
    """Tells which texts wait for a person."""

    async def pending(self, user_id: UserId, clinic_id: ClinicId | None) -> list[OpenDocument]:
        """The blocking ones, for the person and, where one is given, for the clinic; empty lets them in."""
        ...

    async def all_open(self, user_id: UserId, clinic_ids: list[ClinicId]) -> Open:
        """All that wait, for the person and for those of the clinics that the person owns."""
        ...


class CachedGate:
    """Remembers, in one process, who has nothing open, so that a request of theirs costs no query.

    What is open is never remembered: an acceptance works at once. Whoever hears that a text was published, or that an
    acceptance or a role was taken back, calls `forget`.
    """

    def __init__(self, gate: Gate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self._clear: dict[tuple[UserId, ClinicId | None], datetime] = {}
        self._turn = 0

    async def pending(self, user_id: UserId, clinic_id: ClinicId | None) -> list[OpenDocument]:
        key = user_id, clinic_id
        now = self._clock.now()
        until = self._clear.get(key)
        if until is not None and now < until:
            return []
        turn = self._turn
        found = await self._gate.pending(user_id, clinic_id)
        # What was forgotten while this was asked was asked too early.
        if not found and turn == self._turn:
            if len(self._clear) >= KEPT_PEOPLE:
                self._clear.clear()
            self._clear[key] = now + (KEPT if clinic_id is not None else KEPT_NOWHERE)
        return found

    async def all_open(self, user_id: UserId, clinic_ids: list[ClinicId]) -> Open:
        return await self._gate.all_open(user_id, clinic_ids)

    def forget(self) -> None:
        """Ask anew about everybody: publications, withdrawals and changes of roles are rare."""
        self._turn += 1
        self._clear.clear()
