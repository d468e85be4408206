"""After a backup was restored: whoever was erased since is erased again, by the register that is kept apart.

Whoever the restored database does not know is left out; what is as it must be stays so, and so a replay may be repeated
at any time. An entry may tell of an erasure that was never committed: it was asked for, and is done by this.
"""

from uuid import UUID, uuid5

import msgspec

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.apart import BOOKS, KeptApart
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import DomainError
from coravet.core.kernel.work import Begin, SystemBegin
from coravet.core.privacy.departures import registered
from coravet.core.privacy.erase import Erase, RegisteredErasure, erase_client
from coravet.core.privacy.erasure_ports import ErasureWork
from coravet.core.privacy.replay_ports import ReplayWork, Standing

REASON = "replay erasures"

Known = dict[tuple[ClinicId, UUID], Standing]


class Replayed(msgspec.Struct, frozen=True):
    """What came of the register, everybody being counted once.

    Attributes:
        again: erased again.
        stood: erased in this database already.
        unknown: this database does not know them.
        damaged: the numbers of entries that cannot be read, the first being 1.
        refused: the numbers of entries that could not be replayed, with the code of what stood in the way.
    """

    again: int = 0
    stood: int = 0
    unknown: int = 0
    damaged: list[int] = []
    refused: list[tuple[int, str]] = []


class Book(msgspec.Struct, frozen=True):
    """The register of erasures as it was read.

    Attributes:
        entries: by their numbers, the first being 1; of several about one person the last.
        damaged: the numbers of those that cannot be read.
    """

    entries: dict[int, RegisteredErasure]
    damaged: list[int]


class Compared(msgspec.Struct, frozen=True):
    """The register held to a database.

    Attributes:
        read: how many entries each book has, damaged ones included.
        lacking: how many erasures or departures this database carried out that the book does not tell of, by book.
    """

    read: dict[str, int]
    lacking: dict[str, int]


async def read_register(apart: KeptApart) -> Book:
    """The register. Raises Unavailable."""
    entries: dict[tuple[ClinicId, UUID], tuple[int, RegisteredErasure]] = {}
    damaged: list[int] = []
    for number, line in enumerate(await apart.entries("erasures"), 1):
        try:
            entry = msgspec.json.decode(line, type=RegisteredErasure)
        except msgspec.DecodeError:
            damaged.append(number)
        else:
            entries[entry.clinic_id, entry.subject_id] = number, entry
    return Book(dict(sorted(entries.values())), damaged)


async def replay_erasures(
    begin: Begin[ErasureWork], system_begin: SystemBegin[ReplayWork], clock: Clock, apart: KeptApart
) -> Replayed:
    """Erase again whoever is in the register and not erased in this database.

    Raises:
        Unavailable: the register cannot be read.
    """
    book = await read_register(apart)
    known = await _known(book, system_begin)
    again = stood = unknown = 0
    refused: list[tuple[int, str]] = []
    for number in _in_order(book.entries):
        entry = book.entries[number]
        here, left = _here(entry, known), _left(entry, known)
        unknown += not here
        stood += bool(here) and not left
        if left:
            try:
                for client in left:
                    await _erase(client, entry, begin, clock, apart)
            except DomainError as error:
                refused.append((number, error.code))
            else:
                again += 1
    return Replayed(again, stood, unknown, book.damaged, sorted(refused))


async def undone(system_begin: SystemBegin[ReplayWork], apart: KeptApart) -> int:
    """How many erasures and departures this database lacks: it was restored, and they were not replayed.

    Raises:
        Unavailable: the register cannot be read.
    """
    book = await read_register(apart)
    known = await _known(book, system_begin)
    departures, accounts = await registered(apart)
    async with system_begin(REASON) as work:
        left = await work.registered.still_here([each.clinic_id for each in departures], accounts)
    return left + sum(bool(_left(entry, known)) for entry in book.entries.values())


async def compare(system_begin: SystemBegin[ReplayWork], apart: KeptApart) -> Compared:
    """How much the register holds, and what this database did that the register does not tell of.

    Raises:
        Unavailable: the register cannot be read.
    """
    read: dict[str, int] = {name: len(await apart.entries(name)) for name in BOOKS}
    book = await read_register(apart)
    departures, accounts = await registered(apart)
    async with system_begin(REASON) as work:
        done = await work.registered.done_here()
    erased = {(entry.clinic_id, each) for entry in book.entries.values() for each in entry.clients}
    lacking = {
        "erasures": len(set(done.clients) - erased),
        "departures": len(set(done.departures) - {each.id for each in departures})
        + len(set(done.accounts) - set(accounts)),
    }
    return Compared(read, {name: many for name, many in lacking.items() if many})


async def _known(book: Book, system_begin: SystemBegin[ReplayWork]) -> Known:
    asked = [(entry.clinic_id, each) for entry in book.entries.values() for each in entry.clients]
    async with system_begin(REASON) as work:
        found = await work.registered.standing([clinic for clinic, _ in asked], [client for _, client in asked])
    return {(each.clinic_id, each.client_id): each for each in found}


def _here(entry: RegisteredErasure, known: Known) -> list[Standing]:
    """Whom the database knows of those whom an erasure took together, the client themselves first."""
    clients = sorted(entry.clients, key=lambda each: each != entry.subject_id)
    return [known[key] for each in clients if (key := (entry.clinic_id, each)) in known]


def _left(entry: RegisteredErasure, known: Known) -> list[Standing]:
    """Who of them is to be erased; whoever is merged into another of them goes along."""
    return [each for each in _here(entry, known) if not each.erased and each.merged_into_id not in entry.clients]


def _in_order(entries: dict[int, RegisteredErasure]) -> list[int]:
    """Those last whose number is another's: it was given out again, since their erasure was never committed."""
    numbers = {(entry.clinic_id, entry.number): entry.id for entry in entries.values()}
    return sorted(entries, key=lambda n: (numbers[entries[n].clinic_id, entries[n].number] != entries[n].id, n))


async def _erase(
    client: Standing, entry: RegisteredErasure, begin: Begin[ErasureWork], clock: Clock, apart: KeptApart
) -> None:
    if client.client_id != entry.subject_id:
        # Merged into them after the backup was made: here they are somebody still.
        again = uuid5(entry.id, str(client.client_id))
        entry = msgspec.structs.replace(entry, id=again, subject_id=client.client_id)
    actor = Actor(clinic_id=client.clinic_id, time_zone=client.time_zone, user_id=None)
    await erase_client(client.client_id, Erase(entry.request_id), actor, begin, clock, apart, entry)
