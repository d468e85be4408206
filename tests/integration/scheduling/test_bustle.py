"""Everybody does everything in one clinic at once, on real PostgreSQL, and nobody has to do it twice."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.integration.http.service import EVERY_HOUR, Clinic, Service, superuser
from tests.integration.scheduling.races import overlaps


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic, fresh for each test."""
    return await service.equip(await service.open_clinic("gentio"))


ROUNDS, AT_ONCE = 60, 40

EXPECTED: dict[str, set[str]] = {
    "book": {"201", "slot_taken", "outside_hours"},
    "guest books": {"201", "slot_taken", "outside_hours"},
    "guest holds": {"201", "slot_taken", "outside_hours"},
    "walk in": {"201", "slot_taken", "outside_hours", "no_time_soon"},
    "reschedule": {"200", "slot_taken", "outside_hours", "invalid_transition"},
    "reassign": {"200", "slot_taken", "outside_hours", "invalid_transition"},
    "cancel": {"200", "invalid_transition"},
    "back": {"200", "slot_taken", "outside_hours", "invalid_transition"},
    "hours": {"200"},
    "exception": {"200"},
    "no exception": {"200", "404"},
    "close": {"201", "bookings_in_closure"},
    "change closure": {"200", "404", "bookings_in_closure"},
    "reopen": {"204", "404"},
    "rename": {"200"},
}
"""What may come of each, while the others go on."""


