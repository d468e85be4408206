"""Verifying everybody with an open stream: five thousand people against the Auth emulator."""

import argparse
import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Self
from uuid import uuid4

import httpx
import msgspec
import requests.adapters

from coravet.adapters.firebase.identity import FirebaseIdentity
from coravet.adapters.local import LocalError, firebase
from coravet.adapters.local.firebase import AuthEmulator
from coravet.adapters.memory.fanout import MemoryFanout
from coravet.adapters.memory.journal import MemoryJournal
from coravet.adapters.memory.legal import LegalGate
from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.measures import Timed, Unmeasured
from coravet.core.legal.gate import CachedGate
from coravet.core.tenancy.views import MembershipView
from coravet.entrypoints.live.hub import Hub, Subscription, Viewer
from coravet.entrypoints.live.sweep import Sweep

PROJECT = "demo-coravet"
PEOPLE, MOST_CALLS, MOST_SECONDS = 5000, 50, 2.0
AT_ONCE = 1000


class Swept(msgspec.Struct, frozen=True):
    """What one sweep cost, and what became of the streams."""

    seconds: float
    calls: int
    proved: int
    ended: int


class Directory:
    """Nobody's roles change here."""

    async def memberships(self, user_id: UserId) -> list[MembershipView]:
        raise NotImplementedError(user_id)


class Crowd:
    """So many accounts in the emulator at `host`, while entered; each has a stream open in `hub`."""

    def __init__(self, host: str, count: int) -> None:
        self.uids = [f"sweep-{uuid4().hex}" for _ in range(count)]
        self._http = httpx.AsyncClient(
            base_url=f"http://{host}/identitytoolkit.googleapis.com/v1/projects/{PROJECT}",
            headers={"Authorization": "Bearer owner"},
            timeout=60,
        )
        self._clock = SystemClock()
        self._identity = FirebaseIdentity(PROJECT, clock=self._clock, emulator_host=host)
        gate = CachedGate(LegalGate(), self._clock)
        self.hub = Hub(MemoryJournal(), MemoryFanout(), Directory(), gate, self._clock)
        self.streams: list[Subscription] = []

    async def __aenter__(self) -> Self:
        for start in range(0, len(self.uids), AT_ONCE):
            users = [{"localId": uid} for uid in self.uids[start : start + AT_ONCE]]
            (await self._http.post("/accounts:batchCreate", json={"users": users})).raise_for_status()
        await self.hub.__aenter__()
        clinic, now = ClinicId(uuid4()), datetime.now(UTC)
        for uid in self.uids:
            actor = Actor(clinic_id=clinic, time_zone="UTC", user_id=UserId(uuid4()))
            viewer = Viewer(
                actor=actor,
                uid=uid,
                session_id=uuid4(),
                issued_at=now,
                expires_at=now + timedelta(hours=1),
                verified_at=now,
            )
            self.streams.append(await self.hub.subscribe(viewer))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hub.__aexit__(None, None, None)
        await self._identity.aclose()
        for start in range(0, len(self.uids), AT_ONCE):
            await self.delete(self.uids[start : start + AT_ONCE])
        await self._http.aclose()

    async def disable(self, uid: str) -> None:
        """Switch an account off, as an administrator of Firebase does."""
        body = {"localId": uid, "disableUser": True}
        (await self._http.post("/accounts:update", json=body)).raise_for_status()

    async def delete(self, uids: list[str]) -> None:
        """Delete accounts, up to a thousand."""
        body = {"localIds": uids, "force": True}
        (await self._http.post("/accounts:batchDelete", json=body)).raise_for_status()

    async def swept(self) -> Swept:
        """One sweep, with the HTTP requests that it sent."""
        before = {id(stream): stream.proved_at for stream in self.streams}
        sent = requests.adapters.HTTPAdapter.send
        calls = 0

        def counted(*arguments: object, **named: object) -> object:
            nonlocal calls
            calls += 1
            return sent(*arguments, **named)

        done = asyncio.Event()
        sweep = Sweep(self.hub, self._identity, lambda _: None, self._clock, _Done(done))
        requests.adapters.HTTPAdapter.send = counted
        try:
            began = perf_counter()
            async with sweep, asyncio.timeout(60):
                await done.wait()
            seconds = perf_counter() - began
        finally:
            requests.adapters.HTTPAdapter.send = sent
        proved = sum(stream.proved_at > before[id(stream)] for stream in self.streams)
        return Swept(seconds, calls, proved, sum(stream.closed is not None for stream in self.streams))


class _Done(Unmeasured):
    """Measures that hear of the sweep's end."""

    def __init__(self, done: asyncio.Event) -> None:
        self._done = done

    def took(self, what: Timed, seconds: float, *labels: str) -> None:  # noqa: ARG002 -- the port's
        if what == "live_sweeps":
            self._done.set()


def main() -> None:
    """Start the emulator, sweep, print; ends with 1 where a target is missed."""
    arguments = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    arguments.add_argument("--port", type=int, default=20750, help="the emulator's")
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="coravet-bench-") as folder:
            tools = firebase.install()
            with AuthEmulator(Path(folder), options.port, tools, keep=False) as emulator:
                sys.exit(asyncio.run(_bench(emulator.host, options.rounds)))
    except LocalError as error:
        sys.exit(str(error))


async def _bench(host: str, rounds: int) -> int:
    async with Crowd(host, PEOPLE) as crowd:
        found = [await crowd.swept() for _ in range(rounds + 1)][1:]  # the first opens connections
    seconds, calls = median(each.seconds for each in found), max(each.calls for each in found)
    good = seconds < MOST_SECONDS and calls <= MOST_CALLS and all(each.proved == PEOPLE for each in found)
    spread = f"{min(each.seconds for each in found):.2f}-{max(each.seconds for each in found):.2f}"
    print(
        f"{PEOPLE:,} people swept in {seconds:.2f} s ({spread}; target {MOST_SECONDS:g}) by {calls} calls"
        f" (target {MOST_CALLS}): {'PASS' if good else 'FAIL'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    main()
