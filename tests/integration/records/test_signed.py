"""What is signed stays as it is, whoever asks the database: the application, the system, the owner, a replica."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Service, superuser

ROLES = ("app", "system", "owner", "superuser", "replica")
"""In whose name a statement runs; a replica's session skips triggers, but those that are always enabled."""

CHANGES = (
    "UPDATE encounters SET plan = 'Otro' WHERE id = $1",
    "UPDATE encounters SET weight_kg = 99 WHERE id = $1",
    "UPDATE encounters SET reason = 'Otra' WHERE id = $1",
    "UPDATE encounters SET signed_at = NULL, signed_by = NULL, signer_name = NULL, registration_number = NULL,"
    " digest = NULL WHERE id = $1",
    "UPDATE encounters SET signed_at = now() WHERE id = $1",
    "UPDATE encounters SET registration_number = '2' WHERE id = $1",
    "UPDATE encounters SET voided_at = now(), void_reason = 'x', plan = 'Otro' WHERE id = $1",
    "UPDATE addenda SET text = 'Otro' WHERE encounter_id = $1",
    "UPDATE addenda SET text = NULL WHERE encounter_id = $1",
    "UPDATE addenda SET added_at = now() WHERE encounter_id = $1",
    "UPDATE problem_changes SET status = 'resolved' WHERE encounter_id = $1",
    "UPDATE problem_changes SET name = NULL WHERE encounter_id = $1",
    "UPDATE encounters SET plan = NULL, assessment = NULL WHERE id = $1",
    "UPDATE weights SET weight_kg = 99 WHERE clinic_id = (SELECT clinic_id FROM encounters WHERE id = $1)",
    "UPDATE set_aside_notes SET plan = 'Otro' WHERE encounter_id = $1",
    "DELETE FROM addenda WHERE encounter_id = $1",
    "DELETE FROM problem_changes WHERE encounter_id = $1",
    "DELETE FROM set_aside_notes WHERE encounter_id = $1",
    "DELETE FROM weights WHERE clinic_id = (SELECT clinic_id FROM encounters WHERE id = $1)",
    "DELETE FROM encounters WHERE id = $1",
    "INSERT INTO problem_changes (clinic_id, id, problem_id, encounter_id, at, name, status, certainty)"
    " SELECT c.clinic_id, gen_random_uuid(), c.problem_id, c.encounter_id, now(), 'x', 'active', 'suspected'"
    " FROM problem_changes c WHERE c.encounter_id = $1",
)
"""What would alter a signed encounter or what belongs to it."""

REFUSED = {
    "encounters": "an encounter that is signed",
    "addenda": "addenda is settled",
    "problem_changes": "problem_changes is settled",
    "set_aside_notes": "set_aside_notes is settled",
    "weights": "weights is settled",
}
"""What each table says to whoever would empty it."""


@pytest.fixture(scope="module")
async def signed(service: Service, clinic: Clinic) -> UUID:
    """A signed encounter with a diagnosis, an addendum, a text that came too late, and a weight beside it."""
    base, vet = f"/clinics/{clinic.slug}", clinic.people["vet"]
    await service.plant(clinic, "written_encounter")
    encounter_id = clinic.ids["encounter_id"]
    at = f"{base}/encounters/{encounter_id}"
    found = {"name": "Otitis", "encounter_id": encounter_id}
    await service.done("POST", f"{base}/patients/{clinic.ids['patient_id']}/problems", vet, json=found)
    await service.done("POST", f"{at}/sign", vet, json={"version": 2})
    await service.done("POST", f"{at}/addenda", vet, json={"text": "Mejoró"})
    await service.ask("PATCH", at, vet, json={"version": 1, "note": {"plan": "Tarde"}})
    await service.plant(clinic, "weight")
    return UUID(encounter_id)


