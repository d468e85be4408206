"""A mail scanner: a program that fetches every address in every mail, before its reader does."""

import re
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from typing import get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.integration.http.service import superuser
from tests.integration.messaging.scene import DAY, Scene
from tests.integration.messaging.servers import MailServer
from tests.integration.portal.parts import act, booked, configure, stranger

from coravet.core.messaging.model import MessageKind, RecallKind
from coravet.core.messaging.plan import plan

ZONE = ZoneInfo("America/Guayaquil")
ADDRESS = re.compile(r"https?://[^\s<>\"]+")
LINKS = {
    "visit_requested": {"bookings": 4},
    "visit_booked": {"bookings": 3},
    "visit_confirmed": {"bookings": 3},
    "visit_moved": {"bookings": 3},
    "visit_cancelled": {},
    "visit_reminder": {"bookings": 3, "opt-outs": 1},
    "vaccine_due": {"opt-outs": 1},
    "deworming_due": {"opt-outs": 1},
    "follow_up": {"opt-outs": 1},
    "waitlist_offer": {"offers": 1},
}
"""How many addresses of each sort are in a mail of each kind."""

_TABLES = """
SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND c.column_name = 'clinic_id' AND t.table_type = 'BASE TABLE' ORDER BY 1
"""


async def _state(scene: Scene) -> dict[str, list[str]]:
    """Every row of the clinic in every table, and its jobs; of an event not the number that it gets later."""
    async with superuser(scene.service.settings) as admin:
        tables = [(row["table_name"], "clinic_id") for row in await admin.fetch(_TABLES)]
        state = {}
        for table, key in [*tables, ("clinics", "id")]:
            rows = await admin.fetch(
                f"SELECT to_jsonb(t) - 'number' AS row FROM {table} t WHERE {key} = $1",  # noqa: S608 -- from the catalogue
                UUID(scene.clinic.id),
            )
            state[table] = sorted(row["row"] for row in rows)
        jobs = await admin.fetch(
            "SELECT to_jsonb(j) AS row FROM jobs.pgqueuer j WHERE convert_from(payload, 'UTF8') LIKE $1",
            f"%{scene.clinic.id}%",
        )
        return state | {"jobs": sorted(row["row"] for row in jobs)}


async def _send(scene: Scene, at: datetime) -> None:
    """Have every mail of the clinic sent that is due."""
    scene.clock.at = at
    async with superuser(scene.service.settings) as admin:
        rows = await admin.fetch(
            "SELECT id FROM messages WHERE clinic_id = $1 AND channel = 'mail' AND status = 'planned' ORDER BY due_at",
            UUID(scene.clinic.id),
        )
    for row in rows:
        await scene.send(row["id"])


async def _mail_of_every_kind(scene: Scene) -> None:
    """What guests, staff, who waits and the clinic's rules bring about in a clinic, each in its own way."""
    service, clinic, owner = scene.service, scene.clinic, scene.clinic.owner
    recalls = get_args(RecallKind)
    await scene.remind(
        {"kind": "visit_reminder", "channel": "mail", "minutes_before": 60},
        *({"kind": kind, "channel": "mail", "minutes_before": 0} for kind in recalls),
    )
    for step in ("", "confirm", "reschedule", "cancel"):
        made = await booked(service, clinic, clinic.guest(client=stranger(email=f"{step or 'asked'}@guest.test")))
        if step:
            content = {"json": {"starts_at": clinic.slot()}} if step == "reschedule" else {}
            answer = await act(service, made["tokens"][step], step, **content)
            assert answer.status_code == 200, answer.text
    await configure(service, clinic, guest_needs_confirmation=False)
    await booked(service, clinic, clinic.guest(client=stranger(email="booked@guest.test")))
    waits = f"{scene.base}/waitlist/{clinic.ids['entry_id']}"
    await service.done("POST", f"{waits}/decline", owner)
    await service.done("POST", f"{waits}/offer", owner, json={"starts_at": clinic.slot()})
    day = (scene.clock.at + 10 * DAY).astimezone(ZONE).date()
    await scene.visit(datetime.combine(day, time(10), ZONE))
    for kind in recalls:
        recall = {"patient_id": clinic.ids["patient_id"], "kind": kind, "due_on": day.isoformat()}
        await service.done("POST", f"{scene.base}/recalls", owner, json=recall)
    await _send(scene, datetime.now(UTC) + timedelta(minutes=1))
    scene.clock.at = datetime.combine(day, time(9), ZONE).astimezone(UTC)
    await plan(service.system_begin, scene.clock)
    await _send(scene, scene.clock.at)


def _addresses(mail: EmailMessage) -> set[str]:
    """Every address in a mail: in its headers, its texts and what is attached, with folded lines joined."""
    texts = [str(value) for part in mail.walk() for value in part.values()]
    for part in mail.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            texts.append(re.sub(r"\r?\n[ \t]", "", content.decode()))
    return {address for text in texts for address in ADDRESS.findall(text)}


async def test_scanner(scene: Scene, mails: MailServer) -> None:
    """Whoever fetches every address in a mail of every kind, guests' included, changes nothing in the clinic."""
    await _mail_of_every_kind(scene)
    async with superuser(scene.service.settings) as admin:
        rows = await admin.fetch("SELECT id, kind FROM messages WHERE clinic_id = $1", UUID(scene.clinic.id))
    kinds = {f"<{row['id']}@coravet.test>": row["kind"] for row in rows}
    addresses: set[str] = set()
    for mail in mails.mails:
        kind, found = kinds[mail["Message-ID"]], _addresses(mail)
        sorts = [address.rsplit("/", 2)[1] for address in found]
        assert {sort: sorts.count(sort) for sort in sorts} == LINKS[kind], kind
        addresses |= found
    assert {kinds[mail["Message-ID"]] for mail in mails.mails} == set(get_args(MessageKind)) == set(LINKS)
    assert len([mail for mail in mails.mails if mail["To"].endswith("@guest.test")]) == 5
    before = await _state(scene)
    for address in sorted(addresses):
        path = re.sub("^https?://[^/]+", "", address)
        shown = await scene.service.client.get(path)
        assert shown.status_code == 200, (address, shown.text)
        assert (await scene.service.client.head(path)).status_code in {200, 405}
    assert await _state(scene) == before
    # What is compared would show it: the same addresses act once something is posted to them.
    [ends] = [path for path in addresses if "/opt-outs/" in path][:1]
    await scene.service.client.post(re.sub("^https?://[^/]+", "", ends))
    after = await _state(scene)
    assert {table for table in after if after[table] != before[table]} == {"channel_choices", "clients", "outbox"}
