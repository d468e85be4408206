"""A clinic's past costs its availability nothing: what is read lies in the window, however many visits came before."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from secrets import token_hex
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.integration.http.service import superuser

from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.bootstrap import Services, make_works
from coravet.core.kernel.actor import Actor
from coravet.core.scheduling.catalogue import NewResource, NewService, add_resource, offer_service
from coravet.core.scheduling.hours import WeeklySpan
from coravet.core.scheduling.openings import Hours, set_hours
from coravet.core.scheduling.slots import find_slots
from coravet.settings import Settings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ZONE = "America/Guayaquil"
PAST = 200_000
TO_COME = 3_000  # half of them after the window
VISITS_A_DAY = 8

VISITS = """
WITH numbered AS (
    SELECT gen_random_uuid() AS id, n, ($2::uuid[])[1 + n % cardinality($2::uuid[])] AS resource_id,
           $3::timestamptz + $4::interval * (1 + n / cardinality($2::uuid[])) AS starts_at
    FROM generate_series(0, $5 - 1) AS n
), visits AS (
    INSERT INTO appointments (clinic_id, id, service_id, patient_id, client_id, status, starts_at, ends_at, source,
                              lane, version, created_at, status_since)
    SELECT $1, id, $6, id, id, 'confirmed', starts_at, starts_at + interval '15 minutes', 'staff', 0, 1, $3, $3
    FROM numbered
)
INSERT INTO allocations (clinic_id, id, appointment_id, resource_id, lane, starts_at, ends_at)
SELECT $1, id, id, resource_id, 0, starts_at, starts_at + interval '15 minutes' FROM numbered
"""


class Still:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


async def _plant(
    settings: Settings, actor: Actor, service_id: UUID, ids: list[UUID], step: timedelta, count: int
) -> None:
    """So many visits of a quarter of an hour on the resources in turn; into the past for a negative step."""
    async with superuser(settings) as admin:
        await admin.execute("SET session_replication_role = replica")  # their patients are nobody
        # Built anew when all are there, the constraint takes seconds instead of a minute.
        name = "ex_allocations_slot"
        constraint = await admin.fetchval(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", name
        )
        await admin.execute(f"ALTER TABLE allocations DROP CONSTRAINT {name}")
        await admin.execute(VISITS, actor.clinic_id, ids, NOW, step, count, service_id)
        await admin.execute(f"ALTER TABLE allocations ADD CONSTRAINT {name} {constraint}")
        await admin.execute("ANALYZE")


async def _asked(works: Works[ClinicWork], actor: Actor, service_id: UUID) -> tuple[list[tuple[str, Any]], int]:
    """The statements of a month's availability with their arguments, and how many slots it found."""
    seen: list[tuple[str, Any]] = []

    async with works.begin(actor) as work:
        fetch = work.fetch

        async def noted(sql: str, *arguments: Any) -> list[asyncpg.Record]:
            seen.append((sql, arguments))
            return await fetch(sql, *arguments)

        work.fetch = noted  # type: ignore[method-assign]  # to look over its shoulder

        class Lent:
            async def __aenter__(self) -> ClinicWork:
                return work

            async def __aexit__(self, *_: object) -> None:
                return None

        first = date(2026, 11, 24)
        found = await find_slots(service_id, first, first + timedelta(days=29), None, actor, lambda _: Lent(), Still())
    return seen, sum(len(day.slots) for day in found.days)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


async def _plans(
    settings: Settings, actor: Actor, statements: list[tuple[str, Any]], *, by_index: bool
) -> list[dict[str, Any]]:
    """How PostgreSQL carries the statements out, as the application's role in the clinic's scope.

    Args:
        by_index: read row by row through the index even where a table is so small that other ways are cheaper.
    """
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    plans = []
    try:
        for sql, arguments in statements:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL app.clinic_id = '{actor.clinic_id}'")
                if by_index:
                    await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
                for _ in range(2):  # the first may find pages that nobody has read yet
                    told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
                plans.append(json.loads(told)[0]["Plan"])
    finally:
        await connection.close()
    return plans


def _buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.long
async def test_past_costs_nothing(fresh_database: Settings) -> None:
    """With 200,000 visits behind it, availability reads as few pages as with none: by an index, the window alone."""
    engine = make_engine(fresh_database)
    try:
        works = make_works(fresh_database, engine)
        made = await Services(works, fresh_database).create_clinic(f"antigua-{token_hex(4)}", "Antigua", ZONE, None)
        actor = Actor(clinic_id=made.id, time_zone=ZONE, user_id=None, permissions=frozenset({"clinic:configure"}))
        ids = []
        spans = [WeeklySpan(day, "08:00", "19:00") for day in range(1, 7)]
        for kind, number in (("vet", 5), ("room", 2)):
            for _ in range(number):
                made_resource = await add_resource(NewResource(kind, kind), actor, works.begin)  # type: ignore[arg-type]  # one of two words
                await set_hours(made_resource.id, Hours(spans), actor, works.begin, Still())
                ids.append(made_resource.id)
        service_id = (await offer_service(NewService("Consulta", 30, ids), actor, works.begin)).id
        await _plant(fresh_database, actor, service_id, ids, timedelta(days=1) / VISITS_A_DAY, TO_COME)
        statements, slots = await _asked(works, actor, service_id)
        assert len(statements) == 2
        without = await _plans(fresh_database, actor, statements, by_index=True)

        await _plant(fresh_database, actor, service_id, ids, timedelta(minutes=-15), PAST)
        again, slots_again = await _asked(works, actor, service_id)
        assert (again, slots_again) == (statements, slots)
        assert slots
        with_past = await _plans(fresh_database, actor, statements, by_index=False)
    finally:
        await engine.dispose()

    [held] = [plan for plan in with_past if any(node.get("Relation Name") == "allocations" for node in _nodes(plan))]
    reads = [node for node in _nodes(held) if node.get("Relation Name") == "allocations"]
    for node in reads:
        assert node["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, node
        assert node.get("Rows Removed by Filter", 0) <= 2 * len(ids) * VISITS_A_DAY, node
    bounds = [node["Index Cond"] for node in _nodes(held) if "Index Cond" in node]
    assert bounds
    for each in bounds:
        assert all(part in each for part in ("clinic_id =", "resource_id =", "ends_at >", "ends_at <")), each
    assert not [node for plan in with_past for node in _nodes(plan) if node.get("Relation Name") == "appointments"]
    for before, after in zip(without, with_past, strict=True):
        # An index of 200,000 rows is a level or two deeper, for each resource that it is asked for.
        assert _buffers(after) <= _buffers(before) + 3 * len(ids), (_buffers(before), _buffers(after))
