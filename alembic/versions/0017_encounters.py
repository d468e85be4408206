"""Encounters, their notes and addenda, weights, problems and templates of notes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_settled, guard, settled

revision = "0017"
down_revision = "0016"

VOIDING = ("voided_at", "voided_by", "void_reason")

KEEP_ENCOUNTERS = """
CREATE FUNCTION keep_encounters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.clinic_id, NEW.id, NEW.patient_id) IS DISTINCT FROM (OLD.clinic_id, OLD.id, OLD.patient_id) THEN
            RAISE EXCEPTION 'an encounter stays its patient''s' USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.signed_at IS NULL AND OLD.voided_at IS NULL THEN
            RETURN NEW;
        END IF;
        -- Of what is signed or voided only the mark that it was entered in error may still be made, once.
        IF OLD.voided_at IS NULL
            AND to_jsonb(NEW) - ARRAY['voided_at', 'voided_by', 'void_reason', 'version']
              = to_jsonb(OLD) - ARRAY['voided_at', 'voided_by', 'void_reason', 'version'] THEN
            RETURN NEW;
        END IF;
        -- An addendum counts as a change, and changes nothing else.
        IF to_jsonb(NEW) - 'version' = to_jsonb(OLD) - 'version' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'an encounter that is signed or voided stays as it is' USING ERRCODE = 'restrict_violation';
END $$
"""

REFUSE_CLOSED = """
CREATE FUNCTION refuse_closed_encounter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Waits for whoever is signing, and keeps others from signing until this is written.
    IF NEW.encounter_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM encounters e WHERE e.clinic_id = NEW.clinic_id AND e.id = NEW.encounter_id
        AND e.signed_at IS NULL AND e.voided_at IS NULL FOR SHARE
    ) THEN
        RAISE EXCEPTION 'nothing is written into an encounter that is signed or voided'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

