"""A clinic that leaves is handed everything and is gone; nobody else notices."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import asyncpg
import pytest
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.parts.texts import Registry

from coravet.adapters.apart.folder import FolderApart
from coravet.adapters.archives.zipped import ZipWriter, read
from coravet.adapters.postgres.privacy.departures import owned_by_clinics, self_references
from coravet.adapters.postgres.tables import metadata
from coravet.core.exchange.export import Manifest, NotWhole, export, verify
from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import Duplicate, Invalid, NotFound, Unavailable
from coravet.core.kernel.events import ClinicUpdated
from coravet.core.legal.heads import keep_heads
from coravet.core.legal.heads import verify as verify_chains
from coravet.core.privacy.departures import (
    close_clinic,
    delete_clinic,
    departed,
    hand_over,
    reopen_clinic,
    replay_departures,
)
from coravet.core.privacy.leaving_ports import Departure

CLOCK = SystemClock()
Archived = tuple[Path, Manifest]


@pytest.fixture
def apart(tmp_path: Path) -> FolderApart:
    """The books that are kept apart."""
    return FolderApart(tmp_path / "apart", make=True)


class Leaving:
    """A clinic on its way out."""

    def __init__(self, service: Service, clinic: Clinic, apart: FolderApart, folder: Path) -> None:
        self.service, self.clinic, self.apart = service, clinic, apart
        self.begin = service.system_begin
        self.file = folder / f"{clinic.slug}.zip"
        self.actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)

    async def close(self) -> Departure:
        return await close_clinic(self.clinic.slug, "cierra", self.begin, CLOCK)

    async def archive(self) -> Manifest:
        works = self.service.application.works
        with self.file.open("wb") as stream:
            store = self.service.application.studio.store
            async for chunk in export(self.actor, works.begin, CLOCK, ZipWriter(), store):
                stream.write(chunk)
        return verify(read(self.file))

    async def handed(self) -> Departure:
        departure = await self.close()
        manifest = await self.archive()
        proof = sha256(self.file.read_bytes()).hexdigest(), self.file.stat().st_size
        return await hand_over(departure, manifest, proof, self.begin)

    async def delete(self, departure: Departure, apart: FolderApart | None = None, **options: Any) -> Any:
        return json.loads(await delete_clinic(departure, self.begin, CLOCK, apart or self.apart, **options))


@pytest.fixture
async def leaving(service: Service, apart: FolderApart, tmp_path: Path) -> Leaving:
    """A furnished clinic that is going to leave."""
    return Leaving(service, await service.full_clinic("leaver"), apart, tmp_path)


async def _rows(admin: asyncpg.Connection, clinic_id: str) -> dict[str, tuple[int, str | None]]:
    """How many rows of a clinic each table has, and a hash of all of them; events are numbered at their own pace."""
    return {
        table.name: tuple(
            await admin.fetchrow(
                f"SELECT count(*), md5(string_agg((to_jsonb(t) - 'number')::text, '|' ORDER BY (to_jsonb(t) - 'number')::text))"  # noqa: S608, E501 -- the metadata's own names
                f" FROM {table.name} t WHERE clinic_id = $1",
                UUID(clinic_id),
            )
        )
        for table in owned_by_clinics()
    }


async def _elsewhere(admin: asyncpg.Connection, clinic_id: str) -> dict[str, str | None]:
    """A hash of all rows of tables that are no clinic's, but those that tell of this one."""
    left_out = {
        "departures",
        "discarded_objects",
        "ended_sessions",
        "outbox_mark",
        "rate_limits",
        *(table.name for table in owned_by_clinics()),
    }
    return {
        name: await admin.fetchval(
            f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"  # noqa: S608 -- as above
            + (" WHERE id <> $1" if name == "clinics" else " WHERE $1::uuid IS NOT NULL"),
            UUID(clinic_id),
        )
        for name in metadata.tables
        if name not in left_out
    }


