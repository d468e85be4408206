"""WhatsApp: by hand, as a list of links that staff work through, and through an API in a server of our own.

The API here is not Meta's: it shows what we send and how we take answers, not that Meta takes it.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from tests.integration.http.service import Clinic, Service
from tests.integration.messaging.scene import Scene
from tests.integration.messaging.servers import ApiServer, api_server

from coravet.core.messaging.send import Post


async def _waiting(scene: Scene) -> list[dict[str, Any]]:
    at = f"{scene.base}/messages"
    found = await scene.service.done("GET", at, scene.clinic.owner, params={"channel": "whatsapp", "status": "waiting"})
    return [item for item in found["items"] if item["kind"] != "visit_booked"]


async def test_by_hand(scene: Scene) -> None:
    """A message that is due waits with a link that opens the client's chat with the text; whoever sends it is kept."""
    visit = await scene.visit()
    ids = await scene.queue("visit_reminder", visit["id"])
    await scene.send(ids["whatsapp"])
    [item] = await _waiting(scene)
    assert (item["id"], item["status"], item["why"], item["attempts"]) == (str(ids["whatsapp"]), "waiting", None, 1)
    assert (item["client_name"], item["patient_name"]) == ("Zoila Quimbiurco", "Firulais")
    url = urlsplit(item["url"])
    assert (url.scheme, url.netloc, url.path) == ("https", "wa.me", "/593991234567")
    assert parse_qs(url.query)["text"][0].startswith("Hola, Zoila: le recordamos la cita de Firulais: Consulta, el ")
    sent = await scene.service.done("POST", f"{scene.base}/messages/{item['id']}/sent", scene.clinic.owner)
    assert (sent["status"], sent["sent_by"]) == ("sent", scene.clinic.ids["owner_member_id"])
    assert await _waiting(scene) == []
    for verb in ("sent", "skip"):
        again = await scene.service.ask("POST", f"{scene.base}/messages/{item['id']}/{verb}", scene.clinic.owner)
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
        assert again.json()["current_status"] == "sent"


async def test_own_phone(scene: Scene) -> None:
    """Whatever phone and name a guest writes, WhatsApp goes to the phone of the client who agreed to it, in the
    clinic's own words for them."""
    clinic, service = scene.clinic, scene.service
    document = {"document_type": "cedula", "document_number": "2300000003"}
    await service.done("PATCH", f"{scene.base}/clients/{clinic.ids['client_id']}", clinic.owner, json=document)
    person = {"given_name": "Otra", "family_name": "Persona", "phone": "0987654321", **document}
    wanted = clinic.guest(client=person, patient={"name": "FIRULAIS", "species": "dog"})
    made = await service.done("POST", f"/portal/clinics/{clinic.slug}/bookings", {}, json=wanted)
    [row] = [row for row in await scene.rows(made["id"]) if row["channel"] == "whatsapp"]
    scene.clock.at += timedelta(minutes=1)
    await scene.send(row["id"])
    [item] = [item for item in await _waiting(scene) if item["subject_id"] == made["id"]]
    url = urlsplit(item["url"])
    assert url.path == "/593991234567"
    assert parse_qs(url.query)["text"][0].startswith("Hola, Zoila: recibimos su solicitud de cita para Firulais: ")


async def test_no_longer_true(scene: Scene) -> None:
    """What waits for a visit that was called off meanwhile has no link any more, and says why; it can be skipped."""
    visit = await scene.visit()
    ids = await scene.queue("visit_reminder", visit["id"])
    await scene.send(ids["whatsapp"])
    await scene.service.done("POST", f"{scene.base}/appointments/{visit['id']}/cancel", scene.clinic.owner)
    [item] = await _waiting(scene)
    assert (item["url"], item["why"]) == (None, "visit_cancelled")
    skipped = await scene.service.done("POST", f"{scene.base}/messages/{item['id']}/skip", scene.clinic.owner)
    assert (skipped["status"], skipped["why"]) == ("skipped", "by_hand")


