"""A person who signs in is forgotten everywhere at once, but as who signed; nobody else is."""

import asyncio
import json
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from tests.integration.http.service import Clinic, Headers, Service, bearer, superuser
from tests.integration.leaving.test_departures import Interrupted, apart
from tests.integration.parts.people import Person

from coravet.adapters.apart.folder import FolderApart
from coravet.adapters.postgres.privacy.accounts import SIGNED
from coravet.adapters.postgres.tables import metadata
from coravet.bootstrap import handlers
from coravet.core.kernel.actor import NO_CLINIC, Actor
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import Invalid, Unavailable
from coravet.core.privacy.accounts import DeleteAccount, forget_account
from coravet.core.privacy.departures import replay_departures

__all__ = ["apart"]

CLOCK = SystemClock()
SYSTEM = Actor(clinic_id=NO_CLINIC, time_zone="UTC", user_id=None)


class Vet:
    """A vet with a name of their own, who signed something, is booked, is invited elsewhere and runs the service."""

    def __init__(self, service: Service, clinic: Clinic, person: Person, headers: Headers) -> None:
        self.service, self.clinic, self.person, self.headers = service, clinic, person, headers
        self.begin = service.system_begin
        self.number = f"Mat-{token_hex(4)}"
        self.user_id = ""

    @property
    def words(self) -> list[str]:
        return [self.person.email.partition("-")[0], self.person.uid, self.number]

    async def forget(self, apart: FolderApart) -> Any:
        return json.loads(await forget_account(self.person.email, "lo pidió", self.begin, CLOCK, apart))

    async def delete(self, erasure_id: str) -> None:
        """What the worker does."""
        application = self.service.application
        does = handlers(application.works, self.service.settings, CLOCK, application.studio)[DeleteAccount]
        await does(DeleteAccount(NO_CLINIC, UUID(erasure_id)), SYSTEM)


async def joined(service: Service, clinic: Clinic, name: str, *roles: str) -> tuple[Person, Headers, str]:
    """A new member of the clinic."""
    person = await service.people.create(name)
    headers = bearer(await service.people.sign_in(person))
    offer = {"email": person.email, "roles": list(roles)}
    invited = await service.done("POST", f"/clinics/{clinic.slug}/invitations", clinic.owner, json=offer)
    member = await service.done("POST", f"/invitations/{invited['token']}/accept", headers)
    return person, headers, member["id"]


@pytest.fixture
async def vet(service: Service, clinic: Clinic) -> Vet:
    """The vet."""
    at = f"/clinics/{clinic.slug}"
    person, headers, member = await joined(service, clinic, f"zenobia{token_hex(4)}", "vet")
    found = Vet(service, clinic, person, headers)
    number = {"registration_number": found.number}
    await service.done("PATCH", f"{at}/members/{member}", clinic.owner, json=number)
    visit = {"patient_id": clinic.ids["patient_id"], "reason": "Control"}
    encounter = await service.done("POST", f"{at}/encounters", headers, json=visit)
    note = {"version": 1, "note": {"assessment": "Sano"}}
    await service.done("PATCH", f"{at}/encounters/{encounter['id']}", headers, json=note)
    await service.done("POST", f"{at}/encounters/{encounter['id']}/sign", headers, json={"version": 2})
    booked = {"kind": "vet", "name": f"Dra. {found.words[0].title()}", "member_id": member}
    await service.done("POST", f"{at}/resources", clinic.owner, json=booked, headers={"Idempotency-Key": token_hex(12)})
    other = await service.open_clinic("elsewhere")
    offer = {"email": person.email, "roles": ["vet"]}
    await service.done("POST", f"/clinics/{other.slug}/invitations", other.owner, json=offer)
    found.user_id = (await service.done("GET", "/session", headers))["user"]["id"]
    async with superuser(service.settings) as admin:
        await admin.execute("INSERT INTO operators (user_id, reason) VALUES ($1, 'de turno')", UUID(found.user_id))
    return found


