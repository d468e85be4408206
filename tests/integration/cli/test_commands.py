"""The commands that look after an installation, on a real database."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from zipfile import ZipFile

import httpx
import pytest
from pydantic import SecretStr
from tests.integration.http.service import superuser
from tests.integration.messaging.servers import mail_server
from tests.integration.parts import s3
from tests.integration.parts.nats import NatsServer
from tests.integration.parts.people import People
from tests.integration.parts.ports import free_ports
from tests.integration.parts.processes import is_alive
from tests.integration.parts.s3 import S3Server

from coravet.adapters.local.service import ServiceProcess, variables
from coravet.entrypoints.cli import main
from coravet.entrypoints.cli.diagnosis import (
    Wrong,
    _check_fanout,
    _check_jobs,
    _check_mail,
    _check_pictures,
    _check_storage,
)
from coravet.settings import Settings


class Terminal:
    """Runs a command with exactly these settings: its exit code, and the lines of both outputs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "")  # Firebase's adapter sets it, and this takes it back
        for name in list(os.environ):
            if name.startswith(("CORAVET_", "DATABASE_", "FIREBASE_")):
                monkeypatch.delenv(name)

    def run(self, settings: Settings | None, *words: str) -> tuple[int, list[str]]:
        for name, value in variables(settings).items() if settings else ():
            self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(sys, "argv", ["coravet", *words])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        return int(ended.value.code or 0), (said.out + said.err).splitlines()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal whose environment holds no settings of the machine's own."""
    return Terminal(monkeypatch, capsys)


def test_migrate(terminal: Terminal, empty_database: Settings) -> None:
    """Migrating an empty database makes roles and schema; again, it changes nothing."""
    code, first = terminal.run(empty_database, "migrate")
    assert code == 0
    assert first[-1].startswith("Schema went from nothing to ")
    code, second = terminal.run(empty_database, "migrate")
    assert (code, [line.partition(" at ")[0] for line in second]) == (0, ["Schema is"])


def test_migrate_needs_an_administrator(terminal: Terminal, empty_database: Settings) -> None:
    """Without DATABASE_ADMIN_URL it says which variable is missing."""
    code, said = terminal.run(empty_database.model_copy(update={"database_admin_url": None}), "migrate")
    assert code == 1
    assert len(said) == 1
    assert "DATABASE_ADMIN_URL is missing" in said[0]


def test_record_of_processing(terminal: Terminal) -> None:
    """The record of processing is printed without settings or a database, as it stands in docs/."""
    docs = Path(__file__).parents[3] / "docs"
    for words, name in (((), "record-of-processing.md"), (("--language", "en"), "record-of-processing.en.md")):
        code, said = terminal.run(None, "privacy", "record", *words)
        assert (code, said) == (0, (docs / name).read_text().splitlines())


def test_database_out_of_reach(terminal: Terminal, tmp_path: Path) -> None:
    """A server that is not there is a sentence."""
    nowhere = f"postgresql://postgres@/coravet?host={tmp_path}"
    settings = Settings.model_validate({"DATABASE_URL": nowhere, "DATABASE_ADMIN_URL": nowhere})
    code, said = terminal.run(settings, "migrate")
    assert (code, len(said)) == (1, 1)
    assert "cannot be reached" in said[0]


def test_clinic_create(terminal: Terminal, database: Settings) -> None:
    """A clinic is created once, its owner's invitation shown; the same slug again is refused, a bad one explained."""
    words = ("clinic", "create", "clinica-de-prueba", "--name", "Clínica de prueba", "--owner")
    code, said = terminal.run(database, *words, "duena@clinica.test")
    assert code == 0, said
    assert "/api/v1/clinics/clinica-de-prueba" in said[0]
    assert len(said[1].rpartition(": ")[2]) > 20
    code, said = terminal.run(database, *words, "duena@clinica.test")
    assert code == 1
    assert "exists already" in said[0]
    code, said = terminal.run(database, *words, "nobody")
    assert code == 1
    assert "owner_email" in said[0]


def test_operator_grant_to_a_stranger(terminal: Terminal, database: Settings) -> None:
    """Somebody who never signed in cannot be made an operator yet, and the answer says what to do."""
    code, said = terminal.run(database, "operator", "grant", "nadie@clinica.test", "--reason", "guardia")
    assert code == 1
    assert "sign in once" in said[0]


