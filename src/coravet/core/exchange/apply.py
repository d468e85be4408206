"""Importing what was checked: every client and patient of a file in one transaction, or none."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec

from coravet.core.exchange.imports import Begins, CheckImport
from coravet.core.exchange.matching import Sights, sought
from coravet.core.exchange.model import Animal, Person, Row, problem
from coravet.core.exchange.ports import ExchangeWork
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Conflict, FieldError, NotFound, Unavailable
from coravet.core.kernel.events import StreamsResynced
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.text import fold
from coravet.core.patients.breeds import breed_code
from coravet.core.patients.clients import search_key as client_key
from coravet.core.patients.model import Client, Contact, Identifier, Party, Patient
from coravet.core.patients.patients import search_key as patient_key

READ = 500
"""Rows that are read at once."""

WRITTEN = 500
"""Clients that are written at once, with all that is theirs."""

_ONE_IN_A_PROCESS = asyncio.Semaphore(1)
"""An import holds a connection while another writes its progress: several could wait for each other's."""


class _ChangedError(Exception):
    """The clinic has not what it had when a row was checked."""


async def apply(import_id: UUID, actor: Actor, begin: Begins, clock: Clock) -> None:
    """Import a checked file. Does nothing where that is done.

    Clients whom the clinic knew stay as they are, and get the animals that are new. Streams are told once to load anew
    and not of every client: nobody shows fifty thousand of them.

    Each row's client and animals are looked for in the clinic once more. What changed there since the file was checked,
    such as a client who was merged or registered by hand, has all of it checked again, to be looked at once more; whom
    the clinic knew nobody changes meanwhile. Where it breaks off for another reason, nothing is imported and it failed.

    Raises:
        Unavailable: a file is being imported into this clinic already.
    """
    try:
        async with _ONE_IN_A_PROCESS, begin(actor) as work:
            await _alone(work)
            given = await work.imports.get(import_id)
            if given.status != "applying":
                return
            await work.neighbours.hold(import_id)
            applied = 0
            async for rows in _groups(import_id, work):
                await _same_as_checked(import_id, rows, work)
                await _write(rows, work, clock.now())
                applied += sum(map(len, rows))
                await _tell_progress(import_id, applied, actor, begin)
            given = await work.imports.lock(import_id)
            given.status, given.applied, given.applied_at = "applied", applied, clock.now()
            await work.import_bytes.drop(import_id)
            for other in await work.imports.outdate(import_id):
                await work.jobs.defer(CheckImport(actor.clinic_id, other), once=str(other))
            work.emit(StreamsResynced(actor.clinic_id))
    except Unavailable:
        raise
    except (_ChangedError, Conflict, NotFound):
        with suppress(NotFound):  # nobody wants it any more
            await _check_anew(import_id, actor, begin)
    except Exception:
        await _give_up(import_id, actor, begin)
        raise


async def _alone(work: ExchangeWork) -> None:
    if not await work.imports.alone():
        raise Unavailable("A file is being imported into this clinic already. Wait until that is done.")


async def _same_as_checked(import_id: UUID, groups: Sequence[Sequence[Row]], work: ExchangeWork) -> None:
    """See that the clinic has of these clients what it had when they were checked; it may have what is imported now.

    Raises:
        _ChangedError: it has not.
    """
    rows = [row for group in groups for row in group]
    there = await work.neighbours.clients(import_id, sought(filter(None, (row.person for row in rows))), above=False)
    known = {row.client_id for row in rows if row.known and row.client_id is not None and row.animals}
    animals = await work.neighbours.animals(import_id, known, above=False) if known else []
    sights = Sights(there, animals)
    if any(sights.of(row) != row.seen for row in rows):
        raise _ChangedError


async def _give_up(import_id: UUID, actor: Actor, begin: Begins) -> None:
    sentence = Sentence("Importing it broke off, and nothing was imported. Try again; if that fails, ask for help.")
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status == "applying":
            given.status, given.applied = "failed", 0
            given.problem = msgspec.to_builtins(problem(None, FieldError("", "broken_off", sentence)))


async def _tell_progress(import_id: UUID, applied: int, actor: Actor, begin: Begins) -> None:
    """Beside the transaction that imports, whose changes nobody sees before its end."""
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        given.applied = applied