@pytest.fixture
async def api() -> Any:
    """A server in place of the Cloud API."""
    async with api_server() as server:
        yield server


def _cloud(scene: Scene, api: ApiServer, templates: str | None = None) -> Post:
    return scene.over(
        whatsapp_api_url=f"http://127.0.0.1:{api.port}/v23.0",
        whatsapp_phone_number_id="1234567890",
        whatsapp_token=SecretStr("s3cr3t"),
        whatsapp_templates=templates,
    )


async def test_api_text(scene: Scene, api: ApiServer) -> None:
    """Without templates the text itself is sent, to the digits of the phone, with the account's token."""
    ids = await scene.queue("visit_reminder", (await scene.visit())["id"])
    await scene.send(ids["whatsapp"], _cloud(scene, api))
    [(path, headers, body)] = api.asked
    assert path == "/v23.0/1234567890/messages"
    assert headers["authorization"] == "Bearer s3cr3t"
    assert (body["messaging_product"], body["to"], body["type"]) == ("whatsapp", "593991234567", "text")
    assert body["text"]["body"].startswith("Hola, Zoila: le recordamos la cita de Firulais")
    assert (await scene.row(ids["whatsapp"]))["status"] == "sent"


async def test_api_template(scene: Scene, api: ApiServer) -> None:
    """With templates the kind's is named and its places are filled in, in order."""
    ids = await scene.queue("visit_reminder", (await scene.visit())["id"])
    await scene.send(ids["whatsapp"], _cloud(scene, api, "coravet_"))
    [(_, _, body)] = api.asked
    assert (body["template"]["name"], body["template"]["language"]) == ("coravet_visit_reminder", {"code": "es"})
    texts = [part["text"] for part in body["template"]["components"][0]["parameters"]]
    assert texts[:3] == ["Zoila", "Firulais", "Consulta"]
    assert texts[-1] == scene.clinic.slug


@pytest.mark.parametrize(
    ("status", "answer", "outcome"),
    [
        (400, {"error": {"code": 131026}}, ("failed", "whatsapp_131026")),
        (400, {"error": {"code": 131056}}, ("planned", "whatsapp_131056")),
        (429, {"error": {"code": 130429}}, ("planned", "whatsapp_130429")),
        (500, "no JSON that we know", ("planned", "whatsapp_500")),
        (401, {"error": {"code": 190}}, ("planned", "whatsapp_login")),
    ],
)
async def test_api_refuses(status: int, answer: Any, outcome: tuple[str, str], scene: Scene, api: ApiServer) -> None:
    """What will not change has failed; what may change is tried again."""
    api.answers = [(status, answer)]
    ids = await scene.queue("visit_reminder", (await scene.visit())["id"])
    await scene.send(ids["whatsapp"], _cloud(scene, api))
    row = await scene.row(ids["whatsapp"])
    assert (row["status"], row["why"]) == outcome


async def test_api_unreachable(scene: Scene) -> None:
    """An API that does not answer is tried again."""
    ids = await scene.queue("visit_reminder", (await scene.visit())["id"])
    await scene.send(ids["whatsapp"], _cloud(scene, ApiServer(port=1)))
    assert (await scene.row(ids["whatsapp"]))["why"] == "whatsapp_unreachable"


async def test_pages(service: Service, clinic: Clinic) -> None:
    """The list goes on where a page ended, the last due first."""
    at = f"/clinics/{clinic.slug}/messages"
    whole = (await service.done("GET", at, clinic.owner))["items"]
    assert len(whole) > 1
    first = await service.done("GET", at, clinic.owner, params={"limit": 1})
    rest = await service.done("GET", at, clinic.owner, params={"cursor": first["next_cursor"]})
    assert [item["id"] for item in first["items"] + rest["items"]] == [item["id"] for item in whole]
    assert [item["due_at"] for item in whole] == sorted((item["due_at"] for item in whole), reverse=True)
