"""What one stream sends, and when it ends."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from tests.unit.live.hurried import hurried
from tests.unit.live.parts import NEVER, PATIENCE, Layer, parse, running_layer, until

from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.events import (
    AppointmentBooked,
    ClientCreated,
    LegalAcceptanceRequired,
    MemberInvited,
    SessionEnded,
)
from coravet.entrypoints.live import stream as streams
from coravet.entrypoints.live.hub import Hub
from coravet.entrypoints.live.stream import Pace

FAST = Pace(beats=(0.01, 0.02), proof=NEVER)


def booked() -> AppointmentBooked:
    return AppointmentBooked(uuid4(), 1)


async def test_first_bytes_at_once(layer: Layer, clinic: ClinicId) -> None:
    """A stream begins with when to come back and a heartbeat of the server's time, and no cache or proxy holds it."""
    client = await layer.connect(layer.viewer(clinic, "staff"))
    frame = await client.next(beats=True)
    assert (frame.event, frame.id, frame.data) == ("stream.heartbeat", 0, {"at": "2026-11-23T14:00:00Z"})
    assert frame.retry is not None
    assert 500 <= frame.retry <= 5000
    assert client.headers["content-type"].startswith("text/event-stream")
    assert (client.headers["cache-control"], client.headers["x-accel-buffering"]) == ("no-store", "no")


async def test_event_frame(layer: Layer, clinic: ClinicId) -> None:
    """An event comes as id, kind, and data with exactly the promised keys."""
    client = await layer.connect(layer.viewer(clinic, "staff"))
    event, author = booked(), UserId(uuid4())
    layer.journal.record(event, clinic, author)
    layer.dispatcher.wake()
    frame = await client.next()
    assert (frame.id, frame.event) == (1, "appointment.booked")
    assert frame.data is not None
    at = frame.data.pop("at")
    assert str(at).endswith("Z")
    assert frame.data == {
        "id": 1,
        "kind": "appointment.booked",
        "actor": {"user_id": str(author)},
        "subject": {"type": "appointment", "id": str(event.id), "version": 1},
    }


async def test_resumes_after_the_last_event(layer: Layer, clinic: ClinicId, other_clinic: ClinicId) -> None:
    """A client that comes back gets what it missed in its clinic, in order and once, and then what happens."""
    viewer = layer.viewer(clinic, "staff")
    client = await layer.connect(viewer)
    layer.emit(clinic, booked(), booked())
    assert [(await client.next()).id for _ in range(2)] == [1, 2]
    await client.hang_up()
    layer.emit(clinic, booked())
    layer.emit(other_clinic, booked())
    layer.emit(clinic, booked())
    layer.emit(clinic, MemberInvited(uuid4()))  # not for staff
    again = await layer.connect(viewer, last_event_id=1)
    opening = await again.next(beats=True)
    assert (opening.event, opening.id) == ("stream.heartbeat", 1)
    assert [(await again.next()).id for _ in range(3)] == [2, 3, 5]
    layer.emit(clinic, booked())
    assert (await again.next()).id == 7
    assert again.quiet()


async def test_replay_and_live_meet_once(layer: Layer, clinic: ClinicId) -> None:
    """What is committed between subscribing and replaying is in both, and sent once."""
    layer.emit(clinic, booked())
    await layer.settled()
    replay = layer.journal.replay

    async def late(*arguments: object) -> object:
        layer.emit(clinic, booked(), booked())
        await layer.settled()
        return await replay(*arguments)

    layer.journal.replay = late
    client = await layer.connect(layer.viewer(clinic, "staff"), last_event_id=0)
    layer.emit(clinic, booked())
    assert [(await client.next()).id for _ in range(4)] == [1, 2, 3, 4]
    assert client.quiet()


