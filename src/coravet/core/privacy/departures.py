"""A clinic that leaves: it is closed, handed everything that is its own, and deleted.

The clinic is controller of its clients' data and CoraVet their processor, who at the end of the service hands them back
and deletes them (LOPDP and its regulation). Up to the hand-over everything can be undone; from then on nothing can, and
whatever interrupts the deletion, the same command goes on with it. The register that is kept apart is told between the
two: what it names is never a clinic that was opened again, and nothing is deleted that it does not name.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from coravet.core.exchange.export import FOLDER, Manifest
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.apart import KeptApart
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, Unavailable
from coravet.core.kernel.events import MemberDeactivated
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.work import SystemBegin
from coravet.core.privacy.accounts import AccountEntry, repeat_account
from coravet.core.privacy.certificates import certified
from coravet.core.privacy.leaving_ports import AccountWork, Agreement, Departure, DepartureWork, Handed

BATCH = 2_000
"""Rows that one transaction deletes: a second or so, in which nobody of another clinic waits for anything."""

ROUNDS = 20
PAUSE_SECONDS = 1.0
"""How often all tables are gone through anew, and what is waited in between: for what was on its way when the clinic
was closed, and until open screens were told."""

REASON = "a clinic leaves"

Done = Callable[[str, int], None]
"""Is told which table was emptied, and how many rows of it were deleted."""


class DepartureCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What is certified to a clinic that left.

    Attributes:
        handed: everything of the clinic as it was handed to it, with the SHA-256 of the archive and the clinic's own
            decisions on legal texts, whose proof outlives its chain.
        deleted_at: when nothing of the clinic was left in the database; backups end by themselves, later.
    """

    subject: Literal["clinic"] = "clinic"
    departure_id: UUID
    clinic_id: ClinicId
    closed_at: datetime
    handed: Handed
    deleted_at: datetime


class DepartureEntry(msgspec.Struct, frozen=True, kw_only=True, tag="departure"):
    """What is kept apart once a clinic was handed everything: whatever backup brings it back, it is deleted again."""

    departure: Departure


class CertificateEntry(msgspec.Struct, frozen=True, kw_only=True, tag="departure.certificate"):
    """What is kept apart once everything was deleted."""

    departure_id: UUID
    certificate: str


Entry = DepartureEntry | CertificateEntry | AccountEntry
"""The lines of the book `departures`."""


async def close_clinic(slug: str, reason: str, begin: SystemBegin[DepartureWork], clock: Clock) -> Departure:
    """Let nobody into the clinic of that address any more, and end its streams; or find how far it was brought before.

    Its people, guests and links meet what they would where no clinic had ever been.

    Args:
        reason: why it leaves; kept with the departure, never in the certificate.

    Raises:
        NotFound: there is no clinic at that address, and there was none that left.
        Invalid: there is no reason.
    """
    fields, errors = clean_fields({"reason": reason}, ("reason",), required=("reason",))
    if errors:
        raise Invalid(errors=errors)
    async with begin(REASON) as work:
        departure = await work.departures.close(slug, work.new_id(), fields["reason"], clock.now())
        if departure.handed is None:
            for place in (await work.clearing.people(departure.clinic_id))[0]:
                work.emit(MemberDeactivated(place.member_id, place.version), departure.clinic_id)
    return departure


async def registered(apart: KeptApart) -> tuple[list[Departure], list[UserId]]:
    """The clinics that were handed everything, and whose accounts were erased, by the register. Raises Unavailable."""
    departures: list[Departure] = []
    accounts: list[UserId] = []
    for line in await apart.entries("departures"):
        with suppress(msgspec.DecodeError):
            match msgspec.json.decode(line, type=Entry):
                case DepartureEntry(departure=departure):
                    departures.append(departure)
                case AccountEntry(user_id=user_id):
                    accounts.append(user_id)
    return departures, accounts


async def departed(apart: KeptApart) -> list[ClinicId]:
    """The clinics that were handed everything and are deleted, by the register. Raises Unavailable."""
    return [departure.clinic_id for departure in (await registered(apart))[0]]


async def reopen_clinic(departure: Departure, begin: SystemBegin[DepartureWork]) -> None:
    """Undo the closing, unless everything was handed over: what follows that cannot be undone."""
    async with begin(REASON) as work:
        await work.departures.reopen(departure.id)


async def hand_over(
    departure: Departure,
    manifest: Manifest,
    archive: tuple[str, int],
    begin: SystemBegin[DepartureWork],
) -> Departure:
    """Note what the clinic was handed, when it is all there is. Once this is committed there is no way back.

    Args:
        manifest: of the archive, which was found to be whole.
        archive: its SHA-256 and its size in bytes.

    Raises:
        Invalid: there are other rows by now than those in the archive.
        NotFound: it is no departure any more: somebody opened the clinic again.
    """
    async with begin(REASON) as work:
        departure = await work.departures.lock(departure.id)
        if departure.handed is not None:
            return departure
        rows = await work.clearing.counts(departure.clinic_id)
        for file in manifest.files:
            table = file.name.removeprefix(FOLDER).removesuffix(".csv")
            if rows.get(table, file.rows) != file.rows:
                raise Invalid(
                    errors=[
                        FieldError(
                            "/export", "outdated", "The clinic changed while it was handed over. Repeat the command."
                        )
                    ]
                )
        accounts = (await work.clearing.people(departure.clinic_id))[1]
        agreements = [
            Agreement(
                number=entry.number,
                slug=entry.slug,
                version=entry.version,
                sha256=entry.sha256,
                decision=entry.decision,
                decided_at=entry.decided_at,
                previous=entry.previous.hex(),
                hash=entry.hash.hex(),
            )
            async for entry in work.chains.entries(departure.clinic_id)
            if entry.capacity == "clinic"
        ]
        handed = Handed(sha256=archive[0], bytes=archive[1], rows=rows, accounts=accounts, agreements=agreements)
        await work.departures.hand_over(departure, handed)
    return msgspec.structs.replace(departure, handed=handed)


