"""A clinic with visits to remind of, and a clock that is set by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import SecretStr
from tests.integration.http.service import Clinic, Service, superuser

from coravet.bootstrap import make_post
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.messaging.model import MessageKind
from coravet.core.messaging.ports import NewMessage
from coravet.core.messaging.send import Post, send

DAY = timedelta(days=1)


@dataclass
class Hand:
    """A clock that stands where it is set."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass
class Scene:
    """What a test of messages works with: one clinic of its own."""

    service: Service
    clinic: Clinic
    clock: Hand
    post: Post

    @property
    def actor(self) -> Actor:
        return Actor(clinic_id=ClinicId(UUID(self.clinic.id)), time_zone="America/Guayaquil", user_id=None)

    @property
    def base(self) -> str:
        return f"/clinics/{self.clinic.slug}"

    async def visit(self, starts_at: datetime | None = None) -> dict[str, Any]:
        """A visit of the clinic's patient."""
        body = self.clinic.visit(None if starts_at is None else starts_at.isoformat())
        made: dict[str, Any] = await self.service.done(
            "POST", f"{self.base}/appointments", self.clinic.owner, json=body
        )
        return made

    async def queue(self, kind: MessageKind, visit_id: str, due_at: datetime | None = None) -> dict[str, UUID]:
        """Messages of the kind about a visit, due now and so after all that was done before; their ids by channel."""
        self.clock.at = max(self.clock.at, datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1))
        at = due_at or self.clock.at
        async with self.service.application.works.begin(self.actor) as work:
            await work.messages.queue(NewMessage(kind, "appointment", UUID(visit_id), at))
        # Booking and each step queue messages of their own, due when they were taken.
        rows = await self.rows(visit_id)
        return {row["channel"]: row["id"] for row in rows if (row["kind"], row["due_at"]) == (kind, at)}

    async def step(self, visit_id: str, *steps: str) -> None:
        """Take steps with a visit, one after the other."""
        for step in steps:
            await self.service.done("POST", f"{self.base}/appointments/{visit_id}/{step}", self.clinic.owner)

    async def send_all(self, visit_id: str) -> list[tuple[str, str, str | None]]:
        """Send what is planned about a visit by mail, the oldest first; all mails' kinds, states and reasons."""
        self.clock.at = max(self.clock.at, datetime.now(UTC)) + timedelta(seconds=1)
        for row in await self.rows(visit_id):
            if row["channel"] == "mail":
                await self.send(row["id"])
        mails = [row for row in await self.rows(visit_id) if row["channel"] == "mail"]
        return [(row["kind"], row["status"], row["why"]) for row in mails]

    async def send(self, message_id: UUID, post: Post | None = None) -> None:
        """What the message's job does."""
        begin = self.service.application.works.begin
        await send(message_id, self.actor, begin, self.clock, post or self.post)

    async def choose(self, **choices: Any) -> None:
        """The client agrees to channels, or no longer does."""
        at = f"{self.base}/clients/{self.clinic.ids['client_id']}/channels"
        await self.service.done("PUT", at, self.clinic.owner, json=choices)

    async def remind(self, *rules: dict[str, Any], quiet: tuple[str, str] | None = None) -> None:
        """Set the clinic's rules and quiet hours."""
        hours = None if quiet is None else {"begins": quiet[0], "ends": quiet[1]}
        body = {"rules": list(rules), "quiet_hours": hours}
        await self.service.done("PUT", f"{self.base}/reminder-rules", self.clinic.owner, json=body)

    async def rows(self, subject_id: str) -> list[asyncpg.Record]:
        """The messages about a subject, as they are stored."""
        async with superuser(self.service.settings) as admin:
            return await admin.fetch(
                "SELECT * FROM messages WHERE clinic_id = $1 AND subject_id = $2 ORDER BY due_at, kind, channel",
                UUID(self.clinic.id),
                UUID(subject_id),
            )

    async def reminders(self, subject_id: str) -> list[asyncpg.Record]:
        """Those of them that nobody's step queued."""
        rows = await self.rows(subject_id)
        return [row for row in rows if row["subject_type"] == "recall" or row["kind"] == "visit_reminder"]

    async def row(self, message_id: UUID) -> asyncpg.Record:
        """One message, as it is stored."""
        async with superuser(self.service.settings) as admin:
            [found] = await admin.fetch("SELECT * FROM messages WHERE id = $1", message_id)
            return found

    async def jobs(self, message_id: UUID) -> list[datetime]:
        """When jobs for a message are due, oldest first."""
        async with superuser(self.service.settings) as admin:
            rows = await admin.fetch(
                "SELECT execute_after FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE $1 ORDER BY id",
                f"%{message_id}%",
            )
        return [row["execute_after"] for row in rows]

    def over(self, **settings: Any) -> Post:
        """What carries messages, with these settings."""
        return make_post(self.service.settings.model_copy(update=settings), self.clock)


async def set_scene(service: Service, port: int) -> Scene:
    """A clinic without rules, whose client agreed to both channels, and mail through that port."""
    clinic = await service.equip(await service.open_clinic("avisos"))
    await service.tell(clinic)
    await service.wait(clinic)
    clock = Hand(datetime.now(UTC).replace(microsecond=0))
    scene = Scene(service, clinic, clock, Post(None, {}))  # type: ignore[arg-type] -- set in the next line
    scene.post = scene.over(smtp_url=SecretStr(f"smtp://127.0.0.1:{port}"), mail_from="citas@coravet.test")
    await scene.remind()
    return scene
