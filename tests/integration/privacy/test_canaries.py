"""Whoever is erased is gone: from the database, the logs, the reports, the sheets, and a backup that is restored."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from pypdf import PdfReader
from tests.integration.http.service import Service, superuser
from tests.integration.parts.databases import Databases
from tests.integration.privacy.canaries import Canaries, back_up, counts_of, pg_dump, restore, rows_of
from tests.integration.privacy.life import Life
from tests.integration.privacy.subjects import spell_out
from tests.unit.telemetry.parts import Written

from coravet.adapters.local.service import variables
from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.adapters.postgres.migrate import migrate
from coravet.adapters.postgres.privacy.erasure import OF_MEMBERS
from coravet.adapters.postgres.tables import metadata
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.entrypoints.cli.diagnosis import Wrong, _check_register
from coravet.settings import Settings

GONE = {"acceptance_evidence", "contacts", "idempotency_keys", "import_parts", "import_rows", "search_words"}
"""Tables of which a person's rows are deleted: what they hold is the person's alone."""

GROWN = {"appointment_transitions", "erasures", "jobs.pgqueuer", "jobs.pgqueuer_log", "outbox"}
"""Tables in which an erasure writes what it did, and what is to be done."""

FOREIGN_KEYS = """
SELECT c.conname AS name, c.conrelid::regclass::text AS of, c.confrelid::regclass::text AS to,
       (SELECT array_agg(a.attname ORDER BY n) FROM unnest(c.conkey) WITH ORDINALITY k(num, n)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num)::text[] AS columns,
       (SELECT array_agg(a.attname ORDER BY n) FROM unnest(c.confkey) WITH ORDINALITY k(num, n)
        JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num)::text[] AS keys
FROM pg_constraint c WHERE c.contype = 'f'
"""
TOTALS = """
SELECT (SELECT array_agg((source, service_id, n) ORDER BY source, service_id) FROM (
            SELECT source, service_id, count(*) AS n FROM appointments GROUP BY 1, 2) v)::text AS visits,
       (SELECT sum(weight_kg) FROM weights) AS weights,
       (SELECT array_agg((administered_at, n) ORDER BY administered_at) FROM (
            SELECT administered_at, count(*) AS n FROM immunizations GROUP BY 1) i)::text AS immunizations,
       (SELECT count(*) FROM encounters WHERE signed_at IS NOT NULL) AS signed,
       (SELECT array_agg((species, n) ORDER BY species) FROM (
            SELECT species, count(*) AS n FROM patients GROUP BY 1) p)::text AS patients
