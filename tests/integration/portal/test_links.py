"""What guests do by the links they were given: each link shows, and one thing besides, once it is posted."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.messaging.scene import set_scene
from tests.integration.messaging.servers import MailServer, mail_server
from tests.integration.portal.parts import act, booked, configure, everything, execute, instant, rows, stranger

STEPS = ("confirm", "reschedule", "cancel")


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    """A real SMTP server on loopback."""
    async with mail_server() as server:
        yield server


def _body(clinic: Clinic, step: str) -> dict[str, Any]:
    return {"json": {"starts_at": clinic.slot()}} if step == "reschedule" else {}


async def _steps(service: Service, clinic: Clinic, visit: str) -> list[tuple[str, str]]:
    found = [
        row for row in await rows(service, clinic, "appointment_transitions") if str(row["appointment_id"]) == visit
    ]
    return [(row["step"], row["by"]) for row in sorted(found, key=lambda row: row["id"])]


async def test_seeing(service: Service, clinic: Clinic) -> None:
    """Each link shows the visit as the guest wrote it, what can still be done with it, and nothing of the clinic's."""
    made = await booked(service, clinic, clinic.guest(patient={"name": "FIRULAIS", "species": "dog"}))
    seen = [(await service.ask("GET", f"/portal/bookings/{token}")).json() for token in made["tokens"].values()]
    assert all(each == seen[0] for each in seen)
    assert seen[0]["patient"]["name"] == "FIRULAIS"
    start = instant(made["starts_at"])
    cutoff = start - timedelta(minutes=120)
    assert {each["step"]: instant(each["until"]) for each in seen[0]["can"]} == {
        "confirm": start,
        "reschedule": cutoff,
        "cancel": cutoff,
    }
    for secret in (clinic.ids["client_id"], clinic.ids["patient_id"], "Quimbiurco", "zq@correo.test"):
        assert secret not in str(seen[0])


async def test_staff_visits(service: Service, clinic: Clinic) -> None:
    """A visit that staff booked is shown by its links, too."""
    await service.receive(clinic)
    seen = (await service.ask("GET", f"/portal/bookings/{clinic.ids['see_token']}")).json()
    assert (seen["patient"]["name"], seen["status"]) == ("Firulais", "confirmed")
    assert [each["step"] for each in seen["can"]] == ["reschedule", "cancel"]


@pytest.mark.parametrize("step", STEPS)
async def test_one_purpose(step: str, service: Service, clinic: Clinic) -> None:
    """A step is taken by the link for it and by no other: to others, what is posted there does not exist."""
    made = await booked(service, clinic)
    before = await everything(service, clinic)
    content = _body(clinic, step)
    for purpose, token in made["tokens"].items():
        if purpose != step:
            assert (await act(service, token, step, **content)).status_code == 404
    assert await everything(service, clinic) == before
    answer = await act(service, made["tokens"][step], step, **content)
    assert answer.status_code == 200, answer.text
    assert (await _steps(service, clinic, made["id"])) == [("book", "guest"), (step, "guest")]


@pytest.mark.parametrize("step", STEPS)
async def test_twice(step: str, service: Service, clinic: Clinic) -> None:
    """Posted again, or by two fingers at once, a step is taken once and answered alike."""
    made = await booked(service, clinic)
    content = _body(clinic, step)
    answers = await asyncio.gather(*(act(service, made["tokens"][step], step, **content) for _ in range(4)))
    answers.append(await act(service, made["tokens"][step], step, **content))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert (await _steps(service, clinic, made["id"])) == [("book", "guest"), (step, "guest")]
    kinds = {"confirm": "visit_confirmed", "reschedule": "visit_moved", "cancel": "visit_cancelled"}
    told = [row["kind"] for row in await rows(service, clinic, "messages") if str(row["subject_id"]) == made["id"]]
    assert sorted(told) == sorted(["visit_requested"] * 2 + [kinds[step]] * 2)


