"""`coravet privacy …`."""

from typing import Annotated, Literal

import typer

app = typer.Typer(help="What is done with data about people.", no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _group() -> None:
    """Keep `record` a word of its own while it is the only command."""


@app.command()
def record(
    language: Annotated[Literal["es", "en"], typer.Option(help="In which language.")] = "es",
) -> None:
    """Print the record of processing activities, as Markdown.

    It is made of the tables' own classification and needs no database and no settings.

    **Example**: `coravet privacy record > docs/record-of-processing.md`
    """
    from coravet.bootstrap import processing_record

    print(processing_record(language), end="")
