"""Who waits for time in a clinic, and a worker that does the waitlist's jobs when it is told to."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
from tests.integration.http.service import EVERY_HOUR, Clinic, Headers, Service, superuser

from coravet.bootstrap import handlers
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import Clock, SystemClock
from coravet.core.kernel.errors import StaleVersion
from coravet.core.kernel.jobs import Job
from coravet.core.messaging.links import mint
from coravet.core.messaging.model import LinkPurpose
from coravet.core.scheduling.errors import SlotTaken

Answer = dict[str, Any]


@dataclass
class Later:
    """A clock that goes before the others."""

    by: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


@dataclass
class Queue:
    """A clinic of a test's own, with nobody on its waitlist."""

    service: Service
    clinic: Clinic

    @property
    def base(self) -> str:
        return f"/clinics/{self.clinic.slug}"

    @property
    def actor(self) -> Actor:
        return Actor(clinic_id=ClinicId(UUID(self.clinic.id)), time_zone="America/Guayaquil", user_id=None)

    async def done(self, method: str, path: str, **content: Any) -> Any:
        return await self.service.done(method, f"{self.base}/{path}", self.clinic.owner, **content)

    async def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        return await self.service.ask(method, f"{self.base}/{path}", self.clinic.owner, **content)

    async def wait(self, **wish: Any) -> str:
        """Somebody new on the waitlist, who would come at any time; their entry's id."""
        return str((await self.done("POST", "waitlist", json=self.wish(**wish)))["id"])

    def wish(self, **changed: Any) -> dict[str, Any]:
        ids, today = self.clinic.ids, datetime.now(UTC).date()
        days = {"from_date": today.isoformat(), "to_date": (today + timedelta(days=30)).isoformat()}
        return {"service_id": ids["service_id"], "patient_id": ids["patient_id"], **days, **changed}

    async def entry(self, entry_id: str) -> Answer:
        """An entry as the list shows it."""
        items = (await self.done("GET", "waitlist", params={"limit": 200}))["items"]
        [found] = [item for item in items if item["id"] == entry_id]
        return dict(found)

    async def statuses(self, *entry_ids: str) -> list[str]:
        return [(await self.entry(each))["status"] for each in entry_ids]

    async def visit(self, starts_at: str | None = None) -> Answer:
        return dict(await self.done("POST", "appointments", json=self.clinic.visit(starts_at)))

    async def book(self, starts_at: str) -> httpx.Response:
        return await self.ask("POST", "appointments", json=self.clinic.visit(starts_at))

    async def cancelled(self, starts_at: str | None = None) -> str:
        """Time that a visit gave up: its start."""
        visit = await self.visit(starts_at)
        await self.done("POST", f"appointments/{visit['id']}/cancel")
        return str(visit["starts_at"])

    async def offered(self) -> tuple[str, str]:
        """Somebody who was offered what was cancelled, and when that begins."""
        entry_id = await self.wait()
        starts_at = await self.cancelled()
        await self.work()
        assert (await self.entry(entry_id))["offer"]["starts_at"] == starts_at
        return entry_id, starts_at

    async def link(
        self, entry_id: str, life: timedelta = timedelta(days=1), purpose: LinkPurpose = "accept_offer"
    ) -> str:
        """The token of a link to what an entry is offered."""
        async with superuser(self.service.settings) as admin:
            hold_id = await admin.fetchval("SELECT hold_id FROM waitlist WHERE id = $1", entry_id)
        async with self.service.application.works.begin(self.actor) as work:
            return await mint(work, purpose, hold_id, datetime.now(UTC) + life)

    async def portal(self, method: str, path: str) -> httpx.Response:
        nobody: Headers = {}
        return await self.service.ask(method, f"/portal/offers/{path}", nobody)

    async def free(self, starts_at: str) -> bool:
        """Whether availability shows that start."""
        at = datetime.fromisoformat(starts_at)
        days = {"from": (at - timedelta(days=1)).date().isoformat(), "to": at.date().isoformat()}
        shown = await self.done("GET", "availability", params={"service": self.clinic.ids["service_id"], **days})
        slots = [slot for day in shown["days"] for slot in day["slots"]]
        return at in {datetime.fromisoformat(slot["starts_at"]) for slot in slots}

    async def lapse(self) -> None:
        """Let the deadlines of all offers come."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        async with superuser(self.service.settings) as admin:
            for table in ("holds", "allocations"):
                await admin.execute(
                    f"UPDATE {table} SET expires_at = $2 WHERE clinic_id = $1 AND expires_at > $2",  # noqa: S608 -- one of two names
                    self.clinic.id,
                    past,
                )
            await admin.execute(
                "UPDATE jobs.pgqueuer SET execute_after = $2 WHERE entrypoint = 'waitlist.offer_ends'"
                " AND convert_from(payload, 'UTF8')::jsonb ->> 'clinic_id' = $1",
                self.clinic.id,
                past,
            )

    async def jobs(self, clock: Clock) -> list[asyncpg.Record]:
        """Take the waitlist's jobs that are due from the queue."""
        async with superuser(self.service.settings) as admin:
            return await admin.fetch(
                "DELETE FROM jobs.pgqueuer WHERE entrypoint LIKE 'waitlist.%' AND execute_after <= $2"
                " AND convert_from(payload, 'UTF8')::jsonb ->> 'clinic_id' = $1 RETURNING *",
                self.clinic.id,
                clock.now(),
            )

    async def work(self, clock: Clock | None = None) -> int:
        """Do the waitlist's jobs that are due, and those that come of them; answers how many they were."""
        clock, count = clock or SystemClock(), 0
        application = self.service.application
        known = handlers(application.works, self.service.settings, clock, application.studio)
        by_kind = {kind.kind(): (kind, handler) for kind, handler in known.items()}
        while found := await self.jobs(clock):
            for row in sorted(found, key=lambda row: row["id"]):
                kind, handler = by_kind[row["entrypoint"]]
                await _tried(partial(handler, actor=self.actor), msgspec.json.decode(row["payload"], type=kind))
                count += 1
        return count


async def _tried(do: Callable[[Job], Awaitable[object]], job: Job) -> None:
    """Do a job, and again where somebody was faster, as a worker would."""
    for _ in range(5):
        with suppress(SlotTaken, StaleVersion):
            await do(job)
            return
    await do(job)


async def set_queue(service: Service) -> Queue:
    """A clinic, with a second vet for its service, and nobody waiting."""
    clinic = await service.equip(await service.open_clinic("espera"))
    queue, ids = Queue(service, clinic), clinic.ids
    ids["other_id"] = (await queue.done("POST", "resources", json={"kind": "vet", "name": "zoila"}))["id"]
    await queue.done("PUT", f"resources/{ids['other_id']}/hours", json=EVERY_HOUR)
    both = [ids["resource_id"], ids["other_id"], ids["room_id"]]
    await queue.done("PATCH", f"services/{ids['service_id']}", json={"resource_ids": both})
    # Awake at all hours, whenever the tests run.
    await queue.done("PUT", "reminder-rules", json={"rules": [], "quiet_hours": None})
    await queue.work()
    return queue
