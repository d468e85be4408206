"""What becomes of a message when it is due: over real SMTP, on real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import icalendar
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from tests.integration.http.service import superuser
from tests.integration.messaging.scene import DAY, Scene
from tests.integration.messaging.servers import MailServer

from coravet.adapters.postgres.tenancy.store import PostgresDirectory
from coravet.core.messaging.links import hash_link
from coravet.core.messaging.ports import Letter, NotDelivered
from coravet.core.messaging.send import LEASE, MOST_ATTEMPTS, Post

ZONE = ZoneInfo("America/Guayaquil")


async def _events(scene: Scene, message_id: UUID) -> list[str]:
    async with superuser(scene.service.settings) as admin:
        rows = await admin.fetch("SELECT kind FROM outbox WHERE subject_id = $1 ORDER BY id", message_id)
    return [row["kind"] for row in rows]


async def test_sent(scene: Scene, mails: MailServer) -> None:
    """A mail arrives once, with the visit's entry and with links of one purpose each, of which only hashes are kept."""
    visit = await scene.visit()
    ids = await scene.queue("visit_booked", visit["id"])
    await scene.send(ids["mail"])
    await scene.send(ids["mail"])
    [mail] = mails.mails
    assert mail["To"] == "zq@correo.test"
    assert mail["Message-ID"] == f"<{ids['mail']}@coravet.test>"
    body = mail.get_body()
    assert body is not None
    text = body.get_content()
    assert "Hola, Zoila: la cita de Firulais está agendada: Consulta, el " in text
    [attached] = list(mail.iter_attachments())
    [event] = icalendar.Calendar.from_ical(attached.get_content()).events
    assert event["UID"] == f"{visit['id']}@coravet"
    assert event.start == datetime.fromisoformat(visit["starts_at"])
    directory = PostgresDirectory(scene.service.application.engine)
    addresses = [line for line in text.splitlines() if line.startswith("http")]
    found = [await directory.link(hash_link(line.rpartition("/")[2])) for line in addresses]
    assert [(each.purpose, str(each.subject_id)) for each in found if each] == [
        (purpose, visit["id"]) for purpose in ("see", "reschedule", "cancel")
    ]
    row = await scene.row(ids["mail"])
    assert (row["status"], row["attempts"], row["why"], row["sent_at"]) == ("sent", 1, None, scene.clock.at)
    assert await _events(scene, ids["mail"]) == ["reminder.sent"]


async def test_at_once(scene: Scene, mails: MailServer) -> None:
    """Ten workers with the same message send it once."""
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])
    await asyncio.gather(*(scene.send(ids["mail"]) for _ in range(10)))
    assert len(mails.mails) == 1


@pytest.mark.parametrize(
    ("step", "why"), [("cancel", "visit_cancelled"), ("no-show", "visit_no_show"), ("check-in", "visit_checked_in")]
)
async def test_changed_meanwhile(step: str, why: str, scene: Scene, mails: MailServer) -> None:
    """A visit that was called off, missed or begun between queueing and sending is not reminded of."""
    visit = await scene.visit()
    ids = await scene.queue("visit_reminder", visit["id"])
    await scene.service.done("POST", f"{scene.base}/appointments/{visit['id']}/{step}", scene.clinic.owner)
    for message_id in ids.values():
        await scene.send(message_id)
        row = await scene.row(message_id)
        assert (row["status"], row["why"], row["attempts"]) == ("skipped", why, 0)
    assert mails.tried == 0


async def test_cancelled(scene: Scene, mails: MailServer) -> None:
    """A cancelled visit is told as such, with an entry that takes it off the reader's calendar."""
    visit = await scene.visit()
    await scene.service.done("POST", f"{scene.base}/appointments/{visit['id']}/cancel", scene.clinic.owner)
    await scene.send((await scene.queue("visit_cancelled", visit["id"]))["mail"])
    [mail] = mails.mails
    [attached] = list(mail.iter_attachments())
    assert attached.get_param("method") == "CANCEL"


