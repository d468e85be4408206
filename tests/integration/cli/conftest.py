"""Starting the command line as a person does."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder with a path short enough for a socket, shared by the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="coravet-", ignore_cleanup_errors=True) as made:
        yield Path(made) / "data"
