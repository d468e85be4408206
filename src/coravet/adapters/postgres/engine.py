"""Connections to PostgreSQL."""

from uuid import uuid4

from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from coravet.settings import Settings


def sqlalchemy_url(url: str) -> URL:
    """The URL as SQLAlchemy's asyncpg dialect takes it; a socket directory in `host` stays."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def make_engine(settings: Settings) -> AsyncEngine:
    """The pool that all work goes through. Behind a transaction pooler the statement cache must be 0."""
    cache = settings.database_statement_cache
    return create_async_engine(
        sqlalchemy_url(settings.database_url.get_secret_value()),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={
            "prepared_statement_cache_size": cache,
            "statement_cache_size": cache,
            "timeout": 10,
            "command_timeout": 30,
            # A pooler may hand the same server connection to two of us: names must not repeat.
            "prepared_statement_name_func": (lambda: f"__coravet_{uuid4()}__") if cache == 0 else None,
            "server_settings": {"application_name": "coravet", "timezone": "UTC"},
        },
    )
