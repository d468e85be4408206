"""What the live layer tells of itself."""

from datetime import timedelta
from uuid import uuid4

from tests.unit.live.parts import Client, Layer, until
from tests.unit.noted import Noted

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.events import AppointmentBooked, EncounterOpened
from coravet.core.legal.gate import CachedGate
from coravet.entrypoints.live.dispatcher import Dispatcher
from coravet.entrypoints.live.hub import Hub
from coravet.entrypoints.live.stream import Pace
from coravet.entrypoints.live.sweep import Sweep


def noted(layer: Layer) -> Noted:
    """What this layer measures from now on."""
    found = layer.hub.measures = layer.dispatcher._measures = Noted()
    return found


async def test_events(layer: Layer, clinic: ClinicId) -> None:
    """Frames are counted once for each stream that hears, with how late they come; so are the lots they come in."""
    measures = noted(layer)
    vet = await layer.connect(layer.viewer(clinic, "vet"))
    staff = await layer.connect(layer.viewer(clinic, "staff"))
    layer.emit(clinic, AppointmentBooked(uuid4(), 1), EncounterOpened(uuid4(), 1))
    assert await vet.kinds(2) == ["appointment.booked", "encounter.opened"]
    assert await staff.kinds(1) == ["appointment.booked"]
    assert measures.counts["live_frames",] == 3
    assert [what for what, _ in measures.durations] == ["live_delay", "live_delay"]
    assert all(seconds >= 0 for _, seconds in measures.durations)
    assert measures.sizes == [2]
    assert measures.levels["live_backlog"] == 0


async def test_returns(layer: Layer, clinic: ClinicId) -> None:
    """What was replayed to those who came back is counted, and who had to load anew."""
    measures = noted(layer)
    layer.emit(clinic, *(AppointmentBooked(uuid4(), 1) for _ in range(5)))
    await until(lambda: layer.hub.position == 5)
    viewer = layer.viewer(clinic, "staff")
    await layer.connect(viewer, 2)
    await layer.connect(viewer, 999)
    assert (measures.counts["live_replayed",], measures.counts["live_resyncs",]) == (3, 1)


async def test_ends(layer: Layer, clinic: ClinicId) -> None:
    """Each stream that ended is counted once, by its reason; one whose client went, as that."""
    measures = noted(layer)
    clients: list[Client] = [await layer.connect(layer.viewer(clinic, "staff")) for _ in range(3)]
    await clients[0].hang_up()
    stalled = await layer.connect(layer.viewer(clinic, "staff"), pace=Pace(proof=3600, stalled=0.05))
    await stalled.next(beats=True)
    stalled.reading.clear()
    layer.emit(clinic, AppointmentBooked(uuid4(), 1))
    await stalled.over()
    layer.hub.stop()
    for client in clients[1:]:
        await client.over()
    assert measures.counts == {
        ("live_closed", "left"): 1,
        ("live_closed", "too_slow"): 1,
        ("live_closed", "shutting_down"): 2,
        ("live_frames",): 3,
    }


async def test_sweeps(layer: Layer, clinic: ClinicId) -> None:
    """Rounds and questions are counted by their outcome, and when everybody was last verified is told."""
    measures = Noted()
    layer.hub.measures = measures
    await layer.connect(layer.viewer(clinic, "staff"))
    async with Sweep(layer.hub, layer.identity, layer.forgotten.append, layer.clock, measures, every=0.02):
        await until(lambda: measures.counts["live_sweeps", "worked"] >= 1)
        worked_at = measures.levels["live_swept_at"]
        assert worked_at == layer.clock.now().timestamp()
        layer.identity.reachable = False
        layer.clock.instant += timedelta(seconds=1)
        await until(lambda: measures.counts["live_sweeps", "failed"] >= 1)
        assert measures.levels["live_swept_at"] == worked_at
    assert measures.counts["identity_calls", "answered"] >= 1
    assert measures.counts["identity_calls", "failed"] >= 1
    assert {what for what, _ in measures.durations} == {"live_sweeps"}


async def test_a_process_that_has_only_begun(layer: Layer) -> None:
    """Before its first sweep, reading and numbering a process says that it is late with nothing, not with all."""
    measures = Noted()
    Sweep(layer.hub, layer.identity, layer.forgotten.append, layer.clock, measures)
    Dispatcher(layer.journal, layer.fanout, layer.clock, measures)
    Hub(layer.journal, layer.fanout, layer.directory, CachedGate(layer.gate, layer.clock), layer.clock, measures)
    now = layer.clock.now().timestamp()
    assert measures.levels == dict.fromkeys(("live_swept_at", "live_numbered_at", "live_read_at"), now)


async def test_a_journal_that_does_not_answer(layer: Layer) -> None:
    """Since when nothing was numbered and read shows where it fails, though the backlog stays as it was."""
    measures = Noted()
    dispatcher = Dispatcher(layer.journal, layer.fanout, layer.clock, measures, look_seconds=0.02)
    hub = Hub(
        layer.journal,
        layer.fanout,
        layer.directory,
        CachedGate(layer.gate, layer.clock),
        layer.clock,
        measures,
        look_seconds=0.02,
    )

    def since() -> set[float]:
        return {measures.levels["live_numbered_at"], measures.levels["live_read_at"]}

    async with dispatcher, hub:
        layer.clock.instant += timedelta(seconds=1)
        worked_at = layer.clock.now().timestamp()
        await until(lambda: since() == {worked_at})
        layer.journal.reachable = False
        layer.clock.instant += timedelta(seconds=60)
        calls = layer.journal.calls
        await until(lambda: layer.journal.calls >= calls + 4)
        assert since() == {worked_at}
        layer.journal.reachable = True
        await until(lambda: since() == {worked_at + 60})