"""
LOOKED_AT = (
    "/clients",
    "/clients/{client}",
    "/clients/{client}/channels",
    "/clients/{client}/consents",
    "/clients/{client}/contacts",
    "/clients/{client}/duplicates",
    "/clients/{other}",
    "/patients",
    *(
        f"/patients/{animal}{part}"
        for animal in ("{patient}", "{shared}", "{given_away}")
        for part in (
            "",
            "/alerts",
            "/allergies",
            "/dewormings",
            "/identifiers",
            "/immunizations",
            "/parties",
            "/prescriptions",
            "/problems",
            "/timeline",
            "/weights",
        )
    ),
    "/encounters/{signed}",
    "/encounters/{open}",
    "/encounters/{voided}",
    "/prescriptions/{prescription}",
    "/appointments/{visit}",
    "/appointments/{visit}/history",
    "/agenda?from=2026-01-01",
    "/waitlist",
    "/messages",
    "/recalls",
    "/documents",
    "/merges",
    "/imports",
    "/closures",
    "/note-templates",
    "/resources/{resource}/exceptions",
    "/privacy/requests",
    "/privacy/erasures",
)


@pytest.fixture
async def lives(service: Service) -> tuple[Life, Life]:
    """The same person at two clinics: known by the same name and numbers, spoken of in other words."""
    same = Canaries("the same everywhere")
    person = {
        "given_name": same.word("given_name"),
        "family_name": same.word("family_name"),
        "document_type": "passport",
        "document_number": same.passport("document_number"),
        "phone": same.phone("phone"),
        "email": same.mail("email"),
    }
    found = []
    for name in ("borrada", "otra"):
        clinic = await service.equip(await service.open_clinic(name))
        await service.join(clinic, "vet")
        at = f"/clinics/{clinic.slug}/members/{clinic.ids['vet_member_id']}"
        await service.done("PATCH", at, clinic.owner, json={"registration_number": "TEST-0001"})
        canaries = Canaries(name)
        canaries.planted |= same.planted
        life = Life(service, clinic, canaries, person)
        await life.live()
        found.append(life)
    return found[0], found[1]


@pytest.mark.long
async def test_nobody_is_left(
    lives: tuple[Life, Life],
    talkative: Settings,
    logged: Written,
    envelopes: list[bytes],
    databases: Databases,
    tmp_path: Path,
) -> None:
    """Whoever is erased is in no row of the database, no log, no report, no list, sheet or archive, and not in the
    register; counts, totals and references are as they were, and so is the same person at another clinic. A backup that
    still knows them forgets them by one command."""
    here, there = lives
    service, clinic = here.service, here.clinic
    for life in lives:
        await _fail(life)
    await asyncio.to_thread(back_up, talkative, tmp_path / "backup")

    # A file that may bring them back is in the way, until it is done with.
    at = f"/clinics/{clinic.slug}/clients/{here.ids['client']}"
    refused = await service.ask("POST", f"{at}/erase", clinic.owner)
    assert (refused.status_code, refused.json()["code"]) == (409, "import_unfinished")
    for each in (await here.done("GET", "/imports"))["items"]:
        if each["status"] in {"uploading", "checked"}:
            await here.done("DELETE", f"/imports/{each['id']}")
    before, totals = pg_dump(talkative), await _totals(talkative)
    erased = await service.done("POST", f"{at}/erase", clinic.owner)
    assert here.canaries.left_in(json.dumps(erased), "certificate") == []

    after = pg_dump(talkative)
    _is_gone(after, here, there)
    _is_as_it_was(before, after, there)
    assert await _totals(talkative) == totals
    await _is_not_found(here)
    for life in lives:
        assert life.canaries.left_in(logged.getvalue(), "logs") == []
        assert life.canaries.left_in(b"\n".join(envelopes).decode(), "reports") == []
        for book in talkative.kept_apart.iterdir():
            assert life.canaries.left_in(book.read_text(), book.name) == []
    assert logged.getvalue().count('"request_failed"') == 2
    assert sum(b'"exception"' in each for each in envelopes) == 2
    assert sum(b'"transaction"' in each for each in envelopes) > 100

    restored = await databases.empty()
    try:
        await asyncio.to_thread(restore, tmp_path / "backup", restored)
        await migrate(restored, lambda _line: None)
        restored = restored.model_copy(update={"kept_apart": talkative.kept_apart})
        before = pg_dump(restored)
        assert {each.canary for each in here.canaries.left_in_dump(before)} == set(here.canaries.planted)
        with pytest.raises(Wrong, match="coravet privacy replay"):
            await _check_register(restored)
        assert await _replay(restored) == "erasures: 1 done again, 0 stood already, 0 not in this database."
        after = pg_dump(restored)
        _is_gone(after, here, there)
        # What streams were told before the backup is forgotten, so that everybody loads anew.
        _is_as_it_was(before, after, there, but={"outbox"})
        assert await _totals(restored) == totals
        async with superuser(restored) as admin:
            certified = await admin.fetchrow("SELECT id, number FROM erasures")
        assert (str(certified["id"]), certified["number"]) == (erased["id"], erased["certificate"]["number"])
        assert await _replay(restored) == "erasures: 0 done again, 1 stood already, 0 not in this database."
    finally:
        await databases.drop(restored)


@pytest.mark.long
async def test_every_column_is_emptied(service: Service, talkative: Settings) -> None:
    """A word in each column that may hold something about a client, whatever table it is in: none is left but who
    signed, and what was given."""
    clinic = await service.full_clinic("columnas")
    actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)
    for each in (await service.done("GET", f"/clinics/{clinic.slug}/imports", clinic.owner))["items"]:
        # What is not applied is in an erasure's way.
        async with superuser(talkative) as admin:
            await admin.execute("UPDATE imports SET status = 'applied' WHERE id = $1", each["id"])
    # Nothing is held back, and nobody else keeps the animal, or has the record of when it was theirs.
    async with superuser(talkative) as admin:
        await admin.execute("UPDATE parties SET role = 'caretaker' WHERE id = $1", clinic.ids["party_id"])
    await service.done("PUT", f"/clinics/{clinic.slug}/privacy/retention", clinic.owner, json={"rules": []})
    party = f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}/parties/{clinic.ids['party_id']}"
    await service.done("DELETE", party, clinic.owner)
    canaries = Canaries("columns")
    async with service.application.works.begin(actor) as work:
        canaries.planted |= await spell_out(talkative, work, clinic.ids["client_id"], "k")
    signed = {f"{table}.{column}" for table, columns in OF_MEMBERS.items() for column in columns}
    # Products, lots and doses stay for counting; out of them the person is cut by name.
    counted = {
        str(column)
        for table in metadata.tables.values()
        for column in table.columns
        if column.info["privacy"].on_erasure == "cut"
    }
    found = {each.canary for each in canaries.left_in_dump(pg_dump(talkative))}
    # Triggers write these anew of what else is changed.
    assert set(canaries.planted) - found <= {"search_words.name", "search_words.word"}
    await service.done("POST", f"/clinics/{clinic.slug}/clients/{clinic.ids['client_id']}/erase", clinic.owner)
    # What is to be deleted in the store is noted until it is: see media/test_photos.py.
    left = [
        each
        for each in canaries.left_in_dump(pg_dump(talkative))
        if each.canary not in signed | counted and each.where != "discarded_objects"
    ]
    assert left == [], sorted({(each.canary, each.where) for each in left})


async def _fail(life: Life) -> None:
    """Meet an error of ours that quotes them."""
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(EcuadorNumbers, "phone", _quoting)
        at = f"/clinics/{life.clinic.slug}/clients/{life.ids['client']}"
        answer = await life.service.ask("PATCH", at, life.clinic.owner, json={"phone": life.person["phone"]})
        assert answer.status_code == 500


def _quoting(_: EcuadorNumbers, phone: str) -> Any:
    raise ValueError(f"nobody can be reached at {phone}")


def _is_gone(dump: str, here: Life, there: Life) -> None:
    """Nothing is left of the person but at the other clinic."""
    left = [each for each in here.canaries.left_in_dump(dump) if there.clinic.id not in each.line]
    assert left == [], sorted({(each.canary, each.where) for each in left})


def _is_as_it_was(before: str, after: str, there: Life, but: Collection[str] = ()) -> None:
    """The other clinic's rows are the same, and there are as many of all else that is not a person's own."""
    theirs = [
        [row for row in rows_of(dump) if there.clinic.id in row[1] and row[0] not in but] for dump in (before, after)
    ]
    assert sorted(theirs[0]) == sorted(theirs[1])
    was, now = counts_of(before), counts_of(after)
    changed = {table for table in was if was[table] != now[table]}
    assert changed <= {*GONE, *GROWN}, {table: (was[table], now[table]) for table in changed}
    assert all(now[table] > was[table] for table in (changed & GROWN) - {*but})


async def _totals(settings: Settings) -> Any:
    """What the clinics reckon with; every reference leads to a row."""
    async with superuser(settings) as admin:
        for key in await admin.fetch(FOREIGN_KEYS):
            set_ = " AND ".join(f"a.{column} IS NOT NULL" for column in key["columns"])
            same = " AND ".join(f"a.{a} = b.{b}" for a, b in zip(key["columns"], key["keys"], strict=True))
            dangling = f"SELECT count(*) FROM {key['of']} a WHERE {set_}"  # noqa: S608 -- the catalogue's own names
            dangling += f" AND NOT EXISTS (SELECT FROM {key['to']} b WHERE {same})"
            assert await admin.fetchval(dangling) == 0, key["name"]
        return await admin.fetchrow(TOTALS)


async def _is_not_found(life: Life) -> None:
    """Whatever the clinic looks at tells nothing of them."""
    service, clinic, ids = life.service, life.clinic, life.ids
    base = f"/clinics/{clinic.slug}"
    told = []
    for path in LOOKED_AT:
        address = path.format(**ids, resource=clinic.ids["resource_id"])
        answer = await service.ask("GET", f"{base}{address}", clinic.owner)
        assert answer.status_code in {200, 404}, f"{address}: {answer.text}"
        told.append(answer.text)
    for name in ("given_name", "family_name", "phone", "email", "document_number"):
        found = await service.ask("GET", f"{base}/search", clinic.owner, params={"q": life.person[name]})
        assert found.json()["items"] == []
        query = {"given_name": life.person["given_name"], "family_name": life.person["family_name"]}
        found = await service.ask("GET", f"{base}/clients/duplicates", clinic.owner, params=query)
        assert ids["client"] not in found.text
    for token in life.tokens.values():
        assert (await service.ask("GET", f"/portal/bookings/{token}")).status_code == 404
    for path in life.sheets():
        answer = await service.ask("GET", f"{base}{path}", life.vet)
        if answer.status_code == 200:
            told += [page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages]
    archive = await service.ask("GET", f"{base}/export", clinic.owner)
    with ZipFile(BytesIO(archive.content)) as files:
        told += [files.read(name).decode() for name in files.namelist()]
    assert life.canaries.left_in("\n".join(told), "answers") == []


async def _replay(settings: Settings) -> str:
    """What the command says."""
    program = [sys.executable, "-c", "from coravet.entrypoints.cli import main; main()", "privacy", "replay"]
    given = {name: value for name, value in os.environ.items() if not name.startswith(("CORAVET_", "DATABASE_"))}
    ended = await asyncio.to_thread(
        subprocess.run, program, env=given | variables(settings), capture_output=True, check=False, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return str(ended.stdout).splitlines()[0]
