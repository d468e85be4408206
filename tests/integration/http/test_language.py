"""Problems are told in the reader's language: the sentences change, and nothing else."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.integration.http.service import Clinic, Headers, Service
from uuid_utils.compat import uuid7

from coravet.core.kernel.errors import Unavailable

SPANISH, ENGLISH = {"Accept-Language": "es-EC,es;q=0.9,en;q=0.8"}, {"Accept-Language": "en-US,en;q=0.9,es;q=0.8"}
WORDED = {"title", "detail", "errors"}


async def _both(
    service: Service, method: str, path: str, who: Headers, **content: Any
) -> tuple[httpx.Response, httpx.Response]:
    """The same refusal in Spanish and in English, alike in all but its words."""
    same = {"X-Request-Id": "same"}
    spanish, english = [
        await service.ask(method, path, who, headers=language | same, **content) for language in (SPANISH, ENGLISH)
    ]
    assert spanish.status_code == english.status_code
    assert (spanish.headers["content-language"], english.headers["content-language"]) == ("es", "en")
    for answer in (spanish, english):
        assert "Accept-Language" in answer.headers["vary"]
        assert answer.headers["content-type"] == "application/problem+json"
    told = [
        {name: value for name, value in answer.json().items() if name not in WORDED} for answer in (spanish, english)
    ]
    assert told[0] == told[1]
    named = [
        [(each["pointer"], each["code"]) for each in answer.json().get("errors", [])] for answer in (spanish, english)
    ]
    assert named[0] == named[1]
    assert spanish.json()["title"] != english.json()["title"]
    assert spanish.json()["detail"] != english.json()["detail"]
    return spanish, english


async def test_fields(service: Service, clinic: Clinic) -> None:
    """Every bad field of a body has its sentence in both languages, of syntax and of meaning."""
    body = {
        "given_name": "Ana\u202e",
        "family_name": 7,
        "document_type": "cedula",
        "document_number": "1714307104",
        "phone": "12",
        "email": "ana",
        "nickname": "x",
    }
    spanish, english = await _both(service, "POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=body)
    assert spanish.json()["title"] == "La solicitud no es válida"
    assert {each["pointer"]: each["detail"] for each in spanish.json()["errors"]} == {
        "/given_name": "Contiene un carácter invisible (U+202E). Escríbalo de nuevo.",
        "/family_name": "Escriba aquí un texto.",
        "/document_number": "El último dígito no corresponde a los demás. Compárelo con el documento.",
        "/phone": "Le faltan o le sobran dígitos. Escríbalo con su código de área; si es extranjero, empiece con +.",
        "/email": "No tiene el formato que este campo necesita.",
        "/nickname": "Este campo no existe.",
    }
    told = [{each["detail"] for each in answer.json()["errors"]} for answer in (spanish, english)]
    assert not told[0] & told[1]


async def test_parameters(service: Service, clinic: Clinic) -> None:
    """Bad parameters of an address are told in both languages."""
    spanish, english = await _both(
        service, "GET", f"/clinics/{clinic.slug}/clients", clinic.owner, params={"limit": "0", "cursor": "x" * 600}
    )
    assert {each["detail"] for each in spanish.json()["errors"]} == {
        "El valor mínimo es 1.",
        "Escriba menos: máximo de caracteres: 512.",
    }
    assert {each["detail"] for each in english.json()["errors"]} == {
        "The least is 1.",
        "Write less: at most this many characters: 512.",
    }


async def test_refusals(service: Service, clinic: Clinic) -> None:
    """Nobody signed in, nothing there, not permitted, no such method and no such state are told in both languages."""
    base = f"/clinics/{clinic.slug}"
    spanish, _ = await _both(service, "GET", "/session", {})
    assert (spanish.status_code, spanish.json()["title"]) == (401, "No ha iniciado sesión")
    spanish, _ = await _both(service, "GET", f"{base}/clients/{uuid7()}", clinic.owner)
    assert spanish.status_code == 404
    spanish, _ = await _both(service, "GET", "/nothing", {})
    assert spanish.json()["detail"] == "Aquí no hay nada, o no está disponible para usted."
    spanish, _ = await _both(service, "GET", f"{base}/members", clinic.people["staff"])
    assert (spanish.status_code, "administrar a los miembros" in spanish.json()["detail"]) == (403, True)
    spanish, _ = await _both(service, "PUT", f"{base}/clients", clinic.owner)
    assert (spanish.status_code, spanish.headers["allow"]) == (405, "GET, POST")
    at = f"{base}/appointments/{clinic.ids['appointment_id']}"
    spanish, english = await _both(service, "POST", f"{at}/complete", clinic.owner, json={})
    assert (spanish.status_code, spanish.json()["code"]) == (409, "invalid_transition")
    assert "lista" in spanish.json()["detail"]
    assert "ready" in english.json()["detail"]
    spanish, _ = await _both(service, "POST", f"{base}/clients", clinic.owner, content=b"{")
    assert spanish.json()["errors"][0]["detail"] == "Los datos no son JSON válido (byte 1)."


async def test_unavailable(service: Service) -> None:
    """A part that does not answer is told in both languages, with when to come back."""

    async def down() -> None:
        raise Unavailable("The database does not answer. Try again.", retry_after_seconds=7)

    state = service.application.litestar.state
    ports = state.ports
    state.ports = replace(ports, ready=down)
    try:
        spanish, english = await _both(service, "GET", "/health/ready", {})
    finally:
        state.ports = ports
    assert (spanish.status_code, spanish.headers["retry-after"]) == (503, english.headers["retry-after"])
    assert spanish.json()["detail"] == "La base de datos no responde. Inténtelo de nuevo."


@pytest.mark.parametrize("header", ["", ";;q=,", "en;q=9", "*", "\x80\xff", "xx-" * 400, "fr"])
async def test_unreadable(header: str, service: Service) -> None:
    """A header that cannot be read, or names neither language, is answered in Spanish."""
    answer = await service.ask("GET", "/session", headers={"Accept-Language": header.encode("latin-1")})  # type: ignore[dict-item] -- bytes, as a client may send them
    assert (answer.status_code, answer.headers["content-language"]) == (401, "es")


async def test_no_header(service: Service) -> None:
    """Who says nothing is told in Spanish."""
    request = service.client.build_request("GET", "/api/v1/session")
    del request.headers["accept-language"]
    answer = await service.client.send(request)
    assert answer.json()["title"] == "No ha iniciado sesión"


async def test_several_headers(service: Service) -> None:
    """Several headers are read as one."""
    headers = [("Accept-Language", "fr"), ("Accept-Language", "en")]
    request = httpx.Request("GET", service.client.base_url.join("/api/v1/session"), headers=headers)
    assert (await service.client.send(request)).headers["content-language"] == "en"


async def test_across_sites(service: Service) -> None:
    """A cache between a page of an allowed origin and the service tells both the origin and the language apart."""
    origin = service.settings.public_url
    answer = await service.ask("GET", "/session", headers={"Origin": origin})
    assert {each.strip() for each in answer.headers["vary"].split(",")} == {"Origin", "Accept-Language"}


async def test_what_succeeds(service: Service, clinic: Clinic) -> None:
    """What succeeds is the same for every reader, byte by byte: a page, a stream's beginning, a repeated change."""
    for path in ("/health/live", f"/clinics/{clinic.slug}/clients", f"/clinics/{clinic.slug}/services"):
        answers = [await service.ask("GET", path, clinic.owner, headers=language) for language in (SPANISH, ENGLISH)]
        assert answers[0].content == answers[1].content
        assert "content-language" not in answers[0].headers
    stream = await service.ask("GET", f"/clinics/{clinic.slug}/events", clinic.owner, headers=ENGLISH)
    assert (stream.status_code, "content-language" in stream.headers) == (200, False)
    key = {"Idempotency-Key": "spoken-twice"}
    answers = [
        await service.ask(
            "POST",
            f"/clinics/{clinic.slug}/clients",
            clinic.owner,
            headers=language | key,
            json={"given_name": "Ana", "family_name": "Pérez"},
        )
        for language in (SPANISH, ENGLISH)
    ]
    assert (answers[0].status_code, answers[0].content) == (answers[1].status_code, answers[1].content)
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_warnings(service: Service, clinic: Clinic) -> None:
    """What is accepted though it looks wrong is told in the reader's language; a replay tells what was told."""
    body = {"given_name": "Ana", "family_name": "Pérez", "document_type": "ruc", "document_number": "1793213150001"}
    key = {"Idempotency-Key": "looks-wrong"}
    answers = [
        await service.ask("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, headers=language | key, json=body)
        for language in (SPANISH, ENGLISH)
    ]
    assert [answer.json()["warnings"] for answer in answers] == 2 * [
        [
            {
                "pointer": "/document_number",
                "code": "unusual",
                "detail": (
                    "El dígito verificador no corresponde, como en algunos números nuevos. Compárelo con el documento."
                ),
            }
        ]
    ]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE"])
async def test_allow(method: str, service: Service, clinic: Clinic) -> None:
    """A method that an address does not take is answered with those that it does."""
    answer = await service.ask(method, f"/clinics/{clinic.slug}/clients", clinic.owner)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_documented(service: Service) -> None:
    """The document says of each operation how to choose the language, and lists conflicts of its noun only."""
    document = (await service.client.get("/api/v1/openapi.json")).json()
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    for operation in operations:
        assert "Accept-Language" in {each["name"] for each in operation["parameters"]}
        assert all(
            "Content-Language" in answer["headers"]
            for status, answer in operation["responses"].items()
            if int(status) >= 400
        )
    conflicts = {each["operationId"]: each["responses"].get("409", {}).get("description", "") for each in operations}
    assert "last_owner" in conflicts["changeMember"]
    assert "slot_taken" not in conflicts["changeMember"]
    assert "last_owner" not in conflicts["bookAppointment"]
    assert "slot_taken" in conflicts["bookAppointment"]
