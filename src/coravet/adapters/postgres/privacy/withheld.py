"""Letting go of what was held back from an erasure."""

from typing import Any

from coravet.adapters.postgres.work import Works


async def let_go(works: Works[Any]) -> None:
    """Erase what a rule of retention held back and whose day has come in its clinic's zone."""
    async with works.system_begin("retention") as work:
        await work.execute(
            "DELETE FROM withheld w USING clinics c WHERE c.id = w.clinic_id"
            " AND w.until <= (now() AT TIME ZONE c.time_zone)::date"
        )
