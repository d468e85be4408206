"""A clinic's morning, worked over HTTP and SSE against the served process, as the clients will."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
from pypdf import PdfReader
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People, Person
from tests.integration.parts.ports import free_ports

from coravet import bootstrap
from coravet.adapters.local.service import ServiceProcess
from coravet.settings import Settings

pytestmark = pytest.mark.alone

ZONE = ZoneInfo("America/Guayaquil")
EVERY_DAY = {"spans": [{"weekday": day, "opens": "08:00", "closes": "18:00"} for day in range(1, 8)]}


@pytest.fixture(scope="module")
def service_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the served process writes."""
    return tmp_path_factory.mktemp("morning") / "service.log"


@pytest.fixture(scope="module")
async def served(databases: Databases, auth_emulator: str, service_log: Path) -> AsyncIterator[Settings]:
    """The service as a process of its own, on a database of its own."""
    made = await databases.migrated()
    port = free_ports()
    settings = made.model_copy(
        update={
            "firebase_auth_emulator_host": auth_emulator,
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
        }
    )
    service = ServiceProcess(settings, log=service_log)
    await asyncio.to_thread(service.__enter__)
    yield settings
    await asyncio.to_thread(service.stop)
    await databases.drop(made)


OPEN: list[httpx.AsyncClient] = []


@pytest.fixture(autouse=True)
async def _closed() -> AsyncIterator[None]:
    """Every browser that a test opened is closed."""
    yield
    while OPEN:
        await OPEN.pop().aclose()


