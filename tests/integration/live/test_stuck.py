"""Clients that stop reading, and clients that are all cut off at once."""

import asyncio
from statistics import median
from time import monotonic
from uuid import uuid4

import pytest
from tests.integration.live.machines import Fleet, Follower, Wire, until

from coravet.core.kernel.events import AppointmentBooked

pytestmark = pytest.mark.alone

STUCK = 1000
SMALL = 4096
"""What a client's kernel takes before the client reads it: the less, the sooner it is stuck."""


@pytest.mark.long
async def test_a_thousand_stop_reading(fleet: Fleet) -> None:
    """Of a clinic's streams a thousand stop reading and one takes a byte a second: each costs a bounded share of the
    process's and the kernel's memory, the others are served on time and whole, and SIGTERM ends all of it in time."""
    machine = fleet.first
    start = await fleet.position()
    process = await fleet.writer(2)
    readers = [fleet.follow(Follower([machine.port], fleet.token, start)) for _ in range(5)]
    wires: list[Wire] = []
    while len(wires) < STUCK:
        asked = (Wire.open(machine.port, fleet.token, buffer=SMALL) for _ in range(50))
        wires += await asyncio.gather(*asked)
    for wire in wires:
        wire.deaf()
    wires.append(await Wire.open(machine.port, fleet.token, buffer=SMALL))
    sipping = asyncio.create_task(_sip(wires[-1]))
    await until(lambda: all(reader.opened for reader in readers))
    idle = machine.memory()

    waits = []
    for total in range(100, 8001, 100):
        await process.emit(fleet.actor, *(AppointmentBooked(uuid4(), 1) for _ in range(100)))
        committed = monotonic()
        await until(lambda total=total: all(len(reader.events) >= total for reader in readers))
        waits.append(monotonic() - committed)
    assert median(waits) < 1
    for reader in readers:
        assert reader.events == list(range(start + 1, start + 8001))
        assert reader.cuts == 0
    assert (machine.memory() - idle) / STUCK < 700_000
    assert 0 < max(machine.unsent()) < 500_000

    assert await machine.stop() < 5
    assert all(reader.closed[0].data == {"reason": "shutting_down"} for reader in readers)
    sipping.cancel()
    for wire in wires:
        wire.cut()


async def _sip(wire: Wire) -> int:
    taken = 0
    while await wire.byte():
        taken += 1
        await asyncio.sleep(1)
    return taken


@pytest.mark.long
async def test_who_takes_nothing_is_cut_off(fleet: Fleet) -> None:
    """A client that takes nothing more, or next to nothing, has no connection and no memory of ours after a while,
    even though it never hangs up."""
    process = await fleet.writer(2)
    wires = [await Wire.open(fleet.first.port, fleet.token, buffer=SMALL) for _ in range(2)]
    wires[0].deaf()
    sipping = asyncio.create_task(_sip(wires[1]))
    for _ in range(50):
        await process.emit(fleet.actor, *(AppointmentBooked(uuid4(), 1) for _ in range(100)))
    await until(lambda: len(fleet.first.unsent()) == 2)
    await until(lambda: not fleet.first.unsent(), seconds=60)
    sipping.cancel()
    for wire in wires:
        wire.cut()


@pytest.mark.long
async def test_who_reads_slowly_does_not_hold_the_exit(fleet: Fleet) -> None:
    """Clients that take a few kilobytes a second, steadily, are far from their goodbye at SIGTERM: the process ends in
    time all the same, in order."""
    process = await fleet.writer(2)
    wires = [await Wire.open(fleet.first.port, fleet.token, buffer=SMALL) for _ in range(5)]
    trickles = [asyncio.create_task(_trickle(wire)) for wire in wires]
    for _ in range(50):
        await process.emit(fleet.actor, *(AppointmentBooked(uuid4(), 1) for _ in range(100)))
    await until(lambda: sum(unsent > 100_000 for unsent in fleet.first.unsent()) == len(wires))
    assert await fleet.first.stop() < 5
    assert "the serving process has ended" in fleet.first.log.read_text()
    for trickle, wire in zip(trickles, wires, strict=True):
        trickle.cancel()
        wire.cut()


async def _trickle(wire: Wire) -> None:
    more = True
    while more:
        await asyncio.sleep(0.2)
        more = bool(await wire.some(2048))


FLOOD = 500


@pytest.mark.long
async def test_a_flood_of_reconnects(fleet: Fleet) -> None:
    """Clients that lose their streams all at once and without a word come back spread over seconds, as they were told
    when they came; each is let in at the first attempt and misses nothing."""
    doomed, heir = fleet.first, await fleet.machine()
    start = await fleet.position()
    clients = [Follower([doomed.port], fleet.token, start, hasty=False) for _ in range(FLOOD)]
    for client in clients:
        fleet.follow(client)
    await until(lambda: all(client.opened for client in clients))
    process = await fleet.writer(2)
    for client in clients:
        client.ports = [heir.port]
    await until(lambda: all(client.retry for client in clients))
    told = {id(client): client.retry for client in clients}
    cut = monotonic()
    doomed.service.kill()
    await process.emit(fleet.actor, *(AppointmentBooked(uuid4(), 1) for _ in range(100)))
    await until(lambda: all(len(client.events) == 100 for client in clients))
    for client in clients:
        assert client.events == list(range(start + 1, start + 101))
        assert (client.refused, client.resyncs, client.cuts) == (0, 0, 1)
        assert client.opened[1] - cut > told[id(client)]
    pauses = sorted(told.values())
    assert pauses[0] < 1
    assert pauses[-1] > 4
    assert max(sum(1 for each in pauses if at <= each < at + 0.5) for at in pauses) < FLOOD / 4
