"""Letting a clinic leave and forgetting a person, at the terminal."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.test_commands import Terminal, terminal
from tests.integration.http.service import superuser

from coravet.settings import Settings

__all__ = ["terminal"]


@pytest.fixture
def settings(fresh_database: Settings, tmp_path: Path) -> Settings:
    """Settings whose register stands beside the archive."""
    return fresh_database.model_copy(update={"kept_apart": tmp_path / "apart"})


def asked(settings: Settings, statement: str) -> Any:
    """What the database answers to one statement."""

    async def ask() -> Any:
        async with superuser(settings) as admin:
            return await admin.fetchval(statement)

    return asyncio.run(ask())


def test_leave(terminal: Terminal, settings: Settings, tmp_path: Path) -> None:
    """A clinic leaves; killed in the midst of it, the same command ends it, and tells its certificate ever after."""
    file = tmp_path / "clinica.zip"
    leave = ["clinic", "leave", "la-prueba", "--export", str(file), "--reason", "cierra"]
    made = terminal.run(settings, "clinic", "create", "la-prueba", "--name", "Prueba", "--owner", "ana@correo.test")
    assert made[0] == 0
    asked(
        settings,
        "INSERT INTO clients (clinic_id, id, given_name, family_name, search_key, version, created_at)"
        " SELECT c.id, gen_random_uuid(),"
        " 'Zoila', 'Quimbiurco', 'zoila quimbiurco', 1, now() FROM clinics c CROSS JOIN generate_series(1, 5000)",
    )
    assert terminal.run(settings, *leave, "--yes", "otra") == (1, ["coravet: otra is not la-prueba: nothing was done."])
    leave += ["--yes", "la-prueba"]
    file.write_text("")
    assert terminal.run(settings, *leave) == (1, [f"coravet: {file} exists already. Choose another name."])
    assert asked(settings, "SELECT leaving_since FROM clinics") is None
    file.unlink()

    command = [sys.executable, "-c", "from coravet.entrypoints.cli import main; main()", *leave]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- the command under test
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("  "):
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    assert asked(settings, "SELECT count(*) FROM clinics") == 1

    code, said = terminal.run(settings, *leave)
    assert code == 0
    assert asked(settings, "SELECT (SELECT count(*) FROM clinics) + (SELECT count(*) FROM clients)") == 0
    certificate = json.loads(said[-1])["certificate"]
    assert certificate["handed"]["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert certificate["handed"]["rows"]["clients"] == 5000
    assert terminal.run(settings, *leave) == (0, [said[-1]])
    unknown = ["clinic", "leave", "nadie", "--export", "x", "--reason", "x", "--yes", "nadie"]
    assert terminal.run(settings, *unknown) == (1, ["coravet: No clinic has the address nadie."])


def test_forget(terminal: Terminal, settings: Settings) -> None:
    """A person is forgotten by their mail address, with a reason, once."""
    asked(
        settings,
        "INSERT INTO users (id, firebase_uid, email, display_name)"
        " VALUES (gen_random_uuid(), 'uid-1', 'ana@correo.test', 'Ana')",
    )
    forget = ["privacy", "forget", "Ana@correo.test", "--reason"]
    assert terminal.run(settings, *forget, " ") == (1, ["coravet: reason: It cannot be blank."])
    code, said = terminal.run(settings, *forget, "lo pidió por carta")
    assert (code, json.loads(said[-1])["certificate"]["rows"]["users"]) == (0, 1)
    assert asked(settings, "SELECT email FROM users") == ""
    nobody = "coravet: who: Nobody has this account: nobody ever had, or they were erased."
    assert terminal.run(settings, *forget, "otra vez") == (1, [nobody])


def test_leave_while_the_register_hangs(
    terminal: Terminal, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A register that does not answer may have been written: the clinic is not opened again, as a replay would delete
    it, and nothing of it is deleted. The same command ends it."""
    terminal.run(settings, "clinic", "create", "la-prueba", "--name", "Prueba", "--owner", "ana@correo.test")
    rows = asked(settings, "SELECT count(*) FROM outbox")
    leave = ["clinic", "leave", "la-prueba", "--reason", "cierra", "--yes", "la-prueba", "--export"]
    (tmp_path / "apart").mkdir()
    go_on = threading.Event()
    real = os.fsync

    def hang(descriptor: int) -> None:
        if threading.current_thread().name.startswith("apart"):
            go_on.wait()
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr("coravet.adapters.apart.folder.PATIENCE", 0.2)
        patched.setattr(os, "fsync", hang)
        code, said = terminal.run(settings, *leave, str(tmp_path / "clinica.zip"))
        go_on.set()
    assert (code, "cannot be written" in said[-1]) == (1, True)
    assert asked(settings, "SELECT leaving_since IS NOT NULL FROM clinics")
    assert asked(settings, "SELECT count(*) FROM outbox") >= rows
    code, said = terminal.run(settings, *leave, str(tmp_path / "again.zip"))
    assert (code, json.loads(said[-1])["certificate"]["handed"]["rows"]["invitations"]) == (0, 1)
    assert [
        json.loads(line)["entry"]["type"] for line in (tmp_path / "apart/departures.jsonl").read_text().splitlines()
    ] == [
        "departure",
        "departure.certificate",
    ]


def test_replay_without_its_register(terminal: Terminal, settings: Settings, tmp_path: Path) -> None:
    """A replay says how much it read, and does not end well where the folder is none, lost a book, or is another's."""
    code, said = terminal.run(settings, "privacy", "replay")
    assert (code, said[0].startswith(f"coravet: Nothing is kept in {tmp_path / 'apart'}")) == (1, True)
    marks = "SELECT last_number > 1000000 AND pruned_through = last_number FROM outbox_mark"
    assert asked(settings, marks), "numbers move on, register or none"
    asked(
        settings,
        "INSERT INTO users (id, firebase_uid, email, display_name)"
        " VALUES (gen_random_uuid(), 'uid-1', 'ana@correo.test', 'Ana')",
    )
    assert terminal.run(settings, "privacy", "forget", "ana@correo.test", "--reason", "lo pidió")[0] == 0
    code, said = terminal.run(settings, "privacy", "replay")
    read = "read: 0 entries of erasures, 1 entries of departures, 0 entries of acceptance-heads."
    assert (code, said[-1]) == (0, read)

    book = tmp_path / "apart" / "departures.jsonl"
    kept = book.read_bytes()
    other = '{"entry":{"type":"other"},"sha256":""}\n'
    book.write_text(other)
    code, said = terminal.run(settings, "privacy", "replay")
    assert (code, said[-1].startswith("departures: this database did 1 that the book does not tell of.")) == (1, True)

    book.write_bytes(kept)
    lost = book.with_name("erasures.jsonl")
    lost.unlink()
    code, said = terminal.run(settings, "privacy", "replay")
    expected = "coravet: The book erasures is missing in the register that is kept apart. Bring it back from its copy."
    assert (code, said) == (1, [expected])
    lost.touch()
    assert terminal.run(settings, "privacy", "replay")[0] == 0
