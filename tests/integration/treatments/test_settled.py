"""What was given, prescribed and noted stays as it is, whoever asks the database."""

import asyncpg
import pytest
from tests.integration.http.service import TREATMENTS, Clinic, Service
from tests.integration.records.test_signed import ROLES, acting

TABLES = ("immunizations", "dewormings", "prescriptions", "allergies", "prescription_items")
CHANGES = {
    "immunizations": "lot_number = 'B2'",
    "dewormings": "weight_kg = 1",
    "prescriptions": "valid_until = '2099-01-01'",
    "allergies": "substance = 'Otra'",
    "prescription_items": "quantity = 99",
}
VOID = "voided_at = now(), void_reason = 'x'"
REFUSED = (asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
async def test_nothing_changes_or_goes(table: str, role: str, service: Service, clinic: Clinic) -> None:
    """No role changes, deletes or empties them."""
    for kind in TREATMENTS:
        await service.plant(clinic, kind)
    for statement in (f"UPDATE {table} SET {CHANGES[table]}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):  # noqa: S608 -- names of ours
        async with acting(service, clinic, role) as connection:
            with pytest.raises(REFUSED):
                await connection.execute(statement)


@pytest.mark.parametrize("table", TABLES[:4])
async def test_error_is_marked_once(table: str, service: Service, clinic: Clinic) -> None:
    """That a row was entered in error may be written into it, by itself and once."""
    for kind in TREATMENTS:
        await service.plant(clinic, kind)
    async with acting(service, clinic, "app") as connection:
        row_id = await connection.fetchval(f"SELECT id FROM {table} WHERE voided_at IS NULL LIMIT 1")  # noqa: S608 -- names of ours
        for changes in (f"{VOID}, {CHANGES[table]}", VOID, "void_reason = 'y'", "voided_at = NULL, void_reason = NULL"):
            if changes == VOID:
                await connection.execute(f"UPDATE {table} SET {changes} WHERE id = $1", row_id)  # noqa: S608 -- as above
                continue
            savepoint = connection.transaction()
            await savepoint.start()
            with pytest.raises(REFUSED):
                await connection.execute(f"UPDATE {table} SET {changes} WHERE id = $1", row_id)  # noqa: S608 -- as above
            await savepoint.rollback()


@pytest.mark.parametrize("table", TABLES[:3])
async def test_signed_encounters_take_nothing(table: str, service: Service, clinic: Clinic) -> None:
    """Nothing is written into an encounter that is signed, by SQL neither."""
    for kind in ("signed_encounter", *TREATMENTS):
        await service.plant(clinic, kind)
    async with acting(service, clinic, "app") as connection:
        columns = await connection.fetchval(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
            " WHERE table_name = $1 AND column_name NOT IN ('id', 'encounter_id')",
            table,
        )
        copy = f"INSERT INTO {table} (id, encounter_id, {columns}) SELECT gen_random_uuid(), $1, {columns} FROM {table} LIMIT 1"  # noqa: E501, S608 -- one statement; names of ours
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(copy, clinic.ids["encounter_id"])


@pytest.mark.parametrize("role", ["app", "system", "superuser", "replica"])
async def test_prescriptions_get_no_further_items(role: str, service: Service, clinic: Clinic) -> None:
    """A prescription keeps the items that it was issued with: no role adds one later, not even after touching it."""
    await service.plant(clinic, "prescription")
    async with acting(service, clinic, role) as connection:
        await connection.execute("UPDATE prescriptions SET vet_name = vet_name WHERE clinic_id = $1", clinic.id)
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(
                "INSERT INTO prescription_items (clinic_id, id, prescription_id, position, drug, active_substances,"
                " unit, route, quantity, quantity_unit) SELECT clinic_id, gen_random_uuid(), prescription_id,"
                " position + 1, 'Otro', '{}', unit, route, quantity, quantity_unit"
                " FROM prescription_items WHERE clinic_id = $1 ORDER BY id DESC LIMIT 1",
                clinic.id,
            )
