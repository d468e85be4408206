"""`coravet privacy …`."""

import asyncio
from typing import Annotated, Literal

import typer

app = typer.Typer(help="What is done with data about people.", no_args_is_help=True, rich_markup_mode="markdown")


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


@app.command()
def forget(
    who: Annotated[str, typer.Argument(help="The mail address with which the person signs in, or their account's id.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, such as the number of their request; it is kept.")],
) -> None:
    """Erase a person's account, in all clinics at once, and print the certificate.

    Make sure first who is asking. Their name stays on clinical records that they signed; the certificate says so. Their
    account at the identity provider is deleted by a worker.

    **Example**: `coravet privacy forget ana@example.com --reason "asked by letter on 3 November"`
    """
    from coravet.entrypoints.cli.refusals import database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> str:
        from coravet.bootstrap import services
        from coravet.core.privacy.accounts import forget_account

        async with services(settings) as wired:
            return await forget_account(who, reason, wired.system_begin, wired.clock, wired.apart)

    with database_expected():
        certificate = asyncio.run(run())
    print(certificate)
