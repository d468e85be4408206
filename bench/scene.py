"""What is measured: a clinic with its owner signed in, such as one with forty visits a day."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import msgspec

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
OWNER = PEOPLE[0]

_VETS = ("Dra. Uno", "Dr. Dos")
_ROOMS = ("Consultorio 1", "Consultorio 2")
OPEN = week((EVERY_DAY, "08:00", "18:00"))


FULL_DAYS = ClinicPlan(
    seed=SLUG,
    time_zone=TIME_ZONE,
    province=23,
    resources=[
        *(PlannedResource(kind="vet", name=name, spans=OPEN) for name in _VETS),
        *(PlannedResource(kind="room", name=name, spans=OPEN) for name in _ROOMS),
    ],
    services=[
        PlannedService(
            name="Consulta general",
            minutes=30,
            resources=[*_VETS, *_ROOMS],
            color="#2a9d8f",
            reasons=("Chequeo general.", "Cojea de una pata.", "Tos desde hace tres días."),
        ),
    ],
    clients=300,
    patients=400,
    fill=1.0,
)
"""Two vets whose days are full."""


class Furnished(msgspec.Struct):
    """A clinic with its contents, whose owner is signed in."""

    clinic_id: ClinicId
    contents: Contents
    token: str
    now: datetime

    @property
    def free_from(self) -> datetime:
        """The instant from which on nothing is booked."""
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=DAYS_AROUND + 2)


async def furnished(settings: Settings, emulator_host: str, plan: ClinicPlan) -> Furnished:
    """Load the demo and a clinic of that plan beside it, and sign its owner in."""
    await demo.load(settings, emulator_host, print)
    now, clinic_id = datetime.now(UTC), ClinicId(UUID(int=0xBE << 64))
    contents = furnish(plan, clinic_id, {}, now)
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
    return Furnished(clinic_id, contents, await sign_in(emulator_host), now)


def agenda_tomorrow(clinic: Furnished) -> bytes:
    """The request for a full day."""
    return request(clinic.token, "GET", f"agenda?date={day_of(clinic.now, time_zone(TIME_ZONE)) + timedelta(days=1)}")


async def tidy(admin: asyncpg.Connection, free_from: datetime) -> None:
    """Take the bookings of a stretch away, so that the next one meets the same tables."""
    await admin.execute("DELETE FROM allocations WHERE starts_at >= $1", free_from)
    await admin.execute("ALTER TABLE appointment_transitions DISABLE TRIGGER USER")  # they refuse what is done here
    await admin.execute(
        "DELETE FROM appointment_transitions t USING appointments a"
        " WHERE a.clinic_id = t.clinic_id AND a.id = t.appointment_id AND a.starts_at >= $1",
        free_from,
    )
    await admin.execute("DELETE FROM appointments WHERE starts_at >= $1", free_from)
    await admin.execute("DELETE FROM outbox WHERE number IS NOT NULL")
    await admin.execute("VACUUM ANALYZE allocations, appointment_transitions, appointments, outbox")
    await admin.execute("CHECKPOINT")


def request(token: str, method: str, path: str, head: str = "", body: bytes = b"") -> bytes:
    """A request to the clinic, complete."""
    line = f"{method} /api/v1/clinics/{SLUG}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return f"{line}Authorization: Bearer {token}\r\n{head}\r\n".encode() + body


async def sign_in(emulator_host: str) -> str:
    """The owner's token."""
    url = f"http://{emulator_host}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=bench"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(url, json={"email": OWNER.email, "password": PASSWORD, "returnSecureToken": True})
        answer.raise_for_status()
        return str(answer.json()["idToken"])
