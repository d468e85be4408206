"""A clinic gets everything that is its own, in files that explain themselves, and nothing of anybody else."""

import asyncio
import csv
import io
import json
import re
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from hashlib import sha256
from typing import Any

import pytest
from asyncpg.exceptions import ReadOnlySQLTransactionError
from sqlalchemy.dialects.postgresql import BYTEA
from tests.integration.exchange.test_import import actor_of
from tests.integration.http.service import Clinic, Service

from coravet.adapters.archives.zipped import ZipWriter
from coravet.adapters.postgres.exchange.dump import HIDDEN, LEFT_OUT, exported
from coravet.adapters.postgres.tables import metadata
from coravet.core.exchange.export import export
from coravet.core.exchange.glossary import TABLES
from coravet.core.kernel.clock import SystemClock
from coravet.entrypoints.http import exchange

NASTY = '=cmd|"/c calc"!A1\t; "citas", \\N'


async def archive(service: Service, clinic: Clinic) -> zipfile.ZipFile:
    """The archive, as it is downloaded."""
    answer = await service.ask("GET", f"/clinics/{clinic.slug}/export", clinic.owner)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert f'filename="{clinic.slug}-' in answer.headers["content-disposition"]
    return zipfile.ZipFile(io.BytesIO(answer.content))


def table(found: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    return list(csv.DictReader(io.StringIO(found.read(f"datos/{name}.csv").decode(), newline="")))


async def test_complete(service: Service, clinic: Clinic) -> None:
    """Every table of the clinic is there with all of its rows, as the manifest says, by number and by hash."""
    await service.done("PATCH", f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}", clinic.owner,
                       json={"color": "=SUMA(A1)"})  # fmt: skip
    found = await archive(service, clinic)
    assert found.testzip() is None
    manifest = json.loads(found.read("manifest.json"))
    assert [each.filename for each in found.infolist()] == [
        *(each["name"] for each in manifest["files"]),
        "manifest.json",
    ]
    assert {each["name"] for each in manifest["tables"]} == {each.name for each in exported()}
    for each in manifest["files"]:
        data = found.read(each["name"])
        assert (len(data), sha256(data).hexdigest()) == (each["bytes"], each["sha256"]), each["name"]
        if each["rows"] is not None:
            assert len(list(csv.reader(io.StringIO(data.decode(), newline="")))) == each["rows"] + 1, each["name"]
    assert clinic.ids["client_id"] in {row["id"] for row in table(found, "clients")}
    [patient] = [row for row in table(found, "patients") if row["id"] == clinic.ids["patient_id"]]
    assert (patient["name"], patient["color"]) == ("Firulais", "=SUMA(A1)")
    [own] = table(found, "clinics")
    assert own["id"] == clinic.id


async def test_explained(service: Service, clinic: Clinic) -> None:
    """The archive explains each file and column in Spanish and in English."""
    found = await archive(service, clinic)
    told = {name: found.read(name).decode("utf-8-sig") for name in ("LEEME.txt", "README.txt")}
    for each in exported():
        for text in told.values():
            assert f"\ndatos/{each.name}.csv\n" in text
    assert "weight_kg: peso, en kilogramos" in told["LEEME.txt"]
    assert "weight_kg: weight, in kilograms" in told["README.txt"]
    assert "Uno de: dog, cat, rabbit" in told["LEEME.txt"]
    assert "Se refiere a datos/clients.csv." in told["LEEME.txt"]


async def test_own_rows_only(service: Service, clinic: Clinic) -> None:
    """Nothing of another clinic is in it, though both are in the same tables."""
    other = await service.full_clinic("vecina")
    found = await archive(service, clinic)
    whole = "".join(found.read(each.filename).decode(errors="replace") for each in found.infolist())
    assert clinic.ids["client_id"] in whole
    foreign = {name: value for name, value in other.ids.items() if isinstance(value, str) and value.count("-") == 4} | {
        "id": other.id
    }
    assert [name for name, value in foreign.items() if value in whole] == []


def test_nothing_is_left_out() -> None:
    """Every table is exported or left out for a reason, and what is left out or hidden is still there."""
    assert {each.name for each in exported()} | set(LEFT_OUT) == set(metadata.tables)
    assert set(LEFT_OUT) <= set(metadata.tables)
    columns = {f"{each.name}.{column.name}" for each in metadata.tables.values() for column in each.columns}
    assert set(HIDDEN) <= columns
    assert set(TABLES) <= {each.name for each in exported()}