async def test_states(service: Service, clinic: Clinic) -> None:
    """What a guest cancelled stays cancelled, and gives its time to others."""
    made = await booked(service, clinic)
    assert (await act(service, made["tokens"]["cancel"], "cancel", json={"reason": "de viaje"})).status_code == 200
    seen = (await service.ask("GET", f"/portal/bookings/{made['token']}")).json()
    assert (seen["status"], seen["can"]) == ("cancelled", [])
    for step in ("confirm", "reschedule"):
        answer = await act(service, made["tokens"][step], step, **_body(clinic, step))
        assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    await booked(service, clinic, clinic.guest(made["starts_at"]))


async def test_reschedule(service: Service, clinic: Clinic) -> None:
    """A guest moves a visit to what is offered: not where somebody is, in any lane, nor past notice or horizon; the
    links stay good, until after the visit's new time.
    """
    made = await booked(service, clinic)
    token = made["tokens"]["reschedule"]
    taken = clinic.slot()
    base = f"/clinics/{clinic.slug}/appointments"
    first = await service.done("POST", base, clinic.owner, json=clinic.visit(taken))
    await service.done("POST", base, clinic.owner, json=clinic.visit(taken) | {"overbook": True})
    await service.done("POST", f"{base}/{first['id']}/cancel", clinic.owner)
    answer = await act(service, token, "reschedule", json={"starts_at": taken})
    assert answer.json()["code"] == "slot_taken"
    soon = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    answer = await act(service, token, "reschedule", json={"starts_at": soon})
    assert answer.json()["errors"][0]["code"] == "too_soon"
    answer = await act(service, token, "reschedule", json={"starts_at": clinic.slot(), "reason": "\u0007"})
    assert answer.json()["errors"][0]["pointer"] == "/reason"
    far = instant(made["starts_at"]) + timedelta(days=40)
    answer = await act(service, token, "reschedule", json={"starts_at": far.isoformat()})
    assert instant(answer.json()["starts_at"]) == far
    for link in await rows(service, clinic, "links"):
        if str(link["subject_id"]) == made["id"]:
            assert link["expires_at"] > far
    nobody = {"starts_at": clinic.slot(), "resource_id": clinic.ids["room_id"]}
    assert (await act(service, token, "reschedule", json=nobody)).status_code == 404
    await configure(service, clinic, bookable_online=False)
    answer = await act(service, token, "reschedule", json={"starts_at": clinic.slot()})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_booked_online")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("es", "Ya no se puede cambiar esta cita en línea. Llame a la clínica."),
        ("en", "It is too late to change this visit online. Call the clinic."),
    ],
)
async def test_cutoff(service: Service, clinic: Clinic, language: str, sentence: str) -> None:
    """Within the service's cut-off a guest is told to call; confirming is possible until the visit begins; staff are
    bound by none of this.
    """
    made = await booked(service, clinic)
    await configure(service, clinic, guest_cutoff_minutes=30 * 1440)
    before = await everything(service, clinic)
    speak = {"Accept-Language": language}
    for step in ("reschedule", "cancel"):
        answer = await act(service, made["tokens"][step], step, headers=speak, **_body(clinic, step))
        assert (answer.status_code, answer.json()["code"]) == (409, "too_late_for_guests")
        assert answer.json()["detail"] == sentence
    assert await everything(service, clinic) == before
    assert (await act(service, made["tokens"]["confirm"], "confirm")).status_code == 200
    at = f"/clinics/{clinic.slug}/appointments/{made['id']}"
    await service.done("POST", f"{at}/reschedule", clinic.owner, json={"starts_at": clinic.slot()})
    await service.done("POST", f"{at}/cancel", clinic.owner)
    assert (await act(service, made["tokens"]["cancel"], "cancel")).json()["status"] == "cancelled"


async def test_begun(service: Service, clinic: Clinic) -> None:
    """A visit that has begun is confirmed by no guest any more."""
    made = await booked(service, clinic)
    await execute(
        service,
        "UPDATE appointments SET starts_at = now() - interval '1 hour', ends_at = now() WHERE id = $1",
        UUID(made["id"]),
    )
    answer = await act(service, made["tokens"]["confirm"], "confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_for_guests")


