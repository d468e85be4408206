"""Finding clients and patients over HTTP by what somebody says at the counter."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Service, superuser

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.patients.clients import search_key as client_key
from coravet.core.patients.model import Client, Party, Patient
from coravet.core.patients.patients import search_key as patient_key
from coravet.core.patients.search import typed, typos


class Desk:
    """A clinic's reception, which registers people and animals and looks for them."""

    def __init__(self, service: Service, clinic: Clinic) -> None:
        self.service = service
        self.clinic = clinic

    async def done(self, method: str, path: str, **content: Any) -> Any:
        return await self.service.done(method, f"/clinics/{self.clinic.slug}/{path}", self.clinic.owner, **content)

    async def client(self, given_name: str, family_name: str, **more: Any) -> str:
        person = {"given_name": given_name, "family_name": family_name, **more}
        made: str = (await self.done("POST", "clients", json=person))["id"]
        return made

    async def patient(self, client_id: str, name: str, **more: Any) -> str:
        animal = {"client_id": client_id, "name": name, "species": "dog", **more}
        made: str = (await self.done("POST", "patients", json=animal))["id"]
        return made

    async def found(self, text: str, limit: int = 20) -> list[str]:
        """The names of those who are found, best first."""
        items = (await self.done("GET", "search", params={"q": text, "limit": limit}))["items"]
        return [item["name"] for item in items]

    async def words(self, entity_id: str) -> set[str]:
        """What the index keeps of a client or patient."""
        async with superuser(self.service.settings) as admin:
            rows = await admin.fetch("SELECT word FROM search_words WHERE id = $1", UUID(entity_id))
        return {row["word"] for row in rows}


@pytest.fixture
async def desk(service: Service) -> Desk:
    """A clinic of the test's own, with nobody in it."""
    return Desk(service, await service.open_clinic("buscar"))


async def test_forgiving(desk: Desk) -> None:
    """Accents, case, one typo, the end of a word and the order of words do not matter; two typos do."""
    mendoza = await desk.client("María José", "Mendoza Ñacato")
    await desk.patient(mendoza, "Firuláis")
    for text in ("firulai", "FIRULAIS", "firulays", "Firlais", "ifrulais", "firrulais"):
        assert await desk.found(text) == ["Firuláis"], text
    for text in ("mendosa", "nacato", "Ñacato mend", "jose MARIA", "mendoza mari", "mendosa jose"):
        assert (await desk.found(text))[0] == "María José Mendoza Ñacato", text
    for text in ("mendoza firu", "firu mendoza", "firulais maria jose", "firu mendosa"):
        assert await desk.found(text) == ["Firuláis"], text
    for text in ("firuxxis", "mendozza firulaiz luna", "nadie"):
        assert await desk.found(text) == [], text


async def test_numbers(desk: Desk) -> None:
    """Phones, chips and documents are found by their beginning and by their end, in any usual form."""
    client = await desk.client(
        "Ana", "Loor", phone="0991234567", document_type="cedula", document_number="1714307103", email="AL@correo.test"
    )
    patient = await desk.patient(client, "Toby")
    await desk.done("POST", f"clients/{client}/contacts", json={"kind": "phone", "value": "0987654321"})
    await desk.done("POST", f"clients/{client}/contacts", json={"kind": "email", "value": "hija@correo.test"})
    chip = {"kind": "iso_chip", "value": "941000024680135"}
    made = await desk.done("POST", f"patients/{patient}/identifiers", json=chip)
    await desk.done("POST", f"patients/{patient}/identifiers", json={"kind": "municipal", "value": "LC-2024-77"})
    for text in (
        "0991234567", "099 123", "+593 99 123 4567", "4567", "34567", "654321", "1714307", "307103", "al@cor", "hija@",
        "00593991234567", "loor 099 123 4567", "Sra. Loor", "dra loor",
    ):  # fmt: skip
        assert await desk.found(text) == ["Ana Loor", "Toby"], text
    for text in ("680135", "941000024680135", "941 000 024 680 135", "9410", "lc-2024-77", "lc202477", "loor 0135"):
        assert await desk.found(text) == ["Toby"], text
    assert await desk.found("luna 4567") == []
    await desk.done("DELETE", f"patients/{patient}/identifiers/{made['id']}")
    assert await desk.found("680135") == []
    assert not {word for word in await desk.words(patient) if "680135" in word or "531086" in word}


