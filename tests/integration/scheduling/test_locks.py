"""In what order the schedule's resources are locked: so that nobody waits for somebody who waits for them."""

import asyncio
import itertools
import random
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from tests.integration.http.service import Clinic, Service, superuser

from coravet.core.kernel.actor import Actor, ClinicId


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic, fresh for each test."""
    return await service.equip(await service.open_clinic("candados"))


async def _waiting(service: Service, times: int) -> None:
    """Return when so many wait for a lock of the schedule in this database."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with superuser(service.settings) as admin:
        while True:
            if await admin.fetchval(query) >= times:
                return
            await asyncio.sleep(0.005)


async def test_opposite_orders(service: Service, clinic: Clinic) -> None:
    """Two works that name the same resources in opposite orders never wait for each other, in whatever order.

    A third holds one of them until both wait: who took them as they were named would hold what the other wants.
    """
    actor = Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="UTC", user_id=None)
    works = service.application.works

    async def lock(resource_ids: tuple[UUID, ...]) -> None:
        async with works.begin(actor) as work:
            await work.diary.lock(resource_ids)

    for named in itertools.permutations([UUID(int=number) for number in (1, 2, 3)]):
        for held in named:
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks, AsyncExitStack() as holding:
                holder = await holding.enter_async_context(works.begin(actor))
                await holder.diary.lock([held])
                for order in (named, named[::-1]):
                    tasks.create_task(lock(order))
                await _waiting(service, 2)
    everything = [UUID(int=number) for number in range(40)]
    chance = random.Random(3)  # noqa: S311 -- repeatable
    for _ in range(10):
        orders = [tuple(chance.sample(everything, len(everything))) for _ in range(8)]
        await asyncio.gather(*map(lock, orders))
