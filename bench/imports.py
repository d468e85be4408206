"""A clinic's list of clients, from the file to the last patient, beside a COPY of the rows that come of it."""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import perf_counter
from uuid import UUID

import asyncpg
import msgspec
from bench.servers import processor_seconds

from coravet.adapters.local import LocalError
from coravet.adapters.local.postgres import EmbeddedPostgres
from coravet.adapters.local.service import variables
from coravet.adapters.postgres.migrate import migrate
from coravet.settings import Settings

DATABASE = "bench"
TABLES = ("clients", "patients", "contacts", "parties", "identifiers")
LIMIT_SECONDS = 60
MOST_GROWTH = 30.0
"""MB that ten times the rows may take beyond what a tenth takes: the file is never held as a whole."""

_GIVEN = ("Ana María", "Luis", "Zoila", "José", "Rosa", "Ángel", "Carmen", "Iñaki", "Eva", "Toño")
_FAMILY = ("Pérez", "Mendoza", "Quimbiurco", "Vera", "Zambrano", "Núñez", "Mora", "Peñafiel", "Chila", "Bravo")
_PETS = ("Firuláis", "Luna", "Michi", "Rex", "Toby", "Pelusa", "Nube", "Canela", "Max", "Lola")
_KINDS = (("Perro", "Mestizo"), ("canino", "Labrador"), ("Gato", "Mestizo"), ("FELINA", "Siamés"), ("conejo", ""))


class Options(msgspec.Struct):
    """How many rows, and in how many runs."""

    rows: int
    runs: int


class Result(msgspec.Struct):
    """One import: seconds from the command's start to its end, the most memory that it held, in MB.

    Attributes:
        worked: seconds of processor time of the command; `stored` those of PostgreSQL meanwhile.
    """

    seconds: float
    memory: float
    worked: float
    stored: float = 0


def main() -> None:
    """Start everything, measure, print, end everything."""
    options = _options()
    print(
        f"`coravet import --apply` of {options.rows:,} rows: its start, checking and importing, in one process beside\n"
        "PostgreSQL. Semicolons, Windows-1252, families in several rows, second phones, chips. The floor: COPY\n"
        "of the rows that came of it into tables with the same columns and indexes, by the superuser, without checks,\n"
        f"policies and triggers. {os.cpu_count()} processors are shared. PostgreSQL without fsync.\n",
        flush=True,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="coravet-bench-") as name:
            folder = Path(name)
            with EmbeddedPostgres(folder, durable=False) as postgres:
                asyncio.run(_bench(folder, postgres, options))
    except LocalError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


