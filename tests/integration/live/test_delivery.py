"""From a commit to the open streams of every process, whatever goes wrong in between."""

import asyncio
import random
from statistics import median
from time import monotonic
from uuid import uuid4

import pytest
from tests.integration.live.parts import Process, Service
from tests.unit.live.parts import Client, until

from coravet.adapters.fanout.postgres import APPLICATION
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.events import (
    AppointmentBooked,
    MemberDeactivated,
    MemberInvited,
    MemberRolesChanged,
    SessionEnded,
)

pytestmark = pytest.mark.alone


def booked() -> AppointmentBooked:
    return AppointmentBooked(uuid4(), 1)


async def take_id(work: ClinicWork, actor: Actor) -> None:
    """Raise an event whose id is taken now, however late the commit."""
    await work.execute(
        "INSERT INTO outbox (clinic_id, id, kind, audience, subject_type, subject_id)"
        " VALUES ($1, $2, 'appointment.booked', 'clinic', 'appointment', $2)",
        actor.clinic_id,
        work.new_id(),
    )


async def ids(client: Client, count: int) -> list[int | None]:
    return [(await client.next()).id for _ in range(count)]


async def test_across_processes(service: Service) -> None:
    """What is committed on one process is on the streams of another within a second."""
    here, there = await service.run(), await service.run()
    actor = await service.member(None, "staff")
    clients = [await service.connect(process, actor) for process in (here, there)]
    waits = []
    for number in range(1, 6):
        began = monotonic()
        await here.emit(actor, booked())
        assert [(await client.next()).id for client in clients] == [number, number]
        waits.append(monotonic() - began)
    assert median(waits) < 1


async def test_a_work_that_is_rolled_back_is_not_heard_of(service: Service) -> None:
    """An event of a work that failed reaches nobody."""
    process = await service.run()
    actor = await service.member(None, "staff")
    client = await service.connect(process, actor)

    async def fail() -> None:
        async with process.works.begin(actor) as work:
            await take_id(work, actor)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await process.emit(actor, booked())
    assert await ids(client, 1) == [1]
    assert client.quiet()


async def test_late_commit_of_an_early_id(service: Service) -> None:
    """An event whose id was taken first and committed last comes after those that overtook it, not never."""
    process = await service.run()
    actor = await service.member(None, "staff")
    client = await service.connect(process, actor)
    late = booked()
    async with process.works.begin(actor) as work:
        await take_id(work, actor)
        await process.emit(actor, late)
        first = await client.next()
    process.dispatcher.wake()
    second = await client.next()
    assert first.data["subject"]["id"] == str(late.id)
    assert (first.id, second.id) == (1, 2)


async def test_many_writers_and_readers_that_come_and_go(service: Service) -> None:
    """With commits out of order and readers that drop and resume at random, each reader gets each event once."""
    processes = [await service.run(), await service.run()]
    writers = [await service.member(None, "staff")]
    clinic_id = writers[0].clinic_id
    writers += [await service.member(clinic_id, "staff") for _ in range(7)]
    total = len(writers) * 12

    dice = random.Random()  # noqa: S311 -- decides who commits when

    async def write(actor: Actor, process: Process) -> None:
        for _ in range(12):
            async with process.works.begin(actor) as work:
                await take_id(work, actor)
                await asyncio.sleep(dice.uniform(0, 0.02))
            process.dispatcher.wake()

    async def read(actor: Actor) -> list[int]:
        seen: list[int] = []
        last = 0
        while len(seen) < total:
            client = await service.connect(dice.choice(processes), actor, last)
            for _ in range(dice.randint(1, 20)):
                frame = await client.next(beats=True)
                assert frame.event != "stream.resync"
                assert frame.id is not None
                last = frame.id
                if frame.event == "appointment.booked":
                    seen.append(frame.id)
                if len(seen) == total:
                    break
            await client.hang_up()
        return seen

    reading = [asyncio.create_task(read(actor)) for actor in writers[:4]]
    await asyncio.gather(*(write(actor, dice.choice(processes)) for actor in writers))
    async with asyncio.timeout(60):
        for seen in await asyncio.gather(*reading):
            assert seen == list(range(1, total + 1))


async def test_a_foreign_clinic_sees_nothing(service: Service) -> None:
    """Neither live nor in a replay does anything of a clinic reach another's owner."""
    process = await service.run()
    here, foreign = await service.member(None, "owner"), await service.member(None, "owner")
    stranger = await service.connect(process, foreign)
    own = await service.connect(process, here)
    await process.emit(here, booked(), MemberInvited(uuid4()))
    assert await ids(own, 2) == [1, 2]
    assert stranger.quiet()
    again = await service.connect(process, foreign, 0)
    await process.emit(foreign, booked())
    assert await ids(again, 1) == [3]
    assert again.quiet()


