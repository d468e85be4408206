"""A resource's feed over HTTP, read by another iCalendar library than the one that wrote it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import vobject
from tests.integration.http.service import EVERY_HOUR, Clinic, Service, superuser
from uuid_utils.compat import uuid7


@pytest.fixture(scope="module")
async def admin(service: Service) -> AsyncIterator[asyncpg.Connection]:
    """A connection past every guard."""
    async with superuser(service.settings) as connection:
        yield connection


@pytest.fixture
async def theirs(service: Service) -> Clinic:
    """A clinic of its own for each test, with one visit and a feed of its room."""
    clinic = await service.equip(await service.open_clinic("calendario"))
    for role in ("manager", "vet", "staff"):
        await service.join(clinic, role)
    return clinic


def at(clinic: Clinic, resource: str = "resource_id") -> str:
    return f"/clinics/{clinic.slug}/resources/{clinic.ids[resource]}/calendar"


async def shared(service: Service, clinic: Clinic) -> str:
    """The address of the vet's feed, with its token, as somebody pastes it into a calendar program."""
    made = await service.done("POST", at(clinic), clinic.owner)
    url: str = made["url"]
    assert url.endswith(f"/calendars/{clinic.ids['resource_id']}.ics?token={made['token']}")
    return url


async def fetch(service: Service, url: str, **headers: str) -> httpx.Response:
    """What a calendar program gets, which signs in nowhere."""
    return await service.client.get(url.removeprefix(service.settings.public_url), headers=headers)


async def read(service: Service, url: str) -> dict[str, Any]:
    """The feed's visits by UID."""
    answer = await fetch(service, url)
    assert answer.status_code == 200, answer.text
    calendar = vobject.readOne(answer.content.decode())
    return {event.uid.value: event for event in calendar.contents.get("vevent", [])}


async def test_feed(service: Service, theirs: Clinic) -> None:
    """A feed shows a resource's visits at their instants with patient and service, and nobody's name or phone."""
    visit = await service.book(theirs)
    url = await shared(service, theirs)
    answer = await fetch(service, url)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    for secret in ("Quimbiurco", "0991234567", "+593991234567", "zq@correo.test", theirs.ids["client_id"]):
        assert secret not in answer.text
    visits = await read(service, url)
    assert set(visits) == {f"{theirs.ids['appointment_id']}@coravet", f"{visit['id']}@coravet"}
    event = visits[f"{visit['id']}@coravet"]
    assert event.dtstart.value == datetime.fromisoformat(visit["starts_at"])
    assert event.dtend.value == datetime.fromisoformat(visit["ends_at"])
    assert (event.summary.value, event.status.value) == ("Firulais · Consulta", "CONFIRMED")
    assert event.sequence.value == "1"


async def test_changes(service: Service, theirs: Clinic) -> None:
    """A visit that is called off stays under its UID, with a higher SEQUENCE, as cancelled."""
    visit, url = theirs.ids["appointment_id"], await shared(service, theirs)
    [before] = (await read(service, url)).values()
    steps = f"/clinics/{theirs.slug}/appointments/{visit}"
    await service.done("POST", f"{steps}/cancel", theirs.owner)
    [after] = (await read(service, url)).values()
    assert before.uid.value == after.uid.value == f"{visit}@coravet"
    assert (before.status.value, after.status.value) == ("CONFIRMED", "CANCELLED")
    assert int(after.sequence.value) > int(before.sequence.value)
    assert after.last_modified.value >= before.last_modified.value


async def test_requested(service: Service, theirs: Clinic, admin: asyncpg.Connection) -> None:
    """What nobody confirmed yet is tentative; who did not come is as good as cancelled; the exam is as confirmed."""
    url = await shared(service, theirs)
    for status, shown in (("requested", "TENTATIVE"), ("no_show", "CANCELLED"), ("in_exam", "CONFIRMED")):
        visit = UUID(theirs.ids["appointment_id"])
        await admin.execute("UPDATE appointments SET status = $2 WHERE id = $1", visit, status)
        [event] = (await read(service, url)).values()
        assert event.status.value == shown


