"""Granting: only the one person whose address is verified becomes an operator."""

from secrets import token_hex

import pytest
from tests.integration.http.service import Service, bearer, superuser

from coravet.bootstrap import services
from coravet.core.kernel.errors import Invalid
from coravet.settings import Settings


async def _refusal(settings: Settings, email: str, reason: str = "guardia") -> dict[str, str]:
    async with services(settings) as commands:
        with pytest.raises(Invalid) as refused:
            await commands.grant_operator(email, reason)
    return {error.pointer: error.code for error in refused.value.errors}


async def _operators(settings: Settings, email: str) -> list[str]:
    async with superuser(settings) as admin:
        rows = await admin.fetch(
            "SELECT o.reason FROM operators o JOIN users u ON u.id = user_id WHERE email = $1", email
        )
    return [row["reason"] for row in rows]


async def test_unverified(service: Service) -> None:
    """Whoever signed up under somebody's address without verifying it is refused, until it is verified."""
    person = await service.people.create("impostor", verified=False)
    await service.done("GET", "/session", bearer(await service.people.sign_in(person)))
    assert await _refusal(service.settings, person.email) == {"/email": "not_verified"}
    assert await _operators(service.settings, person.email) == []


async def test_verified_once(service: Service) -> None:
    """What the last sign-in said counts: an address that is no longer verified is refused."""
    person = await service.people.create("vera", verified=False)
    token = await service.people.sign_in(person)
    assert (await service.ask("POST", "/session", json={"id_token": token})).status_code == 201
    async with superuser(service.settings) as admin:
        await admin.execute("UPDATE users SET email_verified = true WHERE email = $1", person.email)
    assert (await service.ask("POST", "/session", json={"id_token": token})).status_code == 201
    assert await _refusal(service.settings, person.email) == {"/email": "not_verified"}


async def test_ambiguous(service: Service) -> None:
    """An address under which several people signed in is nobody's for certain."""
    person = await service.people.create("doble")
    await service.done("GET", "/session", bearer(await service.people.sign_in(person)))
    async with superuser(service.settings) as admin:
        await admin.execute(
            "INSERT INTO users (id, firebase_uid, email, email_verified, display_name)"
            " VALUES (gen_random_uuid(), $1, $2, true, 'D')",
            token_hex(8),
            person.email,
        )
    assert await _refusal(service.settings, person.email) == {"/email": "ambiguous"}


async def test_reason(service: Service) -> None:
    """A grant needs a reason; all that is wrong is said at once, and granting again keeps the new reason."""
    assert await _refusal(service.settings, f"{token_hex(4)}@correo.test", " \t") == {
        "/reason": "required",
        "/email": "never_signed_in",
    }
    person = await service.people.create("guardia")
    await service.done("GET", "/session", bearer(await service.people.sign_in(person)))
    async with services(service.settings) as commands:
        await commands.grant_operator(person.email, "  on  call ")
        assert await _operators(service.settings, person.email) == ["on call"]
        await commands.grant_operator(person.email.upper(), "again")
    assert await _operators(service.settings, person.email) == ["again"]