async def _check_anew(import_id: UUID, actor: Actor, begin: Begins) -> None:
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status != "applying":
            return
        await work.import_rows.drop(import_id)
        given.status, given.last_row, given.checked, given.applied, given.counts = "checking", 0, 0, 0, {}
        await work.jobs.defer(CheckImport(actor.clinic_id, import_id), once=str(import_id))


async def _groups(import_id: UUID, work: ExchangeWork) -> AsyncIterator[list[list[Row]]]:
    """The rows of so many clients at a time, those of one client together."""
    groups: list[list[Row]] = []
    after = (0, 0)
    while rows := await work.import_rows.sound(import_id, after, READ):
        for row in rows:
            first = row.first_row or row.number
            if first == after[0]:
                groups[-1].append(row)
            else:
                groups.append([row])
            after = (first, row.number)
        if len(groups) > WRITTEN:
            yield groups[:-1]
            groups = groups[-1:]
    if groups:
        yield groups


async def _write(groups: Sequence[Sequence[Row]], work: ExchangeWork, now: datetime) -> None:
    clients: list[Client] = []
    contacts: list[Contact] = []
    patients: list[Patient] = []
    parties: list[Party] = []
    chips: list[Identifier] = []
    for rows in groups:
        client_id = rows[0].client_id
        if client_id is None:
            raise ValueError("a row without errors has a client")
        if not rows[0].known:
            clients.append(_client(client_id, rows, work, now))
            contacts += _contacts(clients[-1], rows, work, now)
        for animal in (animal for row in rows for animal in row.animals if not animal.exists):
            patient = _patient(animal, work, now)
            patients.append(patient)
            parties.append(
                Party(
                    clinic_id=work.actor.clinic_id,
                    id=work.new_id(),
                    patient_id=patient.id,
                    client_id=client_id,
                    role="owner",
                    since=now,
                )
            )
            if animal.chip is not None:
                chips.append(
                    Identifier(
                        clinic_id=work.actor.clinic_id,
                        id=work.new_id(),
                        patient_id=patient.id,
                        kind=animal.chip["kind"],
                        value=animal.chip["value"],
                        value_key=animal.chip["value_key"],
                        since=now,
                    )
                )
    for kind in (clients, contacts, patients, parties, chips):
        if kind:
            await work.newcomers.add(kind)


def _client(client_id: UUID, rows: Sequence[Row], work: ExchangeWork, now: datetime) -> Client:
    """The client whom several rows describe: each field as the first of them has it that has it."""
    people = [row.person for row in rows if row.person is not None]
    documented = next((each for each in people if each.document_number is not None), people[0])
    client = Client(
        clinic_id=work.actor.clinic_id,
        id=client_id,
        given_name=people[0].given_name,
        family_name=people[0].family_name,
        document_type=documented.document_type,
        document_number=documented.document_number,
        phone=_first(people, "phone"),
        email=_first(people, "email"),
        address=_first(people, "address"),
        canton=_first(people, "canton"),
        search_key="",
        created_at=now,
    )
    client.search_key = client_key(client)
    return client


def _first(people: Sequence[Person], field: str) -> str | None:
    return next((found for each in people if (found := getattr(each, field)) is not None), None)


def _contacts(client: Client, rows: Sequence[Row], work: ExchangeWork, now: datetime) -> Iterator[Contact]:
    """The phones and mail addresses that are not the first."""
    seen = {("phone", client.phone), ("email", fold(client.email or ""))}
    for row in rows:
        person = row.person
        if person is None:
            continue
        for kind, value in (("phone", person.phone), ("email", person.email), *person.further):
            key = kind, fold(value or "") if kind == "email" else value
            if value is None or key in seen:
                continue
            seen.add(key)
            yield Contact(
                clinic_id=client.clinic_id,
                id=work.new_id(),
                client_id=client.id,
                kind=kind,
                value=value,
                label=None,
                created_at=now,
            )


def _patient(animal: Animal, work: ExchangeWork, now: datetime) -> Patient:
    patient = Patient(
        clinic_id=work.actor.clinic_id,
        id=work.new_id(),
        name=animal.name,
        species=animal.species,
        breed=animal.breed,
        breed_code=breed_code(animal.species, animal.breed),
        sex=animal.sex,
        reproductive_status=animal.reproductive_status,
        birth_date=animal.birth_date,
        birth_date_precision=animal.birth_date_precision,
        color=animal.color,
        search_key="",
        created_at=now,
    )
    patient.search_key = patient_key(patient)
    return patient
