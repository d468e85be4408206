"""When a clinic works, over HTTP: weekly hours, days that differ, closures, and the visits that they meet."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.integration.http.service import Clinic, Service
from tests.integration.http.test_errors import pointers

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import NotFound
from coravet.core.scheduling.slots import find_slots

ZONE = timedelta(hours=-5)
"""Guayaquil's offset."""


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """A furnished clinic, fresh for each test."""
    return await service.furnish(await service.open_clinic("horario"))


def day_of(starts_at: str) -> str:
    """The clinic day of an instant."""
    return (datetime.fromisoformat(starts_at).astimezone(UTC) + ZONE).date().isoformat()


async def slots(service: Service, clinic: Clinic, day: str, of: str | None = None) -> list[Any]:
    """The free slots of a day, of a service or the clinic's usual one."""
    asked = {"service": of or clinic.ids["service_id"], "from": day, "to": day}
    found = await service.done("GET", f"/clinics/{clinic.slug}/availability", clinic.owner, params=asked)
    [only] = found["days"]
    return list(only["slots"])


async def test_closure_over_visits(service: Service, clinic: Clinic) -> None:
    """A closure over visits is refused with a list of them; kept on purpose it is made, lists them, cancels nothing."""
    base, owner = f"/clinics/{clinic.slug}", clinic.owner
    booked = await service.book(clinic)
    day = day_of(booked["starts_at"])
    wanted = {"starts_on": day, "reason": "Fumigación"}
    refused = await service.ask("POST", f"{base}/closures", owner, json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (409, "bookings_in_closure")
    agenda = (await service.done("GET", f"{base}/agenda", owner, params={"date": day}))["items"]
    that_day = [each["id"] for each in agenda]
    assert booked["id"] in that_day
    assert [each["id"] for each in refused.json()["appointments"]] == that_day
    assert refused.json()["appointments_total"] == len(that_day)
    assert refused.json()["appointments"][-1]["client"]["phone"] == "+593991234567"
    assert (await service.done("GET", f"{base}/closures", owner, params={"from": day, "to": day}))["items"] == []

    made = await service.done("POST", f"{base}/closures", owner, json=wanted | {"keep_bookings": True})
    assert [each["id"] for each in made["appointments"]] == that_day
    assert made["ends_on"] == day
    still = await service.done("GET", f"{base}/appointments/{booked['id']}", owner)
    assert still["status"] == "confirmed"
    assert await slots(service, clinic, day) == []
    late = await service.ask("POST", f"{base}/appointments", owner, json=clinic.visit(_at(day, 15)))
    assert (late.status_code, late.json()["code"]) == (409, "outside_hours")

    changed = await service.done(
        "PATCH",
        f"{base}/closures/{made['id']}",
        owner,
        json={"from_time": "22:00", "version": made["version"], "keep_bookings": True},
    )
    assert (changed["from_time"], changed["version"]) == ("22:00", made["version"] + 1)
    assert await slots(service, clinic, day)
    assert await service.done("DELETE", f"{base}/closures/{made['id']}", owner) is None
    assert (await service.ask("GET", f"{base}/closures/{made['id']}", owner)).status_code == 404


async def _start(service: Service, clinic: Clinic) -> str:
    at = f"/clinics/{clinic.slug}/appointments/{clinic.ids['appointment_id']}"
    return str((await service.done("GET", at, clinic.owner))["starts_at"])


def _at(day: str, hour: int) -> str:
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=hour) - ZONE).isoformat()


async def test_closure_of_one_resource(service: Service, clinic: Clinic) -> None:
    """A vet's leave shuts that vet alone, from a wall time to another, and lists only that vet's visits."""
    base, owner, ids = f"/clinics/{clinic.slug}", clinic.owner, clinic.ids
    other = await service.done("POST", f"{base}/resources", owner, json={"kind": "vet", "name": "otra"})
    hours = await service.done("GET", f"{base}/resources/{ids['resource_id']}/hours", owner)
    await service.done("PUT", f"{base}/resources/{other['id']}/hours", owner, json={"spans": hours["spans"]})
    vets = [ids["resource_id"], other["id"], ids["room_id"]]
    await service.done("PATCH", f"{base}/services/{ids['service_id']}", owner, json={"resource_ids": vets})
    day = (datetime.now(UTC).date() + timedelta(days=20)).isoformat()
    body = clinic.visit(_at(day, 9)) | {"resource_ids": [other["id"]]}
    await service.done("POST", f"{base}/appointments", owner, json=body)
    leave = {"starts_on": day, "from_time": "08:00", "to_time": "12:00", "resource_id": ids["resource_id"]}
    made = await service.done("POST", f"{base}/closures", owner, json=leave)
    assert (made["appointments"], made["appointments_total"]) == ([], 0)
    mornings = [each for each in await slots(service, clinic, day) if _at(day, 8) <= _utc(each) < _at(day, 12)]
    assert {resource for each in mornings for resource in each["resource_ids"]} == {other["id"]}
    shut = {other["id"]: 0, ids["resource_id"]: 1}
    for resource, expected in shut.items():
        query = {"resource": resource, "from": day, "to": day}
        assert len((await service.done("GET", f"{base}/closures", owner, params=query))["items"]) == expected


