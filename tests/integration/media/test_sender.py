"""The client that docs/media.md shows, against the service as it is served, over connections that drop."""

import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import httpx
import pytest
from docs.media.sender import Refused, send
from tests.integration.live.served import CLINIC, Site, served
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People
from tests.integration.parts.snapshots import picture

RANDOM = Random(11)  # noqa: S311 -- repeats itself, guards nothing


class Dropping(httpx.AsyncHTTPTransport):
    """A network that loses connections in the middle of what is sent."""

    def __init__(self, drops: int) -> None:
        super().__init__()
        self.left = drops

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.left and request.method == "PUT":
            self.left -= 1
            stream = request.stream
            assert isinstance(stream, httpx.AsyncByteStream)
            request.stream = _Cut(stream, RANDOM.randrange(100_000, 700_000))
        return await super().handle_async_request(request)


class _Cut(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, after: int) -> None:
        self._stream, self._after = stream, after

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece
            self._after -= len(piece)
            if self._after <= 0:
                raise httpx.WriteError("the connection dropped")


def _statuses(folder: Path) -> set[str]:
    """What the service's log says that it answered."""
    return {found for log in folder.iterdir() for found in re.findall(r"""status["'=: ]+(\d{3})""", log.read_text())}


@pytest.fixture
async def site(databases: Databases, people: People, auth_emulator: str) -> AsyncIterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        async with served(databases, people, auth_emulator, Path(folder)) as found:
            yield found
        assert {"200", "201"} < _statuses(Path(folder)) < {str(status) for status in range(500)}


async def patient(site: Site) -> str:
    animal = {"client_id": await site.register(), "name": "Muestra", "species": "dog"}
    return str((await site.ask("POST", f"{CLINIC}/patients", site.headers, animal))["id"])


@pytest.mark.long
async def test_drops(site: Site, tmp_path: Path) -> None:
    """A photo of megabytes arrives over ten connections that drop, in less than twice its bytes, and shows."""
    photo = tmp_path / "foto.jpg"
    photo.write_bytes(picture(900, 600) + RANDOM.randbytes(4_000_000))
    network = Dropping(drops=10)
    base = site.address("").removesuffix("/api/v1")
    slug = CLINIC.rpartition("/")[2]
    async with httpx.AsyncClient(base_url=base, headers=site.headers, timeout=60, transport=network) as http:
        found = await send(http, slug, await patient(site), photo, pause=0.01)
        assert (found["status"], network.left) == ("ready", 0)
        card = await http.get(found["variants"]["card"]["url"])
        assert (card.status_code, card.content[8:12]) == (200, b"WEBP")
        photo.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
        refused = await send(http, slug, await patient(site), photo)
        assert (refused["status"], refused["problem"]) == ("failed", "unsupported_media")
        with pytest.raises(Refused):
            await send(http, "none-such", await patient(site), photo)