async def _naming(admin: asyncpg.Connection, words: list[str]) -> dict[str, int]:
    """How many rows of which table hold one of these words, jobs and kept answers included."""
    pattern = f"({'|'.join(words)})"
    queries = {name: f"SELECT count(*) FROM {name} t WHERE to_jsonb(t)::text ~* $1" for name in metadata.tables}  # noqa: S608 -- the metadata's own names
    queries["jobs"] = "SELECT count(*) FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8') ~* $1"
    queries["answers"] = "SELECT count(*) FROM idempotency_keys WHERE encode(answer, 'escape') ~* $1"
    found = {name: await admin.fetchval(query, pattern) for name, query in queries.items()}
    return {name: count for name, count in found.items() if count}


async def test_forgotten(vet: Vet, service: Service, apart: FolderApart) -> None:
    """No table, job nor kept answer names the person any more, but what they signed; the certificate says so."""
    async with superuser(service.settings) as admin:
        before = await _naming(admin, vet.words)
        assert {"users", "members", "invitations", "resources", "encounters"} <= set(before)
        told = await vet.forget(apart)
        certificate = told["certificate"]
        # Until the account is deleted at the identity provider, one row knows it there.
        assert await _naming(admin, vet.words) == {"account_erasures": 1, "encounters": before["encounters"]}
        await vet.delete(certificate["erasure_id"])
        assert await _naming(admin, vet.words) == {"encounters": before["encounters"]}
        signer = await admin.fetchrow(
            "SELECT signer_name, registration_number FROM encounters WHERE registration_number = $1", vet.number
        )
        assert tuple(signer) == (vet.words[0], vet.number)
        changed = await admin.fetch(
            "SELECT kind FROM outbox WHERE kind IN ('member.deactivated', 'resource.changed') AND clinic_id = $1"
            " ORDER BY id DESC LIMIT 2",
            UUID(vet.clinic.id),
        )
        assert {row["kind"] for row in changed} == {"member.deactivated", "resource.changed"}
        left = await admin.fetchrow(
            "SELECT name, active FROM resources WHERE clinic_id = $1 AND name = '[eliminado]'", UUID(vet.clinic.id)
        )
        assert tuple(left) == ("[eliminado]", False)
    [held] = certificate["held_back"]
    assert held["rows"] == {"encounters": 1}
    assert "art. 18" in held["basis"]
    counted = {"users": 1, "members": 1, "resources": 1, "operators": 1, "invitations": 2}
    assert {name: certificate["rows"][name] for name in counted} == counted
    kept = json.dumps(told) + b"".join(await apart.entries("departures")).decode()
    assert not [word for word in vet.words if word.lower() in kept.lower()]


async def test_signs_in_no_more(vet: Vet, service: Service, apart: FolderApart) -> None:
    """The account is gone at the identity provider; before, its tokens open nothing; the same mail is somebody new."""
    token = vet.headers
    told = await vet.forget(apart)
    asked = await service.ask("GET", "/session", token)
    assert (asked.status_code, asked.json()["code"]) == (401, "session_revoked")
    exchanged = await service.ask("POST", "/session", json={"id_token": token["Authorization"].removeprefix("Bearer ")})
    assert (exchanged.status_code, exchanged.json()["code"]) == (401, "session_revoked")
    for _ in range(2):  # done at least once, and as well twice
        await vet.delete(told["certificate"]["erasure_id"])
    with pytest.raises(httpx.HTTPStatusError):
        await service.people.sign_in(vet.person)
    again = await service.people.create("otra", email=vet.person.email)
    view = await service.done("GET", "/session", bearer(await service.people.sign_in(again)))
    assert view["user"]["id"] != vet.user_id
    assert view["memberships"] == []
    with pytest.raises(Invalid) as refused:
        await forget_account(vet.user_id, "otra vez", vet.begin, CLOCK, apart)
    assert [each.code for each in refused.value.errors] == ["unknown"]


