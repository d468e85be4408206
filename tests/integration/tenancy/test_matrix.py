"""No clinic can be seen, referred to or even noticed from another: every route, generated, byte for byte."""

from io import BytesIO
from secrets import token_hex
from typing import Any
from uuid import UUID

import httpx
import pytest
from pypdf import PdfReader
from tests.integration.http.samples import SAMPLES, Key, address
from tests.integration.http.service import Clinic, Headers, Service, superuser
from uuid_utils.compat import uuid7

BY_TOKEN = {("GET", "/api/v1/clinics/{clinic}/calendars/{calendar}"): "calendars/test_feed.py asks with others' tokens"}
"""What a token opens, whoever shows it, and where that is held apart."""

OF_A_CLINIC = [key for key in SAMPLES if "{clinic}" in key[1] and key not in BY_TOKEN]
IDS = {name for key in OF_A_CLINIC for name in SAMPLES[key].names(key[1]) if name.endswith("_id")}
"""All that a request names a clinic's row by."""

REFERENCES = [(key, name) for key in OF_A_CLINIC for name in sorted(SAMPLES[key].names(key[1]) & IDS)]

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


@pytest.fixture(scope="module")
async def theirs(service: Service) -> Clinic:
    """The clinic that nobody else may notice."""
    return await service.full_clinic("ajena")


@pytest.fixture(scope="module")
async def ours(service: Service) -> Clinic:
    """The clinic from which others are looked for."""
    return await service.full_clinic("nuestra")


@pytest.fixture(scope="module")
async def outsiders(service: Service, ours: Clinic) -> dict[str, Headers]:
    """People without a place in the other clinic."""
    return {
        "owner elsewhere": ours.owner,
        "staff elsewhere": ours.people["staff"],
        "stranger": await service.stranger(),
        "operator": await service.operator(),
    }


@pytest.fixture(scope="module", autouse=True)
async def before(service: Service, theirs: Clinic, ours: Clinic) -> dict[str, Any]:
    """The other clinic's rows before anybody looked for them."""
    return await _rows(service, theirs)


async def _rows(service: Service, clinic: Clinic) -> dict[str, Any]:
    """A fingerprint of the clinic's rows in each table."""
    async with superuser(service.settings) as admin:
        tables = await admin.fetch(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'clinic_id' ORDER BY table_name"
        )
        return {
            table: await admin.fetchval(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t WHERE clinic_id = $1",  # noqa: S608 -- the catalogue's own names
                UUID(clinic.id),
            )
            for (table,) in tables
        }


async def _answer(
    service: Service, key: Key, ids: dict[str, Any], who: Headers, *, headers: Headers | None = None, **content: Any
) -> Answer:
    """All that a client can see of the answer; the request's id is the same for each, so nothing need be left out."""
    method, path = key
    sample = SAMPLES[key]
    if not content:
        content = sample.sent(ids)
    seen: httpx.Response = await service.client.request(
        method, address(path, ids), headers={**who, "X-Request-Id": "matrix", **(headers or {})}, **content
    )
    return seen.status_code, seen.headers.raw, seen.content


@pytest.mark.parametrize("key", [key for key in OF_A_CLINIC if "/portal/" not in key[1]], ids=" ".join)
async def test_clinic_of_others(key: Key, service: Service, theirs: Clinic, outsiders: dict[str, Headers]) -> None:
    """Another clinic's addresses, asked with its own ids, answer as those of a clinic that does not exist."""
    real = {**theirs.ids, "slot": theirs.slot(), "new_email": "nueva@correo.test"}
    unreal = {**real, "clinic": f"ajena-{token_hex(4)}"}
    ways: dict[str, dict[str, Any]] = {
        "good": {},
        "malformed": {"content": b"{", "params": {"limit": "x", "date": "x", "cursor": "x"}},
        "wrong type": {"content": b"x", "headers": {"Content-Type": "text/plain"}},
        "wrong key": {"headers": {"Idempotency-Key": "two words"}} if key[0] == "POST" else {},
    }
    for name, who in outsiders.items():
        for way, extra in ways.items():
            found = await _answer(service, key, real, who, **extra)
            assert found[0] == 404, f"{name}, {way}"
            assert found == await _answer(service, key, unreal, who, **extra), f"{name}, {way}"
    with service.legal_pending():
        found = await _answer(service, key, real, outsiders["stranger"])
        assert found[0] == 404
        assert found == await _answer(service, key, unreal, outsiders["stranger"])


