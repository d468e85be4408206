"""Heads of the chains of decisions, kept where the database's owner cannot rewrite them, and chains held to them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.apart import Book, KeptApart
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.work import SystemBegin
from coravet.core.legal.chain import BEGINNING, broken, commitment_of
from coravet.core.legal.model import Entry, Secret
from coravet.core.legal.ports import LegalWork

BOOK: Book = "acceptance-heads"


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last entry of a chain at one moment. `hash` is in hex, `at` RFC 3339 in UTC.

    Attributes:
        restored: a backup was restored whose chain ends here: what was kept of later entries counts no more.
    """

    clinic_id: UUID
    number: int
    hash: str
    at: str
    restored: bool = False


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


async def keep_heads(apart: KeptApart, begin: SystemBegin[LegalWork], clock: Clock, *, restored: bool = False) -> int:
    """Write down apart the heads that grew since they were written down last; answers how many.

    Args:
        restored: a backup was restored: also those that are shorter now than they were, as the heads from here on.

    Raises:
        Unavailable: the book can be neither read nor written.
    """
    known = {head.clinic_id: head.number for head in _read(await apart.entries(BOOK))[0]}
    async with begin("keep heads of chains") as work:
        heads = {clinic_id: (number, last.hex()) for clinic_id, number, last in await work.chains.heads()}
    if restored:
        heads |= {ClinicId(clinic_id): (0, BEGINNING.hex()) for clinic_id in known if clinic_id not in heads}
    kept = 0
    for clinic_id, (number, last) in heads.items():
        shorter = number < known.get(clinic_id, 0)
        if number > known.get(clinic_id, 0) or (restored and shorter):
            head = Head(clinic_id, number, last, clock.now().isoformat(), restored=shorter)
            await apart.append(BOOK, msgspec.json.encode(head))
            kept += 1
    return kept


async def verify(apart: KeptApart, begin: SystemBegin[LegalWork], departed: Collection[ClinicId] = ()) -> Verified:
    """Recompute every chain, and hold it to the heads that were kept apart, to the texts and to the evidence.

    Args:
        departed: clinics whose chains went with them.

    Raises:
        Unavailable: the book cannot be read.
    """
    heads, problems = _read(await apart.entries(BOOK))
    kept = _kept(heads, problems)
    entries = 0
    async with begin("verify chains") as work:
        stored = {clinic_id for clinic_id, _, _ in await work.chains.heads()}
        texts = {}
        for each in await work.publishing.stored():
            name = each.text.slug, each.text.version, each.text.locale
            texts[name] = each.text.sha256
            if each.stored != each.text.sha256:
                problems.append(f"{'/'.join(name)}: its words are not those that were published.")
        for clinic_id in sorted({*stored, *kept} - ({*departed} - stored), key=str):
            chain = [entry async for entry in work.chains.entries(clinic_id)]
            secrets = await work.chains.secrets(clinic_id)
            entries += len(chain)
            wrong = broken(chain, kept.get(clinic_id, {})) or _unproven(chain, texts, secrets)
            if wrong:
                problems.append(f"{clinic_id}: {wrong}.")
    return Verified(len(stored), entries, len(heads), problems)


def _unproven(
    chain: Sequence[Entry], texts: Mapping[tuple[str, str, str], str], secrets: Mapping[UUID, Secret]
) -> str | None:
    """Which entry names words that were not published so, or evidence that it is not bound to."""
    for entry in chain:
        if texts.get((entry.slug, entry.version, entry.locale)) != entry.sha256:
            return f"entry {entry.number} is about other words than were published as {entry.slug} {entry.version}"
        secret = secrets.get(entry.id)
        if secret is not None and commitment_of(secret) != entry.commitment:
            return f"entry {entry.number} was not decided from where its evidence says"
    return None


def _kept(heads: list[Head], problems: list[str]) -> dict[ClinicId, dict[int, bytes]]:
    """The hashes that were kept of each chain, as far as they count; adds what contradicts itself."""
    kept: dict[ClinicId, dict[int, bytes]] = {}
    for head in heads:
        clinic_id = ClinicId(head.clinic_id)
        of_clinic = kept.setdefault(clinic_id, {})
        if head.restored:
            kept[clinic_id] = of_clinic = {n: found for n, found in of_clinic.items() if n <= head.number}
        if head.number == 0:
            continue
        if of_clinic.setdefault(head.number, bytes.fromhex(head.hash)).hex() != head.hash:
            problems.append(f"{clinic_id}: two different heads were kept apart for entry {head.number}.")
    return kept


def _read(lines: list[bytes]) -> tuple[list[Head], list[str]]:
    """The heads, and a sentence about each line that is none."""
    heads, problems = [], []
    for place, line in enumerate(lines, 1):
        try:
            head = msgspec.json.decode(line, type=Head)
            bytes.fromhex(head.hash)
        except ValueError:
            problems.append(f"Line {place} of the book {BOOK} is damaged.")
        else:
            heads.append(head)
    return heads, problems
