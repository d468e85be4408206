"""Fifty clients booking at random into one clinic: the service beside its own SQL on a bare driver, in turns."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from datetime import datetime, time, timedelta
from random import Random
from statistics import median
from uuid import UUID

import asyncpg
import msgspec
from bench.clients import Kind, Round, Tally
from bench.recorded import BOOKED, DEADLOCK, TAKEN, Script
from bench.scene import OPEN, OWNER, Furnished, furnished, request, tidy
from bench.servers import processor_seconds
from bench.stage import DATABASE, Stage, stage

from coravet.adapters.local import LocalError
from coravet.adapters.local.demo_clinic import ClinicPlan, PlannedResource, PlannedService
from coravet.adapters.local.demo_plans import TIME_ZONE
from coravet.adapters.local.service import variables
from coravet.core.kernel.actor import Actor
from coravet.core.scheduling.book import NewAppointment
from coravet.core.tenancy.clinic_day import day_of, time_zone
from coravet.entrypoints.cli.refusals import CommandError

VETS = tuple(f"Dra. {number}" for number in range(1, 6))
ROOMS = tuple(f"Consultorio {number}" for number in range(1, 6))
GRID = timedelta(minutes=15)
OPENS, CLOSES = time(8), time(18)
VISIT_MINUTES = 30
KINDS: tuple[Kind, ...] = ("service", "bare", "bare without locks")


class Options(msgspec.Struct):
    """How many and how long."""

    port: int
    rounds: int
    attempts: int
    clients: int
    days: int
    seconds: float


class Result(msgspec.Struct):
    """A tally, and milliseconds of processor time that the servers took for each attempt."""

    tally: Tally
    worker_ms: float
    postgres_ms: float


def main() -> None:
    """Start everything, measure, print, end everything."""
    options = _options()
    print(
        f"{options.clients} clients of one clinic with {len(VETS)} vets and {len(ROOMS)} rooms book at random:"
        f" {options.attempts} attempts within {options.days} days, {options.rounds} rounds in turns, each at most"
        f" {options.seconds:g} s.\n"
        "service: one granian worker over HTTP. bare: the service's own statements from BEGIN to COMMIT on bare\n"
        "asyncpg, in the same role, with no HTTP, no sign-in and no reading back; as many connections to PostgreSQL.\n"
        f"{os.cpu_count()} processors are shared: by the clients, the worker and PostgreSQL for the service; by the\n"
        "clients, who run the SQL themselves, and PostgreSQL for the bare transaction. PostgreSQL without fsync.\n",
        flush=True,
    )
    try:
        with stage(options.port) as parts:
            clinic = asyncio.run(furnished(parts.settings, parts.emulator_host, _plan()))
            with parts.service() as service:
                asyncio.run(_bench(parts, clinic, service.pid or 0, options))
    except (LocalError, CommandError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


async def _bench(parts: Stage, clinic: Furnished, service_pid: int, options: Options) -> None:
    admin = await asyncpg.connect(parts.postgres.url(database=DATABASE))
    rounds: list[dict[str, Result]] = []
    try:
        script = await _script(parts, clinic, options)
        print(f"The transaction has {script.size} statements, BEGIN and COMMIT included.")
        await tidy(admin, clinic.free_from)
        for number in range(options.rounds + 1):
            attempts = _attempts(clinic, options, Random(number))  # noqa: S311 -- repeatable
            measured: dict[str, Result] = {}
            for turn in range(len(KINDS)):
                kind = KINDS[(turn + number) % len(KINDS)]
                given = _round(kind, attempts, clinic, parts, options)
                measured[kind] = await _measure(given, parts, service_pid)
                await _check(admin, clinic, measured[kind].tally, kind, options)
                await tidy(admin, clinic.free_from)
            rates = ", ".join(f"{kind} {measured[kind].tally.rate:,.0f}" for kind in KINDS)
            print(f"round {number}, attempts/s: {rates}{'' if number else ' (warming up, not counted)'}", flush=True)
            if number:
                rounds.append(measured)
    finally:
        await admin.close()
    _report(rounds)


async def _measure(given: Round, parts: Stage, service_pid: int) -> Result:
    postgres_pid = parts.postgres.pid
    before = processor_seconds(service_pid), processor_seconds(postgres_pid)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.clients",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | variables(parts.settings),
    )
    output, _ = await process.communicate(msgspec.json.encode(given))
    if process.returncode:
        raise LocalError("The clients failed; their traceback stands above.")
    after = processor_seconds(service_pid), processor_seconds(postgres_pid)
    tally = msgspec.json.decode(output, type=Tally)
    share = 1000 / sum(tally.ended.values())
    return Result(tally, (after[0] - before[0]) * share, (after[1] - before[1]) * share)


async def _check(admin: asyncpg.Connection, clinic: Furnished, tally: Tally, kind: str, options: Options) -> None:
    """See that every attempt ended as it may, and that what was answered is what is stored."""
    allowed = {BOOKED, TAKEN} | ({DEADLOCK} if kind == KINDS[2] else set())
    if not tally.ended.keys() <= allowed:
        raise LocalError(f"{kind}: attempts ended as {tally.ended}, and only {sorted(allowed)} may be.")
    stored = await admin.fetchval(
        "SELECT count(*) FROM appointments WHERE clinic_id = $1 AND starts_at >= $2 AND starts_at < $3",
        clinic.clinic_id,
        clinic.free_from,
        _sample(clinic, options).starts_at,
    )
    if stored != tally.ended[BOOKED]:
        raise LocalError(f"{kind}: {tally.ended[BOOKED]} bookings were answered, {stored} are stored.")


def _report(rounds: list[dict[str, Result]]) -> None:
    print(
        f"\n{'':20}{'attempts/s':>18}{'booked/s':>10}{'p50 ms':>8}{'p99 ms':>8}"
        f"{'worker ms':>11}{'PostgreSQL ms':>15}{'clients ms':>12}"
    )
    for kind in KINDS:
        results = [each[kind] for each in rounds]
        tallies = [each.tally for each in results]
        rates = [each.rate for each in tallies]
        spread = f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
        worker = median(each.worker_ms for each in results) if kind == "service" else 0.0
        print(
            f"{kind:20}{spread:>18}{median(each.ended[BOOKED] / each.seconds for each in tallies):>10,.0f}"
            f"{median(each.p50_ms for each in tallies):>8.1f}{median(each.p99_ms for each in tallies):>8.1f}"
            f"{worker:>11.2f}{median(each.postgres_ms for each in results):>15.2f}"
            f"{median(each.own_ms for each in tallies):>12.2f}"
        )
    print()
    for kind in KINDS:
        ended = sum((Counter(each[kind].tally.ended) for each in rounds), Counter[str]())
        shares = ", ".join(f"{how}: {times} ({times / ended.total():.0%})" for how, times in sorted(ended.items()))
        print(f"{kind:20}{shares}")
    print()
    _ratio("service/bare", [each["service"].tally.rate / each["bare"].tally.rate for each in rounds])
    _ratio("bare/bare without locks", [each["bare"].tally.rate / each[KINDS[2]].tally.rate for each in rounds])


def _ratio(name: str, found: list[float]) -> None:
    print(f"{name}, round by round: {min(found):.2f} - {median(found):.2f} - {max(found):.2f} (min - median - max)")


def _plan() -> ClinicPlan:
    return ClinicPlan(
        seed="banco-de-reservas",
        time_zone=TIME_ZONE,
        province=23,
        resources=[
            *(PlannedResource(kind="vet", name=name, spans=OPEN) for name in VETS),
            *(PlannedResource(kind="room", name=name, spans=OPEN) for name in ROOMS),
        ],
        services=[
            PlannedService(
                name="Consulta general",
                minutes=VISIT_MINUTES,
                resources=[*VETS, *ROOMS],
                color="#2a9d8f",
                reasons=("Chequeo general.", "Cojea de una pata.", "Tos desde hace tres días."),
            )
        ],
        clients=300,
        patients=400,
        fill=0.7,
    )


def _sample(clinic: Furnished, options: Options) -> NewAppointment:
    """A booking on the day after all others."""
    [service], patient = clinic.contents.services, clinic.contents.patients[0]
    vet = next(each.id for each in clinic.contents.resources if each.kind == "vet")
    first = day_of(clinic.free_from, time_zone(TIME_ZONE))
    day = first + timedelta(days=options.days + 2)
    at = datetime.combine(day, OPENS, tzinfo=time_zone(TIME_ZONE))
    return NewAppointment(service.id, patient.id, [vet], at, "Banco de pruebas.")


def _attempts(clinic: Furnished, options: Options, random: Random) -> list[str]:
    """Bookings of a vet, a patient, a day and a start on the grid, all at random."""
    vets = [each.id for each in clinic.contents.resources if each.kind == "vet"]
    sample = _sample(clinic, options)
    first = sample.starts_at - timedelta(days=options.days)
    hours = datetime.combine(first, CLOSES) - datetime.combine(first, OPENS) - timedelta(minutes=VISIT_MINUTES)
    return [
        msgspec.json.encode(
            msgspec.structs.replace(
                sample,
                patient_id=random.choice(clinic.contents.patients).id,
                resource_ids=[random.choice(vets)],
                starts_at=first
                + timedelta(days=random.randrange(options.days))
                + GRID * random.randint(0, hours // GRID),
            )
        ).decode()
        for _ in range(options.attempts)
    ]


def _rooms(clinic: Furnished) -> list[UUID]:
    rooms = sorted((each for each in clinic.contents.resources if each.kind == "room"), key=lambda each: each.name)
    return [each.id for each in rooms]


async def _script(parts: Stage, clinic: Furnished, options: Options) -> Script:
    actor = Actor(clinic_id=clinic.clinic_id, time_zone=TIME_ZONE, user_id=OWNER.user_id)
    return await Script.record(parts.settings, actor, _sample(clinic, options), _rooms(clinic))


def _round(kind: Kind, attempts: list[str], clinic: Furnished, parts: Stage, options: Options) -> Round:
    head = request(clinic.token, "POST", "appointments", "Content-Type: application/json\r\n").decode()
    return Round(
        kind=kind,
        attempts=attempts,
        clients=options.clients,
        seconds=options.seconds,
        port=options.port,
        head=head.removesuffix("\r\n"),
        pool=parts.settings.database_pool_size,
        clinic_id=clinic.clinic_id,
        user_id=OWNER.user_id,
        time_zone=TIME_ZONE,
        rooms=_rooms(clinic),
        sample=msgspec.json.encode(_sample(clinic, options)).decode(),
    )


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.booking", description=__doc__)
    parser.add_argument("--port", type=int, default=21_700, help="the first of three (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each kind (default: %(default)s)")
    parser.add_argument("--attempts", type=int, default=1000, help="bookings a round (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=50, help="who book at once (default: %(default)s)")
    parser.add_argument("--days", type=int, default=14, help="in which they book (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="longest round (default: %(default)s)")
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