def _utc(slot: Any) -> str:
    return datetime.fromisoformat(slot["starts_at"]).astimezone(UTC).isoformat()


async def test_hours_that_leave_visits_outside(service: Service, clinic: Clinic) -> None:
    """New hours, a day that differs or one that no longer does take effect, and list the visits they leave outside."""
    base, owner, ids = f"/clinics/{clinic.slug}", clinic.owner, clinic.ids
    at = f"{base}/resources/{ids['resource_id']}"
    before = await service.done("GET", f"{at}/hours", owner)
    booked = await _start(service, clinic)
    day = day_of(booked)
    closed = await service.done("PUT", f"{at}/exceptions/{day}", owner, json={"spans": [], "reason": "Feria"})
    agenda = (await service.done("GET", f"{base}/agenda", owner, params={"date": day}))["items"]
    assert [each["id"] for each in closed["appointments_outside"]] == [each["id"] for each in agenda]
    assert closed["appointments_outside_total"] == len(agenda) > 0
    assert await slots(service, clinic, day) == []
    listed = await service.done("GET", f"{at}/exceptions", owner, params={"from": day, "to": day})
    assert listed["items"] == [{"resource_id": ids["resource_id"], "date": day, "spans": [], "reason": "Feria"}]
    again = await service.done("DELETE", f"{at}/exceptions/{day}", owner)
    assert again == {"resource_id": ids["resource_id"], "appointments_outside": [], "appointments_outside_total": 0}
    assert (await service.ask("DELETE", f"{at}/exceptions/{day}", owner)).status_code == 404
    season = [{"weekday": 1, "opens": "09:00", "closes": "10:00", "valid_from": "2030-01-01"}]
    changed = await service.done("PUT", f"{at}/hours", owner, json={"spans": season})
    assert changed["spans"] == season
    assert changed["appointments_outside_total"] >= len(agenda)
    assert (await service.done("GET", f"{at}/hours", owner))["spans"] == season
    restored = await service.done("PUT", f"{at}/hours", owner, json={"spans": before["spans"]})
    assert restored["appointments_outside"] == []


async def test_a_closure_misses_no_booking(service: Service, clinic: Clinic) -> None:
    """Of bookings and a closure at once, each booking is either listed by the closure or refused by it."""
    base, owner = f"/clinics/{clinic.slug}", clinic.owner
    for round_number in range(8):
        day = (datetime.now(UTC).date() + timedelta(days=30 + round_number)).isoformat()
        bodies = [clinic.visit(_at(day, hour)) for hour in range(24)]
        wanted = {"starts_on": day, "keep_bookings": True}
        bookings = [service.ask("POST", f"{base}/appointments", owner, json=body) for body in bodies]
        half = len(bookings) // 2
        closing = service.ask("POST", f"{base}/closures", owner, json=wanted)
        answers = await asyncio.gather(*bookings[:half], closing, *bookings[half:])
        closed = answers.pop(half)
        assert closed.status_code == 201, closed.text
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert {answer.json()["code"] for answer in answers if answer.status_code != 201} <= {"outside_hours"}
        assert {each["id"] for each in closed.json()["appointments"]} == made
        assert closed.json()["appointments_total"] == len(made)


