"""Migrations go up, down and up again, and end where the models stand."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.integration.http.service import superuser

from coravet.adapters.postgres.engine import sqlalchemy_url
from coravet.adapters.postgres.migrate import ALEMBIC, alembic_config, migrate
from coravet.core.kernel.text import fold
from coravet.core.patients.search import kept
from coravet.settings import Settings

Alembic = Callable[..., Any]


def _revisions() -> list[str]:
    """Every revision, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


@pytest.fixture
async def alembic(empty_database: Settings) -> AsyncIterator[Alembic]:
    """Runs one of Alembic's commands as the owner, on a database that has the roles and no table."""
    await migrate(empty_database, lambda _: None, revision=_revisions()[0])
    assert empty_database.database_admin_url is not None
    url = sqlalchemy_url(empty_database.database_admin_url.get_secret_value())
    engine = create_async_engine(url, poolclass=NullPool)

    async def run(name: str, *arguments: Any) -> None:
        def run_on(connection: Any) -> None:
            prefix = empty_database.database_role_prefix
            connection.exec_driver_sql(f'SET ROLE "{prefix}_owner"')
            connection.commit()
            getattr(command, name)(alembic_config(connection, prefix), *arguments)
            connection.commit()

        async with engine.connect() as connection:
            await connection.run_sync(run_on)

    await run("downgrade", "base")
    yield run
    await engine.dispose()


async def _described(settings: Settings) -> dict[str, list[str]]:
    """All that migrations make: tables, columns, constraints, indexes, policies, functions and grants."""
    queries = {
        "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, generation_expression"
        " FROM information_schema.columns WHERE table_schema IN ('public', 'jobs')",
        "constraints": "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace::regnamespace::text IN ('public', 'jobs')",
        "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'jobs')",
        "policies": "SELECT * FROM pg_policies WHERE schemaname = 'public'",
        "functions": "SELECT p.oid::regprocedure::text, prosrc, proacl::text, prosecdef, proconfig FROM pg_proc p"
        " WHERE pronamespace = 'public'::regnamespace",
        "tables": "SELECT relname, relacl::text, relrowsecurity, relforcerowsecurity, reloptions FROM pg_class"
        " WHERE relnamespace::regnamespace::text IN ('public', 'jobs') AND relkind IN ('r', 'S')",
        "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "schemas": "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'",
    }
    async with superuser(settings) as admin:
        return {name: sorted(str(tuple(row)) for row in await admin.fetch(query)) for name, query in queries.items()}


async def test_stairway(alembic: Alembic, empty_database: Settings) -> None:
    """Each revision goes up, down to exactly what was before it, and up again to exactly what it made."""
    for revision in _revisions():
        before = await _described(empty_database)
        await alembic("upgrade", revision)
        made = await _described(empty_database)
        assert made != before, revision
        await alembic("downgrade", "-1")
        assert await _described(empty_database) == before, revision
        await alembic("upgrade", revision)
        assert await _described(empty_database) == made, revision


def _id(number: int) -> str:
    return f"'{UUID(int=number)}'"


CLINIC, USER, MEMBER, CLIENT, PATIENT, SERVICE, VET, ROOM = map(_id, range(1, 9))
MOVED, VISIT, HOLD, COPY = map(_id, range(9, 13))
HALF = "now() + interval '1 day', now() + interval '1 day 30 min'"

