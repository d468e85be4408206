"""Handing in a file, and having it checked row by row: the dry run of an import."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.exchange.encodings import EncodingSurvey
from coravet.core.exchange.errors import ImportHasErrors
from coravet.core.exchange.layouts import LOOKED_AT, LayoutSurvey, Unreadable
from coravet.core.exchange.matching import match
from coravet.core.exchange.model import KEPT, MOST_BYTES, Import, Layout, Problem, Row, problem
from coravet.core.exchange.ports import ExchangeWork
from coravet.core.exchange.reading import Record, RecordReader
from coravet.core.exchange.rows import Interpreted, interpret
from coravet.core.exchange.views import (
    ColumnView,
    CountsView,
    ImportedAnimal,
    ImportRowView,
    ImportView,
    RowProblemView,
)
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, InvalidTransition, NotFound, UploadOffset
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import Begin
from coravet.core.patients.numbers import Numbers
from coravet.core.tenancy.clinic_day import day_of, time_zone

PART = 256 * 1024
"""Bytes that are kept at once: what a dropped connection has to send again is less."""

CHUNK = 1000
"""Rows that are checked in one transaction: as many are looked at again after a crash."""

Tell = Callable[[str], str]
"""Says a sentence in the reader's language."""

Begins = Begin[ExchangeWork]


class NewImport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to hand in: what it is called, how long it is, and its SHA-256 in hex, by which it is known again."""

    file_name: Annotated[str, Meta(min_length=1, max_length=200)]
    size: Annotated[int, Meta(ge=1, le=MOST_BYTES, description="In bytes.")]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class Application(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do about rows that cannot be imported: nothing is imported then, or all the others are."""

    skip_errors: bool = False


class CheckImport(Job, frozen=True, tag="import.check"):
    """Check a file whose bytes are all here."""

    import_id: UUID


class ApplyImport(Job, frozen=True, tag="import.apply"):
    """Import what was checked."""

    import_id: UUID


async def open_import(command: NewImport, actor: Actor, begin: Begins, clock: Clock, tell: Tell) -> ImportView:
    """Begin to hand in a file, or find how far that is: a file that was handed in before is the same import.

    Raises:
        Invalid: the file is empty or too large, or its name cannot be kept.
    """
    fields = sound(clean_fields(msgspec.structs.asdict(command), ("file_name",), required=("file_name",)))
    now = clock.now()
    async with begin(actor) as work:
        fresh = Import(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            created_by=actor.user_id,
            created_at=now,
            expires_at=now + KEPT,
            **fields,
        )
        found = await work.imports.get(await work.imports.open(fresh))
        await _go_on(found, work)
        return work.answer(import_view(found, tell))


async def _go_on(given: Import, work: ExchangeWork) -> None:
    """Have done what is to be done next, unless that waits or runs already."""
    kinds = {"checking": CheckImport, "applying": ApplyImport}
    if given.status in kinds:
        await work.jobs.defer(kinds[given.status](given.clinic_id, given.id), once=str(given.id))


async def receive(
    import_id: UUID, offset: int, data: AsyncIterable[bytes], actor: Actor, begin: Begins, tell: Tell
) -> ImportView:
    """Take bytes of the file from an offset on; once all are here, it is checked.

    They are kept as they come, so that whoever was cut off goes on from `received`.

    Raises:
        NotFound: no such import here.
        UploadOffset: the file has arrived up to another byte.
        Invalid: these are more bytes than the file was said to have, or not those of the SHA-256 that was said.
    """
    held = b""
    try:
        async for each in data:
            held += each
            while len(held) >= PART:
                await _keep(import_id, offset, held[:PART], actor, begin)
                offset, held = offset + PART, held[PART:]
    finally:
        if held:
            await _keep(import_id, offset, held, actor, begin)
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        whole = given.status == "uploading" and given.received == given.size
    if whole:
        await _begin_checking(import_id, actor, begin)
    async with begin(actor) as work:
        return import_view(await work.imports.get(import_id), tell)


async def _keep(import_id: UUID, offset: int, data: bytes, actor: Actor, begin: Begins) -> None:
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status != "uploading" or given.received != offset:
            raise UploadOffset(given.received)
        if offset + len(data) > given.size:
            raise Invalid(errors=[FieldError("/size", "too_long", "The file is longer than it was said to be.")])
        await work.import_bytes.add(import_id, offset, data)
        given.received += len(data)


