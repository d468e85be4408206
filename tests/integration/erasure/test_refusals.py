"""What stands in an erasure's way, what comes at the same moment, and what the law holds back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.integration.erasure.scene import CUT, NAMED, Scene, set_scene
from tests.integration.http.samples import SAMPLES, address
from tests.integration.http.service import Service, superuser

from coravet.adapters.memory.apart import MemoryApart
from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.adapters.postgres.privacy.withheld import let_go
from coravet.core.exchange.imports import check
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import Unavailable
from coravet.core.privacy.erase import Erase, RegisteredErasure, erase_client


@pytest.fixture
async def scene(service: Service) -> Scene:
    """A person to erase, in a clinic of their own."""
    return await set_scene(service)


def _actor(scene: Scene) -> Actor:
    return Actor(clinic_id=ClinicId(UUID(scene.clinic.id)), time_zone="America/Guayaquil", user_id=None)


async def test_bad_input(scene: Scene, service: Service) -> None:
    """An unknown client, another clinic's, one who is another one now, an old version and fields that nobody knows are
    refused, and change nothing."""
    there = await set_scene(service)
    before = await scene.texts()
    unknown = await scene.ask("POST", f"clients/{uuid4()}/erase")
    foreign = await scene.ask("POST", f"clients/{there.client}/erase")
    assert unknown == foreign == (404, "not_found")
    assert await scene.ask("POST", f"clients/{scene.client}/erase", json={"version": 9}) == (409, "stale_version")
    assert await scene.ask("POST", f"clients/{scene.client}/erase", json={"sure": True}) == (422, "invalid")
    assert await scene.texts() == before
    merged = {"merged_id": scene.client}
    await scene.done("POST", f"clients/{scene.other}/merge", json=merged)
    assert await scene.ask("POST", f"clients/{scene.client}/erase") == (409, "client_merged")
    assert await scene.ask("GET", f"privacy/erasures/{uuid4()}") == (404, "not_found")


async def test_other_clinic(scene: Scene, service: Service) -> None:
    """The same person at another clinic is untouched."""
    there = await set_scene(service)
    await there.write(there.theirs)
    before = await there.texts()
    await scene.erase()
    assert await there.texts() == before


async def test_merged_go_along(scene: Scene) -> None:
    """Whoever was merged into the person goes with them, and no undoing brings anything back."""
    twin = {"given_name": "Soila", "family_name": "Quimbiurco", "phone": "0987654321"}
    twin_id = (await scene.done("POST", "clients", json=twin))["id"]
    merge = await scene.done("POST", f"clients/{scene.client}/merge", json={"merged_id": twin_id})
    await scene.erase()
    assert await scene.ask("POST", f"merges/{merge['id']}/undo") == (404, "not_found")
    assert "soila" not in (await scene.texts()).lower()
    assert "987654321" not in await scene.texts()
    assert await scene.ask("POST", f"clients/{scene.other}/merge", json={"merged_id": scene.client}) == (
        404,
        "not_found",
    )


async def test_visit_under_way(scene: Scene) -> None:
    """Nobody is erased whose animal is being seen; once it is over they are."""
    body = {"service_id": scene.clinic.ids["service_id"], "patient_id": scene.theirs}
    body["resource_ids"] = [scene.clinic.ids["resource_id"]]  # type: ignore[assignment]  # a list among texts
    visit = (await scene.done("POST", "appointments/walk-in", json=body))["id"]
    assert await scene.ask("POST", f"clients/{scene.client}/erase") == (409, "visit_under_way")
    for step in ("start", "ready", "complete"):
        await scene.done("POST", f"appointments/{visit}/{step}")
    await scene.erase()


async def test_import(scene: Scene) -> None:
    """A file that may bring the person back stands in the way until it is dropped; one that was imported says nothing
    of them any more."""
    data = b"nombre,apellido,telefono,mascota,especie\nZoila,Quimbiurco,0991234567,Canela,perro\n"
    file = {"file_name": "zoila quimbiurco.csv", "size": len(data), "sha256": sha256(data).hexdigest()}
    made = (await scene.done("POST", "imports", json=file))["id"]
    await scene.done("PUT", f"imports/{made}/file", content=data)
    assert await scene.ask("POST", f"clients/{scene.client}/erase") == (409, "import_unfinished")
    await check(UUID(made), _actor(scene), scene.service.application.works.begin, SystemClock(), EcuadorNumbers())
    assert await scene.ask("POST", f"clients/{scene.client}/erase") == (409, "import_unfinished")
    async with superuser(scene.service.settings) as admin:
        await admin.execute("UPDATE imports SET status = 'applied' WHERE id = $1", UUID(made))
    await scene.erase()
    assert "quimbiurco" not in (await scene.texts()).lower()
    assert not await scene.fetch("SELECT FROM import_parts WHERE import_id = $1", UUID(made))


async def test_register_fails(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the register cannot be written nothing is erased."""

    async def append(book: str, entry: bytes) -> None:
        raise Unavailable("The register cannot be written.")

    before = await scene.texts()
    monkeypatch.setattr(scene.service.application.litestar.state.ports.apart, "append", append)
    assert (await scene.ask("POST", f"clients/{scene.client}/erase"))[0] == 503
    assert await scene.texts() == before