async def test_once_for_all(scene: Scene, mails: MailServer) -> None:
    """Called off, taken back and called off again before anything was sent, a visit is told of once: cancelled."""
    visit = await scene.visit()
    await scene.step(visit["id"], "cancel", "back", "cancel")
    assert await scene.send_all(visit["id"]) == [
        ("visit_booked", "skipped", "visit_cancelled"),
        ("visit_cancelled", "skipped", "superseded"),
        ("visit_confirmed", "skipped", "visit_cancelled"),
        ("visit_cancelled", "sent", None),
    ]
    assert [mail["Subject"].partition(":")[0] for mail in mails.mails] == ["Cita cancelada de Firulais"]


async def test_once_while_mail_is_down(scene: Scene, mails: MailServer) -> None:
    """What was tried in vain and is old news when mail works again is not sent; how things stand is, once."""
    visit = await scene.visit()
    mails.answers = ["451 Try again later"]
    assert await scene.send_all(visit["id"]) == [("visit_booked", "planned", "smtp_451")]
    await scene.step(visit["id"], "cancel", "back")
    scene.clock.at += timedelta(minutes=5)
    assert await scene.send_all(visit["id"]) == [
        ("visit_booked", "skipped", "superseded"),
        ("visit_cancelled", "skipped", "visit_confirmed"),
        ("visit_confirmed", "sent", None),
    ]
    assert [mail["Subject"].partition(":")[0] for mail in mails.mails] == ["Cita confirmada de Firulais"]


async def test_moved_and_back(scene: Scene, mails: MailServer) -> None:
    """A visit that was moved away and back to its time is told of once."""
    visit = await scene.visit()
    at = f"{scene.base}/appointments/{visit['id']}/reschedule"
    for starts_at in (scene.clinic.slot(), visit["starts_at"]):
        await scene.service.done("POST", at, scene.clinic.owner, json={"starts_at": starts_at})
    assert await scene.send_all(visit["id"]) == [
        ("visit_booked", "skipped", "superseded"),
        ("visit_moved", "skipped", "visit_moved"),
        ("visit_moved", "sent", None),
    ]
    assert len(mails.mails) == 1


async def test_on_the_list(scene: Scene) -> None:
    """Of what waits to be sent by hand, old news has no link any more, and says why."""
    visit = await scene.visit()
    await scene.step(visit["id"], "cancel", "back")
    scene.clock.at = datetime.now(UTC) + timedelta(seconds=1)
    # All three were handed to staff before the steps were known to be old news.
    async with superuser(scene.service.settings) as admin:
        await admin.execute("UPDATE messages SET status = 'waiting' WHERE subject_id = $1", UUID(visit["id"]))
    found = await scene.service.done(
        "GET", f"{scene.base}/messages", scene.clinic.owner, params={"channel": "whatsapp", "status": "waiting"}
    )
    told = [each for each in found["items"] if each["subject_id"] == visit["id"]]
    assert [(each["kind"], each["why"], each["url"] is None) for each in told] == [
        ("visit_confirmed", None, False),
        ("visit_cancelled", "visit_confirmed", True),
        ("visit_booked", "superseded", True),
    ]


async def test_moved_meanwhile(scene: Scene, mails: MailServer) -> None:
    """What was queued for the old time of a visit is not sent; what was queued since is, with the new time."""
    visit = await scene.visit()
    old = await scene.queue("visit_reminder", visit["id"])
    at = f"{scene.base}/appointments/{visit['id']}/reschedule"
    moved = await scene.service.done("POST", at, scene.clinic.owner, json={"starts_at": scene.clinic.slot()})
    scene.clock.at += timedelta(seconds=1)
    new = await scene.queue("visit_moved", moved["id"])
    await scene.send(old["mail"])
    await scene.send(new["mail"])
    assert (await scene.row(old["mail"]))["why"] == "visit_moved"
    [mail] = mails.mails
    local = datetime.fromisoformat(moved["starts_at"]).astimezone(ZONE)
    assert f"{local:%H:%M}" in mail["Subject"]


