"""A real converter, whose helpers all tests here share."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.integration.http.conftest import clinic, service

from coravet.adapters.vips.converter import VipsConverter

__all__ = ["clinic", "service"]

Upload = Callable[[bytes], Path]


@pytest.fixture(scope="session")
async def converter() -> AsyncIterator[VipsConverter]:
    """Converts one picture at a time, within the limits that the service has by default."""
    made = VipsConverter(helpers=1, megabytes=1024, seconds=10)
    yield made
    await made.aclose()


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    """Puts bytes into a file, as an upload that has arrived."""

    def put(data: bytes) -> Path:
        path = tmp_path / "upload"
        path.write_bytes(data)
        return path

    return put