async def test_moved(service: Service, theirs: Clinic) -> None:
    """A visit that is moved keeps its UID, with a higher SEQUENCE and its new time, and is there once."""
    url, visit = await shared(service, theirs), theirs.ids["appointment_id"]
    sequences = []
    for _ in range(3):
        to = theirs.slot()
        at = f"/clinics/{theirs.slug}/appointments/{visit}/reschedule"
        await service.done("POST", at, theirs.owner, json={"starts_at": to})
        [event] = (await read(service, url)).values()
        assert event.uid.value == f"{visit}@coravet"
        assert event.dtstart.value == datetime.fromisoformat(to)
        assert event.status.value == "CONFIRMED"
        sequences.append(int(event.sequence.value))
    assert sequences == [2, 3, 4]


async def test_reassigned(service: Service, theirs: Clinic) -> None:
    """A visit that another vet took over is in that vet's feed, and no longer in the first one's."""
    base, owner = f"/clinics/{theirs.slug}", theirs.owner
    other = (await service.done("POST", f"{base}/resources", owner, json={"kind": "vet", "name": "Dra. Paz"}))["id"]
    await service.done("PUT", f"{base}/resources/{other}/hours", owner, json=EVERY_HOUR)
    both = [theirs.ids["resource_id"], theirs.ids["room_id"], other]
    await service.done("PATCH", f"{base}/services/{theirs.ids['service_id']}", owner, json={"resource_ids": both})
    first = await shared(service, theirs)
    second = (await service.done("POST", f"{base}/resources/{other}/calendar", owner))["url"]
    visit = theirs.ids["appointment_id"]
    assert (len(await read(service, first)), await read(service, second)) == (1, {})
    await service.done("POST", f"{base}/appointments/{visit}/reassign", owner, json={"resource_ids": [other]})
    assert (await read(service, first), set(await read(service, second))) == ({}, {f"{visit}@coravet"})


async def test_window(service: Service, theirs: Clinic, admin: asyncpg.Connection) -> None:
    """A feed reaches from thirty days ago to a year ahead."""
    url, visit = await shared(service, theirs), UUID(theirs.ids["appointment_id"])
    for days, there in ((-31, False), (-29, True), (364, True), (366, False)):
        starts_at = datetime.now(UTC) + timedelta(days=days)
        await admin.execute(
            "UPDATE appointments SET starts_at = $2, ends_at = $3 WHERE id = $1",
            visit,
            starts_at,
            starts_at + timedelta(minutes=30),
        )
        assert bool(await read(service, url)) == there, days


async def test_text(service: Service, theirs: Clinic) -> None:
    """Commas, semicolons, backslashes and emoji in names come back as they were typed."""
    name = "Ñandú, «el 🐶»; \\n O'Neil"
    await service.done(
        "PATCH", f"/clinics/{theirs.slug}/patients/{theirs.ids['patient_id']}", theirs.owner, json={"name": name}
    )
    [event] = (await read(service, await shared(service, theirs))).values()
    assert event.summary.value == f"{name} · Consulta"


async def test_etag(service: Service, theirs: Clinic) -> None:
    """What did not change is not sent again; what did, is."""
    url = await shared(service, theirs)
    etag = (await fetch(service, url)).headers["etag"]
    for asked in (etag, f'"x", {etag}'):
        answer = await fetch(service, url, **{"If-None-Match": asked})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    await service.book(theirs)
    assert (await fetch(service, url, **{"If-None-Match": etag})).status_code == 200