async def test_died_meanwhile(scene: Scene, mails: MailServer) -> None:
    """Nobody is reminded to bring an animal that died."""
    ids = await scene.queue("visit_reminder", (await scene.visit())["id"])
    at = f"{scene.base}/patients/{scene.clinic.ids['patient_id']}/deceased"
    await scene.service.done("POST", at, scene.clinic.owner, json={})
    await scene.send(ids["mail"])
    row = await scene.row(ids["mail"])
    assert row["status"] == "skipped"
    assert row["why"] in {"patient_deceased", "visit_cancelled"}
    assert mails.tried == 0


@pytest.mark.parametrize("channel", ["mail", "whatsapp"])
async def test_died_on_its_way(scene: Scene, mails: MailServer, channel: str) -> None:
    """What had not left when a death was recorded does not: no server takes it later, and nobody sends it by hand."""
    ids = await scene.queue("visit_reminder", (await scene.visit())["id"])
    at = f"{scene.base}/patients/{scene.clinic.ids['patient_id']}/deceased"

    class Slow:
        """The channel, to whom a letter is handed just before the death is recorded."""

        async def deliver(self, letter: Letter) -> Literal["sent", "waiting"]:
            assert (await scene.service.done("POST", at, scene.clinic.owner))["deceased_on"] is not None
            if letter.channel == "whatsapp":
                return "waiting"
            raise NotDelivered("server_unreachable", again=True)

    await scene.send(ids[channel], Post(scene.post.writer, {channel: Slow()}))
    scene.clock.at += timedelta(hours=2)
    await scene.send(ids[channel])
    row = await scene.row(ids[channel])
    assert (row["status"], row["why"]) == ("skipped", "patient_deceased")
    assert mails.tried == 0
    assert await _events(scene, ids[channel]) == []


async def test_consent_revoked(scene: Scene, mails: MailServer) -> None:
    """Consent that was taken back between queueing and sending holds; what answers a booking goes by mail all the
    same, and nothing goes over WhatsApp."""
    visit = await scene.visit()
    reminder, booked = [await scene.queue(kind, visit["id"]) for kind in ("visit_reminder", "visit_booked")]
    await scene.choose(mail=False, whatsapp=False, source="phone")
    for message_id in (*reminder.values(), *booked.values()):
        await scene.send(message_id)
    told = {message_id: await scene.row(message_id) for message_id in (*reminder.values(), *booked.values())}
    assert {message_id for message_id, row in told.items() if row["status"] == "sent"} == {booked["mail"]}
    assert {row["why"] for row in told.values() if row["status"] == "skipped"} == {"no_consent"}
    assert len(mails.mails) == 1


async def test_no_address(scene: Scene) -> None:
    """A client without a mail address gets none, and the message says so."""
    at = f"{scene.base}/clients/{scene.clinic.ids['client_id']}"
    await scene.service.done("PATCH", at, scene.clinic.owner, json={"email": None})
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])
    await scene.send(ids["mail"])
    assert (await scene.row(ids["mail"]))["why"] == "no_address"


async def test_no_mail_server(scene: Scene) -> None:
    """Where no mail server is set, mails are skipped and say so."""
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])
    await scene.send(ids["mail"], scene.over(smtp_url=None))
    row = await scene.row(ids["mail"])
    assert (row["status"], row["why"]) == ("skipped", "channel_off")


async def test_not_yet(scene: Scene, mails: MailServer) -> None:
    """A job that comes before its message is due leaves it for then."""
    due_at = scene.clock.at + timedelta(hours=1)
    ids = await scene.queue("visit_booked", (await scene.visit())["id"], due_at)
    await scene.send(ids["mail"])
    assert mails.tried == 0
    assert await scene.jobs(ids["mail"]) == [due_at, due_at]