async def test_signing_in_meanwhile(vet: Vet, service: Service, tmp_path: Path) -> None:
    """Who signs in while they are erased is not brought back by that."""
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(FolderApart):
        async def append(self, book: Any, entry: bytes) -> None:
            reached.set()
            await go_on.wait()
            await super().append(book, entry)

    forgetting = asyncio.create_task(vet.forget(Slow(tmp_path / "slow", make=True)))
    await reached.wait()
    token = {"id_token": vet.headers["Authorization"].removeprefix("Bearer ")}
    signing = asyncio.create_task(service.ask("POST", "/session", json=token))
    await asyncio.sleep(0.5)
    go_on.set()
    await forgetting
    assert (await signing).status_code == 401
    async with superuser(service.settings) as admin:
        named = "SELECT count(*) FROM users WHERE email = $1 OR firebase_uid = $2"
        assert await admin.fetchval(named, vet.person.email, vet.person.uid) == 0


async def test_somebody_must_own(service: Service, apart: FolderApart) -> None:
    """A clinic's only owner stays until somebody else owns it, or it leaves; nothing of them is touched till then."""
    clinic = await service.open_clinic("owned")
    owner = await service.done("GET", "/session", clinic.owner)
    with pytest.raises(Invalid) as refused:
        await forget_account(owner["user"]["email"], "lo pidió", service.system_begin, CLOCK, apart)
    [error] = refused.value.errors
    assert (error.code, clinic.slug in error.detail) == ("last_owner", True)
    assert await apart.entries("departures") == []
    assert await service.done("GET", "/session", clinic.owner) == owner
    await joined(service, clinic, "segunda", "owner")
    told = json.loads(
        await forget_account(owner["user"]["email"].upper(), "lo pidió", service.system_begin, CLOCK, apart)
    )
    assert told["certificate"]["user_id"] == owner["user"]["id"]
    assert told["certificate"]["held_back"] == []


async def test_who_is_meant(vet: Vet, service: Service, apart: FolderApart) -> None:
    """An address under which several signed in names nobody; the account's id does."""
    async with superuser(service.settings) as admin:
        await admin.execute(
            "INSERT INTO users (id, firebase_uid, email, display_name)"
            " VALUES (gen_random_uuid(), gen_random_uuid()::text, $1, 'otra')",
            vet.person.email,
        )
    for who, code in ((vet.person.email, "ambiguous"), ("nadie@correo.test", "unknown"), (" ", "required")):
        with pytest.raises(Invalid) as refused:
            await forget_account(who, "lo pidió", vet.begin, CLOCK, apart)
        assert [each.code for each in refused.value.errors] == [code]
    told = json.loads(await forget_account(vet.user_id, "lo pidió", vet.begin, CLOCK, apart))
    assert told["certificate"]["user_id"] == vet.user_id


async def test_register_first(vet: Vet, service: Service, tmp_path: Path, apart: FolderApart) -> None:
    """Where the register cannot be written nobody is erased; whom a backup brings back is erased again."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    with pytest.raises(Unavailable):
        await vet.forget(FolderApart(blocked, make=True))
    assert (await service.ask("GET", "/session", vet.headers)).status_code == 200

    class Cut(FolderApart):
        async def append(self, book: Any, entry: bytes) -> None:
            await super().append(book, entry)
            raise Interrupted

    with pytest.raises(Interrupted):
        await vet.forget(Cut(tmp_path / "apart", make=True))
    assert (await service.ask("GET", "/session", vet.headers)).status_code == 200
    [entry] = await apart.entries("departures")
    assert msgspec.json.decode(entry)["user_id"] == vet.user_id
    assert (await replay_departures(vet.begin, CLOCK, apart)).accounts == 1
    assert (await replay_departures(vet.begin, CLOCK, apart)).accounts == 0
    async with superuser(service.settings) as admin:
        assert set(await _naming(admin, vet.words)) <= {"account_erasures", *SIGNED}
