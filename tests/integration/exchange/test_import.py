"""A clinic's own list becomes its clients and patients: looked at row by row first, then as a whole or not at all."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from tests.integration.http.service import Clinic, Service, superuser

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.exchange.apply import apply
from coravet.core.exchange.imports import CHUNK, PART, check, receive
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import Unavailable

MESSY = (
    "CLÍNICA VETERINARIA DE PRUEBA;;;;;;;;;\r\n"
    ";;;;;;;;;\r\n"
    "Cédula;Apellidos y Nombres;Teléfono;Correo;Mascota 1;Especie 1;F. Nac. 1;Sexo 1;Mascota 2;Especie 2;"
    "Observaciones\r\n"
    "2300000003;PÉREZ LÓPEZ ANA MARÍA;0991234567 / 022345678;ana@correo.test;Firuláis;Perro;03/04/2019;Macho castrado"
    ';Michi;Felino;"Dice ""hola""; vive lejos"\r\n'
    ";;;;Luna;gato;13/05/2020;H;;;\r\n"
    ";Peres Lopez Ana;099 123 4567;;FIRULAIS;canino;;;;;\r\n"
    "\r\n"
    ";Mora Vera Luis;0987654321;;Rex;perro;43558;M;;;=cmd()\r\n"
    ';"Zambrano Eva;0991111111;;Pelusa;gato;;;;;\r\n'
    "1714307104;Vera Mora Rosa;0992222222;;Toby;perro;31/02/2020;M;;;\r\n"
    ";Quimbiurco Zoila;0991234567;;Firulais;perro;;;Nube;conejo;\r\n"
).encode("latin-1")
"""As spreadsheets write them in Ecuador: a title above, semicolons, latin-1, families in one row and in several."""


HALF = PART // 1000 * 1000 + 9000
"""Bytes of a file that arrive before the connection drops: more than one part."""


def actor_of(clinic: Clinic) -> Actor:
    """The system at work in the clinic."""
    return Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)


async def handed_in(service: Service, clinic: Clinic, data: bytes, name: str = "clientes.csv") -> Any:
    """A file that is all here, over HTTP."""
    file = {"file_name": name, "size": len(data), "sha256": sha256(data).hexdigest()}
    made = await service.done("POST", f"/clinics/{clinic.slug}/imports", clinic.owner, json=file)
    at = f"/clinics/{clinic.slug}/imports/{made['id']}/file"
    return await service.done("PUT", at, clinic.owner, content=data, params={"offset": made["received"]})


async def looked_at(service: Service, clinic: Clinic, import_id: str) -> Any:
    """The import once a worker has checked it."""
    works = service.application.works
    await check(UUID(import_id), actor_of(clinic), works.begin, SystemClock(), EcuadorNumbers())
    return await service.done("GET", f"/clinics/{clinic.slug}/imports/{import_id}", clinic.owner)


async def checked(service: Service, clinic: Clinic, data: bytes) -> Any:
    """A file that was handed in and checked."""
    return await looked_at(service, clinic, (await handed_in(service, clinic, data))["id"])


async def rows_of(service: Service, clinic: Clinic, import_id: str, **params: Any) -> Any:
    """The report."""
    at = f"/clinics/{clinic.slug}/imports/{import_id}/rows"
    return (await service.done("GET", at, clinic.owner, params={"limit": 200, **params}))["items"]


async def applied(service: Service, clinic: Clinic, import_id: str, *, skip_errors: bool = False) -> Any:
    """The import once a worker has applied it."""
    at = f"/clinics/{clinic.slug}/imports/{import_id}"
    await service.done("POST", f"{at}/apply", clinic.owner, json={"skip_errors": skip_errors})
    await apply(UUID(import_id), actor_of(clinic), service.application.works.begin, SystemClock())
    return await service.done("GET", at, clinic.owner)


async def patients_of(service: Service, clinic: Clinic) -> dict[str, str]:
    """The clinic's patients by name, with the names of their owners."""
    at = f"/clinics/{clinic.slug}/patients"
    found = await service.done("GET", at, clinic.owner, params={"limit": 200})
    return {each["name"]: each["client"]["name"] for each in found["items"]}


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """A clinic with a client whose phone a family shares, and her dog."""
    found = await service.open_clinic("lista")
    await service.equip(found)
    return found


