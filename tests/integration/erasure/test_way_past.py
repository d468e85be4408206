"""The one way past what keeps signed records: the system's, within an erasure, and only to anonymise."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.integration.erasure.scene import NAMED, Scene, set_scene
from tests.integration.http.service import Service, superuser
from tests.integration.records.test_signed import ROLES, acting

from coravet.adapters.postgres.privacy.erasure import cut_columns, erased_columns
from coravet.adapters.postgres.tables import metadata

REFUSED = (asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)
WORD = "'[eliminado]'"


@pytest.fixture(scope="module")
async def scene(service: Service) -> Scene:
    """A clinic with a signed encounter and all that hangs on it."""
    scene = await set_scene(service)
    scene.kept = {"shared": await scene.write(scene.shared)}
    await scene.done("POST", f"clients/{scene.client}/consents", json=_consent())
    return scene


def _consent() -> dict[str, str]:
    return {"purpose": "photos", "decision": "declined", "source": "phone", "note": NAMED}


def _kept_tables() -> dict[str, list[str]]:
    """Tables whose rows are kept by triggers, with the columns that erasing clears or cuts."""
    found = {}
    for name in (
        "addenda", "allergies", "appointment_transitions", "consents", "dewormings", "documents", "encounters",
        "immunizations", "prescription_items", "prescriptions", "privacy_request_steps", "problem_changes",
        "set_aside_notes", "weights",
    ):  # fmt: skip
        table = metadata.tables[name]
        found[name] = sorted({column.name for column in (*erased_columns(table), *cut_columns(table))})
    return found


KEPT = _kept_tables()


@asynccontextmanager
async def erasing(scene: Scene, role: str, *, completed: bool = False) -> AsyncIterator[asyncpg.Connection]:
    """A connection in the role's name, in a transaction in which an erasure was begun; nothing of it stays."""
    async with acting(scene.service, scene.clinic, role) as connection:
        await connection.execute("RESET ROLE")
        erasure = uuid4()
        await connection.execute(
            "INSERT INTO erasures (clinic_id, id, number, subject_type, subject_id, begun_at)"
            " VALUES ($1, $2, 99, 'client', $3, now())",
            UUID(scene.clinic.id),
            erasure,
            UUID(scene.other),
        )
        if completed:
            await connection.execute(
                "UPDATE erasures SET completed_at = now(), certificate = '{}', sha256 = '0' WHERE id = $1", erasure
            )
        await connection.execute(f"SET LOCAL app.erasure = '{erasure}'")
        prefix = scene.service.settings.database_role_prefix
        names = {"app": f"{prefix}_app", "system": f"{prefix}_system", "owner": f"{prefix}_owner"}
        if role in names:
            await connection.execute(f'SET LOCAL ROLE "{names[role]}"')
        yield connection


async def test_listed(service: Service) -> None:
    """What an erasure may change of kept rows is what the columns' classes say, and nothing else is kept like that."""
    async with superuser(service.settings) as admin:
        rows = await admin.fetch(
            "SELECT tgrelid::regclass::text AS name, pg_get_triggerdef(oid) AS made FROM pg_trigger"
            " WHERE tgname LIKE 'keep\\_%\\_change'"
        )
    listed = {row["name"]: sorted(row["made"].split("'{")[1].split("}'")[0].split(",")) for row in rows}
    assert listed == KEPT


