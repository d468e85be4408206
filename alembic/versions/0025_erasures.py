"""Erasing a person from what is kept: the certificates, what the law holds back, and the one way past the triggers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_erasable, drop_settled, erasable, guard, roles, settled

revision = "0025"
down_revision = "0024"

INSTANT = postgresql.TIMESTAMP(timezone=True)
CATEGORIES = (
    "category IN ('identity', 'clinical_record', 'appointments', 'messages', 'guest_requests', 'acceptances',"
    " 'rights_requests')"
)
NOTE = ("subjective", "objective", "assessment", "plan")

ERASABLE = {
    "addenda": ("text",),
    "allergies": ("substance", "reaction", "void_reason"),
    "appointment_transitions": ("reason",),
    "consents": ("note",),
    "dewormings": ("product", "dose_unit", "lot_number", "given_by", "void_reason"),
    "documents": ("withdraw_reason",),
    "encounters": ("reason", *NOTE, "void_reason"),
    "immunizations": ("vaccine", "manufacturer", "dose", "lot_number", "site", "given_by", "void_reason"),
    "prescription_items": ("drug", "strength", "unit", "quantity_unit", "instructions"),
    "prescriptions": ("void_reason",),
    "problem_changes": ("name",),
    "set_aside_notes": NOTE,
    "weights": ("void_reason",),
}
"""Tables whose rows are kept, and the columns that an erasure clears or cuts. Who signed or gave what stays."""

OF_PATIENTS = (
    "allergies",
    "appointments",
    "dewormings",
    "documents",
    "encounters",
    "immunizations",
    "prescriptions",
    "problems",
    "recalls",
    "waitlist",
    "weights",
)
OF_ENCOUNTERS = ("addenda", "set_aside_notes")
OF_CLIENTS = ("appointments", "channel_choices", "consents", "contacts", "waitlist")
"""Tables into which nothing is written of who was erased."""

# Only within the erasure's own transaction is there one that is not completed: it is begun and completed in one.
ERASING = """
CREATE FUNCTION erasing(p_clinic uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN current_user = '{system}' AND EXISTS (
        SELECT FROM erasures e WHERE e.clinic_id = p_clinic
        AND e.id = nullif(current_setting('app.erasure', true), '')::uuid AND e.completed_at IS NULL
    );
END $$
"""
# What was cut out may have been anything; all around it stays, in its order.
ANONYMISES = r"""
CREATE FUNCTION anonymises(was jsonb, now jsonb, columns text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT was - columns = now - columns AND NOT EXISTS (
        SELECT FROM unnest(columns) AS c (name) WHERE now ->> name IS NOT NULL AND (was ->> name LIKE
            replace(regexp_replace(now ->> name, '([\\%_])', '\\\1', 'g'), '[eliminado]', '%')) IS NOT TRUE
    )
$$
"""
REFUSE_PATIENT = """
CREATE FUNCTION refuse_erased_patient() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone timestamptz;
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Waits for whoever is erasing it, and keeps others from that until this is written.
        SELECT erased_at INTO gone FROM patients
        WHERE clinic_id = NEW.clinic_id AND id = NEW.patient_id FOR KEY SHARE;
    ELSE
        SELECT erased_at INTO gone FROM patients WHERE clinic_id = NEW.clinic_id AND id = NEW.patient_id;
    END IF;
    IF gone IS NOT NULL AND NOT erasing(NEW.clinic_id) THEN
        RAISE EXCEPTION 'nothing is written of an animal that was erased' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$
"""
REFUSE_ENCOUNTER = """
CREATE FUNCTION refuse_erased_encounter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone timestamptz;
BEGIN
    SELECT p.erased_at INTO gone FROM encounters e JOIN patients p ON p.clinic_id = e.clinic_id AND p.id = e.patient_id
    WHERE e.clinic_id = NEW.clinic_id AND e.id = NEW.encounter_id FOR KEY SHARE OF p;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION 'nothing is written of an animal that was erased' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$
"""
REFUSE_CLIENT = """
CREATE FUNCTION refuse_erased_client() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone timestamptz;
BEGIN
    SELECT erased_at INTO gone FROM clients
    WHERE clinic_id = NEW.clinic_id AND id = NEW.client_id FOR KEY SHARE;
    IF gone IS NOT NULL AND NOT erasing(NEW.clinic_id) THEN
        RAISE EXCEPTION 'nothing is written of a person who was erased' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$
"""
REFUSE_RETURN = """
CREATE FUNCTION refuse_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT erasing(NEW.clinic_id) THEN
        RAISE EXCEPTION 'who was erased stays erased' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    for table in ("clients", "patients"):
        op.add_column(table, sa.Column("erased_at", INSTANT, nullable=True))
    _tables()
    app, system = roles()
    for declaration, signature in (
        (ERASING.format(system=system), "erasing(uuid)"),
        (ANONYMISES, "anonymises(jsonb, jsonb, text[])"),
    ):
        op.execute(declaration)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {app}, {system}")
    for table, columns in ERASABLE.items():
        erasable(table, columns)
    for declaration, name in (
        (REFUSE_PATIENT, "refuse_erased_patient"),
        (REFUSE_ENCOUNTER, "refuse_erased_encounter"),
        (REFUSE_CLIENT, "refuse_erased_client"),
        (REFUSE_RETURN, "refuse_return"),
    ):
        op.execute(declaration)
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
    for table in OF_PATIENTS:
        _refuse(table, "refuse_erased_patient", "INSERT OR UPDATE")
    for table in OF_ENCOUNTERS:
        _refuse(table, "refuse_erased_encounter", "INSERT")
    for table in OF_CLIENTS:
        _refuse(table, "refuse_erased_client", "INSERT OR UPDATE OF client_id")
    for table in ("clients", "patients"):
        _refuse(table, "refuse_return", "UPDATE", "WHEN (OLD.erased_at IS NOT NULL OR NEW.erased_at IS NOT NULL)")


def _refuse(table: str, function: str, event: str, when: str = "") -> None:
    op.execute(f"CREATE TRIGGER {function} BEFORE {event} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {function}()")
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {function}")


def _tables() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("months", sa.SmallInteger(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.CheckConstraint(CATEGORIES, name=op.f("ck_retention_rules_category")),
        sa.CheckConstraint("months BETWEEN 0 AND 600", name=op.f("ck_retention_rules_months")),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_retention_rules_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "category", name=op.f("pk_retention_rules")),
    )
    op.create_table(
        "erasures",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=True),
        sa.Column("requested_by", sa.UUID(), nullable=True),
        sa.Column("begun_at", INSTANT, nullable=False),
        sa.Column("completed_at", INSTANT, nullable=True),
        sa.Column("certificate", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.CheckConstraint("subject_type IN ('client')", name=op.f("ck_erasures_subject_type")),
        sa.CheckConstraint(
            "num_nulls(completed_at, certificate, sha256) IN (0, 3)", name=op.f("ck_erasures_completed_whole")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_erasures_number")),
        *(
            sa.ForeignKeyConstraint(
                ["clinic_id", column],
                [f"{table}.clinic_id", f"{table}.id"],
                name=op.f(f"fk_erasures_clinic_id_{column}"),
                ondelete="RESTRICT",
            )
            for column, table in (("requested_by", "members"), ("subject_id", "clients"))
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_erasures_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("clinic_id", "number", name="uq_erasures_number"),
        sa.UniqueConstraint("clinic_id", "subject_id", name="uq_erasures_subject"),
    )
    op.create_table(
        "withheld",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("erasure_id", sa.UUID(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.UUID(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.CheckConstraint(CATEGORIES, name=op.f("ck_withheld_category")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "erasure_id"],
            ["erasures.clinic_id", "erasures.id"],
            name=op.f("fk_withheld_clinic_id_erasure_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_withheld_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "erasure_id", "table_name", "row_id", name=op.f("pk_withheld")),
    )
    op.create_index("ix_withheld_until", "withheld", ["until"])
    guard("retention_rules", "SELECT, INSERT, DELETE")
    guard("erasures", "SELECT")
    guard("withheld", "")
    settled("erasures", may_set=("completed_at", "certificate", "sha256"))


def downgrade() -> None:
    for table in OF_PATIENTS:
        op.execute(f"DROP TRIGGER refuse_erased_patient ON {table}")
    for table in OF_ENCOUNTERS:
        op.execute(f"DROP TRIGGER refuse_erased_encounter ON {table}")
    for table in OF_CLIENTS:
        op.execute(f"DROP TRIGGER refuse_erased_client ON {table}")
    for table in ("clients", "patients"):
        op.execute(f"DROP TRIGGER refuse_return ON {table}")
    for name in ("refuse_return", "refuse_erased_client", "refuse_erased_encounter", "refuse_erased_patient"):
        op.execute(f"DROP FUNCTION {name}()")
    for table in ERASABLE:
        drop_erasable(table)
    op.execute("DROP FUNCTION anonymises(jsonb, jsonb, text[])")
    op.execute("DROP FUNCTION erasing(uuid)")
    drop_settled("erasures")
    for table in ("withheld", "erasures", "retention_rules"):
        op.drop_table(table)
    for table in ("clients", "patients"):
        op.drop_column(table, "erased_at")
