"""The database's own catalogue, held to the laws of tenancy; whoever adds a table meets them here."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.integration.http.service import superuser

from coravet.settings import Settings

WITHOUT_CLINIC = {
    "alembic_version": "Alembic's own: the revision's number and nothing else",
    "clinics": "the tenants themselves; its id is the clinic_id of all others",
    "users": "people, who may work in several clinics; seen from a clinic only where they are members",
    "operators": "people who run the service across clinics",
    "ended_sessions": "hashes of cookies that were logged out, refused in every clinic",
    "rate_limits": "how often an address asks, of whatever clinic; hashes and numbers",
    "outbox_mark": "one number, up to which events of all clinics are numbered",
    "legal_versions": "legal texts are the same for all clinics, and public",
    "legal_texts": "as legal_versions",
    "departures": "clinics that left, whose rows are gone; by ids and hashes",
    "account_erasures": "accounts that were erased, in all clinics at once; by ids and hashes",
    "discarded_objects": "objects that are about to be deleted, also of clinics that are gone",
}
"""Tables that belong to no clinic, and why."""

UNIQUE_WITHOUT_CLINIC = {
    "pk_clinics": "the tenant's own id",
    "uq_clinics_slug": "a clinic's address is one for all; operators alone open clinics, so nobody can probe for one",
    "pk_users": "people are no clinic's",
    "uq_users_firebase_uid": "one account is one person",
    "pk_operators": "as pk_users",
    "pk_ended_sessions": "a cookie is ended everywhere",
    "pk_rate_limits": "an address is counted wherever it asks, by a hash that holds the clinic where it matters",
    "pk_outbox_mark": "one row",
    "pk_legal_versions": "legal texts are the same for all clinics, and public",
    "uq_legal_versions_ordinal": "as pk_legal_versions",
    "pk_legal_texts": "as pk_legal_versions",
    "pk_departures": "whoever left is no clinic any more; only the system sees them",
    "uq_departures_slug": "as uq_clinics_slug: an address is one for all, and for good",
    "pk_account_erasures": "as pk_users",
    "pk_discarded_objects": "a key begins with its clinic",
    "uq_account_erasures_user": "as pk_users",
    "alembic_version_pkc": "Alembic's own",
}
"""Unique indexes and constraints that would tell one clinic of another, or that no clinic can shard by; and why not."""

TO_PEOPLE = {
    "fk_members_user_id": "the user is the one who accepts, never an id that somebody sends",
    "fk_invitations_invited_by": "the user is the one who invites",
    "fk_appointment_transitions_user_id": "the user is the one who takes the step",
    "fk_acceptances_user_id": "the user is the one who decides",
    "fk_acceptances_slug_version_locale": "legal texts are no clinic's",
}
"""References of a clinic's rows beyond the clinic, and why they reveal nobody."""

OTHER_SCHEMAS = {
    "jobs": "pgqueuer's tables, ids of things to do in all clinics: a work adds to them by `enqueue_jobs` alone"
}
"""Schemas beside `public`, and why its laws need not hold there: the application's role gets in nowhere."""

READ_BY_ALL = {
    "outbox_mark": "how far events are numbered, which each process must know; it names no clinic",
    "legal_versions": "legal texts are public",
    "legal_texts": "as legal_versions",
}
"""Tables whose policy lets every role see every row, and why that tells nothing."""