async def test_later(scene: Scene, mails: MailServer) -> None:
    """What the server cannot take now is tried again after a pause, and then sent, under one Message-ID."""
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])
    mails.answers = ["451 Try again later"]
    await scene.send(ids["mail"])
    row = await scene.row(ids["mail"])
    assert (row["status"], row["why"], row["attempts"]) == ("planned", "smtp_451", 1)
    assert row["not_before"] > scene.clock.at
    assert (await scene.jobs(ids["mail"]))[-1] == row["not_before"]
    await scene.send(ids["mail"])
    assert mails.tried == 1, "the pause is kept, whoever asks"
    scene.clock.at = row["not_before"]
    await scene.send(ids["mail"])
    row = await scene.row(ids["mail"])
    assert (row["status"], row["why"], row["attempts"], len(mails.mails)) == ("sent", None, 2, 1)


@pytest.mark.parametrize("answer", ["550 No such mailbox", "554 Refused"])
async def test_never(answer: str, scene: Scene, mails: MailServer) -> None:
    """What the server refuses for good has failed, with its code and without its words; nobody tries again."""
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])
    mails.answers = [answer]
    await scene.send(ids["mail"])
    scene.clock.at += DAY
    await scene.send(ids["mail"])
    row = await scene.row(ids["mail"])
    assert (row["status"], row["why"], row["attempts"]) == ("failed", f"smtp_{answer[:3]}", 1)
    assert mails.tried == 1


async def test_given_up(scene: Scene, mails: MailServer) -> None:
    """After so many attempts a message has failed."""
    visit = await scene.visit(datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + 20 * DAY)
    ids = await scene.queue("visit_booked", visit["id"])
    mails.answers = ["451 Try again later"] * 20
    for _ in range(MOST_ATTEMPTS + 2):
        await scene.send(ids["mail"])
        scene.clock.at = (await scene.row(ids["mail"]))["not_before"] or scene.clock.at + DAY
    row = await scene.row(ids["mail"])
    assert (row["status"], row["why"]) == ("failed", "smtp_451")
    assert mails.tried == MOST_ATTEMPTS


async def test_unreachable(scene: Scene) -> None:
    """A server that does not answer is tried again."""
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])
    await scene.send(ids["mail"], scene.over(smtp_url=SecretStr("smtp://127.0.0.1:1"), mail_from="citas@coravet.test"))
    row = await scene.row(ids["mail"])
    assert (row["status"], row["why"]) == ("planned", "mail_unreachable")


async def test_crash(scene: Scene, mails: MailServer) -> None:
    """Whoever dies between handing a mail over and writing that down leaves it to be sent again, under the same
    Message-ID, and not before the attempt's lease is over."""
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])

    class Dies:
        """Takes a mail and is gone."""

        async def deliver(self, letter: Any) -> Any:
            await scene.post.messengers["mail"].deliver(letter)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await scene.send(ids["mail"], Post(scene.post.writer, {"mail": Dies()}))
    await scene.send(ids["mail"])
    assert len(mails.mails) == 1
    scene.clock.at += LEASE
    await scene.send(ids["mail"])
    assert [mail["Message-ID"] for mail in mails.mails] == [f"<{ids['mail']}@coravet.test>"] * 2
    assert (await scene.row(ids["mail"]))["attempts"] == 2