async def test_letters_and_digits(desk: Desk) -> None:
    """Where letters meet digits, it does not matter what is written between them."""
    client = await desk.client("Iris", "Kohl", document_type="passport", document_number="AB-123456")
    await desk.patient(client, "K-9")
    await desk.patient(client, "Luna 2")
    for text in ("AB-123456", "ab 123456", "ab123456", "123456", "3456"):
        assert await desk.found(text) == ["Iris Kohl", "K-9", "Luna 2"], text
    for text in ("k9", "K-9", "k 9", "K.9"):
        assert await desk.found(text) == ["K-9"], text
    for text in ("luna2", "luna-2", "2 luna"):
        assert await desk.found(text) == ["Luna 2"], text


async def test_zeros(desk: Desk) -> None:
    """Last digits are meant with their zeros: 0567 is not all that ends in 567."""
    for family, phone in (("Arce", "0991230567"), ("Bravo", "0991231567")):
        await desk.client("Ana", family, phone=phone)
    assert await desk.found("0567") == ["Ana Arce"]
    assert await desk.found("567") == ["Ana Arce", "Ana Bravo"]


async def test_many_neighbours(desk: Desk, service: Service) -> None:
    """Among many names that are one mistake away, those are found that people mistake most."""
    near = [form for form in typos("mria") if len(form) == 4 and form.isalpha()]
    async with superuser(service.settings) as admin:
        await admin.execute(
            "INSERT INTO clients (clinic_id, id, given_name, family_name, search_key, version, created_at)"
            " SELECT $1, uuidv7(), name || 'x', 'Loor', name || 'x loor', 1, now() FROM unnest($2::text[]) AS name",
            UUID(desk.clinic.id),
            near,
        )
    await desk.client("María", "Mora")
    assert (await desk.found("mria"))[0] == "María Mora"


async def test_rank(desk: Desk) -> None:
    """Names that begin so come first, whole words before cut ones, then typos; the dead after the living."""
    owner = await desk.client("Zoila", "Vera")
    for given, family in (("Luana", "Paz"), ("Lunaria", "Paz"), ("Rosa", "Luna"), ("Luna", "Paz"), ("Luna", "Arce")):
        await desk.client(given, family)
    dead = await desk.patient(owner, "Luna")
    await desk.done(
        "POST", f"patients/{dead}/deceased", json={"on": (datetime.now(UTC) - timedelta(days=1)).date().isoformat()}
    )
    expected = ["Luna Arce", "Luna Paz", "Lunaria Paz", "Rosa Luna", "Luna", "Luana Paz"]
    assert await desk.found("luna") == expected
    assert await desk.found("luna") == expected
    assert await desk.found("luna", limit=2) == expected[:2]
    await desk.done("DELETE", f"patients/{dead}/deceased")
    assert await desk.found("luna") == ["Luna", "Luna Arce", "Luna Paz", "Lunaria Paz", "Rosa Luna", "Luana Paz"]


async def test_whose(desk: Desk) -> None:
    """A client's patients follow them; a patient is found by whom it belongs to now, co-owners too."""
    ana, eva = await desk.client("Ana", "Bravo"), await desk.client("Eva", "Cagua")
    rex = await desk.patient(ana, "Rex")
    await desk.patient(eva, "Michi")
    assert await desk.found("bravo") == ["Ana Bravo", "Rex"]
    assert await desk.found("rex cagua") == []
    party = await desk.done("POST", f"patients/{rex}/parties", json={"client_id": eva, "role": "co_owner"})
    assert await desk.found("rex cagua") == await desk.found("rex ana") == await desk.found("rex") == ["Rex"]
    assert await desk.found("eva cagua") == ["Eva Cagua", "Michi", "Rex"]
    assert await desk.found("michi rex") == []
    await desk.done("DELETE", f"patients/{rex}/parties/{party['id']}")
    assert await desk.found("rex cagua") == []
    await desk.done("POST", f"patients/{rex}/transfer", json={"client_id": eva})
    assert (await desk.found("rex cagua"), await desk.found("rex bravo")) == (["Rex"], [])
    assert await desk.found("bravo") == ["Ana Bravo"]


async def test_deceased(desk: Desk) -> None:
    """A hit tells of what species it is and whether it has died."""
    owner = await desk.client("Nelly", "Ramírez")
    await desk.patient(owner, "Pelusa", species="cat")
    dead = await desk.patient(owner, "Pelusita", species="rabbit")
    await desk.done("POST", f"patients/{dead}/deceased", json={"on": "2026-01-05"})
    items = (await desk.done("GET", "search", params={"q": "pelus"}))["items"]
    assert [(each["species"], each["deceased"]) for each in items] == [("cat", False), ("rabbit", True)]
    items = (await desk.done("GET", "search", params={"q": "nelly"}))["items"]
    assert (items[0]["type"], items[0]["species"], items[0]["deceased"]) == ("client", None, False)


