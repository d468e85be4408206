"""Guests, staff and time that runs out, in the same moment, on real PostgreSQL."""

import asyncio
import random
from uuid import UUID

from tests.integration.http.service import Clinic, Service
from tests.integration.portal.parts import act, book, booked, execute, hold, stranger
from tests.integration.scheduling.races import codes, overlaps


async def test_one_slot(service: Service, clinic: Clinic) -> None:
    """Of guests who hold or book and staff who book one slot at once exactly one gets it, and none meets a fault."""
    start = clinic.slot()
    at = f"/clinics/{clinic.slug}/appointments"
    attempts = [book(service, clinic, clinic.guest(start, client=stranger())) for _ in range(30)]
    attempts += [hold(service, clinic, start) for _ in range(30)]
    attempts += [service.ask("POST", at, clinic.owner, json=clinic.visit(start)) for _ in range(30)]
    random.Random(7).shuffle(attempts)  # noqa: S311 -- chosen once, repeatable
    assert codes(await asyncio.gather(*attempts)) == {"201": 1, "slot_taken": 89}
    assert await overlaps(service, clinic) == 0


async def test_expiring(service: Service, clinic: Clinic) -> None:
    """While a hold runs out, who holds it and others book its time: one of them gets it, in each of many rounds."""
    won = set()
    for _ in range(25):
        start = clinic.slot()
        held = (await hold(service, clinic, start)).json()
        for table, name in (("holds", "id"), ("allocations", "hold_id")):
            await execute(
                service,
                f"UPDATE {table} SET expires_at = now() + interval '30 ms' WHERE {name} = $1",  # noqa: S608 -- names of ours
                UUID(held["id"]),
            )

        async def late(start: str, token: str | None, pause: float) -> str:
            await asyncio.sleep(pause)
            answer = await book(service, clinic, clinic.guest(start, client=stranger(), hold=token))
            return str(answer.json().get("code", "holder" if token else "other"))

        pauses = [0.0, 0.01, 0.02, 0.03, 0.04]
        found = await asyncio.gather(
            *(late(start, None, pause) for pause in pauses),
            late(start, held["token"], random.choice(pauses)),  # noqa: S311 -- any will do
        )
        winners = [each for each in found if each in {"holder", "other"}]
        assert len(winners) == 1, found
        assert set(found) <= {"holder", "other", "slot_taken"}
        won.update(winners)
    assert await overlaps(service, clinic) == 0


async def test_letting_go(service: Service, clinic: Clinic) -> None:
    """A hold that is let go while it is used and others want its time goes to one of them at most."""
    for _ in range(15):
        start = clinic.slot()
        token = (await hold(service, clinic, start)).json()["token"]
        dropped, *answers = await asyncio.gather(
            service.ask("DELETE", f"/portal/holds/{token}"),
            book(service, clinic, clinic.guest(start, hold=token)),
            *(book(service, clinic, clinic.guest(start, client=stranger())) for _ in range(4)),
        )
        assert dropped.status_code == 204
        assert set(codes(answers)) <= {"201", "slot_taken"}
        assert codes(answers)["201"] <= 1
    assert await overlaps(service, clinic) == 0


async def test_crossing(service: Service, clinic: Clinic) -> None:
    """Guests who move to each other's times while staff cancel and confirm meet conflicts at most, never a fault."""
    one, two = await booked(service, clinic), await booked(service, clinic)
    at = f"/clinics/{clinic.slug}/appointments"
    for _ in range(8):
        answers = await asyncio.gather(
            act(service, one["tokens"]["reschedule"], "reschedule", json={"starts_at": two["starts_at"]}),
            act(service, two["tokens"]["reschedule"], "reschedule", json={"starts_at": one["starts_at"]}),
            act(service, one["tokens"]["confirm"], "confirm"),
            service.ask("POST", f"{at}/{two['id']}/cancel", clinic.owner),
            service.ask("POST", f"{at}/{two['id']}/back", clinic.owner),
            act(service, two["tokens"]["cancel"], "cancel"),
        )
        assert set(codes(answers)) <= {"200", "slot_taken", "invalid_transition", "stale_version", "contended"}
    assert await overlaps(service, clinic) == 0