GRANTS = {
    "alembic_version": "SELECT",
    "outbox_mark": "SELECT",
    "legal_versions": "SELECT",
    "legal_texts": "SELECT",
    "acceptances": "INSERT SELECT",
    "acceptance_evidence": "INSERT SELECT",
    "clinics": "SELECT UPDATE",
    "users": "SELECT",
    "members": "INSERT SELECT UPDATE",
    "invitations": "INSERT SELECT UPDATE",
    "clients": "INSERT SELECT UPDATE",
    "patients": "INSERT SELECT UPDATE",
    "parties": "INSERT SELECT UPDATE",
    "search_words": "SELECT",
    "identifiers": "INSERT SELECT UPDATE",
    "alerts": "INSERT SELECT UPDATE",
    "deaths": "INSERT SELECT",
    "contacts": "DELETE INSERT SELECT UPDATE",
    "consents": "INSERT SELECT",
    "client_merges": "INSERT SELECT UPDATE",
    "services": "INSERT SELECT UPDATE",
    "resources": "INSERT SELECT UPDATE",
    "service_resources": "DELETE INSERT SELECT",
    "hours": "DELETE INSERT SELECT",
    "exceptions": "DELETE INSERT SELECT UPDATE",
    "closures": "DELETE INSERT SELECT UPDATE",
    "appointments": "INSERT SELECT UPDATE",
    "allocations": "INSERT SELECT UPDATE",
    "messages": "INSERT SELECT UPDATE",
    "links": "INSERT SELECT UPDATE",
    "appointment_transitions": "INSERT SELECT",
    "holds": "INSERT SELECT UPDATE",
    "waitlist": "INSERT SELECT UPDATE",
    "guest_requests": "INSERT SELECT UPDATE",
    "calendar_feeds": "INSERT SELECT UPDATE",
    "channel_choices": "INSERT SELECT",
    "quiet_hours": "DELETE INSERT SELECT",
    "recalls": "INSERT SELECT UPDATE",
    "reminder_rules": "DELETE INSERT SELECT",
    "encounters": "INSERT SELECT UPDATE",
    "set_aside_notes": "INSERT SELECT UPDATE",
    "addenda": "INSERT SELECT",
    "weights": "INSERT SELECT UPDATE",
    "problems": "INSERT SELECT UPDATE",
    "problem_changes": "INSERT SELECT",
    "note_templates": "INSERT SELECT UPDATE",
    "immunizations": "INSERT SELECT UPDATE",
    "dewormings": "INSERT SELECT UPDATE",
    "prescriptions": "INSERT SELECT UPDATE",
    "prescription_items": "INSERT SELECT",
    "allergies": "INSERT SELECT UPDATE",
    "protocols": "DELETE INSERT SELECT",
    "media": "INSERT SELECT UPDATE",
    "media_variants": "DELETE INSERT SELECT",
    "imports": "DELETE INSERT SELECT UPDATE",
    "import_parts": "DELETE INSERT SELECT",
    "import_rows": "DELETE INSERT SELECT",
    "documents": "INSERT SELECT UPDATE",
    "erasures": "SELECT",
    "retention_rules": "DELETE INSERT SELECT",
    "privacy_requests": "INSERT SELECT UPDATE",
    "privacy_request_steps": "INSERT SELECT",
    "outbox": "INSERT SELECT",
    "idempotency_keys": "INSERT SELECT UPDATE",
}
"""All that the application's role may do. Rows are deleted only where they are replaced as a whole,
where a day's hours or a closure no longer hold, and where a number is a client's no more: events tell of these.
What a clinic hands in to be imported is kept for a time."""


@pytest.fixture(scope="module")
async def admin(database: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A look at the catalogue."""
    async with superuser(database) as connection:
        yield connection


@pytest.fixture(scope="module")
async def tables(admin: asyncpg.Connection) -> set[str]:
    """Every table there is."""
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    )
    return {row["relname"] for row in rows}


@pytest.fixture(scope="module")
def tenant_tables(tables: set[str]) -> set[str]:
    """Every table of clinics' rows: all but those listed with a reason."""
    assert set(WITHOUT_CLINIC) <= tables, "a table that is gone needs no reason"
    return tables - set(WITHOUT_CLINIC)


async def test_primary_keys(admin: asyncpg.Connection, tenant_tables: set[str]) -> None:
    """`clinic_id` leads the primary key of every table of a clinic's rows, and is a uuid that is never null."""
    rows = await admin.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
        " WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace"
    )
    leading = {row["relname"]: (row["attname"], row["type"], row["attnotnull"]) for row in rows}
    assert {table: leading.get(table) for table in tenant_tables} == dict.fromkeys(
        tenant_tables, ("clinic_id", "uuid", True)
    )


