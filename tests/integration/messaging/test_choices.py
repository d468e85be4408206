"""What a clinic and its clients decide about reminders."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.messaging.scene import DAY, Scene
from tests.integration.messaging.servers import MailServer

from coravet.core.messaging.links import mint

RULE = {"kind": "visit_reminder", "channel": "mail", "minutes_before": 1440}


async def test_rules(scene: Scene) -> None:
    """Rules and quiet hours are replaced as a whole, and read as they were written."""
    assert await scene.service.done("GET", f"{scene.base}/reminder-rules", scene.clinic.owner) == {
        "rules": [],
        "quiet_hours": None,
    }
    body = {
        "rules": [RULE | {"enabled": False}, RULE | {"minutes_before": 60, "enabled": True}],
        "quiet_hours": {"begins": "20:30", "ends": "07:00"},
    }
    at = f"{scene.base}/reminder-rules"
    assert await scene.service.done("PUT", at, scene.clinic.owner, json=body) == body
    assert await scene.service.done("GET", at, scene.clinic.owner) == body


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"rules": [RULE, RULE]}, "/rules/1", "duplicate_rule"),
        ({"rules": [RULE | {"kind": "visit_booked"}]}, "/rules/0/kind", "not_allowed"),
        ({"rules": [RULE | {"minutes_before": -1}]}, "/rules/0/minutes_before", "too_small"),
        ({"rules": [RULE | {"channel": "sms"}]}, "/rules/0/channel", "not_allowed"),
        ({"rules": [], "quiet_hours": {"begins": "25:00", "ends": "07:00"}}, "/quiet_hours/begins", "malformed"),
        ({}, "/rules", "required"),
    ],
)
async def test_bad_rules(body: dict[str, Any], pointer: str, code: str, service: Service, clinic: Clinic) -> None:
    """A rule that cannot be is refused at its place."""
    answer = await service.ask("PUT", f"/clinics/{clinic.slug}/reminder-rules", clinic.owner, json=body)
    assert answer.status_code == 422
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in answer.json()["errors"]}


async def test_rules_at_once(scene: Scene) -> None:
    """Of rules that several replace at once, one set is stored, whole."""
    at = f"{scene.base}/reminder-rules"
    sets = [{"rules": [RULE | {"minutes_before": 60 * n + m} for m in range(3)], "quiet_hours": None} for n in range(8)]
    answers = await asyncio.gather(*(scene.service.ask("PUT", at, scene.clinic.owner, json=each) for each in sets))
    assert {answer.status_code for answer in answers} == {200}
    found = await scene.service.done("GET", at, scene.clinic.owner)
    minutes = {rule["minutes_before"] for rule in found["rules"]}
    assert minutes in [{rule["minutes_before"] for rule in each["rules"]} for each in sets]  # type: ignore[attr-defined, index] -- JSON


async def test_choices(service: Service, clinic: Clinic) -> None:
    """Nothing is assumed; who took a choice down, when and how it was told is kept, and so is each one before it."""
    person = {"given_name": "Ana", "family_name": "Pérez"}
    made = await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=person)
    at = f"/clinics/{clinic.slug}/clients/{made['id']}/channels"
    nothing = {"allowed": False, "source": None, "recorded_by": None, "chosen_at": None}
    found = await service.done("GET", at, clinic.owner)
    assert (found["id"], found["mail"], found["whatsapp"]) == (made["id"], nothing, nothing)
    found = await service.done("PUT", at, clinic.people["staff"], json={"mail": True, "source": "phone"})
    assert found["mail"]["chosen_at"] is not None
    assert found["mail"] | {"chosen_at": None} == {
        "allowed": True,
        "source": "phone",
        "recorded_by": clinic.ids["staff_member_id"],
        "chosen_at": None,
    }
    assert found["whatsapp"] == nothing
    again = await service.done("PUT", at, clinic.owner, json={"mail": True, "whatsapp": False})
    assert (again["mail"], again["whatsapp"]["allowed"]) == (found["mail"], False)
    await service.done("PUT", at, clinic.owner, json={"mail": False})
    async with superuser(service.settings) as admin:
        kept = await admin.fetch(
            "SELECT channel, allowed FROM channel_choices WHERE client_id = $1 ORDER BY chosen_at, id", UUID(made["id"])
        )
    assert [tuple(row) for row in kept] == [("mail", True), ("whatsapp", False), ("mail", False)]


async def test_told_once(service: Service, clinic: Clinic) -> None:
    """A choice, or a set of rules, is told of with the version that came of it; what is so already is not told of."""
    at = f"/clinics/{clinic.slug}/clients/{clinic.ids['client_id']}/channels"
    before = await service.done("PUT", at, clinic.owner, json={"mail": True, "whatsapp": True})
    version = before["version"]

    async def told() -> list[tuple[str, int]]:
        async with superuser(service.settings) as admin:
            rows = await admin.fetch(
                "SELECT kind, subject_version FROM outbox WHERE clinic_id = $1 ORDER BY id", UUID(clinic.id)
            )
        return [tuple(row) for row in rows]

    known = len(await told())
    for _ in range(2):
        found = await service.done("PUT", at, clinic.owner, json={"mail": False})
        assert found["version"] == version + 1
    assert await service.done("GET", at, clinic.owner) == found
    of_clinic = (await service.done("GET", f"/clinics/{clinic.slug}", clinic.owner))["version"]
    rules = {"rules": [RULE, RULE | {"minutes_before": 60}], "quiet_hours": {"begins": "20:30", "ends": "07:00"}}
    await service.done("PUT", f"/clinics/{clinic.slug}/reminder-rules", clinic.owner, json=rules)
    rules["rules"].reverse()  # type: ignore[attr-defined] -- JSON
    await service.done("PUT", f"/clinics/{clinic.slug}/reminder-rules", clinic.owner, json=rules)
    assert (await told())[known:] == [("client.updated", version + 1), ("clinic.updated", of_clinic + 1)]
    await service.done(
        "PUT", f"/clinics/{clinic.slug}/reminder-rules", clinic.owner, json={**rules, "quiet_hours": None}
    )
    assert (await told())[known + 2 :] == [("clinic.updated", of_clinic + 2)]


async def test_recalls(service: Service, clinic: Clinic) -> None:
    """Open recalls are listed by their day; a closed one is gone, and cannot be closed again."""
    base = f"/clinics/{clinic.slug}/recalls"
    body = {"patient_id": clinic.ids["patient_id"], "kind": "follow_up", "due_on": "2029-05-02", "note": " puntos  "}
    made = await service.done("POST", base, clinic.owner, json=body)
    assert made | {"id": None} == {
        "id": None,
        "kind": "follow_up",
        "patient_id": clinic.ids["patient_id"],
        "patient_name": "Firulais",
        "client_id": clinic.ids["client_id"],
        "client_name": "Zoila Quimbiurco",
        "due_on": "2029-05-02",
        "note": "puntos",
    }
    found = await service.done("GET", base, clinic.owner, params={"patient_id": clinic.ids["patient_id"]})
    own = (made["id"], clinic.ids["recall_id"])  # beside those that follow doses
    assert [item["id"] for item in found["items"] if item["id"] in own] == list(own)
    await service.done("DELETE", f"{base}/{made['id']}", clinic.owner)
    assert (await service.ask("DELETE", f"{base}/{made['id']}", clinic.owner)).status_code == 404
    found = await service.done("GET", base, clinic.owner)
    assert made["id"] not in [item["id"] for item in found["items"]]
    answer = await service.ask("POST", base, clinic.owner, json=body | {"due_on": "0206-05-02"})
    assert [error["code"] for error in answer.json()["errors"]] == ["out_of_range"]


async def test_opt_out(scene: Scene, mails: MailServer) -> None:
    """The link in a reminder shows what it ends and changes nothing until somebody posts; then no more reminders come,
    and other links end nothing."""
    visit = await scene.visit()
    await scene.send((await scene.queue("visit_reminder", visit["id"]))["mail"])
    [mail] = mails.mails
    path = str(mail["List-Unsubscribe"]).strip("<>").partition("/api/v1")[2]
    for _ in range(3):
        shown = await scene.service.ask("GET", path)
        assert shown.json() == {"clinic_name": scene.clinic.slug, "ended": False}
    one_click = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        ended = await scene.service.ask("POST", path, headers=one_click, content=b"List-Unsubscribe=One-Click")
        assert (ended.status_code, ended.json()["ended"]) == (200, True)
    at = f"{scene.base}/clients/{scene.clinic.ids['client_id']}/channels"
    choices = await scene.service.done("GET", at, scene.clinic.owner)
    assert (choices["mail"]["allowed"], choices["mail"]["source"]) == (False, "opt_out_link")
    assert choices["whatsapp"]["allowed"]
    scene.clock.at += DAY
    await scene.send((await scene.queue("visit_reminder", visit["id"]))["mail"])
    assert len(mails.mails) == 1
    body = mail.get_body()
    assert body is not None
    others = [line.rpartition("/")[2] for line in body.get_content().splitlines() if "/bookings/" in line]
    assert len(others) == 3
    client_id = UUID(scene.clinic.ids["client_id"])
    async with scene.service.application.works.begin(scene.actor) as work:
        others.append(await mint(work, "see", client_id, scene.clock.at + DAY))
        others.append(await mint(work, "opt_out", client_id, scene.clock.at - 3 * DAY))
    for token in [*others, "unknown"]:
        for method in ("GET", "POST"):
            assert (await scene.service.ask(method, f"/portal/opt-outs/{token}")).status_code == 404
