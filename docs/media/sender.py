"""Sends a photo over a connection that drops, to use or to copy.

    pip install httpx
    CORAVET_TOKEN=<Firebase ID token> python sender.py https://vet.example.com my-clinic <patient id> photo.jpg

../media.md says why it does what it does.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before it goes on after a drop, and at most where it drops time after time."""

PIECE = 64 * 1024


class Refused(Exception):
    """The service does not take it, and sending it again changes nothing. `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


async def send(
    http: httpx.AsyncClient, clinic: str, patient_id: str, photo: Path, pause: float = PAUSE
) -> dict[str, Any]:
    """Have a photo shown; answers how it is read. `http` has the service as base URL and whoever sends as header."""
    data = await asyncio.to_thread(photo.read_bytes)
    file = {"purpose": "photo", "size": len(data), "sha256": sha256(data).hexdigest()}
    wait, media = pause, None
    while media is None or media["status"] == "uploading":
        try:
            at = f"/api/v1/clinics/{clinic}"
            media = _answer(await http.post(f"{at}/patients/{patient_id}/uploads", json=file))
            while media["status"] == "uploading":
                rest, offset = data[media["received"] :], {"offset": media["received"]}
                media = _answer(await http.put(f"{at}/media/{media['id']}/bytes", content=_pieces(rest), params=offset))
                wait = pause
        except httpx.TransportError:
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_PAUSE)
    return media


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def _answer(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if answer.is_success:
        return found
    if answer.status_code in {409, 429} or answer.is_server_error:
        raise httpx.TransportError(found.get("detail", "the service does not answer"))
    raise Refused(found.get("code", str(answer.status_code)), found.get("detail", ""))


async def _main() -> None:
    base, clinic, patient_id, name = sys.argv[1:5]
    token = {"Authorization": f"Bearer {os.environ['CORAVET_TOKEN']}"}
    async with httpx.AsyncClient(base_url=base, headers=token, timeout=60) as http:
        media = await send(http, clinic, patient_id, Path(name))
    print(media["status"], media["problem"] or "", *(variant["url"] for variant in media["variants"].values()))


if __name__ == "__main__":
    asyncio.run(_main())
