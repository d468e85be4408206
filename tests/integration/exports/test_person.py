"""A person is handed everything that the clinic holds on them, and nothing of anybody else."""

import io
import json
import re
import zipfile
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import perf_counter
from typing import Any
from uuid import UUID

import pytest
from asyncpg.exceptions import ReadOnlySQLTransactionError
from tests.integration.exchange.test_import import actor_of
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.privacy.subjects import spell_out, unguarded

from coravet.adapters.postgres.privacy.holdings import INFERRED, KEPT_BACK, handed_over, shown


class Handed:
    """What came: each file's text, and the rows of `datos.json`."""

    def __init__(self, archive: bytes) -> None:
        found = zipfile.ZipFile(io.BytesIO(archive))
        assert found.testzip() is None
        self.photos = {name: found.read(name) for name in found.namelist() if name.startswith("archivos/")}
        self.files = {name: found.read(name).decode() for name in found.namelist() if name not in self.photos}
        assert list(self.files) == ["LEEME.html", "datos.json", "inferidos.json"]
        self.page = self.files["LEEME.html"]
        self.portable = json.loads(self.files["datos.json"])
        self.inferred = json.loads(self.files["inferidos.json"])

    def rows(self, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.portable["data"][table]
        return found

    def whole(self) -> str:
        return "".join(self.files.values())


async def handed(service: Service, clinic: Clinic, client_id: str | None = None) -> Handed:
    """The export of a client, by default the clinic's own."""
    at = f"/clinics/{clinic.slug}/clients/{client_id or clinic.ids['client_id']}/export"
    answer = await service.ask("POST", at, clinic.owner)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    found = Handed(answer.content)
    assert found.portable["export_id"] == answer.headers["x-export-id"]
    return found


async def spelled_out(service: Service, clinic: Clinic, seed: str) -> dict[str, str]:
    """The words that were written about the clinic's client."""
    async with service.application.works.begin(actor_of(clinic)) as work:
        return await spell_out(service.settings, work, clinic.ids["client_id"], seed)


@pytest.fixture
async def full(service: Service) -> Clinic:
    """A clinic that this test has alone, for it writes past all guards."""
    return await service.full_clinic("entrega")


async def test_everything_and_nobody_else(service: Service, full: Clinic) -> None:
    """Each word that may be written about a person is in the export, for programs and for people; what the clinic
    concluded stands apart; of another client of the clinic, or of the same person at another clinic, there is no word.
    """
    words = await spelled_out(service, full, "a")
    first = full.ids["client_id"]
    await service.furnish(full)
    assert full.ids["client_id"] != first
    others = await spelled_out(service, full, "b")
    elsewhere = await service.full_clinic("vecina")
    others |= {f"vecina {name}": word for name, word in (await spelled_out(service, elsewhere, "c")).items()}
    found = await handed(service, full, first)
    columns = {f"{table.name}.{column.name}" for table in handed_over() for column in shown(table)}
    for name, word in words.items():
        told = name in columns
        assert (word in found.page) == told, name
        assert (word in found.files["inferidos.json"]) == (told and name in INFERRED), name
        assert (word in found.files["datos.json"]) == (told and name not in INFERRED), name
    assert [name for name, word in others.items() if word in found.whole()] == []
    # Of the co-owner, who has a name and nothing else.
    assert "Chiluiza" not in found.whole()
    assert [table for table in KEPT_BACK if table in found.portable["data"]] == []


async def test_documented(service: Service, clinic: Clinic) -> None:
    """Each table and column of the export is explained in both languages, and its rows have no others."""
    found = await handed(service, clinic)
    for document in (found.portable, found.inferred):
        assert [each["name"] for each in document["tables"]] == list(document["data"])
        for table in document["tables"]:
            assert table["es"]
            assert table["en"]
            assert [column for column in table["columns"] if not (column["es"] and column["en"])] == [], table["name"]
            named = {column["name"] for column in table["columns"]} | {"service"}
            assert {name for row in document["data"][table["name"]] for name in row} <= named, table["name"]


async def test_no_secrets_nor_staff(service: Service, clinic: Clinic) -> None:
    """No hash of a token, no key, no member's id or mail address is handed over."""
    found = await handed(service, clinic)
    whole = found.whole()
    assert [
        name for name, value in clinic.ids.items() if name.endswith(("token", "member_id")) and value in whole
    ] == []
    for table in found.portable["tables"]:
        for column in table["columns"]:
            assert not re.search("token|secret|hash|firebase|_by$|member", column["name"]) or column["name"] in {
                "given_by",
                "settled_by",
            }, f"{table['name']}.{column['name']}"


async def test_page(service: Service, clinic: Clinic) -> None:
    """The page runs nothing and fetches nothing, whatever was written, and tells days in the clinic's zone."""
    nasty = "<script>alert('{}')</script>&<img src=//x.test onerror=alert(1)>"
    at = f"/clinics/{clinic.slug}"
    person = {"given_name": "Inés", "family_name": "Cheme", "address": nasty}
    made = await service.done("POST", f"{at}/clients", clinic.owner, json=person)
    animal = {"client_id": made["id"], "name": "<b>Luna</b>", "species": "dog", "birth_date": "2024-02-29",
              "birth_date_precision": "day"}  # fmt: skip
    patient = await service.done("POST", f"{at}/patients", clinic.owner, json=animal)
    told = (await handed(service, clinic, made["id"])).page
    assert "<script" not in told.lower()
    assert "<img" not in told
    assert "<b>Luna" not in told
    assert "&lt;script&gt;alert(&#x27;{}&#x27;)&lt;/script&gt;&amp;&lt;img" in told
    [style] = re.findall("<style>(.*?)</style>", told, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{digest}&#x27;" in told
    assert "default-src &#x27;none&#x27;" in told
    assert re.findall(r'\b(?:src|href)="', told) == []
    assert "29/02/2024" in told
    registered = datetime.fromisoformat(patient["created_at"] if "created_at" in patient else made["created_at"])
    assert f"{registered.astimezone(UTC) - timedelta(hours=5):%d/%m/%Y %H:%M}" in told
    assert told.index("Sobre usted") < told.index("About you")
    assert "perro <i" in told


async def test_handed_over_animal(service: Service, clinic: Clinic) -> None:
    """Of an animal that changed hands each of both gets what was written in their time, and what is so of the animal
    whoever has it; a visit that went along with it does not tell what the former owner wrote.
    """
    at, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    people = [
        (await service.done("POST", f"{at}/clients", clinic.owner, json={"given_name": name, "family_name": "Vera"}))[
            "id"
        ]
        for name in ("Rosa", "Hugo")
    ]
    animal = {"client_id": people[0], "name": "Bruno", "species": "dog"}
    patient = (await service.done("POST", f"{at}/patients", clinic.owner, json=animal))["id"]

    for each in people:  # whom they keep throughout, so that times are each animal's own
        kept = {"client_id": each, "name": "Siempre", "species": "cat"}
        await service.done("POST", f"{at}/patients", clinic.owner, json=kept)

    async def write(word: str) -> None:
        visit = {"patient_id": patient, "reason": f"consulta{word}"}
        await service.done("POST", f"{at}/encounters", vet, json=visit)
        dose = {"vaccine": f"vacuna{word}", "administered_at": "2026-01-10T15:00:00Z", "source": "external"}
        await service.done("POST", f"{at}/patients/{patient}/immunizations", vet, json=dose)

    await write("antes")
    booked = {**clinic.visit(), "patient_id": patient, "reason": "motivoantes"}
    await service.done("POST", f"{at}/appointments", clinic.owner, json=booked)
    guest = {"given_name": "Rosa", "family_name": "Vera", "phone": "0987654321"}
    own = {"client": guest, "patient": {"name": "Bruno", "species": "dog"}}
    await service.done("PATCH", f"{at}/clients/{people[0]}", clinic.owner, json={"phone": guest["phone"]})
    await service.done("POST", f"/portal/clinics/{clinic.slug}/bookings", {}, json=clinic.guest(**own))
    await service.done("POST", f"{at}/patients/{patient}/transfer", clinic.owner, json={"client_id": people[1]})
    await write("después")
    before, after = [await handed(service, clinic, each) for each in people]
    for word, of_before, of_after in (
        ("consultaantes", True, False),
        ("consultadespués", False, True),
        ("vacunaantes", True, True),
        ("vacunadespués", False, True),
        ("motivoantes", False, False),
        ("+593987654321", True, False),
    ):
        assert (word in before.files["datos.json"]) == of_before, word
        assert (word in after.files["datos.json"]) == of_after, word
    assert [row["given_name"] for row in before.rows("guest_requests")] == ["Rosa"]
    assert after.rows("guest_requests") == []
    assert len(after.rows("appointments")) == 2


async def test_shared_animal(service: Service, clinic: Clinic) -> None:
    """A co-owner who came later gets the whole record, and nothing of how the owner is reached."""
    at = f"/clinics/{clinic.slug}"
    owner = {"given_name": "Elsa", "family_name": "Propietaria", "phone": "0991112223", "address": "Calle Elsa"}
    first = (await service.done("POST", f"{at}/clients", clinic.owner, json=owner))["id"]
    animal = {"client_id": first, "name": "Nube", "species": "cat"}
    patient = (await service.done("POST", f"{at}/patients", clinic.owner, json=animal))["id"]
    visit = {"patient_id": patient, "reason": "antesdelacompañía"}
    await service.done("POST", f"{at}/encounters", clinic.people["vet"], json=visit)
    second = {"given_name": "Iván", "family_name": "Copropietario"}
    other = (await service.done("POST", f"{at}/clients", clinic.owner, json=second))["id"]
    party = {"client_id": other, "role": "co_owner"}
    await service.done("POST", f"{at}/patients/{patient}/parties", clinic.owner, json=party)
    found = await handed(service, clinic, other)
    assert "antesdelacompañía" in found.page
    assert [row["role"] for row in found.rows("parties")] == ["co_owner"]
    for word in ("Elsa", "Propietaria", "991112223", first):
        assert word not in found.whole()


async def test_merged(service: Service, clinic: Clinic) -> None:
    """Of somebody who was merged both ids lead to the one person, with what was known of the other."""
    ids = clinic.ids
    [merge] = (await service.done("GET", f"/clinics/{clinic.slug}/merges", clinic.owner,
                                  params={"client_id": ids["client_id"], "limit": 1}))["items"]  # fmt: skip
    merged = merge["merged"]["id"]
    found, same = await handed(service, clinic), await handed(service, clinic, merged)
    assert {ids["client_id"], merged} <= {row["id"] for row in found.rows("clients")}
    assert found.portable["client_id"] == same.portable["client_id"] == ids["client_id"]
    assert found.rows("clients") == same.rows("clients")
    assert merged in {row["merged_id"] for row in found.rows("client_merges")}


async def test_merged_by_mistake(service: Service, clinic: Clinic) -> None:
    """Of a merge that was undone neither of both is told, for the other is somebody else."""
    at = f"/clinics/{clinic.slug}"
    first, second = [
        (await service.done("POST", f"{at}/clients", clinic.owner, json={"given_name": name, "family_name": "Mero"}))[
            "id"
        ]
        for name in ("Ana", "Berta")
    ]
    merge = await service.done("POST", f"{at}/clients/{first}/merge", clinic.owner, json={"merged_id": second})
    await service.done("POST", f"{at}/merges/{merge['id']}/undo", clinic.owner)
    for one, other in ((first, second), (second, first)):
        assert other not in (await handed(service, clinic, one)).whole()


async def test_gone_and_unknown(service: Service, clinic: Clinic) -> None:
    """Who was erased is as unknown as somebody of another clinic."""
    at = f"/clinics/{clinic.slug}/clients"
    made = await service.done("POST", at, clinic.owner, json={"given_name": "Leo", "family_name": "Gómez"})
    async with superuser(service.settings) as admin, unguarded(admin):
        await admin.execute("UPDATE clients SET erased_at = now() WHERE id = $1", UUID(made["id"]))
    other = await service.full_clinic("otra")
    answers = [
        await service.ask("POST", f"{at}/{client_id}/export", clinic.owner)
        for client_id in (made["id"], other.ids["client_id"], "01a209de-1fcd-76e4-bbbf-975ac71b2f8f")
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}


async def test_no_text_stands_in_the_way(service: Service, clinic: Clinic) -> None:
    """A legal text that waits for the member's decision does not keep a person from what is theirs."""
    with service.legal_pending():
        await handed(service, clinic)


async def test_read_only(service: Service, clinic: Clinic) -> None:
    """The work that looks can change nothing, and sees one moment."""

    async def change() -> None:
        async with service.application.works.begin(actor_of(clinic)) as work:
            await work.holdings.freeze()
            before = await work.holdings.of(UUID(clinic.ids["client_id"]))
            person = {"kind": "phone", "value": "0997776665"}
            at = f"/clinics/{clinic.slug}/clients/{clinic.ids['client_id']}/contacts"
            await service.done("POST", at, clinic.owner, json=person)
            assert await work.holdings.of(UUID(clinic.ids["client_id"])) == before
            await work.execute("UPDATE clients SET version = version")

    with pytest.raises(ReadOnlySQLTransactionError):
        await change()


MANY = """
WITH me AS (SELECT clinic_id, id AS client_id FROM clients WHERE id = $1), animals AS (
    INSERT INTO patients (clinic_id, id, name, species, sex, reproductive_status, search_key, version, created_at)
    SELECT clinic_id, gen_random_uuid(), 'Paciente ' || n, 'dog', 'female', 'intact', 'paciente', 1, now()
    FROM me, generate_series(1, 20) n RETURNING clinic_id, id
), theirs AS (
    INSERT INTO parties (clinic_id, id, patient_id, client_id, role, since, may_consent)
    SELECT a.clinic_id, gen_random_uuid(), a.id, me.client_id, 'owner', now(), true FROM animals a, me
), visits AS (
    INSERT INTO encounters (clinic_id, id, patient_id, started_at, reason, created_at, subjective, plan, version)
    SELECT a.clinic_id, gen_random_uuid(), a.id, now(), 'Control', now(), repeat('Come bien. ', 20), 'Volver', 1
    FROM animals a, generate_series(1, 50)
)
INSERT INTO weights (clinic_id, id, patient_id, weight_kg, weighed_at, created_at)
SELECT a.clinic_id, gen_random_uuid(), a.id, 12.4, now(), now() FROM animals a, generate_series(1, 50)
"""


@pytest.mark.alone
async def test_speed(service: Service, clinic: Clinic) -> None:
    """Twenty animals with 2,000 entries are handed over in less than a second, in three queries."""
    at = f"/clinics/{clinic.slug}/clients"
    made = await service.done("POST", at, clinic.owner, json={"given_name": "Criadero", "family_name": "Sur"})
    async with superuser(service.settings) as admin:
        await admin.execute(MANY, UUID(made["id"]))
    times = []
    for _ in range(3):
        started = perf_counter()
        found = await handed(service, clinic, made["id"])
        times.append(perf_counter() - started)
    assert (len(found.rows("encounters")), len(found.rows("weights"))) == (1000, 1000)
    assert min(times) < 1
