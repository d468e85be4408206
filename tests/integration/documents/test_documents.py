"""Sheets as documents: read back, numbered, verified by whoever holds one, and withdrawn."""

import asyncio
import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pypdf
import pypdfium2
import pytest
import zxingcpp
from pydantic import SecretStr
from tests.integration.http.service import ORIGIN, Clinic, Headers, Service, running, superuser
from tests.integration.parts.people import People

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.records.documents import withdraw_shown
from coravet.settings import Settings

CARD = "patients/{patient_id}/immunization-card.pdf"
SUMMARY = "encounters/{encounter_id}/summary.pdf"
PRESCRIPTION = "prescriptions/{prescription_id}/sheet.pdf"


async def _print(service: Service, clinic: Clinic, what: str, who: Headers | None = None) -> bytes:
    answer = await _asked(service, clinic, what, who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


async def _asked(service: Service, clinic: Clinic, what: str, who: Headers | None = None) -> httpx.Response:
    at = f"/clinics/{clinic.slug}/{what.format(**clinic.ids)}"
    return await service.ask("GET", at, clinic.people["vet"] if who is None else who)


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages)


def _number(pdf: bytes) -> int:
    found = re.search(r"N\.º (\d+), emitido", _text(pdf))
    assert found is not None
    return int(found[1])


def _token(pdf: bytes) -> str:
    """What a camera reads, without the address of the pages."""
    [code] = zxingcpp.read_barcodes(pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil())
    address, _, token = str(code.text).rpartition("/")
    assert address.endswith("/portal/documents")
    return token


async def _state(service: Service, token: str) -> Any:
    return await service.done("GET", f"/portal/documents/{token}", {})


async def _rename(service: Service, clinic: Clinic, name: str) -> None:
    await service.done(
        "PATCH", f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}", clinic.owner, json={"name": name}
    )


async def _documents(service: Service, clinic: Clinic, **params: Any) -> Any:
    return await service.done("GET", f"/clinics/{clinic.slug}/documents", clinic.people["vet"], params=params)


async def test_card(service: Service, clinic: Clinic) -> None:
    """A card shows what was given, here and elsewhere, by whom, on the clinic's days, and not what was an error."""
    vet = UUID(clinic.ids["vet_member_id"])
    given = [
        ("Antirrábica", "here", vet, None, "2026-02-01T04:30:00+00:00", None),
        ("Séxtuple", "external", None, "Otra clínica de prueba", "2025-02-01T12:00:00+00:00", None),
        ("Equivocada", "here", vet, None, "2026-02-01T12:00:00+00:00", "Otra mascota"),
    ]
    async with superuser(service.settings) as admin:
        for vaccine, source, by, elsewhere, at, void in given:
            await admin.execute(
                "INSERT INTO immunizations (clinic_id, id, patient_id, vaccine, covers, due_days, manufacturer,"
                " lot_number, lot_expires_on, administered_at, next_due_on, source, vet_id, vet_name,"
                " registration_number, given_by, recorded_at, voided_at, void_reason) VALUES ($1, gen_random_uuid(),"
                " $2, $3, '{x}', '{2027-02-03}', 'Laboratorio de prueba', 'LT-9', '2027-05-06', $4, '2027-02-03', $5,"
                " $6, $7, $8, $9, now(), $10, $11)",
                UUID(clinic.id), UUID(clinic.ids["patient_id"]), vaccine, datetime.fromisoformat(at), source, by,
                by and "Ana", by and "TEST-0001", elsewhere, None if void is None else datetime.now(UTC), void,
            )  # fmt: skip
        await admin.execute(
            "INSERT INTO dewormings (clinic_id, id, patient_id, product, active_substances, target, due_days,"
            " administered_at, source, vet_id, vet_name, recorded_at)"
            " VALUES ($1, gen_random_uuid(), $2, 'Antiparasitario', '{}', 'both', '{null,null}', now(), 'here', $3,"
            " 'Ana', now())",
            UUID(clinic.id), UUID(clinic.ids["patient_id"]), vet,
        )  # fmt: skip
        await admin.execute(
            "INSERT INTO identifiers (clinic_id, id, patient_id, kind, value, value_key, since)"
            " VALUES ($1, gen_random_uuid(), $2, 'iso_chip', '900123456789012', '900123456789012', now())",
            UUID(clinic.id), UUID(clinic.ids["patient_id"]),
        )  # fmt: skip
    text = _text(await _print(service, clinic, CARD))
    for part in (
        clinic.slug, "Firulais", "Zoila Quimbiurco", "900123456789012", "Antirrábica", "31/01/2026", "LT-9",
        "cad. 06/05/2027", "03/02/2027", "Reg. TEST-0001", "Séxtuple", "Otra clínica de", "En otro lugar",
        "Antiparasitario", "Interna y externa",
    ):  # fmt: skip
        assert part in text
    assert "Equivocada" not in text
    assert "0991234567" not in text
    assert "+593" not in text