def test_doctor(terminal: Terminal, fresh_database: Settings, auth_emulator: str) -> None:
    """A sound installation gets an ok for each part and 0; an unmigrated or ill-set one a wrong and 1."""
    settings = fresh_database.model_copy(update={"firebase_auth_emulator_host": auth_emulator})
    code, said = terminal.run(settings, "doctor")
    assert code == 0, said
    assert all(line.startswith("ok ") for line in said)
    dead = settings.model_copy(update={"firebase_auth_emulator_host": f"127.0.0.1:{free_ports()}"})
    code, said = terminal.run(dead, "doctor")
    assert code == 1
    assert [line.split()[1] for line in said if line.startswith("wrong")] == ["firebase"]


async def test_doctor_tries_the_mail_server(fresh_database: Settings) -> None:
    """A mail server that answers is well, one that does not is a finding, and none at all is said."""
    assert "mails to clients are skipped" in await _check_mail(fresh_database)
    async with mail_server() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        settings = fresh_database.model_copy(update={"smtp_url": SecretStr(url), "mail_from": "citas@coravet.test"})
        assert await _check_mail(settings) == "The mail server answers."
    with pytest.raises(Wrong, match="mail_unreachable"):
        await _check_mail(settings)


async def test_doctor_asks_what_carries_events(fresh_database: Settings, tmp_path: Path) -> None:
    """The doctor hears itself over the fan-out that is set, names it, and says what to look at where it does not."""
    assert await _check_fanout(fresh_database) == "Events reach other processes by PostgreSQL."
    async with NatsServer(tmp_path) as server:
        settings = fresh_database.model_copy(update={"fanout": SecretStr(server.url)})
        assert await _check_fanout(settings) == "Events reach other processes by NATS."
        astray = settings.model_copy(update={"fanout": SecretStr(server.url.replace("hush", "astray"))})
        with pytest.raises(
            Wrong, match=r"^NATS carries no events to other processes \(LoginRefused\): check "
        ) as found:
            await _check_fanout(astray)
        assert "astray" not in str(found.value)
    with pytest.raises(
        Wrong, match=r"^NATS carries no events to other processes \(.+\): check CORAVET_FANOUT"
    ) as found:
        await _check_fanout(settings)
    assert "hush" not in str(found.value)


async def test_doctor_tries_the_store(fresh_database: Settings, tmp_path: Path) -> None:
    """The doctor stores, finds and deletes a trial in the folder or bucket that is set, and says where it cannot."""
    assert (await _check_storage(fresh_database)).startswith("Photos and files lie in ")
    async with S3Server(tmp_path) as server:
        bucket = {"storage": f"{server.endpoint}/{s3.BUCKET}", "storage_key_id": s3.KEY_ID}
        settings = fresh_database.model_copy(update=bucket | {"storage_secret": SecretStr(s3.SECRET)})
        assert await _check_storage(settings) == f"Photos and files lie in {server.endpoint}/{s3.BUCKET}."
        assert not await asyncio.to_thread(lambda: server.client().list_objects_v2(Bucket=s3.BUCKET).get("Contents"))
        astray = settings.model_copy(update={"storage_secret": SecretStr("hush")})
        with pytest.raises(Wrong, match=r"takes no photos and files \(.+\): check CORAVET_STORAGE, ") as found:
            await _check_storage(astray)
        assert "hush" not in str(found.value)
    missing = fresh_database.model_copy(update={"storage": str(tmp_path / "server.log")})
    with pytest.raises(Wrong, match="mount what CORAVET_STORAGE names"):
        await _check_storage(missing)


