"""Time that is given up is offered to the first who waits for it, and held for them."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.scheduling.races import codes, overlaps
from tests.integration.scheduling.waiting import Later, Queue, set_queue


@pytest.fixture
async def queue(service: Service) -> Queue:
    """A clinic of the test's own, with nobody on its waitlist."""
    return await set_queue(service)


def weekday(starts_at: str) -> int:
    """Of an instant, in Guayaquil."""
    return (datetime.fromisoformat(starts_at) - timedelta(hours=5)).isoweekday()


async def _messages(queue: Queue, entry_id: str) -> list[Any]:
    async with superuser(queue.service.settings) as admin:
        rows = await admin.fetch(
            "SELECT m.kind, m.channel, m.starts_at FROM messages m JOIN waitlist w ON w.hold_id = m.subject_id"
            " WHERE w.id = $1 ORDER BY m.channel",
            entry_id,
        )
        return [tuple(row) for row in rows]


async def test_cancelled(queue: Queue) -> None:
    """The first who waits for such a time is offered it; it is taken for everybody else, and they are told."""
    start = queue.clinic.slot()
    other_days = [day for day in range(1, 8) if day != weekday(start)]
    elsewhere = await queue.wait(weekdays=other_days)
    other_vet = await queue.wait(resource_ids=[queue.clinic.ids["other_id"]])
    first, second = await queue.wait(weekdays=[weekday(start)]), await queue.wait()
    await queue.cancelled(start)
    assert await queue.statuses(first) == ["waiting"]
    await queue.work()
    assert await queue.statuses(elsewhere, other_vet, first, second) == ["waiting", "waiting", "offered", "waiting"]
    entry = await queue.entry(first)
    offer = entry["offer"]
    assert datetime.fromisoformat(offer["starts_at"]) == datetime.fromisoformat(start)
    assert [each["id"] for each in offer["resources"]] == [queue.clinic.ids[key] for key in ("resource_id", "room_id")]
    left = datetime.fromisoformat(offer["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=118) < left <= timedelta(hours=2)
    assert (await queue.book(start)).json()["code"] == "slot_taken"
    assert not await queue.free(start)
    at = datetime.fromisoformat(start)
    assert await _messages(queue, first) == [("waitlist_offer", "mail", at), ("waitlist_offer", "whatsapp", at)]
    async with superuser(queue.service.settings) as admin:
        kinds = await admin.fetch("SELECT kind FROM outbox WHERE subject_id = $1 ORDER BY id", first)
    assert [row["kind"] for row in kinds] == ["waitlist.joined", "waitlist.offered"]


GIVEN_UP = {
    "cancel": {},
    "no-show": {},
    "reschedule": {"starts_at": "{later}"},
    "reassign": {"resource_ids": ["{other_id}"]},
}


@pytest.mark.parametrize("step", GIVEN_UP)
async def test_given_up(step: str, queue: Queue) -> None:
    """However a visit gives up a vet's time, it is offered to who waits for that vet."""
    ids = queue.clinic.ids
    entry_id = await queue.wait(resource_ids=[ids["resource_id"]])
    # Two rooms, so that who is reassigned leaves a room for who is offered the time.
    room = await queue.done("POST", "resources", json={"kind": "room", "name": "zona"})
    hours = await queue.done("GET", f"resources/{ids['room_id']}/hours")
    await queue.done("PUT", f"resources/{room['id']}/hours", json={"spans": hours["spans"]})
    all_of_them = [ids["resource_id"], ids["other_id"], ids["room_id"], room["id"]]
    await queue.done("PATCH", f"services/{ids['service_id']}", json={"resource_ids": all_of_them})
    visit, later = await queue.visit(), queue.clinic.slot()
    body = {
        key: later if value == "{later}" else [ids["other_id"]] if key == "resource_ids" else value
        for key, value in GIVEN_UP[step].items()
    }
    await queue.done("POST", f"appointments/{visit['id']}/{step}", json=body)
    await queue.work()
    entry = await queue.entry(entry_id)
    assert entry["status"] == "offered"
    assert entry["offer"]["starts_at"] == visit["starts_at"]


async def test_past(queue: Queue) -> None:
    """A visit that is over gives up nothing when it is marked as missed."""
    visit = await queue.visit((datetime.now(UTC) - timedelta(minutes=50)).isoformat())
    entry_id = await queue.wait()
    await queue.done("POST", f"appointments/{visit['id']}/no-show")
    assert await queue.work() == 0
    assert await queue.statuses(entry_id) == ["waiting"]


async def test_nobody_fits(queue: Queue) -> None:
    """Where nobody waits for such a time, it is free for everybody."""
    start = queue.clinic.slot()
    entry_id = await queue.wait(weekdays=[weekday(start) % 7 + 1])
    await queue.cancelled(start)
    await queue.work()
    assert await queue.statuses(entry_id) == ["waiting"]
    assert await queue.free(start)
    assert (await queue.book(start)).status_code == 201


async def test_the_dead_wait_for_nothing(queue: Queue) -> None:
    """A patient that died meanwhile waits no longer."""
    entry_id = await queue.wait()
    death = {"on": (datetime.now(UTC) - timedelta(days=1)).date().isoformat()}
    start = await queue.cancelled()
    await queue.done("POST", f"patients/{queue.clinic.ids['patient_id']}/deceased", json=death)
    await queue.work()
    assert await queue.statuses(entry_id) == ["left"]
    assert await queue.free(start)


async def test_long_time(queue: Queue) -> None:
    """Freed time that has room for several is offered to as many, one after the other without gap."""
    ids = queue.clinic.ids
    surgery = {"name": "Cirugía", "duration_minutes": 90, "resource_ids": [ids["resource_id"], ids["room_id"]]}
    service_id = (await queue.done("POST", "services", json=surgery))["id"]
    start, *_ = [queue.clinic.slot() for _ in range(3)]
    visit = await queue.done("POST", "appointments", json=queue.clinic.visit(start) | {"service_id": service_id})
    waiting = [await queue.wait(resource_ids=[ids["resource_id"]]) for _ in range(4)]
    after = await queue.visit()  # right behind it
    await queue.done("POST", f"appointments/{visit['id']}/cancel")
    await queue.work()
    assert await queue.statuses(*waiting) == ["offered", "offered", "offered", "waiting"]
    starts = [datetime.fromisoformat((await queue.entry(each))["offer"]["starts_at"]) for each in waiting[:3]]
    begins = datetime.fromisoformat(start)
    assert starts == [begins + timedelta(minutes=minutes) for minutes in (0, 30, 60)]
    assert datetime.fromisoformat(after["starts_at"]) == begins + timedelta(minutes=90)


@pytest.mark.parametrize("way", ["deadline", "decline", "leave", "link"])
async def test_next(way: str, queue: Queue) -> None:
    """An offer that is let pass goes to the next, and never to the same again; who let it pass waits on."""
    first, start = await queue.offered()
    second, third = await queue.wait(), await queue.wait()
    match way:
        case "deadline":
            await queue.lapse()
        case "decline":
            assert (await queue.done("POST", f"waitlist/{first}/decline"))["status"] == "waiting"
        case "link":
            token = await queue.link(first)
            for _ in range(2):
                assert (await queue.portal("POST", f"{token}/decline")).json()["status"] == "closed"
        case "leave":
            for _ in range(2):
                await queue.done("DELETE", f"waitlist/{first}")
    await queue.work()
    stays = "left" if way == "leave" else "waiting"
    assert await queue.statuses(first, second, third) == [stays, "offered", "waiting"]
    assert (await queue.entry(second))["offer"]["starts_at"] == start
    await queue.done("POST", f"waitlist/{second}/decline")
    await queue.work()
    assert await queue.statuses(first, second, third) == [stays, "waiting", "offered"]
    await queue.done("POST", f"waitlist/{third}/decline")
    await queue.work()
    assert await queue.statuses(first, second, third) == [stays, "waiting", "waiting"]
    assert await queue.free(start)


async def test_another_time(queue: Queue) -> None:
    """Who let one time pass is the first to be offered another."""
    first, _ = await queue.offered()
    await queue.done("POST", f"waitlist/{first}/decline")
    await queue.wait()
    start = await queue.cancelled()
    await queue.work()
    entry = await queue.entry(first)
    assert (entry["offer"]["starts_at"], entry["offers"]) == (start, 2)


async def test_accepted(queue: Queue) -> None:
    """What was held becomes a visit, once; who waited leaves the list, and the deadline changes nothing."""
    entry_id = await queue.wait(note="control del oído")
    start = await queue.cancelled()
    await queue.work()
    offered = await queue.entry(entry_id)
    visits = [await queue.done("POST", f"waitlist/{entry_id}/accept") for _ in range(2)]
    assert visits[0] == visits[1]
    visit = visits[0]
    assert (visit["status"], visit["source"], visit["starts_at"]) == ("confirmed", "staff", start)
    assert visit["reason"] == "control del oído"
    assert visit["resources"] == offered["offer"]["resources"]
    await queue.lapse()
    await queue.work()
    entry = await queue.entry(entry_id)
    assert (entry["status"], entry["appointment_id"]) == ("booked", visit["id"])
    refused = await queue.ask("POST", f"waitlist/{entry_id}/decline")
    assert (refused.json()["code"], refused.json()["current_status"]) == ("invalid_transition", "booked")
    assert (await queue.ask("DELETE", f"waitlist/{entry_id}")).json()["code"] == "invalid_transition"
    assert (await queue.book(start)).json()["code"] == "slot_taken"
    [step] = (await queue.done("GET", f"appointments/{visit['id']}/history"))["items"]
    assert (step["step"], step["by"]) == ("book", "staff")


async def test_link(queue: Queue) -> None:
    """A link shows the offer however often it is looked at; only posting takes it, once."""
    entry_id, start = await queue.offered()
    token = await queue.link(entry_id)
    for _ in range(3):
        shown = await queue.portal("GET", token)
        assert (shown.json()["status"], shown.json()["starts_at"]) == ("open", start)
        assert (shown.json()["service"], shown.json()["patient"]) == ("Consulta", "Firulais")
        assert shown.headers["cache-control"] == "no-store"
        await queue.portal("HEAD", token)
        for action in ("accept", "decline"):
            assert (await queue.portal("GET", f"{token}/{action}")).status_code == 405
    assert await queue.statuses(entry_id) == ["offered"]
    taken = [await queue.portal("POST", f"{token}/accept") for _ in range(2)]
    assert [answer.json()["status"] for answer in taken] == ["accepted", "accepted"]
    entry = await queue.entry(entry_id)
    visit = await queue.done("GET", f"appointments/{entry['appointment_id']}")
    assert (visit["status"], visit["source"]) == ("confirmed", "portal")
    [step] = (await queue.done("GET", f"appointments/{visit['id']}/history"))["items"]
    assert (step["by"], step["user"]) == ("guest", None)
    assert (await queue.portal("POST", f"{token}/decline")).json()["code"] == "invalid_transition"


async def test_closed_links(queue: Queue) -> None:
    """A link that expired, is none, or is for something else, answers as one that nobody has; what another got by now
    can no longer be taken by its link."""
    entry_id, _ = await queue.offered()
    good, expired = await queue.link(entry_id), await queue.link(entry_id, -timedelta(seconds=1))
    foreign = await queue.link(entry_id, purpose="see")
    answers = []
    for method, path in (("GET", "{}"), ("POST", "{}/accept"), ("POST", "{}/decline")):
        for token in (expired, foreign, "x" * 43):
            answer = await queue.portal(method, path.format(token))
            told = answer.json()
            told.pop("request_id")
            answers.append((answer.status_code, told))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 404
    await queue.lapse()
    assert (await queue.portal("POST", f"{good}/accept")).json()["code"] == "offer_expired"
    await queue.work()
    assert (await queue.portal("POST", f"{good}/accept")).json()["code"] == "offer_expired"
    shown = (await queue.portal("GET", good)).json()
    assert (shown["status"], shown["patient"]) == ("closed", None)


async def test_worker_away(queue: Queue) -> None:
    """With no worker, what is cancelled is free at once, and what was offered is free after its deadline."""
    await queue.wait()
    assert await queue.free(await queue.cancelled())
    await queue.work()
    [entry] = (await queue.done("GET", "waitlist", params={"status": "offered"}))["items"]
    start = entry["offer"]["starts_at"]
    assert not await queue.free(start)
    await queue.lapse()
    assert await queue.free(start)
    assert (await queue.book(start)).status_code == 201
    assert (await queue.ask("POST", f"waitlist/{entry['id']}/accept")).json()["code"] == "offer_expired"
    await queue.work()
    assert await queue.statuses(entry["id"]) == ["waiting"]
    assert await overlaps(queue.service, queue.clinic) == 0


async def test_by_hand(queue: Queue) -> None:
    """Staff offer whatever time is free, also to who did not wish for it; for as long as they say."""
    ids, start = queue.clinic.ids, queue.clinic.slot()
    entry_id = await queue.wait(weekdays=[weekday(start) % 7 + 1], resource_ids=[ids["other_id"]])
    at = f"waitlist/{entry_id}/offer"
    entry = await queue.done("POST", at, json={"starts_at": start, "minutes": 30})
    assert entry["status"] == "offered"
    assert {each["id"] for each in entry["offer"]["resources"]} == {ids["other_id"], ids["room_id"]}
    left = datetime.fromisoformat(entry["offer"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=28) < left <= timedelta(minutes=30)
    again = await queue.ask("POST", at, json={"starts_at": queue.clinic.slot()})
    assert (again.json()["code"], again.json()["current_status"]) == ("invalid_transition", "offered")
    await queue.lapse()  # and no worker sees it
    later = queue.clinic.slot()
    named = {"starts_at": later, "resource_ids": [ids["resource_id"]]}
    assert (await queue.done("POST", at, json=named))["offers"] == 2
    assert await queue.free(start)
    assert not await queue.free(later)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"starts_at": "2020-01-01T10:00:00Z"}, "in_past"),
        ({"starts_at": "{soon}"}, "too_soon"),
        ({"starts_at": "{slot}", "minutes": 5}, "too_small"),
        ({"starts_at": "{taken}"}, "slot_taken"),
        ({"starts_at": "{slot}", "resource_ids": ["{room_id}"]}, "leading_resource_missing"),
        ({"starts_at": "{slot}", "resource_ids": ["{patient_id}"]}, "not_found"),
    ],
)
async def test_offer_refused(body: dict[str, Any], refused: str, queue: Queue) -> None:
    """What cannot be offered is told by its code, and nothing is held."""
    entry_id = await queue.wait()
    ids = {
        **queue.clinic.ids,
        "soon": (datetime.now(UTC) + timedelta(minutes=20)).isoformat(),
        "taken": (await queue.visit())["starts_at"],
        "slot": queue.clinic.slot(),
    }
    sent = {
        key: [each.format(**ids) for each in value] if isinstance(value, list) else str(value).format(**ids)
        for key, value in body.items()
        if key != "minutes"
    }
    sent |= {key: value for key, value in body.items() if key == "minutes"}
    answer = (await queue.ask("POST", f"waitlist/{entry_id}/offer", json=sent)).json()
    assert refused in {answer["code"], *(error["code"] for error in answer.get("errors", ()))}
    assert await queue.statuses(entry_id) == ["waiting"]


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"to_date": "2020-01-01", "from_date": "2020-01-01"}, "/to_date", "in_past"),
        ({"to_date": "2099-01-01"}, "/to_date", "too_far"),
        ({"weekdays": [8]}, "/weekdays/0", "too_large"),
        ({"from_time": "25:00"}, "/from_time", "malformed"),
        ({"from_time": "10:00", "to_time": "09:00"}, "/to_time", "before_from"),
        ({"resource_ids": ["room_id"]}, "/resource_ids/0", "resource_not_suited"),
    ],
)
async def test_wish_refused(changed: dict[str, Any], pointer: str, code: str, service: Service, clinic: Clinic) -> None:
    """A wish that cannot come true is refused, field by field."""
    queue = Queue(service, clinic)
    if "resource_ids" in changed:
        changed = {"resource_ids": [clinic.ids[each] for each in changed["resource_ids"]]}
    answer = await queue.ask("POST", "waitlist", json=queue.wish(**changed))
    assert answer.status_code == 422
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in answer.json()["errors"]}