async def test_held_time_that_is_closed(service: Service, clinic: Clinic) -> None:
    """Time that a guest holds or a waiting client was offered is no visit yet; once it is closed, it becomes none."""
    base, owner = f"/clinics/{clinic.slug}", clinic.owner
    portal = f"/portal{base}"
    day = (datetime.now(UTC).date() + timedelta(days=25)).isoformat()
    wanted = {"service_id": clinic.ids["service_id"], "starts_at": _at(day, 9)}
    token = (await service.done("POST", f"{portal}/holds", {}, json=wanted))["token"]
    offered = clinic.slot()
    entry = f"{base}/waitlist/{clinic.ids['entry_id']}"
    await service.put_waiting(clinic, "waiting")
    await service.done("POST", f"{entry}/offer", owner, json={"starts_at": offered})
    assert (await service.done("POST", f"{base}/closures", owner, json={"starts_on": day}))["appointments_total"] == 0
    keeping = {"starts_on": day_of(offered), "keep_bookings": True}
    await service.done("POST", f"{base}/closures", owner, json=keeping)
    body = clinic.guest() | wanted | {"hold": token}
    for answer in (
        await service.ask("POST", f"{portal}/bookings", json=body),
        await service.ask("POST", f"{entry}/accept", owner),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "outside_hours")


async def test_rooms_of_a_kind(service: Service, clinic: Clinic) -> None:
    """A service that wants a kind of room takes any active one of it, and has no slot while there is none."""
    base, owner, ids = f"/clinics/{clinic.slug}", clinic.owner, clinic.ids
    surgery = {
        "name": "Cirugía",
        "duration_minutes": 60,
        "resource_ids": [ids["resource_id"]],
        "room_kind": "surgery",
        "species": ["dog"],
        "minimum_notice_minutes": 120,
        "horizon_days": 30,
        "guest_needs_confirmation": False,
        "guest_cutoff_minutes": 1440,
    }
    made = await service.done("POST", f"{base}/services", owner, json=surgery)
    assert {name: made[name] for name in surgery} == surgery
    day = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()
    assert await slots(service, clinic, day, made["id"]) == []
    body = clinic.visit(_at(day, 9)) | {"service_id": made["id"]}
    refused = await service.ask("POST", f"{base}/appointments", owner, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "outside_hours")
    await service.done("PATCH", f"{base}/resources/{ids['room_id']}", owner, json={"room_kind": "surgery"})
    found = await slots(service, clinic, day, made["id"])
    assert found[0]["resource_ids"] == [ids["resource_id"]]
    booked = await service.done("POST", f"{base}/appointments", owner, json=body)
    assert [each["id"] for each in booked["resources"]] == [ids["resource_id"], ids["room_id"]]
    back = {"room_kind": None, "species": [], "horizon_days": 365}
    changed = await service.done("PATCH", f"{base}/services/{made['id']}", owner, json=back)
    assert {name: changed[name] for name in back} == back


async def test_grid(service: Service, clinic: Clinic) -> None:
    """Starts are offered on the clinic's own grid; one that does not divide a day is refused."""
    at, owner = f"/clinics/{clinic.slug}", clinic.owner
    day = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()
    for grid in (15, 20, 60):
        if grid != 15:
            assert (await service.done("PATCH", at, owner, json={"grid_minutes": grid}))["grid_minutes"] == grid
        assert (await service.done("GET", at, owner))["grid_minutes"] == grid
        minutes = {datetime.fromisoformat(each["starts_at"]).minute for each in await slots(service, clinic, day)}
        assert minutes == set(range(0, 60, grid))
    for grid, code in ((7, "grid_not_divisor"), (0, "too_small"), (1441, "too_large")):
        answer = await service.ask("PATCH", at, owner, json={"grid_minutes": grid})
        assert pointers(answer) == {"/grid_minutes": code}


async def test_guests(service: Service, clinic: Clinic) -> None:
    """Guests are offered what is bookable online, within its notice and horizon; of all else they hear nothing."""
    base, owner, ids = f"/clinics/{clinic.slug}", clinic.owner, clinic.ids
    actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
    begin, clock = service.application.works.begin, SystemClock()
    service_id = UUID(ids["service_id"])
    await service.done("PATCH", f"{base}/services/{ids['service_id']}", owner, json={"bookable_online": False})
    with pytest.raises(NotFound):
        await find_slots(service_id, None, None, None, actor, begin, clock, guest=True)
    online = {"bookable_online": True, "minimum_notice_minutes": 1440, "horizon_days": 2}
    await service.done("PATCH", f"{base}/services/{ids['service_id']}", owner, json=online)
    found = await find_slots(service_id, None, None, None, actor, begin, clock, guest=True)
    starts = [slot.starts_at for day in found.days for slot in day.slots]
    assert min(starts) >= clock.now() + timedelta(hours=23)
    assert {day.date for day in found.days if day.slots} <= {found.days[1].date, found.days[2].date}
    staff = await find_slots(service_id, None, None, None, actor, begin, clock)
    assert len([slot for day in staff.days for slot in day.slots]) > len(starts)