async def test_doctor_converts_a_picture(fresh_database: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    """The doctor converts a picture as uploads are; where no helper can work it says so, with what bounds it."""
    assert await _check_pictures(fresh_database) == "Pictures are converted, each with 1024 MB at most."
    cramped = fresh_database.model_copy(update={"picture_megabytes": 1})
    with pytest.raises(Wrong, match=r"cannot be converted \(\w+\): .+ CORAVET_PICTURE_MEGABYTES \(1\)"):
        await _check_pictures(cramped)
    capfd.readouterr()


async def test_doctor_watches_the_queue(fresh_database: Settings) -> None:
    """Jobs that wait for their time are well, those that failed for good are counted, overdue ones are a finding."""
    job = "INSERT INTO jobs.pgqueuer (status, priority, entrypoint, execute_after) VALUES ($1, 0, 'x', now() + $2)"
    async with superuser(fresh_database) as admin:
        await admin.execute(job, "queued", timedelta(days=1))
        await admin.execute(job, "failed", timedelta(days=-1))
        well = await _check_jobs(fresh_database)
        assert well == "Jobs that wait or are being done: 1; 1 failed for good, see docs/operations.md."
        await admin.execute(job, "queued", timedelta(minutes=-11))
        with pytest.raises(Wrong, match="due for 11 minutes"):
            await _check_jobs(fresh_database)


def test_doctor_names_settings(terminal: Terminal) -> None:
    """Settings that cannot be read are findings, too, and it is said where a running `coravet up` keeps its own."""
    code, said = terminal.run(None, "doctor")
    assert (code, said[0]) == (1, "wrong  settings   DATABASE_URL: is missing")
    assert "`environment`" in " ".join(said[1:])


def test_openapi(terminal: Terminal, tmp_path: Path) -> None:
    """The document is written without a database or settings."""
    place = tmp_path / "openapi.json"
    code, _ = terminal.run(None, "openapi", "--output", str(place))
    assert code == 0
    document = json.loads(place.read_text())
    assert document["openapi"].startswith("3.1")
    assert any(path.endswith("/agenda") for path in document["paths"])


def test_serve_on_a_busy_port(terminal: Terminal, settings: Settings) -> None:
    """A port in use is a sentence."""
    port = free_ports()
    with socket.create_server(("127.0.0.1", port)):
        code, said = terminal.run(settings.model_copy(update={"port": port}), "serve")
    assert code == 1
    assert f"127.0.0.1:{port} cannot be listened on" in said[0]


async def test_served_process(settings: Settings, people: People, tmp_path: Path) -> None:
    """The served process answers when it is ready, knows who signs in, and SIGTERM ends it in order."""
    token = await people.sign_in(await people.create("vera"))
    served = settings.model_copy(update={"port": free_ports(), "database_admin_url": None})
    with ServiceProcess(served, log=tmp_path / "log") as service:
        async with httpx.AsyncClient(base_url=service.url) as client:
            answer = await client.get("/api/v1/session", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        pid = service.pid
    assert service.pid is None
    assert pid is not None
    assert not is_alive(pid)


def test_help_comes_at_once() -> None:
    """Help imports neither the web framework nor the database's libraries, which take a second."""
    heavy = {"litestar", "sqlalchemy", "asyncpg", "firebase_admin", "granian", "pydantic"}
    code = f"import sys; from coravet.entrypoints.cli import app; print({heavy} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 # ours
    assert ended.stdout.strip() == "set()"


def test_import_and_export(terminal: Terminal, database: Settings, tmp_path: Path) -> None:
    """A list is looked at first, then imported, and repeating either is free; everything comes out as one archive."""
    slug = f"lista-{token_hex(4)}"
    assert terminal.run(database, "clinic", "create", slug, "--name", "Lista", "--owner", "ana@correo.test")[0] == 0
    file, archive = tmp_path / "clientes.csv", tmp_path / "todo.zip"
    rows = "nombre;apellido;mascota;especie\nAna;Vera;Luna;gato\n;;Sol;perro\nEva;;Rex;perro\n"
    file.write_bytes(rows.encode("utf-16"))
    for _ in range(2):
        code, lines = terminal.run(database, "import", str(file), "--clinic", slug)
        printed = "\n".join(lines)
        assert code == 0
        assert "3 rows in utf-16-le, separated by ';'" in printed
        assert "4  error  nombre: Un cliente necesita nombre y apellido." in printed
        assert "1 new clients, 0 rows of clients who are known, 1 of a row above; 2 new patients. 1 errors" in printed
    code, printed = terminal.run(database, "import", str(file), "--clinic", slug, "--apply")
    assert (code, "Rows that cannot be imported: 1." in "\n".join(printed)) == (1, True)
    for _ in range(2):
        command = ("import", str(file), "--clinic", slug, "--apply", "--skip-errors")
        code, printed = terminal.run(database, *command)
        assert code == 0
    assert terminal.run(database, "export", str(archive), "--clinic", slug)[0] == 0
    with ZipFile(archive) as found:
        assert found.read("datos/patients.csv").count(b"\n") == 3
    assert terminal.run(database, "export", str(archive), "--clinic", slug)[0] == 1
    assert terminal.run(database, "export", str(tmp_path / "otro.zip"), "--clinic", "nadie")[0] == 1
    assert not (tmp_path / "otro.zip").exists()


def test_a_damaged_register(terminal: Terminal, database: Settings, tmp_path: Path) -> None:
    """What cannot be replayed is named by book and number and ends with 1; so does a folder that is no register."""
    settings = database.model_copy(update={"kept_apart": tmp_path})
    code, said = terminal.run(settings, "privacy", "replay")
    assert (code, "Nothing is kept" in said[-1]) == (1, True)
    for book in ("departures", "acceptance-heads"):
        (tmp_path / f"{book}.jsonl").touch()
    (tmp_path / "erasures.jsonl").write_text('{"entry":{},"sha256":"0"}\n')
    code, said = terminal.run(settings, "privacy", "replay")
    assert (code, any(line.startswith("erasures: entry 1 is damaged. B") for line in said)) == (1, True)
