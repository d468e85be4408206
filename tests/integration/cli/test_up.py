"""`coravet up` and `make up`: everything starts, everything ends, and what cannot start says so in a sentence.

The first three tests are one story on one data folder, in this order.
"""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.integration.parts.ports import free_ports
from tests.integration.parts.processes import descendants, eventually, is_alive

from coravet.entrypoints.cli.local_service import _claim
from coravet.entrypoints.cli.refusals import CommandError

CHECKOUT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-c", "from coravet.entrypoints.cli import main; main()", "up"]
MINUTE = 60


class Up:
    """A run of `coravet up` in a session of its own, its output in a file."""

    def __init__(self, program: list[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 # the command under test
                program,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait_until_ready(self) -> set[int]:
        """Every process that was started, once the welcome stands there."""
        assert eventually(
            lambda: "Ctrl-C ends everything" in self.output or self.process.poll() is not None, 2 * MINUTE
        )
        assert self.process.poll() is None, self.output
        return descendants(self.process.pid)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(MINUTE)


def _refusal(data: Path, port: int) -> str:
    ended = subprocess.run(  # noqa: S603 # the command under test
        [*COMMAND, "--port", str(port), "--data", str(data)],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MINUTE,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    return ended.stderr


def test_make_up_and_ctrl_c(data: Path, tmp_path: Path) -> None:
    """`make up` with PORT and DATA serves there, its curl line works as printed, and two Ctrl-C leave no process."""
    port = free_ports(2)
    # What make would install first is there: these tests run in it.
    program = ["make", "--assume-old=.venv/installed", "up", f"PORT={port}", f"DATA={data}"]
    up = Up(program, tmp_path / "log")
    try:
        started = up.wait_until_ready()
        assert {is_alive(pid) for pid in started} == {True}
        assert (data / "run" / ".s.PGSQL.5432").is_socket()
        assert f"http://127.0.0.1:{port}/docs" in up.output
        assert f"http://127.0.0.1:{port + 1} " in up.output

        curl = re.search(r"^ +(curl -s .*?\)\")$", up.output, re.MULTILINE | re.DOTALL)
        assert curl is not None, up.output
        answer = subprocess.run(["/bin/sh", "-c", curl[1]], capture_output=True, text=True, check=True)  # noqa: S603 # as printed
        assert "vet@la-concordia.test" in answer.stdout

        assert eventually(lambda: "worker ready" in up.output, MINUTE)

        for _ in range(2):
            os.killpg(up.process.pid, signal.SIGINT)
            time.sleep(0.1)
        up.process.wait(MINUTE)
        assert eventually(lambda: not any(is_alive(pid) for pid in started)), up.output
        endings = [line.rpartition("Ending ")[2] for line in up.output.splitlines() if "Ending " in line]
        assert endings == ["the worker", "the server", "the sign-in emulator", "PostgreSQL"]
        assert "Traceback" not in up.output
    finally:
        up.close()


def test_killed(data: Path, tmp_path: Path) -> None:
    """Killed with -9 it takes everything along within seconds."""
    up = Up([*COMMAND, "--port", str(free_ports(2)), "--data", str(data)], tmp_path / "log")
    try:
        started = up.wait_until_ready()
        assert len(started) >= 3
        up.process.kill()
        up.process.wait(MINUTE)
        assert eventually(lambda: not any(is_alive(pid) for pid in started), 20), up.output
    finally:
        up.close()


def test_start_after_being_killed(data: Path, tmp_path: Path) -> None:
    """After that it starts on the same data as it is; SIGTERM to it alone ends it with 0 and all it started."""
    port = free_ports(2)
    up = Up([*COMMAND, "--port", str(port), "--data", str(data)], tmp_path / "log")
    try:
        started = up.wait_until_ready()
        assert "Making" not in up.output  # neither cluster nor roles nor demo anew: a start takes seconds
        assert "Loaded" not in up.output
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=30) as ready:
            assert ready.status == 200
        up.process.terminate()
        assert up.process.wait(MINUTE) == 0, up.output
        assert not any(is_alive(pid) for pid in started)
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=30)
    finally:
        up.close()


@pytest.mark.parametrize("offset", [0, 1], ids=["API", "emulator"])
def test_busy_port(tmp_path: Path, offset: int) -> None:
    """A port in use, the API's or the emulator's, is named before anything is started."""
    port = free_ports(2)
    with socket.create_server(("127.0.0.1", port + offset)):
        assert f"127.0.0.1:{port + offset} cannot be listened on (Address already in use)" in _refusal(
            tmp_path / "data", port
        )
    assert not (tmp_path / "data" / "postgres").exists()


def test_folder_in_use(tmp_path: Path) -> None:
    """A folder that another `coravet up` works with is refused, with the number of that process."""
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        assert "process 4711" in _refusal(tmp_path, free_ports(2))


def test_folder_is_a_file(tmp_path: Path) -> None:
    """A file in the place of the folder is named."""
    place = tmp_path / "file"
    place.touch()
    assert str(place) in _refusal(place, free_ports(2))


def test_damaged_cluster(tmp_path: Path) -> None:
    """A damaged database is named; nothing of it is removed."""
    cluster = tmp_path / "postgres"
    cluster.mkdir()
    (cluster / "notes.txt").touch()
    assert str(cluster) in _refusal(tmp_path, free_ports(2))
    assert (cluster / "notes.txt").exists()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds something else, such as the working tree itself, is refused before anything is put there."""
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(CommandError, match="holds other things"), _claim(tmp_path):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]
