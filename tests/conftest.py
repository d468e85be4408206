"""For every test: examples take the time they take, since cores are shared and slow, and clocks are read in peace.

Where several processes share a run (`pytest -n 2`), each has parts of its own, and a test marked `alone` waits until
the others are between two tests, and they for it.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("coravet", deadline=None)
settings.load_profile("coravet")

# Files that are there anyway, locked and never written.
DOOR, ROOM = Path(__file__), Path(__file__).parents[1] / "pyproject.toml"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    # Whoever waits for the room stands in its door, so that one who wants it alone is not passed by those who share it.
    with _held(DOOR, LOCK_EX) as let_others_in, _held(ROOM, LOCK_EX if item.get_closest_marker("alone") else LOCK_SH):
        flock(let_others_in, LOCK_UN)
        return (yield)


@contextmanager
def _held(path: Path, kind: int) -> Iterator[int]:
    with path.open() as file:
        flock(file, kind)
        try:
            yield file.fileno()
        finally:
            flock(file, LOCK_UN)  # a process that a test forked may have the file open still