async def test_dry_run(service: Service, clinic: Clinic) -> None:
    """Each row's outcome is told, with the column and what to do, and nothing is changed."""
    before = await patients_of(service, clinic)
    found = await checked(service, clinic, MESSY)
    assert (found["status"], found["encoding"], found["separator"]) == ("checked", "cp1252", ";")
    assert [each["header"] for each in found["columns"] if each["field"] is None] == ["Observaciones"]
    rows = await rows_of(service, clinic, found["id"])
    told = [(row["number"], row["outcome"], row["merged_with"], [p["code"] for p in row["problems"]]) for row in rows]
    assert told == [
        (4, "created", None, []),
        (5, "merged", 4, ["client_above"]),
        (6, "merged", 4, ["name_split"]),
        (8, "created", None, ["name_split"]),
        (9, "error", None, ["broken_quote"]),
        (10, "error", None, ["name_split", "cedula_check_digit", "not_a_date"]),
        (11, "matched", None, []),
    ]
    assert [[(each["name"], each["exists"]) for each in row["patients"]] for row in rows] == [
        [("Firuláis", False), ("Michi", False)],
        [("Luna", False)],
        [("FIRULAIS", True)],
        [("Rex", False)],
        [],
        [],
        [("Firulais", True), ("Nube", False)],
    ]
    assert found["counts"] == {
        "created": 2, "matched": 1, "merged": 2, "errors": 2, "warnings": 3, "patients": 5
    }  # fmt: skip
    assert found["rows"] == found["checked"] == 7
    [bad] = [each for each in rows[5]["problems"] if each["code"] == "cedula_check_digit"]
    assert (bad["column"], bad["error"]) == ("Cédula", True)
    assert await patients_of(service, clinic) == before


async def test_languages(service: Service, clinic: Clinic) -> None:
    """What is wrong with a row is told in the reader's language, whenever it was checked."""
    found = await checked(service, clinic, MESSY)
    at = f"/api/v1/clinics/{clinic.slug}/imports/{found['id']}/rows"
    told = {}
    for language in ("es", "en"):
        headers = {**clinic.owner, "Accept-Language": language}
        answer = await service.client.get(at, headers=headers, params={"outcome": "error", "limit": 1})
        [row] = answer.json()["items"]
        told[language] = row["problems"][0]["detail"]
    assert told["es"].startswith("Aquí se abre una comilla")
    assert told["en"].startswith("A quotation mark opens here")


async def test_applied(service: Service, clinic: Clinic) -> None:
    """All sound rows become clients and patients at once; whom the clinic knew stay as they were, with more animals."""
    found = await checked(service, clinic, MESSY)
    at = f"/clinics/{clinic.slug}/imports/{found['id']}"
    refused = await service.ask("POST", f"{at}/apply", clinic.owner, json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "import_has_errors")
    done = await applied(service, clinic, found["id"], skip_errors=True)
    assert (done["status"], done["applied"]) == ("applied", 5)
    assert await patients_of(service, clinic) == {
        "Firulais": "Zoila Quimbiurco",
        "Nube": "Zoila Quimbiurco",
        "Firuláis": "ANA MARÍA PÉREZ LÓPEZ",
        "Michi": "ANA MARÍA PÉREZ LÓPEZ",
        "Luna": "ANA MARÍA PÉREZ LÓPEZ",
        "Rex": "Luis Mora Vera",
    }
    clients = await service.done("GET", f"/clinics/{clinic.slug}/clients", clinic.owner, params={"q": "perez"})
    [ana] = clients["items"]
    assert (ana["document_number"], ana["phone"], ana["email"]) == ("2300000003", "+593991234567", "ana@correo.test")
    async with superuser(service.settings) as admin:
        assert (
            await admin.fetchval("SELECT value FROM contacts WHERE client_id = $1", UUID(ana["id"])) == "+59322345678"
        )
        kinds = await admin.fetch(
            "SELECT kind, subject_id FROM outbox WHERE clinic_id = $1 ORDER BY id DESC LIMIT 1", UUID(clinic.id)
        )
        assert [tuple(row) for row in kinds] == [("stream.resync", UUID(clinic.id))]
    luna = (await service.done("GET", f"/clinics/{clinic.slug}/patients", clinic.owner, params={"q": "luna"}))["items"]
    assert (luna[0]["birth_date"], luna[0]["sex"]) == ("2020-05-13", "female")


