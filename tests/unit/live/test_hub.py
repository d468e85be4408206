"""Who is handed what, and what a change of access does to open streams."""

import asyncio
from uuid import uuid4

import pytest
from tests.unit.live.parts import NEVER, Layer

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.events import (
    AppointmentBooked,
    MemberDeactivated,
    MemberInvited,
    MemberRolesChanged,
    SessionEnded,
)
from coravet.entrypoints.live import dispatcher
from coravet.entrypoints.live import hub as hubs
from coravet.entrypoints.live.hub import Viewer


def booked() -> AppointmentBooked:
    return AppointmentBooked(uuid4(), 1)


def deactivated(viewer: Viewer) -> MemberDeactivated:
    assert viewer.actor.member_id is not None
    return MemberDeactivated(viewer.actor.member_id, 2)


def roles_changed(layer: Layer, viewer: Viewer, *roles: str) -> MemberRolesChanged:
    """The event of a change that is in the directory already; no roles: no longer a member at all."""
    assert viewer.actor.user_id is not None
    assert viewer.actor.member_id is not None
    if roles:
        layer.directory.roles[viewer.actor.user_id, viewer.actor.clinic_id] = list(roles)
    else:
        del layer.directory.roles[viewer.actor.user_id, viewer.actor.clinic_id]
    return MemberRolesChanged(viewer.actor.member_id, 2)


async def test_a_clinic_hears_only_of_itself(layer: Layer, clinic: ClinicId, other_clinic: ClinicId) -> None:
    """Events reach every stream of their clinic and none of another."""
    here = [await layer.connect(layer.viewer(clinic, "staff")) for _ in range(2)]
    there = await layer.connect(layer.viewer(other_clinic, "owner"))
    layer.emit(clinic, booked())
    assert [(await client.next()).id for client in here] == [1, 1]
    layer.emit(other_clinic, booked())
    assert (await there.next()).id == 2
    assert all(client.quiet() for client in [*here, there])


async def test_a_permission_is_an_audience(layer: Layer, clinic: ClinicId) -> None:
    """What is for holders of a permission reaches them and nobody else."""
    manager = await layer.connect(layer.viewer(clinic, "manager"))
    vet = await layer.connect(layer.viewer(clinic, "vet"))
    layer.emit(clinic, MemberInvited(uuid4()), booked())
    assert await manager.kinds(2) == ["member.invited", "appointment.booked"]
    assert await vet.kinds(1) == ["appointment.booked"]
    assert vet.quiet()


async def test_a_person_is_an_audience(layer: Layer, clinic: ClinicId) -> None:
    """What is for one person reaches that person's streams, and not even an owner's."""
    viewer = layer.viewer(clinic, "staff")
    first, second = await layer.connect(viewer), await layer.connect(viewer)
    owner = await layer.connect(layer.viewer(clinic, "owner"))
    assert viewer.actor.user_id is not None
    layer.emit(clinic, SessionEnded(uuid4(), person=viewer.actor.user_id), booked())
    for client in (first, second):
        assert await client.kinds(2) == ["session.ended", "appointment.booked"]
    assert await owner.kinds(1) == ["appointment.booked"]


async def test_deactivated(layer: Layer, clinic: ClinicId, other_clinic: ClinicId) -> None:
    """A member's streams end with their access, in that clinic only; colleagues go on."""
    viewer = layer.viewer(clinic, "manager")
    elsewhere = Viewer(
        actor=layer.viewer(other_clinic, "staff").actor,
        uid=viewer.uid,
        session_id=viewer.session_id,
        issued_at=viewer.issued_at,
        expires_at=viewer.expires_at,
        verified_at=viewer.verified_at,
    )
    gone, other = await layer.connect(viewer), await layer.connect(elsewhere)
    colleague = await layer.connect(layer.viewer(clinic, "manager"))
    layer.emit(clinic, deactivated(viewer), booked())
    frame = await gone.next()
    assert (frame.event, frame.data) == ("stream.closed", {"reason": "access_ended"})
    await gone.over()
    assert await colleague.kinds(2) == ["member.deactivated", "appointment.booked"]
    assert other.quiet()
    assert not other.ended.is_set()
    assert layer.directory.calls == 0


