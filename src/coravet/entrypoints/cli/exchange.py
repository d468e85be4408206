"""`coravet import` and `coravet export`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

if TYPE_CHECKING:
    from coravet.bootstrap import Services
    from coravet.core.exchange.views import ImportView
    from coravet.core.kernel.actor import Actor

SHOWN = 200
"""Rows with problems that are printed, unless all are asked for."""

LOOK_SECONDS = 0.5
Language = Literal["es", "en"]


def import_clients(
    file: Annotated[Path, typer.Argument(help="A file of separated values (CSV), as spreadsheets write it.")],
    *,
    clinic: Annotated[str, typer.Option(help="The clinic's name in addresses, such as la-concordia.")],
    apply: Annotated[bool, typer.Option("--apply", help="Import it; otherwise it is only checked.")] = False,
    skip_errors: Annotated[
        bool, typer.Option("--skip-errors", help="Import the others where some rows have errors.")
    ] = False,
    all_rows: Annotated[bool, typer.Option("--all", help="List every row, not those with problems alone.")] = False,
    language: Annotated[Language, typer.Option(help="Of the sentences about rows.")] = "es",
) -> None:
    """Check a clinic's list of clients and patients row by row and, with `--apply`, import it: all of it, or nothing.

    What was broken off goes on when it is repeated; what is done is not done again.

    **Example**: `coravet import clientes.csv --clinic la-concordia`
    """
    from coravet.entrypoints.cli.refusals import CommandError, database_expected
    from coravet.settings import load

    if not file.is_file():
        raise CommandError(f"There is no file {file}.")
    settings = load()

    async def run() -> None:
        from coravet.bootstrap import services

        async with services(settings) as wired:
            await _import(wired, file, clinic, language, apply=apply, skip_errors=skip_errors, all_rows=all_rows)

    with database_expected():
        asyncio.run(run())


async def _import(
    wired: "Services", file: Path, clinic: str, language: Language, *, apply: bool, skip_errors: bool, all_rows: bool
) -> None:
    from coravet.core.exchange.apply import apply as apply_now
    from coravet.core.exchange.imports import Application, apply_import, check

    actor = await _system_of(wired, clinic)
    tell = wired.tell(language)
    given = await _handed_in(wired, file, actor, language)
    checking = check(given.id, actor, wired.begin, wired.clock, wired.numbers)
    given = await _followed(checking, "checking", given.id, wired, actor)
    await _report(wired, given, actor, language, all_rows=all_rows)
    if not apply or given.status not in {"checked", "applying"}:
        return
    await apply_import(given.id, Application(skip_errors), actor, wired.begin, tell)
    given = await _followed(apply_now(given.id, actor, wired.begin, wired.clock), "applying", given.id, wired, actor)
    if given.status == "applied":
        print(f"{given.applied} rows were imported.")
    else:
        print(
            "The clinic has changed since the file was checked. Nothing was imported; repeat the command to look again."
        )


async def _system_of(wired: "Services", clinic: str) -> "Actor":
    from coravet.core.kernel.errors import NotFound
    from coravet.entrypoints.cli.refusals import CommandError

    try:
        return await wired.system_of(clinic)
    except NotFound as error:
        raise CommandError(f"No clinic has the address {clinic}.") from error


async def _handed_in(wired: "Services", file: Path, actor: "Actor", language: Language) -> "ImportView":
    import msgspec

    from coravet.core.exchange.imports import NewImport, open_import, receive

    with file.open("rb") as stream:
        wanted = {"file_name": file.name, "sha256": file_digest(stream, "sha256").hexdigest(), "size": stream.tell()}
    command, tell = msgspec.convert(wanted, NewImport), wired.tell(language)
    given = await open_import(command, actor, wired.begin, wired.clock, tell)
    if given.status == "uploading":
        given = await receive(given.id, given.received, _bytes(file, given.received), actor, wired.begin, tell)
    return given


async def _bytes(file: Path, offset: int) -> AsyncIterator[bytes]:
    with file.open("rb") as stream:
        stream.seek(offset)
        while data := await asyncio.to_thread(stream.read, 1 << 18):
            yield data


async def _followed(
    work: Awaitable[None], status: str, import_id: UUID, wired: "Services", actor: "Actor"
) -> "ImportView":
    """The import once it has that status no more, whoever brought it there; how far it is is shown meanwhile."""
    from coravet.core.exchange.imports import get_import
    from coravet.core.kernel.errors import Unavailable

    task = asyncio.ensure_future(work)
    given = await get_import(import_id, actor, wired.begin, wired.tell("en"))
    with typer.progressbar(length=100, label=status, show_eta=False) as bar:
        while given.status == status:
            await asyncio.wait([task], timeout=LOOK_SECONDS)
            if task.done():
                with suppress(Unavailable):  # a worker was first: how far that is, is shown all the same
                    task.result()
                await asyncio.sleep(LOOK_SECONDS / 10)
            given = await get_import(import_id, actor, wired.begin, wired.tell("en"))
            done = given.applied if status == "applying" else given.checked
            bar.update(round(100 * done / (given.rows or 1)) - bar.pos)
    await asyncio.wait([task])
    return given


async def _report(
    wired: "Services", given: "ImportView", actor: "Actor", language: Language, *, all_rows: bool
) -> None:
    from coravet.core.exchange.imports import get_import, list_rows
    from coravet.core.kernel.pages import PageRequest
    from coravet.entrypoints.cli.refusals import CommandError

    tell = wired.tell(language)
    if given.status == "refused":
        given = await get_import(given.id, actor, wired.begin, tell)
        raise CommandError(given.problem.detail if given.problem else "The file cannot be read.")
    left_out = [column.header for column in given.columns if column.field is None and column.header]
    print(f"{given.rows} rows in {given.encoding}, separated by {given.separator!r}.")
    if left_out:
        print(f"Columns that are left out: {', '.join(left_out)}.")
    cursor: str | None = None
    printed = 0
    for outcome in (None,) if all_rows else ("error", "warning"):
        while True:
            page = await list_rows(given.id, PageRequest(200, cursor), outcome, actor, wired.begin, tell)
            for row in page.items:
                printed += 1
                if all_rows or printed <= SHOWN:
                    merged = f" {row.merged_with}" if row.merged_with else ""
                    told = [f"{each.column}: {each.detail}" if each.column else each.detail for each in row.problems]
                    print(f"  {row.number}  {row.outcome}{merged}  {' '.join(told)}".rstrip())
            cursor = page.next_cursor
            if cursor is None or (printed >= SHOWN and not all_rows):
                cursor = None
                break
    counts = given.counts
    if not all_rows and counts.errors + counts.warnings > SHOWN:
        print(f"  … {counts.errors + counts.warnings} rows in all; --all lists every row.")
    print(
        f"{counts.created} new clients, {counts.matched} rows of clients who are known, {counts.merged} of a row above;"
        f" {counts.patients} new patients. {counts.errors} errors, {counts.warnings} warnings."
    )


def export_clinic(
    file: Annotated[Path, typer.Argument(help="The ZIP file to write; it must not exist.")],
    *,
    clinic: Annotated[str, typer.Option(help="The clinic's name in addresses, such as la-concordia.")],
) -> None:
    """Write everything of a clinic into one archive of CSV files, with what explains them.

    **Example**: `coravet export la-concordia.zip --clinic la-concordia`
    """
    from coravet.entrypoints.cli.refusals import CommandError, database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> None:
        from coravet.bootstrap import services
        from coravet.core.exchange.export import export

        async with services(settings) as wired:
            actor = await _system_of(wired, clinic)
            try:
                with file.open("xb") as stream:
                    async for chunk in export(actor, wired.begin, wired.clock, wired.archiver, wired.store):
                        await asyncio.to_thread(stream.write, chunk)
            except FileExistsError as error:
                raise CommandError(f"{file} exists already. Choose another name.") from error
            except BaseException:
                # What was written so far is no archive.
                await asyncio.to_thread(file.unlink, missing_ok=True)
                raise

    with database_expected():
        asyncio.run(run())
    print(f"Everything of {clinic} is in {file}.")