async def test_again(service: Service, clinic: Clinic) -> None:
    """The same file handed in, applied or checked again is the same import, and does nothing a second time."""
    data = "nombre;apellido;mascota;especie\nAna;Pérez;Luna;gato\n".encode()
    first = await checked(service, clinic, data)
    assert (await applied(service, clinic, first["id"]))["status"] == "applied"
    file = {"file_name": "otro.csv", "size": len(data), "sha256": sha256(data).hexdigest()}
    again = await service.done("POST", f"/clinics/{clinic.slug}/imports", clinic.owner, json=file)
    assert (again["id"], again["status"], again["file_name"]) == (first["id"], "applied", "clientes.csv")
    assert (await applied(service, clinic, first["id"]))["applied"] == 1
    assert len(await patients_of(service, clinic)) == 2


async def test_another_of_the_same(service: Service, clinic: Clinic) -> None:
    """Another file with the same people finds them all: nobody is made twice."""
    data = "nombre;apellido;celular;mascota;especie\nAna;Pérez;0998888888;Luna;gato\n".encode()
    await applied(service, clinic, (await checked(service, clinic, data))["id"])
    later = await checked(service, clinic, data + b"Ana Maria;Perez;0998888888;Sol;perro\n")
    assert later["counts"] == {"created": 0, "matched": 2, "merged": 0, "errors": 0, "warnings": 0, "patients": 1}


async def test_resumed_upload(service: Service, clinic: Clinic) -> None:
    """A connection that drops in the midst loses nothing that arrived: the rest is sent from there."""
    rows = "".join(f"Ana,Pérez {number},Luna,gato\n" for number in range(25_000))
    data = f"nombre,apellido,mascota,especie\n{rows}".encode()
    assert len(data) > 2 * PART
    file = {"file_name": "clientes.csv", "size": len(data), "sha256": sha256(data).hexdigest()}
    made = await service.done("POST", f"/clinics/{clinic.slug}/imports", clinic.owner, json=file)

    class DroppedError(Exception):
        pass

    async def dropping() -> AsyncIterator[bytes]:
        for place in range(0, HALF, 1000):
            yield data[place : place + 1000]
        raise DroppedError

    begin = service.application.works.begin
    with pytest.raises(DroppedError):
        await receive(UUID(made["id"]), 0, dropping(), actor_of(clinic), begin, str)
    found = await service.done("GET", f"/clinics/{clinic.slug}/imports/{made['id']}", clinic.owner)
    assert (found["status"], found["received"]) == ("uploading", HALF)
    at = f"/clinics/{clinic.slug}/imports/{made['id']}/file"
    wrong = await service.ask("PUT", at, clinic.owner, content=data)
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["received"]) == (409, "upload_offset", HALF)
    rest = await service.done("PUT", at, clinic.owner, content=data[HALF:], params={"offset": HALF})
    assert (rest["status"], rest["received"]) == ("checking", len(data))


async def test_other_bytes(service: Service, clinic: Clinic) -> None:
    """Bytes that are not those of the announced SHA-256, or too many, are refused; the file is sent anew."""
    data = b"nombre,apellido\nAna,Vera\n"
    file = {"file_name": "a.csv", "size": len(data), "sha256": sha256(data).hexdigest()}
    made = await service.done("POST", f"/clinics/{clinic.slug}/imports", clinic.owner, json=file)
    at = f"/clinics/{clinic.slug}/imports/{made['id']}/file"
    wrong = await service.ask("PUT", at, clinic.owner, content=data.upper())
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "mismatch")
    more = await service.ask("PUT", at, clinic.owner, content=data * 2)
    assert (more.status_code, more.json()["errors"][0]["code"]) == (422, "too_long")
    form = await service.ask("PUT", at, clinic.owner, files={"file": data})
    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media")
    assert (await service.done("PUT", at, clinic.owner, content=data))["status"] == "checking"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"Ana,Vera\nLuis,Mora\n", "no_header"),
        (b"\x00\xff\x00\xff" * 50, "no_header"),
        (b"nombre,apellido\n\n,\n", "no_rows"),
        (b"PK\x03\x04" + b"\x00" * 50, "not_csv"),
    ],
)
async def test_refused(service: Service, clinic: Clinic, data: bytes, code: str) -> None:
    """A file that is no list of clients is refused with what to do, and none of its bytes are kept."""
    found = await checked(service, clinic, data)
    assert (found["status"], found["problem"]["code"]) == ("refused", code)
    refused = await service.ask("POST", f"/clinics/{clinic.slug}/imports/{found['id']}/apply", clinic.owner)
    assert (refused.status_code, refused.json()["code"]) == (409, "invalid_transition")
    async with superuser(service.settings) as admin:
        assert await admin.fetchval("SELECT count(*) FROM import_parts WHERE import_id = $1", UUID(found["id"])) == 0


