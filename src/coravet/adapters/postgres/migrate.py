"""Making the roles and bringing the schema up to date."""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.engine.url import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from coravet.adapters.postgres.engine import sqlalchemy_url
from coravet.settings import Settings

ALEMBIC = Path(__file__).parents[4] / "alembic"
"""Where migrations lie: at the top of a checkout, and at the same place in the container."""

ONE_AT_A_TIME = 7_236_001
"""Advisory lock that a migrating process holds."""


class MigrationRefused(Exception):
    """The database cannot be migrated as things stand; the message says why and what to do."""


def alembic_config(connection: Connection, role_prefix: str) -> Config:
    """Alembic's configuration for this connection and these roles."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    config.attributes["connection"] = connection
    config.attributes["role_prefix"] = role_prefix
    return config


async def migrate(settings: Settings, echo: Callable[[str], None], revision: str = "head") -> None:
    """Make the owner, application and system roles where the connection may, then migrate as the owner.

    Args:
        echo: is told each step, for a person to read.

    Raises:
        MigrationRefused: DATABASE_ADMIN_URL is missing, or may neither make the roles nor act as the owner.
    """
    if settings.database_admin_url is None:
        raise MigrationRefused(
            "DATABASE_ADMIN_URL is missing: migrating needs a role that may create roles, or the owner."
        )
    engine = create_async_engine(sqlalchemy_url(settings.database_admin_url.get_secret_value()), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
            await connection.commit()
            await connection.run_sync(_prepare_roles, settings, echo)
            await connection.run_sync(_upgrade, settings, echo, revision)
    finally:
        await engine.dispose()


def _prepare_roles(connection: Connection, settings: Settings, echo: Callable[[str], None]) -> None:
    prefix = settings.database_role_prefix
    owner, app, system = f"{prefix}_owner", f"{prefix}_app", f"{prefix}_system"
    me = connection.execute(
        sa.text(
            "SELECT current_user AS name, current_database() AS database, rolsuper OR rolcreaterole AS makes_roles,"
            " rolsuper FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    known = set(
        connection.execute(
            sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"), {"names": [owner, app, system]}
        ).scalars()
    )
    missing = [name for name in (owner, app, system) if name not in known]
    if missing and not me.makes_roles:
        raise MigrationRefused(
            f"The roles {', '.join(missing)} are missing and {me.name} may not create roles. "
            "Create them as docs/operations.md shows, or let DATABASE_ADMIN_URL name a role with CREATEROLE."
        )
    quote = connection.dialect.identifier_preparer.quote
    if owner in missing:
        echo(f"Making role {owner}")
        connection.exec_driver_sql(f"CREATE ROLE {quote(owner)} NOLOGIN NOINHERIT NOBYPASSRLS")
    if system in missing:
        echo(f"Making role {system}")
        connection.exec_driver_sql(f"CREATE ROLE {quote(system)} NOLOGIN NOBYPASSRLS")
    if app in missing:
        echo(f"Making role {app}")
        url = make_url(settings.database_url.get_secret_value())
        if url.username != app:
            raise MigrationRefused(
                f"DATABASE_URL names the role {url.username}; with DATABASE_ROLE_PREFIX={prefix} it must be {app}."
            )
        password = f"PASSWORD {_literal(str(url.password))}" if url.password else ""
        connection.exec_driver_sql(f"CREATE ROLE {quote(app)} LOGIN NOINHERIT NOBYPASSRLS {password}")
    if me.makes_roles:
        database, name = quote(me.database), quote(me.name)
        connection.exec_driver_sql(f"GRANT {quote(system)} TO {quote(app)}, {quote(owner)}")
        if me.name != owner:
            connection.exec_driver_sql(f"GRANT {quote(owner)} TO {name}")
        connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {quote(app)}")
        connection.exec_driver_sql(f"GRANT CONNECT, CREATE ON DATABASE {database} TO {quote(owner)}")
        connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        connection.exec_driver_sql(f"GRANT USAGE, CREATE ON SCHEMA public TO {quote(owner)} WITH GRANT OPTION")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {quote(app)}, {quote(system)}")
        for extension in ("btree_gist", "btree_gin", "pg_trgm"):
            connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    connection.commit()
    _refuse_unsafe(connection, owner, app)


def _refuse_unsafe(connection: Connection, owner: str, app: str) -> None:
    unsafe = (
        connection.execute(
            sa.text("SELECT rolname FROM pg_roles WHERE rolname IN (:owner, :app) AND (rolsuper OR rolbypassrls)"),
            {"owner": owner, "app": app},
        )
        .scalars()
        .all()
    )
    if unsafe:
        raise MigrationRefused(
            f"{' and '.join(unsafe)} may pass over row-level security. Run ALTER ROLE … NOSUPERUSER NOBYPASSRLS."
        )
    member = connection.execute(
        sa.text("SELECT pg_has_role(current_user, :owner, 'MEMBER')"), {"owner": owner}
    ).scalar_one()
    if not member:
        raise MigrationRefused(f"DATABASE_ADMIN_URL's role is not {owner} nor a member of it: GRANT {owner} TO it.")
    connection.commit()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _upgrade(connection: Connection, settings: Settings, echo: Callable[[str], None], revision: str) -> None:
    prefix = settings.database_role_prefix
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(f"SET ROLE {quote(f'{prefix}_owner')}")
    connection.commit()
    config = alembic_config(connection, prefix)
    before = stands_at(connection)
    command.upgrade(config, revision)
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {quote(f'{prefix}_app')}")
    connection.commit()
    after = stands_at(connection)
    echo(f"Schema is at {after}" if before == after else f"Schema went from {before or 'nothing'} to {after}")


def stands_at(connection: Connection) -> str | None:
    """The revision that the schema stands at; None before the first."""
    table = connection.execute(sa.text("SELECT to_regclass('public.alembic_version')")).scalar_one()
    found = None
    if table is not None:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    connection.commit()
    return found


def head() -> str | None:
    """The newest revision there is."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    return ScriptDirectory.from_config(config).get_current_head()
