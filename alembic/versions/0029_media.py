"""Files that clinics were handed, the objects that were made of them, and those that are to be deleted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import as_system, guard, past_policies

revision = "0029"
down_revision = "0028"

DISCARD = """
CREATE FUNCTION discard_object() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO discarded_objects (key) VALUES (OLD.key) ON CONFLICT (key) DO UPDATE SET discarded_at = now();
    RETURN NULL;
END $$
"""
"""However a row that names an object goes, be it by an erasure or with its clinic, the object is remembered."""


def upgrade() -> None:
    with past_policies("clinics", "patients", "encounters", "members"):
        _tables()
    guard("media", "SELECT, INSERT, UPDATE")
    guard("media_variants", "SELECT, INSERT, DELETE")
    guard("discarded_objects", "", own="")
    owner = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    with as_system():
        op.execute(DISCARD)
        op.execute("REVOKE ALL ON FUNCTION discard_object() FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION discard_object() TO "{owner}"')
    op.execute(
        "CREATE TRIGGER discard_object AFTER DELETE ON media_variants FOR EACH ROW EXECUTE FUNCTION discard_object()"
    )
    op.execute("ALTER TABLE media_variants ENABLE ALWAYS TRIGGER discard_object")
    op.execute(
        "CREATE TRIGGER refuse_erased_patient BEFORE INSERT OR UPDATE ON media"
        " FOR EACH ROW EXECUTE FUNCTION refuse_erased_patient()"
    )
    op.execute("ALTER TABLE media ENABLE ALWAYS TRIGGER refuse_erased_patient")


def downgrade() -> None:
    for table in ("media_variants", "media", "discarded_objects"):
        op.drop_table(table)
    with as_system():
        op.execute("DROP FUNCTION discard_object()")


def _tables() -> None:
    op.create_table(
        "discarded_objects",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("discarded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_discarded_objects")),
    )
    op.create_table(
        "media",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("encounter_id", sa.UUID(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("ready_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("removed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(status = 'failed') = (problem IS NOT NULL)", name=op.f("ck_media_problem")),
        sa.CheckConstraint("(status = 'ready') = (ready_at IS NOT NULL)", name=op.f("ck_media_ready_at")),
        sa.CheckConstraint("purpose = 'attachment' OR encounter_id IS NULL", name=op.f("ck_media_encounter")),
        sa.CheckConstraint("purpose IN ('photo', 'attachment')", name=op.f("ck_media_purpose")),
        sa.CheckConstraint("status IN ('uploading', 'processing', 'ready', 'failed')", name=op.f("ck_media_status")),
        sa.CheckConstraint("received BETWEEN 0 AND size", name=op.f("ck_media_received")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "encounter_id"],
            ["encounters.clinic_id", "encounters.id"],
            name=op.f("fk_media_clinic_id_encounter_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_media_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "uploaded_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_media_clinic_id_uploaded_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_media_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_media")),
    )
    op.create_index(
        "ix_media_encounter_id",
        "media",
        ["clinic_id", "encounter_id"],
        unique=False,
        postgresql_where=sa.text("encounter_id IS NOT NULL"),
    )
    op.create_index("ix_media_patient_id", "media", ["clinic_id", "patient_id", "created_at"], unique=False)
    op.create_index(
        "ix_media_unfinished",
        "media",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('uploading', 'processing')"),
    )
    op.create_index(
        "uq_media_photo",
        "media",
        ["clinic_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("purpose = 'photo' AND status = 'ready' AND removed_at IS NULL"),
    )
    op.create_table(
        "media_variants",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("media_id", sa.UUID(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "variant IN ('thumbnail', 'card', 'full', 'original')", name=op.f("ck_media_variants_variant")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "media_id"],
            ["media.clinic_id", "media.id"],
            name=op.f("fk_media_variants_clinic_id_media_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_media_variants_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_media_variants")),
        sa.UniqueConstraint("clinic_id", "media_id", "variant", name="uq_media_variants_variant"),
    )
    op.create_index("ix_media_variants_key", "media_variants", ["clinic_id", "key"], unique=False)