async def test_changed_meanwhile(service: Service, clinic: Clinic) -> None:
    """A document that was registered since the check imports nothing at all: the file is checked again, and says so."""
    data = "cédula;nombre;apellido;mascota;especie\n;Eva;Vera;Sol;perro\n2300000003;Ana;Pérez;Luna;gato\n".encode()
    found = await checked(service, clinic, data)
    person = {"given_name": "Ana", "family_name": "P.", "document_type": "cedula", "document_number": "2300000003"}
    await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=person)
    before = await patients_of(service, clinic)
    assert (await applied(service, clinic, found["id"]))["status"] == "checking"
    assert await patients_of(service, clinic) == before
    again = await looked_at(service, clinic, found["id"])
    assert (again["status"], again["counts"]["matched"]) == ("checked", 1)
    assert (await applied(service, clinic, found["id"]))["status"] == "applied"
    assert (await patients_of(service, clinic))["Luna"] == "Ana P."


async def test_others_are_checked_again(service: Service, clinic: Clinic) -> None:
    """Once a file was imported, others that were checked before it are checked again: they may hold the same people."""
    ana = "nombre;apellido;celular;mascota;especie\nAna;Pérez;0998888888;{};gato\n"
    one, other = [await checked(service, clinic, ana.format(name).encode()) for name in ("Luna", "Sol")]
    await applied(service, clinic, one["id"])
    at = f"/clinics/{clinic.slug}/imports/{other['id']}"
    assert (await service.done("GET", at, clinic.owner))["status"] == "checking"
    assert (await looked_at(service, clinic, other["id"]))["counts"]["matched"] == 1


async def test_one_at_a_time(service: Service, clinic: Clinic) -> None:
    """While one file is being imported another waits, and is tried again by the worker."""
    found = await checked(service, clinic, b"nombre,apellido\nAna,Vera\n")
    await service.done("POST", f"/clinics/{clinic.slug}/imports/{found['id']}/apply", clinic.owner)
    begin = service.application.works.begin
    async with begin(actor_of(clinic)) as work:
        assert await work.imports.alone()
        with pytest.raises(Unavailable):
            await apply(UUID(found["id"]), actor_of(clinic), begin, SystemClock())


async def test_resumed_check(service: Service, clinic: Clinic) -> None:
    """A worker that dies while it checks, or imports, leaves nothing half done: the next goes on."""
    rows = "".join(f"Ana,Pérez {number},09{number:08d},Luna,gato\n" for number in range(1300))
    made = await handed_in(service, clinic, f"nombre,apellido,celular,mascota,especie\n{rows}".encode())
    works, actor = service.application.works, actor_of(clinic)
    begun = 0

    class DiedError(Exception):
        pass

    def dying(who: Actor) -> Any:
        nonlocal begun
        begun += 1
        if begun == 9:
            raise DiedError
        return works.begin(who)

    with pytest.raises(DiedError):
        await check(UUID(made["id"]), actor, dying, SystemClock(), EcuadorNumbers())
    at = f"/clinics/{clinic.slug}/imports/{made['id']}"
    half = await service.done("GET", at, clinic.owner)
    assert (half["status"], half["checked"], half["rows"]) == ("checking", CHUNK, 1300)
    whole = await looked_at(service, clinic, made["id"])
    assert (whole["status"], whole["checked"], whole["counts"]["created"]) == ("checked", 1300, 1300)
    await service.done("POST", f"{at}/apply", clinic.owner)
    begun = 7
    with pytest.raises(DiedError):
        await apply(UUID(made["id"]), actor, dying, SystemClock())
    assert len(await patients_of(service, clinic)) == 1
    assert (await applied(service, clinic, made["id"]))["applied"] == 1300