async def test_a_client_that_does_not_read_is_cut_off_all_the_same(layer: Layer, clinic: ClinicId) -> None:
    """A stream that ended is out of the hub at once, also where its client takes nothing any more."""
    viewer = layer.viewer(clinic, "staff")
    gone = await layer.connect(viewer)
    colleague = await layer.connect(layer.viewer(clinic, "manager"))
    await gone.next(beats=True)
    gone.reading.clear()
    layer.emit(clinic, booked(), deactivated(viewer))
    await colleague.kinds(2)
    assert len(layer.hub.streams()) == 1
    gone.reading.set()
    assert (await gone.kinds(1))[0] in {"stream.closed", "appointment.booked"}
    await gone.over()


async def test_promoted(layer: Layer, clinic: ClinicId) -> None:
    """From the event of a promotion on, an open stream carries what the new role may see."""
    viewer = layer.viewer(clinic, "staff")
    client = await layer.connect(viewer)
    layer.emit(clinic, MemberInvited(uuid4()), roles_changed(layer, viewer, "staff", "manager"), MemberInvited(uuid4()))
    assert await client.kinds(2) == ["member.roles_changed", "member.invited"]
    assert layer.directory.calls == 1


async def test_demoted(layer: Layer, clinic: ClinicId) -> None:
    """From the event of a demotion on, nothing of the old role reaches an open stream; of the demotion it is told."""
    viewer = layer.viewer(clinic, "manager")
    client = await layer.connect(viewer)
    layer.emit(clinic, MemberInvited(uuid4()), roles_changed(layer, viewer, "vet"), MemberInvited(uuid4()), booked())
    assert await client.kinds(3) == ["member.invited", "member.roles_changed", "appointment.booked"]
    assert client.quiet()


async def test_ones_own_place(layer: Layer, clinic: ClinicId) -> None:
    """Whoever does not manage members hears of their own place, on every stream of theirs, and of nobody else's."""
    viewer, colleague = layer.viewer(clinic, "staff"), layer.viewer(clinic, "vet")
    clients = [await layer.connect(viewer) for _ in range(2)]
    other = await layer.connect(colleague)
    layer.emit(clinic, roles_changed(layer, colleague, "staff"), roles_changed(layer, viewer, "vet"), booked())
    for client in clients:
        assert await client.kinds(2) == ["member.roles_changed", "appointment.booked"]
    first = await other.next()
    assert first.data is not None
    assert first.data["subject"]["id"] == str(colleague.actor.member_id)  # type: ignore[index] # an event's data
    assert await other.kinds(1) == ["appointment.booked"]
    resumed = await layer.connect(viewer, last_event_id=0)
    assert await resumed.kinds(2) == ["member.roles_changed", "appointment.booked"]


async def test_demoted_while_resuming(layer: Layer, clinic: ClinicId) -> None:
    """A change of roles that comes while a replay is read holds for what was read, too."""
    viewer = layer.viewer(clinic, "manager")
    layer.emit(clinic, MemberInvited(uuid4()), booked())
    await layer.settled()
    replay = layer.journal.replay

    async def slow(*arguments: object) -> object:
        read = await replay(*arguments)
        layer.emit(clinic, roles_changed(layer, viewer, "vet"))
        await layer.settled()
        return read

    layer.journal.replay = slow
    client = await layer.connect(viewer, last_event_id=0)
    assert await client.kinds(2) == ["appointment.booked", "member.roles_changed"]
    assert client.quiet()


async def test_changed_and_gone_since(layer: Layer, clinic: ClinicId) -> None:
    """Where the change of roles is overtaken by the end of the membership the stream ends."""
    viewer = layer.viewer(clinic, "manager")
    client = await layer.connect(viewer)
    layer.emit(clinic, roles_changed(layer, viewer))
    assert (await client.next()).data == {"reason": "access_ended"}