async def test_closed_until_midnight(service: Service, clinic: Clinic) -> None:
    """A closure until 00:00 lasts to the end of its last day, as hours until 00:00 do."""
    made = await service.done(
        "POST",
        f"/clinics/{clinic.slug}/closures",
        clinic.owner,
        json={"starts_on": "2027-01-02", "from_time": "22:00", "to_time": "00:00"},
    )
    assert (made["ends_on"], made["from_time"], made["to_time"]) == ("2027-01-02", "22:00", None)


async def test_changing_a_word(service: Service, clinic: Clinic) -> None:
    """A closure's reason can be changed though visits are booked in it: nothing more is shut."""
    visit = await service.book(clinic)
    day = (datetime.fromisoformat(visit["starts_at"]) - timedelta(hours=5)).date().isoformat()
    base = f"/clinics/{clinic.slug}/closures"
    made = await service.done("POST", base, clinic.owner, json={"starts_on": day, "keep_bookings": True})
    changed = await service.done("PATCH", f"{base}/{made['id']}", clinic.owner, json={"reason": "Feriado"})
    assert (changed["reason"], changed["appointments_total"]) == ("Feriado", 0)
    later = {"to_time": "23:59"}
    refused = await service.ask("PATCH", f"{base}/{made['id']}", clinic.owner, json=later)
    assert refused.json()["code"] == "bookings_in_closure"


BAD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "days turned round": ({"starts_on": "2027-01-02", "ends_on": "2027-01-01"}, {"/ends_on": "before_start"}),
    "times turned round": (
        {"starts_on": "2027-01-02", "from_time": "10:00", "to_time": "10:00"},
        {"/to_time": "before_start"},
    ),
    "years": ({"starts_on": "2027-01-02", "ends_on": "2028-01-03"}, {"/ends_on": "closure_too_long"}),
    "another century": ({"starts_on": "1926-01-02"}, {"/starts_on": "out_of_range"}),
    "no text": ({"starts_on": "2027-01-02", "reason": "a\0b"}, {"/reason": "not_text"}),
    "no times": (
        {"starts_on": "x", "from_time": "9:00", "until": "1"},
        {"/starts_on": "malformed", "/from_time": "malformed", "/until": "unknown"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), BAD.values(), ids=BAD)
async def test_bad_closures(body: dict[str, Any], expected: dict[str, str], service: Service, clinic: Clinic) -> None:
    """A closure that cannot be is refused at the field, when it is made and when one is changed to it."""
    at = f"/clinics/{clinic.slug}/closures"
    answer = await service.ask("POST", at, clinic.owner, json=body)
    assert pointers(answer) == expected
    change = {"ends_on": body.get("starts_on"), **body}
    assert pointers(await service.ask("PATCH", f"{at}/{clinic.ids['closure_id']}", clinic.owner, json=change))


async def test_bad_days(service: Service, clinic: Clinic) -> None:
    """Windows that are too long, spans of a day that overlap, a kind of room for a vet: each has its code."""
    base, owner, ids = f"/clinics/{clinic.slug}", clinic.owner, clinic.ids
    first = date(2027, 1, 1)
    for days, status in ((91, 200), (92, 422)):
        asked = {"service": ids["service_id"], "from": str(first), "to": str(first + timedelta(days=days))}
        answer = await service.ask("GET", f"{base}/availability", owner, params=asked)
        assert answer.status_code == status
    assert pointers(answer) == {"/to": "window_too_long"}
    at = f"{base}/resources/{ids['resource_id']}/exceptions"
    answer = await service.ask("GET", at, owner, params={"from": "2027-01-01", "to": "2028-01-02"})
    assert pointers(answer) == {"/to": "window_too_long"}
    spans = [{"opens": "09:00", "closes": "11:00"}, {"opens": "10:00", "closes": "12:00"}]
    answer = await service.ask("PUT", f"{at}/2027-01-01", owner, json={"spans": spans})
    assert pointers(answer) == {"/spans/1": "overlapping_hours"}
    vet = {"kind": "vet", "name": "Dra. Paz", "room_kind": "surgery"}
    assert pointers(await service.ask("POST", f"{base}/resources", owner, json=vet)) == {"/room_kind": "not_a_room"}
    change = {"room_kind": "surgery"}
    answer = await service.ask("PATCH", f"{base}/resources/{ids['resource_id']}", owner, json=change)
    assert pointers(answer) == {"/room_kind": "not_a_room"}
    answer = await service.ask("PATCH", f"{base}/services/{ids['service_id']}", owner, json={"species": ["dog", "dog"]})
    assert pointers(answer) == {"/species": "repeated"}
