"""A client of the event stream, to use or to copy: `follow` hands on everything that happens in a clinic, once.

    pip install httpx httpx-sse
    CORAVET_TOKEN=<Firebase ID token> python client.py https://vet.example.com my-clinic

../live.md says why it does what it does.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

import httpx
from httpx_sse import ServerSentEvent, aconnect_sse

SILENCE_SECONDS = 45.0
"""Without a byte for so long the connection is dead: a heartbeat comes at least every 30 s."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before another attempt where the service does not say when, and at most where it fails time after time."""

FINAL = frozenset({400, 401, 403, 404})
"""Problems of the service that trying again does not change."""


class Refused(Exception):
    """The service lets this person in no further; trying again changes nothing. `code` says why."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


async def follow(
    http: httpx.AsyncClient,
    clinic: str,
    last: int | None = None,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[ServerSentEvent, None]:
    """Every event of a clinic from now on, or after the one with the id `last`, in order and each once.

    Where no id was given the first `stream.heartbeat` is handed on, too: from its id on nothing is missed, so that now
    is the time to load what is shown. A `stream.resync` among them says that something was missed and cannot be told:
    load anew what is shown. Whoever keeps the id of what was handed on last can go on from there in a later call.

    Args:
        http: its base URL is the API's; its headers or its `auth` say who asks. A token lasts an hour: an `auth` that
            puts a fresh one into each request makes this last longer.

    Raises:
        Refused: this person may not, or no longer.
    """
    failures = 0
    while True:
        wait = FIRST_PAUSE
        # Nobody there, cut, silent for too long, or not the service at all: the page of a hotel, say.
        with suppress(httpx.TransportError):
            headers = {} if last is None else {"Last-Event-ID": str(last)}
            async with aconnect_sse(
                http, "GET", f"clinics/{clinic}/events", headers=headers, timeout=SILENCE_SECONDS
            ) as source:
                if source.response.status_code == httpx.codes.OK:
                    async with aclosing(source.aiter_sse()) as frames:
                        async for frame in frames:
                            failures = 0
                            if frame.retry is not None:
                                wait = frame.retry / 1000
                            # Heartbeats have ids, too: places to come back to, and nothing to hand on.
                            resync = frame.event == "stream.resync"
                            stands = last is None and frame.event == "stream.heartbeat"
                            new = frame.id != "" and (last is None or int(frame.id) > last)
                            if resync or new:
                                last = int(frame.id)
                            if resync or stands or (new and not frame.event.startswith("stream.")):
                                yield frame
                else:
                    wait = await _wait_or_refused(source.response)
        failures += 1
        if failures > 1:
            longest = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
            wait = max(wait, longest * random.uniform(0.5, 1))  # noqa: S311 -- spreads load, guards nothing
        await sleep(wait)


async def _wait_or_refused(response: httpx.Response) -> float:
    # The service says so as a problem. Anybody else in between, such as a hotel's page or a proxy, is gone some day.
    problem = response.headers.get("Content-Type", "").startswith("application/problem+json")
    if problem and response.status_code in FINAL:
        await response.aread()
        raise Refused(response.status_code, response.json()["code"])
    asked = response.headers.get("Retry-After", "")
    return max(float(asked), FIRST_PAUSE) if asked.isdecimal() else FIRST_PAUSE


async def _main(service: str, clinic: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['CORAVET_TOKEN']}"}
    async with httpx.AsyncClient(base_url=f"{service}/api/v1", headers=headers) as http:
        async for event in follow(http, clinic):
            print(event.id, event.event, event.data, flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(_main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
    except Refused as refused:
        sys.exit(f"The service refuses: {refused}")
