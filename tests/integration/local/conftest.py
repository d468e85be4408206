"""What the tests of the local parts share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that only its owner may enter, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="coravet-", ignore_cleanup_errors=True) as made:
        yield Path(made)
