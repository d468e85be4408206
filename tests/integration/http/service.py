"""The application in this process, and clinics to try it on, made over HTTP as their people would."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count
from secrets import token_hex
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
import httpx
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from tests.integration.http.contract import Contract
from tests.integration.parts.people import People
from tests.integration.parts.snapshots import picture
from tests.integration.parts.texts import shown

from coravet.adapters.memory.legal import LegalGate
from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.bootstrap import Application, application, services
from coravet.core.exchange.imports import check
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.work import SystemBegin
from coravet.core.legal.gate import OpenDocument
from coravet.core.messaging.links import mint
from coravet.core.patients.model import Death
from coravet.entrypoints.http.app import API
from coravet.settings import Settings

ORIGIN = "http://clinica.test"
EVERY_HOUR = {"spans": [{"weekday": day, "opens": "00:00", "closes": "00:00"} for day in range(1, 8)]}
TREATMENTS: dict[str, tuple[str, Any]] = {
    "immunization": (
        "immunizations",
        {"vaccine": "Rabia", "administered_at": "2026-01-10T15:00:00Z", "source": "external", "given_by": "Campaña"},
    ),
    "deworming": (
        "dewormings",
        {
            "product": "Prazicuantel",
            "target": "internal",
            "administered_at": "2026-01-10T15:00:00Z",
            "source": "here",
            "dose": 1.5,
            "dose_unit": "tableta",
        },
    ),
    "prescription": (
        "prescriptions",
        {
            "items": [
                {
                    "drug": "Amoxicilina 250 mg",
                    "unit": "tableta",
                    "route": "oral",
                    "quantity": 14,
                    "instructions": "Dar una tableta cada 12 horas por 7 días.",
                }
            ],
            "valid_until": (datetime.now(UTC).date() + timedelta(days=60)).isoformat(),
        },
    ),
    "allergy": ("allergies", {"substance": "Ivermectina", "severity": "severe"}),
}
"""What a vet records of a patient: the noun of its address, and a body."""

PENDING = OpenDocument("terms", "1", "es-EC", "0" * 64, "/api/v1/legal/documents/terms/1.es-EC.md")

Headers = dict[str, str]


class Service:
    """The application and a client that keeps no cookies: each request says who sends it.

    Not Litestar's AsyncTestClient: that one holds the loop until it has its answer, so that no two requests ever meet.
    """

    def __init__(self, running: Application, client: httpx.AsyncClient, people: People, settings: Settings) -> None:
        self.application = running
        self.client = client
        self.people = people
        self.settings = settings
        self._operator: Headers | None = None

    @property
    def system_begin(self) -> SystemBegin[Any]:
        return self.application.works.system_begin

    async def ask(
        self, method: str, path: str, who: Headers | None = None, *, headers: Headers | None = None, **content: Any
    ) -> httpx.Response:
        """The answer to one request under the API's base; `content` is httpx's json, content and params."""
        return await self.client.request(method, API + path, headers={**(who or {}), **(headers or {})}, **content)

    async def done(self, method: str, path: str, who: Headers, **content: Any) -> Any:
        """What a request that must succeed answers."""
        answer = await self.ask(method, path, who, **content)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def stranger(self, name: str = "stranger", email: str | None = None) -> Headers:
        """Somebody who signed in and belongs nowhere."""
        return bearer(await self.people.sign_in(await self.people.create(name, email=email)))

    async def operator(self) -> Headers:
        """The operator of this service."""
        if self._operator is None:
            person = await self.people.create("operator")
            found = bearer(await self.people.sign_in(person))
            await self.done("GET", "/session", found)
            async with services(self.settings) as commands:
                await commands.grant_operator(person.email, "tests")
            self._operator = found
        return self._operator

    async def join(self, clinic: "Clinic", role: str) -> Headers:
        """A new member of the clinic."""
        person = await self.people.create(role)
        found = bearer(await self.people.sign_in(person))
        offer = {"email": person.email, "roles": [role]}
        invited = await self.done("POST", f"/clinics/{clinic.slug}/invitations", clinic.owner, json=offer)
        member = await self.done("POST", f"/invitations/{invited['token']}/accept", found)
        clinic.ids[f"{role}_member_id"] = member["id"]
        clinic.people[role] = found
        return found

    async def open_clinic(self, name: str = "clinic") -> "Clinic":
        """A clinic with its owner and nothing else."""
        slug = f"{name}-{token_hex(4)}"
        person = await self.people.create("owner")
        owner = bearer(await self.people.sign_in(person))
        wanted = {"slug": slug, "name": slug, "time_zone": "America/Guayaquil", "owner_email": person.email}
        made = await self.done("POST", "/clinics", await self.operator(), json=wanted)
        member = await self.done("POST", f"/invitations/{made['invitation']['token']}/accept", owner)
        return Clinic(slug, made["id"], {"owner": owner}, {"clinic": slug, "owner_member_id": member["id"]})

    async def furnish(self, clinic: "Clinic") -> "Clinic":
        """The clinic with something of everything: what `equip` makes, messages, somebody who waits, and a guest."""
        await self.equip(clinic)
        await self.describe(clinic)
        await self.tell(clinic)
        await self.wait(clinic)
        await self.receive(clinic)
        await self.treat(clinic)
        await self._know(clinic)
        await self._show(clinic)
        await self.plant(clinic, "checked_import")
        await self.plant(clinic, "request")
        await self.plant(clinic, "erasure")
        await self._decide(clinic)
        return clinic

    async def _decide(self, clinic: "Clinic") -> None:
        """The owner decided about a text that binds nobody."""
        decision = {**shown("consent-photos"), "decision": "declined"}
        made = await self.done("POST", "/legal/acceptances", clinic.owner, json=decision)
        clinic.ids |= {"acceptance_id": made["id"], "slug": made["slug"], "file_name": f"{made['version']}.es-EC.md"}

    async def equip(self, clinic: "Clinic") -> "Clinic":
        """The clinic with a client, a patient, a vet, a room, their hours, a closure, a service and one visit."""
        base, ids, owner = f"/clinics/{clinic.slug}", clinic.ids, clinic.owner
        person = {"given_name": "Zoila", "family_name": "Quimbiurco", "phone": "0991234567", "email": "zq@correo.test"}
        ids["client_id"] = (await self.done("POST", f"{base}/clients", owner, json=person))["id"]
        animal = {"client_id": ids["client_id"], "name": "Firulais", "species": "dog"}
        ids["patient_id"] = (await self.done("POST", f"{base}/patients", owner, json=animal))["id"]
        for kind, name in (("vet", "resource_id"), ("room", "room_id")):
            made = await self.done("POST", f"{base}/resources", owner, json={"kind": kind, "name": kind})
            ids[name] = made["id"]
            await self.done("PUT", f"{base}/resources/{made['id']}/hours", owner, json=EVERY_HOUR)
        consultation = {
            "name": "Consulta",
            "duration_minutes": 30,
            "resource_ids": [ids["resource_id"], ids["room_id"]],
            "bookable_online": True,
        }
        ids["service_id"] = (await self.done("POST", f"{base}/services", owner, json=consultation))["id"]
        ids["day"] = "2030-01-01"
        at = f"{base}/resources/{ids['resource_id']}/exceptions/{ids['day']}"
        await self.done("PUT", at, owner, json={"spans": []})
        new_year = {"starts_on": "2031-01-01", "reason": "Año Nuevo", "holiday": True}
        ids["closure_id"] = (await self.done("POST", f"{base}/closures", owner, json=new_year))["id"]
        ids["appointment_id"] = (await self.book(clinic))["id"]
        # Of the room, so that tests may make and end the vet's.
        shared = await self.done("POST", f"{base}/resources/{ids['room_id']}/calendar", owner)
        ids |= {"calendar": f"{ids['room_id']}.ics", "calendar_token": shared["token"]}
        return clinic

    async def describe(self, clinic: "Clinic") -> None:
        """What identifies the clinic's patient and is to be known of it, who else looks after it, and an error: that it
        had died."""
        base, ids, owner = f"/clinics/{clinic.slug}", clinic.ids, clinic.owner
        other = {"given_name": "Aurelio", "family_name": "Chiluiza"}
        ids["other_client_id"] = (await self.done("POST", f"{base}/clients", owner, json=other))["id"]
        await self._attach(clinic, ids["patient_id"], "parties", "identifiers", "alerts")
        actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
        async with self.application.works.begin(actor) as work:
            patient_id, now = UUID(ids["patient_id"]), datetime.now(UTC)
            await work.deaths.add(Death(actor.clinic_id, work.new_id(), patient_id, "revoked", None, now, None))

    async def _attach(self, clinic: "Clinic", patient_id: str, *kinds: str) -> None:
        """Give a patient one more of each kind."""
        bodies: dict[str, tuple[str, dict[str, Any]]] = {
            "parties": ("party_id", {"client_id": clinic.ids["other_client_id"], "role": "co_owner"}),
            "identifiers": ("identifier_id", {"kind": "tag", "value": "A-17"}),
            "alerts": ("alert_id", {"moment": "check_in", "text": "Llega con bozal"}),
        }
        for kind in kinds:
            name, body = bodies[kind]
            at = f"/clinics/{clinic.slug}/patients/{patient_id}/{kind}"
            clinic.ids[name] = (await self.done("POST", at, clinic.owner, json=body))["id"]

    async def tell(self, clinic: "Clinic") -> None:
        """How the clinic reminds and what its client agreed to; a recall, and the visit's message that waits."""
        base, ids = f"/clinics/{clinic.slug}", clinic.ids
        rules = {
            "rules": [{"kind": "visit_reminder", "channel": "mail", "minutes_before": 1440}],
            "quiet_hours": {"begins": "21:00", "ends": "07:00"},
        }
        await self.done("PUT", f"{base}/reminder-rules", clinic.owner, json=rules)
        agreed = {"mail": True, "whatsapp": True}
        await self.done("PUT", f"{base}/clients/{ids['client_id']}/channels", clinic.owner, json=agreed)
        recall = {"patient_id": ids["patient_id"], "kind": "vaccine_due", "due_on": "2030-01-15"}
        ids["recall_id"] = (await self.done("POST", f"{base}/recalls", clinic.owner, json=recall))["id"]
        visit, soon = UUID(ids["appointment_id"]), datetime.now(UTC) + timedelta(days=1)
        actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
        async with self.application.works.begin(actor) as work:
            [told] = await work.fetch(
                "UPDATE messages SET status = 'waiting' WHERE subject_id = $1 AND channel = 'whatsapp' RETURNING id",
                visit,
            )
            ids["message_id"] = str(told["id"])
            ids["opt_out_token"] = await mint(work, "opt_out", UUID(ids["client_id"]), soon)

    async def receive(self, clinic: "Clinic") -> None:
        """A guest: a time that they hold, a visit that they booked, and links to the clinic's first visit."""
        base, ids = f"/portal/clinics/{clinic.slug}", clinic.ids
        wanted = {"service_id": ids["service_id"], "starts_at": clinic.slot()}
        ids["hold_token"] = (await self.done("POST", f"{base}/holds", {}, json=wanted))["token"]
        await self.done("POST", f"{base}/bookings", {}, json=clinic.guest())
        visit, soon = UUID(ids["appointment_id"]), datetime.now(UTC) + timedelta(days=1)
        actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
        async with self.application.works.begin(actor) as work:
            for purpose in ("see", "confirm", "reschedule", "cancel"):
                ids[f"{purpose}_token"] = await mint(work, purpose, visit, soon)

    async def wait(self, clinic: "Clinic") -> None:
        """Somebody on the waitlist, who was offered a time and sent a link to it."""
        ids = clinic.ids
        ids["last_day"] = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
        wish = {"service_id": ids["service_id"], "patient_id": ids["patient_id"]}
        wish |= {"from_date": "2026-01-02", "to_date": ids["last_day"], "resource_ids": [ids["resource_id"]]}
        made = await self.done("POST", f"/clinics/{clinic.slug}/waitlist", clinic.owner, json=wish)
        ids["entry_id"] = made["id"]
        await self.put_waiting(clinic, "offered")

    async def treat(self, clinic: "Clinic") -> None:
        """The clinic's vet, who may sign, and what they wrote of its patient."""
        if "vet" not in clinic.people:
            await self.join(clinic, "vet")
            at = f"/clinics/{clinic.slug}/members/{clinic.ids['vet_member_id']}"
            await self.done("PATCH", at, clinic.owner, json={"registration_number": "TEST-0001"})
        base, ids, vet = f"/clinics/{clinic.slug}", clinic.ids, clinic.people["vet"]
        await self.plant(clinic, "signed_encounter")
        at = f"{base}/encounters/{ids['encounter_id']}"
        await self.done("POST", f"{at}/addenda", vet, json={"text": "Mejoró"})
        await self.plant(clinic, "written_encounter")
        at = f"{base}/encounters/{ids['encounter_id']}"
        found = {"name": "Otitis externa", "encounter_id": ids["encounter_id"]}
        problems = f"{base}/patients/{ids['patient_id']}/problems"
        ids["problem_id"] = (await self.done("POST", problems, vet, json=found))["id"]
        late = await self.ask("PATCH", at, vet, json={"version": 1, "note": {"plan": "Reposo"}})
        ids["note_id"] = late.json()["set_aside_id"]
        for kind in ("weight", *TREATMENTS, "document", "attachment"):
            await self.plant(clinic, kind)
        kept = await self.done("GET", f"{base}/protocols", vet)
        await self.done("PUT", f"{base}/protocols", clinic.owner, json={"entries": kept["entries"]})
        made = await self.done("POST", f"{base}/note-templates", vet, json={"name": "Control", "plan": "Volver"})
        ids["template_id"] = made["id"]

    async def _know(self, clinic: "Clinic") -> None:
        """What the client agreed to, how else they are reached, and somebody who turned out to be them."""
        at = f"/clinics/{clinic.slug}/clients/{clinic.ids['client_id']}"
        agreed = {"purpose": "marketing", "decision": "accepted", "text": shown("consent-marketing")}
        await self.done("POST", f"{at}/consents", clinic.owner, json=agreed)
        for kind in ("contact", "merge", "twin"):
            await self.plant(clinic, kind)

    async def _show(self, clinic: "Clinic") -> None:
        """A photo of the patient, and the one before it, which is to be deleted."""
        clinic.ids["variant"] = "card"
        for _ in range(2):
            await self.plant(clinic, "photo")

    async def _resemble(self, clinic: "Clinic", kind: str) -> None:
        """A further contact of the client, somebody who looks like them, who was merged into them, or what they ask; or
        another client, erased or not."""
        base, ids = f"/clinics/{clinic.slug}/clients", clinic.ids
        if kind in {"spare_client", "erasure"}:
            await self._forget(clinic, erased=kind == "erasure")
            return
        if kind == "request":
            asked = {"right": "access", "client_id": ids["client_id"], "asked": "¿Qué datos míos tienen?"}
            at = f"/clinics/{clinic.slug}/privacy/requests"
            ids["request_id"] = (await self.done("POST", at, clinic.owner, json=asked))["id"]
            return
        at = f"{base}/{ids['client_id']}"
        if kind == "contact":
            mail = {"kind": "email", "value": f"{token_hex(4)}@correo.test"}
            ids["contact_id"] = (await self.done("POST", f"{at}/contacts", clinic.owner, json=mail))["id"]
            return
        person = {"given_name": "Soila", "family_name": "Quimbiurco"}
        ids["twin_id"] = (await self.done("POST", base, clinic.owner, json=person))["id"]
        if kind == "merge":
            made = await self.done("POST", f"{at}/merge", clinic.owner, json={"merged_id": ids["twin_id"]})
            ids["merge_id"] = made["id"]

    async def plant(self, clinic: "Clinic", kind: str) -> None:
        """Make one more of what can be settled or spent but once; the clinic's ids name it from now on."""
        base, ids, vet = f"/clinics/{clinic.slug}", clinic.ids, clinic.people["vet"]
        match kind:
            case "spare_patient" | "party" | "identifier" | "alert":
                animal = {"client_id": ids["client_id"], "name": "Canela", "species": "dog"}
                made = await self.done("POST", f"{base}/patients", clinic.owner, json=animal)
                ids["spare_patient_id"] = made["id"]
                kinds = {"party": ["parties"], "identifier": ["identifiers"], "alert": ["alerts"]}
                await self._attach(clinic, made["id"], *kinds.get(kind, []))
            case "encounter":
                visit = {"patient_id": ids["patient_id"], "reason": "Control"}
                ids["encounter_id"] = (await self.done("POST", f"{base}/encounters", vet, json=visit))["id"]
            case "written_encounter":
                await self.plant(clinic, "encounter")
                at = f"{base}/encounters/{ids['encounter_id']}"
                await self.done("PATCH", at, vet, json={"version": 1, "note": {"assessment": "Sano"}})
            case "signed_encounter":
                await self.plant(clinic, "written_encounter")
                at = f"{base}/encounters/{ids['encounter_id']}/sign"
                await self.done("POST", at, vet, json={"version": 2})
            case "weight":
                at = f"{base}/patients/{ids['patient_id']}/weights"
                ids["weight_id"] = (await self.done("POST", at, vet, json={"weight_kg": 12.4}))["id"]
            case "import" | "checked_import" | "picture" | "photo" | "attachment" | "upload":
                await self._hand_in(clinic, kind)
            case "document":
                await self._print(clinic)
            case _ if kind in TREATMENTS:
                noun, body = TREATMENTS[kind]
                at = f"{base}/patients/{ids['patient_id']}/{noun}"
                ids[f"{kind}_id"] = (await self.done("POST", at, vet, json=body))["id"]
            case "contact" | "twin" | "merge" | "request" | "spare_client" | "erasure":
                await self._resemble(clinic, kind)
            case _:
                raise ValueError(f"nothing known is called {kind}")

    async def _forget(self, clinic: "Clinic", *, erased: bool) -> None:
        """A client who asked to be erased, or one who was while a rule held back who they were."""
        base, ids = f"/clinics/{clinic.slug}", clinic.ids
        async with superuser(self.settings) as admin:  # what other samples handed in and never brought to its end
            await admin.execute(
                "UPDATE imports SET status = 'failed' WHERE clinic_id = $1"
                " AND status IN ('uploading', 'checking', 'applying')",
                clinic.id,
            )
        person = {"given_name": "Eulalia", "family_name": f"Toapanta {token_hex(4)}"}
        ids["spare_client_id"] = (await self.done("POST", f"{base}/clients", clinic.owner, json=person))["id"]
        asked = {"right": "erasure", "client_id": ids["spare_client_id"], "asked": "Bórrenme"}
        made = await self.done("POST", f"{base}/privacy/requests", clinic.owner, json=asked)
        ids["erasure_request_id"] = made["id"]
        granted = {"step": "decide", "outcome": "granted", "text": "Sí."}
        for version, step in enumerate([{"step": "prove_identity", "method": "document_shown"}, granted], start=1):
            at = f"{base}/privacy/requests/{made['id']}"
            await self.done("PATCH", at, clinic.owner, json={"version": version, **step})
        if erased:
            rule = {"category": "identity", "basis": "Reclamos del contrato", "months": 12}
            await self.done("PUT", f"{base}/privacy/retention", clinic.owner, json={"rules": [rule]})
            at = f"{base}/clients/{ids['spare_client_id']}/erase"
            ids["erasure_id"] = (await self.done("POST", at, clinic.owner))["id"]

    async def _hand_in(self, clinic: "Clinic", kind: str) -> None:
        """A picture, announced, attached or shown; a file of clients that is announced, or here and checked."""
        if kind in {"picture", "photo", "attachment", "upload"}:
            data = picture()
            clinic.ids["picture"] = data  # type: ignore[assignment]  # the one body that is no text
            if kind == "upload":
                file = {"purpose": "photo", "size": len(data), "sha256": sha256(data).hexdigest()}
                at = f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}/uploads"
                clinic.ids["media_id"] = (await self.done("POST", at, clinic.owner, json=file))["id"]
            if kind == "attachment":
                at = f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}/attachments"
                made = await self.done("POST", at, clinic.people["vet"], content=data)
                clinic.ids["media_id"] = made["id"]
            if kind == "photo":
                at = f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}/photo"
                made = await self.done("POST", at, clinic.owner, content=data)
                clinic.ids["media_id"] = made["id"]
            return
        rows = "".join(f"Ana,Pérez {token_hex(4)},Luna,gato\n" for _ in range(next(clinic.files)))
        data = f"nombre,apellido,mascota,especie\n{rows}".encode()
        listed = {"file_name": "clientes.csv", "size": len(data), "sha256": sha256(data).hexdigest()}
        at = f"/clinics/{clinic.slug}/imports"
        made = await self.done("POST", at, clinic.owner, json=listed)
        clinic.ids |= {"import_id": made["id"], "import_file": data.decode()}
        if kind == "checked_import":
            await self.done("PUT", f"{at}/{made['id']}/file", clinic.owner, content=data)
            actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
            await check(UUID(made["id"]), actor, self.application.works.begin, SystemClock(), EcuadorNumbers())

    async def _print(self, clinic: "Clinic") -> None:
        """The patient's card, printed."""
        base, ids, vet = f"/clinics/{clinic.slug}", clinic.ids, clinic.people["vet"]
        card = f"{base}/patients/{ids['patient_id']}/immunization-card.pdf"
        assert (await self.ask("GET", card, vet)).status_code == 200
        [made] = (await self.done("GET", f"{base}/documents", vet, params={"limit": 1}))["items"]
        seal = self.application.litestar.state.ports.seal
        ids |= {"document_id": made["id"], "document_token": seal.token(UUID(made["id"]))}

    async def put_waiting(self, clinic: "Clinic", status: str) -> None:
        """Put who waits back to the beginning, and where that is asked, offer them a time that nobody took."""
        ids = clinic.ids
        async with superuser(self.settings) as admin:
            await admin.execute(
                "UPDATE waitlist SET status = 'waiting', hold_id = NULL, appointment_id = NULL WHERE id = $1",
                ids["entry_id"],
            )
            if status == "offered":
                at = f"/clinics/{clinic.slug}/waitlist/{ids['entry_id']}/offer"
                await self.done("POST", at, clinic.owner, json={"starts_at": clinic.slot()})
                hold_id = await admin.fetchval("SELECT hold_id FROM waitlist WHERE id = $1", ids["entry_id"])
                actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
                async with self.application.works.begin(actor) as work:
                    until = datetime.now(UTC) + timedelta(days=1)
                    ids["offer_token"] = await mint(work, "accept_offer", hold_id, until)

    async def book(self, clinic: "Clinic") -> Any:
        """A visit at a time that nobody took."""
        return await self.done("POST", f"/clinics/{clinic.slug}/appointments", clinic.owner, json=clinic.visit())

    async def full_clinic(self, name: str = "clinic") -> "Clinic":
        """A furnished clinic with a member of every role; `member_id` is the staff's."""
        clinic = await self.furnish(await self.open_clinic(name))
        for role in ("manager", "staff"):
            await self.join(clinic, role)
        clinic.ids["member_id"] = clinic.ids["staff_member_id"]
        return clinic

    @contextmanager
    def legal_pending(self) -> Iterator[None]:
        """A legal text waits for everybody's decision, by the fake that stands in for the gate.

        The real one would have it wait for every test on this database; see `legal/test_gate.py`.
        """
        asking = LegalGate([PENDING])
        with patch.multiple(
            self.application.litestar.state.ports.gate, pending=asking.pending, all_open=asking.all_open
        ):
            yield


