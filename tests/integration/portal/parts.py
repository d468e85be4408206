"""What tests of guests have in common."""

from datetime import UTC, datetime
from secrets import choice, token_hex
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from tests.integration.http.service import Clinic, Service, superuser

TABLES = (
    "appointments", "allocations", "appointment_transitions", "holds", "guest_requests", "clients", "patients",
    "parties", "links", "messages", "idempotency_keys", "outbox",
)  # fmt: skip
"""Where guests leave traces."""


async def book(service: Service, clinic: Clinic, body: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
    """A booking by a guest."""
    at = f"/portal/clinics/{clinic.slug}/bookings"
    return await service.ask("POST", at, json=clinic.guest() if body is None else body, **options)


async def booked(service: Service, clinic: Clinic, body: dict[str, Any] | None = None) -> Any:
    """What a booking answers that must succeed."""
    answer = await book(service, clinic, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def hold(service: Service, clinic: Clinic, starts_at: str, **more: Any) -> httpx.Response:
    """A hold by a guest."""
    wanted = {"service_id": clinic.ids["service_id"], "starts_at": starts_at, **more}
    return await service.ask("POST", f"/portal/clinics/{clinic.slug}/holds", json=wanted)


async def act(service: Service, token: str, step: str, **content: Any) -> httpx.Response:
    """A step by a link."""
    return await service.ask("POST", f"/portal/bookings/{token}/{step}", **content)


async def configure(service: Service, clinic: Clinic, **changes: Any) -> None:
    """Change the clinic's service."""
    at = f"/clinics/{clinic.slug}/services/{clinic.ids['service_id']}"
    await service.done("PATCH", at, clinic.owner, json=changes)


async def rows(service: Service, clinic: Clinic, table: str) -> list[asyncpg.Record]:
    """A table's rows of the clinic, in the order of their ids."""
    async with superuser(service.settings) as admin:
        return await admin.fetch(
            f"SELECT * FROM {table} WHERE clinic_id = $1 ORDER BY 1, 2",  # noqa: S608 -- a name of ours
            UUID(clinic.id),
        )


async def everything(service: Service, clinic: Clinic) -> dict[str, list[str]]:
    """Every row of the clinic in which guests leave traces, as text."""
    return {table: [repr(row) for row in await rows(service, clinic, table)] for table in TABLES}


async def execute(service: Service, sql: str, *arguments: Any) -> None:
    """A change past every rule."""
    async with superuser(service.settings) as admin:
        await admin.execute(sql, *arguments)


def stranger(**changes: Any) -> dict[str, Any]:
    """Somebody whom no clinic knows."""
    number = "".join(choice("0123456789") for _ in range(7))
    return {"given_name": "Ana", "family_name": f"Pérez {token_hex(3)}", "phone": f"099{number}", **changes}


def instant(text: str) -> datetime:
    """An instant that was told as text."""
    return datetime.fromisoformat(text).astimezone(UTC)
