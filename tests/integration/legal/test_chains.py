"""Chains of decisions on real PostgreSQL: whole under contention, and found out where they were tampered with."""

import asyncio
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from tests.integration.http.service import Headers, Service, bearer, superuser
from tests.integration.parts.texts import Registry, shown

from coravet.adapters.apart.folder import FolderApart
from coravet.adapters.postgres.legal.tables import acceptances
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.legal.accept import NIL_CLINIC
from coravet.core.legal.chain import commitment_of, hash_of
from coravet.core.legal.heads import BOOK, Verified, keep_heads, verify
from coravet.core.legal.model import Entry, Secret

DECISION = {**shown("consent-photos"), "decision": "accepted"}


@pytest.fixture(scope="module", autouse=True)
async def _published(alone: Service) -> None:
    await Registry(alone.application.works).publish("consent-photos")


@pytest.fixture
def apart(tmp_path: Path) -> FolderApart:
    return FolderApart(tmp_path, make=True)


async def verified(service: Service, apart: FolderApart) -> Verified:
    return await verify(apart, service.application.works.system_begin)


async def kept(service: Service, apart: FolderApart) -> int:
    return await keep_heads(apart, service.application.works.system_begin, SystemClock())


async def somebody(service: Service) -> Headers:
    return bearer(await service.people.sign_in(await service.people.create()))


async def rows(service: Service) -> list[Entry]:
    async with superuser(service.settings) as admin:
        found = await admin.fetch("SELECT * FROM acceptances WHERE clinic_id = $1 ORDER BY number", NIL_CLINIC)
    return [Entry(**dict(row)) for row in found]


async def test_many_at_once(alone: Service, apart: FolderApart) -> None:
    """Twenty people deciding at the same time make one chain without a gap, and each has a receipt that agrees."""
    people = [await somebody(alone) for _ in range(20)]
    answers = await asyncio.gather(
        *(alone.done("POST", "/legal/acceptances", person, json=DECISION) for person in people)
    )
    entries = await rows(alone)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    told = {(answer["number"], answer["hash"]) for answer in answers}
    assert told <= {(entry.number, entry.hash.hex()) for entry in entries}
    assert len(told) == 20
    found = await verified(alone, apart)
    assert (found.problems, found.entries >= 20) == ([], True)


async def test_receipt(alone: Service) -> None:
    """A receipt proves itself: its hash follows from what it says, and its commitment from address, browser and key."""
    person = await somebody(alone)
    sent = {**DECISION, "screen": "/legal", "build": "2026.11.1"}
    headers = {**person, "User-Agent": "Firefox", "X-Request-Id": "abc-1"}
    receipt = await alone.done("POST", "/legal/acceptances", headers, json=sent)
    assert (receipt["screen"], receipt["build"], receipt["request_id"]) == ("/legal", "2026.11.1", "abc-1")
    assert (receipt["capacity"], receipt["clinic"], receipt["browser"]) == ("oneself", None, "Firefox")
    [entry] = [each for each in await rows(alone) if str(each.id) == receipt["id"]]
    assert hash_of(entry).hex() == receipt["hash"]
    secret = Secret(receipt["address"], receipt["browser"], bytes.fromhex(receipt["key"]))
    assert commitment_of(secret).hex() == receipt["commitment"]
    assert await alone.done("GET", f"/legal/acceptances/{receipt['id']}", person) == receipt
    listed = await alone.done("GET", "/legal/acceptances", person)
    assert listed == {"items": [receipt], "next_cursor": None}


async def tampered(service: Service, *statements: str) -> None:
    """Change what was decided as a superuser who goes out of its way, and put the guards back."""
    async with superuser(service.settings) as admin, admin.transaction():
        for state in ("DISABLE TRIGGER USER", *statements):
            await admin.execute(f"ALTER TABLE acceptances {state}" if "TRIGGER" in state else state)
        for name in ("row", "all"):
            await admin.execute(f"ALTER TABLE acceptances ENABLE ALWAYS TRIGGER keep_acceptances_{name}")


async def test_heads(alone: Service, apart: FolderApart) -> None:
    """Heads are kept apart as chains grow, once each; a chain that was cut off or written anew does not agree."""
    for _ in range(2):
        person = await somebody(alone)
        await alone.done("POST", "/legal/acceptances", person, json=DECISION)
    assert await kept(alone, apart) >= 1
    assert await kept(alone, apart) == 0
    assert (await verified(alone, apart)).problems == []
    *_, last = await rows(alone)
    nil = f"clinic_id = '{NIL_CLINIC}' AND number = {last.number}"
    anew = msgspec.structs.replace(last, decision="declined")
    await tampered(alone, f"UPDATE acceptances SET decision = 'declined' WHERE {nil}")  # noqa: S608 -- ours
    [problem] = (await verified(alone, apart)).problems
    assert "its hash does not agree" in problem
    await tampered(alone, f"UPDATE acceptances SET hash = '\\x{hash_of(anew).hex()}' WHERE {nil}")  # noqa: S608 -- ours
    [problem] = (await verified(alone, apart)).problems
    assert "written anew" in problem
    await tampered(
        alone,
        f"DELETE FROM acceptance_evidence WHERE id = '{last.id}'",  # noqa: S608 -- ours
        f"DELETE FROM acceptances WHERE {nil}",  # noqa: S608 -- ours
    )
    [problem] = (await verified(alone, apart)).problems
    assert "cut off" in problem
    line = {"clinic_id": str(uuid4()), "number": 1, "hash": "00", "at": "2026-11-23T14:00:00+00:00"}
    await apart.append(BOOK, msgspec.json.encode(line))
    assert len((await verified(alone, apart)).problems) == 2, "a chain that is gone altogether"