async def test_opening_asks_the_journal_at_most_once(layer: Layer, clinic: ClinicId) -> None:
    """A stream that begins now costs no query, one that resumes costs one, and neither asks for the membership."""
    viewer = layer.viewer(clinic, "staff")
    calls = layer.journal.calls
    await layer.connect(viewer)
    assert layer.journal.calls == calls
    await layer.connect(viewer, last_event_id=0)
    assert layer.journal.calls == calls + 1
    assert layer.directory.calls == 0


async def test_resync_after_an_unknown_id(layer: Layer, clinic: ClinicId) -> None:
    """A client whose last id is higher than any is told once to load anew, and gets what happens from then on."""
    layer.emit(clinic, booked(), booked())
    await layer.settled()
    client = await layer.connect(layer.viewer(clinic, "staff"), last_event_id=99)
    frame = await client.next(beats=True)
    assert (frame.event, frame.id) == ("stream.resync", 2)
    layer.emit(clinic, booked())
    assert (await client.next()).id == 3
    assert client.quiet()


async def test_resync_after_pruning(layer: Layer, clinic: ClinicId) -> None:
    """A client that missed events which are no longer kept is told to load anew; others aren't."""
    layer.emit(clinic, booked(), booked(), booked())
    await layer.settled()
    assert await layer.journal.prune(layer.clock.now() + timedelta(days=9999), 2) == 2
    late = await layer.connect(layer.viewer(clinic, "staff"), last_event_id=1)
    assert (await late.next(beats=True)).event == "stream.resync"
    timely = await layer.connect(layer.viewer(clinic, "staff"), last_event_id=2)
    assert (await timely.next()).id == 3