async def _bench(folder: Path, postgres: EmbeddedPostgres, options: Options) -> None:
    settings = _settings(postgres)
    admin = await asyncpg.connect(postgres.url())
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    await admin.close()
    await migrate(settings, lambda _: None)
    admin = await asyncpg.connect(postgres.url("postgres", DATABASE))
    try:
        small = await _imported(admin, folder, settings, postgres.pid, options.rows // 10)
        print(f"{options.rows // 10:,} rows: {_told(small)}", flush=True)
        for _ in range(options.runs):
            whole = await _imported(admin, folder, settings, postgres.pid, options.rows)
            rows, floor = await _floor(admin)
            print(
                f"{options.rows:,} rows: {_told(whole)}, memory {whole.memory / small.memory:.2f} of the small one's;"
                f" COPY of the {rows:,} rows that came of it: {floor:.1f} s; import/COPY {whole.seconds / floor:.1f}",
                flush=True,
            )
            if whole.memory - small.memory > MOST_GROWTH:
                grown = whole.memory - small.memory
                raise LocalError(f"Memory grew by {grown:.0f} MB with the rows, and may grow by {MOST_GROWTH:.0f}.")
            if whole.seconds > LIMIT_SECONDS:
                raise LocalError(f"That took {whole.seconds:.0f} s, and may take {LIMIT_SECONDS}.")
    finally:
        await admin.close()


def _told(result: Result) -> str:
    return (
        f"{result.seconds:.1f} s (processor: command {result.worked:.1f} s, PostgreSQL {result.stored:.1f} s),"
        f" {result.memory:.0f} MB"
    )


async def _imported(
    admin: asyncpg.Connection, folder: Path, settings: Settings, postgres_pid: int | None, rows: int
) -> Result:
    """Import so many rows into a clinic of their own."""
    for table in (*TABLES[:0:-1], "clients"):
        await admin.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names
    clinic_id, slug = UUID(int=Random(rows).getrandbits(128)), f"lista-{rows}-{perf_counter():.0f}"  # noqa: S311 -- a name
    await admin.execute(
        "INSERT INTO clinics (id, slug, name, time_zone) VALUES ($1, $2, 'Lista', 'America/Guayaquil')"
        " ON CONFLICT (id) DO UPDATE SET slug = excluded.slug",
        clinic_id,
        slug,
    )
    await admin.execute("TRUNCATE imports CASCADE")
    file = folder / "clientes.csv"
    file.write_bytes("\r\n".join(_lines(rows)).encode("cp1252"))
    command = [sys.executable, "-m", "bench.imports", "--child", str(file), slug]
    before = processor_seconds(postgres_pid)
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | variables(settings), stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise LocalError("The import failed; what it says stands above.")
    made = await admin.fetchval("SELECT count(*) FROM patients WHERE clinic_id = $1", clinic_id)
    if made < rows * 0.9:
        raise LocalError(f"Of {rows} rows came {made} patients only.")
    result = msgspec.json.decode(output.splitlines()[-1], type=Result)
    result.stored = processor_seconds(postgres_pid) - before
    return result


def _lines(rows: int) -> Iterator[str]:
    """A list with a family of three in every tenth of its clients, and a hundredth of odd rows."""
    random = Random(rows)  # noqa: S311 -- repeatable
    yield "Cédula;Nombres;Apellidos;Teléfono;Correo;Dirección;Mascota;Especie;Raza;Sexo;Esterilizado;F. Nac.;Chip"
    made = 0
    while made < rows:
        given, family = random.choice(_GIVEN), f"{random.choice(_FAMILY)} {random.choice(_FAMILY)}"
        phone = f"09{random.randrange(10**8):08d}"
        further = f" / 02{random.randrange(2, 8)}{random.randrange(10**6):06d}" if made % 20 == 0 else ""
        pets = 3 if made % 10 == 0 else 1
        for pet in random.sample(_PETS, min(pets, rows - made)):
            species, breed = random.choice(_KINDS)
            born = f"{random.randrange(1, 29)}/{random.randrange(1, 13)}/{random.randrange(2010, 2026)}"
            chip = f"941{made:012d}" if made % 5 == 0 else ""
            street = '"Calle 5; y Av. ""Quito"""' if made % 100 == 0 else "Av. Amazonas"
            yield (
                f";{given};{family};{phone}{further};c{made}@correo.test;{street};{pet};{species};{breed};"
                f"{random.choice('MH')};{random.choice(('si', 'no'))};{born};{chip}"
            )
            made += 1


async def _floor(admin: asyncpg.Connection) -> tuple[int, float]:
    """The rows of the last import, and how long a COPY of them takes."""
    held = {}
    for table in TABLES:
        columns = await admin.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER'", table
        )
        held[table] = [row["column_name"] for row in columns], bytearray()
        await admin.copy_from_table(table, columns=held[table][0], output=_into(held[table][1]), format="binary")
        await admin.execute(f"CREATE TEMP TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
    began = perf_counter()
    for table, (names, data) in held.items():
        await admin.copy_to_table(f"floor_{table}", columns=names, source=_pieces(data), format="binary")
    seconds = perf_counter() - began
    rows = 0
    for table in TABLES:
        rows += await admin.fetchval(f"SELECT count(*) FROM floor_{table}")  # noqa: S608 -- our own names
        await admin.execute(f"DROP TABLE floor_{table}")
    return rows, seconds


def _into(data: bytearray):  # noqa: ANN202 -- a coroutine function as asyncpg takes it
    async def write(piece: bytes) -> None:
        data.extend(piece)

    return write


async def _pieces(data: bytearray):  # noqa: ANN202 -- an asynchronous generator of bytes
    for place in range(0, len(data), 1 << 16):
        yield bytes(data[place : place + (1 << 16)])


def _child(file: str, clinic: str) -> None:
    """Import as the command does, and print what it took."""
    began = perf_counter()
    from coravet.entrypoints.cli import app  # noqa: PLC0415 -- what it takes to import this counts, too

    app(["import", file, "--clinic", clinic, "--apply", "--skip-errors"], standalone_mode=False)
    used = resource.getrusage(resource.RUSAGE_SELF)
    result = Result(perf_counter() - began, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)
    print(f"\n{msgspec.json.encode(result).decode()}")


def _settings(postgres: EmbeddedPostgres) -> Settings:
    return Settings.model_validate(
        {
            "CORAVET_ENV": "development",
            "DATABASE_URL": postgres.url("coravet_app", DATABASE),
            "DATABASE_ADMIN_URL": postgres.url("postgres", DATABASE),
            "DATABASE_ROLE_PREFIX": "coravet",
            "FIREBASE_PROJECT_ID": "demo-coravet",
            "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:1",
        }
    )


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=main.__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="of the file (default 50000)")
    parser.add_argument("--runs", type=int, default=3, help="of the whole file (default 3)")
    given = parser.parse_args()
    return Options(given.rows, given.runs)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(*sys.argv[2:4])
    else:
        main()
