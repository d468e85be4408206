"""The client that we hand out, on a service that answers as told."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import islice

import httpx
import pytest
from docs.live.client import FIRST_PAUSE, LONGEST_PAUSE, Refused, follow


class Body(httpx.AsyncByteStream):
    """A body that comes in these pieces, and then ends, or is cut."""

    def __init__(self, *pieces: str, cut: bool = False) -> None:
        self._pieces = pieces
        self._cut = cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece.encode()
        if self._cut:
            raise httpx.RemoteProtocolError("cut")


class Script:
    """Answers one request after the other as told, and keeps what was asked and how long the client waited."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[str | None] = []
        self.waits: list[float] = []
        self.stood: list[str] = []

    def follow(self, last: int | None = None) -> AsyncGenerator[object, None]:
        http = httpx.AsyncClient(base_url="http://service.test/api/v1", transport=httpx.MockTransport(self._answer))
        return follow(http, "la-palma", last, sleep=self._sleep)

    async def told(self, count: int, last: int | None = None) -> list[tuple[str, str]]:
        """The first events that are handed on."""
        found: list[tuple[str, str]] = []
        async with aclosing(self.follow(last)) as events:
            async for event in events:
                if event.event == "stream.heartbeat":
                    self.stood.append(event.id)
                    continue
                found.append((event.id, event.event))
                if len(found) == count:
                    break
        return found

    async def refused(self) -> Refused:
        with pytest.raises(Refused) as refused:
            await self.told(1)
        return refused.value

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/clinics/la-palma/events"
        self.asked.append(request.headers.get("Last-Event-ID"))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def stream(*pieces: str, cut: bool = False) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, stream=Body(*pieces, cut=cut))


def event(number: int, kind: str = "appointment.booked") -> str:
    return f'id: {number}\nevent: {kind}\ndata: {{"id":{number}}}\n\n'


def beat(number: int) -> str:
    return f"retry: 3000\n{event(number, 'stream.heartbeat')}"


CLOSED = 'retry: 4200\nevent: stream.closed\ndata: {"reason":"shutting_down"}\n\n'


async def test_each_event_once() -> None:
    """Cut in the middle of a frame it comes back from the last whole one, and what is told again is not handed on."""
    script = Script(
        stream(beat(6), event(7), event(8)[:20], cut=True), stream(beat(7), event(7), event(8) + event(9), CLOSED)
    )
    assert await script.told(3) == [(str(number), "appointment.booked") for number in (7, 8, 9)]
    assert script.asked == [None, "7"]
    assert script.waits == [3]


async def test_goes_on_from_where_the_caller_was() -> None:
    """Whoever kept an id goes on from there."""
    script = Script(stream(beat(41), event(42)))
    assert await script.told(1, last=41) == [("42", "appointment.booked")]
    assert script.asked == ["41"]


async def test_comes_back_from_a_heartbeat() -> None:
    """A stream on which nothing happened has a place to come back to, and a farewell says when."""
    script = Script(stream(beat(6), event(11, "stream.heartbeat"), CLOSED), stream(beat(11), event(12)))
    assert await script.told(1) == [("12", "appointment.booked")]
    assert (script.asked, script.waits) == ([None, "11"], [4.2])


async def test_resync_is_handed_on() -> None:
    """`stream.resync` goes to the caller, and what follows counts from its id, even where that is lower."""
    script = Script(stream(beat(6), event(7)), stream(event(3, "stream.resync"), event(4)), stream(event(5)))
    kinds = ["appointment.booked", "stream.resync", "appointment.booked", "appointment.booked"]
    assert await script.told(4) == list(zip("7345", kinds, strict=True))
    assert script.asked == [None, "7", "4"]


async def test_one_byte_at_a_time() -> None:
    """However the bytes are cut up, the frames are the same."""
    script = Script(stream(*(beat(6) + event(7) + event(8))))
    assert await script.told(2) == [("7", "appointment.booked"), ("8", "appointment.booked")]


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "session_revoked"), (403, "legal_acceptance_required"), (404, "not_found"), (400, "invalid")],
)
async def test_stops_where_it_is_refused(status: int, code: str) -> None:
    """What trying again would not change ends it, with the code of the problem."""
    problem = httpx.Response(status, json={"code": code}, headers={"Content-Type": "application/problem+json"})
    script = Script(stream(beat(6), CLOSED), problem)
    refused = await script.refused()
    assert (refused.status, refused.code) == (status, code)
    assert script.waits == [4.2]


@pytest.mark.parametrize("status", [429, 503])
async def test_waits_as_long_as_asked(status: int) -> None:
    """Where the service says when to come back, it does not come sooner."""
    busy = httpx.Response(status, headers={"Retry-After": "17"})
    script = Script(busy, busy, stream(beat(6), event(7)))
    await script.told(1)
    assert script.waits == [17, 17]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silent"),
        httpx.Response(502, text="bad gateway"),
        httpx.Response(200, text="<h1>Welcome to our hotel</h1>"),
        httpx.Response(302, headers={"Location": "http://hotel.test/"}),
        httpx.Response(403, text="<h1>Forbidden</h1>"),
        httpx.Response(404, text="<h1>No such page</h1>"),
        httpx.Response(409, json={"code": "busy"}, headers={"Content-Type": "application/problem+json"}),
    ],
    ids=[
        "nobody there",
        "silence",
        "a proxy without a service",
        "no event stream",
        "a hotel's door",
        "a proxy's refusal",
        "nothing at that place",
        "a problem that passes",
    ],
)
async def test_backs_off(answer: httpx.Response | Exception) -> None:
    """Time after time it waits longer, up to a minute; once there was a frame it begins anew."""
    script = Script(*[answer] * 10, stream(beat(6)), answer, stream(event(7)))
    await script.told(1)
    *growing, after_a_frame, again = script.waits
    assert growing[0] == FIRST_PAUSE
    for nth, wait in enumerate(islice(growing, 1, None), start=1):
        longest = min(FIRST_PAUSE * 2**nth, LONGEST_PAUSE)
        assert max(longest / 2, FIRST_PAUSE) <= wait <= longest
    assert after_a_frame == 3
    assert FIRST_PAUSE <= again <= 2 * FIRST_PAUSE


async def test_says_when_the_stream_stands() -> None:
    """Who names no id is told once from where nothing is missed, so that they load what they show then and not before;
    who names one goes on from there."""
    script = Script(httpx.ConnectError("nobody"), stream(beat(6), event(7), cut=True), stream(beat(7), event(8)))
    assert await script.told(2) == [("7", "appointment.booked"), ("8", "appointment.booked")]
    assert script.stood == ["6"]
    script = Script(stream(beat(6), event(7)))
    assert await script.told(1, last=6) == [("7", "appointment.booked")]
    assert script.stood == []