class Desk:
    """A browser in which somebody is signed in: a session cookie, and the Origin that browsers send."""

    def __init__(self, settings: Settings) -> None:
        self._origin = settings.public_url
        self.http = httpx.AsyncClient(
            base_url=f"{settings.public_url}/api/v1", headers={"Accept-Language": "en"}, timeout=30
        )
        OPEN.append(self.http)

    async def sign_in(self, people: People, person: Person) -> dict[str, Any]:
        """Exchange an ID token for a session cookie; answers the session."""
        session = await self.send("POST", "/session", {"id_token": await people.sign_in(person)})
        assert session.status_code == 201
        assert "httponly" in session.headers["set-cookie"].lower()
        found: dict[str, Any] = session.json()
        return found

    async def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """One request."""
        return await self.http.request(method, path, json=body, headers={"Origin": self._origin})

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request that succeeds; answers its JSON."""
        answer = await self.send(method, path, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@asynccontextmanager
async def watching(desk: Desk, clinic: str) -> AsyncIterator["asyncio.Queue[dict[str, Any]]"]:
    """The events of an open stream, each with the moment at which it arrived."""
    seen: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    is_open = asyncio.Event()

    async def read() -> None:
        event = ""
        async with desk.http.stream("GET", f"/clinics/{clinic}/events", timeout=None) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                is_open.set()
                field, _, value = line.partition(": ")
                if field == "event":
                    event = value
                elif field == "data":
                    seen.put_nowait({"event": event, "arrived": time.monotonic(), **msgspec.json.decode(value)})

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(30):
            await is_open.wait()
        yield seen
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def heard(seen: "asyncio.Queue[dict[str, Any]]", kind: str) -> dict[str, Any]:
    """The next event of that kind."""
    async with asyncio.timeout(30):
        while True:
            event = await seen.get()
            if event["event"] == kind:
                return event


async def join(
    settings: Settings, people: People, host: Desk | None, clinic: str, roles: list[str], token: str
) -> Desk:
    """A new person who took the place that an invitation offers."""
    email = f"{roles[0]}-{clinic}@clinica.test"
    if host is not None:
        body = {"email": email, "roles": roles}
        token = (await host.ask("POST", f"/clinics/{clinic}/invitations", body))["token"]
    desk = Desk(settings)
    await desk.sign_in(people, await people.create(roles[0], email=email))
    member = await desk.ask("POST", f"/invitations/{token}/accept")
    assert member["roles"] == roles
    return desk


async def opened(settings: Settings, people: People, slug: str) -> Desk:
    """The owner of a clinic that was just opened from the command line."""
    async with bootstrap.services(settings) as services:
        made = await services.create_clinic(slug, slug.title(), ZONE.key, f"owner-{slug}@clinica.test")
    assert made.invitation is not None
    return await join(settings, people, None, slug, ["owner"], made.invitation.token)


async def examined(vet: Desk, base: str, visit: dict[str, Any]) -> dict[str, Any]:
    """The exam of a visit: a note with vitals and a diagnosis, a vaccine and a prescription, signed."""
    patient = f"{base}/patients/{visit['patient']['id']}"
    await vet.ask("POST", f"{patient}/allergies", {"substance": "Penicilina", "severity": "moderate"})
    opened = {"patient_id": visit["patient"]["id"], "appointment_id": visit["id"], "reason": "Control anual"}
    encounter = await vet.ask("POST", f"{base}/encounters", opened)
    at = f"{base}/encounters/{encounter['id']}"
    vitals = {"weight_kg": 14.2, "temperature_c": 40.3, "heart_rate": 96, "body_condition": 5}
    written = await vet.ask("PATCH", at, {"version": 1, "note": {"subjective": "Se rasca"}, "vitals": vitals})
    assert [warning["pointer"] for warning in written["warnings"]] == ["/vitals/temperature_c"]
    await vet.ask("POST", f"{patient}/problems", {"name": "Otitis externa", "encounter_id": encounter["id"]})
    vaccine = {
        "vaccine": "Antirrábica",
        "lot_number": "L-2026-7",
        "lot_expires_on": "2030-01-01",
        "administered_at": datetime.now(UTC).isoformat(),
        "source": "here",
        "encounter_id": encounter["id"],
    }
    given = await vet.ask("POST", f"{patient}/immunizations", vaccine)
    assert given["next_due_on"] is not None
    item = {
        "drug": "Amoxicilina 250 mg",
        "active_substances": ["amoxicilina"],
        "dose": 1,
        "unit": "tableta",
        "route": "oral",
        "frequency_hours": 12,
        "duration_days": 7,
        "quantity": 14,
        "quantity_unit": "tableta",
        "instructions": "Dar con la comida.",
    }
    issued = {"items": [item], "encounter_id": encounter["id"]}
    prescription = await vet.ask("POST", f"{patient}/prescriptions", issued)
    assert [warning["code"] for warning in prescription["warnings"]] == ["allergy"]
    written = await vet.ask("PATCH", at, {"version": 2, "note": {"assessment": "Otitis", "plan": "Gotas"}})
    signed: dict[str, Any] = await vet.ask("POST", f"{at}/sign", {"version": written["version"]})
    assert signed["signature"]["by"]["registration_number"] == "PRUEBA-77"
    again = await vet.send("PATCH", at, {"version": signed["version"], "note": {"plan": "Otro"}})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
    line = await vet.ask("GET", f"{patient}/timeline")
    assert {entry["kind"] for entry in line["items"]} == {
        "allergy",
        "encounter",
        "immunization",
        "prescription",
        "problem",
    }
    return {**signed, "prescription_id": prescription["id"]}


async def handed_out(staff: Desk, vet: Desk, base: str, signed: dict[str, Any]) -> None:
    """What the owner takes home: the card, the prescription and the summary, each read back as PDF."""
    card = await staff.http.get(f"{base}/patients/{signed['patient']['id']}/immunization-card.pdf")
    sheet = await vet.http.get(f"{base}/prescriptions/{signed['prescription_id']}/sheet.pdf")
    summary = await vet.http.get(f"{base}/encounters/{signed['id']}/summary.pdf")
    for answer, words in (
        (card, ("Firuláis", "Antirrábica", "L-2026-7", "PRUEBA-77", "La-Palma")),
        (sheet, ("Firuláis", "Amoxicilina 250 mg", "Dar con la comida.", "PRUEBA-77")),
        (summary, ("Firuláis", "Control anual", "Otitis", "14,2", "PRUEBA-77")),
    ):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/pdf"
        text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
        for word in words:
            assert word in text


async def test_a_morning_at_the_clinic(served: Settings, people: People) -> None:
    """Owner, staff and vet work a morning; a booking shows on the stream within a second and collides with none."""
    clinic, base = "la-palma", "/clinics/la-palma"
    owner = await opened(served, people, clinic)
    session = await owner.ask("GET", "/session")
    assert [each["clinic"]["slug"] for each in session["memberships"]] == [clinic]
    assert "members:manage" in session["memberships"][0]["permissions"]
    staff = await join(served, people, owner, clinic, ["staff"], "")
    vet = await join(served, people, owner, clinic, ["vet"], "")

    members = await owner.ask("GET", f"{base}/members")
    vet_member = next(each["id"] for each in members["items"] if each["roles"] == ["vet"])
    doctor = await owner.ask("POST", f"{base}/resources", {"kind": "vet", "name": "Vet 1", "member_id": vet_member})
    room = await owner.ask("POST", f"{base}/resources", {"kind": "room", "name": "Consultorio 1"})
    for resource in (doctor, room):
        await owner.ask("PUT", f"{base}/resources/{resource['id']}/hours", EVERY_DAY)
    service = await owner.ask(
        "POST",
        f"{base}/services",
        {"name": "Consulta", "duration_minutes": 30, "resource_ids": [doctor["id"], room["id"]]},
    )

    async with watching(vet, clinic) as seen:
        client = await staff.ask(
            "POST",
            f"{base}/clients",
            {
                "given_name": "Persona",
                "family_name": "de Muestra",
                "document_type": "cedula",
                "document_number": "2300000003",
                "phone": "099 123 4567",
            },
        )
        assert client["phone"] == "+593991234567"
        patient = await staff.ask(
            "POST", f"{base}/patients", {"client_id": client["id"], "name": "Firuláis", "species": "dog"}
        )
        found = await staff.ask("GET", f"{base}/search?q=firulais")
        assert [each["id"] for each in found["items"]] == [patient["id"]]

        day = datetime.now(UTC).astimezone(ZONE).date() + timedelta(days=1)
        free = await staff.ask("GET", f"{base}/availability?service={service['id']}&from={day}&to={day}")
        slot = free["days"][0]["slots"][0]
        assert slot["resource_ids"] == [doctor["id"]]
        booking = {
            "service_id": service["id"],
            "patient_id": patient["id"],
            "resource_ids": [doctor["id"]],
            "starts_at": slot["starts_at"],
            "reason": "Control anual",
        }
        visit = await staff.ask("POST", f"{base}/appointments", booking)
        answered = time.monotonic()
        assert visit["status"] == "confirmed"
        assert {each["kind"] for each in visit["resources"]} == {"vet", "room"}

        event = await heard(seen, "appointment.booked")
        assert event["arrived"] - answered < 1
        assert event["subject"] == {"type": "appointment", "id": visit["id"], "version": 1}
        assert set(event) == {"event", "arrived", "id", "kind", "at", "actor", "subject"}

        agenda = await vet.ask("GET", f"{base}/agenda?date={day}")
        assert agenda["items"] == [visit]

        again = await staff.send("POST", f"{base}/appointments", booking)
        assert (again.status_code, again.json()["code"]) == (409, "slot_taken")

        for step, status, told in (("check-in", "checked_in", "checked_in"), ("start", "in_exam", "started")):
            moved = await staff.ask("POST", f"{base}/appointments/{visit['id']}/{step}")
            assert moved["status"] == status
            assert (await heard(seen, f"appointment.{told}"))["subject"]["id"] == visit["id"]
        await owner.ask("PATCH", f"{base}/members/{vet_member}", {"registration_number": "PRUEBA-77"})
        signed = await examined(vet, base, visit)
        for kind in ("encounter.opened", "immunization.recorded", "prescription.issued", "encounter.signed"):
            await heard(seen, kind)
        assert (await staff.send("GET", f"{base}/encounters/{signed['id']}")).status_code == 403
        await handed_out(staff, vet, base, signed)
        moved = await staff.ask("POST", f"{base}/appointments/{visit['id']}/ready")
        assert moved["status"] == "ready"
        completed = await vet.ask("POST", f"{base}/appointments/{visit['id']}/complete")
        assert completed["status"] == "completed"
        for kind in ("ready", "completed"):
            assert (await heard(seen, f"appointment.{kind}"))["subject"]["id"] == visit["id"]

    neighbour = await opened(served, people, "el-carmen")
    unknown = await neighbour.send("GET", "/clinics/no-such-clinic/agenda")
    for path in (
        base,
        f"{base}/agenda?date={day}",
        f"{base}/events",
        f"{base}/clients/{client['id']}",
        f"{base}/patients/{patient['id']}",
        f"{base}/appointments/{visit['id']}",
        f"/clinics/el-carmen/clients/{client['id']}",
        f"/clinics/el-carmen/patients/{patient['id']}",
        f"/clinics/el-carmen/appointments/{visit['id']}",
    ):
        refused = await neighbour.send("GET", path)
        assert refused.status_code == 404, path
        assert refused.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}


async def test_a_member_who_leaves_loses_the_stream_at_once(served: Settings, people: People) -> None:
    """Deactivating a member ends their open stream within a second, and their session meets 404 from then on."""
    clinic, base = "buena-fe", "/clinics/buena-fe"
    owner = await opened(served, people, clinic)
    staff = await join(served, people, owner, clinic, ["staff"], "")
    members = await owner.ask("GET", f"{base}/members")
    member = next(each for each in members["items"] if each["roles"] == ["staff"])
    async with watching(staff, clinic) as seen:
        await owner.ask("PATCH", f"{base}/members/{member['id']}", {"active": False})
        answered = time.monotonic()
        closed = await heard(seen, "stream.closed")
        assert closed["reason"] == "access_ended"
        assert closed["arrived"] - answered < 1
    assert (await staff.send("GET", f"{base}/agenda")).status_code == 404


async def test_logging_out_ends_the_session_and_its_stream(served: Settings, people: People) -> None:
    """After DELETE /session the cookie is refused wherever it is kept, and the stream opened with it ends."""
    owner = await opened(served, people, "quevedo-demo")
    kept = dict(owner.http.cookies)
    async with watching(owner, "quevedo-demo") as seen:
        await owner.ask("DELETE", "/session")
        assert (await heard(seen, "stream.closed"))["reason"] == "session_revoked"
    copied = Desk(served)
    copied.http.cookies.update(kept)
    refused = await copied.send("GET", "/session")
    assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")


async def test_search_orders_as_people_read(served: Settings, people: People) -> None:
    """Accents neither hide nor misplace a name, and whose name begins with the word comes first."""
    owner = await opened(served, people, "vinces")
    for given, family in (("Mariana", "Cruz"), ("María", "Cruz"), ("Ana María", "Alcívar")):
        await owner.ask("POST", "/clinics/vinces/clients", {"given_name": given, "family_name": family})
    found = await owner.ask("GET", "/clinics/vinces/search?q=maria")
    assert [each["name"] for each in found["items"]] == ["María Cruz", "Mariana Cruz", "Ana María Alcívar"]


async def test_the_log_tells_what_happened_and_names_nobody(
    served: Settings, people: People, service_log: Path
) -> None:
    """Each request leaves one JSON line with its id, route, status, duration and ids; no line holds a person's data."""
    owner = await opened(served, people, "el-empalme")
    planted = {"given_name": "Zoraida", "family_name": "Quimbayo", "phone": "0998877665", "email": "zq@correo.test"}
    request_id = "the-request-that-is-looked-for"
    headers = {"Origin": served.public_url, "X-Request-Id": request_id}
    made = await owner.http.post("/clinics/el-empalme/clients", json=planted, headers=headers)
    assert made.headers["x-request-id"] == request_id
    await owner.ask("GET", "/clinics/el-empalme/search?q=Zoraida")
    text = await asyncio.to_thread(service_log.read_text)
    lines = [msgspec.json.decode(line) for line in text.splitlines()]
    [line] = [each for each in lines if each.get("request_id") == request_id]
    assert (line["event"], line["method"], line["status"]) == ("request", "POST", 201)
    assert line["route"] == "/api/v1/clinics/{clinic}/clients"
    assert line["duration_ms"] > 0
    session = await owner.ask("GET", "/session")
    assert line["user_id"] == session["user"]["id"]
    assert line["clinic_id"] == session["memberships"][0]["clinic"]["id"]
    cookie = next(iter(owner.http.cookies.values()))
    for secret in (*planted.values(), "998877665", session["user"]["email"], cookie, cookie[-40:]):
        assert secret not in text
