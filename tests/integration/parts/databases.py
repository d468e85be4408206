"""Scratch databases on one server, with roles of their own, gone after the run."""

from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import mkdtemp

import asyncpg
from pydantic import SecretStr
from sqlalchemy.engine.url import URL, make_url
from tests.integration.parts.texts import publish_everywhere

from coravet.adapters.postgres.migrate import migrate
from coravet.settings import Settings


class Databases:
    """Makes scratch databases on the server whose superuser's URL is given.

    Each is a copy of one that was migrated once, which takes a tenth of a second.
    """

    def __init__(self, admin_url: str) -> None:
        self._admin = make_url(admin_url)
        self._password = token_hex(8)
        self._template: Settings | None = None
        self._names: list[str] = []
        self._apart = Path(mkdtemp(prefix="coravet-apart-"))
        self.role_prefix = f"coravet_test_{token_hex(4)}"

    async def empty(self) -> Settings:
        """Settings on a database with nothing in it; `coravet_test_…` roles may not exist yet."""
        return await self._make(None)

    async def migrated(self) -> Settings:
        """Settings on a database at the newest revision, without a row but those of the texts that block nobody."""
        if self._template is None:
            template = await self._make(None)
            await migrate(template, lambda _line: None)
            await publish_everywhere(template)
            self._template = template
        settings = await self._make(_database(self._template))
        # A copy has the schema, but not the grants on the database itself.
        await migrate(settings, lambda _line: None)
        return settings

    async def drop(self, settings: Settings) -> None:
        """Drop the database, whoever is connected to it."""
        await self._drop(_database(settings))

    async def close(self) -> None:
        """Drop every database and role that was made."""
        for name in list(self._names):
            await self._drop(name)
        connection = await self._connect()
        try:
            for role in ("app", "system", "owner"):
                await connection.execute(f'DROP ROLE IF EXISTS "{self.role_prefix}_{role}"')
        finally:
            await connection.close()
            rmtree(self._apart)

    async def _make(self, template: str | None) -> Settings:
        name = f"{self.role_prefix}_{token_hex(3)}"
        connection = await self._connect()
        try:
            await connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        finally:
            await connection.close()
        self._names.append(name)
        app = self._admin.set(username=f"{self.role_prefix}_app", password=self._password, database=name)
        return Settings.model_validate(
            {
                "CORAVET_ENV": "test",
                "DATABASE_URL": SecretStr(_text(app)),
                "DATABASE_DIRECT_URL": None,
                "DATABASE_ADMIN_URL": SecretStr(_text(self._admin.set(database=name))),
                "DATABASE_ROLE_PREFIX": self.role_prefix,
                "CORAVET_KEPT_APART": self._apart / name,
                "CORAVET_STORAGE": str(self._apart / f"{name}-media"),
                # Tests ask for much from one address; those of limits set their own.
                "CORAVET_GUESTS_PER_ADDRESS": "off",
                "CORAVET_GUESTS_PER_CLINIC": "off",
                "CORAVET_GUESTS_PER_PHONE": "off",
                "CORAVET_GUESTS_READING": "off",
            }
        )

    async def _drop(self, name: str) -> None:
        connection = await self._connect()
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()
        self._names.remove(name)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(_text(self._admin))


def _database(settings: Settings) -> str:
    return str(make_url(settings.database_url.get_secret_value()).database)


def _text(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
