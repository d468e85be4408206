"""The bench itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.parts.ports import free_ports

CHECKOUT = Path(__file__).parents[3]


def _bench(module: str, ports: int, *options: str) -> str:
    """What a bench prints; it must end well."""
    port = [f"--port={free_ports(ports)}"] if ports else []
    program = [sys.executable, "-m", module, *port, *options]
    ended = subprocess.run(  # noqa: S603 # our own interpreter and arguments
        program, cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.long
def test_agenda() -> None:
    """The floor does the service's SQL and gives its answers, and both are measured for the agenda."""
    printed = _bench("bench", 3, "--rounds=1", "--seconds=0.5", "--connections=2")
    assert len(re.findall(r"^Both do the same \d+ statements", printed, re.MULTILINE)) == 1
    assert len(re.findall(r"^service/floor, round by round: \d\.\d\d", printed, re.MULTILINE)) == 1


@pytest.mark.long
def test_booking() -> None:
    """Fifty who book at random in one clinic see `201` and `slot_taken` only; it is compared with the bare SQL."""
    printed = _bench("bench.booking", 3, "--rounds=1", "--attempts=150", "--clients=50", "--days=3")
    ended = re.findall(r"^(service|bare) +201: (\d+) .*409 slot_taken: (\d+) ", printed, re.MULTILINE)
    assert [name for name, *_ in ended] == ["service", "bare"]
    assert {int(booked) + int(taken) for _, booked, taken in ended} == {150}
    for ratio in ("service/bare", "bare/bare without locks"):
        assert re.search(rf"^{ratio}, round by round: \d\.\d\d", printed, re.MULTILINE)


@pytest.mark.long
def test_live() -> None:
    """Streams open without an error, and every event that is committed arrives in each."""
    printed = _bench("bench.live", 3, "--parts", "idle", "busy", "--streams=200", "--seconds=1", "--no-peer")
    assert "PASS  no error on opening: 0 of 200" in printed
    assert re.search(r"^  one clinic: \d+ events/s, 10,000 of 10,000 arrived, 0 streams lost", printed, re.MULTILINE)


@pytest.mark.long
def test_timeline() -> None:
    """The first page of a long timeline is measured beside the patient alone."""
    printed = _bench("bench.timeline", 3, "--rounds=1", "--seconds=0.5")
    assert "A patient with 2,000 entries" in printed
    assert len(re.findall(r"^timeline/patient, round by round: \d", printed, re.MULTILINE)) == 1


def test_sheets() -> None:
    """A card as PDF is measured beside an empty page."""
    printed = _bench("bench.sheets", 0, "--count=2")
    assert "A card of 25 doses" in printed
    assert re.search(r"^card/page: \d+\.\d$", printed, re.MULTILINE)


@pytest.mark.long
def test_search() -> None:
    """Searching and listing are measured beside a read by id, alone and with another clinic in the database."""
    printed = _bench("bench.search", 3, "--clients=500", "--patients=700", "--queries=20", "--clinics=1")
    titles = re.findall(r"^(service|use case|list of \w+) +n +p50 ms", printed, re.MULTILINE)
    assert titles == ["service", "list of clients", "list of patients", "use case"] * 2
    assert len(re.findall(r"^  floor +\d+ .* x1\.00, x1\.00$", printed, re.MULTILINE)) == 8
    verdict = r"^p99 of the search at the service: \d+\.\d\d ms, (?:not )?under 20 ms\.$"
    assert len(re.findall(verdict, printed, re.MULTILINE)) == 1


@pytest.mark.long
def test_imports() -> None:
    """Importing a list is measured for a tenth of its rows and for all, beside a COPY of what came of it."""
    printed = _bench("bench.imports", 0, "--rows=500", "--runs=1")
    assert re.search(r"^50 rows: \d+\.\d s .* MB$", printed, re.MULTILINE)
    assert re.search(
        r"^500 rows: .* COPY of the 1,\d+ rows that came of it: .*; import/COPY \d+\.\d$", printed, re.MULTILINE
    )