async def test_not_found(service: Service, clinic: Clinic, theirs: Clinic) -> None:
    """Whatever is wrong with the address, be it clinic, resource or token, is the same 404."""
    url, foreign = await shared(service, theirs), await shared(service, clinic)
    token, theirs_token = foreign.rpartition("=")[2], url.rpartition("=")[2]
    resource = theirs.ids["resource_id"]
    wrong = [
        url.replace(theirs_token, token),
        url.replace(theirs_token, "wrong"),
        url.replace(theirs_token, theirs.ids["calendar_token"]),
        url.rpartition("?")[0],
        url.replace(theirs.slug, clinic.slug),
        url.replace(theirs.slug, f"nadie-{token_hex(4)}"),
        url.replace(theirs.slug, "a%00b"),
        url.replace(resource, theirs.ids["room_id"]),
        url.replace(resource, str(uuid7())),
        url.replace(resource, resource.upper()),
        url.replace(resource, "x"),
        url.replace(".ics", ""),
    ]
    answers = [await fetch(service, each, **{"X-Request-Id": "feed"}) for each in wrong]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert len({tuple(answer.headers.raw) for answer in answers}) == 1
    assert (await fetch(service, url)).status_code == 200


async def test_ends(service: Service, theirs: Clinic, admin: asyncpg.Connection) -> None:
    """A feed ends when it is revoked, when another is made, and with the resource's or its maker's activity."""
    first = await shared(service, theirs)
    second = await shared(service, theirs)
    assert (await fetch(service, first)).status_code == 404
    assert (await fetch(service, second)).status_code == 200
    await service.done("DELETE", at(theirs), theirs.owner)
    assert (await fetch(service, second)).status_code == 404
    await service.done("DELETE", at(theirs), theirs.owner)

    vet = {"member_id": theirs.ids["vet_member_id"]}
    resource = f"/clinics/{theirs.slug}/resources/{theirs.ids['resource_id']}"
    await service.done("PATCH", resource, theirs.owner, json=vet)
    url = (await service.done("POST", at(theirs), theirs.people["manager"]))["url"]
    for member in ("vet_member_id", "manager_member_id"):
        path = f"/clinics/{theirs.slug}/members/{theirs.ids[member]}"
        for active, status in ((False, 404), (True, 200)):
            await service.done("PATCH", path, theirs.owner, json={"active": active})
            assert (await fetch(service, url)).status_code == status, member
    await service.done("DELETE", resource, theirs.owner)
    assert (await fetch(service, url)).status_code == 404


async def test_own(service: Service, theirs: Clinic) -> None:
    """A vet shares and ends the own calendar, and no other."""
    vet, member = theirs.people["vet"], theirs.ids["vet_member_id"]
    answer = await service.ask("POST", at(theirs), vet)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    resource = f"/clinics/{theirs.slug}/resources/{theirs.ids['resource_id']}"
    await service.done("PATCH", resource, theirs.owner, json={"member_id": member})
    url = (await service.done("POST", at(theirs), vet))["url"]
    assert (await fetch(service, url)).status_code == 200
    assert (await service.ask("DELETE", at(theirs, "room_id"), vet)).status_code == 403
    await service.done("DELETE", at(theirs), vet)
    assert (await fetch(service, url)).status_code == 404


async def test_kept(service: Service, theirs: Clinic, admin: asyncpg.Connection) -> None:
    """The token is told once: neither a replay nor the database has it."""
    key = {"Idempotency-Key": token_hex(8)}
    made = await service.ask("POST", at(theirs), theirs.owner, headers=key)
    again = await service.ask("POST", at(theirs), theirs.owner, headers=key)
    assert again.json() == {"url": None, "token": None}
    assert again.headers["idempotency-replayed"] == "true"
    token = made.json()["token"]
    assert len(token) == 43
    for table in ("calendar_feeds", "idempotency_keys"):
        rows = await admin.fetch(f"SELECT t::text AS row FROM {table} t")  # noqa: S608 -- one of two names
        assert rows
        assert not [row for row in rows if token in row["row"] or token.encode().hex() in row["row"]]