async def _begin_checking(import_id: UUID, actor: Actor, begin: Begins) -> None:
    found = sha256()
    async for part in _parts(import_id, actor, begin):
        found.update(part)
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status != "uploading":
            return
        right = given.sha256 == found.hexdigest()
        if right:
            given.status = "checking"
            await _go_on(given, work)
        else:
            given.received = 0
            await work.import_bytes.drop(import_id)
    if not right:
        sentence = "These are not the bytes of the file that was announced. Send it again from the beginning."
        raise Invalid(errors=[FieldError("/sha256", "mismatch", sentence)])


async def _parts(import_id: UUID, actor: Actor, begin: Begins) -> AsyncIterator[bytes]:
    """The file, part by part, each read in a work of its own."""
    place = 0
    while True:
        async with begin(actor) as work:
            part = await work.import_bytes.part(import_id, place)
        if part is None:
            return
        place += len(part)
        yield part


async def check(import_id: UUID, actor: Actor, begin: Begins, clock: Clock, numbers: Numbers) -> None:
    """Check a file, or go on where that was broken off.

    Does nothing where it is done, where somebody else does it, or where nobody wants it any more.
    """
    with suppress(NotFound):
        await _check(import_id, actor, begin, clock, numbers)


async def _check(import_id: UUID, actor: Actor, begin: Begins, clock: Clock, numbers: Numbers) -> None:
    async with begin(actor) as work:
        given = await work.imports.get(import_id)
        status, stored, reached = given.status, given.layout, given.last_row
    if status != "checking":
        return
    try:
        layout = await _layout(import_id, actor, begin) if stored is None else msgspec.convert(stored, Layout)
    except Unreadable as error:
        await _refuse(import_id, error.problem, actor, begin)
        return
    today = day_of(clock.now(), time_zone(actor.time_zone))
    async for chunk in _chunks(
        import_id, layout, reached, partial(interpret, numbers=numbers, today=today), actor, begin
    ):
        if not await _stage(import_id, reached, chunk, actor, begin):
            return
        reached = chunk[-1].number
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status == "checking" and given.last_row == reached:
            given.status, given.checked_at = "checked", clock.now()


async def _chunks(
    import_id: UUID,
    layout: Layout,
    reached: int,
    read: Callable[[Record, Layout], Interpreted | None],
    actor: Actor,
    begin: Begins,
) -> AsyncIterator[list[Interpreted]]:
    """What the rows after `reached` say, so many at a time."""
    chunk: list[Interpreted] = []
    reached = max(reached, layout.header)
    async for records in _records(import_id, layout, actor, begin):
        for record in records:
            row = read(record, layout) if record.number > reached else None
            if row is not None:
                chunk.append(row)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


async def _layout(import_id: UUID, actor: Actor, begin: Begins) -> Layout:
    encoding, start = EncodingSurvey(), b""
    async for part in _parts(import_id, actor, begin):
        encoding.feed(part)
        if len(start) < LOOKED_AT:
            start += part[: LOOKED_AT - len(start)]
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        sentence = Sentence(
            "This is a workbook or another program's file. Save it as CSV there, and hand in that file."
        )
        raise Unreadable(problem(None, FieldError("", "not_csv", sentence)))
    survey = LayoutSurvey(start, encoding.result())
    async for part in _parts(import_id, actor, begin):
        survey.feed(part)
    layout = survey.result()
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        given.layout = msgspec.to_builtins(layout)
    return layout


async def _records(import_id: UUID, layout: Layout, actor: Actor, begin: Begins) -> AsyncIterator[Iterator[Record]]:
    reader = RecordReader(layout.encoding, layout.separator, layout.width)
    async for part in _parts(import_id, actor, begin):
        yield reader.feed(part)
    yield reader.finish()


async def _refuse(import_id: UUID, found: Problem, actor: Actor, begin: Begins) -> None:
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        given.status, given.problem = "refused", msgspec.to_builtins(found)
        await work.import_bytes.drop(import_id)


async def _stage(import_id: UUID, reached: int, chunk: Sequence[Interpreted], actor: Actor, begin: Begins) -> bool:
    """Keep what will come of these rows; False where somebody else went on, or the import is gone."""
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status != "checking" or given.last_row != reached:
            return False
        rows = await match(import_id, chunk, work.neighbours, work.new_id)
        await work.import_rows.add(import_id, rows)
        given.last_row = rows[-1].number
        given.checked += len(rows)
        given.counts = _counted(given.counts, rows)
        return True


