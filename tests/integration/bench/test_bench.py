"""The bench itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.parts.ports import free_ports

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.long
def test_bench_measures() -> None:
    """The floor does the service's SQL and gives its answers, and both are measured for the agenda and a booking."""
    port = free_ports(3)
    program = [sys.executable, "-m", "bench", f"--port={port}", "--rounds=1", "--seconds=0.5", "--connections=2"]
    ended = subprocess.run(  # noqa: S603 # our own interpreter and arguments
        program, cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(re.findall(r"^Both do the same \d+ statements", ended.stdout, re.MULTILINE)) == 2
    assert len(re.findall(r"^service/floor, round by round: \d\.\d\d", ended.stdout, re.MULTILINE)) == 2
