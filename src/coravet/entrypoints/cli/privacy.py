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


@app.command()
def replay() -> None:
    """After a backup was restored: erase again whoever was erased since, and delete again what left since.

    First of all events are numbered on far above those of before, so that clients of the event stream load anew.

    Reads the register below CORAVET_KEPT_APART. Whoever is erased already stays so, and whom the database does not know
    is left out, so that it may be repeated at any time. Ends with 1 where something could not be replayed, and where
    the register is none, or lacks what this database knows was done.

    **Example**: `coravet migrate && coravet privacy replay && coravet serve`
    """
    from coravet.entrypoints.cli.refusals import CommandError, database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> tuple[list[str], list[str]]:
        from coravet.bootstrap import services
        from coravet.core.legal.heads import keep_heads
        from coravet.core.privacy.departures import replay_departures
        from coravet.core.privacy.replay import compare, replay_erasures

        async with services(settings) as wired:
            # Needs no register, and what stops the rest must not stop this.
            await wired.skip_events()
            compared = await compare(wired.system_begin, wired.apart)
            if not any(compared.read.values()):
                raise CommandError(
                    f"Nothing is kept in {settings.kept_apart}, and nobody was erased. Let CORAVET_KEPT_APART name the "
                    "folder that the service has; if it never kept anything there, there is nothing to replay."
                )
            left = await replay_departures(wired.system_begin, wired.clock, wired.apart)
            found = await replay_erasures(wired.begin, wired.system_begin, wired.clock, wired.apart)
            shorter = await keep_heads(wired.apart, wired.system_begin, wired.clock, restored=True)
        told = [
            f"erasures: {found.again} done again, {found.stood} stood already, {found.unknown} not in this database.",
            f"departures: {left.clinics} clinics and {left.accounts} accounts were deleted again.",
            f"acceptances: {shorter} chains go on from where they end in this database.",
            "events: numbered on far above those of before; clients of the stream load anew.",
            "read: " + ", ".join(f"{many} entries of {book}" for book, many in compared.read.items()) + ".",
        ]
        books = {"erasures": found.damaged, "departures": left.damaged}
        wrong = [
            f"{book}: entry {number} is damaged. Bring the file back from its copy, and repeat the command."
            for book, numbers in books.items()
            for number in numbers
        ]
        wrong += [
            f"erasures: entry {number} could not be replayed ({code}). Mend that, and repeat the command."
            for number, code in found.refused
        ]
        wrong += [
            f"{book}: this database did {many} that the book does not tell of. Look whether CORAVET_KEPT_APART names "
            "the folder that the service has, as it is today; bring the book back from its copy."
            for book, many in compared.lacking.items()
        ]
        return told, wrong

    with database_expected():
        told, wrong = asyncio.run(run())
    for line in told + wrong:
        print(line)
    if wrong:
        raise typer.Exit(1)
