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