async def test_dead_links(service: Service, clinic: Clinic) -> None:
    """A link that expired, was revoked, never was, or leads elsewhere answers one and the same 404."""
    await service.tell(clinic)
    await service.wait(clinic)
    answers = []
    for change in ("expires_at = now()", "revoked_at = now()"):
        made = await booked(service, clinic)
        await execute(service, f"UPDATE links SET {change} WHERE subject_id = $1", UUID(made["id"]))  # noqa: S608 -- one of two texts
        answers.append(await service.ask("GET", f"/portal/bookings/{made['token']}"))
        answers += [await act(service, made["tokens"][step], step, **_body(clinic, step)) for step in STEPS]
    for token in ("nunca", "ni%00nguna", clinic.ids["opt_out_token"], clinic.ids["offer_token"]):
        answers.append(await service.ask("GET", f"/portal/bookings/{token}"))
        answers.append(await act(service, token, "cancel"))
    assert {answer.status_code for answer in answers} == {404}
    assert len({str(answer.json() | {"request_id": ""}) for answer in answers}) == 1


async def test_mail_scanner(service: Service, mails: MailServer) -> None:
    """A program that follows every link in every mail, as often and in whatever way it likes, changes nothing."""
    scene = await set_scene(service, mails.port)
    clinic = scene.clinic
    person = stranger(email="ana@correo.test")
    made = await booked(service, clinic, clinic.guest(client=person, patient={"name": "Copito", "species": "cat"}))
    moved = await booked(service, clinic, clinic.guest(client=stranger(email="eva@correo.test")))
    await act(service, moved["tokens"]["reschedule"], "reschedule", json={"starts_at": clinic.slot()})
    await act(service, moved["tokens"]["confirm"], "confirm")
    scene.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    for row in await rows(service, clinic, "messages"):
        if row["channel"] == "mail" and row["status"] == "planned":
            await scene.send(row["id"])
    assert {mail["To"] for mail in mails.mails} >= {"ana@correo.test", "eva@correo.test"}
    texts = [mail.get_body(("plain",)).get_content() for mail in mails.mails]
    assert any("Copito" in text and "Hola, Ana" in text for text in texts)
    links = sorted({link for text in texts for link in re.findall(r"https?://\S+", text)})
    opens = [link for link in links if "/portal/bookings/" in link]
    assert len(opens) >= 4
    before = await everything(service, clinic)
    for link in [*links, *(f"{each}/{step}" for each in opens for step in STEPS)]:
        path = re.sub(r"^https?://[^/]+", "", link)
        for method in ("HEAD", "GET", "OPTIONS"):
            answer = await service.client.request(method, path)
            assert answer.status_code in {200, 204, 405}, path
    assert await everything(service, clinic) == before
    assert (await service.ask("GET", f"/portal/bookings/{made['token']}")).json()["status"] == "requested"


async def test_mails_of_the_known(service: Service, mails: MailServer) -> None:
    """A mail to a guest goes where they wrote and says what they wrote, though the clinic knows them by more."""
    scene = await set_scene(service, mails.port)
    clinic = scene.clinic
    person = {"given_name": "ZOILA", "family_name": "quimbiurco", "phone": "0991234567", "email": "nueva@correo.test"}
    made = await booked(service, clinic, clinic.guest(client=person, patient={"name": "firulais", "species": "dog"}))
    seen = await service.done("GET", f"/clinics/{clinic.slug}/appointments/{made['id']}", clinic.owner)
    assert seen["client"]["id"] == clinic.ids["client_id"]
    scene.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    async with superuser(service.settings) as admin:
        [message] = await admin.fetch(
            "SELECT id FROM messages WHERE subject_id = $1 AND channel = 'mail'", UUID(made["id"])
        )
    await scene.send(message["id"])
    mail = mails.mails[-1]
    assert mail["To"] == "nueva@correo.test"
    whole = mail.as_string() + mail.get_body(("plain",)).get_content()
    assert "Hola, ZOILA" in whole
    assert not {"Zoila", "Quimbiurco", "Firulais", "zq@correo.test"} & set(re.findall(r"[\w@.]+", whole))
