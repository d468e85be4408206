"""Patients who come without an appointment, and the board they wait on."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service, superuser


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic, fresh for each test."""
    return await service.equip(await service.open_clinic("espera"))


async def _walk_in(service: Service, clinic: Clinic, **body: Any) -> Any:
    wanted = {"service_id": clinic.ids["service_id"], "patient_id": clinic.ids["patient_id"]} | body
    return await service.ask("POST", f"/clinics/{clinic.slug}/appointments/walk-in", clinic.owner, json=wanted)


async def test_first_free_time(service: Service, clinic: Clinic) -> None:
    """Who walks in is seen at once where somebody is free, and else right after whoever is seen now."""
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    first, second = (await _walk_in(service, clinic)).json(), (await _walk_in(service, clinic)).json()
    assert (first["status"], first["source"], first["lane"]) == ("checked_in", "walk_in", 0)
    assert before <= datetime.fromisoformat(first["starts_at"]) <= before + timedelta(minutes=1)
    assert second["starts_at"] == first["ends_at"]
    history = await service.done("GET", f"/clinics/{clinic.slug}/appointments/{first['id']}/history", clinic.owner)
    assert [(each["step"], each["to_status"]) for each in history["items"]] == [("book", "checked_in")]


async def test_who_is_named(service: Service, clinic: Clinic) -> None:
    """Who is named serves, though another may be free earlier."""
    base = f"/clinics/{clinic.slug}"
    made = await service.done("POST", f"{base}/resources", clinic.owner, json={"kind": "vet", "name": "Otra"})
    spans = {"spans": [{"weekday": day, "opens": "00:00", "closes": "00:00"} for day in range(1, 8)]}
    await service.done("PUT", f"{base}/resources/{made['id']}/hours", clinic.owner, json=spans)
    room = await service.done("POST", f"{base}/resources", clinic.owner, json={"kind": "room", "name": "2"})
    await service.done("PUT", f"{base}/resources/{room['id']}/hours", clinic.owner, json=spans)
    vet = clinic.ids["resource_id"]
    all_of_them = {"resource_ids": [vet, made["id"], clinic.ids["room_id"], room["id"]]}
    await service.done("PATCH", f"{base}/services/{clinic.ids['service_id']}", clinic.owner, json=all_of_them)
    for _ in range(2):
        seen = (await _walk_in(service, clinic, resource_ids=[vet])).json()
        assert seen["resources"][0]["id"] == vet
    other = (await _walk_in(service, clinic)).json()
    assert other["resources"][0]["id"] == made["id"]
    assert other["starts_at"] < seen["starts_at"]


async def test_nobody_works(service: Service, clinic: Clinic) -> None:
    """Where nobody works in the next hours a walk-in is refused, and may be overbooked only while somebody works."""
    vet = clinic.ids["resource_id"]
    await service.done("PUT", f"/clinics/{clinic.slug}/resources/{vet}/hours", clinic.owner, json={"spans": []})
    answer = await _walk_in(service, clinic)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_time_soon")
    answer = await _walk_in(service, clinic, resource_ids=[vet], overbook=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "outside_hours")


async def test_emergency(service: Service, clinic: Clinic) -> None:
    """An emergency is seen now, beside who is being seen, by those who may overbook."""
    await _walk_in(service, clinic)
    staff = await service.join(clinic, "staff")
    wanted = {"resource_ids": [clinic.ids["resource_id"]], "overbook": True}
    answer = await _walk_in(service, clinic, **wanted)
    assert (answer.status_code, answer.json()["lane"]) == (201, 1)
    body = {"service_id": clinic.ids["service_id"], "patient_id": clinic.ids["patient_id"]} | wanted
    refused = await service.ask("POST", f"/clinics/{clinic.slug}/appointments/walk-in", staff, json=body)
    assert refused.status_code == 403