async def test_dropped(service: Service, clinic: Clinic) -> None:
    """A file can be forgotten, with all that was noted of it; what was imported stays."""
    found = await checked(service, clinic, b"nombre,apellido,mascota,especie\nAna,Vera,Luna,gato\n")
    await applied(service, clinic, found["id"])
    at = f"/clinics/{clinic.slug}/imports/{found['id']}"
    await service.done("DELETE", at, clinic.owner)
    assert (await service.ask("GET", at, clinic.owner)).status_code == 404
    assert (await service.ask("GET", f"{at}/rows", clinic.owner)).status_code == 404
    assert "Luna" in await patients_of(service, clinic)


async def test_expired(service: Service, clinic: Clinic) -> None:
    """What was handed in is kept for a month and then forgotten."""
    from coravet.adapters.postgres.housekeeping import prune  # noqa: PLC0415 -- nobody else here sweeps

    kept = await checked(service, clinic, b"nombre,apellido\nAna,Vera\n")
    gone = await checked(service, clinic, b"nombre,apellido\nEva,Mora\n")
    async with superuser(service.settings) as admin:
        await admin.execute("UPDATE imports SET expires_at = now() - interval '1 s' WHERE id = $1", UUID(gone["id"]))
        await prune(service.application.works)
        for table in ("import_rows", "import_parts"):
            left = await admin.fetch(f"SELECT DISTINCT import_id FROM {table} WHERE clinic_id = $1", UUID(clinic.id))  # noqa: S608 -- two names
            assert [str(row["import_id"]) for row in left] == [kept["id"]]
    listed = await service.done("GET", f"/clinics/{clinic.slug}/imports", clinic.owner)
    assert [each["id"] for each in listed["items"]] == [kept["id"]]


async def registered(service: Service, clinic: Clinic, **person: Any) -> Any:
    """A client whom somebody registered by hand."""
    fields = {"given_name": "Ana", "family_name": "Pérez", **person}
    return await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=fields)


async def merged(service: Service, clinic: Clinic, client: Any, other: Any) -> None:
    """`other` turns out to be `client`."""
    command = {"merged_id": other["id"], "version": client["version"]}
    await service.done("POST", f"/clinics/{clinic.slug}/clients/{client['id']}/merge", clinic.owner, json=command)