async def test_changes(desk: Desk) -> None:
    """What changes is found by its new words only, and of the old ones none is kept."""
    client = await desk.client("Ana", "Pincay", phone="0991234567")
    patient = await desk.patient(client, "Rocky", breed="Bóxer")
    await desk.done("PATCH", f"clients/{client}", json={"family_name": "Intriago", "phone": None})
    await desk.done("PATCH", f"patients/{patient}", json={"name": "Simba", "breed": None})
    assert await desk.found("pincay") == await desk.found("4567") == await desk.found("rocky") == []
    assert await desk.found("intriago simba") == ["Simba"]
    assert (await desk.words(client), await desk.words(patient)) == ({"ana", "intriago"}, {"simba"})


async def test_merged(desk: Desk) -> None:
    """Who was merged into another is not found, and leaves no word; parted again, both are."""
    kept, gone = await desk.client("Ana", "Mera"), await desk.client("Anita", "Barreto", phone="0991234567")
    patient = await desk.patient(gone, "Nala")
    merge = await desk.done("POST", f"clients/{kept}/merge", json={"merged_id": gone})
    assert await desk.words(gone) == set()
    assert (await desk.found("barreto"), await desk.found("nala mera")) == ([], ["Nala"])
    assert await desk.found("4567") == ["Ana Mera", "Nala"]
    await desk.done("POST", f"merges/{merge['id']}/undo")
    assert await desk.found("barreto") == ["Anita Barreto", "Nala"]
    assert await desk.words(patient) == {"nala"}


async def test_lists(desk: Desk) -> None:
    """Lists are narrowed by the same words, but for typos, page by page; what holds no word means nobody."""
    for number in range(3):
        client = await desk.client(f"Rosa{number}", "Alcívar", phone=f"099123456{number}")
        await desk.patient(client, f"Copito{number}", breed="Persa")
    for path, name in (("clients", "alci ros"), ("patients", "copi persa")):
        first = await desk.done("GET", path, params={"q": name, "limit": 2})
        second = await desk.done("GET", path, params={"q": name, "limit": 2, "cursor": first["next_cursor"]})
        assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (2, 1, None)
    for path, text, count in (
        ("clients", "4562", 1), ("clients", "copito", 0), ("clients", "alcibar", 0), ("clients", "🐶", 0),
        ("patients", "alcivar", 0), ("patients", "copito1", 1),
    ):  # fmt: skip
        assert len((await desk.done("GET", path, params={"q": text}))["items"]) == count, (path, text)


async def test_common(desk: Desk, service: Service) -> None:
    """Lists of thousands who have a word are read page by page, in order and without those who have it not."""
    async with superuser(service.settings) as admin:
        for statement in (
            "INSERT INTO clients (clinic_id, id, given_name, family_name, search_key, version, created_at)"
            " SELECT $1, uuidv7(), 'Rosa', lpad(n::text, 4, '0'), CASE WHEN n % 9 > 0 THEN 'rosa' ELSE 'eva' END, 1,"
            " now() FROM generate_series(1, 2400) AS n",
            "INSERT INTO patients (clinic_id, id, name, species, sex, reproductive_status, search_key, version,"
            " created_at) SELECT $1, uuidv7(), family_name, 'dog', 'male', 'intact', search_key, 1, now()"
            " FROM clients WHERE clinic_id = $1",
            "INSERT INTO parties (clinic_id, id, patient_id, client_id, role, since, may_consent)"
            " SELECT $1, uuidv7(), p.id, c.id, 'owner', now(), true FROM patients p"
            " JOIN clients c ON c.clinic_id = p.clinic_id AND c.family_name = p.name WHERE p.clinic_id = $1",
        ):
            await admin.execute(statement, UUID(desk.clinic.id))
    for path, name in (("clients", "family_name"), ("patients", "name")):
        first = await desk.done("GET", path, params={"q": "ros", "limit": 9})
        second = await desk.done("GET", path, params={"q": "ros", "limit": 9, "cursor": first["next_cursor"]})
        numbers = [int(item[name]) for item in first["items"] + second["items"]]
        assert numbers == [n for n in range(1, 21) if n % 9][:18], path