async def test_summary(service: Service, clinic: Clinic) -> None:
    """A signed visit is printed with its note and what was added later; what is not signed is not printed."""
    await service.plant(clinic, "encounter")
    refused = await _asked(service, clinic, SUMMARY)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_printable")
    await service.plant(clinic, "signed_encounter")
    first = await _print(service, clinic, SUMMARY)
    for part in ("Control", "Sano", "Registro profesional TEST-0001"):
        assert part in _text(first)
    base, vet = f"/clinics/{clinic.slug}/encounters/{clinic.ids['encounter_id']}", clinic.people["vet"]
    await service.done("POST", f"{base}/addenda", vet, json={"text": "Ya come bien."})
    second = await _print(service, clinic, SUMMARY)
    assert "Ya come bien." in _text(second)
    assert _number(second) == _number(first) + 1
    assert (await _state(service, _token(first)))["state"] == "valid"
    await service.done("POST", f"{base}/void", vet, json={"reason": "Otra mascota"})
    for printed in (first, second):
        assert (await _state(service, _token(printed)))["state"] == "withdrawn"
    refused = await _asked(service, clinic, SUMMARY)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_printable")


async def test_prescription(service: Service, clinic: Clinic) -> None:
    """A prescription is printed with its drugs, in its clinic alone, until it is marked as an error: then what was
    printed of it, or of the visit in which it was written, is withdrawn."""
    await service.plant(clinic, "encounter")
    base, ids, vet = f"/clinics/{clinic.slug}", clinic.ids, clinic.people["vet"]
    drug = {
        "drug": "Meloxicam",
        "strength": "1,5 mg/ml",
        "dose": 1.5,
        "unit": "ml",
        "route": "oral",
        "frequency_hours": 24,
        "duration_days": 5,
        "quantity": 1,
        "quantity_unit": "frasco",
        "instructions": "Con comida.",
    }
    body = {"items": [drug], "encounter_id": ids["encounter_id"]}
    made = await service.done("POST", f"{base}/patients/{ids['patient_id']}/prescriptions", vet, json=body)
    ids["prescription_id"] = made["id"]
    visit = f"{base}/encounters/{ids['encounter_id']}"
    await service.done("PATCH", visit, vet, json={"version": 1, "note": {"plan": "Reposo"}})
    await service.done("POST", f"{visit}/sign", vet, json={"version": 2})
    sheet, summary, card = [await _print(service, clinic, what) for what in (PRESCRIPTION, SUMMARY, CARD)]
    for printed in (sheet, summary):
        for part in (
            "Meloxicam 1,5 mg/ml", "1,5 ml, por vía oral, cada 24 horas, durante 5 días", "1 frasco", "Con comida.",
            "Registro profesional TEST-0001",
        ):  # fmt: skip
            assert part in _text(printed)
    other = await service.furnish(await service.open_clinic("vecina"))
    at = f"/clinics/{other.slug}/{PRESCRIPTION.format(**ids)}"
    assert (await service.ask("GET", at, other.people["vet"])).status_code == 404
    await service.done("POST", f"{base}/prescriptions/{made['id']}/void", vet, json={"reason": "Otra mascota"})
    states = [(await _state(service, _token(printed)))["state"] for printed in (sheet, summary, card)]
    assert states == ["withdrawn", "withdrawn", "valid"]
    refused = await _asked(service, clinic, PRESCRIPTION)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_printable")
    assert "Meloxicam" not in _text(await _print(service, clinic, SUMMARY))