async def test_one_question_for_all_tabs(layer: Layer, clinic: ClinicId) -> None:
    """A member's change of roles costs one query, however many streams the member has open."""
    viewer = layer.viewer(clinic, "staff")
    clients = [await layer.connect(viewer) for _ in range(3)]
    layer.emit(clinic, roles_changed(layer, viewer, "manager"))
    for client in clients:
        assert await client.kinds(1) == ["member.roles_changed"]
    assert layer.directory.calls == 1


async def test_order_waits_for_the_permissions(layer: Layer, clinic: ClinicId) -> None:
    """While new permissions cannot be read nothing that follows is handed out, and then everything is."""
    viewer = layer.viewer(clinic, "manager")
    client = await layer.connect(viewer)
    memberships = layer.directory.memberships

    async def failing(_: object) -> None:
        raise Unavailable("The database does not answer.")

    layer.directory.memberships = failing
    layer.emit(clinic, roles_changed(layer, viewer, "vet"), MemberInvited(uuid4()), booked())
    await asyncio.sleep(0.05)
    assert client.quiet()
    layer.directory.memberships = memberships
    frames = [await client.next() for _ in range(2)]
    assert [(frame.event, frame.id) for frame in frames] == [("member.roles_changed", 1), ("appointment.booked", 3)]


async def test_logged_out(layer: Layer, clinic: ClinicId) -> None:
    """The streams of a session that was logged out end; the same person's other sessions go on."""
    viewer, elsewhere = layer.viewer(clinic, "staff"), layer.viewer(clinic, "staff", session_id=uuid4())
    ended, kept = await layer.connect(viewer), await layer.connect(elsewhere)
    assert viewer.actor.user_id is not None
    layer.emit(clinic, SessionEnded(viewer.session_id, person=viewer.actor.user_id), booked())
    assert (await ended.next()).data == {"reason": "session_revoked"}
    assert await kept.kinds(1) == ["appointment.booked"]


@pytest.mark.parametrize("change", ["deactivated", "demoted", "logged out"])
async def test_guards_that_ran_before_the_change(layer: Layer, clinic: ClinicId, change: str) -> None:
    """A stream whose guards ran before a change of access, and that opens after it, follows it all the same."""
    viewer = layer.viewer(clinic, "manager")
    assert viewer.actor.user_id is not None
    match change:
        case "deactivated":
            event = deactivated(viewer)
            roles_changed(layer, viewer)
        case "demoted":
            event = roles_changed(layer, viewer, "vet")
        case _:
            event = SessionEnded(viewer.session_id, person=viewer.actor.user_id)
    layer.emit(clinic, event)
    await layer.settled()
    client = await layer.connect(viewer)
    layer.emit(clinic, MemberInvited(uuid4()), booked())
    expected = {"deactivated": "stream.closed", "demoted": "appointment.booked", "logged out": "stream.closed"}
    assert await client.kinds(1) == [expected[change]]


async def test_unknown_permissions_open_nothing(layer: Layer, clinic: ClinicId) -> None:
    """Where a change of access is fresh and the membership cannot be read, no stream opens and nothing of it stays."""
    viewer = layer.viewer(clinic, "manager")
    layer.emit(clinic, roles_changed(layer, viewer, "vet"))
    await layer.settled()

    async def failing(_: object) -> None:
        raise Unavailable("The database does not answer.")

    layer.directory.memberships = failing
    with pytest.raises(Unavailable):
        await layer.connect(viewer)
    assert layer.hub.streams() == []


async def test_every_process_hands_out(layer: Layer, clinic: ClinicId) -> None:
    """Streams on every process get every event once."""
    other = await layer.start(layer.make_hub())
    clients = [await layer.connect(layer.viewer(clinic, "staff"), hub=hub) for hub in (layer.hub, other)]
    layer.emit(clinic, *(booked() for _ in range(3)))
    for client in clients:
        assert [(await client.next()).id for _ in range(3)] == [1, 2, 3]
        assert client.quiet()