async def test_foreign_keys(admin: asyncpg.Connection, tenant_tables: set[str]) -> None:
    """A reference between clinics' rows is composite and begins with `clinic_id`; none deletes on its own."""
    rows = await admin.fetch(
        "SELECT k.conname, c.relname AS source, t.relname AS target, k.confdeltype::text, k.confupdtype::text,"
        " ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)"
        "   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY i) AS columns,"
        " ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i)"
        "   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY i) AS targets"
        " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid"
        " WHERE k.contype = 'f'"
    )
    assert rows
    assert [row["conname"] for row in rows if row["confdeltype"] not in "ar" or row["confupdtype"] not in "ar"] == []
    for row in rows:
        if row["source"] not in tenant_tables or row["conname"] in TO_PEOPLE:
            continue
        if row["target"] == "clinics":
            assert (row["columns"], row["targets"]) == (["clinic_id"], ["id"]), row["conname"]
        else:
            assert row["target"] in tenant_tables, row["conname"]
            assert len(row["columns"]) > 1, row["conname"]
            assert row["columns"][0] == row["targets"][0] == "clinic_id", row["conname"]


async def test_uniqueness(admin: asyncpg.Connection) -> None:
    """No unique index and no exclusion leaves out the clinic, but those listed with a reason."""
    rows = await admin.fetch(
        "SELECT n.relname AS name, ARRAY(SELECT a.attname::text FROM unnest(i.indkey) u(n)"
        "   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.n) AS columns"
        " FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid"
        " WHERE n.relnamespace = 'public'::regnamespace AND (i.indisunique OR i.indisexclusion)"
    )
    without = {row["name"] for row in rows if "clinic_id" not in row["columns"]}
    assert without == set(UNIQUE_WITHOUT_CLINIC)
    assert "ex_allocations_slot" in {row["name"] for row in rows}


async def test_row_level_security(
    admin: asyncpg.Connection, database: Settings, tables: set[str], tenant_tables: set[str]
) -> None:
    """Row-level security is enabled and forced on every table but Alembic's, and its policies bind reads and writes."""
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert {row["relname"] for row in rows} == {"alembic_version"}
    policies = await admin.fetch(
        "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = 'public'"
    )
    system = f"{database.database_role_prefix}_system"
    for policy in policies:
        name = f"{policy['policyname']} on {policy['tablename']}"
        assert policy["cmd"] == "ALL", name
        assert policy["qual"] == policy["with_check"], name
        if policy["qual"] == "true":
            assert policy["roles"] == [system] or policy["tablename"] in READ_BY_ALL, name
        else:
            assert "current_setting('app.clinic_id'::text))::uuid" in policy["qual"], name
            assert "SELECT" in policy["qual"], f"{name}: evaluated for each row"
    own = {policy["tablename"] for policy in policies if policy["qual"] != "true"}
    assert own >= tenant_tables
    assert {policy["tablename"] for policy in policies} == tables - {"alembic_version"}


async def test_roles(admin: asyncpg.Connection, database: Settings) -> None:
    """The application's role passes over nothing: no superuser, no BYPASSRLS, owner of nothing, heir of nobody."""
    prefix = database.database_role_prefix
    owner, app, system = (f"{prefix}_{name}" for name in ("owner", "app", "system"))
    roles = await admin.fetch(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin"
        " FROM pg_roles WHERE rolname = ANY ($1)",
        [owner, app, system],
    )
    assert {row["rolname"]: row["rolcanlogin"] for row in roles} == {owner: False, app: True, system: False}
    assert not [row["rolname"] for row in roles if any(list(row.values())[1:6])]
    assert not await admin.fetchval("SELECT pg_has_role($1, $2, 'USAGE')", app, system)
    assert await admin.fetchval("SELECT pg_has_role($1, $2, 'SET')", app, system)
    assert not await admin.fetchval("SELECT pg_has_role($1, $2, 'MEMBER')", app, owner)
    owned = await admin.fetchval("SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = $1::regrole", app)
    assert owned == 0
    owners = await admin.fetch(
        "SELECT DISTINCT pg_get_userbyid(relowner) AS name FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')"
    )
    assert [row["name"] for row in owners] == [owner]