async def test_wish_over(queue: Queue) -> None:
    """When the last day that was wished for is over, who waited in vain leaves the list; not before."""
    entry_id, later = await queue.wait(), await queue.wait()
    today = (datetime.now(UTC) - timedelta(hours=5)).date().isoformat()
    ends = await queue.wait(from_date=today, to_date=today)
    await queue.work(Later(timedelta(hours=24)))
    assert await queue.statuses(entry_id, later, ends) == ["waiting", "waiting", "expired"]
    await queue.work(Later(timedelta(days=33)))
    assert await queue.statuses(entry_id, later) == ["expired", "expired"]


async def test_deceased_is_not_booked(queue: Queue) -> None:
    """A patient that died after it was offered a time gets no visit of it."""
    entry_id, _ = await queue.offered()
    token = await queue.link(entry_id)
    death = {"on": (datetime.now(UTC) - timedelta(days=1)).date().isoformat()}
    await queue.done("POST", f"patients/{queue.clinic.ids['patient_id']}/deceased", json=death)
    assert (await queue.ask("POST", f"waitlist/{entry_id}/accept")).json()["code"] == "invalid_transition"
    assert (await queue.portal("POST", f"{token}/accept")).json()["code"] == "offer_expired"


async def _visits(queue: Queue, start: str) -> int:
    """How many visits begin then."""
    async with superuser(queue.service.settings) as admin:
        found = await admin.fetchval(
            "SELECT count(*) FROM appointments WHERE clinic_id = $1 AND starts_at = $2 AND status = 'confirmed'",
            queue.clinic.id,
            datetime.fromisoformat(start),
        )
        return int(found)