async def test_again_as_registered(scene: Scene) -> None:
    """A restored database is brought to what was erased before, under the same id and number, whatever goes on there,
    and nothing is registered anew."""
    body = {"service_id": scene.clinic.ids["service_id"], "patient_id": scene.theirs}
    body["resource_ids"] = [scene.clinic.ids["resource_id"]]  # type: ignore[assignment]  # a list among texts
    await scene.done("POST", "appointments/walk-in", json=body)
    client = UUID(scene.client)
    registered = RegisteredErasure(
        ClinicId(UUID(scene.clinic.id)), uuid4(), 41, "client", client, [client], None, "0" * 64, [UUID(scene.theirs)]
    )
    apart = MemoryApart()
    begin = scene.service.application.works.begin
    told = await erase_client(UUID(scene.client), Erase(), _actor(scene), begin, SystemClock(), apart, registered)
    assert (told.id, told.certificate.number) == (registered.id, 41)
    assert await apart.entries("erasures") == []
    assert "zoila" not in (await scene.texts()).lower()


async def test_again_just_what_was(scene: Scene) -> None:
    """An animal that was another's by the time of the erasure is only cut, though an older backup has it as theirs."""
    ids = await scene.write(scene.theirs)
    client = UUID(scene.client)
    registered = RegisteredErasure(
        ClinicId(UUID(scene.clinic.id)), uuid4(), 41, "client", client, [client], None, "0" * 64, []
    )
    begin = scene.service.application.works.begin
    await erase_client(client, Erase(), _actor(scene), begin, SystemClock(), MemoryApart(), registered)
    encounter = await scene.done("GET", f"encounters/{ids['encounter_id']}", "vet")
    assert encounter["note"]["subjective"] == CUT
    await scene.done("POST", f"patients/{scene.theirs}/transfer", json={"client_id": scene.other})
    patient = await scene.done("GET", f"patients/{scene.theirs}")
    assert (patient["name"], patient["client"]["id"]) == ("Canela", scene.other)


async def _waiting(scene: Scene, many: int) -> None:
    """Until so many statements of this database wait for a lock."""
    sql = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        while len(await scene.fetch(sql)) < many:  # noqa: ASYNC110 -- the database tells nobody
            await asyncio.sleep(0.05)