class Bustle:
    """A clinic whose people do everything at once, with services that share vets and rooms, named in other orders."""

    def __init__(self, service: Service, clinic: Clinic) -> None:
        self.service, self.clinic = service, clinic
        self.base, self.owner = f"/clinics/{clinic.slug}", clinic.owner
        self.chance = random.Random(17)  # noqa: S311 -- repeatable
        self.visits: list[tuple[str, int]] = []
        self.closures: list[str] = []
        self.seen: Counter[tuple[str, str]] = Counter()

    async def furnish(self) -> None:
        """Three vets and two rooms; the first service has two of the vets and any room, the other names rooms first."""
        made = []
        for kind, name in (("vet", "Zoe"), ("vet", "Abel"), ("vet", "Mara"), ("room", "2"), ("room", "1")):
            body = {"kind": kind, "name": name}
            resource = await self.service.done("POST", f"{self.base}/resources", self.owner, json=body)
            await self.service.done("PUT", f"{self.base}/resources/{resource['id']}/hours", self.owner, json=EVERY_HOUR)
            made.append(resource["id"])
        self.vets, self.rooms = made[:3], made[3:]
        self.leading = [self.vets[:2], self.vets[1:]]
        self.services = []
        for resources in ([*self.vets[:2], *self.rooms], [*self.rooms[::-1], *self.vets[:0:-1]]):
            body = {"name": "Consulta", "duration_minutes": 30, "resource_ids": resources, "bookable_online": True}
            made_service = await self.service.done("POST", f"{self.base}/services", self.owner, json=body)
            self.services.append(made_service["id"])
        first = datetime.fromisoformat(self.clinic.slot()) + timedelta(days=3)
        self.starts = [(first + timedelta(minutes=15 * number)).isoformat() for number in range(24)]
        # Guests ask for times of the next day, too, which are theirs alone: some are free however full the first is.
        self.guests_starts = self.starts + [(first + timedelta(days=1, hours=hour)).isoformat() for hour in range(12)]
        # The clinic's day, which is behind UTC, of the middle start.
        self.day = (first + timedelta(hours=3) - timedelta(hours=5)).date().isoformat()

    async def ask(self, doing: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """Do something, and count how it ended."""
        guest = path.startswith("/portal")
        where = path if guest else self.base + path
        answer = await self.service.ask(method, where, None if guest else self.owner, json=body)
        code = answer.json().get("code") if answer.content else None
        self.seen[doing, str(answer.status_code if code is None or answer.status_code == 404 else code)] += 1
        return answer

    async def one(self) -> None:
        """Something or other."""
        number = self.chance.randrange(2)
        wanted = {"service_id": self.services[number], "starts_at": self.chance.choice(self.starts)}
        ways = {self._book: 45, self._move: 40, self._open: 10, self._close: 9, self._rename: 3}
        [way] = self.chance.choices(list(ways), list(ways.values()))
        await way(number, wanted)

    async def _book(self, number: int, wanted: dict[str, Any]) -> None:
        patient = {"patient_id": self.clinic.ids["patient_id"]}
        asked = wanted | {"starts_at": self.chance.choice(self.guests_starts)}
        portal = f"/portal/clinics/{self.clinic.slug}"
        named = {"resource_ids": [self.chance.choice(self.leading[number])], "overbook": self.chance.random() < 0.3}
        ways: dict[str, tuple[str, dict[str, Any]]] = {
            "book": ("/appointments", wanted | patient | named),
            "guest books": (f"{portal}/bookings", self.clinic.guest(**asked)),
            "guest holds": (f"{portal}/holds", asked),
            "walk in": ("/appointments/walk-in", patient | {"service_id": wanted["service_id"]}),
        }
        [doing] = self.chance.choices(list(ways), [30, 8, 4, 2])
        made = await self.ask(doing, "POST", *ways[doing])
        if made.is_success and doing in {"book", "guest books"}:
            self.visits.append((made.json()["id"], number))

    async def _open(self, *_: Any) -> None:
        at = f"/resources/{self.chance.choice(self.vets + self.rooms)}"
        day = f"{at}/exceptions/{self.day}"
        ways: dict[str, tuple[Any, ...]] = {
            "hours": ("PUT", f"{at}/hours", EVERY_HOUR),
            "exception": ("PUT", day, {"spans": [{"opens": "00:00", "closes": "00:00"}]}),
            "no exception": ("DELETE", day),
        }
        doing = self.chance.choice(list(ways))
        await self.ask(doing, *ways[doing])

    async def _rename(self, number: int, _: Any) -> None:
        whom = (
            f"/resources/{self.chance.choice(self.vets + self.rooms)}",
            f"/services/{self.services[number]}",
            f"/patients/{self.clinic.ids['patient_id']}",
        )
        await self.ask("rename", "PATCH", self.chance.choice(whom), {"name": f"N{self.chance.randrange(99)}"})

    async def _move(self, *_: Any) -> None:
        if not self.visits:
            return
        visit, number = self.chance.choice(self.visits)
        doing = self.chance.choice(("reschedule", "reschedule", "reassign", "cancel", "back"))
        bodies = {
            "reschedule": {"starts_at": self.chance.choice(self.starts)},
            "reassign": {"resource_ids": [self.chance.choice(self.leading[number])]},
        }
        await self.ask(doing, "POST", f"/appointments/{visit}/{doing}", bodies.get(doing))

    async def _close(self, *_: Any) -> None:
        doing = self.chance.choice(("close", "change closure", "reopen"))
        whom = self.chance.choice([None, *self.vets])
        keep = {"keep_bookings": self.chance.random() < 0.8, "resource_id": whom}
        if doing == "close" or not self.closures:
            # Of an hour of the day, so that there is something to book beside it.
            hour = self.chance.randrange(20)
            body = keep | {"starts_on": self.day, "from_time": f"{hour:02}:00", "to_time": f"{hour + 1:02}:00"}
            made = await self.ask("close", "POST", "/closures", body)
            if made.is_success:
                self.closures.append(made.json()["id"])
        elif doing == "change closure":
            await self.ask(doing, "PATCH", f"/closures/{self.chance.choice(self.closures)}", keep)
        else:
            await self.ask(doing, "DELETE", f"/closures/{self.chance.choice(self.closures)}")


@pytest.mark.long
async def test_everything_at_once(service: Service, clinic: Clinic) -> None:
    """Forty people who book, move, hand over, cancel, come back, close and open whatever they like get an answer that
    fits what they asked: nobody is told to repeat it because two waited for each other, and nobody is booked twice.
    """
    bustle = Bustle(service, clinic)
    await bustle.furnish()
    for _ in range(ROUNDS):
        await asyncio.gather(*(bustle.one() for _ in range(AT_ONCE)))
    strange = {each: times for each, times in bustle.seen.items() if each[1] not in EXPECTED[each[0]]}
    assert not strange
    done = {doing for doing, code in bustle.seen if code.startswith("2")}
    assert done == EXPECTED.keys()
    assert await overlaps(service, clinic) == 0
    async with superuser(service.settings) as admin:
        wrong = await admin.fetch(
            "SELECT a.id, a.status FROM appointments a WHERE a.clinic_id = $1"
            " AND (a.status IN ('cancelled', 'no_show')) = EXISTS (SELECT FROM allocations l"
            " WHERE l.clinic_id = a.clinic_id AND l.appointment_id = a.id AND l.released_at IS NULL)",
            clinic.id,
        )
    assert not wrong, "only what takes place holds time"