SHIPPED = f"""
INSERT INTO clinics (id, slug, name, time_zone) VALUES ({CLINIC}, 'clinica', 'Clínica', 'America/Guayaquil');
INSERT INTO users (id, firebase_uid, email, display_name) VALUES ({USER}, 'uid', 'ana@correo.test', 'Ana');
INSERT INTO members (clinic_id, id, user_id, roles, active, version)
    VALUES ({CLINIC}, {MEMBER}, {USER}, '{{owner,vet}}', true, 1);
INSERT INTO operators (user_id, reason) VALUES ({USER}, 'prueba');
INSERT INTO invitations (clinic_id, id, email, roles, token_hash, expires_at)
    VALUES ({CLINIC}, {CLIENT}, 'eva@correo.test', '{{vet}}', '\\x00', now());
INSERT INTO ended_sessions (token_hash, expires_at) VALUES ('\\x01', now());
INSERT INTO idempotency_keys (clinic_id, user_id, key, fingerprint) VALUES ({CLINIC}, {USER}, 'llave', '\\x00');
INSERT INTO outbox (clinic_id, id, kind, audience, subject_type, subject_id)
    VALUES ({CLINIC}, {CLIENT}, 'client.created', 'clinic', 'client', {CLIENT});
INSERT INTO clients (clinic_id, id, given_name, family_name, search_key, version, created_at)
    VALUES ({CLINIC}, {CLIENT}, 'Eva', 'Vera', 'eva vera', 1, now());
INSERT INTO patients (clinic_id, id, name, species, sex, reproductive_status, search_key, version, created_at)
    VALUES ({CLINIC}, {PATIENT}, 'Luna', 'cat', 'female', 'intact', 'luna', 1, now());
INSERT INTO parties (clinic_id, id, patient_id, client_id, role, since)
    VALUES ({CLINIC}, {PATIENT}, {PATIENT}, {CLIENT}, 'owner', now());
INSERT INTO services (clinic_id, id, name, duration_minutes, buffer_before_minutes, buffer_after_minutes,
    bookable_online, active, version) VALUES ({CLINIC}, {SERVICE}, 'Consulta', 30, 0, 5, true, true, 1);
INSERT INTO resources (clinic_id, id, kind, name, member_id, active, version)
    VALUES ({CLINIC}, {VET}, 'vet', 'Ana', {MEMBER}, true, 1), ({CLINIC}, {ROOM}, 'room', '1', NULL, true, 1);
INSERT INTO service_resources (clinic_id, service_id, resource_id)
    VALUES ({CLINIC}, {SERVICE}, {VET}), ({CLINIC}, {SERVICE}, {ROOM});
INSERT INTO hours (clinic_id, resource_id, weekday, opens, closes)
    VALUES ({CLINIC}, {VET}, 1, '08:00', '12:00'), ({CLINIC}, {VET}, 1, '20:00', '06:00');
INSERT INTO appointments (clinic_id, id, service_id, patient_id, client_id, status, starts_at, ends_at, source, lane,
    version, created_at, rescheduled_from_id)
    VALUES ({CLINIC}, {MOVED}, {SERVICE}, {PATIENT}, {CLIENT}, 'cancelled', {HALF}, 'staff', 0, 2, now(), NULL),
        ({CLINIC}, {VISIT}, {SERVICE}, {PATIENT}, {CLIENT}, 'confirmed', {HALF}, 'portal', 0, 1, now(), {MOVED});
INSERT INTO allocations (clinic_id, id, appointment_id, resource_id, lane, starts_at, ends_at, released_at)
    SELECT clinic_id, gen_random_uuid(), id, resource_id, lane, starts_at, ends_at + interval '5 min',
        CASE status WHEN 'cancelled' THEN now() END FROM appointments, unnest(ARRAY[{VET}, {ROOM}]::uuid[]) resource_id;
"""  # noqa: S608 -- ids of ours
"""A row at least in every table of revision 0004."""

