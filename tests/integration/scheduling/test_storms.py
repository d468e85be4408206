"""Twelve thousand attempts on the same few hours, on real PostgreSQL: nobody is booked twice, and nothing fails."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.scheduling.races import codes, overlaps

ROUNDS, AT_ONCE = 50, 40
"""Each storm makes so many times so many attempts: six storms are 12,000."""

pytestmark = pytest.mark.long


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic, fresh for each storm."""
    return await service.equip(await service.open_clinic("tormenta"))


async def _all(asked: list[Any]) -> list[httpx.Response]:
    chance = random.Random(len(asked))  # noqa: S311 -- repeatable
    chance.shuffle(asked)
    return await asyncio.gather(*asked)


def _visits(clinic: Clinic, visit: str = "", step: str = "") -> str:
    return "/".join(part for part in (f"/clinics/{clinic.slug}/appointments", visit, step) if part)


async def test_one_slot(service: Service, clinic: Clinic) -> None:
    """Of those who want one slot exactly one gets it, round after round."""
    seen: Counter[str] = Counter()
    for _ in range(ROUNDS):
        body = clinic.visit()
        answers = await _all([service.ask("POST", _visits(clinic), clinic.owner, json=body) for _ in range(AT_ONCE)])
        assert codes(answers) == {"201": 1, "slot_taken": AT_ONCE - 1}
        seen += codes(answers)
    assert seen.total() == ROUNDS * AT_ONCE
    assert await overlaps(service, clinic) == 0


async def test_crossing_resources(service: Service, clinic: Clinic) -> None:
    """Those who need the same vet and room, named in opposite orders, do not wait for each other for ever."""
    base, ids = f"/clinics/{clinic.slug}", clinic.ids
    ways: list[dict[str, Any]] = []
    for named in ([ids["resource_id"], ids["room_id"]], [ids["room_id"], ids["resource_id"]]):
        wanted = {"name": "Cirugía", "duration_minutes": 30, "resource_ids": named}
        made = await service.done("POST", f"{base}/services", clinic.owner, json=wanted)
        ways.append({"service_id": made["id"], "resource_ids": named})
    for _ in range(ROUNDS):
        slot = clinic.slot()
        bodies = [clinic.visit(slot) | ways[number % 2] for number in range(AT_ONCE)]
        answers = await _all([service.ask("POST", _visits(clinic), clinic.owner, json=body) for body in bodies])
        assert codes(answers) == {"201": 1, "slot_taken": AT_ONCE - 1}
    assert await overlaps(service, clinic) == 0


async def test_moving_against_booking(service: Service, clinic: Clinic) -> None:
    """A slot that some want to move to and others to book goes to one of them; who moved freed exactly one other."""
    visits = [(await service.book(clinic))["id"] for _ in range(AT_ONCE // 2)]
    for _ in range(ROUNDS):
        slot = clinic.slot()
        moves = [
            service.ask("POST", _visits(clinic, visit, "reschedule"), clinic.owner, json={"starts_at": slot})
            for visit in visits
        ]
        bookings = [
            service.ask("POST", _visits(clinic), clinic.owner, json=clinic.visit(slot)) for _ in range(AT_ONCE // 2)
        ]
        found = codes(await _all([*moves, *bookings]))
        assert found["slot_taken"] == AT_ONCE - 1
        assert found["200"] + found["201"] == 1
    assert await overlaps(service, clinic) == 0


async def test_moving_around(service: Service, clinic: Clinic) -> None:
    """Visits that are moved into each other's places, overlapping in part, end at places of their own."""
    first = datetime.fromisoformat(clinic.slot())
    visits = [(await service.book(clinic))["id"] for _ in range(8)]
    chance = random.Random(5)  # noqa: S311 -- repeatable

    def place() -> str:
        return (first + timedelta(minutes=10 * chance.randrange(30))).isoformat()

    seen: Counter[str] = Counter()
    for _ in range(ROUNDS):
        moves = [
            service.ask(
                "POST", _visits(clinic, chance.choice(visits), "reschedule"), clinic.owner, json={"starts_at": place()}
            )
            for _ in range(AT_ONCE)
        ]
        seen += codes(await _all(moves))
    assert set(seen) == {"200", "slot_taken"}
    assert await overlaps(service, clinic) == 0


async def test_holds_that_expire(service: Service, clinic: Clinic) -> None:
    """Time that a guest holds goes to nobody else; once that is over it goes to one of those who want it, the guest
    with the hold among them."""
    portal = f"/portal/clinics/{clinic.slug}"
    for number in range(ROUNDS):
        slot = clinic.slot()
        wanted = {"service_id": clinic.ids["service_id"], "starts_at": slot}
        hold = (await service.ask("POST", f"{portal}/holds", json=wanted)).json()
        if number % 2:  # half of the holds end while the others ask
            async with superuser(service.settings) as admin:
                await admin.execute(
                    "WITH ended AS (UPDATE holds SET expires_at = now() WHERE released_at IS NULL AND clinic_id = $1"
                    " RETURNING id) UPDATE allocations SET expires_at = now() FROM ended WHERE hold_id = ended.id",
                    clinic.id,
                )
        staff = [service.ask("POST", _visits(clinic), clinic.owner, json=clinic.visit(slot)) for _ in range(30)]
        guest = clinic.guest(slot)
        others = [service.ask("POST", f"{portal}/bookings", json=guest) for _ in range(9)]
        holder = service.ask("POST", f"{portal}/bookings", json=guest | {"hold": hold["token"]})
        answers = await _all([*staff, *others, holder])
        assert codes(answers) == {"201": 1, "slot_taken": AT_ONCE - 1}
        if not number % 2:
            [won] = [answer for answer in answers if answer.status_code == 201]
            assert won.json().get("token"), "the guest who held the time has it"
    assert await overlaps(service, clinic) == 0


async def test_confirming_overlapping_requests(service: Service, clinic: Clinic) -> None:
    """Guests who ask for overlapping times, and at once confirm whatever they got, end with one visit each place, which
    was confirmed once."""
    portal = f"/portal/clinics/{clinic.slug}"

    async def ask(start: str) -> list[httpx.Response]:
        asked = await service.ask("POST", f"{portal}/bookings", json=clinic.guest(start))
        if asked.status_code != 201:
            return [asked]
        confirm = f"/portal/bookings/{asked.json()['tokens']['confirm']}/confirm"
        return [asked, *await asyncio.gather(*(service.ask("POST", confirm) for _ in range(4)))]

    for _ in range(ROUNDS):
        first = datetime.fromisoformat(clinic.slot())
        clinic.slot()
        starts = [(first + timedelta(minutes=15 * (number % 3))).isoformat() for number in range(AT_ONCE // 2)]
        answers = [answer for each in await asyncio.gather(*map(ask, starts)) for answer in each]
        assert set(codes(answers)) <= {"200", "201", "slot_taken"}
    async with superuser(service.settings) as admin:
        confirmed = await admin.fetch(
            "SELECT count(*) FROM appointment_transitions WHERE clinic_id = $1 AND step = 'confirm'"
            " GROUP BY appointment_id",
            clinic.id,
        )
    assert confirmed
    assert {row["count"] for row in confirmed} == {1}
    assert await overlaps(service, clinic) == 0