@pytest.mark.parametrize("kind", ["immunization", "deworming"])
async def test_voided_treatment(kind: str, service: Service, clinic: Clinic) -> None:
    """A card that shows what was an error is withdrawn with it; the next one is another, and does not show it."""
    await service.plant(clinic, kind)
    first = await _print(service, clinic, CARD)
    at = f"/clinics/{clinic.slug}/{kind}s/{clinic.ids[f'{kind}_id']}/void"
    await service.done("POST", at, clinic.people["vet"], json={"reason": "Otra mascota"})
    assert (await _state(service, _token(first)))["state"] == "withdrawn"
    second = await _print(service, clinic, CARD)
    assert _number(second) == _number(first) + 1
    shown = {"immunization": "Rabia", "deworming": "Prazicuantel"}[kind]
    assert _text(second).count(shown) == _text(first).count(shown) - 1


async def test_same_document(service: Service, clinic: Clinic) -> None:
    """What shows the same is the same document, down to its bytes; what changed is the next one, and the one before
    stays valid."""
    first = await _print(service, clinic, CARD)
    assert await _print(service, clinic, CARD) == first
    await _rename(service, clinic, "Firuláis")
    second = await _print(service, clinic, CARD)
    assert _number(second) == _number(first) + 1
    assert _token(second) != _token(first)
    for printed in (first, second):
        state = await _state(service, _token(printed))
        assert state == {
            "number": _number(printed),
            "issued_on": state["issued_on"],
            "clinic": clinic.slug,
            "state": "valid",
        }
    found = await _documents(service, clinic, patient_id=clinic.ids["patient_id"])
    assert [each["number"] for each in found["items"]][:2] == [_number(second), _number(first)]
    assert {each["state"] for each in found["items"]} == {"valid"}
    assert found["items"][0]["issued_by"]["member_id"] == clinic.ids["vet_member_id"]


async def test_pages(service: Service, clinic: Clinic) -> None:
    """The list of documents goes on from page to page, and is of one patient where that is asked."""
    for name in ("Uno", "Dos", "Tres"):
        await _rename(service, clinic, name)
        await _print(service, clinic, CARD)
    first = await _documents(service, clinic, limit=2)
    rest = await _documents(service, clinic, limit=2, cursor=first["next_cursor"])
    numbers = [each["number"] for each in first["items"] + rest["items"]]
    assert numbers == [4, 3, 2, 1]
    assert rest["next_cursor"] is None
    assert (await _documents(service, clinic, patient_id=clinic.ids["client_id"]))["items"] == []


async def test_at_once(service: Service, clinic: Clinic) -> None:
    """Asked for by many at once, a sheet becomes one document; of many sheets each gets its number, without a gap."""
    await _rename(service, clinic, "Otro")
    printed = await asyncio.gather(*(_print(service, clinic, CARD) for _ in range(8)))
    assert len(set(printed)) == 1
    base, before = f"/clinics/{clinic.slug}", _number(printed[0])
    made = []
    for number in range(6):
        animal = {"client_id": clinic.ids["client_id"], "name": f"Cachorro {number}", "species": "dog"}
        made.append((await service.done("POST", f"{base}/patients", clinic.owner, json=animal))["id"])
    cards = [f"patients/{patient_id}/immunization-card.pdf" for patient_id in made]
    printed = await asyncio.gather(*(_print(service, clinic, card) for card in cards))
    assert sorted(map(_number, printed)) == list(range(before + 1, before + 7))