async def test_announcements_may_be_lost(layer: Layer, clinic: ClinicId) -> None:
    """Where no announcement arrives, events come by the hub's own look."""
    hub = await layer.start(layer.make_hub(look_seconds=0.02))
    client = await layer.connect(layer.viewer(clinic, "staff"), hub=hub)
    layer.fanout.connected = False
    layer.emit(clinic, booked())
    assert (await client.next()).id == 1


async def test_the_journal_may_fail(layer: Layer, clinic: ClinicId) -> None:
    """After an outage of the journal everything arrives, in order."""
    hub = await layer.start(layer.make_hub(look_seconds=0.02))
    client = await layer.connect(layer.viewer(clinic, "staff"), hub=hub)
    layer.journal.reachable = False
    layer.emit(clinic, booked(), booked())
    await asyncio.sleep(0.05)
    layer.journal.reachable = True
    assert [(await client.next()).id for _ in range(2)] == [1, 2]


async def test_a_long_backlog_in_portions(layer: Layer, clinic: ClinicId, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog is numbered and handed out in portions between which streams send: it makes nobody too slow."""
    monkeypatch.setattr(dispatcher, "BATCH", 30)
    monkeypatch.setattr(hubs, "BATCH", 10)
    hub = await layer.start(layer.make_hub(pending=25))
    client = await layer.connect(layer.viewer(clinic, "staff"), hub=hub)
    layer.emit(clinic, *(booked() for _ in range(200)))
    assert [(await client.next()).id for _ in range(200)] == list(range(1, 201))


async def test_a_database_restored_from_a_backup(layer: Layer, clinic: ClinicId) -> None:
    """Where the numbers went back, streams end so that their clients come back through the guards and load anew."""
    viewer = layer.viewer(clinic, "staff")
    hub = await layer.start(layer.make_hub(look_seconds=0.02))
    client = await layer.connect(viewer, hub=hub)
    layer.emit(clinic, booked(), booked(), booked())
    assert [(await client.next()).id for _ in range(3)] == [1, 2, 3]
    layer.journal.restore(1)
    assert (await client.next()).event == "stream.closed"
    again = await layer.connect(viewer, last_event_id=3, hub=hub)
    assert (await again.next(beats=True)).event == "stream.resync"
    layer.emit(clinic, booked())
    assert (await again.next()).id == 2


async def test_a_process_that_slept_for_a_day(layer: Layer, clinic: ClinicId) -> None:
    """Where events were pruned before this process read them, its streams end instead of skipping them."""
    viewer = layer.viewer(clinic, "staff")
    hub = await layer.start(layer.make_hub(look_seconds=NEVER))
    client = await layer.connect(viewer, hub=hub)
    for _ in range(3):
        layer.journal.record(booked(), clinic)
    await layer.journal.number(3)
    await layer.journal.prune(layer.clock.now().replace(year=9000), 2)
    layer.emit(clinic, booked())
    assert (await client.next()).event == "stream.closed"
    again = await layer.connect(viewer, last_event_id=0, hub=hub)
    assert (await again.next(beats=True)).event == "stream.resync"


async def test_all_was_pruned_that_was_not_read(layer: Layer, clinic: ClinicId) -> None:
    """Streams end at once where what they missed is gone and nothing has happened since, as where another machine's
    clock is a day ahead."""
    viewer = layer.viewer(clinic, "staff")
    client = await layer.connect(viewer)
    layer.journal.record(booked(), clinic)
    numbered = await layer.journal.number(10)
    await layer.journal.prune(layer.clock.now().replace(year=9000), 10)
    await layer.fanout.announce(numbered.highest)
    assert (await client.next()).event == "stream.closed"
    again = await layer.connect(viewer, last_event_id=0)
    assert (await again.next(beats=True)).event == "stream.resync"