async def with_patient(service: Service, clinic: Clinic, client: Any, **patient: Any) -> Any:
    """A patient of the client's."""
    fields = {"client_id": client["id"], "name": "Luna", "species": "cat", **patient}
    return await service.done("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=fields)


def codes(rows: Any) -> list[list[str]]:
    """What is wrong or odd in each row."""
    return [[each["code"] for each in row["problems"]] for row in rows]


DOCUMENTED = "cédula;nombre;apellido;mascota;especie\n2300000003;Ana;Pérez;Luna;gato\n".encode()
REACHED = "nombre;apellido;celular;mascota;especie\nAna;Pérez;0998888888;Luna;gato\n".encode()


async def test_merged_since(service: Service, clinic: Clinic) -> None:
    """A client who was merged away since the check gets nothing, but the one who stays does."""
    ana = await registered(service, clinic, document_type="cedula", document_number="2300000003")
    found = await checked(service, clinic, DOCUMENTED)
    await merged(service, clinic, await registered(service, clinic, family_name="Pérez Mora"), ana)
    assert (await applied(service, clinic, found["id"]))["status"] == "checking"
    await looked_at(service, clinic, found["id"])
    [row] = await rows_of(service, clinic, found["id"])
    assert (row["outcome"], row["known_as"]) == ("matched", "Ana Pérez Mora")
    assert (await applied(service, clinic, found["id"]))["status"] == "applied"
    assert (await patients_of(service, clinic))["Luna"] == "Ana Pérez Mora"


@pytest.mark.parametrize("what", ["client", "patient", "namesake"])
async def test_registered_since(service: Service, clinic: Clinic, what: str) -> None:
    """Who or what was registered by hand since the check is not made a second time."""
    file = b"nombre;apellido;mascota;especie\nAna;P\xe9rez;Luna;gato\n" if what == "namesake" else REACHED
    ana = None if what != "patient" else await registered(service, clinic, phone="0998888888")
    found = await checked(service, clinic, file)
    if ana is None:
        await registered(service, clinic, phone="0998888888")
    else:
        await with_patient(service, clinic, ana)
    assert (await applied(service, clinic, found["id"]))["status"] == "checking"
    again = await looked_at(service, clinic, found["id"])
    assert again["counts"]["patients"] == (0 if what == "patient" else 1)
    assert (again["counts"]["matched"], again["counts"]["warnings"]) == ((0, 1) if what == "namesake" else (1, 0))


async def test_families_share_phones(service: Service, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the same phone whom the import itself has made are no change of the clinic."""
    monkeypatch.setattr("coravet.core.exchange.apply.WRITTEN", 1)
    monkeypatch.setattr("coravet.core.exchange.apply.READ", 1)
    names = "".join(f"{name};Pérez;0998888888;Luna;gato\n" for name in ("Ana", "Luis", "Rosa", "Eva"))
    found = await checked(service, clinic, f"nombre;apellido;celular;mascota;especie\n{names}".encode())
    assert (await applied(service, clinic, found["id"]))["applied"] == 4


async def test_document_of_a_merged_client(service: Service, clinic: Clinic) -> None:
    """The document of a client who was merged is that of the one who stayed."""
    ana = await registered(service, clinic, document_type="cedula", document_number="2300000003")
    stays = await registered(service, clinic, document_type="passport", document_number="XX12345")
    await merged(service, clinic, stays, ana)
    found = await checked(service, clinic, DOCUMENTED)
    assert found["counts"]["matched"] == 1
    [row] = await rows_of(service, clinic, found["id"])
    assert row["client_id"] == stays["id"]


async def test_document_of_another(service: Service, clinic: Clinic) -> None:
    """A document beside a quite different name is an error that names both, in the file and against the clinic."""
    await registered(service, clinic, document_type="cedula", document_number="2300000003")
    header = "cédula;nombre;apellido\n"
    found = await checked(
        service,
        clinic,
        f"{header}2300000003;Luis;Mora\n0912345675;Eva;Vera\n0912345675;Rosa;Chila\n2300000003;Ana;P.\n".encode(),
    )
    rows = await rows_of(service, clinic, found["id"])
    assert [row["outcome"] for row in rows] == ["error", "created", "error", "matched"]
    told = [row["problems"][0]["detail"] for row in rows if row["problems"]]
    assert "Ana Pérez" in told[0]
    assert "Luis Mora" in told[0]
    assert "3" in told[1]
    assert "Eva Vera" in told[1]
    assert rows[3]["known_as"] == "Ana Pérez"


async def test_two_of_one_name(service: Service, clinic: Clinic) -> None:
    """Father and son of one name and one phone, but with documents of their own, are two clients."""
    rows = "2300000003;Luis;Mora;0998888888\n0912345675;Luis;Mora;0998888888\n"
    found = await checked(service, clinic, f"cédula;nombre;apellido;celular\n{rows}".encode())
    assert found["counts"]["created"] == 2


async def test_animals(service: Service, clinic: Clinic) -> None:
    """The dead stay dead, those told apart by chip or birth date are as many, and nothing is lost silently."""
    ana = await registered(service, clinic, phone="0998888888")
    dead = await with_patient(service, clinic, ana, name="Firulais", species="dog")
    await with_patient(service, clinic, ana)
    at = f"/clinics/{clinic.slug}/patients/{dead['id']}"
    await service.done("POST", f"{at}/deceased", clinic.owner, json={})
    file = (
        "nombre;apellido;celular;mascota;especie;raza;nacimiento;chip\n"
        "Ana;Pérez;0998888888;Firulais;perro;;;\n"
        "Ana;Pérez;0998888888;Luna;gato;Siamés;;941000000000001\n"
        "Ana;Pérez;0998888888;Cachorro;perro;;;941000000000002\n"
        "Ana;Pérez;0998888888;Cachorro;perro;;;941000000000003\n"
        "Ana;Pérez;0998888888;Gatito;gato;;01/02/2024;\n"
        "Ana;Pérez;0998888888;Gatito;gato;;2024;\n"
        "Ana;Pérez;0998888888;Gatito;gato;;05/06/2025;\n"
        "Ana;Pérez;0997777777;Gatito;gato;;01/02/2024;\n"
    )
    found = await checked(service, clinic, file.encode())
    rows = await rows_of(service, clinic, found["id"])
    assert [(row["patients"][0]["exists"], *told) for row, told in zip(rows, codes(rows), strict=True)] == [
        (True, "deceased"),
        (True, "not_kept"),
        (False,),
        (False, "same_name"),
        (False,),
        (True, "not_kept"),
        (False, "same_name"),
        (False,),
    ]
    assert "941000000000001" in rows[1]["problems"][0]["detail"]


@pytest.mark.parametrize("chunk", [1, 2])
async def test_any_distance(service: Service, clinic: Clinic, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Whether a person is known again does not depend on how far apart the rows are."""
    file = (
        "nombre;apellido;cédula;celular;mascota;especie\n"
        "Ana;Paz;2300000003;0991111111 / 0992222222;Luna;gato\n"
        "Luis;Mora;;0993333333;Rex;perro\n"
        "Ana;Paz;;0992222222;Luna;gato\n"
        "Ana María;Paz Vera;2300000003;0994444444;Sol;gato\n"
        "María;Vera;;0991111111;Sol;gato\n"
        "Ana;Paz;;;Max;perro\n"
        "Luis;Mora;0912345675;0993333333;Rex;perro\n"
        "Luis;Mora;1712345675;0993333333;Rex;perro\n"
    ).encode()
    whole = await checked(service, clinic, file)
    expected = await rows_of(service, clinic, whole["id"])
    assert [row["merged_with"] for row in expected][:6] == [None, None, 2, 2, 2, 2]
    monkeypatch.setattr("coravet.core.exchange.imports.CHUNK", chunk)
    again = await checked(service, clinic, file + b"\n")
    assert await rows_of(service, clinic, again["id"]) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"nombre\x00;apellido\x01;notas\x00\nA\x00na;Ve\x1fra;\x00\n",
        b"nombre;apellido;mascota;especie\n" + bytes(range(256)).replace(b"\n", b"") + b";x;\x00;\x7f\n",
        "nombre;apellido\n\ud83dAna;Vera\n".encode("utf-16-le", "surrogatepass"),
        b'nombre;apellido;celular\n"\x00;"";"\nAna;Vera;09\x0099\x85\n',
    ],
)
async def test_any_signs(service: Service, clinic: Clinic, data: bytes) -> None:
    """Whatever signs a file holds, it is checked or refused, and the report can be read."""
    found = await checked(service, clinic, data)
    assert found["status"] == "checked"
    assert await rows_of(service, clinic, found["id"])
    assert "\x00" not in str(found)


