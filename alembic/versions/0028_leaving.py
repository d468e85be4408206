"""Clinics that leave and accounts that are erased: who is let in no more, and the one way past what nobody may delete.

`departing` is that way: only the system's role, only while a departure is under way whose export was handed over, only
rows of that clinic, and only deletions.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import as_system, guard, past_policies, roles

revision = "0028"
down_revision = "0027"

INSTANT = postgresql.TIMESTAMP(timezone=True)
INDEXED = {
    "appointments": ("client_id", "rescheduled_from_id", "superseded_by_id"),
    "dewormings": ("encounter_id",),
    "immunizations": ("encounter_id",),
    "prescriptions": ("encounter_id",),
}
"""References to tables of many rows that no index led to: each row that is deleted there would read the whole table."""

DEPARTING = """
CREATE FUNCTION departing(p_clinic uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF current_user <> '{system}' THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM departures d
        WHERE d.id = nullif(current_setting('app.departure', true), '')::uuid AND d.clinic_id = p_clinic
        AND d.handed IS NOT NULL AND d.completed_at IS NULL
    );
END $$
"""
BRANCH = "BEGIN\n    IF TG_OP = 'DELETE' THEN IF departing(OLD.clinic_id) THEN RETURN OLD; END IF; END IF;\n"

# Whoever changes something tells of it in the same transaction. So refusing to have it told refuses the change, and
# closing the clinic, which locks its row, waits for those who were first.
REFUSE_CLOSED = """
CREATE FUNCTION refuse_closed_clinic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> '{system}' THEN
        PERFORM FROM clinics c WHERE c.id = NEW.clinic_id AND c.leaving_since IS NULL FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this clinic is closed'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ck_outbox_open_clinic';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""