REFUSE_UNSIGNED = """
CREATE FUNCTION refuse_unsigned_encounter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM encounters e WHERE e.clinic_id = NEW.clinic_id AND e.id = NEW.encounter_id
        AND e.signed_at IS NOT NULL AND e.voided_at IS NULL
    ) THEN
        RAISE EXCEPTION 'an addendum belongs to an encounter that is signed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "note_templates",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("species", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("subjective", sa.Text(), nullable=True),
        sa.Column("objective", sa.Text(), nullable=True),
        sa.Column("assessment", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "species IN ('dog', 'cat', 'rabbit', 'bird', 'horse', 'cow', 'pig', 'reptile', 'other')",
            name=op.f("ck_note_templates_species"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_note_templates_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_note_templates")),
    )
    op.create_index("ix_note_templates_name", "note_templates", ["clinic_id", "name", "id"], unique=False)
    op.create_table(
        "problems",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("certainty", sa.Text(), nullable=False),
        sa.Column("onset_on", sa.Date(), nullable=True),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("certainty IN ('suspected', 'confirmed')", name=op.f("ck_problems_certainty")),
        sa.CheckConstraint("status IN ('active', 'resolved', 'ruled_out')", name=op.f("ck_problems_status")),
        sa.CheckConstraint("onset_on <= resolved_on", name=op.f("ck_problems_in_order")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_problems_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_problems_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_problems")),
    )
    op.create_index("ix_problems_patient", "problems", ["clinic_id", "patient_id", "created_at", "id"], unique=False)
    op.create_table(
        "weights",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("weight_kg", sa.Numeric(precision=7, scale=3), nullable=False),
        sa.Column("weighed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("weighed_by", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("voided_by", sa.UUID(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(voided_at, void_reason) IN (0, 2) AND (voided_at IS NOT NULL OR voided_by IS NULL)",
            name=op.f("ck_weights_voided_whole"),
        ),
        sa.CheckConstraint("weight_kg > 0", name=op.f("ck_weights_weight")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_weights_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "voided_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_weights_clinic_id_voided_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "weighed_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_weights_clinic_id_weighed_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_weights_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_weights")),
    )
    op.create_index("ix_weights_patient", "weights", ["clinic_id", "patient_id", "weighed_at", "id"], unique=False)
    op.create_table(
        "encounters",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("appointment_id", sa.UUID(), nullable=True),
        sa.Column("opened_by", sa.UUID(), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("subjective", sa.Text(), nullable=True),
        sa.Column("objective", sa.Text(), nullable=True),
        sa.Column("assessment", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("weight_kg", sa.Numeric(precision=7, scale=3), nullable=True),
        sa.Column("temperature_c", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("heart_rate", sa.SmallInteger(), nullable=True),
        sa.Column("respiratory_rate", sa.SmallInteger(), nullable=True),
        sa.Column("body_condition", sa.SmallInteger(), nullable=True),
        sa.Column("pain", sa.SmallInteger(), nullable=True),
        sa.Column("mucous_membranes", sa.Text(), nullable=True),
        sa.Column("capillary_refill_seconds", sa.Numeric(precision=3, scale=1), nullable=True),
        sa.Column("editor_id", sa.UUID(), nullable=True),
        sa.Column("editor_sequences", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("editor_base", sa.Integer(), nullable=True),
        sa.Column("signed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("signed_by", sa.UUID(), nullable=True),
        sa.Column("signer_name", sa.Text(), nullable=True),
        sa.Column("registration_number", sa.Text(), nullable=True),
        sa.Column("digest", postgresql.BYTEA(), nullable=True),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("voided_by", sa.UUID(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "mucous_membranes IN ('pink', 'pale', 'white', 'injected', 'icteric', 'cyanotic', 'muddy')",
            name=op.f("ck_encounters_mucous_membranes"),
        ),
        sa.CheckConstraint("body_condition BETWEEN 1 AND 9", name=op.f("ck_encounters_body_condition")),
        sa.CheckConstraint("capillary_refill_seconds BETWEEN 0 AND 20", name=op.f("ck_encounters_capillary_refill")),
        sa.CheckConstraint("heart_rate BETWEEN 0 AND 1500", name=op.f("ck_encounters_heart_rate")),
        sa.CheckConstraint(
            "num_nulls(editor_id, editor_sequences, editor_base) IN (0, 3)", name=op.f("ck_encounters_editor_whole")
        ),
        sa.CheckConstraint(
            "num_nulls(signed_at, signed_by, signer_name, registration_number, digest) IN (0, 5)",
            name=op.f("ck_encounters_signature_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(voided_at, void_reason) IN (0, 2) AND (voided_at IS NOT NULL OR voided_by IS NULL)",
            name=op.f("ck_encounters_voided_whole"),
        ),
        sa.CheckConstraint("pain BETWEEN 0 AND 10", name=op.f("ck_encounters_pain")),
        sa.CheckConstraint("respiratory_rate BETWEEN 0 AND 600", name=op.f("ck_encounters_respiratory_rate")),
        sa.CheckConstraint("temperature_c BETWEEN 15 AND 50", name=op.f("ck_encounters_temperature")),
        sa.CheckConstraint("weight_kg > 0", name=op.f("ck_encounters_weight")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "appointment_id"],
            ["appointments.clinic_id", "appointments.id"],
            name=op.f("fk_encounters_clinic_id_appointment_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "opened_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_encounters_clinic_id_opened_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_encounters_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "signed_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_encounters_clinic_id_signed_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "voided_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_encounters_clinic_id_voided_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_encounters_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_encounters")),
    )
    op.create_index(
        "ix_encounters_patient", "encounters", ["clinic_id", "patient_id", "started_at", "id"], unique=False
    )
    op.create_index(
        "ix_encounters_unsigned",
        "encounters",
        ["clinic_id", "started_at", "id"],
        unique=False,
        postgresql_where=sa.text("signed_at IS NULL AND voided_at IS NULL"),
    )
    op.create_index(
        "uq_encounters_appointment",
        "encounters",
        ["clinic_id", "appointment_id"],
        unique=True,
        postgresql_where=sa.text("appointment_id IS NOT NULL AND voided_at IS NULL"),
    )
    op.create_table(
        "addenda",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("encounter_id", sa.UUID(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=True),
        sa.Column("added_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "encounter_id"],
            ["encounters.clinic_id", "encounters.id"],
            name=op.f("fk_addenda_clinic_id_encounter_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "member_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_addenda_clinic_id_member_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_addenda_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_addenda")),
    )
    op.create_index("ix_addenda_encounter", "addenda", ["clinic_id", "encounter_id", "added_at"], unique=False)
    op.create_table(
        "problem_changes",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("problem_id", sa.UUID(), nullable=False),
        sa.Column("encounter_id", sa.UUID(), nullable=True),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("certainty", sa.Text(), nullable=False),
        sa.Column("onset_on", sa.Date(), nullable=True),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "encounter_id"],
            ["encounters.clinic_id", "encounters.id"],
            name=op.f("fk_problem_changes_clinic_id_encounter_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "member_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_problem_changes_clinic_id_member_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "problem_id"],
            ["problems.clinic_id", "problems.id"],
            name=op.f("fk_problem_changes_clinic_id_problem_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_problem_changes_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_problem_changes")),
    )
    op.create_index(
        "ix_problem_changes_encounter",
        "problem_changes",
        ["clinic_id", "encounter_id"],
        unique=False,
        postgresql_where=sa.text("encounter_id IS NOT NULL"),
    )
    op.create_index("ix_problem_changes_problem", "problem_changes", ["clinic_id", "problem_id", "at"], unique=False)
    op.create_table(
        "set_aside_notes",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("encounter_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("written_from", sa.Integer(), nullable=False),
        sa.Column("subjective", sa.Text(), nullable=True),
        sa.Column("objective", sa.Text(), nullable=True),
        sa.Column("assessment", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("digest", postgresql.BYTEA(), nullable=False),
        sa.Column("set_aside_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("dismissed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("dismissed_by", sa.UUID(), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "dismissed_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_set_aside_notes_clinic_id_dismissed_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "encounter_id"],
            ["encounters.clinic_id", "encounters.id"],
            name=op.f("fk_set_aside_notes_clinic_id_encounter_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "member_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_set_aside_notes_clinic_id_member_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_set_aside_notes_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_set_aside_notes")),
    )
    op.create_index(
        "uq_set_aside_notes_text",
        "set_aside_notes",
        ["clinic_id", "encounter_id", "digest"],
        unique=True,
        postgresql_where=sa.text("dismissed_at IS NULL"),
    )
    guard("encounters", "SELECT, INSERT, UPDATE")
    guard("set_aside_notes", "SELECT, INSERT, UPDATE")
    guard("addenda", "SELECT, INSERT")
    guard("weights", "SELECT, INSERT, UPDATE")
    guard("problems", "SELECT, INSERT, UPDATE")
    guard("problem_changes", "SELECT, INSERT")
    guard("note_templates", "SELECT, INSERT, UPDATE")
    settled("addenda", may_set=())
    settled("problem_changes", may_set=())
    settled("weights", may_set=VOIDING)
    settled("set_aside_notes", may_set=("dismissed_at", "dismissed_by"))
    for function in (KEEP_ENCOUNTERS, REFUSE_CLOSED, REFUSE_UNSIGNED):
        op.execute(function)
    for name in ("keep_encounters", "refuse_closed_encounter", "refuse_unsigned_encounter"):
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
    for table, name, when, function in (
        ("encounters", "keep_encounters_row", "UPDATE OR DELETE ON encounters FOR EACH ROW", "keep_encounters"),
        ("encounters", "keep_encounters_all", "TRUNCATE ON encounters FOR EACH STATEMENT", "keep_encounters"),
        (
            "problem_changes",
            "refuse_closed_encounter",
            "INSERT ON problem_changes FOR EACH ROW",
            "refuse_closed_encounter",
        ),
        ("addenda", "refuse_unsigned_encounter", "INSERT ON addenda FOR EACH ROW", "refuse_unsigned_encounter"),
    ):
        op.execute(f"CREATE TRIGGER {name} BEFORE {when} EXECUTE FUNCTION {function}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def downgrade() -> None:
    op.execute("DROP TRIGGER refuse_closed_encounter ON problem_changes")
    op.execute("DROP TRIGGER refuse_unsigned_encounter ON addenda")
    op.execute("DROP TRIGGER keep_encounters_row ON encounters")
    op.execute("DROP TRIGGER keep_encounters_all ON encounters")
    for name in ("keep_encounters", "refuse_closed_encounter", "refuse_unsigned_encounter"):
        op.execute(f"DROP FUNCTION {name}()")
    for table in ("set_aside_notes", "weights", "problem_changes", "addenda"):
        drop_settled(table)
    op.drop_index("uq_set_aside_notes_text", table_name="set_aside_notes")
    op.drop_table("set_aside_notes")
    op.drop_index("ix_problem_changes_problem", table_name="problem_changes")
    op.drop_index(
        "ix_problem_changes_encounter",
        table_name="problem_changes",
        postgresql_where=sa.text("encounter_id IS NOT NULL"),
    )
    op.drop_table("problem_changes")
    op.drop_index("ix_addenda_encounter", table_name="addenda")
    op.drop_table("addenda")
    op.drop_index(
        "uq_encounters_appointment",
        table_name="encounters",
        postgresql_where=sa.text("appointment_id IS NOT NULL AND voided_at IS NULL"),
    )
    op.drop_index(
        "ix_encounters_unsigned",
        table_name="encounters",
        postgresql_where=sa.text("signed_at IS NULL AND voided_at IS NULL"),
    )
    op.drop_index("ix_encounters_patient", table_name="encounters")
    op.drop_table("encounters")
    op.drop_index("ix_weights_patient", table_name="weights")
    op.drop_table("weights")
    op.drop_index("ix_problems_patient", table_name="problems")
    op.drop_table("problems")
    op.drop_index("ix_note_templates_name", table_name="note_templates")
    op.drop_table("note_templates")