async def test_accepted_at_once(queue: Queue) -> None:
    """Of many who accept at once, by the desk and by the link, all are told of the same one visit."""
    for _ in range(5):
        entry_id, start = await queue.offered()
        token = await queue.link(entry_id)
        answers = await asyncio.gather(
            *(queue.ask("POST", f"waitlist/{entry_id}/accept") for _ in range(6)),
            *(queue.portal("POST", f"{token}/accept") for _ in range(6)),
        )
        assert codes(answers) == {"200": 12}
        assert len({answer.json()["id"] for answer in answers[:6]}) == 1
        assert await _visits(queue, start) == 1


async def test_accepted_at_the_deadline(queue: Queue) -> None:
    """Who accepts in the moment of the deadline gets the visit or is told that the offer ended; never half of each."""
    for number in range(12):
        first, start = await queue.offered()
        second = await queue.wait()

        async def late(entry_id: str = first, pause: float = number / 400) -> httpx.Response:
            await asyncio.sleep(pause)
            return await queue.ask("POST", f"waitlist/{entry_id}/accept")

        # The worker's clock is past the deadline, the desk's is not.
        answer, _ = await asyncio.gather(late(), queue.work(Later(timedelta(hours=3))))
        code = str(answer.json().get("code", answer.status_code))
        assert code in {"200", "offer_expired", "invalid_transition"}
        assert await queue.statuses(first) == (["booked"] if code == "200" else ["waiting"])
        assert await _visits(queue, start) == (1 if code == "200" else 0)
        for each in (first, second):
            await queue.ask("DELETE", f"waitlist/{each}")
        await queue.work()
    assert await overlaps(queue.service, queue.clinic) == 0


