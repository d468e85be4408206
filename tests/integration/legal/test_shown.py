"""What guests and clients are shown, held against what was published, and kept in the clinic's chain of decisions."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Headers, Service, superuser
from tests.integration.parts.texts import Registry, shown

from coravet.core.legal.chain import broken

BROWSER = {"Accept-Language": "en", "User-Agent": "Prueba/1.0"}


@pytest.fixture(scope="module")
async def clinic(alone: Service) -> Clinic:
    """A clinic that guests find, in a database of which a second version of some texts was published."""
    found = await alone.equip(await alone.open_clinic("textos"))
    registry = Registry(alone.application.works)
    for slug in ("portal-terms", "consent-photos"):
        await registry.publish(slug, "0.2", "minor")
    await registry.publish("privacy", "0.1")
    await alone.done("POST", "/legal/acceptances", found.owner, json={**shown("privacy"), "decision": "accepted"})
    return found


async def _chain(alone: Service, clinic: Clinic) -> list[asyncpg.Record]:
    """The clinic's entries in their order, which hold together."""
    async with alone.system_begin("a test") as work:
        entries = [entry async for entry in work.chains.entries(UUID(clinic.id))]
    assert broken(entries, {}) is None
    async with superuser(alone.settings) as admin:
        return await admin.fetch(
            "SELECT a.*, e.address, e.browser FROM acceptances a LEFT JOIN acceptance_evidence e USING (clinic_id, id)"
            " WHERE a.clinic_id = $1 ORDER BY a.number",
            UUID(clinic.id),
        )


async def _book(alone: Service, clinic: Clinic, accepted: dict[str, str], headers: Headers | None = None) -> Any:
    at = f"/portal/clinics/{clinic.slug}/bookings"
    return await alone.ask("POST", at, json=clinic.guest(accepted=accepted), headers=headers or BROWSER)


def _pointers(answer: Any) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


