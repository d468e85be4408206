"""The command line: a module for each command, which imports what it needs when it runs, so that help comes at once."""

import sys

import typer

from coravet.entrypoints.cli import (
    clinic,
    doctor,
    exchange,
    legal,
    migrate,
    openapi,
    operator,
    privacy,
    serve,
    up,
    worker,
)
from coravet.entrypoints.cli.refusals import sentences

app = typer.Typer(
    name="coravet",
    help="Run CoraVet, the service for veterinary clinics.\n\n"
    "Settings come from the environment; `coravet doctor` says what is wrong with them. "
    "To try CoraVet on this machine, nothing needs to be set: `coravet up`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(up.up)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(migrate.migrate)
app.command()(doctor.doctor)
app.command()(openapi.openapi)
app.command("import")(exchange.import_clients)
app.command("export")(exchange.export_clinic)
app.add_typer(clinic.app, name="clinic")
app.add_typer(legal.app, name="legal")
app.add_typer(operator.app, name="operator")
app.add_typer(privacy.app, name="privacy")


def main() -> None:
    """The `coravet` console script: 0 done, 1 refused with a sentence on stderr, 2 misused."""
    try:
        app()
    except Exception as error:
        refused = sentences(error)
        if not refused:
            raise
        for sentence in refused:
            print(f"coravet: {sentence}", file=sys.stderr)
        sys.exit(1)