async def test_resync_instead_of_a_flood(layer: Layer, clinic: ClinicId, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that missed more than is worth replaying is told to load anew."""
    monkeypatch.setattr(streams, "REPLAYED", 2)
    layer.emit(clinic, booked(), booked(), booked())
    await layer.settled()
    flooded = await layer.connect(layer.viewer(clinic, "staff"), last_event_id=0)
    assert (await flooded.next(beats=True)).event == "stream.resync"
    exact = await layer.connect(layer.viewer(clinic, "staff"), last_event_id=1)
    assert await exact.kinds(2) == ["appointment.booked"] * 2


async def test_heartbeat_moves_the_place_to_come_back_to(
    layer: Layer, clinic: ClinicId, other_clinic: ClinicId
) -> None:
    """Heartbeats go on, and carry the number up to which nothing was missed, so that quiet clinics need no reload."""
    client = await layer.connect(layer.viewer(clinic, "staff"), pace=FAST)
    assert (await client.next(beats=True)).id == 0
    layer.emit(other_clinic, booked(), booked())
    async with asyncio.timeout(PATIENCE):
        while (beat := await client.next(beats=True)).id != 2:
            assert beat.event == "stream.heartbeat"


async def test_heartbeats_are_due_within_30_seconds() -> None:
    """A stream's heartbeats follow each other within 15 to 30 s, and its person's proof lasts a minute."""
    pace = Pace()
    assert 15 <= pace.beats[0] < pace.beats[1] < 30
    assert pace.proof == 60


async def test_heartbeat_never_overtakes_an_event(layer: Layer, clinic: ClinicId) -> None:
    """Whatever frame a client saw last, coming back from its id repeats nothing and misses nothing."""
    client = await layer.connect(layer.viewer(clinic, "staff"), pace=Pace(beats=(0.0001, 0.0002), proof=NEVER))
    seen, place = [], 0
    for _ in range(50):
        layer.emit(clinic, booked())
    while len(seen) < 50:
        frame = await client.next(beats=True)
        assert frame.id is not None
        assert frame.id >= place
        if frame.event == "appointment.booked":
            assert frame.id == place + 1 or frame.id not in seen
            assert frame.id > place
            seen.append(frame.id)
        place = frame.id
    assert seen == list(range(1, 51))


async def test_ends_with_its_token(layer: Layer, clinic: ClinicId) -> None:
    """A stream ends when its session or token expires, with a frame that says why and when to come back."""
    viewer = layer.viewer(clinic, "staff", expires_at=layer.clock.now() + timedelta(seconds=0.05))
    client = await layer.connect(viewer)
    frame = await client.next()
    assert (frame.event, frame.data) == ("stream.closed", {"reason": "session_revoked"})
    assert frame.retry is not None
    await client.over()
    assert client.complete
    assert layer.hub.streams() == []


async def test_ends_with_its_proof(layer: Layer, clinic: ClinicId) -> None:
    """A stream whose person nobody vouched for in time ends."""
    client = await layer.connect(layer.viewer(clinic, "staff"), pace=Pace(proof=0.05))
    assert (await client.next()).data == {"reason": "session_revoked"}


async def test_hanging_up_leaves_nothing(layer: Layer, clinic: ClinicId) -> None:
    """A client that goes away is forgotten."""
    client = await layer.connect(layer.viewer(clinic, "staff"))
    await client.next(beats=True)
    assert len(layer.hub.streams()) == 1
    await client.hang_up()
    assert layer.hub.streams() == []


async def test_too_slow(layer: Layer, clinic: ClinicId) -> None:
    """A client that stops reading costs a bounded buffer and then its stream; its neighbour misses nothing."""
    hub = await layer.start(layer.make_hub(pending=5))
    slow, brisk = layer.viewer(clinic, "staff"), layer.viewer(clinic, "staff")
    stuck = await layer.connect(slow, hub=hub)
    fine = await layer.connect(brisk, hub=hub)
    await stuck.next(beats=True)
    stuck.reading.clear()
    for _ in range(10):
        layer.emit(clinic, booked())
        await fine.next()
    [left] = hub.streams()
    assert left.viewer == brisk
    stuck.reading.set()
    seen = [await stuck.next()]
    while seen[-1].event != "stream.closed":
        seen.append(await stuck.next())
    assert seen[-1].data == {"reason": "too_slow"}
    assert len(seen) <= 6
    await stuck.over()


async def test_a_client_that_takes_nothing_is_given_up(layer: Layer, clinic: ClinicId) -> None:
    """A client that never reads again holds no stream, no task and no connection of ours for longer than allowed."""
    client = await layer.connect(layer.viewer(clinic, "staff"), pace=Pace(proof=NEVER, stalled=0.05))
    await client.next(beats=True)
    client.reading.clear()
    layer.emit(clinic, booked())
    await client.over()
    assert not client.complete
    assert layer.hub.streams() == []


async def test_a_client_that_is_gone_starves_nobody(layer: Layer, clinic: ClinicId) -> None:
    """Where the server takes everything at once for a client that is gone, a replay still lets others run."""
    layer.emit(clinic, *(booked() for _ in range(500)))
    await layer.settled()
    client = await layer.connect(layer.viewer(clinic, "staff"), last_event_id=0)
    await client.next(beats=True)
    # Ten chunks were sent by a generator that never waits for its client; we still got our turn after the first.
    assert client.waiting() < 500


async def test_shutting_down(layer: Layer, clinic: ClinicId) -> None:
    """When the process is asked to stop, every stream says so and ends, spread over time, and no other begins."""
    clients = [await layer.connect(layer.viewer(clinic, "staff")) for _ in range(20)]
    layer.hub.stop()
    returns = set()
    for client in clients:
        frame = await client.next()
        assert (frame.event, frame.data) == ("stream.closed", {"reason": "shutting_down"})
        await client.over()
        returns.add(frame.retry)
    assert len(returns) > 10
    with pytest.raises(Unavailable):
        await layer.connect(layer.viewer(clinic, "staff"))


async def test_no_stream_before_the_journal_was_read(layer: Layer, clinic: ClinicId) -> None:
    """Where storage does not answer at the start, streams are refused until it does."""
    layer.journal.reachable = False
    hub: Hub = await layer.start(layer.make_hub(look_seconds=0.01))
    with pytest.raises(Unavailable):
        await layer.connect(layer.viewer(clinic, "staff"), hub=hub)
    layer.journal.reachable = True

    def begun() -> bool:
        with suppress(Unavailable):
            return hub.position >= 0
        return False

    await until(begun)
    client = await layer.connect(layer.viewer(clinic, "staff"), hub=hub)
    layer.emit(clinic, ClientCreated(uuid4(), 1))
    assert (await client.next()).event == "client.created"


async def test_a_failed_replay_leaves_nothing(layer: Layer, clinic: ClinicId) -> None:
    """Where the journal does not answer the stream does not open, and nothing of it stays."""
    layer.journal.reachable = False
    with pytest.raises(Unavailable):
        await layer.connect(layer.viewer(clinic, "staff"), last_event_id=0)
    assert layer.hub.streams() == []


async def test_frames_carry_no_person(layer: Layer, clinic: ClinicId) -> None:
    """A frame for one person tells of the person by id alone."""
    viewer = layer.viewer(clinic, "staff")
    client = await layer.connect(viewer)
    assert viewer.actor.user_id is not None
    layer.emit(clinic, SessionEnded(uuid4(), person=viewer.actor.user_id))
    frame = await client.next()
    assert set(msgspec.to_builtins(frame.data)) == {"id", "kind", "at", "actor", "subject"}


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(hours=-1), timedelta(minutes=30)])
def test_a_clock_that_jumps(clinic: ClinicId, jump: timedelta) -> None:
    """Where the machine's clock is set, open streams go on and end when they would have ended, no sooner or later."""

    async def jumps() -> None:
        now = asyncio.get_running_loop().time
        async with running_layer() as layer:
            brief = layer.viewer(clinic, "staff", expires_at=layer.clock.now() + timedelta(seconds=3))
            began = now()
            ending, lasting = await layer.connect(brief, pace=FAST), await layer.connect(layer.viewer(clinic, "staff"))
            layer.clock.instant += jump
            layer.emit(clinic, booked())
            assert [(await client.next()).id for client in (ending, lasting)] == [1, 1]
            assert (await ending.next()).data == {"reason": "session_revoked"}
            assert 3 <= now() - began < 3.1
            layer.emit(clinic, booked())
            assert (await lasting.next()).id == 2

    hurried(jumps())


async def test_ended_in_mid_replay(layer: Layer, clinic: ClinicId, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that ends while it still tells what was missed tells nothing that came after that: whoever comes back
    from the last id it saw misses nothing."""
    monkeypatch.setattr(streams, "CHUNK", 2)
    viewer = layer.viewer(clinic, "staff")
    layer.emit(clinic, *(booked() for _ in range(6)))
    await until(lambda: layer.hub.position == 6)
    stream = await streams.open_stream(layer.hub, layer.journal, layer.clock, viewer, 0, FAST)
    sent = [await anext(stream.content) for _ in range(2)]
    layer.emit(clinic, booked(), LegalAcceptanceRequired(uuid4(), person=viewer.actor.user_id))
    await until(lambda: layer.hub.position == 8)
    sent += [chunk async for chunk in stream.content]
    frames = [parse(block) for chunk in sent for block in chunk.decode().strip().split("\n\n")]
    assert [frame.id for frame in frames if frame.id] == [1, 2]
    assert (frames[-1].event, frames[-1].data) == ("stream.closed", {"reason": "access_ended"})


async def test_an_end_waits_for_no_slow_client(layer: Layer, clinic: ClinicId) -> None:
    """A client that is in the midst of taking something when its stream ends has a second more, not twenty."""
    stream = await layer.hub.subscribe(layer.viewer(clinic, "staff"))
    cut: list[bool] = []
    layer.hub.watch(stream, lambda: cut.append(True))
    now = asyncio.get_running_loop().time()
    stream.given_up_at = now + 20
    layer.hub.end_all([stream], "access_ended")
    stream.look(now + 0.9)
    assert not cut
    stream.look(now + 1.1)
    assert cut