@asynccontextmanager
async def acting(service: Service, clinic: Clinic, role: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection in the name of a role, in the clinic's scope, in a transaction that comes to nothing."""
    prefix = service.settings.database_role_prefix
    async with superuser(service.settings) as connection:
        transaction = connection.transaction()
        await transaction.start()
        if role == "replica":
            await connection.execute("SET LOCAL session_replication_role = replica")
        elif role != "superuser":
            await connection.execute(f'SET LOCAL ROLE "{prefix}_{role}"')
        await connection.execute(f"SET LOCAL app.clinic_id = '{clinic.id}'")
        yield connection
        await transaction.rollback()


async def _whole(service: Service, encounter_id: UUID) -> list[asyncpg.Record]:
    """The encounter and all that belongs to it, as rows."""
    async with superuser(service.settings) as admin:
        return [
            await admin.fetch(f"SELECT * FROM {table} WHERE {key} = $1 ORDER BY id", encounter_id)  # noqa: S608 -- names of ours
            for table, key in (
                ("encounters", "id"),
                ("addenda", "encounter_id"),
                ("problem_changes", "encounter_id"),
                ("set_aside_notes", "encounter_id"),
            )
        ]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("change", CHANGES)
async def test_nothing_changes(change: str, role: str, service: Service, clinic: Clinic, signed: UUID) -> None:
    """No role changes a word of it, takes it away, or writes into it afterwards."""
    before = await _whole(service, signed)
    async with acting(service, clinic, role) as connection:
        found = "SELECT count(*) FROM encounters WHERE id = $1 AND signed_at IS NOT NULL"
        assert await connection.fetchval(found, signed) == 1, "the role sees what it may not change"
        with pytest.raises((asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)):
            await connection.execute(change, signed)
    assert await _whole(service, signed) == before


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", REFUSED)
async def test_nothing_is_emptied(table: str, role: str, service: Service, clinic: Clinic, signed: UUID) -> None:
    """No role empties a table of records, nor by way of what it refers to."""
    async with acting(service, clinic, role) as connection:
        with pytest.raises((asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)) as refused:
            await connection.execute(f"TRUNCATE {table} CASCADE")
    if isinstance(refused.value, asyncpg.RestrictViolationError):
        assert REFUSED[table] in str(refused.value), "each table refuses by itself, not by way of another"
    async with acting(service, clinic, role) as connection:
        with pytest.raises((asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)):
            await connection.execute("TRUNCATE patients CASCADE")
    assert all(await _whole(service, signed))


async def test_what_may_be(service: Service, clinic: Clinic, signed: UUID) -> None:
    """The application may mark it as entered in error, once; the mark then stays."""
    mark = "UPDATE encounters SET voided_at = $2, void_reason = 'Otra mascota', version = version + 1 WHERE id = $1"
    async with acting(service, clinic, "app") as connection:
        assert await connection.execute(mark, signed, datetime(2026, 1, 2, tzinfo=UTC)) == "UPDATE 1"
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(mark, signed, datetime(2026, 1, 3, tzinfo=UTC))


async def test_an_addendum_needs_a_signature(service: Service, clinic: Clinic) -> None:
    """Not even SQL adds to a draft."""
    await service.plant(clinic, "encounter")
    async with acting(service, clinic, "app") as connection:
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(
                "INSERT INTO addenda (clinic_id, id, encounter_id, text, member_id, author_name, added_at)"
                " VALUES ($1, gen_random_uuid(), $2, 'x', $3, 'x', now())",
                UUID(clinic.id),
                UUID(clinic.ids["encounter_id"]),
                UUID(clinic.ids["vet_member_id"]),
            )


async def test_drafts_stay_their_patients(service: Service, clinic: Clinic) -> None:
    """Not even a draft is moved to another patient, or deleted."""
    await service.plant(clinic, "encounter")
    draft = UUID(clinic.ids["encounter_id"])
    for change in ("UPDATE encounters SET patient_id = gen_random_uuid() WHERE id = $1",):
        async with acting(service, clinic, "owner") as connection:
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(change, draft)
    async with acting(service, clinic, "system") as connection:
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("DELETE FROM encounters WHERE id = $1", draft)