@pytest.mark.parametrize("table", KEPT)
async def test_system_anonymises(table: str, scene: Scene) -> None:
    """Within an erasure the system clears these columns or cuts something out of them."""
    async with erasing(scene, "system") as connection:
        for column in KEPT[table]:
            done = await connection.execute(
                f"UPDATE {table} SET {column} = {WORD} WHERE clinic_id = $1 AND {column} IS NOT NULL",  # noqa: S608 -- names of ours
                UUID(scene.clinic.id),
            )
            assert done.startswith("UPDATE")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "change",
    [
        "plan = 'Otro'",
        "subjective = subjective || ' y más'",
        "subjective = replace(subjective, 'tos', 'asma')",
        "signed_at = now()",
        "subjective = '[eliminado]', weight_kg = 99",
        "signer_name = '[eliminado]'",
        "digest = '\\x00'",
    ],
)
async def test_nothing_else_changes(role: str, change: str, scene: Scene) -> None:
    """An erasure writes nothing, adds nothing and changes no fact, whoever acts."""
    async with erasing(scene, role) as connection:
        with pytest.raises(REFUSED):
            await connection.execute(
                f"UPDATE encounters SET {change} WHERE id = $1",  # noqa: S608 -- texts of this file
                UUID(scene.kept["shared"]["encounter_id"]),
            )


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("statement", ["DELETE FROM addenda", "TRUNCATE addenda CASCADE", "DELETE FROM erasures"])
async def test_nothing_is_deleted(role: str, statement: str, scene: Scene) -> None:
    """An erasure deletes nothing of what is kept, its own certificate included."""
    async with erasing(scene, role) as connection:
        with pytest.raises(REFUSED):
            await connection.execute(statement)


@pytest.mark.parametrize("role", ["app", "owner", "superuser", "replica"])
async def test_system_alone(role: str, scene: Scene) -> None:
    """Nobody but the system anonymises, though an erasure is under way."""
    async with erasing(scene, role) as connection:
        with pytest.raises(REFUSED):
            await connection.execute(
                f"UPDATE encounters SET subjective = {WORD} WHERE id = $1",  # noqa: S608 -- a text of this file
                UUID(scene.kept["shared"]["encounter_id"]),
            )


async def test_only_while_it_lasts(scene: Scene) -> None:
    """The system anonymises neither without an erasure, nor after one, nor within one of another clinic."""
    change = f"UPDATE encounters SET subjective = {WORD} WHERE id = $1"  # noqa: S608 -- a text of this file
    encounter = UUID(scene.kept["shared"]["encounter_id"])
    async with acting(scene.service, scene.clinic, "system") as connection:
        with pytest.raises(REFUSED):
            await connection.execute(change, encounter)
    async with erasing(scene, "system", completed=True) as connection:
        with pytest.raises(REFUSED):
            await connection.execute(change, encounter)
    async with erasing(scene, "system") as connection:
        await connection.execute(f"SET LOCAL app.erasure = '{uuid4()}'")
        with pytest.raises(REFUSED):
            await connection.execute(change, encounter)
    there = await set_scene(scene.service)
    async with erasing(there, "system") as connection:
        with pytest.raises(REFUSED):
            await connection.execute(change, encounter)


@pytest.mark.parametrize("role", ["app", "owner", "superuser", "replica"])
async def test_nobody_comes_back(role: str, service: Service) -> None:
    """Who was erased stays erased, and nobody is marked so without being it; nothing is written of them any more."""
    scene = await set_scene(service)
    await scene.erase()
    patient, client = UUID(scene.theirs), UUID(scene.client)
    for statement, arguments in (
        ("UPDATE clients SET given_name = 'Zoila', erased_at = NULL WHERE id = $1", [client]),
        ("UPDATE patients SET name = 'Canela' WHERE id = $1", [patient]),
        ("UPDATE clients SET erased_at = now() WHERE id = $1", [UUID(scene.other)]),
        (
            "INSERT INTO encounters (clinic_id, id, patient_id, started_at, reason, created_at, version)"
            " VALUES ($2, gen_random_uuid(), $1, now(), 'Zoila', now(), 1)",
            [patient, UUID(scene.clinic.id)],
        ),
        (
            "INSERT INTO consents (clinic_id, id, client_id, purpose, decision, source, note, decided_at)"
            " VALUES ($2, gen_random_uuid(), $1, 'photos', 'declined', 'phone', 'Zoila', now())",
            [client, UUID(scene.clinic.id)],
        ),
    ):
        async with acting(service, scene.clinic, role) as connection:
            with pytest.raises((*REFUSED, asyncpg.ForeignKeyViolationError)):
                await connection.execute(statement, *arguments)
