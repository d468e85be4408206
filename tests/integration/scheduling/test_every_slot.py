"""What is offered can be had, and nothing else, through the address of what is free and that of booking."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service
from tests.integration.scheduling.races import overlaps

ZONE = timedelta(hours=-5)
"""Guayaquil's offset."""

WEEKS = {
    "Abel": [("08:00", "12:00"), ("14:00", "18:00")],
    "Berta": [("10:00", "16:00")],
    "Ciro": [("20:00", "04:00")],
    "1": [("00:00", "00:00")],
    "2": [("08:00", "20:00")],
}


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """Three vets, one of them on nights, and two rooms, for a service with buffers; `day` is one that differs.

    On it one vet works an hour of their own, and the whole clinic is shut from 10:30 to 11; a room is, too, once while
    two vets want one, and once when it is the only one.
    """
    clinic = await service.equip(await service.open_clinic("huecos"))
    base, owner, ids = f"/clinics/{clinic.slug}", clinic.owner, clinic.ids
    made: dict[str, str] = {}
    for kind, name in (("vet", "Abel"), ("vet", "Berta"), ("vet", "Ciro"), ("room", "1"), ("room", "2")):
        resource = await service.done("POST", f"{base}/resources", owner, json={"kind": kind, "name": name})
        week = {
            "spans": [
                {"weekday": day, "opens": opens, "closes": closes}
                for day in range(1, 8)
                for opens, closes in WEEKS[name]
            ]
        }
        at = f"{base}/resources/{resource['id']}/hours"
        await service.done("PUT", at, owner, json=week)
        made[name] = resource["id"]
    wanted = {
        "name": "Vacuna",
        "duration_minutes": 25,
        "buffer_before_minutes": 5,
        "buffer_after_minutes": 10,
        "resource_ids": list(made.values()),
    }
    ids["service_id"] = (await service.done("POST", f"{base}/services", owner, json=wanted))["id"]
    ids["day"] = day = (datetime.now(UTC) + ZONE + timedelta(days=3)).date().isoformat()
    own = {"spans": [{"opens": "13:00", "closes": "14:10"}]}
    await service.done("PUT", f"{base}/resources/{made['Berta']}/exceptions/{day}", owner, json=own)
    for shut in (
        {"from_time": "10:30", "to_time": "11:00"},
        {"from_time": "13:30", "to_time": "14:30", "resource_id": made["1"]},
        {"from_time": "22:00", "to_time": "23:00", "resource_id": made["1"]},
    ):
        await service.done("POST", f"{base}/closures", owner, json=shut | {"starts_on": day})
    ids["vets"] = ",".join(made[name] for name in ("Abel", "Berta", "Ciro"))
    return clinic


async def _offered(service: Service, clinic: Clinic) -> list[tuple[str, str]]:
    """Each start of the day with each vet who is offered for it."""
    asked = {"service": clinic.ids["service_id"], "from": clinic.ids["day"], "to": clinic.ids["day"]}
    found = await service.done("GET", f"/clinics/{clinic.slug}/availability", clinic.owner, params=asked)
    [only] = found["days"]
    return [(slot["starts_at"], vet) for slot in only["slots"] for vet in slot["resource_ids"]]


async def _book(service: Service, clinic: Clinic, start: str, vet: str) -> Any:
    body = clinic.visit(start) | {"resource_ids": [vet]}
    return await service.ask("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=body)


@pytest.mark.parametrize("order", ["first", "last", "any"])
async def test_every_slot(service: Service, clinic: Clinic, order: str) -> None:
    """Whatever is offered can be booked, until nothing is; then no start of the grid with any vet can be, nor could
    those that were not offered before.
    """
    chance = random.Random(order)  # noqa: S311 -- repeatable
    pick = {"first": lambda found: found[0], "last": lambda found: found[-1], "any": chance.choice}[order]
    first = datetime.fromisoformat(clinic.ids["day"]).replace(tzinfo=UTC) - ZONE
    grid = [first + timedelta(minutes=15 * number) for number in range(96)]
    everything = {(start, vet) for start in grid for vet in clinic.ids["vets"].split(",")}
    at_first = await _offered(service, clinic)
    offered = {(datetime.fromisoformat(start).astimezone(UTC), vet) for start, vet in at_first}
    assert offered < everything
    if order == "any":
        for start, vet in chance.sample(sorted(everything - offered), 60):
            answer = await _book(service, clinic, start.isoformat(), vet)
            assert answer.json().get("code") in {"outside_hours", "slot_taken"}, (start, vet)
    booked = 0
    while found := await _offered(service, clinic):
        start, vet = pick(found)
        answer = await _book(service, clinic, start, vet)
        assert answer.status_code == 201, (start, vet, answer.text)
        booked += 1
    assert booked >= 12
    for start, vet in chance.sample(sorted(everything), 60):
        answer = await _book(service, clinic, start.isoformat(), vet)
        assert answer.json().get("code") in {"outside_hours", "slot_taken"}, (start, vet)
    assert await overlaps(service, clinic) == 0