async def test_broken_off(service: Service, clinic: Clinic) -> None:
    """An import that breaks off has imported nothing, says so, and can be tried again or dropped."""
    found = await checked(service, clinic, REACHED)
    at = f"/clinics/{clinic.slug}/imports/{found['id']}"
    await service.done("POST", f"{at}/apply", clinic.owner)
    async with superuser(service.settings) as admin:
        broken = "UPDATE import_rows SET person = person - 'given_name' WHERE import_id = $1"
        await admin.execute(broken, UUID(found["id"]))
    with pytest.raises(Exception, match="given_name"):
        await apply(UUID(found["id"]), actor_of(clinic), service.application.works.begin, SystemClock())
    failed = await service.done("GET", at, clinic.owner)
    assert (failed["status"], failed["problem"]["code"]) == ("failed", "broken_off")
    assert failed["applied_by"] is not None
    assert (await service.done("POST", f"{at}/apply", clinic.owner))["status"] == "applying"
    begin = service.application.works.begin
    async with begin(actor_of(clinic)) as work:
        assert await work.imports.alone()
        assert (await service.ask("DELETE", at, clinic.owner)).status_code == 409
    await service.done("DELETE", at, clinic.owner)
    assert (await service.ask("GET", at, clinic.owner)).status_code == 404
    await apply(UUID(found["id"]), actor_of(clinic), begin, SystemClock())


@pytest.mark.long
async def test_broken_quote_far_down(service: Service, clinic: Clinic) -> None:
    """A latin-1 list of 5,000 rows with a broken quote in row 4,711 has one error, and all others are imported."""
    lines = ["cédula;nombre;apellido;celular;mascota;especie"]
    lines += [f';Íñigo;Núñez {place};09{place:08d};"Ñata";perro' for place in range(2, 5001)]
    lines[4710] = ';"Íñigo;Núñez;0999999999;Ñata;perro'
    found = await checked(service, clinic, "\r\n".join(lines).encode("latin-1"))
    assert (found["encoding"], found["counts"]["errors"], found["counts"]["created"]) == ("cp1252", 1, 4998)
    [row] = await rows_of(service, clinic, found["id"], outcome="error")
    assert (row["number"], codes([row])) == (4711, [["broken_quote"]])
    assert (await applied(service, clinic, found["id"], skip_errors=True))["applied"] == 4998
