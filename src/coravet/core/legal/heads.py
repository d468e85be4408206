"""Heads of the chains of decisions, kept where the database's owner cannot rewrite them, and chains held to them."""

from contextlib import suppress
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.apart import Book, KeptApart
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.work import SystemBegin
from coravet.core.legal.chain import broken
from coravet.core.legal.ports import LegalWork

BOOK: Book = "acceptance-heads"


class Head(msgspec.Struct, frozen=True):
    """The last entry of a chain at one moment. `hash` is in hex, `at` RFC 3339 in UTC."""

    clinic_id: UUID
    number: int
    hash: str
    at: str


class _Clinic(msgspec.Struct):
    clinic_id: ClinicId


class _Departure(msgspec.Struct, tag="departure"):
    """A line of the book `departures`: a clinic that was deleted, and its chain with it."""

    departure: _Clinic


class Verified(msgspec.Struct, frozen=True):
    """What became of verifying all chains.

    Attributes:
        heads: how many heads that were kept apart the chains were held to.
        problems: sentences, each beginning with the chain's clinic.
    """

    chains: int
    entries: int
    heads: int
    problems: list[str]


async def keep_heads(apart: KeptApart, begin: SystemBegin[LegalWork], clock: Clock) -> int:
    """Write down apart the heads that grew since they were written down last; answers how many. Raises Unavailable."""
    known = {head.clinic_id: head.number for head in _read(await apart.entries(BOOK))[0]}
    async with begin("keep heads of chains") as work:
        heads = await work.chains.heads()
    grown = [head for head in heads if head[1] > known.get(head[0], 0)]
    for clinic_id, number, last in grown:
        head = Head(clinic_id, number, last.hex(), clock.now().isoformat())
        await apart.append(BOOK, msgspec.json.encode(head))
    return len(grown)


async def verify(apart: KeptApart, begin: SystemBegin[LegalWork]) -> Verified:
    """Recompute every chain, and hold it to the heads that were kept apart. Raises Unavailable.

    Clinics that left have none any more: so says a book that is kept apart, too, and not what the database tells.
    """
    heads, problems = _read(await apart.entries(BOOK))
    left = _left(await apart.entries("departures"))
    kept: dict[ClinicId, dict[int, bytes]] = {}
    for head in heads:
        of_clinic = kept.setdefault(ClinicId(head.clinic_id), {})
        if of_clinic.setdefault(head.number, bytes.fromhex(head.hash)).hex() != head.hash:
            problems.append(f"{head.clinic_id}: two different heads were kept apart for entry {head.number}.")
    entries = 0
    async with begin("verify chains") as work:
        stored = {clinic_id: number for clinic_id, number, _ in await work.chains.heads()}
        for clinic_id in sorted({*stored, *kept} - left, key=str):
            chain = [entry async for entry in work.chains.entries(clinic_id)]
            entries += len(chain)
            if wrong := broken(chain, kept.get(clinic_id, {})):
                problems.append(f"{clinic_id}: {wrong}.")
    return Verified(len(stored), entries, len(heads), problems)


def _read(lines: list[bytes]) -> tuple[list[Head], list[str]]:
    """The heads, and a sentence about each line that is none."""
    heads, problems = [], []
    for place, line in enumerate(lines, 1):
        try:
            heads.append(msgspec.json.decode(line, type=Head))
        except msgspec.MsgspecError:
            problems.append(f"Line {place} of the book {BOOK} is damaged.")
    return heads, problems


def _left(lines: list[bytes]) -> set[ClinicId]:
    """The clinics that left."""
    found = set()
    for line in lines:
        with suppress(msgspec.DecodeError):  # another kind of line, or a damaged one
            found.add(msgspec.json.decode(line, type=_Departure).departure.clinic_id)
    return found