async def test_offered_while_booked(queue: Queue) -> None:
    """Freed time that others book while it is offered goes to one: a visit, or who waits."""
    for _ in range(8):
        entry_id = await queue.wait()
        start = await queue.cancelled()
        *answers, _ = await asyncio.gather(*(queue.book(start) for _ in range(8)), queue.work())
        [status] = await queue.statuses(entry_id)
        booked = codes(each for each in answers if isinstance(each, httpx.Response))
        assert set(booked) <= {"201", "slot_taken"}
        assert booked["201"] + (status == "offered") == 1
        await queue.done("DELETE", f"waitlist/{entry_id}")
    assert await overlaps(queue.service, queue.clinic) == 0


async def test_storm(queue: Queue) -> None:
    """Cancelling, booking, offering, accepting, declining and leaving all at once: no fault, no deadlock that anybody
    would see, no time taken twice, and whoever was booked has a visit."""
    chance = random.Random(11)  # noqa: S311 -- chosen once, repeatable
    starts = [queue.clinic.slot() for _ in range(6)]
    visits = [(await queue.visit(start))["id"] for start in starts]
    waiting = [await queue.wait() for _ in range(12)]
    found: Counter[str] = Counter()
    busy = True

    async def act() -> None:
        for _ in range(25):
            start, entry_id = chance.choice(starts), chance.choice(waiting)
            other = {"resource_ids": [queue.clinic.ids["other_id"]]}
            path, body = chance.choice(
                [
                    (f"appointments/{chance.choice(visits)}/cancel", None),
                    ("appointments", queue.clinic.visit(start)),
                    ("appointments", queue.clinic.visit(start) | other),
                    (f"waitlist/{entry_id}/offer", {"starts_at": start}),
                    (f"waitlist/{entry_id}/accept", None),
                    (f"waitlist/{entry_id}/decline", None),
                ]
            )
            answer = await queue.ask("POST", path, json=body)
            found.update(codes([answer]))
            if answer.is_success and "lane" in answer.json():
                visits.append(answer.json()["id"])

    async def worker() -> None:
        while busy:
            await queue.work()

    workers = [asyncio.create_task(worker()) for _ in range(2)]
    await asyncio.gather(*(act() for _ in range(10)))
    busy = False
    await asyncio.gather(*workers)
    assert set(found) <= {"200", "201", "slot_taken", "invalid_transition", "offer_expired", "stale_version"}
    assert await overlaps(queue.service, queue.clinic) == 0
    entries = [await queue.entry(each) for each in waiting]
    assert [each for each in entries if (each["status"] == "booked") != (each["appointment_id"] is not None)] == []
    for entry_id in waiting:
        await queue.ask("DELETE", f"waitlist/{entry_id}")
    await queue.work()
    assert set(await queue.statuses(*waiting)) <= {"booked", "left"}
