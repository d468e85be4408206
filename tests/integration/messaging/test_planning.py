"""Which reminders are made, and when: once, and for the time that a visit has now."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from tests.integration.http.service import superuser
from tests.integration.messaging.scene import DAY, Scene
from tests.integration.messaging.servers import MailServer

from coravet.core.messaging.plan import AHEAD, BEHIND, LATE, plan

ZONE = ZoneInfo("America/Guayaquil")
A_DAY_BEFORE = {"kind": "visit_reminder", "channel": "mail", "minutes_before": 1440}


async def _plan(scene: Scene, at: datetime) -> None:
    scene.clock.at = at
    await plan(scene.service.system_begin, scene.clock)


def _start(visit: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(visit["starts_at"])


@pytest.fixture
async def visit(scene: Scene) -> dict[str, Any]:
    """A visit some days ahead, in a clinic that reminds a day before."""
    await scene.remind(A_DAY_BEFORE)
    start = (scene.clock.at + 10 * DAY).replace(hour=15, minute=0, second=0)
    return await scene.visit(start)


async def test_once(scene: Scene, visit: dict[str, Any]) -> None:
    """However often and at however many places it is planned, a reminder is made once, with one job for its time."""
    due_at = _start(visit) - DAY
    await _plan(scene, due_at - AHEAD - timedelta(seconds=1))
    assert await scene.reminders(visit["id"]) == []
    scene.clock.at = due_at - timedelta(minutes=30)
    await asyncio.gather(*(plan(scene.service.system_begin, scene.clock) for _ in range(5)))
    await _plan(scene, due_at)
    [row] = await scene.reminders(visit["id"])
    assert (row["kind"], row["channel"], row["due_at"]) == ("visit_reminder", "mail", due_at)
    assert (row["starts_at"], row["status"]) == (_start(visit), "planned")
    assert await scene.jobs(row["id"]) == [due_at]


async def test_every_rule(scene: Scene, visit: dict[str, Any]) -> None:
    """Each rule that is switched on has its reminder; one that is switched off, none."""
    await scene.remind(
        A_DAY_BEFORE,
        A_DAY_BEFORE | {"channel": "whatsapp"},
        A_DAY_BEFORE | {"minutes_before": 1450},
        A_DAY_BEFORE | {"minutes_before": 1455, "enabled": False},
    )
    await _plan(scene, _start(visit) - DAY)
    rows = await scene.reminders(visit["id"])
    assert [(row["channel"], _start(visit) - row["due_at"]) for row in rows] == [
        ("mail", timedelta(minutes=1450)),
        ("mail", DAY),
        ("whatsapp", DAY),
    ]


async def test_another_rule(scene: Scene, visit: dict[str, Any]) -> None:
    """What a former rule planned is withdrawn when another takes its place; what a kept rule planned stays planned."""
    kept = A_DAY_BEFORE | {"minutes_before": 1450}
    await scene.remind(A_DAY_BEFORE, kept)
    await _plan(scene, _start(visit) - DAY)
    await scene.remind(A_DAY_BEFORE | {"minutes_before": 1435}, kept)
    await _plan(scene, _start(visit) - DAY)
    found = {_start(visit) - row["due_at"]: (row["status"], row["why"]) for row in await scene.reminders(visit["id"])}
    assert found == {
        timedelta(minutes=1450): ("planned", None),
        timedelta(minutes=1440): ("skipped", "superseded"),
        timedelta(minutes=1435): ("planned", None),
    }


async def test_moved(scene: Scene, visit: dict[str, Any], mails: MailServer) -> None:
    """A visit that was moved gets a reminder for its new time; the one for the old time is not sent."""
    await _plan(scene, _start(visit) - DAY)
    new = _start(visit) + DAY
    at = f"{scene.base}/appointments/{visit['id']}/reschedule"
    await scene.service.done("POST", at, scene.clinic.owner, json={"starts_at": new.isoformat()})
    await _plan(scene, new - DAY)
    old, fresh = await scene.reminders(visit["id"])
    assert fresh["due_at"] == new - DAY
    for row in (old, fresh):
        await scene.send(row["id"])
    assert [(row["status"], row["why"]) for row in await scene.reminders(visit["id"])] == [
        ("skipped", "visit_moved"),
        ("sent", None),
    ]
    assert len(mails.mails) == 1


async def test_not_of_others(scene: Scene, visit: dict[str, Any]) -> None:
    """Nothing is made for a visit that was called off, whose reminder is long past, or that was booked after it."""
    at = f"{scene.base}/appointments/{visit['id']}/cancel"
    soon = await scene.visit(scene.clock.at.replace(minute=0, second=0) + timedelta(hours=23))
    late = await scene.visit(_start(visit) + timedelta(hours=1))
    await scene.service.done("POST", at, scene.clinic.owner)
    await _plan(scene, _start(visit) - DAY)
    await _plan(scene, _start(late) - DAY + BEHIND + timedelta(seconds=1))
    await _plan(scene, datetime.now(UTC))
    assert await scene.reminders(visit["id"]) == []
    assert await scene.reminders(soon["id"]) == []
    assert await scene.reminders(late["id"]) == []


async def test_behind(scene: Scene, visit: dict[str, Any]) -> None:
    """A reminder that fell due while nobody planned is made, for some time."""
    await _plan(scene, _start(visit) - DAY + BEHIND)
    assert len(await scene.reminders(visit["id"])) == 1


async def test_recalls(scene: Scene, mails: MailServer) -> None:
    """A recall is reminded of by its day, reckoned from nine in the morning of the clinic, until it is closed."""
    await scene.remind({"kind": "vaccine_due", "channel": "mail", "minutes_before": 1440})
    day = (scene.clock.at + 30 * DAY).astimezone(ZONE).date()
    body = {"patient_id": scene.clinic.ids["patient_id"], "kind": "vaccine_due", "due_on": day.isoformat()}
    open_, closed, other = [
        await scene.service.done("POST", f"{scene.base}/recalls", scene.clinic.owner, json=body | change)
        for change in ({}, {}, {"kind": "follow_up"})
    ]
    nine = datetime(day.year, day.month, day.day, 9, tzinfo=ZONE)
    await scene.service.done("DELETE", f"{scene.base}/recalls/{closed['id']}", scene.clinic.owner)
    await _plan(scene, (nine - DAY).astimezone(UTC))
    assert await scene.reminders(closed["id"]) == await scene.reminders(other["id"]) == []
    [row] = await scene.reminders(open_["id"])
    assert row["due_at"] == nine - DAY
    await scene.send(row["id"])
    [mail] = mails.mails
    assert mail["Subject"] == "A Firulais le toca su vacuna"
    assert mail["List-Unsubscribe"] is not None


async def test_lost_job(scene: Scene, visit: dict[str, Any]) -> None:
    """A message whose job was lost gets another, one at a time."""
    await _plan(scene, _start(visit) - DAY)
    [row] = await scene.reminders(visit["id"])
    async with superuser(scene.service.settings) as admin:
        await admin.execute("DELETE FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE $1", f"%{row['id']}%")
    late = row["due_at"] + LATE + timedelta(seconds=1)
    for _ in range(3):
        await _plan(scene, late)
    assert await scene.jobs(row["id"]) == [row["due_at"]]


async def test_let_go(scene: Scene, visit: dict[str, Any]) -> None:
    """What still waits to be sent by hand when its visit begins is taken off the list."""
    ids = await scene.queue("visit_reminder", visit["id"])
    await scene.send(ids["whatsapp"])
    await _plan(scene, _start(visit) - timedelta(minutes=1))
    assert (await scene.row(ids["whatsapp"]))["status"] == "waiting"
    await _plan(scene, _start(visit))
    row = await scene.row(ids["whatsapp"])
    assert (row["status"], row["why"]) == ("skipped", "visit_past")


async def test_many(scene: Scene, visit: dict[str, Any]) -> None:
    """More reminders than one batch holds are all made."""
    async with superuser(scene.service.settings) as admin:
        await admin.execute(
            "INSERT INTO recalls (clinic_id, id, patient_id, kind, due_on, due_at, created_at)"
            " SELECT $1, gen_random_uuid(), $2, 'follow_up', $3::timestamptz::date, $3, now()"
            " FROM generate_series(1, 1200)",
            UUID(scene.clinic.id),
            UUID(scene.clinic.ids["patient_id"]),
            _start(visit),
        )
    await scene.remind({"kind": "follow_up", "channel": "mail", "minutes_before": 0})
    await _plan(scene, _start(visit))
    async with superuser(scene.service.settings) as admin:
        made = "SELECT count(*) FROM messages WHERE clinic_id = $1 AND kind = 'follow_up'"
        assert await admin.fetchval(made, UUID(scene.clinic.id)) == 1200
        await admin.execute("UPDATE recalls SET closed_at = now() WHERE clinic_id = $1", UUID(scene.clinic.id))
        await admin.execute("UPDATE messages SET status = 'skipped' WHERE clinic_id = $1", UUID(scene.clinic.id))