@pytest.mark.parametrize(("key", "name"), REFERENCES, ids=[f"{' '.join(key)} {name}" for key, name in REFERENCES])
async def test_rows_of_others(key: Key, name: str, service: Service, theirs: Clinic, ours: Clinic) -> None:
    """Within one's own clinic another's id answers, in the address, the query or the body, as one that nobody has."""
    own = {**ours.ids, "slot": ours.slot(), "new_email": "nueva@correo.test"}
    who = ours.people[SAMPLES[key].who]
    foreign = await _answer(service, key, {**own, name: theirs.ids[name]}, who)
    unknown = await _answer(service, key, {**own, name: str(uuid7())}, who)
    assert foreign == unknown
    assert foreign[0] == 404 or (key[0] == "GET" and f"{{{name}}}" in SAMPLES[key].query.values())


@pytest.mark.parametrize("key", [key for key in OF_A_CLINIC if key[0] == "GET"], ids=" ".join)
async def test_own_reads(key: Key, service: Service, theirs: Clinic, ours: Clinic) -> None:
    """What one reads in one's own clinic holds no id of another's, though both hold the same names and numbers."""
    sample = SAMPLES[key]
    if sample.anew:
        await service.plant(ours, sample.anew)
    status, _, body = await _answer(service, key, ours.ids, ours.people[sample.who])
    assert status == 200
    printed = body.startswith(b"%PDF")
    pages = PdfReader(BytesIO(body)).pages if printed else []
    told = "".join(page.extract_text() for page in pages) or body.decode(errors="replace")  # an archive is no text
    nobodys = {"day", "last_day", "picture", "variant"}
    assert not [name for name, value in theirs.ids.items() if name not in nobodys and value in told]


async def test_natural_keys(service: Service, theirs: Clinic, ours: Clinic) -> None:
    """A document, a phone, a mail address or an Idempotency-Key that another clinic holds is as free as any."""
    person = {
        "given_name": "Zoila",
        "family_name": "Quimbiurco",
        "document_type": "cedula",
        "document_number": "2300000003",
        "phone": "0991234567",
    }
    once = {"Idempotency-Key": token_hex(8)}
    made = [
        await service.ask("POST", f"/clinics/{each.slug}/clients", each.owner, json=person, headers=once)
        for each in (theirs, ours)
    ]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["id"] != made[1].json()["id"]
    offer = {"email": "misma@correo.test", "roles": ["vet"]}
    for each in (theirs, ours):
        await service.done("POST", f"/clinics/{each.slug}/invitations", each.owner, json=offer)


async def test_cursor_of_others(service: Service, theirs: Clinic, ours: Clinic) -> None:
    """A cursor from another clinic's list continues one's own list and shows nothing of theirs."""
    base = "/clinics/{}/resources"
    cursor = (await service.done("GET", base.format(theirs.slug), theirs.owner, params={"limit": 1}))["next_cursor"]
    page = await service.done("GET", base.format(ours.slug), ours.owner, params={"cursor": cursor})
    assert {item["id"] for item in page["items"]} <= {ours.ids["resource_id"], ours.ids["room_id"]}


async def test_nothing_touched(service: Service, theirs: Clinic, before: dict[str, Any]) -> None:
    """After all of this every row of the other clinic is as it was, but what its own people did above.

    They registered a client, whose words are kept for searching.
    """
    changed = {table for table, rows in (await _rows(service, theirs)).items() if rows != before[table]}
    assert changed <= {"clients", "idempotency_keys", "invitations", "outbox", "search_words"}
