"""The command line's frame: help, and errors as sentences."""

import os
import sys

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from coravet.adapters.local import LocalError
from coravet.adapters.postgres.migrate import MigrationRefused
from coravet.core.kernel.errors import Duplicate, FieldError, Invalid
from coravet.entrypoints.cli import app, main
from coravet.entrypoints.cli.refusals import CommandError, database_expected, sentences
from coravet.settings import SettingsError

COMMANDS = [
    ["up"],
    ["serve"],
    ["migrate"],
    ["doctor"],
    ["openapi"],
    ["clinic", "create"],
    ["operator", "grant"],
]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CORAVET_", "DATABASE_", "FIREBASE_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(command: list[str]) -> None:
    """Each command says what it does and shows an example."""
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output


def test_every_command_is_listed() -> None:
    """The first help lists each command."""
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(command[0] in shown for command in COMMANDS)


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["operator", "grant", "a@b.test", "--reason", "r"]])
def test_settings_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """A command without its settings ends with 1 and a line for each, without a traceback."""
    monkeypatch.setattr(sys, "argv", ["coravet", *command])
    monkeypatch.setenv("CORAVET_PORT", "0")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[:2] for line in said] == [["coravet", "CORAVET_PORT"], ["coravet", "DATABASE_URL"]]


def test_defects_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that no person can answer is raised as it is."""
    monkeypatch.setattr(sys, "argv", ["coravet", "serve"])
    monkeypatch.setattr("coravet.settings.load", lambda: {}["defect"])
    with pytest.raises(KeyError):
        main()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SettingsError(["A: is missing", "B: is wrong"]), ["A: is missing", "B: is wrong"]),
        (LocalError("No room."), ["No room."]),
        (CommandError("No."), ["No."]),
        (MigrationRefused("Not so."), ["Not so."]),
        (Duplicate("The slug is taken."), ["The slug is taken."]),
        (Invalid(errors=[FieldError("/slug", "pattern", "Letters only.")]), ["slug: Letters only."]),
        (KeyError("defect"), []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_sentences(error: Exception, said: list[str]) -> None:
    """What a person can answer is a sentence; what is our defect is not."""
    assert sentences(error) == said


def test_database_errors_keep_rows_to_themselves() -> None:
    """PostgreSQL's message is shown, its detail is not: it holds the row, and so people's data."""
    refused = asyncpg.UniqueViolationError("duplicate key")
    refused.detail = "Key (email)=(vera@clinica.test) already exists."
    wrapped = DBAPIError("INSERT …", {"email": "vera@clinica.test"}, Exception())
    wrapped.__cause__ = refused
    with pytest.raises(CommandError) as caught, database_expected():
        raise wrapped
    assert str(caught.value) == "The database answered: duplicate key."


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "Connection refused"), TimeoutError()])
def test_database_out_of_reach(error: Exception) -> None:
    """A database that does not answer is a sentence, not a traceback."""
    with pytest.raises(CommandError, match="cannot be reached"), database_expected():
        raise error