REFUSE_LEFT = """
CREATE FUNCTION refuse_left_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM departures d WHERE d.slug_sha256 = sha256(convert_to(NEW.slug, 'UTF8'))) THEN
        RAISE EXCEPTION 'this address was a clinic''s that left'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'uq_clinics_slug';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGERS = {
    "refuse_closed_clinic": ("outbox", REFUSE_CLOSED),
    "refuse_left_address": ("clinics", REFUSE_LEFT),
}

# Looked at last, in a statement of its own: whoever waited for the row that is being erased sees it only then.
UNLESS_ERASED = """
            IF EXISTS (SELECT FROM account_erasures e WHERE e.uid_sha256 = sha256(convert_to(p_uid, 'UTF8'))) THEN
                RAISE EXCEPTION 'this account was erased'
                    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ck_users_not_erased';
            END IF;
        END """
SIGN_IN = "sign_in(text, text, boolean, text, uuid)"


def upgrade() -> None:
    _tables()
    op.add_column("clinics", sa.Column("leaving_since", INSTANT, nullable=True))
    for table, columns in INDEXED.items():
        for name in columns:
            some = {} if name == "client_id" else {"postgresql_where": sa.text(f"{name} IS NOT NULL")}
            op.create_index(f"ix_{table}_{name}", table, ["clinic_id", name], **some)
    app, system = roles()
    op.execute(DEPARTING.format(system=system))
    op.execute("REVOKE ALL ON FUNCTION departing(uuid) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION departing(uuid) TO {app}, {system}")
    for name, (table, declaration) in TRIGGERS.items():
        op.execute(declaration.format(system=system))
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        op.execute(f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    _reword(KEEPERS, lambda source: source.replace("BEGIN", BRANCH.rstrip(), 1))
    with as_system():
        _reword(DOORS, _shut)
        _reword(f"SELECT '{SIGN_IN}'::regprocedure::oid", lambda source: UNLESS_ERASED.join(source.rsplit("END ", 1)))


def downgrade() -> None:
    with as_system():
        _reword(f"SELECT '{SIGN_IN}'::regprocedure::oid", lambda source: source.replace(UNLESS_ERASED, "END "))
        _reword(DOORS, _open)
    _reword(KEEPERS, lambda source: source.replace(BRANCH.rstrip(), "BEGIN"))
    for name, (table, _) in TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DROP FUNCTION departing(uuid)")
    for table, columns in INDEXED.items():
        for name in columns:
            op.drop_index(f"ix_{table}_{name}", table_name=table)
    op.drop_column("clinics", "leaving_since")
    op.drop_table("account_erasures")
    op.drop_table("departures")


def _tables() -> None:
    op.create_table(
        "departures",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("slug_sha256", postgresql.BYTEA(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_at", INSTANT, nullable=False),
        sa.Column("handed", postgresql.JSONB(), nullable=True),
        sa.Column("completed_at", INSTANT, nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(completed_at, certificate) IN (0, 2) AND (completed_at IS NULL OR handed IS NOT NULL)",
            name=op.f("ck_departures_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departures")),
        sa.UniqueConstraint("clinic_id", name="uq_departures_clinic"),
        sa.UniqueConstraint("slug_sha256", name="uq_departures_slug"),
    )
    with past_policies("users"):
        op.create_table(
            "account_erasures",
            sa.Column("id", sa.UUID(), nullable=False),
            sa.Column("user_id", sa.UUID(), nullable=False),
            sa.Column("uid_sha256", postgresql.BYTEA(), nullable=False),
            sa.Column("firebase_uid", sa.Text(), nullable=True),
            sa.Column("reason", sa.Text(), nullable=False),
            sa.Column("erased_at", INSTANT, nullable=False),
            sa.Column("completed_at", INSTANT, nullable=True),
            sa.Column("certificate", sa.Text(), nullable=False),
            sa.CheckConstraint(
                "(completed_at IS NULL) = (firebase_uid IS NOT NULL)", name=op.f("ck_account_erasures_completed")
            ),
            sa.ForeignKeyConstraint(
                ["user_id"], ["users.id"], name=op.f("fk_account_erasures_user_id"), ondelete="RESTRICT"
            ),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_account_erasures")),
            sa.UniqueConstraint("user_id", name="uq_account_erasures_user"),
        )
    op.create_index("ix_account_erasures_uid", "account_erasures", ["uid_sha256"])
    op.create_index(
        "ix_account_erasures_waiting",
        "account_erasures",
        ["id"],
        postgresql_where=sa.text("firebase_uid IS NOT NULL"),
    )
    for table in ("departures", "account_erasures"):
        guard(table, "", own="")


KEEPERS = """
SELECT DISTINCT p.oid FROM pg_proc p JOIN pg_trigger t ON t.tgfoid = p.oid
JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attname = 'clinic_id'
WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'keep\\_%' AND t.tgtype & 8 <> 0
"""
"""What refuses that a clinic's rows are deleted, as it stands by now."""

DOORS = """
SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
AND p.prosrc ~ '(FROM|JOIN) clinics c '
"""
"""What leads from an address, a person or a token to a clinic."""

JOINED = "JOIN clinics c ON "
FOUND = "FROM clinics c WHERE "
STILL_HERE = "c.leaving_since IS NULL AND "


def _shut(source: str) -> str:
    return source.replace(JOINED, JOINED + STILL_HERE).replace(FOUND, FOUND + STILL_HERE)


def _open(source: str) -> str:
    return source.replace(STILL_HERE, "")


def _reword(functions: str, change: Callable[[str], str]) -> None:
    """Declare functions anew with other words; who may call them and as whom they run stays.

    Raises:
        ValueError: one stays as it was.
    """
    connection = op.get_bind()
    for oid in connection.exec_driver_sql(functions).scalars().all():
        source = connection.exec_driver_sql(f"SELECT pg_get_functiondef({oid})").scalar_one()
        changed = change(source)
        if changed == source:
            raise ValueError(f"nothing was found to change in {source}")
        connection.exec_driver_sql(changed)
