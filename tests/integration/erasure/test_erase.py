"""Who asks to be forgotten is: rows and counts stay, the person goes."""

from hashlib import sha256
from uuid import UUID

import msgspec
import pytest
from tests.integration.erasure.scene import CUT, NAME, NAMED, Scene, set_scene
from tests.integration.http.service import Service

from coravet.core.kernel.text import fold
from coravet.core.privacy.erasure_views import Certificate

GONE = {"contacts", "search_words", "idempotency_keys", "acceptance_evidence"}
"""Tables whose rows go with the person."""

TOLD = {"appointment_transitions", "outbox", "erasures"}
"""Tables that tell of the erasure itself."""


@pytest.fixture
async def scene(service: Service) -> Scene:
    """A person to erase, in a clinic of their own."""
    return await set_scene(service)


async def test_person_goes(scene: Scene) -> None:
    """Nothing tells who they were; rows, references and counts are as before; the certificate says what was done."""
    theirs = await scene.write(scene.theirs)
    shared = await scene.write(scene.shared)
    await scene.done(
        "POST", f"patients/{scene.theirs}/identifiers", json={"kind": "iso_chip", "value": "941000012345678"}
    )
    at = f"clients/{scene.client}"
    document = {"document_type": "cedula", "document_number": "1714307103", "address": "Av. Quito 123 y Loja"}
    await scene.done("PATCH", at, json=document)
    mail = {"kind": "email", "value": "zoila@correo.test", "label": "casa"}
    await scene.done("POST", f"{at}/contacts", json=mail)
    visit = {
        "service_id": scene.clinic.ids["service_id"],
        "patient_id": scene.theirs,
        "resource_ids": [scene.clinic.ids["resource_id"]],
        "starts_at": scene.clinic.slot(),
        "reason": NAMED,
    }
    booked = await scene.done("POST", "appointments", json=visit)
    before = await scene.counts()
    told = await scene.erase(json={})
    after = await scene.counts()
    assert {name for name in before if before[name] != after[name]} <= GONE | TOLD
    assert {name for name in before if before[name] < after[name]} <= TOLD
    texts = [fold(line) for line in (await scene.texts()).split("\n")]
    told_of = ("zoila", "991234567", "1714307103", "zq@correo", "av. quito")
    for word in (*told_of, "canela", "xolo", "941000012345678", "2020-05-17"):
        assert not [line for line in texts if word in line]
    # The animal that another keeps stays as it was, but for what names the person.
    encounter = await scene.done("GET", f"encounters/{shared['encounter_id']}", "vet")
    assert encounter["note"]["subjective"] == CUT
    assert encounter["addenda"][0]["text"] == CUT
    assert encounter["signature"]["by"]["name"]
    patient = await scene.done("GET", f"patients/{scene.shared}")
    assert (patient["name"], patient["client"]["id"]) == ("Firulais", scene.other)
    parties = (await scene.done("GET", f"patients/{scene.shared}/parties"))["items"]
    assert {(each["client"]["id"], each["role"], each["until"] is None) for each in parties} == {
        (scene.other, "owner", True),
        (scene.client, "owner", False),
    }
    # Where a visit refers to them, nobody is named.
    seen = await scene.done("GET", f"appointments/{booked['id']}")
    assert (seen["status"], seen["client"]["name"], seen["patient"]["name"]) == (
        "cancelled",
        "[eliminado]",
        "[eliminado]",
    )
    assert await scene.ask("GET", at) == (404, "not_found")
    assert await scene.ask("GET", f"patients/{scene.theirs}") == (404, "not_found")
    assert scene.client not in [each["id"] for each in (await scene.done("GET", "clients"))["items"]]
    assert scene.theirs not in [each["id"] for each in (await scene.done("GET", "patients"))["items"]]
    for sought in ("eliminado", "zoila", "0991234567"):
        found = (await scene.done("GET", "search", params={"q": sought}))["items"]
        assert {scene.client, scene.theirs}.isdisjoint(each["id"] for each in found)
    like = {"given_name": "[eliminado]", "family_name": "[eliminado]"}
    assert (await scene.done("GET", "clients/duplicates", params=like))["items"] == []
    certificate = msgspec.convert(told["certificate"], Certificate)
    assert told["sha256"] == sha256(msgspec.json.encode(certificate)).hexdigest()
    assert (certificate.number, certificate.held) == (1, [])
    assert certificate.rows["encounters"] == 4  # two of each animal
    assert theirs["encounter_id"] != shared["encounter_id"]
    assert await scene.erase() == told
    assert await scene.done("GET", f"privacy/erasures/{told['id']}") == told
    assert (await scene.done("GET", "privacy/erasures"))["items"] == [told]
    entries = await scene.service.application.litestar.state.ports.apart.entries("erasures")
    [kept] = [entry for entry in map(msgspec.json.decode, entries) if entry["subject_id"] == scene.client]
    assert (kept["id"], kept["sha256"], UUID(kept["clinic_id"])) == (told["id"], told["sha256"], UUID(scene.clinic.id))