async def test_gone(leaving: Leaving, clinic: Clinic, service: Service) -> None:
    """Nothing of the clinic is left, in any table nor in the queue; all other rows are as they were, to the byte."""
    gone = leaving.clinic
    async with superuser(service.settings) as admin:
        before = await _rows(admin, clinic.id)
        own = await _rows(admin, gone.id)
        assert own["acceptances"][0] > 0
        await keep_heads(leaving.apart, leaving.begin, CLOCK)
        departure = await leaving.handed()
        elsewhere = await _elsewhere(admin, gone.id)
        told = await leaving.delete(departure, batch=7)
        assert await _rows(admin, clinic.id) == before
        assert await _elsewhere(admin, gone.id) == elsewhere
        assert {count for count, _ in (await _rows(admin, gone.id)).values()} == {0}
        assert await admin.fetchval("SELECT count(*) FROM clinics WHERE id = $1", UUID(gone.id)) == 0
        waiting = "SELECT count(*) FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE '%' || $1 || '%'"
        assert await admin.fetchval(waiting, gone.id) == 0
        assert await admin.fetchval(waiting, clinic.id) > 0
    certificate = told["certificate"]
    for name, (count, _) in own.items():
        assert name == "outbox" or certificate["handed"]["rows"][name] == count, name
    assert certificate["handed"]["sha256"] == sha256(leaving.file.read_bytes()).hexdigest()
    assert told["sha256"] == sha256(json.dumps(certificate, separators=(",", ":")).encode()).hexdigest()
    assert certificate["handed"]["accounts"] == len(gone.people)
    with ZipFile(leaving.file) as archive:
        assert gone.ids["client_id"] in archive.read("datos/clients.csv").decode()
    entries = [json.loads(each) for each in await leaving.apart.entries("departures")]
    assert [each["type"] for each in entries] == ["departure", "departure.certificate"]
    assert entries[0]["departure"]["clinic_id"] == gone.id
    assert json.loads(entries[1]["certificate"]) == told
    kept = json.dumps([told, entries])
    assert gone.slug not in kept
    assert "Quimbiurco" not in kept
    # Its chain of decisions went with it, and is not missed.
    verified = await verify_chains(leaving.apart, leaving.begin, await departed(leaving.apart))
    assert not [problem for problem in verified.problems if str(gone.id) in problem]
    assert verified.heads
    # Whoever asks again is told the same, and its people are let in as people without a clinic.
    assert await leaving.delete(await leaving.close()) == told
    assert (await service.done("GET", "/session", gone.owner))["memberships"] == []