@dataclass
class Clinic:
    """A clinic: its people's headers by role, and its ids under the names that addresses and bodies give them."""

    slug: str
    id: str
    people: dict[str, Headers]
    ids: dict[str, str]
    _slots: Iterator[int] = field(default_factory=count)
    files: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def owner(self) -> Headers:
        return self.people["owner"]

    def slot(self) -> str:
        """A start that was not given out before."""
        midnight = datetime.combine(datetime.now(UTC).date() + timedelta(days=2), time(), tzinfo=UTC)
        return (midnight + timedelta(minutes=30 * next(self._slots))).isoformat()

    def visit(self, starts_at: str | None = None) -> dict[str, Any]:
        """A body that books the clinic's service."""
        return {
            "service_id": self.ids["service_id"],
            "patient_id": self.ids["patient_id"],
            "resource_ids": [self.ids["resource_id"]],
            "starts_at": starts_at or self.slot(),
        }

    def guest(self, starts_at: str | None = None, **changes: Any) -> dict[str, Any]:
        """A body by which the clinic's client books its service as a guest."""
        return {
            "service_id": self.ids["service_id"],
            "starts_at": starts_at or self.slot(),
            "client": {"given_name": "Zoila", "family_name": "Quimbiurco", "phone": "0991234567"},
            "patient": {"name": "Firulais", "species": "dog"},
            "accepted": shown("portal-terms"),
            **changes,
        }


