"""From the booking to the mail, by the worker's own hands."""

import asyncio
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr
from tests.integration.http.service import running
from tests.integration.messaging.scene import Scene, set_scene
from tests.integration.messaging.servers import MailServer
from tests.integration.parts.people import People

from coravet.adapters.memory.apart import MemoryApart
from coravet.bootstrap import timetable, worker
from coravet.core.kernel.clock import SystemClock
from coravet.settings import Settings


@pytest.fixture
def own_settings(fresh_database: Settings, auth_emulator: str, mails: MailServer) -> Settings:
    """A whole service on a database and a mail server of its own."""
    return fresh_database.model_copy(
        update={
            "firebase_auth_emulator_host": auth_emulator,
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{mails.port}"),
            "mail_from": "citas@coravet.test",
        }
    )


async def _until_waiting(scene: Scene, visit_id: str) -> None:
    async with asyncio.timeout(30):
        while {row["status"] for row in await scene.rows(visit_id)} & {"planned"}:  # noqa: ASYNC110 -- the database tells nobody
            await asyncio.sleep(0.1)


async def test_worker(own_settings: Settings, people: People, mails: MailServer) -> None:
    """What a booking queues and what the rules plan reaches the client by mail, and staff's list for WhatsApp."""
    async with running(own_settings, people) as service, worker(own_settings) as hands:
        scene = await set_scene(service, mails.port)
        await scene.remind({"kind": "visit_reminder", "channel": "mail", "minutes_before": 10})
        visit = await scene.visit()
        planned = [
            each
            for each in timetable(
                service.application.works, SystemClock(), MemoryApart(), service.application.studio.store
            )
            if each.name == "reminders"
        ]
        assert [each.crontab for each in planned] == ["*/5 * * * *"]
        await planned[0].run()
        stop = asyncio.Event()
        working = asyncio.create_task(hands.run(stop))
        await _until_waiting(scene, visit["id"])
        stop.set()
        await working
        rows = {row["channel"]: row for row in await scene.rows(visit["id"])}
        told = {channel: row["status"] for channel, row in rows.items()}
        assert told == {"mail": "sent", "whatsapp": "waiting"}
    # The clinic's other visits are told of, too.
    [mail] = [each for each in mails.mails if str(rows["mail"]["id"]) in each["Message-ID"]]
    assert mail["Subject"].startswith("Cita de Firulais: ")
    sent = mail["Date"].datetime
    assert abs(sent - datetime.now(sent.tzinfo)) < timedelta(minutes=2)