async def test_quiet_hours(scene: Scene, mails: MailServer) -> None:
    """A reminder that falls due at night waits until morning; an answer to a booking does not."""
    tomorrow = (scene.clock.at.astimezone(ZONE) + DAY).date()
    visit = await scene.visit(datetime.combine(tomorrow + 2 * DAY, time(10), ZONE))
    await scene.remind(quiet=("20:00", "07:00"))
    scene.clock.at = datetime.combine(tomorrow, time(23), ZONE).astimezone(UTC)
    morning = datetime.combine(tomorrow + DAY, time(7), ZONE)
    reminder, booked = [(await scene.queue(kind, visit["id"]))["mail"] for kind in ("visit_reminder", "visit_booked")]
    await scene.send(reminder)
    await scene.send(booked)
    assert len(mails.mails) == 1
    row = await scene.row(reminder)
    assert (row["status"], row["not_before"], row["attempts"]) == ("planned", morning, 0)
    assert (await scene.jobs(reminder))[-1] == morning
    scene.clock.at = morning.astimezone(UTC)
    await scene.send(reminder)
    assert (await scene.row(reminder))["status"] == "sent"


async def test_quiet_until_too_late(scene: Scene, mails: MailServer) -> None:
    """Where quiet hours last until the visit begins, nobody is woken for it: the reminder is skipped."""
    tomorrow = (scene.clock.at.astimezone(ZONE) + DAY).date()
    visit = await scene.visit(datetime.combine(tomorrow, time(6, 30), ZONE))
    await scene.remind(quiet=("20:00", "07:00"))
    scene.clock.at = datetime.combine(tomorrow, time(5), ZONE).astimezone(UTC)
    ids = await scene.queue("visit_reminder", visit["id"])
    await scene.send(ids["mail"])
    row = await scene.row(ids["mail"])
    assert (row["status"], row["why"], mails.tried) == ("skipped", "quiet_hours", 0)


async def test_nothing_personal_is_logged(scene: Scene, mails: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    """No name, address, phone or token reaches a log, whatever the server answers."""
    visit = await scene.visit()
    with capture_logs() as logs:
        for answer in ("250 OK", "451 zq@correo.test", "550 zq@correo.test unknown"):
            mails.answers = [answer]
            scene.clock.at += timedelta(seconds=1)
            await scene.send((await scene.queue("visit_booked", visit["id"]))["mail"])
    told = caplog.text + repr(logs) + repr([dict(row) for row in await scene.rows(visit["id"])])
    for word in ("zq@correo.test", "Zoila", "Firulais", "593991234567"):
        assert word not in told


async def test_offer(scene: Scene, mails: MailServer) -> None:
    """Who waits is told of the time they are offered, with a link that opens the offer; not once it is answered."""
    ids, base, owner = scene.clinic.ids, scene.base, scene.clinic.owner
    at = f"{base}/waitlist/{ids['entry_id']}"
    for accepted in (False, True):
        entry = await scene.service.done("GET", f"{base}/waitlist", owner)
        if not accepted:
            await scene.service.done("POST", f"{at}/decline", owner)
            entry = await scene.service.done("POST", f"{at}/offer", owner, json={"starts_at": scene.clinic.slot()})
        else:
            await scene.service.done("POST", f"{at}/accept", owner)
            entry = entry["items"][0]
        async with superuser(scene.service.settings) as admin:
            message_id = await admin.fetchval(
                "SELECT m.id FROM messages m JOIN waitlist w ON w.hold_id = m.subject_id"
                " WHERE w.id = $1 AND m.channel = 'mail'",
                entry["id"],
            )
            await admin.execute("UPDATE messages SET status = 'planned', sent_at = NULL WHERE id = $1", message_id)
        scene.clock.at += timedelta(seconds=5)
        await scene.send(message_id)
        if accepted:
            assert (await scene.row(message_id))["why"] == "visit_booked"
    [mail] = mails.mails
    body = mail.get_body()
    assert body is not None
    text = body.get_content()
    assert "se liberó un espacio para Firulais: Consulta, el " in text
    [address] = [line for line in text.splitlines() if line.startswith("http")]
    path, _, token = address.rpartition("/")
    assert path.endswith("/api/v1/portal/offers")
    shown = await scene.service.ask("GET", f"/portal/offers/{token}", {})
    assert (shown.json()["status"], shown.json()["patient"]) == ("accepted", "Firulais")
