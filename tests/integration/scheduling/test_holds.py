"""What is taken and what is free again: holds that ran out, and lanes that the public does not book into."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.scheduling.races import overlaps


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic, fresh for each test."""
    return await service.equip(await service.open_clinic("retenidos"))


async def _held(service: Service, clinic: Clinic, *, expired: bool) -> str:
    """A time that a guest holds, or held until now."""
    slot = clinic.slot()
    wanted = {"service_id": clinic.ids["service_id"], "starts_at": slot}
    made = await service.done("POST", f"/portal/clinics/{clinic.slug}/holds", {}, json=wanted)
    if expired:
        async with superuser(service.settings) as admin:
            for table, key in (("holds", "id"), ("allocations", "hold_id")):
                await admin.execute(f"UPDATE {table} SET expires_at = now() WHERE {key} = $1", made["id"])  # noqa: S608 -- our names
    return slot


async def _code(service: Service, clinic: Clinic, path: str, **body: object) -> str:
    """How a request ends: its error's code, or its status."""
    who = None if path.startswith("/portal") else clinic.owner
    answer = await service.ask("POST", path, who, json=body)
    return str(answer.json().get("code", answer.status_code))


async def _free(service: Service, clinic: Clinic, slot: str, *, portal: str = "") -> bool:
    """Whether that time is among those that are offered."""
    at = datetime.fromisoformat(slot)
    day = (at - timedelta(hours=5)).date().isoformat()
    params = {"service": clinic.ids["service_id"], "from": day, "to": day}
    path = f"{portal}/clinics/{clinic.slug}/availability"
    found = await service.done("GET", path, {} if portal else clinic.owner, params=params)
    starts = {datetime.fromisoformat(each["starts_at"]) for day in found["days"] for each in day["slots"]}
    return at.astimezone(UTC) in starts


@pytest.mark.parametrize("expired", [False, True])
async def test_expiry(service: Service, clinic: Clinic, expired: bool) -> None:
    """Time that a guest holds is offered to nobody and goes to nobody; from its end on it does, in every way."""
    base = f"/clinics/{clinic.slug}"
    slots = [await _held(service, clinic, expired=expired) for _ in range(3)]
    assert [await _free(service, clinic, slot) for slot in slots] == [expired] * 3
    assert await _code(service, clinic, f"{base}/appointments", **clinic.visit(slots[0])) == (
        "201" if expired else "slot_taken"
    )
    moved = f"{base}/appointments/{clinic.ids['appointment_id']}/reschedule"
    assert await _code(service, clinic, moved, starts_at=slots[1]) == ("200" if expired else "slot_taken")
    wanted = {"service_id": clinic.ids["service_id"], "starts_at": slots[2]}
    assert await _code(service, clinic, f"/portal{base}/holds", **wanted) == ("201" if expired else "slot_taken")
    assert await overlaps(service, clinic) == 0


@pytest.mark.parametrize("expired", [False, True])
async def test_back_to_what_was_held(service: Service, clinic: Clinic, expired: bool) -> None:
    """A cancelled visit comes back to its time although a guest held it meanwhile, and not while they do."""
    visit = await service.book(clinic)
    at = f"/clinics/{clinic.slug}/appointments/{visit['id']}"
    await service.done("POST", f"{at}/cancel", clinic.owner)
    wanted = {"service_id": clinic.ids["service_id"], "starts_at": visit["starts_at"]}
    made = await service.done("POST", f"/portal/clinics/{clinic.slug}/holds", {}, json=wanted)
    if expired:
        async with superuser(service.settings) as admin:
            await admin.execute("UPDATE allocations SET expires_at = now() WHERE hold_id = $1", made["id"])
    assert await _code(service, clinic, f"{at}/back") == ("200" if expired else "slot_taken")


async def test_the_public_sees_all_lanes(service: Service, clinic: Clinic) -> None:
    """Where only an overbooked visit is left, guests neither see nor hold nor book the time, nor move theirs there."""
    base, body = f"/clinics/{clinic.slug}", clinic.visit()
    normal = await service.done("POST", f"{base}/appointments", clinic.owner, json=body)
    beside = await service.done("POST", f"{base}/appointments", clinic.owner, json=body | {"overbook": True})
    await service.done("POST", f"{base}/appointments/{normal['id']}/cancel", clinic.owner)
    assert (beside["lane"], beside["status"]) == (1, "confirmed")
    slot = body["starts_at"]
    wanted = {"service_id": clinic.ids["service_id"], "starts_at": slot}
    theirs = await service.done("POST", f"/portal{base}/bookings", {}, json=clinic.guest())
    assert not await _free(service, clinic, slot, portal="/portal")
    assert await _code(service, clinic, f"/portal{base}/holds", **wanted) == "slot_taken"
    assert await _code(service, clinic, f"/portal{base}/bookings", **clinic.guest(slot)) == "slot_taken"
    move = f"/portal/bookings/{theirs['tokens']['reschedule']}/reschedule"
    assert await _code(service, clinic, move, starts_at=slot) == "slot_taken"
    await service.done("POST", f"{base}/appointments/{beside['id']}/cancel", clinic.owner)
    assert await _free(service, clinic, slot, portal="/portal")
    assert await _code(service, clinic, move, starts_at=slot) == "200"