async def test_merged_at_the_same_moment(scene: Scene) -> None:
    """Whoever is merged into the person while the erasure waits for them goes along."""
    twin = {"given_name": "Soila", "family_name": "Quimbiurco", "phone": "0987654321"}
    twin_id = (await scene.done("POST", "clients", json=twin))["id"]
    merge = {"merged_id": twin_id}
    # Without animals, for whose rows the erasure would wait first.
    person = {"given_name": "Zoila", "family_name": "Toapanta"}
    scene.client = (await scene.done("POST", "clients", json=person))["id"]
    async with scene.service.application.works.begin(_actor(scene)) as work:
        await work.execute("SELECT FROM clients WHERE id = $1 FOR UPDATE", UUID(scene.client))
        merging = asyncio.create_task(scene.ask("POST", f"clients/{scene.client}/merge", json=merge))
        await _waiting(scene, 1)
        erasing = asyncio.create_task(scene.ask("POST", f"clients/{scene.client}/erase"))
        await _waiting(scene, 2)
    assert (await merging)[0] == 201
    if (await erasing) == (409, "contended"):
        await scene.erase()
    texts = (await scene.texts()).lower()
    assert "soila" not in texts
    assert "987654321" not in texts


async def test_a_former_owners_time(scene: Scene) -> None:
    """What was written while somebody else had the animal stays theirs, cut, until they are erased; drafts end."""
    ids = await scene.write(scene.theirs)
    later = {"given_name": "Elva", "family_name": "Toapanta"}
    heir = (await scene.done("POST", "clients", json=later))["id"]
    await scene.done("POST", f"patients/{scene.theirs}/transfer", json={"client_id": heir})
    body = {"patient_id": scene.theirs, "reason": "Toapanta dice"}
    after = (await scene.done("POST", "encounters", "vet", json=body))["id"]
    await scene.done("POST", f"clients/{heir}/erase")
    rows = await scene.fetch(
        "SELECT id::text, subjective, reason, voided_at, signed_at FROM encounters WHERE patient_id = $1",
        UUID(scene.theirs),
    )
    found = {row["id"]: row for row in rows}
    assert found[ids["encounter_id"]]["subjective"] == NAMED
    assert all(row["signed_at"] or row["voided_at"] for row in rows)
    assert "ZÓILA" in found[ids["draft_id"]]["reason"]
    assert found[after]["reason"] == "[eliminado]"
    texts = await scene.texts()
    assert "Canela" not in texts
    assert "Toapanta" not in texts
    await scene.erase()
    assert "zóila" not in (await scene.texts()).lower()


async def test_cut_is_held_back(scene: Scene) -> None:
    """A rule holds back what was cut in an animal that another keeps, too, and counts it."""
    ids = await scene.write(scene.shared)
    rule = {"category": "clinical_record", "basis": "Regla de prueba", "months": 60, "provisional": True}
    await scene.done("PUT", "privacy/retention", json={"rules": [rule]})
    told = await scene.erase()
    [held] = told["certificate"]["held"]
    rows = await scene.fetch("SELECT row_id::text, content FROM withheld WHERE clinic_id = $1", UUID(scene.clinic.id))
    assert len(rows) == held["rows"]
    assert msgspec.json.decode({row["row_id"]: row["content"] for row in rows}[ids["encounter_id"]]) == {
        "subjective": NAMED
    }


RIVALS: dict[str, Callable[[Scene, dict[str, str]], Awaitable[tuple[int, str]]]] = {
    "erase": lambda s, _: s.ask("POST", f"clients/{s.client}/erase"),
    "edit": lambda s, _: s.ask("PATCH", f"clients/{s.client}", json={"address": "Calle Zoila 1"}),
    "merge": lambda s, _: s.ask("POST", f"clients/{s.client}/merge", json={"merged_id": s.clinic.ids["twin_id"]}),
    "merged": lambda s, _: s.ask("POST", f"clients/{s.other}/merge", json={"merged_id": s.client}),
    "contact": lambda s, _: s.ask("POST", f"clients/{s.client}/contacts", json={"kind": "phone", "value": "022345678"}),
    "rename": lambda s, _: s.ask("PATCH", f"patients/{s.theirs}", json={"name": "Zoilita"}),
    "book": lambda s, _: s.ask(
        "POST",
        "appointments",
        json={
            "service_id": s.clinic.ids["service_id"],
            "patient_id": s.theirs,
            "resource_ids": [s.clinic.ids["resource_id"]],
            "starts_at": s.clinic.slot(),
            "reason": NAMED,
        },
    ),
    "draft": lambda s, ids: s.ask(
        "PATCH", f"encounters/{ids['draft_id']}", "vet", json={"version": 1, "note": {"plan": NAMED}}
    ),
    "open": lambda s, _: s.ask("POST", "encounters", "vet", json={"patient_id": s.theirs, "reason": NAMED}),
    "addendum": lambda s, ids: s.ask("POST", f"encounters/{ids['encounter_id']}/addenda", "vet", json={"text": NAMED}),
}
"""What may come at the same moment."""