SINCE = f"""
UPDATE patients SET deceased_on = current_date;
INSERT INTO holds (clinic_id, id, service_id, kind, starts_at, ends_at, expires_at, created_at)
    VALUES ({CLINIC}, {HOLD}, {SERVICE}, 'offer', now() + interval '2 days', now() + interval '3 days', now(), now());
INSERT INTO allocations (clinic_id, id, hold_id, resource_id, lane, starts_at, ends_at, expires_at)
    SELECT clinic_id, id, id, {VET}, 0, starts_at, ends_at, expires_at FROM holds;
INSERT INTO appointments (clinic_id, id, service_id, patient_id, client_id, status, starts_at, ends_at, source, lane,
    version, created_at, status_since, superseded_by_id)
    VALUES ({CLINIC}, {COPY}, {SERVICE}, {PATIENT}, {CLIENT}, 'cancelled', {HALF}, 'staff', 0, 2, now(), now(),
    {VISIT});
INSERT INTO appointment_transitions (clinic_id, id, appointment_id, step, to_status, starts_at, at, by)
    VALUES ({CLINIC}, {COPY}, {VISIT}, 'book', 'requested', now(), now(), 'guest');
INSERT INTO guest_requests (clinic_id, id, appointment_id, given_name, family_name, phone, patient_name, species,
    accepted_slug, accepted_version, accepted_locale, accepted_sha256, created_at)
    VALUES ({CLINIC}, {VISIT}, {VISIT}, 'Eva', 'Vera', '+593991234567', 'Luna', 'cat', 'privacy', '1', 'es', '0',
    now());
INSERT INTO waitlist (clinic_id, id, service_id, patient_id, client_id, resource_ids, weekdays, from_date, to_date,
    created_at, status, hold_id, offers, refused, version) VALUES ({CLINIC}, {HOLD}, {SERVICE}, {PATIENT}, {CLIENT},
    '{{}}', '{{}}', current_date, current_date, now(), 'offered', {HOLD}, 1, '{{}}', 1);
INSERT INTO exceptions VALUES ({CLINIC}, {VET}, '2030-01-01', '{{08:00}}', '{{12:00}}', NULL);
INSERT INTO closures (clinic_id, id, starts_on, ends_on, resource_id, holiday, version)
    VALUES ({CLINIC}, {VISIT}, '2030-01-01', '2030-01-01', {VET}, true, 1);
INSERT INTO hours (clinic_id, resource_id, weekday, opens, closes, valid_from, valid_until)
    VALUES ({CLINIC}, {VET}, 1, '08:00', '12:00', '2030-01-01', '2030-02-01');
INSERT INTO messages (clinic_id, id, kind, subject_type, subject_id, channel, due_at)
    VALUES ({CLINIC}, {VISIT}, 'visit_booked', 'appointment', {VISIT}, 'mail', now());
INSERT INTO links (clinic_id, id, purpose, subject_id, token_hash, expires_at)
    VALUES ({CLINIC}, {VISIT}, 'see', {VISIT}, '\\x00', now());
INSERT INTO recalls (clinic_id, id, patient_id, kind, due_on, due_at, created_at)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, 'vaccine_due', '2030-01-01', now(), now());
INSERT INTO channel_choices (clinic_id, id, client_id, channel, allowed, source, chosen_at)
    VALUES ({CLINIC}, {VISIT}, {CLIENT}, 'mail', true, 'phone', now());
INSERT INTO contacts (clinic_id, id, client_id, kind, value, created_at)
    VALUES ({CLINIC}, {VISIT}, {CLIENT}, 'phone', '+593991234567', now());
INSERT INTO consents (clinic_id, id, client_id, purpose, decision, source, decided_at)
    VALUES ({CLINIC}, {VISIT}, {CLIENT}, 'marketing', 'declined', 'phone', now());
INSERT INTO client_merges (clinic_id, id, client_id, merged_id, merged_at, filled, moved)
    VALUES ({CLINIC}, {VISIT}, {CLIENT}, {CLIENT}, now(), '{{}}', '{{}}');
INSERT INTO imports (clinic_id, id, file_name, size, sha256, created_at, expires_at, status, received, last_row,
    checked, applied, counts, skip_errors) VALUES ({CLINIC}, {VISIT}, 'clientes.csv', 1, '0', now(), now(), 'checked',
    1, 2, 1, 0, '{{}}', false);
INSERT INTO documents (clinic_id, id, number, kind, patient_id, subject_id, content, token_hash, issued_at,
    issued_on) VALUES ({CLINIC}, {VISIT}, 1, 'card', {PATIENT}, {PATIENT}, '\\x00', '\\x00', now(), '2030-01-01');
INSERT INTO erasures (clinic_id, id, number, subject_type, subject_id, begun_at)
    VALUES ({CLINIC}, {VISIT}, 1, 'client', {CLIENT}, now());
INSERT INTO withheld VALUES ({CLINIC}, {VISIT}, 'encounters', {VISIT}, 'clinical_record', '{{}}', '2030-01-01');
INSERT INTO retention_rules VALUES ({CLINIC}, 'clinical_record', 'Ninguna', 0, NULL, true);
INSERT INTO import_parts VALUES ({CLINIC}, {VISIT}, 0, '\\x00');
INSERT INTO import_rows (clinic_id, import_id, number, outcome, warned, known, animals, problems)
    VALUES ({CLINIC}, {VISIT}, 2, 'error', false, false, '[]', '[]');
INSERT INTO reminder_rules VALUES ({CLINIC}, 'visit_reminder', 'mail', 60, true);
INSERT INTO quiet_hours VALUES ({CLINIC}, '21:00', '07:00');
INSERT INTO calendar_feeds (clinic_id, id, resource_id, member_id, token_hash, created_at)
    VALUES ({CLINIC}, {VISIT}, {VET}, {MEMBER}, '\\x00', now());
INSERT INTO encounters (clinic_id, id, patient_id, started_at, reason, created_at, version)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, now(), 'Control', now(), 1);
INSERT INTO problems (clinic_id, id, patient_id, name, status, certainty, created_at, version)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, 'Otitis', 'active', 'suspected', now(), 1);
INSERT INTO problem_changes (clinic_id, id, problem_id, encounter_id, at, name, status, certainty)
    VALUES ({CLINIC}, {VISIT}, {VISIT}, {VISIT}, now(), 'Otitis', 'active', 'suspected');
INSERT INTO set_aside_notes (clinic_id, id, encounter_id, written_from, plan, digest, set_aside_at)
    VALUES ({CLINIC}, {VISIT}, {VISIT}, 1, 'Reposo', '\\x00', now());
INSERT INTO immunizations (clinic_id, id, patient_id, encounter_id, vaccine, covers, due_days, administered_at, source,
    vet_id, vet_name, recorded_at) VALUES ({CLINIC}, {VISIT}, {PATIENT}, {VISIT}, 'Rabia', '{{rabies}}', '{{null}}',
    now(), 'here', {MEMBER}, 'Ana', now());
INSERT INTO dewormings (clinic_id, id, patient_id, product, active_substances, target, due_days, administered_at,
    source, recorded_at)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, 'Prazicuantel', '{{}}', 'internal', '{{null}}', now(), 'external', now());
INSERT INTO prescriptions (clinic_id, id, patient_id, vet_id, vet_name, registration_number, issued_at, valid_until,
    item_count) VALUES ({CLINIC}, {VISIT}, {PATIENT}, {MEMBER}, 'Ana', '1', now(), now(), 1);
INSERT INTO prescription_items (clinic_id, id, prescription_id, position, drug, active_substances, unit, route,
    quantity, quantity_unit) VALUES ({CLINIC}, {VISIT}, {VISIT}, 0, 'Meloxicam', '{{}}', 'ml', 'oral', 1, 'frasco');
INSERT INTO allergies (clinic_id, id, patient_id, substance, severity, noted_at)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, 'Penicilina', 'severe', now());
INSERT INTO protocols (clinic_id, kind, species, code, name, also, from_weeks, until_weeks, every_weeks, primary_doses,
    primary_weeks) VALUES ({CLINIC}, 'vaccine', 'dog', 'rabies', 'Rabia', '{{}}', 12, '{{}}', '{{}}', 1, 4);
UPDATE encounters SET signed_at = now(), signed_by = {MEMBER}, signer_name = 'Ana', registration_number = '1',
    digest = '\\x00';
INSERT INTO addenda (clinic_id, id, encounter_id, text, member_id, author_name, added_at)
    VALUES ({CLINIC}, {VISIT}, {VISIT}, 'Mejora', {MEMBER}, 'Ana', now());
INSERT INTO weights (clinic_id, id, patient_id, weight_kg, weighed_at, created_at)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, 4.2, now(), now());
INSERT INTO note_templates (clinic_id, id, name, active, version) VALUES ({CLINIC}, {VISIT}, 'Control', true, 1);
INSERT INTO identifiers (clinic_id, id, patient_id, kind, value, value_key, since)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, 'tattoo', 'A 1', 'A1', now());
INSERT INTO alerts (clinic_id, id, patient_id, moment, text, created_at)
    VALUES ({CLINIC}, {VISIT}, {PATIENT}, 'exam', 'Muerde', now());
INSERT INTO deaths VALUES ({CLINIC}, {VISIT}, {PATIENT}, 'recorded', current_date, now(), {MEMBER}, 0, 0, 0, 0);
INSERT INTO privacy_requests (clinic_id, id, kind, client_id, minor, channel, asked, received_at, opened_at, due_on,
    due_at, soon_at, due_day_at, status, version) VALUES ({CLINIC}, {VISIT}, 'access', {CLIENT}, false, 'letter',
    'Mis datos', now(), now(), current_date, now(), now(), now(), 'received', 1);
INSERT INTO privacy_request_steps (clinic_id, id, request_id, step, status, at, due_on)
    VALUES ({CLINIC}, {VISIT}, {VISIT}, 'receive', 'received', now(), current_date);
INSERT INTO consents (clinic_id, id, client_id, purpose, decision, source, decided_at)
    VALUES ({CLINIC}, {HOLD}, {CLIENT}, 'marketing', 'withdrawn', 'rights_request', now());
INSERT INTO rate_limits (key, hits, expires_at) VALUES ('\\x00', 1, now());
INSERT INTO jobs.pgqueuer (priority, status, entrypoint) VALUES (0, 'queued', 'prueba');
INSERT INTO legal_versions (slug, version, id, ordinal, change, published_at)
    VALUES ('terms', '1.0', {COPY}, 1, 'major', now());
INSERT INTO legal_texts (slug, version, locale, title, body, sha256)
    VALUES ('terms', '1.0', 'es-EC', 'Términos', 'Términos', encode(sha256(convert_to('Términos', 'UTF8')), 'hex'));
INSERT INTO acceptances (clinic_id, id, number, user_id, slug, version, locale, sha256, decision, capacity, decided_at,
    previous, hash)
    VALUES ({CLINIC}, {COPY}, 1, {USER}, 'terms', '1.0', 'es-EC', 'x', 'accepted', 'clinic', now(), '', '\\x00');
INSERT INTO departures (id, clinic_id, slug_sha256, reason, closed_at)
    VALUES ({COPY}, {COPY}, '\\x00', 'cierra', now());
INSERT INTO account_erasures (id, user_id, uid_sha256, reason, erased_at, completed_at, certificate)
    VALUES ({COPY}, {USER}, '\\x00', 'lo pidió', now(), now(), '{{}}');
INSERT INTO media (clinic_id, id, purpose, patient_id, status, size, sha256, received, created_at, version)
    VALUES ({CLINIC}, {COPY}, 'photo', {PATIENT}, 'uploading', 2, 'x', 1, now(), 1);
INSERT INTO media_variants (clinic_id, id, media_id, variant, key, media_type, size)
    VALUES ({CLINIC}, {COPY}, {COPY}, 'card', 'x', 'image/webp', 1);
INSERT INTO discarded_objects (key) VALUES ('x');
INSERT INTO acceptance_evidence (clinic_id, id, address, key) VALUES ({CLINIC}, {COPY}, '192.0.2.1', '\\x00');
"""  # noqa: S608 -- ids of ours
"""A row at least in every table that came later, and in what changed."""