def _counted(counts: dict[str, int], rows: Sequence[Row]) -> dict[str, int]:
    names = {"created": "created", "matched": "matched", "merged": "merged", "error": "errors"}
    found = dict(counts)
    for row in rows:
        name = names[row.outcome]
        found[name] = found.get(name, 0) + 1
        if row.outcome != "error":
            found["warnings"] = found.get("warnings", 0) + row.warned
            found["patients"] = found.get("patients", 0) + sum(not each.exists for each in row.animals)
    return found


async def apply_import(import_id: UUID, command: Application, actor: Actor, begin: Begins, tell: Tell) -> ImportView:
    """Have what was checked imported: all of it or, where something fails, nothing.

    Asked for again, it answers how far that is.

    Raises:
        NotFound: no such import here.
        InvalidTransition: it was not checked to the end, or cannot be read.
        ImportHasErrors: rows have errors, and nobody said to leave them out.
    """
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status not in {"applying", "applied"}:
            if given.status not in {"checked", "failed"}:
                raise InvalidTransition(
                    "Only a file that was checked to the end can be imported. Wait, or look at why."
                )
            if given.counts.get("errors") and not command.skip_errors:
                raise ImportHasErrors(given.counts["errors"])
            given.status, given.skip_errors = "applying", command.skip_errors
            given.applied_by, given.problem, given.applied = actor.user_id, None, 0
        await _go_on(given, work)
        return work.answer(import_view(given, tell))


async def drop_import(import_id: UUID, actor: Actor, begin: Begins) -> None:
    """Forget a file and all that was noted of it; what was imported stays.

    Raises:
        NotFound: no such import here.
        InvalidTransition: it is being imported at this moment.
    """
    async with begin(actor) as work:
        given = await work.imports.lock(import_id)
        if given.status == "applying" and not await work.imports.alone():
            raise InvalidTransition("It is being imported at this moment. Wait until that is done.")
        await work.imports.delete(import_id)


async def get_import(import_id: UUID, actor: Actor, begin: Begins, tell: Tell) -> ImportView:
    """An import and how far it is. Raises NotFound."""
    async with begin(actor) as work:
        return import_view(await work.imports.get(import_id), tell)


async def list_imports(page: PageRequest, actor: Actor, begin: Begins, tell: Tell) -> Page[ImportView]:
    """The clinic's imports, the newest first."""
    async with begin(actor) as work:
        found = await work.import_reads.imports(page)
    return Page([import_view(each, tell) for each in found.items], found.next_cursor)


async def list_rows(
    import_id: UUID, page: PageRequest, outcome: str | None, actor: Actor, begin: Begins, tell: Tell
) -> Page[ImportRowView]:
    """What comes of each row, by number. Raises NotFound."""
    async with begin(actor) as work:
        status, found = await work.import_reads.rows(import_id, page, outcome)
    applied = status == "applied"
    return Page([row_view(each, tell, applied=applied) for each in found.items], found.next_cursor)


def import_view(given: Import, tell: Tell) -> ImportView:
    """An import as its readers see it."""
    layout = None if given.layout is None else msgspec.convert(given.layout, Layout)
    refused = None if given.problem is None else msgspec.convert(given.problem, Problem)
    values: dict[str, Any] = {
        "columns": [] if layout is None else [_column_view(each) for each in layout.columns],
        "encoding": layout and layout.encoding.removesuffix("-sig"),
        "separator": layout and layout.separator,
        "rows": layout and layout.rows,
        "counts": msgspec.convert(given.counts, CountsView),
        "problem": refused and problem_view(refused, tell),
    }
    same = {name: getattr(given, name) for name in ImportView.__struct_fields__ if name not in values}
    return ImportView(**same, **values)


def _column_view(column: Any) -> ColumnView:
    whose = "patient" if column.animal else "client"
    field = None if column.field is None else f"{whose}.{column.field}"
    return ColumnView(column.header, field, column.animal or None)


def problem_view(found: Problem, tell: Tell) -> RowProblemView:
    """A problem in the reader's language."""
    return RowProblemView(found.column, found.code, tell(found.said()), found.error)


def row_view(row: Row, tell: Tell, *, applied: bool) -> ImportRowView:
    """A row in the reader's language; a new client has an id once it was applied."""
    return ImportRowView(
        number=row.number,
        outcome=row.outcome,
        client_name=None if row.person is None else row.person.name,
        known_as=row.known_as,
        client_id=row.client_id if row.known or applied else None,
        merged_with=None if row.first_row == row.number else row.first_row,
        patients=[ImportedAnimal(each.name, each.species, each.exists) for each in row.animals],
        problems=[problem_view(each, tell) for each in row.problems],
    )
