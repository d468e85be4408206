"""A client's life at a clinic, lived over HTTP, with a canary in whatever may be written about them."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from tests.integration.http.service import Clinic, Headers, Service
from tests.integration.parts.texts import shown
from tests.integration.privacy.canaries import Canaries

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.exchange.apply import apply
from coravet.core.exchange.imports import check, receive
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import SystemClock

GIVEN_AT = "2026-01-10T15:00:00Z"


@dataclass
class Life:
    """A client of a clinic.

    Attributes:
        person: by what they are known.
        ids: of what the client left behind.
        tokens: of links that the client was sent.
    """

    service: Service
    clinic: Clinic
    canaries: Canaries
    person: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def vet(self) -> Headers:
        return self.clinic.people["vet"]

    async def done(self, method: str, path: str, who: Headers | None = None, **content: Any) -> Any:
        """What a request below the clinic's address answers."""
        return await self.service.done(
            method, f"/clinics/{self.clinic.slug}{path}", who or self.clinic.owner, **content
        )

    async def live(self) -> None:
        """Everything that a client goes through."""
        await self._register()
        await self._bring()
        await self._visit()
        await self._fall_ill()
        await self._be_a_guest()
        await self._stand_in_lists()
        await self._be_spoken_of()

    async def _register(self) -> None:
        said, at = self.canaries, "/clients"
        body = {
            **self.person,
            "preferred_channel": "whatsapp",
            "canton": "2302",
            "address": said.text("address"),
        }
        made = await self.done("POST", at, json=body, headers={"Idempotency-Key": "client"})
        self.ids["client"] = made["id"]
        at = f"/clients/{made['id']}"
        further = {"kind": "phone", "value": said.phone("second_phone"), "label": said.word("label")}
        await self.done("POST", f"{at}/contacts", json=further)
        mail = {"kind": "email", "value": said.mail("second_mail")}
        await self.done("POST", f"{at}/contacts", json=mail)
        agreed = {
            "purpose": "marketing",
            "decision": "accepted",
            "text": shown("consent-marketing"),
            "note": said.text("consent_note"),
        }
        await self.done("POST", f"{at}/consents", json=agreed)
        no = {"purpose": "photos", "decision": "declined", "note": said.text("declined_note")}
        await self.done("POST", f"{at}/consents", json=no)
        await self.done("PUT", f"{at}/channels", json={"mail": True, "whatsapp": True})
        # Once registered under another name, and found to be the same.
        twin = {"given_name": said.word("twin_given"), "family_name": said.word("twin_family")}
        twin |= {"email": said.mail("twin_mail"), "address": said.text("twin_address")}
        made = await self.done("POST", "/clients", json=twin)
        self.ids["twin"] = made["id"]
        await self.done("POST", f"{at}/contacts", json={"kind": "phone", "value": said.phone("third_phone")})
        await self.done("POST", f"{at}/merge", json={"merged_id": made["id"]})

    async def _bring(self) -> None:
        said = self.canaries
        animal = {"client_id": self.ids["client"], "name": "Canela", "species": "dog", "sex": "female"}
        animal |= {"breed": said.word("breed"), "color": said.word("color"), "birth_date": "2020-03-04"}
        made = await self.done("POST", "/patients", json=animal)
        self.ids["patient"] = at = made["id"]
        chip = {"kind": "iso_chip", "value": f"9{said.digits('chip', 14)}"}
        await self.done("POST", f"/patients/{at}/identifiers", json=chip)
        tattoo = {"kind": "tattoo", "value": said.word("tattoo")}
        await self.done("POST", f"/patients/{at}/identifiers", json=tattoo)
        for moment in ("check_in", "exam"):
            alert = {"moment": moment, "text": said.text(f"alert_{moment}")}
            await self.done("POST", f"/patients/{at}/alerts", json=alert)
        # One that was theirs and is another's now, and one that two of them share.
        for name in ("given_away", "shared"):
            animal = {"client_id": self.ids["client"], "name": name.replace("_", " "), "species": "cat"}
            self.ids[name] = (await self.done("POST", "/patients", json=animal))["id"]
        other = {"given_name": "Aurelio", "family_name": "Chiluiza", "phone": "0987654321"}
        self.ids["other"] = (await self.done("POST", "/clients", json=other))["id"]
        both = {"client_id": self.ids["other"], "role": "co_owner"}
        await self.done("POST", f"/patients/{self.ids['shared']}/parties", json=both)
        recall = {"patient_id": at, "kind": "follow_up", "due_on": "2030-01-15", "note": said.text("recall")}
        await self.done("POST", "/recalls", json=recall)

    async def _visit(self) -> None:
        said, clinic = self.canaries, self.clinic
        visit = {**clinic.visit(), "patient_id": self.ids["patient"], "reason": said.text("visit_reason")}
        made = await self.done("POST", "/appointments", json=visit)
        self.ids["visit"] = made["id"]
        moved = {"starts_at": clinic.slot(), "reason": said.text("moved_reason")}
        moved = await self.done("POST", f"/appointments/{made['id']}/reschedule", json=moved)
        self.ids["visit"] = moved["id"]
        visit = {**clinic.visit(), "patient_id": self.ids["patient"], "reason": said.text("cancelled_visit")}
        made = await self.done("POST", "/appointments", json=visit)
        await self.done("POST", f"/appointments/{made['id']}/cancel", json={"reason": said.text("cancel_reason")})
        # Given away after a visit with its first owner.
        visit = {**clinic.visit(), "patient_id": self.ids["given_away"], "reason": said.text("before_transfer")}
        made = await self.done("POST", "/appointments", json=visit)
        await self.done("POST", f"/appointments/{made['id']}/cancel", json={"reason": said.text("before_cancel")})
        to = {"client_id": self.ids["other"]}
        await self.done("POST", f"/patients/{self.ids['given_away']}/transfer", json=to)

    async def _fall_ill(self) -> None:
        said, vet, at = self.canaries, self.vet, f"/patients/{self.ids['patient']}"
        note = {part: said.text(part) for part in ("subjective", "objective", "assessment", "plan")}
        for name in ("signed", "open", "voided"):
            visit = {"patient_id": self.ids["patient"], "reason": said.text(f"{name}_reason")}
            self.ids[name] = (await self.done("POST", "/encounters", vet, json=visit))["id"]
        signed = f"/encounters/{self.ids['signed']}"
        await self.done("PATCH", signed, vet, json={"version": 1, "note": note, "vitals": {"weight_kg": 12.5}})
        problem = {"name": said.text("problem"), "encounter_id": self.ids["signed"]}
        made = await self.done("POST", f"{at}/problems", vet, json=problem)
        renamed = {"name": said.text("problem_renamed"), "status": "resolved"}
        await self.done("PATCH", f"/problems/{made['id']}", vet, json=renamed)
        read = await self.done("GET", signed, vet)
        await self.done("POST", f"{signed}/sign", vet, json={"version": read["version"]})
        await self.done("POST", f"{signed}/addenda", vet, json={"text": said.text("addendum")})
        opened = f"/encounters/{self.ids['open']}"
        await self.done("PATCH", opened, vet, json={"version": 1, "note": {"plan": said.text("open_plan")}})
        late = {"version": 1, "note": {"plan": said.text("set_aside")}}
        assert (
            await self.service.ask("PATCH", f"/clinics/{self.clinic.slug}{opened}", vet, json=late)
        ).status_code == 409
        void = {"reason": said.text("void_reason")}
        await self.done("POST", f"/encounters/{self.ids['voided']}/void", vet, json=void)
        weight = await self.done("POST", f"{at}/weights", json={"weight_kg": 12.4})
        await self.done("POST", f"/weights/{weight['id']}/void", vet, json={"reason": said.text("weight_void")})
        await self._be_treated()

    async def _be_treated(self) -> None:
        said, vet, at = self.canaries, self.vet, f"/patients/{self.ids['patient']}"
        dose = {
            "vaccine": "Rabia",
            "lot_number": self.person["phone"],
            "administered_at": GIVEN_AT,
            "source": "external",
        }
        dose |= {"given_by": said.text("vaccinated_by"), "site": said.word("site")}
        made = await self.done("POST", f"{at}/immunizations", vet, json=dose)
        await self.done(
            "POST", f"/immunizations/{made['id']}/void", vet, json={"reason": said.text("immunization_void")}
        )
        await self.done("POST", f"{at}/immunizations", vet, json={**dose, "given_by": said.text("vaccinated_again")})
        worm = {"product": "Prazicuantel", "target": "internal", "administered_at": GIVEN_AT, "source": "external"}
        made = await self.done("POST", f"{at}/dewormings", vet, json={**worm, "given_by": said.text("dewormed_by")})
        await self.done("POST", f"/dewormings/{made['id']}/void", vet, json={"reason": said.text("deworming_void")})
        allergy = {"substance": "Penicilina", "reaction": said.text("reaction")}
        made = await self.done("POST", f"{at}/allergies", vet, json=allergy)
        await self.done("POST", f"/allergies/{made['id']}/void", vet, json={"reason": said.text("allergy_void")})
        name = f"{self.person['given_name']} {self.person['family_name']}"
        item = {"drug": f"Meloxicam ({name})", "unit": "ml", "route": "oral", "quantity": 1}
        item["instructions"] = said.text("instructions")
        made = await self.done("POST", f"{at}/prescriptions", vet, json={"items": [item]})
        self.ids["prescription"] = made["id"]
        other = await self.done("POST", f"{at}/prescriptions", vet, json={"items": [item]})
        void = {"reason": said.text("prescription_void")}
        await self.done("POST", f"/prescriptions/{other['id']}/void", vet, json=void)
        for sheet in self.sheets():
            assert (await self.sheet(sheet))[:5] == b"%PDF-"
        [newest] = (await self.done("GET", "/documents", vet, params={"limit": 1}))["items"]
        reason = {"reason": said.text("withdraw_reason")}
        await self.done("POST", f"/documents/{newest['id']}/withdraw", vet, json=reason)

    def sheets(self) -> list[str]:
        """Where what is printed of the client's patient is."""
        return [
            f"/patients/{self.ids['patient']}/immunization-card.pdf",
            f"/prescriptions/{self.ids['prescription']}/sheet.pdf",
            f"/encounters/{self.ids['signed']}/summary.pdf",
        ]

    async def sheet(self, path: str) -> bytes:
        """A PDF."""
        answer = await self.service.ask("GET", f"/clinics/{self.clinic.slug}{path}", self.vet)
        assert answer.status_code == 200, answer.text
        return answer.content

    async def _be_a_guest(self) -> None:
        """Booked twice without an account: as they are known, and in a form that makes them a further client."""
        said, clinic = self.canaries, self.clinic
        base = f"/portal/clinics/{clinic.slug}"
        # No document, by which a guest would be taken at their word.
        known = {key: self.person[key] for key in ("given_name", "family_name", "phone", "email")}
        body = clinic.guest(
            client=known, patient={"name": "Canela", "species": "dog"}, reason=said.text("guest_reason")
        )
        made = await self.service.done("POST", f"{base}/bookings", {}, json=body, headers={"Idempotency-Key": "guest"})
        self.tokens = {key: value for key, value in made["tokens"].items() if isinstance(value, str)}
        body = clinic.guest(client=known, patient={"name": "Canela", "species": "dog"}, reason=said.text("guest_again"))
        body["hold"] = (
            await self.service.done(
                "POST",
                f"{base}/holds",
                {},
                json={"service_id": body["service_id"], "starts_at": body["starts_at"]},
            )
        )["token"]
        made = await self.service.done("POST", f"{base}/bookings", {}, json=body)
        # With an animal that somebody else keeps, who is given this visit.
        body = clinic.guest(client=known, patient={"name": "shared", "species": "cat"}, reason="Control")
        await self.service.done("POST", f"{base}/bookings", {}, json=body)
        cancel = {"reason": said.text("guest_cancel")}
        await self.service.done("POST", f"/portal/bookings/{made['tokens']['cancel']}/cancel", {}, json=cancel)

    async def _stand_in_lists(self) -> None:
        """On the waitlist, with an offer, and in files that the clinic handed in."""
        said, clinic = self.canaries, self.clinic
        wish = {"service_id": clinic.ids["service_id"], "patient_id": self.ids["patient"]}
        wish |= {"from_date": "2026-01-02", "to_date": (datetime.now(UTC).date() + timedelta(days=30)).isoformat()}
        made = await self.done("POST", "/waitlist", json={**wish, "note": said.text("waitlist_note")})
        await self.done("POST", f"/waitlist/{made['id']}/offer", json={"starts_at": clinic.slot()})
        person = self.person
        known = [person[key] for key in ("document_number", "given_name", "family_name", "phone", "email")]
        name = f"{person['given_name']} {person['family_name']}"
        head = ["Pasaporte", "Nombre", "Apellido", "Teléfono", "Correo", "Dirección", "Mascota", "Especie", "Color"]
        await self._hand_in(
            f"mascotas de {name}.csv",
            [*head, name],
            [*known, said.word("file_address"), "Canela", "perro", said.word("file_color"), ""],
            # Wrong, so that it becomes nobody's.
            ["!", known[1], known[2], "", "", "", "Canela", "perro", "", ""],
            ["AB123456", "Rosa", "Vera", "0992222222", "", "", "Toby", "perro", "", ""],
            until="applied",
        )
        row = [*known[:4], said.mail("checked_mail"), said.word("checked_patient"), "perro"]
        head = [*head[:5], "Mascota", "Especie"]
        await self._hand_in("mascotas.csv", head, row, until="checked")
        await self._hand_in("otra.csv", head, [*row[:4], said.mail("sent_mail"), "Canela", "perro"], until="sent")

    async def _hand_in(self, name: str, *rows: list[str], until: str) -> None:
        """A file that is applied, checked, or sent but for its last byte."""
        data = "\n".join(",".join(row) for row in rows).encode()
        file = {"file_name": name, "size": len(data), "sha256": sha256(data).hexdigest()}
        made = await self.done("POST", "/imports", json=file)
        if until == "sent":
            await self._send(made["id"], data[:-1])
            return
        await self.done("PUT", f"/imports/{made['id']}/file", content=data)
        actor = Actor(clinic_id=ClinicId(UUID(self.clinic.id)), time_zone="America/Guayaquil", user_id=None)
        begin = self.service.application.works.begin
        await check(UUID(made["id"]), actor, begin, SystemClock(), EcuadorNumbers())
        if until == "applied":
            await self.done("POST", f"/imports/{made['id']}/apply", json={"skip_errors": True})
            await apply(UUID(made["id"]), actor, begin, SystemClock())

    async def _send(self, import_id: str, data: bytes) -> None:
        """Bytes of a file, after which the connection drops."""

        async def dropped() -> AsyncIterator[bytes]:
            yield data
            raise ConnectionError

        actor = Actor(clinic_id=ClinicId(UUID(self.clinic.id)), time_zone="America/Guayaquil", user_id=None)
        with suppress(ConnectionError):
            await receive(UUID(import_id), 0, dropped(), actor, self.service.application.works.begin, str)

    async def _be_spoken_of(self) -> None:
        """Named in what belongs to others: by name, document, phone or mail address."""
        person, vet, clinic = self.person, self.vet, self.clinic
        name = f"{person['given_name']} {person['family_name']}"
        shared = self.ids["shared"]
        alert = {"moment": "check_in", "text": f"Avisar también a {name}."}
        await self.done("POST", f"/patients/{shared}/alerts", json=alert)
        encounter = await self.done(
            "POST", "/encounters", vet, json={"patient_id": shared, "reason": f"La trae {name.upper()}"}
        )
        note = {"plan": f"Llamar a {name} al {person['phone']} o escribir a {person['email']}"}
        at = f"/encounters/{encounter['id']}"
        changed = await self.done("PATCH", at, vet, json={"version": 1, "note": note})
        await self.done("POST", f"{at}/sign", vet, json={"version": changed["version"]})
        await self.done("POST", f"{at}/addenda", vet, json={"text": f"{name} llamó."})
        closed = {"starts_on": "2031-05-05", "reason": f"Visita a domicilio, {name}"}
        await self.done("POST", "/closures", json=closed)
        day = f"/resources/{clinic.ids['resource_id']}/exceptions/2031-06-01"
        await self.done("PUT", day, json={"spans": [], "reason": f"Donde {name}"})
        template = {"name": "Control", "plan": f"Como con {name}"}
        await self.done("POST", "/note-templates", vet, json=template)
