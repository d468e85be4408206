"""Photographs sent to the service over HTTP: how long until the card is ready, and what others notice of it.

    python -m bench.uploads [--port PORT]

First the service and its helpers have one core: a photo of 12 megapixels is sent, and the card read. Then they have all
cores, and an agenda is read forty times a second by one connection: at rest, and while twenty clients send photos
without end. Says PASS or FAIL for each aim, and how many photos were converted meanwhile.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from multiprocessing import get_context
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Self
from uuid import UUID

import httpx
import msgspec
from bench.photos import SIZES, scene, verdict
from bench.scene import FULL_DAYS, SLUG, Furnished, agenda_tomorrow, furnished
from bench.stage import stage

from coravet.adapters.local import LocalError
from coravet.core.media.views import MediaView
from coravet.entrypoints.cli.refusals import CommandError

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

PHOTOS = 12
SENDERS = 20
A_SECOND = 40
SECONDS = 20.0
LEAD_SECONDS = 8.0
"""Until all have sent, and the line is as long as it gets."""
ROUNDS = 3
CARD_MS, SLOWER = 400, 3.0


class Sender:
    """Somebody who sends photos of patients, of which no two are the same."""

    def __init__(self, port: int, clinic: Furnished, files: list[bytes]) -> None:
        self._at = f"http://127.0.0.1:{port}/api/v1/clinics/{SLUG}"
        self._token = clinic.token
        self._patients: list[UUID] = [each.id for each in clinic.contents.patients]
        self._files = files
        self._numbers = count()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A connection of its own."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx.AsyncClient(trust_env=False, timeout=120, headers=headers) as client:
            yield client

    async def send(self, client: httpx.AsyncClient) -> bool:
        """Send one, and read its card; False where it waits for a job."""
        number = next(self._numbers)
        # What follows a JPEG's end makes another file of it.
        body = self._files[number % len(self._files)] + number.to_bytes(4, "big")
        to = f"{self._at}/patients/{self._patients[number % len(self._patients)]}/photo"
        answer = await client.post(to, content=body, headers={"Content-Type": "application/octet-stream"})
        answer.raise_for_status()
        view = msgspec.json.decode(answer.content, type=MediaView)
        if view.status != "ready":
            return False
        card = await client.get(view.variants["card"].url)
        card.raise_for_status()
        return card.content[8:12] == b"WEBP"


async def card_ms(sender: Sender) -> list[float]:
    """From the first byte that is sent to the last of the card, one photo after another."""
    taken = []
    async with sender.client() as client:
        for _ in range(PHOTOS + 1):
            started = perf_counter()
            if not await sender.send(client):
                raise LocalError("A photo of 12 megapixels was not ready at once.")
            taken.append((perf_counter() - started) * 1000)
    return taken[1:]  # with the first one, the helper was started


async def p99_ms(port: int, request: bytes) -> float:
    """Of a request that is sent at an even pace, on one connection; one that is late delays no other's clock."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took: list[float] = []
    began = perf_counter()
    try:
        for number in range(int(SECONDS * A_SECOND)):
            due = began + number / A_SECOND
            await asyncio.sleep(max(0.0, due - perf_counter()))
            started = perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise LocalError(head.decode())
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
            took.append((perf_counter() - started) * 1000)
    finally:
        writer.close()
    return quantiles(took, n=100)[-1]


class Crowd:
    """Twenty who send one photo after another, in a process that goes after all others: they are not on this machine.

    Attributes:
        shown, left: photos that were ready at once, and that were left to a job.
    """

    def __init__(self, sender: Sender) -> None:
        processes = get_context("spawn")
        self.shown, self.left = processes.Value("i", 0), processes.Value("i", 0)
        self._process = processes.Process(target=self._run, args=(sender, self.shown, self.left), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @staticmethod
    def _run(sender: Sender, shown: "Synchronized[int]", left: "Synchronized[int]") -> None:
        os.nice(19)

        async def send_on() -> None:
            async with sender.client() as client:
                while True:
                    of_it = shown if await sender.send(client) else left
                    of_it.value += 1

        async def all_of_them() -> None:
            await asyncio.gather(*(send_on() for _ in range(SENDERS)))

        asyncio.run(all_of_them())


def busy(port: int, request: bytes, sender: Sender) -> tuple[float, int, int]:
    """The same while twenty send; and how many photos were shown at once meanwhile, and how many left to a job."""
    with Crowd(sender) as crowd:
        sleep(LEAD_SECONDS)
        before = crowd.shown.value, crowd.left.value
        p99 = asyncio.run(p99_ms(port, request))
        return p99, crowd.shown.value - before[0], crowd.left.value - before[1]


@contextmanager
def on_one_core() -> Iterator[None]:
    """Whatever is started meanwhile shares one core with this process."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def photographs() -> list[bytes]:
    """Several of 12 megapixels, with a camera's noise."""
    width, height = SIZES[12]
    large = scene(width + 64, height + 64, 6.0).copy_memory()
    return [bytes(large.crop(8 * each, 8 * each, width, height).jpegsave_buffer(Q=90)) for each in range(6)]


def main(port: int) -> None:
    """Start everything, measure, print, end everything."""
    files = photographs()
    with stage(port) as parts:
        parts.settings = parts.settings.model_copy(update={"storage": str(parts.folder / "objects")})
        clinic = asyncio.run(furnished(parts.settings, parts.emulator_host, FULL_DAYS))
        sender, request = Sender(port, clinic, files), agenda_tomorrow(clinic)
        with on_one_core(), parts.service():
            cards = asyncio.run(card_ms(sender))
        each = ", ".join(f"{taken:.0f}" for taken in cards)
        print(f"12 MP ({len(files[0]) / 1e6:.1f} MB), the service on one core, from upload to card read: {each} ms")
        with parts.service():
            asyncio.run(p99_ms(port, request))  # warms up
            rounds = []
            for _ in range(ROUNDS):
                rest = asyncio.run(p99_ms(port, request))
                while_sent, shown, left = busy(port, request, sender)
                print(
                    f"p99 of the agenda: {rest:.1f} ms at rest, {while_sent:.1f} while {SENDERS} send photos:"
                    f" {shown / SECONDS:.1f} a second are shown at once, {left / SECONDS:.1f} left to a job"
                )
                rounds.append((rest, while_sent))
        verdict("12 MP from upload to ready card, median", median(cards), CARD_MS, " ms")
        verdict("p99 while photos are sent to that at rest, median", median(b / a for a, b in rounds), SLOWER, "x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8290)
    try:
        main(parser.parse_args().port)
    except (LocalError, CommandError) as error:
        sys.exit(str(error))