async def test_damaged_book(alone: Service, apart: FolderApart, tmp_path: Path) -> None:
    """A line of the book that cannot be read is named, and the others count all the same."""
    await kept(alone, apart)
    await apart.append(BOOK, b'{"clinic_id": 1}')
    problems = (await verified(alone, apart)).problems
    assert any("is damaged" in problem for problem in problems)


def test_entries() -> None:
    """Entries are what the table has, column by column."""
    assert [column.name for column in acceptances.columns] == list(Entry.__struct_fields__)


async def test_restored(alone: Service, apart: FolderApart) -> None:
    """After a backup was restored chains go on from where it ends; what follows is held to heads as before."""
    await alone.done("POST", "/legal/acceptances", await somebody(alone), json=DECISION)
    await kept(alone, apart)
    await alone.done("POST", "/legal/acceptances", await somebody(alone), json=DECISION)
    await kept(alone, apart)
    *_, last = await rows(alone)
    await tampered(
        alone,
        f"DELETE FROM acceptance_evidence WHERE id = '{last.id}'",  # noqa: S608 -- ours
        f"DELETE FROM acceptances WHERE id = '{last.id}'",  # noqa: S608 -- ours
    )
    assert "cut off" in (await verified(alone, apart)).problems[-1]
    begin = alone.application.works.system_begin
    assert await keep_heads(apart, begin, SystemClock(), restored=True) == 1
    assert await keep_heads(apart, begin, SystemClock(), restored=True) == 0
    assert (await verified(alone, apart)).problems == []
    await alone.done("POST", "/legal/acceptances", await somebody(alone), json=DECISION)
    assert (await verified(alone, apart)).problems == []
    assert await kept(alone, apart) == 1
    *_, last = await rows(alone)
    await tampered(alone, f"UPDATE acceptances SET screen = 'otra' WHERE id = '{last.id}'")  # noqa: S608 -- ours
    assert "does not agree" in (await verified(alone, apart)).problems[-1]
    await tampered(alone, f"UPDATE acceptances SET screen = NULL WHERE id = '{last.id}'")  # noqa: S608 -- ours


async def test_departed(alone: Service, apart: FolderApart) -> None:
    """A clinic that left took its chain along, which is no fault; one that did not leave has lost it."""
    clinic_id = ClinicId(uuid4())
    line = {"clinic_id": str(clinic_id), "number": 1, "hash": "00" * 32, "at": "2026-11-23T14:00:00+00:00"}
    await apart.append(BOOK, msgspec.json.encode(line))
    begin = alone.application.works.system_begin
    with_it, without = await verify(apart, begin, [clinic_id]), await verify(apart, begin)
    assert len(without.problems) == len(with_it.problems) + 1


async def test_erased_meanwhile(alone: Service) -> None:
    """Whoever is being erased decides nothing any more: no evidence is left behind their back."""
    person = await somebody(alone)
    user_id = (await alone.done("GET", "/session", person))["user"]["id"]
    async with superuser(alone.settings) as admin:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", user_id)
        waiting = asyncio.create_task(alone.ask("POST", "/legal/acceptances", person, json=DECISION))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await admin.execute(
            "INSERT INTO account_erasures (id, user_id, uid_sha256, reason, erased_at, completed_at, certificate)"
            " VALUES (gen_random_uuid(), $1, '\\x00', 'prueba', now(), now(), '{}')",
            user_id,
        )
        await transaction.commit()
    assert (await waiting).status_code == 404


async def test_forged(alone: Service, apart: FolderApart) -> None:
    """Evidence that was changed, and words that were changed with their hash, are found."""
    receipt = await alone.done("POST", "/legal/acceptances", await somebody(alone), json=DECISION)
    assert (await verified(alone, apart)).problems == []
    async with superuser(alone.settings) as admin, admin.transaction():
        await admin.execute("ALTER TABLE acceptance_evidence DISABLE TRIGGER USER")
        forged = "UPDATE acceptance_evidence SET address = $2 WHERE id = $1"
        await admin.execute(forged, receipt["id"], "198.51.100.7")
    found = (await verified(alone, apart)).problems
    assert any("its evidence says" in problem for problem in found)
    async with superuser(alone.settings) as admin:
        await admin.execute(forged, receipt["id"], receipt["address"])
        await admin.execute("ALTER TABLE acceptance_evidence ENABLE ALWAYS TRIGGER keep_acceptance_evidence_row")
        await admin.execute("ALTER TABLE legal_texts DISABLE TRIGGER USER")
        await admin.execute(
            "UPDATE legal_texts SET body = '# Otro', sha256 = encode(sha256('# Otro'), 'hex')"
            " WHERE slug = 'consent-photos' AND locale = 'es-EC'"
        )
    assert any("other words than were published" in problem for problem in (await verified(alone, apart)).problems)
