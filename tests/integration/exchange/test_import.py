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