async def _stored(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Every table's rows."""
    async with superuser(settings) as admin:
        tables = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            name: [dict(row) for row in await admin.fetch(f"SELECT * FROM {name}")]  # noqa: S608 -- the catalogue's name
            for (name,) in tables
        }


async def test_with_data(alembic: Alembic, empty_database: Settings) -> None:
    """A clinic at work since revision 0004 goes up with all it has, and down again with all that it had then.

    What that revision has no words for is gone: held time, and hours of a season, which would else hold for ever.
    """
    await alembic("upgrade", "0004")
    async with superuser(empty_database) as admin:
        await admin.execute(SHIPPED)
    shipped = await _stored(empty_database)
    assert not [table for table, rows in shipped.items() if not rows]
    del shipped["alembic_version"]

    async def lost(*, past: int) -> list[dict[str, Any]]:
        """Rows that were shipped and are not there as they were; of others, only so many visits' pasts are."""
        found = await _stored(empty_database)
        kept = {
            table: [{name: row[name] for name in rows[0]} for row in found[table]] for table, rows in shipped.items()
        }
        more = {table: len(kept[table]) - len(rows) for table, rows in shipped.items()}
        assert {table: count for table, count in more.items() if count} == ({"appointments": past} if past else {})
        return [row for table, rows in shipped.items() for row in rows if row not in kept[table]]

    await alembic("upgrade", "head")
    assert not await lost(past=0)
    now = await _stored(empty_database)
    assert [row for row in now["appointments"] if row["status_since"] != row["created_at"]] == []
    assert {(row["valid_from"], row["valid_until"]) for row in now["hours"]} == {(date.min, date.max)}
    async with superuser(empty_database) as admin:
        await admin.execute(SINCE)
    assert not [table for table, rows in (await _stored(empty_database)).items() if not rows]
    await alembic("downgrade", "0004")
    assert not await lost(past=1)
    await alembic("upgrade", "head")
    assert not await lost(past=1)
    await alembic("check")