async def test_printed_while_voided(service: Service, clinic: Clinic) -> None:
    """What is printed in the very moment in which its subject becomes an error is withdrawn, or was never printed."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    for _ in range(6):
        await service.plant(clinic, "prescription")
        at = f"{base}/prescriptions/{clinic.ids['prescription_id']}/void"
        voided, *printed = await asyncio.gather(
            service.ask("POST", at, vet, json={"reason": "Otra mascota"}),
            *(_asked(service, clinic, PRESCRIPTION) for _ in range(3)),
        )
        assert voided.status_code == 200
        assert {answer.status_code for answer in printed} <= {200, 409}
        for answer in printed:
            if answer.status_code == 200:
                assert (await _state(service, _token(answer.content)))["state"] == "withdrawn"


async def test_withdraw(service: Service, clinic: Clinic) -> None:
    """A document is withdrawn once and for good, in the open but for the reason; printed again, it is another one."""
    first = await _print(service, clinic, CARD)
    [made] = (await _documents(service, clinic, limit=1))["items"]
    at, vet = f"/clinics/{clinic.slug}/documents/{made['id']}/withdraw", clinic.people["vet"]
    blank = await service.ask("POST", at, vet, json={"reason": " "})
    assert (blank.status_code, blank.json()["errors"][0]["pointer"]) == (422, "/reason")
    told = await service.done("POST", at, vet, json={"reason": "Se imprimió de otra mascota"})
    assert (told["state"], told["withdraw_reason"]) == ("withdrawn", "Se imprimió de otra mascota")
    assert told["withdrawn_by"]["member_id"] == clinic.ids["vet_member_id"]
    again = await service.ask("POST", at, vet, json={"reason": "Otra vez"})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
    assert (await _state(service, _token(first)))["state"] == "withdrawn"
    second = await _print(service, clinic, CARD)
    assert _number(second) == _number(first) + 1
    assert (await _state(service, _token(second)))["state"] == "valid"


async def test_withdraw_shown(service: Service, clinic: Clinic) -> None:
    """What shows something that was an error is withdrawn with it, or not at all; what is older than that stays."""
    first = await _print(service, clinic, CARD)
    async with superuser(service.settings) as admin, admin.transaction():
        await admin.execute("ALTER TABLE documents DISABLE TRIGGER keep_documents_change")
        await admin.execute("UPDATE documents SET issued_at = '2020-01-01' WHERE clinic_id = $1", UUID(clinic.id))
        await admin.execute("ALTER TABLE documents ENABLE ALWAYS TRIGGER keep_documents_change")
    await _rename(service, clinic, "Otro")
    second = await _print(service, clinic, CARD)
    shown, now = {"card": UUID(clinic.ids["patient_id"]), "visit_summary": None}, datetime.now(UTC)
    actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)

    async def withdrawn(*, fails: bool) -> None:
        async with service.application.works.begin(actor) as work:
            await withdraw_shown(work, shown, now, "Otra mascota", since=now)
            if fails:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await withdrawn(fails=True)
    assert (await _state(service, _token(second)))["state"] == "valid"
    await withdrawn(fails=False)
    assert (await _state(service, _token(second)))["state"] == "withdrawn"
    assert (await _state(service, _token(first)))["state"] == "valid"


async def test_new_key(service: Service, clinic: Clinic, settings: Settings, people: People) -> None:
    """Under a new key what was printed is still verified, and what is printed again becomes a new document."""
    first = await _print(service, clinic, CARD)
    async with running(settings.model_copy(update={"document_key": SecretStr("k" * 32)}), people) as later:
        second = await _print(later, clinic, CARD)
        assert _number(second) == _number(first) + 1
        assert _token(second) != _token(first)
        assert await _print(later, clinic, CARD) == second
        for printed in (first, second):
            assert (await _state(later, _token(printed)))["state"] == "valid"


async def test_settled(service: Service, clinic: Clinic) -> None:
    """By SQL, too, a document can only be withdrawn, once: nobody changes it, brings it back or lets it go."""
    await _print(service, clinic, CARD)
    clinic_id = UUID(clinic.id)
    async with superuser(service.settings) as admin:
        for statement in (
            "UPDATE documents SET number = 99 WHERE clinic_id = $1",
            "UPDATE documents SET issued_at = now() WHERE clinic_id = $1",
            "UPDATE documents SET token_hash = '' WHERE clinic_id = $1",
            "DELETE FROM documents WHERE clinic_id = $1",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await admin.execute(statement, clinic_id)
        with pytest.raises(asyncpg.RestrictViolationError):
            await admin.execute("TRUNCATE documents")
        await admin.execute(
            "UPDATE documents SET withdrawn_at = now(), withdraw_reason = 'error' WHERE clinic_id = $1", clinic_id
        )
        for statement in (
            "UPDATE documents SET withdrawn_at = NULL, withdraw_reason = NULL WHERE clinic_id = $1",
            "UPDATE documents SET withdraw_reason = 'otro' WHERE clinic_id = $1",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await admin.execute(statement, clinic_id)


@pytest.mark.parametrize("language", ["es", "en"])
async def test_page(language: str, service: Service, clinic: Clinic) -> None:
    """The page behind the code tells number, day, clinic and state, to anybody, in their language, and nothing else;
    it runs no script, loads nothing, sets no cookie and is in no search engine."""
    pdf = await _print(service, clinic, CARD)
    page = await service.client.get(f"{ORIGIN}/portal/documents/{_token(pdf)}", headers={"Accept-Language": language})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-language"] == language
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "set-cookie" not in page.headers
    assert re.search(r"<script|src=|href=|https?:", page.text) is None
    shown = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.text, flags=re.DOTALL)
    for part in (str(_number(pdf)), clinic.slug, {"es": "Documento válido", "en": "Valid document"}[language]):
        assert part in shown
    for secret in ("Firulais", "Zoila", "Quimbiurco", "vet", "perro", "dog", "carné", "card", clinic.id):
        assert secret.lower() not in shown.replace(clinic.slug, "").lower()
    [made] = (await _documents(service, clinic, limit=1))["items"]
    at = f"/clinics/{clinic.slug}/documents/{made['id']}/withdraw"
    await service.done("POST", at, clinic.people["vet"], json={"reason": "Motivo reservado"})
    page = await service.client.get(f"{ORIGIN}/portal/documents/{_token(pdf)}", headers={"Accept-Language": language})
    assert {"es": "Documento anulado", "en": "Withdrawn document"}[language] in page.text
    assert "reservado" not in page.text


async def test_day(service: Service, clinic: Clinic) -> None:
    """The day of issue is the one on the paper for ever, also where the clinic's time zone changes afterwards."""
    first = await _print(service, clinic, CARD)
    [on] = re.findall(r"emitido el (\d\d)/(\d\d)/(\d{4})", _text(first))
    async with superuser(service.settings) as admin:
        change = "UPDATE clinics SET time_zone = $2 WHERE id = $1"
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # a day and an hour apart
            await admin.execute(change, UUID(clinic.id), zone)
            assert (await _state(service, _token(first)))["issued_on"] == "-".join(reversed(on))
        await admin.execute(change, UUID(clinic.id), "America/Guayaquil")


