"""What is known of a client, over HTTP: document, address, contacts, consents, and a client who died."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.parts.texts import shown

from coravet.core.kernel.actor import Actor, ClinicId

PHOTOS, WHATSAPP = shown("consent-photos"), shown("consent-whatsapp")


@pytest.fixture
async def client(service: Service, clinic: Clinic) -> Any:
    """A client with a phone and a mail address."""
    person = {"given_name": "Rosa", "family_name": "Ñauta", "phone": "0991112233", "email": "rosa@correo.test"}
    return await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=person)


async def test_wrong_check_digit(service: Service, clinic: Clinic) -> None:
    """A cédula whose last digit does not fit is refused at its field, in the reader's language."""
    person = {"given_name": "Eva", "family_name": "Vera", "document_type": "cedula", "document_number": "2300000004"}
    answer = await service.ask(
        "POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=person, headers={"Accept-Language": "es"}
    )
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/document_number", "cedula_check_digit")
    assert error["detail"].startswith("El último dígito")


async def test_address(service: Service, clinic: Clinic, client: Any) -> None:
    """A client lives in a canton of the list, and likes to be reached somehow; each can be cleared."""
    at = f"/clinics/{clinic.slug}/clients/{client['id']}"
    listed = (await service.done("GET", "/cantons", {}))["items"]
    assert {"code": "2302", "name": "La Concordia", "province": "Santo Domingo de los Tsáchilas"} in listed
    change = {"canton": "2302", "address": " Av.  Simón Plata 12 ", "preferred_channel": "whatsapp"}
    found = await service.done("PATCH", at, clinic.owner, json=change)
    expected = ("2302", "Av. Simón Plata 12", "whatsapp")
    assert (found["canton"], found["address"], found["preferred_channel"]) == expected
    answer = await service.ask("PATCH", at, clinic.owner, json={"canton": "2399"})
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("/canton", "unknown_canton")]
    nothing: dict[str, Any] = dict.fromkeys(change)
    found = await service.done("PATCH", at, clinic.owner, json=nothing)
    assert {found[name] for name in change} == {None}


async def test_contacts(service: Service, clinic: Clinic, client: Any) -> None:
    """Further phones and mails are kept in their normal form, once a client; others of the family have them, too."""
    at = f"/clinics/{clinic.slug}/clients/{client['id']}/contacts"
    phone = {"kind": "phone", "value": "099 444 5566", "label": "hija"}
    made = await service.done("POST", at, clinic.owner, json=phone)
    assert (made["value"], made["label"], made["warnings"]) == ("+593994445566", "hija", [])
    again = await service.ask("POST", at, clinic.owner, json={"kind": "phone", "value": "0994445566"})
    own = await service.ask("POST", at, clinic.owner, json={"kind": "phone", "value": "0991112233"})
    assert {answer.json()["code"] for answer in (again, own)} == {"duplicate"}
    sister = {"given_name": "Eva", "family_name": "Ñauta"}
    sister = await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=sister)
    shared = f"/clinics/{clinic.slug}/clients/{sister['id']}/contacts"
    await service.done("POST", shared, clinic.owner, json=phone)
    for kind, value in (("phone", "12"), ("email", "nadie"), ("email", "a@b.test, c@d.test")):
        answer = await service.ask("POST", at, clinic.owner, json={"kind": kind, "value": value})
        assert [each["pointer"] for each in answer.json()["errors"]] == ["/value"], value
    assert [each["id"] for each in (await service.done("GET", at, clinic.owner))["items"]] == [made["id"]]
    await service.done("DELETE", f"{at}/{made['id']}", clinic.owner)
    assert (await service.ask("DELETE", f"{at}/{made['id']}", clinic.owner)).status_code == 404
    assert (await service.done("GET", at, clinic.owner))["items"] == []
    client = await service.done("GET", f"/clinics/{clinic.slug}/clients/{client['id']}", clinic.owner)
    assert client["version"] == 3  # a contact is a change of the client


async def test_contacts_end(service: Service, clinic: Clinic, client: Any) -> None:
    """Nobody has more than twenty further contacts."""
    at = f"/clinics/{clinic.slug}/clients/{client['id']}/contacts"
    for number in range(20):
        mail = {"kind": "email", "value": f"rosa{number}@correo.test"}
        await service.done("POST", at, clinic.owner, json=mail)
    answer = await service.ask("POST", at, clinic.owner, json={"kind": "email", "value": "otra@correo.test"})
    assert [each["code"] for each in answer.json()["errors"]] == ["too_many"]


async def test_consents(service: Service, clinic: Clinic, client: Any) -> None:
    """A client agrees to a text and takes that back by the same call; all is kept, and the last word is marked."""
    at = f"/clinics/{clinic.slug}/clients/{client['id']}/consents"
    bare = await service.ask("POST", at, clinic.owner, json={"purpose": "photos", "decision": "accepted"})
    assert [(each["pointer"], each["code"]) for each in bare.json()["errors"]] == [("/text", "required")]
    agreed = {"purpose": "photos", "decision": "accepted", "text": PHOTOS, "note": "Firmado en papel"}
    made = await service.done("POST", at, clinic.owner, json=agreed)
    assert (made["text"], made["recorded_by"]["member_id"]) == (PHOTOS, clinic.ids["owner_member_id"])
    assert made["recorded_by"]["name"]
    await service.done("POST", at, clinic.owner, json={"purpose": "marketing", "decision": "declined"})
    taken_back = {"purpose": "photos", "decision": "withdrawn", "source": "phone"}
    await service.done("POST", at, clinic.people["staff"], json=taken_back)
    found = (await service.done("GET", at, clinic.owner))["items"]
    assert [(each["purpose"], each["decision"], each["current"]) for each in found] == [
        ("photos", "withdrawn", True),
        ("marketing", "declined", True),
        ("photos", "accepted", False),
    ]
    found = (await service.done("GET", at, clinic.owner, params={"current": "true"}))["items"]
    assert [(each["purpose"], each["decision"]) for each in found] == [
        ("photos", "withdrawn"),
        ("marketing", "declined"),
    ]


