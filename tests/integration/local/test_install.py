"""Installing on a machine that lacks something: one sentence says what."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as installing reads, with no .venv."""
    shutil.copytree(CHECKOUT / "requirements", tmp_path / "requirements")
    return tmp_path


def _interpreter(checkout: Path, script: str) -> str:
    made = checkout / "python"
    made.write_text(f"#!/bin/sh\n{script}\n")
    made.chmod(0o755)
    return str(made)


def _refusal(checkout: Path, python: str, **environment: str) -> list[str]:
    ended = subprocess.run(  # noqa: S603 # the script under test
        ["/bin/sh", str(checkout / "requirements" / "install.sh"), python],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stderr.splitlines()


def test_no_python(checkout: Path) -> None:
    """An interpreter that is not there is named."""
    said = _refusal(checkout, "python-that-is-not-there")
    assert len(said) == 1
    assert "python-that-is-not-there is not on PATH" in said[0]


def test_old_python(checkout: Path) -> None:
    """An interpreter that is too old is told with its version."""
    said = _refusal(checkout, _interpreter(checkout, "printf 3.9; exit 1"))
    assert len(said) == 1
    assert "is Python 3.9, and CoraVet needs 3.11" in said[0]


def test_no_venv(checkout: Path) -> None:
    """A Python without venv, as Debian splits it, is told with the package that holds it."""
    script = f'case "$2" in *ensurepip*) exit 1;; esac; exec "{shutil.which("python3")}" "$@"'
    said = _refusal(checkout, _interpreter(checkout, script))
    assert len(said) == 1
    assert "apt-get install python3-venv" in said[0]
    assert not (checkout / ".venv").exists()


def test_no_registry(checkout: Path) -> None:
    """A registry that cannot be reached ends the installing, with a last line that says what to do."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    said = _refusal(checkout, "python3", **nowhere, PIP_FIND_LINKS="", PIP_NO_CACHE_DIR="1")
    assert "check the network and run make again" in said[-1]
