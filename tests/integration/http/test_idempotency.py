"""Idempotency-Key: a request sent again has its effect once, and is answered as the first time."""

import asyncio
from secrets import token_hex
from typing import Any

import httpx
import pytest
from tests.integration.http.service import Clinic, Headers, Service, superuser

PERSON = {"given_name": "Ana", "family_name": "Pérez"}


def once(key: str | None = None) -> Headers:
    """A header with this key, or a fresh one."""
    return {"Idempotency-Key": key or token_hex(8)}


async def _register(service: Service, clinic: Clinic, who: Headers, key: Headers, **changes: Any) -> httpx.Response:
    return await service.ask("POST", f"/clinics/{clinic.slug}/clients", who, headers=key, json={**PERSON, **changes})


async def _count(service: Service, clinic: Clinic) -> int:
    page = await service.done("GET", f"/clinics/{clinic.slug}/clients", clinic.owner, params={"limit": 200})
    return len(page["items"])


async def test_replay(service: Service, clinic: Clinic) -> None:
    """The same key and body replay the first answer, status and bytes, and change nothing."""
    key, before = once(), await _count(service, clinic)
    first = await _register(service, clinic, clinic.owner, key)
    again = await _register(service, clinic, clinic.owner, key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await _count(service, clinic) == before + 1


async def test_mismatch(service: Service, clinic: Clinic) -> None:
    """The same key with another body, or at another address, is 409 `idempotency_mismatch`."""
    key = once()
    assert (await _register(service, clinic, clinic.owner, key)).status_code == 201
    other = await _register(service, clinic, clinic.owner, key, given_name="Eva")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    room = {"kind": "room", "name": "Sala"}
    elsewhere = await service.ask("POST", f"/clinics/{clinic.slug}/resources", clinic.owner, headers=key, json=room)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "idempotency_mismatch")


async def test_at_once(service: Service, clinic: Clinic) -> None:
    """Ten requests with one key at the same moment have one effect and get one answer."""
    key, before = once(), await _count(service, clinic)
    answers = await asyncio.gather(*(_register(service, clinic, clinic.owner, key) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 9
    assert await _count(service, clinic) == before + 1


async def test_of_one_person_in_one_clinic(service: Service, clinic: Clinic) -> None:
    """A key belongs to one person in one clinic: a colleague's, or one's own elsewhere, is another."""
    key = once()
    ids = {(await _register(service, clinic, clinic.people[role], key)).json()["id"] for role in ("owner", "vet")}
    other = await service.open_clinic()
    email = (await service.done("GET", "/session", clinic.owner))["user"]["email"]
    offer = {"email": email, "roles": ["staff"]}
    invited = await service.done("POST", f"/clinics/{other.slug}/invitations", other.owner, json=offer)
    await service.done("POST", f"/invitations/{invited['token']}/accept", clinic.owner)
    ids.add((await _register(service, other, clinic.owner, key)).json()["id"])
    assert len(ids) == 3


async def test_failed_attempt(service: Service, clinic: Clinic) -> None:
    """An attempt that was refused, by a rule or by the database, leaves its key unused."""
    key, cedula = once(), {"document_type": "cedula", "document_number": "2300000003"}
    assert (await _register(service, clinic, clinic.owner, key, phone="12")).status_code == 422
    assert (await _register(service, clinic, clinic.owner, key, **cedula)).status_code == 201
    key = once()
    duplicate = await _register(service, clinic, clinic.owner, key, **cedula)
    assert (duplicate.status_code, duplicate.json()["code"]) == (409, "duplicate")
    assert (await _register(service, clinic, clinic.owner, key)).status_code == 201


async def test_booking(service: Service, clinic: Clinic) -> None:
    """A booking repeated over a bad connection is one visit, not `slot_taken`."""
    key, body = once(), clinic.visit()
    at = f"/clinics/{clinic.slug}/appointments"
    first, again = [await service.ask("POST", at, clinic.owner, headers=key, json=body) for _ in range(2)]
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    fresh = await service.ask("POST", at, clinic.owner, headers=once(), json=body)
    assert (fresh.status_code, fresh.json()["code"]) == (409, "slot_taken")


async def test_operator(service: Service) -> None:
    """A clinic opened twice under one key is one clinic with one invitation, whose token is told once."""
    operator, key = await service.operator(), once()
    body = {"slug": f"nueva-{token_hex(4)}", "name": "Nueva", "owner_email": "nueva@correo.test"}
    first, again = [await service.ask("POST", "/clinics", operator, headers=key, json=body) for _ in range(2)]
    assert first.status_code == again.status_code == 201
    told, told_again = first.json(), again.json()
    token = told["invitation"].pop("token")
    assert (len(token), told_again["invitation"].pop("token")) == (43, None)
    assert told == told_again


async def test_secret(service: Service, clinic: Clinic) -> None:
    """An invitation's token is not kept with the answer: the replay is the same invitation without it."""
    at, key, body = f"/clinics/{clinic.slug}/invitations", once(), {"email": "llave@correo.test", "roles": ["vet"]}
    first, again = [await service.ask("POST", at, clinic.owner, headers=key, json=body) for _ in range(2)]
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json() | {"token": None}
    token = first.json()["token"]
    async with superuser(service.settings) as admin:
        answers = [row["answer"] for row in await admin.fetch("SELECT answer FROM idempotency_keys")]
    assert any(first.json()["id"].encode() in answer for answer in answers)
    assert not any(token.encode() in answer for answer in answers)


@pytest.mark.parametrize("key", ["", "x" * 129, "two words", "\x7f"])
async def test_malformed_key(key: str, service: Service, clinic: Clinic) -> None:
    """A key that is not 1 to 128 visible ASCII characters is refused."""
    answer = await _register(service, clinic, clinic.owner, {"Idempotency-Key": key})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/Idempotency-Key"]
