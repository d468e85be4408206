"""What was published and decided stays, whoever asks the database; and each thing that sees to it does so by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.parts.texts import Registry

ROLES = ("app", "system", "owner", "superuser", "replica")
"""In whose name a statement runs; a replica's session skips triggers, but those that are always enabled."""

TABLES = ("legal_versions", "legal_texts", "acceptances")
CHANGES = (
    "UPDATE legal_versions SET change = 'editorial'",
    "UPDATE legal_versions SET ordinal = ordinal + 100",
    "UPDATE legal_texts SET title = 'Otro'",
    "UPDATE legal_texts SET body = '# Otro', sha256 = encode(sha256('# Otro'), 'hex')",
    "UPDATE acceptances SET decision = 'declined'",
    "UPDATE acceptances SET user_id = NULL, client_id = NULL",
    "UPDATE acceptances SET hash = previous",
    "UPDATE acceptance_evidence SET address = '198.51.100.7'",
    "DELETE FROM acceptance_evidence; DELETE FROM acceptances",
    "DELETE FROM legal_texts",
    "DELETE FROM legal_versions",
    "TRUNCATE legal_versions CASCADE",
    "TRUNCATE legal_texts CASCADE",
    "TRUNCATE acceptances CASCADE",
    "TRUNCATE users CASCADE",
    "TRUNCATE clients CASCADE",
)
"""What would alter what was agreed to, or take it away, by itself or by way of what it refers to."""

REFUSALS = (asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError, asyncpg.ForeignKeyViolationError)


@pytest.fixture(scope="module")
async def decided(alone: Service) -> Clinic:
    """A clinic whose owner decided about texts for herself and for the clinic."""
    clinic = await alone.full_clinic()
    registry = Registry(alone.application.works)
    await registry.publish("data-processing")
    person = (await alone.done("GET", "/session", clinic.owner))["user"]["id"]
    await registry.decide(person, "data-processing", "accepted", clinic.slug)
    return clinic


@asynccontextmanager
async def acting(
    service: Service, role: str, before: str = "", clinic_id: str | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """A connection in the name of a role, in a transaction that comes to nothing.

    Args:
        before: what a superuser does first in it.
    """
    prefix = service.settings.database_role_prefix
    async with superuser(service.settings) as connection:
        transaction = connection.transaction()
        await transaction.start()
        if before:
            await connection.execute(before)
        if role == "replica":
            await connection.execute("SET LOCAL session_replication_role = replica")
        elif role != "superuser":
            await connection.execute(f'SET LOCAL ROLE "{prefix}_{role}"')
        await connection.execute(f"SET LOCAL app.clinic_id = '{clinic_id}'")
        yield connection
        await transaction.rollback()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("change", CHANGES)
async def test_nothing_changes(change: str, role: str, alone: Service, decided: Clinic) -> None:
    """No role changes a word of a published text or of a decision, nor takes one away, nor empties a table."""
    async with acting(alone, role, clinic_id=decided.id) as connection:
        for table in TABLES:
            assert await connection.fetchval(f"SELECT count(*) FROM {table}"), "the role sees what it may not change"  # noqa: S608 -- ours
        with pytest.raises(REFUSALS):
            await connection.execute(change)


def _cascading(table: str, key: str, columns: str, refers: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {key};"
        f"ALTER TABLE {table} ADD CONSTRAINT {key} FOREIGN KEY ({columns}) REFERENCES {refers} ON DELETE CASCADE"
    )


CHANGE = {
    "legal_versions": "UPDATE legal_versions SET published_at = now()",
    "legal_texts": "UPDATE legal_texts SET title = 'Otro'",
    "acceptances": "UPDATE acceptances SET request_id = 'otra'",
}
PROTECTIONS = {
    "a row's trigger": ("owner", "", "DROP TRIGGER keep_{table}_row ON {table}", "{change}"),
    "the table's trigger": ("owner", "", "DROP TRIGGER keep_{table}_all ON {table}", "TRUNCATE {table} CASCADE"),
    "a trigger that is always enabled": (
        "replica",
        "",
        "ALTER TABLE {table} ENABLE TRIGGER keep_{table}_row",
        "{change}",
    ),
    "what the application is granted": (
        "app",
        "DROP TRIGGER keep_{table}_row ON {table}",
        'GRANT UPDATE ON {table} TO "{app}"',
        "{change}",
    ),
}
"""Of every protection: who is kept off, what else would refuse, what takes it away, and what it keeps off."""


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("protection", PROTECTIONS)
async def test_each_by_itself(protection: str, table: str, alone: Service, decided: Clinic) -> None:
    """Each protection refuses by itself, and what it refuses is possible once it is taken away."""
    role, beside, removal, attack = PROTECTIONS[protection]
    app = f"{alone.settings.database_role_prefix}_app"
    if protection == "the table's trigger":  # what refers to the table would refuse to be emptied with it
        others = {"legal_versions": ("legal_texts", "acceptances"), "legal_texts": ("acceptances",), "acceptances": ()}[
            table
        ]
        beside = ";".join(f"DROP TRIGGER keep_{other}_all ON {other}" for other in others)
    beside, removal, attack = (
        text.format(table=table, app=app, change=CHANGE[table]) for text in (beside, removal, attack)
    )
    async with acting(alone, role, beside, decided.id) as connection:
        with pytest.raises((asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)):
            await connection.execute(attack)
    async with acting(alone, role, f"{beside};{removal}", decided.id) as connection:
        await connection.execute(attack)


REFERENCES = {
    "users": ("acceptances", "fk_acceptances_user_id", "user_id", "users (id)"),
    "legal_texts": (
        "acceptances",
        "fk_acceptances_slug_version_locale",
        "slug, version, locale",
        "legal_texts (slug, version, locale)",
    ),
    "clients": ("acceptances", "fk_acceptances_clinic_id_client_id", "clinic_id, client_id", "clients (clinic_id, id)"),
}


@pytest.mark.parametrize("referred", REFERENCES)
async def test_cascades(referred: str, alone: Service, decided: Clinic) -> None:
    """A reference that carried deletions on would meet the row's trigger: rows are kept by more than the reference."""
    async with acting(alone, "superuser", _cascading(*REFERENCES[referred])) as connection:
        if referred == "clients":
            await connection.execute(
                "INSERT INTO acceptances SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(),"
                " 'number', 900, 'user_id', null, 'client_id', (SELECT id FROM clients WHERE clinic_id = a.clinic_id"
                " LIMIT 1)))).* FROM acceptances a WHERE capacity = 'clinic' LIMIT 1"
            )
        with pytest.raises((asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError)):
            await connection.execute(f"DELETE FROM {referred}")  # noqa: S608 -- ours
