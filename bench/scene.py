"""What is measured: a clinic with forty visits a day, and eight tubs that nobody has booked yet."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import msgspec
from bench.load import instant

from coravet.adapters.local import demo
from coravet.adapters.local.demo_clinic import (
    DAYS_AROUND,
    ClinicPlan,
    Contents,
    PlannedResource,
    PlannedService,
    furnish,
)
from coravet.adapters.local.demo_plans import PASSWORD, PEOPLE, TIME_ZONE, week
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.core.kernel.actor import ClinicId, MemberId
from coravet.core.tenancy.clinic_day import day_of, time_zone
from coravet.core.tenancy.model import Clinic, Member
from coravet.settings import Settings

SLUG = "banco-de-pruebas"
EVERY_DAY = range(1, 8)
STEP_MINUTES = 15
OWNER = PEOPLE[0]

_VETS = ("Dra. Uno", "Dr. Dos")
_ROOMS = ("Consultorio 1", "Consultorio 2")
_OPEN = week((EVERY_DAY, "08:00", "18:00"))
_ALWAYS = week((EVERY_DAY, "00:00", "00:00"))


def _plan(connections: int) -> ClinicPlan:
    """Two vets whose days are full, and for each connection a service of its own, so that none waits for another."""
    baths = [(f"Baño {number}", f"Tina {number}", f"Secadora {number}") for number in range(connections)]
    return ClinicPlan(
        seed=SLUG,
        time_zone=TIME_ZONE,
        province=23,
        resources=[
            *(PlannedResource(kind="vet", name=name, spans=_OPEN) for name in _VETS),
            *(PlannedResource(kind="room", name=name, spans=_OPEN) for name in _ROOMS),
            *(PlannedResource(kind="room", name=tub, spans=_ALWAYS) for _, tub, _ in baths),
            *(PlannedResource(kind="equipment", name=dryer, spans=_ALWAYS) for _, _, dryer in baths),
        ],
        services=[
            PlannedService(
                name="Consulta general",
                minutes=30,
                resources=[*_VETS, *_ROOMS],
                color="#2a9d8f",
                reasons=("Chequeo general.", "Cojea de una pata.", "Tos desde hace tres días."),
            ),
            *(
                PlannedService(name=name, minutes=STEP_MINUTES, resources=[tub, dryer], color="#8ab17d")
                for name, tub, dryer in baths
            ),
        ],
        clients=300,
        patients=400,
        fill=1.0,
    )


class Scene(msgspec.Struct, kw_only=True):
    """Requests, complete but for the address, and the instant from which on time is free."""

    agenda: bytes
    bookings: list[bytes]
    free_from: datetime


async def build(settings: Settings, emulator_host: str, connections: int) -> Scene:
    """Load the demo and a clinic beside it, and sign its owner in."""
    await demo.load(settings, emulator_host, print)
    now, clinic_id = datetime.now(UTC), ClinicId(UUID(int=0xBE << 64))
    contents = furnish(_plan(connections), clinic_id, {}, now)
    engine = make_engine(settings)
    try:
        works = Works(engine, ClinicWork, f"{settings.database_role_prefix}_system")
        async with works.system_begin("bench") as work:
            work.session.add(Clinic(clinic_id, SLUG, "Banco de pruebas (demo)", TIME_ZONE))
            await work.session.flush()
            work.session.add(Member(clinic_id, MemberId(work.new_id()), OWNER.user_id, ["owner"]))
            await demo.store(work, clinic_id, contents)
    finally:
        await engine.dispose()
    token = await _sign_in(emulator_host)
    today = day_of(now, time_zone(TIME_ZONE))
    return Scene(
        agenda=_request(token, "GET", f"agenda?date={today + timedelta(days=1)}"),
        bookings=_bookings(token, contents),
        free_from=now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=DAYS_AROUND + 2),
    )


def booking_at(scene: Scene, at: datetime) -> bytes:
    """One booking, complete."""
    return scene.bookings[0].replace(b"{at}", instant(at))


async def tidy(admin: asyncpg.Connection, free_from: datetime) -> None:
    """Take the bookings of a stretch away, so that the next one meets the same tables."""
    await admin.execute("DELETE FROM allocations WHERE starts_at >= $1", free_from)
    await admin.execute("DELETE FROM appointments WHERE starts_at >= $1", free_from)
    await admin.execute("DELETE FROM outbox WHERE number IS NOT NULL")
    await admin.execute("VACUUM ANALYZE allocations, appointments, outbox")
    await admin.execute("CHECKPOINT")


def _bookings(token: str, contents: Contents) -> list[bytes]:
    patient = contents.patients[0]
    bookings = []
    for service in contents.services[1:]:
        tub = next(resource for of, resource in contents.assigned if of == service.id)
        body = msgspec.json.encode(
            {
                "service_id": service.id,
                "patient_id": patient.id,
                "resource_ids": [tub],
                "starts_at": "{at}",
                "reason": "Banco de pruebas.",
            }
        )
        longer = len(instant(datetime.now(UTC))) - len("{at}")
        head = f"Content-Type: application/json\r\nContent-Length: {len(body) + longer}\r\n"
        bookings.append(_request(token, "POST", "appointments", head, body))
    return bookings


def _request(token: str, method: str, path: str, head: str = "", body: bytes = b"") -> bytes:
    line = f"{method} /api/v1/clinics/{SLUG}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return f"{line}Authorization: Bearer {token}\r\n{head}\r\n".encode() + body


async def _sign_in(emulator_host: str) -> str:
    url = f"http://{emulator_host}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=bench"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(url, json={"email": OWNER.email, "password": PASSWORD, "returnSecureToken": True})
        answer.raise_for_status()
        return str(answer.json()["idToken"])