@pytest.mark.parametrize("namesake", [False, True])
async def test_what_the_clinic_wrote_for_itself(scene: Scene, namesake: bool) -> None:
    """A closing day's reason loses who is named in full; a part of the name stays, for it may mean anybody, and so does
    the whole where another client has it."""
    if namesake:
        given, family = NAME.split()
        await scene.done("POST", "clients", json={"given_name": given, "family_name": family})
    closed = {"starts_on": "2031-05-05", "reason": f"Casa de {NAME}, con Zoila, 0991234567"}
    closure = (await scene.done("POST", "closures", json=closed))["id"]
    await scene.erase()
    found = await scene.done("GET", f"closures/{closure}")
    assert found["reason"] == f"Casa de {NAME if namesake else '[eliminado]'}, con Zoila, [eliminado]"


async def test_whole_clinic(scene: Scene) -> None:
    """Who is named in full, by number or mail address in what is told of others is cut out there; nobody else is."""
    document = {"document_type": "cedula", "document_number": "1714307103", "email": "zoila@correo.test"}
    await scene.done("PATCH", f"clients/{scene.client}", json=document)
    animal = {"client_id": scene.other, "name": "Toby", "species": "dog"}
    toby = (await scene.done("POST", "patients", json=animal))["id"]
    label = {"kind": "phone", "value": "0987654320", "label": "de Zoila Quimbiurco"}
    await scene.done("POST", f"clients/{scene.other}/contacts", json=label)
    said = "Ñáñez y QUIMBIURCO  Zoíla, 171430710-3, zoila@CORREO.test; Zoila Vera, Quimbiurco y el 0991234568"
    left = "Ñáñez y [eliminado]; Zoila Vera, Quimbiurco y el 0991234568"
    alert = (await scene.done("POST", f"patients/{toby}/alerts", json={"moment": "exam", "text": said}))["id"]
    draft = {"patient_id": toby, "reason": said}
    encounter = (await scene.done("POST", "encounters", "vet", json=draft))["id"]
    await scene.done("PATCH", f"encounters/{encounter}", "vet", json={"version": 1, "note": {"plan": said}})
    await scene.done("POST", f"encounters/{encounter}/sign", "vet", json={"version": 2})
    await scene.erase()
    alerts = (await scene.done("GET", f"patients/{toby}/alerts"))["items"]
    assert [each["text"] for each in alerts if each["id"] == alert] == [left]
    signed = await scene.done("GET", f"encounters/{encounter}", "vet")
    assert (signed["reason"], signed["note"]["plan"]) == (left, left)
    contacts = (await scene.done("GET", f"clients/{scene.other}/contacts"))["items"]
    assert [each["label"] for each in contacts] == ["de [eliminado]"]


async def test_namesake(scene: Scene) -> None:
    """A name that another client bears, too, stays in what is told of others."""
    namesake = {"given_name": "Zoila María", "family_name": "Quimbiurco"}
    made = (await scene.done("POST", "clients", json=namesake))["id"]
    animal = {"client_id": made, "name": "Toby", "species": "dog"}
    toby = (await scene.done("POST", "patients", json=animal))["id"]
    text = {"moment": "exam", "text": "Zoila Quimbiurco avisa, no la del 0991234567"}
    await scene.done("POST", f"patients/{toby}/alerts", json=text)
    await scene.erase()
    [alert] = (await scene.done("GET", f"patients/{toby}/alerts"))["items"]
    assert alert["text"] == "Zoila Quimbiurco avisa, no la del [eliminado]"


async def test_further_words(scene: Scene) -> None:
    """A former name and phone, which whoever erases names, go like the present ones, and are kept nowhere."""
    alert = {"moment": "exam", "text": "Soila Pérez, antes 098 765 4321; también Soila"}
    await scene.done("POST", f"patients/{scene.shared}/alerts", json=alert)
    for also in ([" "], ["ab"], ["So\u200bila"]):
        refused = await scene.ask("POST", f"clients/{scene.client}/erase", json={"also": also})
        assert refused == (422, "invalid")
    many = {"also": ["Soila"] * 21}
    assert await scene.ask("POST", f"clients/{scene.client}/erase", json=many) == (422, "invalid")
    words = {"also": ["Soila", "Soila Pérez", "+593 98 765 4321"]}
    told = await scene.erase(json=words, headers={"Idempotency-Key": "further"})
    assert await scene.erase(json=words, headers={"Idempotency-Key": "further"}) == told
    [kept] = (await scene.done("GET", f"patients/{scene.shared}/alerts"))["items"]
    assert kept["text"] == "[eliminado], antes [eliminado]; también [eliminado]"
    texts = fold(await scene.texts())
    assert not [word for word in ("soila", "perez", "987654321", "98 765") if word in texts]


async def test_products_stay(scene: Scene) -> None:
    """What a product is called stays in what others keep, though somebody is called so, too."""
    await scene.done("PATCH", f"clients/{scene.client}", json={"given_name": "Rosa", "family_name": "Nobivac"})
    dose = {"vaccine": "Nobivac Rabia", "manufacturer": "Nobivac", "lot_number": "A1", "source": "external"}
    dose |= {"administered_at": "2026-01-10T15:00:00Z"}
    await scene.done("POST", f"patients/{scene.shared}/immunizations", "vet", json=dose)
    await scene.erase()
    [kept] = (await scene.done("GET", f"patients/{scene.shared}/immunizations", "vet"))["items"]
    assert kept["vaccine"] == "Nobivac Rabia"
