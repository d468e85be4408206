"""The timeline of a patient with 2,000 entries, beside reading the patient alone: one connection, in turns."""

import argparse
import asyncio
import sys
from statistics import median

import asyncpg
import msgspec
from bench.load import Measured, Stretch, driven_apart
from bench.scene import FULL_DAYS, Furnished, furnished, request
from bench.stage import DATABASE, Stage, stage

from coravet.adapters.local import LocalError
from coravet.entrypoints.cli.refusals import CommandError

ENTRIES = {
    "encounters": 600,
    "immunizations": 400,
    "dewormings": 300,
    "prescriptions": 300,
    "weights": 300,
    "problems": 100,
}
OTHERS = 50
"""How many other patients of the clinic have as much."""

MOST_MS = 15.0
FILL = {
    "encounters": "INSERT INTO encounters (clinic_id, id, patient_id, started_at, reason, created_at, plan, weight_kg,"
    " version) SELECT $1, gen_random_uuid(), $2, at, 'Control', at, repeat('Reposo. ', 40), 12.5, 1 FROM moments",
    "immunizations": "INSERT INTO immunizations (clinic_id, id, patient_id, vaccine, covers, due_days,"
    " lot_number, administered_at, source, recorded_at) SELECT $1, gen_random_uuid(), $2, 'Antirrábica',"
    " '{rabies}', '{null}', 'L-1', at, 'external', at FROM moments",
    "dewormings": "INSERT INTO dewormings (clinic_id, id, patient_id, product, active_substances, target,"
    " due_days, administered_at, source, recorded_at) SELECT $1, gen_random_uuid(), $2, 'Comprimido', '{praziquantel}',"
    " 'internal', '{null}', at, 'external', at FROM moments",
    "prescriptions": "INSERT INTO prescriptions (clinic_id, id, patient_id, vet_id, vet_name, registration_number,"
    " issued_at, valid_until, item_count) SELECT $1, gen_random_uuid(), $2,"
    " (SELECT id FROM members WHERE clinic_id = $1 LIMIT 1), 'Demo', 'DEMO-0001', at, at::date, 2 FROM moments",
    "weights": "INSERT INTO weights (clinic_id, id, patient_id, weight_kg, weighed_at, created_at)"
    " SELECT $1, gen_random_uuid(), $2, 12.5, at, at FROM moments",
    "problems": "INSERT INTO problems (clinic_id, id, patient_id, name, status, certainty, created_at, version)"
    " SELECT $1, gen_random_uuid(), $2, 'Otitis', 'resolved', 'confirmed', at, 1 FROM moments",
}
MOMENTS = (
    "WITH moments AS (SELECT now() - make_interval(hours => 7 * n) - make_interval(mins => {minutes}) AS at"
    " FROM generate_series(1, {count}) n) "
)


class Options(msgspec.Struct):
    """How many and how long."""

    port: int
    rounds: int
    seconds: float


def main() -> None:
    """Start everything, measure, print, end everything."""
    parser = argparse.ArgumentParser(prog="python -m bench.timeline", description=__doc__)
    parser.add_argument("--port", type=int, default=21_700, help="this one and the two after it are used")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = msgspec.convert(vars(parser.parse_args()), Options)
    print(
        f"A patient with {sum(ENTRIES.values()):,} entries, among {OTHERS} others of the clinic with as many: the first"
        f" page of 50 over HTTP, beside reading the patient alone, on one connection, in turns: {options.rounds} rounds"
        f" of {options.seconds:g} s each.\n",
        flush=True,
    )
    try:
        with stage(options.port) as parts:
            clinic = asyncio.run(furnished(parts.settings, parts.emulator_host, FULL_DAYS))
            asyncio.run(_fill(parts, clinic))
            with parts.service():
                asyncio.run(_bench(clinic, options))
    except (LocalError, CommandError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


async def _fill(parts: Stage, clinic: Furnished) -> None:
    admin = await asyncpg.connect(parts.postgres.url(database=DATABASE))
    try:
        for patient in clinic.contents.patients[: OTHERS + 1]:
            for number, (table, count) in enumerate(ENTRIES.items()):
                await admin.execute(
                    MOMENTS.format(minutes=number, count=count) + FILL[table], clinic.clinic_id, patient.id
                )
        await admin.execute(
            "INSERT INTO prescription_items (clinic_id, id, prescription_id, position, drug, active_substances, unit,"
            " route, quantity, quantity_unit) SELECT clinic_id, gen_random_uuid(), id, n, 'Amoxicilina',"
            " '{amoxicillin}', 'mg', 'oral', 10, 'tablet' FROM prescriptions, generate_series(0, 1) n"
            " WHERE item_count = 2"
        )
        await admin.execute("VACUUM ANALYZE")
    finally:
        await admin.close()


async def _bench(clinic: Furnished, options: Options) -> None:
    patient = f"patients/{clinic.contents.patients[0].id}"
    asked = {
        "patient": request(clinic.token, "GET", patient),
        "timeline": request(clinic.token, "GET", f"{patient}/timeline"),
    }
    measured: dict[str, list[Measured]] = {name: [] for name in asked}
    for number in range(options.rounds + 1):
        for name, what in asked.items():
            found = await driven_apart(
                Stretch(
                    port=options.port,
                    request=what,
                    connections=1,
                    expected_status=200,
                    seconds=options.seconds,
                    lead_seconds=0.3,
                )
            )
            if found.problem is not None:
                raise LocalError(found.problem)
            if number:
                measured[name].append(found)
    print(f"{'':10}{'p50 ms':>8}{'p99 ms':>8}")
    for name, rounds in measured.items():
        print(f"{name:10}{median(each.p50_ms for each in rounds):>8.2f}{median(each.p99_ms for each in rounds):>8.2f}")
    ratios = [
        timeline.p50_ms / patient.p50_ms
        for timeline, patient in zip(measured["timeline"], measured["patient"], strict=True)
    ]
    print(f"\ntimeline/patient, round by round: {min(ratios):.2f} - {median(ratios):.2f} - {max(ratios):.2f}")
    p99 = median(each.p99_ms for each in measured["timeline"])
    print(f"p99 of the first page: {p99:.2f} ms, {'under' if p99 < MOST_MS else 'NOT under'} {MOST_MS:g} ms")


if __name__ == "__main__":
    main()