async def test_forged(service: Service, clinic: Clinic) -> None:
    """A code that nobody printed, whatever it holds, is one and the same 404, as for any other address."""
    token = _token(await _print(service, clinic, CARD))
    nobodys = (
        await service.ask("GET", f"/clinics/{clinic.slug}/patients/{clinic.ids['client_id']}", clinic.owner)
    ).json()
    for forged in (token[:-1], token.swapcase(), "A" * 24, "%00", "é", "x" * 128, "<script>"):
        answer = await service.ask("GET", f"/portal/documents/{forged}")
        assert answer.status_code == 404
        assert answer.json() | {"request_id": None} == nobodys | {"request_id": None}
        page = await service.client.get(f"{ORIGIN}/portal/documents/{forged}")
        assert page.status_code == 404
        assert "Unknown document" in page.text
        assert "script>" not in page.text


async def test_limited(settings: Settings, people: People) -> None:
    """Who asks too often waits, at the page as at the API."""
    async with running(settings.model_copy(update={"guests_reading": "2/minute"}), people) as service:
        answers = [await service.ask("GET", f"/portal/documents/{number}") for number in "12"]
        answers.append(await service.client.get(f"{ORIGIN}/portal/documents/3"))
        answers.append(await service.ask("GET", "/portal/documents/4"))
    assert [answer.status_code for answer in answers] == [404, 404, 429, 429]
    for answer in answers[-2:]:
        assert int(answer.headers["retry-after"]) > 0
    assert answers[-2].headers["content-type"].startswith("text/html")
    assert "Too many requests" in answers[-2].text