async def test_address_is_nobodys(leaving: Leaving, service: Service) -> None:
    """The address of a clinic that left leads nowhere and is given to nobody else; an unknown one is not found."""
    slug = leaving.clinic.slug
    await leaving.delete(await leaving.handed())
    unknown = await service.ask("GET", "/clinics/nobody-knows/clients", leaving.clinic.owner)
    here = await service.ask("GET", f"/clinics/{slug}/clients", leaving.clinic.owner)
    assert (
        (here.status_code, here.json()["code"]) == (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    )
    again = {"slug": slug, "name": "Otra", "time_zone": "America/Guayaquil"}
    answer = await service.ask("POST", "/clinics", await service.operator(), json=again)
    assert (answer.status_code, answer.json()["code"]) == (409, Duplicate.code)
    with pytest.raises(NotFound):
        await close_clinic("nobody-knows", "cierra", leaving.begin, CLOCK)


async def test_closed(leaving: Leaving, service: Service) -> None:
    """A clinic that is being handed over is not there for anybody, whatever leads to it; opened again, it is."""
    clinic = leaving.clinic
    ids, slug, owner = clinic.ids, clinic.slug, clinic.owner
    doors: list[Callable[[], Awaitable[Any]]] = [
        lambda: service.ask("GET", f"/clinics/{slug}", owner),
        lambda: service.ask("GET", f"/portal/clinics/{slug}/services"),
        lambda: service.ask("GET", f"/portal/bookings/{ids['see_token']}"),
        lambda: service.ask(
            "GET", f"/clinics/{slug}/calendars/{ids['calendar']}", params={"token": ids["calendar_token"]}
        ),
    ]
    open_before = [(await door()).status_code for door in doors]
    async with superuser(service.settings) as admin:
        hidden = "SELECT id, version FROM members WHERE clinic_id = $1 ORDER BY id"
        members = await admin.fetch(hidden, UUID(clinic.id))
        departure = await leaving.close()
        told = await admin.fetch(
            "SELECT subject_id, subject_version FROM outbox WHERE clinic_id = $1 AND kind = 'member.deactivated'"
            " ORDER BY subject_id",
            UUID(clinic.id),
        )
        assert [tuple(each) for each in told] == [tuple(each) for each in members]
    assert {(await door()).status_code for door in doors} == {404}
    assert (await service.done("GET", "/session", owner))["memberships"] == []
    # Who was let in a moment before, and only now writes.
    with pytest.raises(NotFound):
        async with service.application.works.begin(leaving.actor) as work:
            work.emit(ClinicUpdated(leaving.actor.clinic_id, 2))
    assert await leaving.close() == departure
    await reopen_clinic(departure, leaving.begin)
    assert [(await door()).status_code for door in doors] == open_before
    assert 404 not in open_before


async def test_logging_out(leaving: Leaving, service: Service) -> None:
    """Whoever works in a clinic that is closed can log out."""
    await leaving.close()
    assert (await service.ask("DELETE", "/session", leaving.clinic.people["staff"])).status_code == 204


async def test_archive_is_checked(leaving: Leaving, service: Service) -> None:
    """What is not whole, or not all that there is, is not handed over: the clinic can be opened again."""
    departure = await leaving.close()
    manifest = await leaving.archive()
    for name in ("datos/clients.csv", "manifest.json"):
        damaged = leaving.file.with_suffix(".damaged")
        with ZipFile(leaving.file) as good, ZipFile(damaged, "w") as bad:
            for each in good.namelist():
                if each != name:
                    bad.writestr(each, good.read(each))
        with pytest.raises(NotWhole, match=name):
            verify(read(damaged))
    async with superuser(service.settings) as admin:
        await admin.execute(
            "INSERT INTO note_templates (clinic_id, id, name, active, version)"
            " VALUES ($1, gen_random_uuid(), 'Tarde', true, 1)",
            UUID(leaving.clinic.id),
        )
    with pytest.raises(Invalid) as refused:
        await hand_over(departure, manifest, ("", 0), leaving.begin)
    assert [each.code for each in refused.value.errors] == ["outdated"]
    assert await leaving.apart.entries("departures") == []
    await reopen_clinic(departure, leaving.begin)
    with pytest.raises(NotFound):
        await hand_over(departure, await leaving.archive(), ("", 0), leaving.begin)


async def test_no_way_back(leaving: Leaving, service: Service) -> None:
    """Once everything was handed over, a clinic is not opened again."""
    departure = await leaving.handed()
    await reopen_clinic(departure, leaving.begin)
    assert (await leaving.close()).handed == departure.handed
    assert (await service.ask("GET", f"/clinics/{leaving.clinic.slug}", leaving.clinic.owner)).status_code == 404


class Interrupted(Exception):
    """The process ended here."""


async def test_interrupted(leaving: Leaving, clinic: Clinic, service: Service) -> None:
    """Wherever the deletion ends, it goes on from there, and certifies what there was at its beginning."""
    departure = await leaving.handed()
    tables: list[str] = []

    def interrupt(table: str, _: int) -> None:
        tables.append(table)
        raise Interrupted

    async with superuser(service.settings) as admin:
        before = await _rows(admin, clinic.id)
        for _ in range(200):
            try:
                told = await leaving.delete(departure, done=interrupt, batch=3, pause=0.2)
                break
            except Interrupted:
                continue
        assert await _rows(admin, clinic.id) == before
    assert {"clients", "encounters", "members", "outbox"} <= set(tables)
    assert departure.handed is not None
    assert told["certificate"]["handed"]["rows"] == departure.handed.rows


async def test_register_first(leaving: Leaving, service: Service, tmp_path: Path) -> None:
    """Nothing is deleted that the register does not name, and it names no clinic that was opened again: whatever comes
    of writing it, the clinic stays closed and the command goes on."""
    own = UUID(leaving.clinic.id)
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    departure = await leaving.handed()
    assert await leaving.apart.entries("departures") == []
    async with superuser(service.settings) as admin:
        before = await _rows(admin, str(own))
        with pytest.raises(Unavailable):
            await leaving.delete(departure, FolderApart(blocked, make=True))

        class Cut(FolderApart):
            async def append(self, book: Any, entry: bytes) -> None:
                await super().append(book, entry)
                raise Interrupted

        with pytest.raises(Interrupted):
            await leaving.delete(departure, Cut(tmp_path / "apart", make=True))
        assert await _rows(admin, str(own)) == before
        await reopen_clinic(departure, leaving.begin)
        assert (await service.ask("GET", f"/clinics/{leaving.clinic.slug}", leaving.clinic.owner)).status_code == 404
        backup = await admin.fetchrow("SELECT * FROM departures WHERE clinic_id = $1", own)
        assert backup["handed"] is not None
        # As in a backup from before the clinic left.
        await admin.execute("DELETE FROM departures WHERE clinic_id = $1", own)
        await admin.execute("UPDATE clinics SET leaving_since = NULL WHERE id = $1", own)
        replayed = await replay_departures(leaving.begin, CLOCK, leaving.apart)
        assert (replayed.clinics, replayed.damaged) == (1, [])
        assert {count for count, _ in (await _rows(admin, str(own))).values()} == {0}
    assert (await replay_departures(leaving.begin, CLOCK, leaving.apart)).clinics == 0
    entries = [json.loads(each) for each in await leaving.apart.entries("departures")]
    assert [each["type"] for each in entries] == ["departure", "departure.certificate"]


async def test_agreements_outlive_their_chain(alone: Service, apart: FolderApart, tmp_path: Path) -> None:
    """The certificate proves what was decided for the clinic: which words, when, where in its chain; not by whom."""
    clinic = await alone.open_clinic("agreed")
    leaving = Leaving(alone, clinic, apart, tmp_path)
    owner = UserId(UUID((await alone.done("GET", "/session", clinic.owner))["user"]["id"]))
    registry = Registry(alone.application.works)
    await registry.publish("data-processing")
    for decision in ("accepted", "withdrawn"):
        await registry.decide(owner, "data-processing", decision, clinic.slug)
    async with superuser(alone.settings) as admin:
        decided = await admin.fetch(
            "SELECT number, slug, version, sha256, decision, decided_at, encode(previous, 'hex') AS previous,"
            " encode(hash, 'hex') AS hash FROM acceptances WHERE clinic_id = $1 AND capacity = 'clinic'"
            " ORDER BY number",
            UUID(clinic.id),
        )
        assert [row["decision"] for row in decided] == ["accepted", "withdrawn"]
        told = await leaving.delete(await leaving.handed())
        kept = await admin.fetchval("SELECT certificate FROM departures WHERE clinic_id = $1", UUID(leaving.clinic.id))
    assert json.loads(kept) == told
    agreements = told["certificate"]["handed"]["agreements"]
    for each in agreements:
        each["decided_at"] = datetime.fromisoformat(each["decided_at"])
    assert agreements == [dict(row) for row in decided]
    book = b"".join(await leaving.apart.entries("departures")).decode()
    assert all(row["hash"] in book for row in decided)
    assert str(owner) not in kept + book


async def test_kept_for_good(leaving: Leaving, clinic: Clinic, service: Service) -> None:
    """What is kept for good goes only with its clinic: by the system, in its departure, once all was handed over."""
    prefix = service.settings.database_role_prefix
    own, other = UUID(leaving.clinic.id), UUID(clinic.id)
    departure = await leaving.close()
    async with superuser(service.settings) as admin:
        kept = [
            row["name"]
            for row in await admin.fetch(
                "SELECT DISTINCT c.relname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " JOIN pg_proc p ON p.oid = t.tgfoid AND p.proname LIKE 'keep\\_%'"
                " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'clinic_id' WHERE t.tgtype & 8 <> 0"
            )
        ]
        filled = [await _rows(admin, each) for each in (leaving.clinic.id, clinic.id)]
        kept = [name for name in kept if all(rows[name][0] for rows in filled)]
        assert len(kept) > 10

        async def refused(table: str, clinic_id: UUID, role: str, departure_id: UUID, act: str = "DELETE") -> bool:
            """Whether every row there is keeps the database from it."""
            what = {
                "DELETE": f"DELETE FROM {table} WHERE clinic_id = '{clinic_id}'",  # noqa: S608 -- ours
                "UPDATE": f"UPDATE {table} SET clinic_id = clinic_id WHERE clinic_id = '{clinic_id}'",  # noqa: S608
                "TRUNCATE": f"TRUNCATE {table} CASCADE",
            }[act]
            transaction = admin.transaction()
            await transaction.start()
            try:
                # Other tables refer to these rows; here it is asked what the table's own guard says.
                if role == "superuser":
                    await admin.execute("SET LOCAL session_replication_role = replica")
                else:
                    await admin.execute(f'SET LOCAL ROLE "{prefix}_{role}"')
                await admin.execute(
                    f"SET LOCAL app.departure = '{departure_id}'; SET LOCAL app.clinic_id = '{clinic_id}'"
                )
                await admin.execute(what)
            except (asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError) as error:
                return "violates" not in str(error)
            except asyncpg.ForeignKeyViolationError:
                return False
            else:
                return False
            finally:
                await transaction.rollback()

        for table in kept:
            assert await refused(table, own, "system", departure.id), f"{table}: not handed over"
        departure = await leaving.handed()
        for table in kept:
            assert not await refused(table, own, "system", departure.id), f"{table}: nothing leads past its guard"
            assert await refused(table, own, "system", UUID(int=1)), f"{table}: no such departure"
            assert await refused(table, other, "system", departure.id), f"{table}: another clinic's"
            assert await refused(table, own, "system", departure.id, "TRUNCATE"), table
            for role in ("app", "superuser"):
                assert await refused(table, own, role, departure.id), f"{table}: {role}"
        told = await leaving.delete(departure)
        assert told["certificate"]["departure_id"] == str(departure.id)
        for table in kept:
            assert await refused(table, other, "system", departure.id), f"{table}: afterwards"


async def test_doors(service: Service) -> None:
    """Whatever leads to a clinic past its scope leads to none that is closed, and to all that refuses deletion there is
    the one way; whoever adds a function meets this."""
    async with superuser(service.settings) as admin:
        doors = await admin.fetch(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
            " AND prosrc ~ '(FROM|JOIN) clinics' AND prosrc !~ 'leaving_since IS NULL'"
        )
        assert [row["proname"] for row in doors] == []
        tables = await admin.fetch(
            "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'clinic_id'"
        )
    assert {row["name"] for row in tables} - {"departures"} == {table.name for table in owned_by_clinics()}


FEW = {
    "client_merges": "seldom, and for 30 days",
    "members": "some dozens",
    "resources": "some dozens",
    "services": "some dozens",
    "waitlist": "those who wait",
}
"""Tables with so few rows of a clinic that it does not matter how long deleting one takes, or reading all."""


ELSEWHERE = set(metadata.tables) - {table.name for table in owned_by_clinics()}
"""Tables of which nothing is deleted."""


def test_references_are_indexed() -> None:
    """Each reference between tables of many rows is: deleting a clinic takes time by its rows, not by their square."""
    for table in owned_by_clinics():
        if table.name in FEW:
            continue
        listed = [*table.indexes, *(each for each in table.constraints if isinstance(each, UniqueConstraint))]
        led = {tuple(each.columns.keys())[:2] for each in (*listed, table.primary_key)}
        for each in table.constraints:
            if isinstance(each, ForeignKeyConstraint) and each.referred_table.name not in {*FEW, *ELSEWHERE}:
                assert tuple(each.column_keys) in led, f"{table.name}: {each.column_keys}"
    assert {name for table in owned_by_clinics() for name in self_references(table)} == {
        "merged_into_id",
        "rescheduled_from_id",
        "superseded_by_id",
    }
