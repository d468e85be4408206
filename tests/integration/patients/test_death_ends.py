"""A death ends all that the patient still had before it, in one work; taking it back brings nothing back."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.scheduling.races import overlaps
from tests.integration.scheduling.waiting import Queue, set_queue


@pytest.fixture
async def furnished(service: Service) -> Clinic:
    """A furnished clinic of the test's own."""
    return await service.furnish(await service.open_clinic("luto"))


async def _rows(service: Service, sql: str, *arguments: Any) -> list[asyncpg.Record]:
    async with superuser(service.settings) as admin:
        return await admin.fetch(sql, *arguments)


async def _die(service: Service, clinic: Clinic, patient: str = "patient_id") -> Any:
    at = f"/clinics/{clinic.slug}/patients/{clinic.ids[patient]}/deceased"
    return await service.done("POST", at, clinic.owner)


async def _another(service: Service, clinic: Clinic) -> str:
    """Another patient of the clinic's client."""
    animal = {"client_id": clinic.ids["client_id"], "name": "Canela", "species": "dog"}
    return str((await service.done("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=animal))["id"])


async def test_everything_ends(service: Service, furnished: Clinic) -> None:
    """Visits to come are cancelled and their time is free; the waitlist is left, recalls close, messages are skipped.

    A visit whose patient is here goes on. Each change is told once and written into its history; no message is made.
    """
    clinic, base, ids = furnished, f"/clinics/{furnished.slug}", furnished.ids
    here = await service.book(clinic)
    await service.done("POST", f"{base}/appointments/{here['id']}/check-in", clinic.owner)
    coming = await _rows(
        service,
        "SELECT id, status, starts_at FROM appointments WHERE patient_id = $1 AND status IN ('requested', 'confirmed')",
        UUID(ids["patient_id"]),
    )
    assert {row["status"] for row in coming} == {"requested", "confirmed"}
    [hold] = await _rows(service, "SELECT hold_id FROM waitlist WHERE id = $1", UUID(ids["entry_id"]))
    before = await _rows(service, "SELECT id FROM outbox WHERE clinic_id = $1", UUID(clinic.id))
    told = await _rows(
        service,
        "SELECT id FROM messages WHERE clinic_id = $1 AND status IN ('planned', 'waiting')",
        UUID(clinic.id),
    )
    recalls = await service.done("GET", f"{base}/recalls", clinic.owner, params={"patient_id": ids["patient_id"]})
    due = len(recalls["items"])
    assert due >= 1

    shown = await _die(service, clinic)
    assert shown["deceased_on"] is not None
    assert (await service.done("GET", f"{base}/patients/{ids['patient_id']}", clinic.owner)) == shown

    for row in coming:
        visit = await service.done("GET", f"{base}/appointments/{row['id']}", clinic.owner)
        assert visit["status"] == "cancelled"
        history = (await service.done("GET", f"{base}/appointments/{row['id']}/history", clinic.owner))["items"]
        last = history[-1]
        assert (last["step"], last["from_status"], last["to_status"], last["by"]) == (
            "deceased",
            row["status"],
            "cancelled",
            "staff",
        )
        assert last["user"] is not None
    other = {"patient_id": await _another(service, clinic)}
    taken = clinic.visit(coming[0]["starts_at"].isoformat()) | other
    await service.done("POST", f"{base}/appointments", clinic.owner, json=taken)
    visit = await service.done("GET", f"{base}/appointments/{here['id']}", clinic.owner)
    assert visit["status"] == "checked_in"
    await service.done("POST", f"{base}/appointments/{here['id']}/start", clinic.owner)

    [entry] = await _rows(service, "SELECT status, hold_id FROM waitlist WHERE id = $1", UUID(ids["entry_id"]))
    assert tuple(entry) == ("left", None)
    [released] = await _rows(
        service,
        "SELECT h.released_at IS NOT NULL AND bool_and(l.released_at IS NOT NULL) FROM holds h"
        " JOIN allocations l ON l.hold_id = h.id WHERE h.id = $1 GROUP BY h.released_at",
        hold["hold_id"],
    )
    assert released[0] is True
    recalls = await service.done("GET", f"{base}/recalls", clinic.owner, params={"patient_id": ids["patient_id"]})
    assert recalls["items"] == []
    left = await _rows(
        service,
        "SELECT status, why FROM messages WHERE id = ANY($1) AND (status <> 'skipped' OR why <> 'patient_deceased')",
        [row["id"] for row in told],
    )
    assert left == []

    events = await _rows(
        service,
        "SELECT kind FROM outbox WHERE clinic_id = $1 AND NOT id = ANY($2) AND kind NOT IN"
        " ('appointment.booked', 'appointment.started', 'patient.created')",
        UUID(clinic.id),
        [row["id"] for row in before],
    )
    assert Counter(row["kind"] for row in events) == {
        "patient.deceased": 1,
        "appointment.cancelled": len(coming),
        "waitlist.left": 1,
    }
    *_, trail = (await service.done("GET", f"{base}/patients/{ids['patient_id']}/deceased", clinic.owner))["items"]
    assert (trail["step"], trail["visits"], trail["waitlist_entries"], trail["recalls"]) == (
        "recorded",
        len(coming),
        1,
        due,
    )
    assert trail["messages"] == len(told)
    assert trail["recorded_by"] == ids["owner_member_id"]


async def test_undone(service: Service, furnished: Clinic) -> None:
    """Taking a death back is written down and brings nothing back by itself; people may take back what still holds."""
    clinic, base, ids = furnished, f"/clinics/{furnished.slug}", furnished.ids
    at = f"{base}/patients/{ids['patient_id']}/deceased"
    await _die(service, clinic)
    await service.done("POST", at, clinic.owner, json={"on": "2026-01-02"})
    lives = await service.done("DELETE", at, clinic.owner)
    assert lives["deceased_on"] is None
    statuses = await _rows(service, "SELECT status FROM appointments WHERE patient_id = $1", UUID(ids["patient_id"]))
    assert {row["status"] for row in statuses} == {"cancelled"}
    [entry] = await _rows(service, "SELECT status FROM waitlist WHERE id = $1", UUID(ids["entry_id"]))
    assert entry["status"] == "left"
    messages = await _rows(service, "SELECT DISTINCT status FROM messages WHERE clinic_id = $1", UUID(clinic.id))
    assert [row["status"] for row in messages] == ["skipped"]
    steps = (await service.done("GET", at, clinic.owner))["items"][-3:]
    assert [(each["step"], each["deceased_on"], each["visits"]) for each in steps][1:] == [
        ("corrected", "2026-01-02", 0),
        ("revoked", None, 0),
    ]
    assert {each["recorded_by"] for each in steps} == {ids["owner_member_id"]}
    back = await service.done("POST", f"{base}/appointments/{ids['appointment_id']}/back", clinic.owner)
    assert back["status"] == "confirmed"


async def test_trail_stays(service: Service, furnished: Clinic) -> None:
    """What was recorded of a death can be neither changed nor deleted, by the application or the system."""
    await _die(service, furnished)
    works = service.application.works
    for sql in (
        "UPDATE deaths SET deceased_on = '2020-01-01'",
        "DELETE FROM deaths",
        "TRUNCATE deaths",
    ):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError)):
            async with works.system_begin("test") as work:
                await work.execute(sql)


async def test_others_untouched(service: Service, furnished: Clinic) -> None:
    """Another patient of the same client keeps its visits, its place on the waitlist and its messages."""
    clinic, base, ids = furnished, f"/clinics/{furnished.slug}", furnished.ids
    ids["other_id"] = await _another(service, clinic)
    other = {"patient_id": ids["other_id"]}
    visit = await service.done("POST", f"{base}/appointments", clinic.owner, json=clinic.visit() | other)
    wish = {"service_id": ids["service_id"], **other, "from_date": "2026-01-02", "to_date": ids["last_day"]}
    entry = await service.done("POST", f"{base}/waitlist", clinic.owner, json=wish)
    recall = {**other, "kind": "follow_up", "due_on": "2030-01-15"}
    await service.done("POST", f"{base}/recalls", clinic.owner, json=recall)
    await _die(service, clinic)
    assert (await service.done("GET", f"{base}/appointments/{visit['id']}", clinic.owner))["status"] == "confirmed"
    [waits] = await _rows(service, "SELECT status FROM waitlist WHERE id = $1", UUID(entry["id"]))
    assert waits["status"] == "waiting"
    recalls = await service.done("GET", f"{base}/recalls", clinic.owner, params={"patient_id": ids["other_id"]})
    assert len(recalls["items"]) == 1
    messages = await _rows(service, "SELECT DISTINCT status FROM messages WHERE subject_id = $1", UUID(visit["id"]))
    assert [row["status"] for row in messages] == ["planned"]


async def test_offer_goes_on(service: Service) -> None:
    """What a patient that died was offered, and what it had booked, is offered to who waits next."""
    queue: Queue = await set_queue(service)
    other = {"patient_id": await _another(service, queue.clinic)}
    first = await queue.wait()
    await queue.cancelled()
    await queue.work()
    second = await queue.wait(**other)
    assert await queue.statuses(first, second) == ["offered", "waiting"]
    await _die(service, queue.clinic)
    await queue.work()
    assert await queue.statuses(first, second) == ["left", "offered"]


async def test_at_the_same_moment(service: Service) -> None:
    """Whatever is done for a patient in the moment of its death, nothing of it survives, and nobody deadlocks.

    Bookings by staff and by a guest, moves, joining the waitlist, offers, taking one, and the job that makes them.
    """
    queue: Queue = await set_queue(service)
    clinic, ids = queue.clinic, queue.clinic.ids
    base = f"/clinics/{clinic.slug}"
    seen: Counter[str] = Counter()
    for turn in range(6):
        name = f"Laika {turn}"
        animal = {"client_id": ids["client_id"], "name": name, "species": "dog"}
        patient_id = (await service.done("POST", f"{base}/patients", clinic.owner, json=animal))["id"]
        own = {"patient_id": patient_id}
        booked, moved = [
            await service.done("POST", f"{base}/appointments", clinic.owner, json=clinic.visit() | own)
            for _ in range(2)
        ]
        offered, waiting = await queue.wait(**own), await queue.wait(**own)
        await queue.done("POST", f"waitlist/{offered}/offer", json={"starts_at": clinic.slot()})
        guest = clinic.guest(patient={"name": name, "species": "dog"})

        async def ask(method: str, path: str, body: Any = None, wait: float = 0.0) -> Any:
            await asyncio.sleep(wait)
            return await service.ask(method, f"{base}/{path}", clinic.owner, json=body)

        answers = await asyncio.gather(
            *(ask("POST", "appointments", clinic.visit() | own, wait) for wait in (0, 0.01, 0.02)),
            ask("POST", f"appointments/{moved['id']}/reschedule", {"starts_at": clinic.slot()}),
            ask("POST", f"appointments/{booked['id']}/cancel"),
            ask("POST", "waitlist", queue.wish(**own)),
            ask("POST", f"waitlist/{offered}/accept"),
            ask("POST", f"waitlist/{waiting}/offer", {"starts_at": clinic.slot()}),
            ask("POST", "recalls", {**own, "kind": "follow_up", "due_on": "2030-01-15"}),
            ask("POST", f"patients/{patient_id}/deceased", wait=0.004 * turn),
            service.ask("POST", f"/portal{base}/bookings", {}, json=guest),
            queue.work(),
        )
        *asked, guests, _ = answers
        assert asked[-1].status_code == 200, asked[-1].text
        codes = [answer.json()["code"] for answer in asked if answer.status_code == 409]
        seen.update(codes)
        assert set(codes) <= {"patient_deceased", "invalid_transition", "offer_expired", "stale_version", "slot_taken"}
        assert {answer.status_code for answer in asked} <= {200, 201, 409}, [answer.text for answer in asked]
        assert guests.status_code in {201, 409}, guests.text
        await queue.work()
        left = await _rows(
            service,
            "SELECT status FROM appointments WHERE patient_id = $1 AND status IN ('requested', 'confirmed')",
            UUID(patient_id),
        )
        assert left == []
        entries = await _rows(service, "SELECT DISTINCT status FROM waitlist WHERE patient_id = $1", UUID(patient_id))
        assert {row["status"] for row in entries} <= {"left", "booked"}
        planned = await _rows(
            service,
            "SELECT m.kind FROM messages m JOIN appointments a ON a.id = m.subject_id"
            " WHERE a.patient_id = $1 AND m.status IN ('planned', 'waiting')",
            UUID(patient_id),
        )
        assert planned == []
    assert await overlaps(service, clinic) == 0
    assert seen["contended"] == 0


async def test_booking_waits_for_a_death(service: Service, furnished: Clinic) -> None:
    """A booking that meets a death being recorded waits for it, and is refused."""
    clinic, base = furnished, f"/clinics/{furnished.slug}"
    async with superuser(service.settings) as admin:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("SELECT FROM patients WHERE id = $1 FOR UPDATE", UUID(clinic.ids["patient_id"]))
        booking = asyncio.create_task(service.ask("POST", f"{base}/appointments", clinic.owner, json=clinic.visit()))
        await asyncio.sleep(0.2)
        assert not booking.done()
        today = datetime.now(UTC).date() - timedelta(days=1)
        await admin.execute("UPDATE patients SET deceased_on = $2 WHERE id = $1", UUID(clinic.ids["patient_id"]), today)
        await transaction.commit()
    answer = await booking
    assert (answer.status_code, answer.json()["code"]) == (409, "patient_deceased")


async def test_nothing_new(service: Service, furnished: Clinic) -> None:
    """Nobody recalls a patient that has died, and no step leads its visit to where somebody would wait for it."""
    base, ids = f"/clinics/{furnished.slug}", furnished.ids
    here, past = await service.book(furnished), await service.book(furnished)
    await service.done("POST", f"{base}/appointments/{here['id']}/check-in", furnished.owner)
    async with superuser(service.settings) as admin:
        before = datetime.now(UTC) - timedelta(days=1)
        await admin.execute(
            "UPDATE appointments SET status = 'requested', starts_at = $2, ends_at = $3 WHERE id = $1",
            UUID(past["id"]),
            before,
            before + timedelta(minutes=30),
        )
    await _die(service, furnished)
    recall = {"patient_id": ids["patient_id"], "kind": "follow_up", "due_on": "2030-01-15"}
    for path, body in (
        ("recalls", recall),
        (f"appointments/{here['id']}/back", None),
        (f"appointments/{past['id']}/confirm", None),
    ):
        answer = await service.ask("POST", f"{base}/{path}", furnished.owner, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "patient_deceased"), path
    for step, status in (("start", "in_exam"), ("back", "checked_in")):
        visit = await service.done("POST", f"{base}/appointments/{here['id']}/{step}", furnished.owner)
        assert visit["status"] == status