@pytest.mark.parametrize("rival", RIVALS)
async def test_races(rival: str, scene: Scene) -> None:
    """Whoever comes at the same moment is either first, and erased with the rest, or refused: nothing comes back."""
    ids = await scene.write(scene.theirs)
    twin = {"given_name": "Soila", "family_name": "Quimbiurco"}
    scene.clinic.ids["twin_id"] = (await scene.done("POST", "clients", json=twin))["id"]
    ours = scene.ask("POST", f"clients/{scene.client}/erase")
    both = await asyncio.gather(ours, RIVALS[rival](scene, ids), return_exceptions=False)
    assert {status for status, _ in both} <= {200, 201, 404, 409}, both
    if (both[0][0], both[0][1]) == (409, "contended"):
        await scene.erase()
    if rival == "merged" and both[0] == (409, "client_merged"):
        scene.client = scene.other
        await scene.erase()
    texts = (await scene.texts()).lower()
    assert "zoil" not in texts, [line for line in texts.split("\n") if "zoil" in line]
    assert "22345678" not in texts
    if rival == "merge" and both[1][0] == 201:
        assert "soila" not in texts


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO encounters (clinic_id, id, patient_id, started_at, reason, created_at, version)"
        " SELECT $1, gen_random_uuid(), $2, now(), $4, now(), 1 WHERE $3::uuid IS NOT NULL",
        "INSERT INTO consents (clinic_id, id, client_id, purpose, decision, source, note, decided_at)"
        " SELECT $1, gen_random_uuid(), $3, 'photos', 'declined', 'phone', $4, now() WHERE $2::uuid IS NOT NULL",
    ],
    ids=["of an animal", "of the person"],
)
async def test_waits_for_who_writes(statement: str, scene: Scene) -> None:
    """What is being written while the erasure begins is waited for, and erased with the rest."""
    async with scene.service.application.works.begin(_actor(scene)) as work:
        await work.execute(statement, UUID(scene.clinic.id), UUID(scene.theirs), UUID(scene.client), NAMED)
        erasing = asyncio.create_task(scene.ask("POST", f"clients/{scene.client}/erase"))
        await asyncio.sleep(0.7)
        assert not erasing.done()
    assert (await erasing)[0] == 200
    assert "zóila" not in (await scene.texts()).lower()


async def test_nothing_is_written_after(scene: Scene) -> None:
    """No route writes anything of who was erased, nor of their animals."""
    ids = await scene.write(scene.theirs)
    await scene.erase()
    written = ("immunization", "deworming", "prescription", "allergy", "weight", "document", "problem")
    names = {f"{name}_id": ids[f"{name}_id"] for name in written}
    names |= {"client_id": scene.client, "patient_id": scene.theirs, "encounter_id": ids["draft_id"]}
    known = {
        **scene.clinic.ids,
        **names,
        "clinic": scene.clinic.slug,
        "slot": scene.clinic.slot(),
        "last_day": (datetime.now(UTC).date() + timedelta(days=9)).isoformat(),
    }
    before = await scene.texts()
    asked = 0
    for key, sample in SAMPLES.items():
        method, path = key
        named = any(f"{{{name}}}" in path + str(sample.body) for name in names)
        if method == "GET" or not named or "/erase" in path or "/privacy/" in path:
            continue
        try:
            sent, at = sample.sent(known), address(path, known)
        except KeyError:
            continue
        who = scene.clinic.people["vet" if sample.who == "vet" else "owner"]
        answer = await scene.service.client.request(method, at, headers=who, **sent)
        asked += 1
        unharmed = {"check", "dismiss"}
        assert answer.status_code in {404, 409} or path.rpartition("/")[2] in unharmed, (key, answer.text)
    assert asked > 25
    assert set((await scene.texts()).split("\n")) - set(before.split("\n")) == set()


