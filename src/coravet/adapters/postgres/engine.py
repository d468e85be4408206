"""Connections to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import PoolProxiedConnection, event
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

from coravet.settings import Settings


def sqlalchemy_url(url: str) -> URL:
    """The URL as SQLAlchemy's asyncpg dialect takes it; a socket directory in `host` stays."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def make_engine(settings: Settings) -> AsyncEngine:
    """The pool that all work goes through. Behind a transaction pooler the statement cache must be 0.

    SQLAlchemy is told to leave transactions alone: works begin and end their own, in one round trip each.
    """
    cache = settings.database_statement_cache
    engine = create_async_engine(
        sqlalchemy_url(settings.database_url.get_secret_value()),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_recycle=1800,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        pool_use_lifo=True,  # the connection used last is the one whose server process is warm
        connect_args={
            "prepared_statement_cache_size": cache,
            "statement_cache_size": cache,
            "timeout": 10,
            "command_timeout": 30,
            # Behind a pooler, unnamed: parsed and executed without a break, while closing a named one in between would
            # end a transaction of one statement, and the rest of it meet another server's connection.
            "prepared_statement_name_func": (lambda: "") if cache == 0 else None,
            "server_settings": {"application_name": "coravet", "timezone": "UTC"},
        },
    )
    event.listen(engine.sync_engine, "reset", _take_back_only_what_is_clean)
    return engine


@asynccontextmanager
async def lent(engine: AsyncEngine) -> AsyncIterator[PoolProxiedConnection]:
    """A connection of the pool, without what SQLAlchemy lays around it at three times the cost."""
    connection = await engine.raw_connection()
    try:
        yield connection
    finally:
        connection.close()  # awaits nothing: SQLAlchemy has no transaction to roll back


def _take_back_only_what_is_clean(connection: Any, record: ConnectionPoolEntry, _state: PoolResetState) -> None:
    """A connection that is dead, or within a transaction that nobody ended, is closed instead of lent again."""
    driver = connection.driver_connection
    if driver.is_closed() or driver.is_in_transaction():
        driver.terminate()
        record.invalidate()