async def test_words(fresh_database: Settings) -> None:
    """Names that were stored folded are parted into words by SQL as they are parted today."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    declared = ScriptDirectory.from_config(config).get_revision("0023").module.KEPT
    async with superuser(fresh_database) as admin:
        await admin.execute(declared.replace("FUNCTION kept_words", "FUNCTION pg_temp.kept_words"))
        for name in ("K-9", "Luna 2", "R2-D2 (azul)", "José Pérez-Luna", "O'Brien", "...", "a_b 7", "7-up 2 x"):
            stored = await admin.fetchval("SELECT pg_temp.kept_words($1)", fold(name))
            assert set(stored.split()) == set(kept(name)), name


async def test_models(alembic: Alembic) -> None:
    """The newest revision is what the models say: Alembic finds nothing left to migrate."""
    await alembic("upgrade", "head")
    await alembic("check")


async def test_one_line() -> None:
    """Revisions form one line: two that follow the same one would leave two heads."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


async def test_again(fresh_database: Settings) -> None:
    """Migrating what is migrated changes nothing."""
    before = await _described(fresh_database)
    lines: list[str] = []
    await migrate(fresh_database, lines.append)
    assert await _described(fresh_database) == before
    assert lines == [f"Schema is at {_revisions()[-1]}"]


async def test_by_the_application(fresh_database: Settings) -> None:
    """The application's role cannot migrate, nor change the schema in any way."""
    connection = await asyncpg.connect(fresh_database.database_url.get_secret_value())
    try:
        for statement in (
            "CREATE TABLE mine (id int)",
            "ALTER TABLE clients DISABLE ROW LEVEL SECURITY",
            "DROP POLICY own_clinic ON clients",
            "DROP TABLE clients",
            "TRUNCATE clients",
            f"SET ROLE {fresh_database.database_role_prefix}_owner",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