async def test_whatsapp(service: Service, clinic: Clinic, client: Any) -> None:
    """What is agreed to or taken back about WhatsApp is so of the channel at once."""
    at = f"/clinics/{clinic.slug}/clients/{client['id']}"
    for decision, allowed in (("accepted", True), ("withdrawn", False)):
        told = {"purpose": "whatsapp", "decision": decision, "text": WHATSAPP, "source": "whatsapp"}
        await service.done("POST", f"{at}/consents", clinic.owner, json=told)
        channel = (await service.done("GET", f"{at}/channels", clinic.owner))["whatsapp"]
        assert (channel["allowed"], channel["source"]) == (allowed, "whatsapp")


async def test_channel_refused(service: Service, clinic: Clinic, client: Any) -> None:
    """Who agreed to WhatsApp and refuses the channel has taken that back, as the list of consents tells."""
    at = f"/clinics/{clinic.slug}/clients/{client['id']}"
    told = {"purpose": "whatsapp", "decision": "accepted", "text": WHATSAPP}
    await service.done("PUT", f"{at}/channels", clinic.owner, json={"whatsapp": False})
    assert (await service.done("GET", f"{at}/consents", clinic.owner))["items"] == []
    await service.done("POST", f"{at}/consents", clinic.owner, json=told)
    staff = clinic.people["staff"]
    refused = await service.done("PUT", f"{at}/channels", staff, json={"whatsapp": False, "source": "phone"})
    found = (await service.done("GET", f"{at}/consents", clinic.owner))["items"]
    assert [(each["decision"], each["current"]) for each in found] == [("withdrawn", True), ("accepted", False)]
    assert (found[0]["source"], found[0]["recorded_by"]["member_id"]) == ("phone", clinic.ids["staff_member_id"])
    assert (found[0]["decided_at"], found[0]["text"]) == (refused["whatsapp"]["chosen_at"], None)
    held = (await service.done("GET", f"{at}/consents", clinic.owner, params={"current": "true"}))["items"]
    assert held == found[:1]
    await service.done("POST", f"{at}/consents", clinic.owner, json=told)
    await service.done("POST", f"{at}/consents", clinic.owner, json={"purpose": "whatsapp", "decision": "withdrawn"})
    found = (await service.done("GET", f"{at}/consents", clinic.owner))["items"]
    assert [each["decision"] for each in found] == ["withdrawn", "accepted", "withdrawn", "accepted"]


@pytest.mark.parametrize(
    "change", ["UPDATE consents SET decision = 'accepted', text_sha256 = '0'", "DELETE FROM consents"]
)
async def test_consents_are_kept(change: str, service: Service, clinic: Clinic) -> None:
    """Neither the application's role nor the system's nor a superuser's replica changes or drops what was said."""
    actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="UTC", user_id=None)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with service.application.works.begin(actor) as work:
            await work.execute(change)
    with pytest.raises(asyncpg.RestrictViolationError):
        async with service.system_begin("a test") as work:
            await work.execute(change)
    async with superuser(service.settings) as admin:
        for role in ("origin", "replica"):
            await admin.execute(f"SET session_replication_role = {role}")
            for statement in (change, "TRUNCATE consents"):
                with pytest.raises(asyncpg.RestrictViolationError):
                    await admin.execute(statement)


async def test_deceased(service: Service, clinic: Clinic, client: Any) -> None:
    """A client's death is recorded, its day corrected, and taken back; their patients stay theirs and can be booked."""
    base = f"/clinics/{clinic.slug}"
    at = f"{base}/clients/{client['id']}"
    animal = {"client_id": client["id"], "name": "Toby", "species": "dog"}
    animal = await service.done("POST", f"{base}/patients", clinic.owner, json=animal)
    died = await service.done("POST", f"{at}/deceased", clinic.owner, json={"on": "2026-01-02", "version": 1})
    assert (died["deceased_on"], died["version"]) == ("2026-01-02", 2)
    assert (await service.done("GET", at, clinic.owner))["deceased_on"] == "2026-01-02"
    owned = await service.done("GET", f"{base}/patients", clinic.owner, params={"client_id": client["id"]})
    assert [each["id"] for each in owned["items"]] == [animal["id"]]
    visit = {**clinic.visit(), "patient_id": animal["id"]}
    assert (await service.done("POST", f"{base}/appointments", clinic.owner, json=visit))["client"]["id"] == client[
        "id"
    ]
    late = await service.ask("POST", f"{at}/deceased", clinic.owner, json={"on": "2099-01-01"})
    assert [each["code"] for each in late.json()["errors"]] == ["in_future"]
    lives = await service.done("DELETE", f"{at}/deceased", clinic.owner, params={"version": "2"})
    assert (lives["deceased_on"], lives["version"]) == (None, 3)