async def test_the_listener_is_killed(service: Service) -> None:
    """When the listening connection is cut, everything still arrives, and it is listening again soon."""
    process = await service.run()
    actor = await service.member(None, "staff")
    client = await service.connect(process, actor)
    admin = await service.admin()
    await process.emit(actor, booked())
    assert await ids(client, 1) == [1]
    killed = await admin.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = $1 AND datname = current_database()",
        APPLICATION,
    )
    assert killed == 1
    await process.emit(actor, booked(), booked())
    assert await ids(client, 2) == [2, 3]
    await until(lambda: process.fanout.listening)
    await process.emit(actor, booked())
    assert await ids(client, 1) == [4]


async def test_every_connection_is_killed(service: Service) -> None:
    """When the database drops every connection, as in a restart, everything still arrives."""
    process = await service.run()
    actor = await service.member(None, "staff")
    client = await service.connect(process, actor)
    admin = await service.admin()
    for round_ in range(3):
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        async with asyncio.timeout(30):
            while True:
                try:
                    await process.emit(actor, booked())
                    break
                except Exception:  # noqa: BLE001 -- the driver tells of a cut connection in many ways; all mean: again
                    await asyncio.sleep(0.02)
        assert await ids(client, 1) == [round_ + 1]


async def test_a_process_that_died_after_its_commit(service: Service) -> None:
    """What a process committed in its last moment is numbered and handed out by another one."""
    dying, other = service.process(), await service.run()
    actor = await service.member(None, "staff")
    client = await service.connect(other, actor)
    await dying.emit(actor, booked())
    assert await ids(client, 1) == [1]


async def test_a_lost_announcement(service: Service) -> None:
    """What a process numbered and could not announce is handed out all the same, within about a second."""
    dying, other = service.process(), await service.run()
    actor = await service.member(None, "staff")
    client = await service.connect(other, actor)
    await dying.emit(actor, booked())
    await dying.journal.number(10)
    assert await ids(client, 1) == [1]


async def test_deactivated_on_another_process(service: Service) -> None:
    """A deactivation on one process ends the person's stream on another within a second."""
    here, there = await service.run(), await service.run()
    manager = await service.member(None, "manager")
    waits = []
    for _ in range(5):
        staff = await service.member(manager.clinic_id, "staff")
        assert staff.member_id is not None
        client = await service.connect(there, staff)
        began = monotonic()
        await here.emit(manager, MemberDeactivated(staff.member_id, 2))
        assert (await client.next()).data == {"reason": "access_ended"}
        waits.append(monotonic() - began)
        await client.over()
    assert median(waits) < 1


async def test_roles_follow_the_database(service: Service) -> None:
    """A change of roles takes effect on an open stream, by what the database says of the member."""
    process = await service.run()
    manager = await service.member(None, "manager")
    staff = await service.member(manager.clinic_id, "staff")
    client = await service.connect(process, staff)
    async with process.works.begin(manager) as work:
        member = await work.members.get(staff.member_id)
        member.roles = ["manager", "staff"]
        member.version += 1
        work.emit(MemberRolesChanged(member.id, member.version))
    await process.emit(manager, MemberInvited(uuid4()))
    assert [(await client.next()).event for _ in range(2)] == ["member.roles_changed", "member.invited"]


async def test_logged_out(service: Service) -> None:
    """Logging out ends the streams of that session."""
    process = await service.run()
    actor = await service.member(None, "staff")
    client = await service.connect(process, actor)
    [stream] = process.hub.streams()
    assert actor.user_id is not None
    await process.emit(actor, SessionEnded(stream.viewer.session_id, person=actor.user_id))
    assert (await client.next()).data == {"reason": "session_revoked"}


async def test_no_connection_is_held(service: Service) -> None:
    """Open streams hold none of the pool's connections."""
    process = await service.run()
    actor = await service.member(None, "staff")
    clients = [await service.connect(process, actor, 0) for _ in range(30)]
    for client in clients:
        await client.next(beats=True)
    await asyncio.sleep(0.05)
    assert process.engine.pool.checkedout() <= 2


async def test_a_role_is_taken_amid_a_burst(service: Service) -> None:
    """Streams on two processes and a replay carry what needs a permission up to the event that took it, and nothing of
    it after, while what is for everybody goes on."""
    here, there = await service.run(), await service.run()
    manager = await service.member(None, "manager")
    leaving = await service.member(manager.clinic_id, "manager")
    clients = [await service.connect(process, leaving) for process in (here, there)]

    async def burst() -> None:
        for _ in range(30):
            await here.emit(manager, booked(), MemberInvited(uuid4()))

    await burst()
    async with here.works.begin(manager) as work:
        member = await work.members.get(leaving.member_id)
        member.roles = ["staff"]
        member.version += 1
        work.emit(MemberRolesChanged(member.id, member.version))
    await burst()
    for before in (30, 30, 0):
        # Guards that ran before the change let in whoever comes with the permissions of then.
        client = clients.pop(0) if clients else await service.connect(there, leaving, 0)
        kinds = [(await client.next()).event for _ in range(61 + before)]
        assert kinds.count("appointment.booked") == 60
        assert kinds.count("member.invited") == before
        kinds.remove("member.roles_changed")  # of which its own person is told, at its place
        assert kinds[2 * before :] == ["appointment.booked"] * (60 - before)
        assert client.quiet()