async def test_grants(admin: asyncpg.Connection, database: Settings) -> None:
    """The application's role holds the grants listed and no other; PUBLIC holds none, nor may it create anything."""
    app = f"{database.database_role_prefix}_app"
    rows = await admin.fetch(
        "SELECT c.relname, string_agg(DISTINCT x.privilege_type, ' ' ORDER BY x.privilege_type) AS may, x.grantee"
        " FROM pg_class c CROSS JOIN aclexplode(c.relacl) x"
        " WHERE c.relnamespace = 'public'::regnamespace AND x.grantee IN (0, $1::regrole)"
        " GROUP BY c.relname, x.grantee",
        app,
    )
    assert [row["relname"] for row in rows if row["grantee"] == 0] == []
    assert {row["relname"]: row["may"] for row in rows} == GRANTS
    assert not await admin.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", app)
    assert not await admin.fetchval("SELECT has_schema_privilege('public', 'public', 'CREATE')")


async def test_schemas(admin: asyncpg.Connection, database: Settings) -> None:
    """Nothing lies outside `public` but what is listed, and there the application's role may do nothing at all."""
    app = f"{database.database_role_prefix}_app"
    rows = await admin.fetch(
        "SELECT nspname, has_schema_privilege($1, oid, 'USAGE') OR has_schema_privilege('public', oid, 'USAGE') AS open"
        " FROM pg_namespace WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\\_%'",
        app,
    )
    assert {row["nspname"]: row["open"] for row in rows} == dict.fromkeys(OTHER_SCHEMAS, False)
    granted = await admin.fetch(
        "SELECT c.relname FROM pg_class c CROSS JOIN aclexplode(c.relacl) x"
        " WHERE c.relnamespace::regnamespace::text = ANY ($2) AND x.grantee IN (0, $1::regrole)",
        app,
        list(OTHER_SCHEMAS),
    )
    assert [row["relname"] for row in granted] == []


async def test_instants(admin: asyncpg.Connection) -> None:
    """Every instant is a timestamptz: no column is a timestamp without zone, nor a time with one."""
    rows = await admin.fetch(
        "SELECT table_name || '.' || column_name AS name FROM information_schema.columns"
        " WHERE table_schema IN ('public', 'jobs')"
        " AND data_type IN ('timestamp without time zone', 'time with time zone')"
    )
    assert [row["name"] for row in rows] == []
    assert await admin.fetchval(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'"
        " AND data_type = 'timestamp with time zone'"
    )


async def test_functions(admin: asyncpg.Connection, database: Settings) -> None:
    """A function that runs as another role has a fixed search path, a powerless owner, and no caller from PUBLIC."""
    system = f"{database.database_role_prefix}_system"
    functions = await admin.fetch(
        "SELECT p.oid::regprocedure::text AS name, p.proconfig, pg_get_userbyid(p.proowner) AS owner,"
        " has_function_privilege('public', p.oid, 'EXECUTE') AS public, p.prosecdef"
        " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS"
        "   (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    definers = [row for row in functions if row["prosecdef"]]
    assert definers
    for row in definers:
        assert row["proconfig"] == ["search_path=public, pg_temp"], row["name"]
        assert row["owner"] == system, row["name"]
    assert [row["name"] for row in functions if row["public"]] == []


async def test_views(admin: asyncpg.Connection) -> None:
    """A view would show its owner's rows: none is there that does not run as who asks."""
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND (relkind = 'm' OR relkind = 'v'"
        " AND NOT coalesce('security_invoker=true' = ANY (reloptions), false))"
    )
    assert [row["relname"] for row in rows] == []