async def test_other_clinics(desk: Desk, service: Service) -> None:
    """A clinic finds nobody of another's, neither as typed nor by a typo, and cannot touch what is kept of its own."""
    stranger = Desk(service, await service.open_clinic("vecina"))
    client = await stranger.client("Zenobia", "Quimbita", phone="0991112223")
    await stranger.patient(client, "Zarpazo")
    for text in ("zenobia", "zenovia", "quimbita zar", "2223", "zarpaso"):
        assert await desk.found(text) == []
        assert await stranger.found(text) != []
    actor = Actor(clinic_id=ClinicId(UUID(desk.clinic.id)), time_zone="UTC", user_id=None)
    async with service.application.works.begin(actor) as work:
        assert await work.fetch("SELECT FROM search_words WHERE word = 'zenobia'") == []
    for statement in ("DELETE FROM search_words", "SELECT put_client_words('{}', '{}')", "SELECT search_clients()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with service.application.works.begin(actor) as work:
                await work.execute(statement)


GIVEN, FAMILY, ANIMALS = (
    ("ana", "ana maria", "maria", "mario"),
    ("mora", "moreira", "vera", "anda"),
    ("luna", "lunar", "mora"),
)


async def test_oracle(desk: Desk, service: Service) -> None:
    """In a small clinic made at random, in bulk, everybody who should be found is, and nobody else."""
    chance = random.Random(11)  # noqa: S311 -- the same clinic each time
    now, clinic_id = datetime.now(UTC), ClinicId(UUID(desk.clinic.id))
    actor = Actor(clinic_id=clinic_id, time_zone="UTC", user_id=None)
    async with service.application.works.begin(actor) as work:
        clients = [
            Client(
                clinic_id, work.new_id(), chance.choice(GIVEN), chance.choice(FAMILY), None, None, None, None, "", now
            )
            for _ in range(40)
        ]
        patients = [
            Patient(
                clinic_id,
                work.new_id(),
                chance.choice(ANIMALS),
                "dog",
                None,
                "male",
                "intact",
                None,
                None,
                None,
                "",
                now,
            )
            for _ in range(50)
        ]
        for client in clients:
            client.search_key = client_key(client)
        for patient in patients:
            patient.search_key = patient_key(patient)
        owners = {patient.id: chance.choice(clients) for patient in patients}
        parties = [
            Party(clinic_id, work.new_id(), patient.id, owners[patient.id].id, "owner", now) for patient in patients
        ]
        await work.insert(clients, patients, parties)
    for _ in range(60):
        sought = [
            chance.choice([*FAMILY, *ANIMALS, "maria", "ana"])[: chance.randint(2, 6)]
            for _ in range(chance.randint(1, 3))
        ]
        kept = [word.forms[0] for word in typed(" ".join(sought))]

        def has(key: str, word: str) -> bool:
            return any(each.startswith(word) for each in key.split())

        expected = {client.id for client in clients if all(has(client.search_key, word) for word in kept)}
        for patient in patients:
            own = [has(patient.search_key, word) for word in kept]
            theirs = [has(owners[patient.id].search_key, word) for word in kept]
            if (any(own) and all(map(max, own, theirs))) or all(theirs):
                expected.add(patient.id)
        async with service.application.works.begin(actor) as work:
            found = [each.id for each in await work.search.as_typed(typed(" ".join(sought)), 200)]
        assert len(found) == len(set(found))
        assert set(found) == expected, sought


async def test_bulk(desk: Desk, service: Service) -> None:
    """What is written, changed and deleted by statements of many rows leaves the index as if it were made anew."""
    now, clinic_id = datetime.now(UTC), ClinicId(UUID(desk.clinic.id))
    client = await desk.client("Ana", "Mora")
    async with superuser(service.settings) as admin:
        await admin.execute(
            "INSERT INTO clients (clinic_id, id, given_name, family_name, search_key, version, created_at)"
            " SELECT $1, uuidv7(), 'Eva', 'Vera' || n, 'eva vera' || n, 1, $2 FROM generate_series(1, 500) AS n",
            clinic_id,
            now,
        )
        count = "SELECT count(*) FROM search_words WHERE clinic_id = $1 AND word LIKE $2"
        assert await admin.fetchval(count, clinic_id, "vera%") == 500
        await admin.execute(
            "UPDATE clients SET search_key = replace(search_key, 'vera', 'loor') WHERE clinic_id = $1", clinic_id
        )
        assert await admin.fetchval(count, clinic_id, "vera%") == 0
        assert await admin.fetchval(count, clinic_id, "loor%") == 500
        await admin.execute("DELETE FROM clients WHERE clinic_id = $1 AND id <> $2", clinic_id, UUID(client))
        assert await admin.fetchval(count, clinic_id, "%") == 2