async def test_board(service: Service, clinic: Clinic) -> None:
    """The board has every status and resource, the hours of each, and who waits, longest first."""
    first, second = await service.book(clinic), await service.book(clinic)
    for visit, steps in ((first, ("check-in", "start", "ready")), (second, ("check-in",))):
        for step in steps:
            await service.done("POST", f"/clinics/{clinic.slug}/appointments/{visit['id']}/{step}", clinic.owner)
    async with superuser(service.settings) as admin:
        for visit, minutes in ((first, 5), (second, 20)):
            since = datetime.now(UTC) - timedelta(minutes=minutes, seconds=30)
            await admin.execute("UPDATE appointments SET status_since = $2 WHERE id = $1", visit["id"], since)
    day = (datetime.fromisoformat(first["starts_at"]) - timedelta(hours=5)).date()
    board = await service.done("GET", f"/clinics/{clinic.slug}/board?date={day}", clinic.owner)
    assert [(each["appointment_id"], each["status"], each["minutes"]) for each in board["waiting"]] == [
        (second["id"], "checked_in", 20),
        (first["id"], "ready", 5),
    ]
    statuses = {each["status"]: each["appointment_ids"] for each in board["statuses"]}
    assert list(statuses) == [
        "requested", "confirmed", "checked_in", "in_exam", "ready", "completed", "cancelled", "no_show",
    ]  # fmt: skip
    assert statuses["ready"] == [first["id"]]
    columns = {each["id"]: each for each in board["resources"]}
    assert set(columns) == {clinic.ids["resource_id"], clinic.ids["room_id"]}
    vet = columns[clinic.ids["resource_id"]]
    assert first["id"] in vet["appointment_ids"]
    assert vet["open"][0]["starts_at"] <= board["starts_at"]
    assert vet["open"][-1]["ends_at"] >= board["ends_at"]
    assert {each["id"] for each in board["items"]} >= {first["id"]}


async def test_what_is_off_the_board(service: Service, clinic: Clinic) -> None:
    """A cancelled visit stands in its status and in nobody's column; who is retired shows only with a visit."""
    visit = await service.book(clinic)
    base = f"/clinics/{clinic.slug}"
    await service.done("DELETE", f"{base}/resources/{clinic.ids['resource_id']}", clinic.owner)
    day = (datetime.fromisoformat(visit["starts_at"]) - timedelta(hours=5)).date()
    shown = [each["id"] for each in (await service.done("GET", f"{base}/board?date={day}", clinic.owner))["resources"]]
    assert clinic.ids["resource_id"] in shown
    listed = await service.done("GET", f"{base}/agenda?date={day}", clinic.owner)
    for each in listed["items"]:
        await service.done("POST", f"{base}/appointments/{each['id']}/cancel", clinic.owner)
    board = await service.done("GET", f"{base}/board?date={day}", clinic.owner)
    assert clinic.ids["resource_id"] not in [each["id"] for each in board["resources"]]
    assert [each["appointment_ids"] for each in board["resources"]] == [[]]
    [cancelled] = [each for each in board["statuses"] if each["status"] == "cancelled"]
    assert visit["id"] in cancelled["appointment_ids"]


async def test_night_on_the_board(service: Service, clinic: Clinic) -> None:
    """Who is seen across midnight stands on the boards of both days."""
    at = datetime.now(UTC).date() + timedelta(days=4)
    midnight = datetime.combine(at, time(5), tzinfo=UTC)  # of Guayaquil
    body = clinic.visit((midnight - timedelta(minutes=10)).isoformat())
    visit = await service.done("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=body)
    for day, there in ((at - timedelta(days=2), False), (at - timedelta(days=1), True), (at, True)):
        board = await service.done("GET", f"/clinics/{clinic.slug}/board?date={day}", clinic.owner)
        assert (visit["id"] in {each["id"] for each in board["items"]}) is there


async def test_who_is_still_here(service: Service, clinic: Clinic) -> None:
    """A patient who is here stands on today's board though its visit was for yesterday, or is for tomorrow."""
    base = f"/clinics/{clinic.slug}"
    today = (await service.done("GET", f"{base}/board", clinic.owner))["date"]
    visit = await service.book(clinic)
    begin = datetime.combine(date.fromisoformat(today), time(5), tzinfo=UTC)
    for starts_at in (begin - timedelta(hours=3), begin + timedelta(hours=25)):
        async with superuser(service.settings) as admin:
            await admin.execute(
                "UPDATE appointments SET starts_at = $2, ends_at = $3, status = 'checked_in' WHERE id = $1",
                visit["id"],
                starts_at,
                starts_at + timedelta(minutes=30),
            )
        board = await service.done("GET", f"{base}/board", clinic.owner)
        assert visit["id"] in {each["appointment_id"] for each in board["waiting"]}