async def delete_clinic(
    departure: Departure,
    begin: SystemBegin[DepartureWork],
    clock: Clock,
    apart: KeptApart,
    done: Done | None = None,
    *,
    batch: int = BATCH,
    pause: float = PAUSE_SECONDS,
) -> str:
    """Delete everything of a clinic that was handed everything, in steps of which each may be the last for now.

    Returns:
        The certificate, as JSON; the same one however often it is asked for.

    Raises:
        NotFound: there is no such departure.
        Unavailable: the register cannot be written, and then nothing is deleted; or something of the clinic is written
            still. Repeated, this goes on where it was.
    """
    for _ in range(ROUNDS):
        async with begin(REASON) as work:
            departure = await work.departures.lock(departure.id)
            tables = work.clearing.tables()
        if departure.certificate is not None:
            return departure.certificate
        await _register(departure, apart)
        for table in tables:
            await _empty(departure, table, begin, done, batch)
        certificate = await _certify(departure, begin, clock, apart)
        if certificate is not None:
            return certificate
        await asyncio.sleep(pause)
    raise Unavailable("Something of this clinic is still being written. Repeat the command in a minute.", 60)


async def _register(departure: Departure, apart: KeptApart) -> None:
    """Have the register name the departure before the first row goes: a backup that knows the clinic meets it there.

    Only now, when the hand-over is committed: a write that seems to have failed may have been done all the same, and
    by it a replay would delete a clinic that was opened again.
    """
    if departure.handed is None:
        raise ValueError("a clinic is deleted once everything was handed over")
    if departure.id not in {each.id for each in (await registered(apart))[0]}:
        await apart.append("departures", msgspec.json.encode(DepartureEntry(departure=departure)))


async def _empty(
    departure: Departure, table: str, begin: SystemBegin[DepartureWork], done: Done | None, batch: int
) -> None:
    gone, total = batch, 0
    while gone >= batch:
        async with begin(REASON) as work:
            gone = await work.clearing.empty(departure, table, batch)
        total += gone
    if total and done:
        done(table, total)


async def _certify(
    departure: Departure, begin: SystemBegin[DepartureWork], clock: Clock, apart: KeptApart
) -> str | None:
    """Delete the clinic itself and certify it; None where something of it is left."""
    if departure.handed is None:
        raise ValueError("a clinic is deleted once everything was handed over")
    now = clock.now()
    certificate = certified(
        DepartureCertificate(
            departure_id=departure.id,
            clinic_id=departure.clinic_id,
            closed_at=departure.closed_at,
            handed=departure.handed,
            deleted_at=now,
        )
    )
    async with begin(REASON) as work:
        if not await work.clearing.remove(departure, now, certificate):
            return None
        entry = CertificateEntry(departure_id=departure.id, certificate=certificate)
        await apart.append("departures", msgspec.json.encode(entry))
    return certificate


class ReplayWork(DepartureWork, AccountWork, Protocol):
    """The unit of work as a replay uses it."""


class DeparturesReplayed(msgspec.Struct, frozen=True):
    """What came of the book.

    Attributes:
        clinics: how many were deleted again.
        accounts: how many were erased again.
        damaged: the numbers of entries that cannot be read, the first being 1.
    """

    clinics: int
    accounts: int
    damaged: list[int]


async def replay_departures(begin: SystemBegin[ReplayWork], clock: Clock, apart: KeptApart) -> DeparturesReplayed:
    """Delete again, after a backup was restored, the clinics and accounts that it brought back.

    What is not there stays so: a replay may be repeated at any time.

    Raises:
        Unavailable: the book cannot be read, or something of a clinic is written still.
    """
    clinics = accounts = 0
    damaged: list[int] = []
    for number, line in enumerate(await apart.entries("departures"), 1):
        try:
            entry: Entry = msgspec.json.decode(line, type=Entry)
        except msgspec.DecodeError:
            damaged.append(number)
            continue
        match entry:
            case AccountEntry():
                accounts += await repeat_account(entry, begin)
            case DepartureEntry():
                clinics += await _repeat(entry.departure, begin, clock, apart)
    return DeparturesReplayed(clinics, accounts, damaged)


async def _repeat(departure: Departure, begin: SystemBegin[DepartureWork], clock: Clock, apart: KeptApart) -> bool:
    async with begin("replay departures") as work:
        if not await work.departures.resume(departure):
            return False
    await delete_clinic(departure, begin, clock, apart)
    return True
