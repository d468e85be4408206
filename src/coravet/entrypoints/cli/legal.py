"""`coravet legal`."""

import sys
from pathlib import Path, PurePath
from typing import Annotated

import typer

app = typer.Typer(
    help="Legal texts: their files, and what was published of them.", no_args_is_help=True, rich_markup_mode="markdown"
)


@app.callback()
def _group() -> None:
    """Keep `check` a word of its own while it is the only command."""


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