def bearer(token: str) -> Headers:
    """The header of somebody with this token."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def running(settings: Settings, people: People) -> AsyncIterator[Service]:
    """The application, from its start to its end."""
    wired = application(settings)
    transport = httpx.ASGITransport(_leaving_streams(wired.asgi))
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    contract = Contract(wired.litestar.state.openapi)

    async def keep_promise(answer: httpx.Response) -> None:
        await answer.aread()
        contract.check(answer)

    async with (
        lifespan(wired),
        httpx.AsyncClient(
            transport=transport,
            base_url=ORIGIN,
            cookies=no_cookies,
            headers={"Accept-Language": "en"},
            timeout=60,
            event_hooks={"response": [keep_promise]},
        ) as client,
    ):
        yield Service(wired, client, people, settings)


def _leaving_streams(app: ASGIApp) -> ASGIApp:
    """The application, to a client that leaves an endless stream after its first bytes."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        streams = left = False

        async def until_first(message: Message) -> None:
            nonlocal streams, left
            if left:
                return
            if message["type"] == "http.response.start":
                streams = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
            elif streams:
                left, message["more_body"] = True, False
            await send(message)

        await app(scope, receive, until_first)

    return asked


@asynccontextmanager
async def lifespan(wired: Application) -> AsyncIterator[None]:
    """The application's parts, running."""
    # In a task of its own: a fixture is set up in one task and torn down in another, which Litestar does not bear.
    started, ending = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with wired.litestar.lifespan():
            started.set()
            await ending.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(live())
        await started.wait()
        try:
            yield
        finally:
            ending.set()


@asynccontextmanager
async def superuser(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection past every guard, for planting and for looking."""
    assert settings.database_admin_url is not None
    connection = await asyncpg.connect(settings.database_admin_url.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()