async def test_guest_accepts(alone: Service, clinic: Clinic) -> None:
    """A booking tells which terms there are, takes those, and leaves one entry with address and browser; sent again
    under its key it leaves no other."""
    terms = (await alone.done("GET", f"/portal/clinics/{clinic.slug}/services", {}))["accept"]
    accepted = {name: terms[name] for name in ("slug", "version", "locale", "sha256")}
    assert accepted == shown("portal-terms", "0.2", "en")
    before = await _chain(alone, clinic)
    at, wanted = f"/portal/clinics/{clinic.slug}/bookings", clinic.guest(accepted=accepted)
    headers = {**BROWSER, "Idempotency-Key": "una-sola-vez", "X-Request-Id": "pedido-1"}
    answers = [await alone.ask("POST", at, json=wanted, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    [entry] = (await _chain(alone, clinic))[len(before) :]
    async with superuser(alone.settings) as admin:
        asked = await admin.fetchval("SELECT id FROM guest_requests WHERE clinic_id = $1", UUID(clinic.id))
    assert entry["guest_request_id"] == asked
    assert (entry["version"], entry["locale"], entry["decision"]) == ("0.2", "en", "accepted")
    assert (entry["capacity"], entry["request_id"], entry["browser"]) == ("oneself", "pedido-1", "Prueba/1.0")
    assert entry["address"] == "127.0.0.1"


async def test_guest_was_shown_something_else(alone: Service, clinic: Clinic) -> None:
    """Older terms, other words and texts that are none are refused, each in its own way, and nothing is kept."""
    before = await _chain(alone, clinic)
    old = await _book(alone, clinic, shown("portal-terms", "0.1"))
    assert (old.status_code, old.json()["code"]) == (409, "stale_version")
    current = {name: old.json()["document"][name] for name in ("slug", "version", "locale", "sha256")}
    assert current == shown("portal-terms", "0.2")
    other = await _book(alone, clinic, shown("portal-terms", "0.2") | {"sha256": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "hash_mismatch")
    for accepted, pointer, code in (
        (shown("privacy"), "/accepted/slug", "wrong_text"),
        (shown("portal-terms", "9.0"), "/accepted/version", "unknown_text"),
        (shown("portal-terms", "0.2") | {"locale": "fr"}, "/accepted/locale", "unknown_text"),
    ):
        answer = await _book(alone, clinic, accepted)
        assert (answer.status_code, _pointers(answer)) == (422, [(pointer, code)])
    assert await _chain(alone, clinic) == before
    async with superuser(alone.settings) as admin:
        names = await admin.fetch("SELECT 1 FROM guest_requests WHERE accepted_version <> '0.2'")
    assert names == []


async def test_unbookable_leaves_nothing(alone: Service, clinic: Clinic) -> None:
    """Where no visit comes of it, there is no acceptance either."""
    before = await _chain(alone, clinic)
    wanted = clinic.guest(accepted=shown("portal-terms", "0.2"))
    at = f"/portal/clinics/{clinic.slug}/bookings"
    assert (await alone.ask("POST", at, json=wanted)).status_code == 201
    assert (await alone.ask("POST", at, json=wanted)).json()["code"] == "slot_taken"
    assert len(await _chain(alone, clinic)) == len(before) + 1


@pytest.mark.parametrize(
    ("purpose", "text"),
    [
        ("marketing", shown("consent-marketing")),
        ("whatsapp", shown("consent-whatsapp", locale="en")),
        ("photos", shown("consent-photos", "0.2")),
        ("data_processing", shown("portal-terms", "0.2")),
        ("data_processing", shown("privacy")),
    ],
)
async def test_client_consents(alone: Service, clinic: Clinic, purpose: str, text: dict[str, str]) -> None:
    """A client agrees to the text for the purpose and takes it back without naming one: two entries of that text, for
    the client, written down by the member, and nothing of the clinic's own computer."""
    at = f"/clinics/{clinic.slug}/clients/{clinic.ids['client_id']}/consents"
    before = await _chain(alone, clinic)
    await alone.done("POST", at, clinic.owner, json={"purpose": purpose, "decision": "accepted", "text": text})
    await alone.done("POST", at, clinic.owner, json={"purpose": purpose, "decision": "withdrawn"})
    entries = (await _chain(alone, clinic))[len(before) :]
    assert [entry["decision"] for entry in entries] == ["accepted", "withdrawn"]
    for entry in entries:
        assert {name: entry[name] for name in text} == text
        assert str(entry["client_id"]) == clinic.ids["client_id"]
        assert str(entry["recorded_by"]) == clinic.ids["owner_member_id"]
        assert (entry["capacity"], entry["address"], entry["browser"]) == ("oneself", None, None)
        assert entry["request_id"]


async def test_client_was_shown_something_else(alone: Service, clinic: Clinic) -> None:
    """Agreeing needs the words of now of a text for that purpose; declining and taking back any that were published."""
    at = f"/clinics/{clinic.slug}/clients/{clinic.ids['client_id']}/consents"
    before = await _chain(alone, clinic)

    async def say(decision: str, text: dict[str, str] | None, purpose: str = "photos") -> Any:
        body = {"purpose": purpose, "decision": decision, "text": text}
        return await alone.ask("POST", at, clinic.owner, json=body)

    old = await say("accepted", shown("consent-photos"))
    assert (old.status_code, old.json()["code"], old.json()["document"]["version"]) == (409, "stale_version", "0.2")
    for decision in ("accepted", "declined", "withdrawn"):
        wrong = await say(decision, shown("consent-photos", "0.2") | {"sha256": "0" * 64})
        assert (wrong.status_code, wrong.json()["code"]) == (409, "hash_mismatch")
        assert _pointers(await say(decision, shown("consent-marketing"))) == [("/text/slug", "wrong_text")]
        assert _pointers(await say(decision, shown("consent-photos", "7.7"))) == [("/text/version", "unknown_text")]
    assert _pointers(await say("accepted", shown("terms"), "data_processing")) == [("/text/slug", "wrong_text")]
    assert await _chain(alone, clinic) == before
    for decision in ("declined", "withdrawn"):
        assert (await say(decision, shown("consent-photos"))).status_code == 201
    assert [entry["version"] for entry in (await _chain(alone, clinic))[len(before) :]] == ["0.1", "0.1"]


async def test_treatment_is_the_clinics_own(alone: Service, clinic: Clinic) -> None:
    """Consent to treatment is to the clinic's own paper: stored as it was told, in no chain. Nor is what was refused or
    taken back where nothing was shown and nothing agreed to."""
    at = f"/clinics/{clinic.slug}/clients"
    person = {"given_name": "Nadie", "family_name": "Preguntó"}
    fresh = (await alone.done("POST", at, clinic.owner, json=person))["id"]
    before = await _chain(alone, clinic)
    paper = {"slug": "cirugia", "version": "2024", "locale": "es", "sha256": "a" * 64}
    body = {"purpose": "treatment", "decision": "accepted", "text": paper}
    made = await alone.done("POST", f"{at}/{fresh}/consents", clinic.owner, json=body)
    assert made["text"] == paper
    for decision in ("declined", "withdrawn"):
        body = {"purpose": "marketing", "decision": decision}
        await alone.done("POST", f"{at}/{fresh}/consents", clinic.owner, json=body)
    assert await _chain(alone, clinic) == before


async def test_agreed_before_there_were_texts(alone: Service, clinic: Clinic) -> None:
    """What was agreed to when texts were stored as they were told is taken back as easily, and names no text."""
    at = f"/clinics/{clinic.slug}/clients"
    person = {"given_name": "Antigua", "family_name": "Clienta"}
    old = (await alone.done("POST", at, clinic.owner, json=person))["id"]
    async with superuser(alone.settings) as admin:
        await admin.execute(
            "INSERT INTO consents (clinic_id, id, client_id, purpose, decision, text_slug, text_version, text_locale,"
            " text_sha256, source, decided_at) VALUES ($1, gen_random_uuid(), $2, 'marketing', 'accepted', 'privacy',"
            " '1', 'es-EC', repeat('0', 64), 'in_person', now() - interval '1 day')",
            UUID(clinic.id),
            UUID(old),
        )
    before = await _chain(alone, clinic)
    body = {"purpose": "marketing", "decision": "withdrawn"}
    await alone.done("POST", f"{at}/{old}/consents", clinic.owner, json=body)
    assert await _chain(alone, clinic) == before
    held = await alone.done("GET", f"{at}/{old}/consents", clinic.owner, params={"current": "true"})
    assert [each["decision"] for each in held["items"]] == ["withdrawn"]


async def test_through_a_representative(alone: Service, clinic: Clinic) -> None:
    """Who represents a person under 15 decides as such: for a client as for a guest, the chain says so."""
    before = await _chain(alone, clinic)
    terms = (await alone.done("GET", f"/portal/clinics/{clinic.slug}/services", {}))["accept"]
    accepted = {name: terms[name] for name in ("slug", "version", "locale", "sha256")}
    wanted = {**clinic.guest(accepted=accepted), "capacity": "representative"}
    answer = await alone.ask("POST", f"/portal/clinics/{clinic.slug}/bookings", json=wanted, headers=BROWSER)
    assert answer.status_code == 201, answer.text
    consent = {"purpose": "marketing", "decision": "accepted", "text": shown("consent-marketing")}
    at = f"/clinics/{clinic.slug}/clients/{clinic.ids['client_id']}/consents"
    await alone.done("POST", at, clinic.owner, json={**consent, "capacity": "representative"})
    assert [entry["capacity"] for entry in (await _chain(alone, clinic))[len(before) :]] == ["representative"] * 2
