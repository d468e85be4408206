"""`coravet legal`."""

import asyncio
import sys
from pathlib import Path, PurePath
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Legal texts: their files, and what was published of them.", no_args_is_help=True, rich_markup_mode="markdown"
)


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders of texts; by default the whole folder.")
    ] = None,
    *,
    folder: Annotated[
        Path | None, typer.Option(envvar="CORAVET_LEGAL", help="Where legal texts lie, by default the repository's.")
    ] = None,
) -> None:
    """Say what keeps legal texts from being published as they are, and where; print the hashes of the good ones.

    Needs no database and no settings. What is wrong is told as `path:line:column code sentence`, on stderr.

    **Example**: `coravet legal check legal/terms/1.1.es-EC.md`
    """
    from coravet.core.legal.documents import DOCUMENTS
    from coravet.core.legal.folder import examine
    from coravet.settings import LEGAL

    texts, problems = [], []
    for path in [Path.absolute(each) for each in paths or [folder or LEGAL]]:
        root = path if path.is_dir() and path.name not in DOCUMENTS else None
        examined = examine(_files(path), root, alone=path.is_file())
        texts += examined.texts
        problems += examined.problems
    for text in texts:
        print(f"{text.slug} {text.version} {text.locale} {text.sha256}")
    for problem in problems:
        place = ":".join(str(part) for part in (_shown(problem.path), problem.line, problem.column) if part is not None)
        print(f"{place} {problem.code} {problem.detail}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)


@app.command()
def publish(
    slug: Annotated[str, typer.Argument(help="Which document, such as terms.")],
    version: Annotated[str, typer.Argument(help="Which version of it, such as 1.0.")],
    *,
    change: Annotated[
        Literal["major", "minor", "editorial"],
        typer.Option(help="major: blocks until it is accepted. minor: is told. editorial: neither."),
    ],
) -> None:
    """Publish a version of a legal text in all its languages, as the one in force from now on. It stays for good.

    A change of purposes, recipients or transfers is always major, and so is the first version of a document.

    **Example**: `coravet legal publish terms 1.1 --change minor`
    """
    from coravet.core.legal.publish import NotPublishable, Published
    from coravet.entrypoints.cli.refusals import CommandError, database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> Published:
        from coravet.bootstrap import services

        async with services(settings) as wired:
            return await wired.publish(slug, version, change)

    try:
        with database_expected():
            done = asyncio.run(run())
    except NotPublishable as error:
        raise CommandError(str(error)) from error
    if done.new:
        print(f"{slug} {version} is in force. People who must accept it before they go on: {done.asked}.")
    else:
        print(f"{slug} {version} was published before, with the same words.")


@app.command()
def verify() -> None:
    """Recompute the chains of decisions; fails where one is broken.

    They are held to the heads that were kept apart, to the published words and to the evidence that is still there.

    **Example**: `coravet legal verify`
    """
    from coravet.core.legal.heads import Verified
    from coravet.entrypoints.cli.refusals import database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> Verified:
        from coravet.bootstrap import services
        from coravet.core.legal.heads import verify as verify_now
        from coravet.core.privacy.departures import departed

        async with services(settings) as wired:
            return await verify_now(wired.apart, wired.system_begin, await departed(wired.apart))

    with database_expected():
        found = asyncio.run(run())
    for problem in found.problems:
        typer.echo(problem, err=True)
    print(f"{found.chains} chains with {found.entries} decisions, held to {found.heads} heads that were kept apart.")
    if found.problems:
        raise typer.Exit(1)


@app.command()
def heads() -> None:
    """Keep the heads of the chains apart now, as the worker does every ten minutes.

    **Example**: `coravet legal heads`
    """
    from coravet.entrypoints.cli.refusals import database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> int:
        from coravet.bootstrap import services
        from coravet.core.legal.heads import keep_heads

        async with services(settings) as wired:
            return await keep_heads(wired.apart, wired.system_begin, wired.clock)

    with database_expected():
        grown = asyncio.run(run())
    print(f"Heads that grew and were kept apart: {grown}.")


def _files(path: Path) -> dict[PurePath, bytes]:
    """What the file, or all files below the folder, hold."""
    from coravet.entrypoints.cli.refusals import CommandError

    if not path.exists():
        raise CommandError(f"There is no file or folder {path}.")
    try:
        found = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
        return {each: each.read_bytes() for each in found}
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _shown(path: PurePath) -> PurePath:
    """As short as a person would write it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
