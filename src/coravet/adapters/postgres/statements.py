"""Single statements beside any work, each a transaction of its own."""

from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from coravet.adapters.postgres.constraints import domain_error
from coravet.adapters.postgres.engine import lent


async def fetch(engine: AsyncEngine, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """The rows that a statement answers. Raises the domain's error where what failed has a meaning there."""
    try:
        async with lent(engine) as connection:
            driver: Any = connection.driver_connection
            rows: list[asyncpg.Record] = await driver.fetch(sql, *arguments)
            return rows
    except Exception as error:
        meant = domain_error(error)
        if meant is None:
            raise
        raise meant from error