def test_no_secrets() -> None:
    """No column that could hold a secret or its hash is exported."""
    shown = {
        f"{each.name}.{column.name}": column
        for each in exported()
        for column in each.columns
        if f"{each.name}.{column.name}" not in HIDDEN
    }
    assert "search_words" not in {each.name for each in exported()}  # the index of all that can be searched
    secret = {name for name in shown if re.search("token|secret|password|hash|sha256|firebase", name)}
    assert secret == HASHES_OF_TEXTS | {"media.sha256"}  # of the picture, which is in the archive
    assert {name for name, column in shown.items() if isinstance(column.type, BYTEA)} <= DIGESTS


HASHES_OF_TEXTS = {
    "acceptances.hash",
    "acceptances.sha256",
    "consents.text_sha256",
    "erasures.sha256",
    "guest_requests.accepted_sha256",
    "legal_texts.sha256",
}
"""Of legal texts, which are public, and of certificates and decisions that stand beside them."""

CHAIN = {"acceptances.commitment", "acceptances.hash", "acceptances.previous"}
DIGESTS = {"set_aside_notes.digest", "encounters.digest", "documents.content", *CHAIN}
"""Of texts, sheets and decisions whose parts stand in other columns."""


async def test_one_moment(service: Service, clinic: Clinic) -> None:
    """What changes while the archive is made is not in it: all tables are of the moment at which it was begun."""
    begin = service.application.works.begin
    chunks = export(actor_of(clinic), begin, SystemClock(), ZipWriter(), service.application.studio.store)
    found = [await anext(chunks)]
    person = {"given_name": NASTY, "family_name": "Tarde"}
    late = (await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=person))["id"]
    found += [chunk async for chunk in chunks]
    rows = table(zipfile.ZipFile(io.BytesIO(b"".join(found))), "clients")
    assert rows
    assert late not in {row["id"] for row in rows}
    again = table(await archive(service, clinic), "clients")
    [row] = [row for row in again if row["id"] == late]
    assert row["given_name"] == " ".join(NASTY.split())


async def test_one_at_a_time(service: Service, clinic: Clinic) -> None:
    """While a clinic is being exported a second export is asked to wait; given up, it leaves nothing behind."""
    begin = service.application.works.begin
    chunks = export(actor_of(clinic), begin, SystemClock(), ZipWriter(), service.application.studio.store)
    await anext(chunks)
    refused = await service.ask("GET", f"/clinics/{clinic.slug}/export", clinic.owner)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    await chunks.aclose()
    await archive(service, clinic)


async def test_read_only(service: Service, clinic: Clinic) -> None:
    """The work that exports can change nothing."""

    async def change() -> None:
        async with service.application.works.begin(actor_of(clinic)) as work:
            assert await work.dump.freeze()
            await work.execute("UPDATE clients SET version = version")

    with pytest.raises(ReadOnlySQLTransactionError):
        await change()


async def test_slow_reader(service: Service, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL runs only a few pieces ahead of who reads, so that memory does not grow with the clinic."""
    async with service.application.works.begin(actor_of(clinic)) as work:
        real, sent = work.copy_out, 0

        async def counting(_: str, output: Callable[[bytes], Awaitable[None]], longest: float) -> None:
            async def count(piece: bytes) -> None:
                nonlocal sent
                sent += 1
                await output(piece)

            await real("SELECT repeat('x', 1000) FROM generate_series(1, 20000)", count, longest)

        monkeypatch.setattr(work, "copy_out", counting)
        rows: Any = work.dump.rows("clients")
        await anext(rows)
        await asyncio.sleep(0.5)
        ahead = sent
        whole = 1 + len([piece async for piece in rows])
        assert whole == sent
        assert ahead < 10 < whole


async def test_only_so_many_at_once(service: Service, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a process makes as many archives as it may, the next is asked to wait; those that ended count no more."""
    monkeypatch.setattr(exchange, "AT_ONCE", 0)
    refused = await service.ask("GET", f"/clinics/{clinic.slug}/export", clinic.owner)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    monkeypatch.setattr(exchange, "AT_ONCE", 1)
    await archive(service, clinic)
    await archive(service, clinic)


async def test_deadline() -> None:
    """Who takes an archive too slowly as a whole is given up, though something is taken all the time."""
    closed = False

    async def endless() -> AsyncGenerator[bytes, None]:
        nonlocal closed
        try:
            while True:
                await asyncio.sleep(0.01)
                yield b"x"
        finally:
            closed = True

    async def take(_: Any) -> None:
        await asyncio.sleep(0.01)

    async def listen() -> Any:
        await asyncio.sleep(60)

    download: Any = exchange.Download(endless(), "x.zip", longest=0.2)
    async with asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            await download({"type": "http"}, listen, take)
    assert closed