async def test_held_back(scene: Scene) -> None:
    """What a rule holds back is blocked, not erased: said with basis and day, read by nobody, gone after its day."""
    await scene.write(scene.theirs)
    basis = "Reclamos del contrato (regla de prueba)"
    rule = {
        "category": "clinical_record",
        "basis": basis,
        "months": 12,
        "review_on": "2027-06-01",
        "provisional": False,
    }
    shown = await scene.done("PUT", "privacy/retention", json={"rules": [rule]})
    assert await scene.done("GET", "privacy/retention") == shown
    assert {each["months"] for each in shown["rules"] if each["category"] != "clinical_record"} == {0}
    told = await scene.erase()
    [held] = told["certificate"]["held"]
    assert (held["category"], held["basis"], held["review_on"]) == ("clinical_record", basis, "2027-06-01")
    today = datetime.now(UTC).date()
    assert date.fromisoformat(held["until"]) > today + timedelta(days=360)
    rows = await scene.fetch("SELECT * FROM withheld WHERE clinic_id = $1", UUID(scene.clinic.id))
    assert len(rows) == held["rows"] > 5
    kept = await scene.texts()
    assert "ZÓILA" in kept
    assert all(line.startswith("withheld ") for line in kept.split("\n") if "ZÓILA" in line)
    await let_go(scene.service.application.works)
    assert len(await scene.fetch("SELECT FROM withheld WHERE clinic_id = $1", UUID(scene.clinic.id))) == len(rows)
    async with superuser(scene.service.settings) as admin:
        await admin.execute("UPDATE withheld SET until = current_date - 1 WHERE clinic_id = $1", UUID(scene.clinic.id))
    await let_go(scene.service.application.works)
    assert "zóila" not in (await scene.texts()).lower()


async def test_bad_rules(scene: Scene) -> None:
    """A rule without a basis, with a term that is none, or twice for the same is refused, each where it stands."""
    rule: dict[str, Any] = {"category": "identity", "basis": "x", "months": 1}
    for rules, at in (
        ([rule | {"basis": " "}], "/rules/0/basis"),
        ([rule, rule], "/rules/1/category"),
        ([rule | {"months": -1}], "/rules/0/months"),
        ([rule | {"category": "logs"}], "/rules/0/category"),
    ):
        answer = await scene.service.ask(
            "PUT", f"/clinics/{scene.clinic.slug}/privacy/retention", scene.clinic.owner, json={"rules": rules}
        )
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [at]


@pytest.mark.alone
async def test_much(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with 2,000 encounters is erased within five seconds, in as many statements as one with a few."""
    await scene.write(scene.theirs)
    statements = await _statements(await set_scene(scene.service), monkeypatch)
    for patient in (scene.theirs, scene.shared):
        await scene.fetch(
            "INSERT INTO encounters (clinic_id, id, patient_id, started_at, reason, created_at, subjective, version)"
            " SELECT $1, gen_random_uuid(), $2, now() - n * interval '1 hour', 'Control', now(), $3, 1"
            " FROM generate_series(1, 2000) n",
            UUID(scene.clinic.id),
            UUID(patient),
            NAMED * 5,
        )
    began = time.monotonic()
    assert await _statements(scene, monkeypatch) <= statements + 25
    assert time.monotonic() - began < 5


async def _statements(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many statements erasing the scene's person takes."""
    from coravet.adapters.postgres.work import PostgresWork  # noqa: PLC0415 -- counted here alone

    counted: list[str] = []
    for name in ("fetch", "execute"):
        real = getattr(PostgresWork, name)

        async def count(self: Any, sql: str, *arguments: Any, _real: Any = real) -> Any:
            counted.append(sql)
            return await _real(self, sql, *arguments)

        monkeypatch.setattr(PostgresWork, name, count)
    told = await scene.erase()
    monkeypatch.undo()
    assert msgspec.json.encode(told)
    return len(counted)
