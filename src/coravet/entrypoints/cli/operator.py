"""`coravet operator …`."""

import asyncio
from typing import Annotated

import typer

app = typer.Typer(
    help="Operators, the people who run CoraVet itself.", no_args_is_help=True, rich_markup_mode="markdown"
)


@app.callback()
def _group() -> None:
    """Keep `grant` a word of its own while it is the only command."""


@app.command()
def grant(
    email: Annotated[str, typer.Argument(help="Mail address with which the person signs in.")],
    *,
    reason: Annotated[str, typer.Option(help="Why this person may act across clinics; it is kept.")],
) -> None:
    """Let a person act as an operator, across clinics. They must have signed in once, with a verified address.

    **Example**: `coravet operator grant ana@example.com --reason "on call in December"`
    """
    from coravet.entrypoints.cli.refusals import database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> None:
        from coravet.bootstrap import services

        async with services(settings) as wired:
            await wired.grant_operator(email=email, reason=reason)

    with database_expected():
        asyncio.run(run())
    print("They may act as an operator now.")
