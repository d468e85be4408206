"""Attachments that were entered in error, and the lists and the timeline that they stand in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import past_policies, roles

revision = "0030"
down_revision = "0029"

KEEP = """
CREATE FUNCTION keep_attachments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Of what is part of the record only the mark that it was entered in error may still be made, once.
    IF OLD.purpose = 'attachment' AND OLD.status = 'ready' AND NOT erasing(OLD.clinic_id)
        AND (OLD.voided_at IS NOT NULL
            OR to_jsonb(NEW) - ARRAY['voided_at', 'voided_by', 'void_reason', 'version']
            <> to_jsonb(OLD) - ARRAY['voided_at', 'voided_by', 'void_reason', 'version']) THEN
        RAISE EXCEPTION 'what is attached to a record is settled' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

KEEP_OBJECTS = """
CREATE FUNCTION refuse_attached_objects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- But for an erasure, and a clinic that leaves, which are the system's.
    IF current_user <> '{system}' AND EXISTS (
        SELECT FROM media m WHERE m.clinic_id = OLD.clinic_id AND m.id = OLD.media_id
        AND m.purpose = 'attachment' AND m.status = 'ready'
    ) THEN
        RAISE EXCEPTION 'what is attached to a record is settled' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$
"""


def upgrade() -> None:
    with past_policies("members", "media"):
        op.add_column("media", sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True)))
        op.add_column("media", sa.Column("voided_by", sa.UUID()))
        op.add_column("media", sa.Column("void_reason", sa.Text()))
        op.create_foreign_key(
            op.f("fk_media_clinic_id_voided_by"),
            "media",
            "members",
            ["clinic_id", "voided_by"],
            ["clinic_id", "id"],
            ondelete="RESTRICT",
        )
        op.create_check_constraint(op.f("ck_media_voided"), "media", "num_nulls(voided_at, void_reason) IN (0, 2)")
        op.create_check_constraint(op.f("ck_media_voided_by"), "media", "voided_at IS NOT NULL OR voided_by IS NULL")
        op.create_check_constraint(
            op.f("ck_media_voided_attachment"),
            "media",
            "voided_at IS NULL OR (purpose = 'attachment' AND status = 'ready')",
        )
        op.create_index(
            "ix_media_attachments",
            "media",
            ["clinic_id", "patient_id", "created_at", "id"],
            postgresql_where=sa.text("purpose = 'attachment' AND status = 'ready' AND removed_at IS NULL"),
        )
    op.execute(KEEP)
    op.execute("REVOKE ALL ON FUNCTION keep_attachments() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER keep_attachments BEFORE UPDATE ON media FOR EACH ROW EXECUTE FUNCTION keep_attachments()"
    )
    op.execute("ALTER TABLE media ENABLE ALWAYS TRIGGER keep_attachments")
    op.execute(KEEP_OBJECTS.replace("{system}", roles()[1]))
    op.execute("REVOKE ALL ON FUNCTION refuse_attached_objects() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER refuse_attached_objects BEFORE DELETE ON media_variants"
        " FOR EACH ROW EXECUTE FUNCTION refuse_attached_objects()"
    )
    op.execute("ALTER TABLE media_variants ENABLE ALWAYS TRIGGER refuse_attached_objects")


def downgrade() -> None:
    op.execute("DROP TRIGGER refuse_attached_objects ON media_variants")
    op.execute("DROP FUNCTION refuse_attached_objects()")
    op.execute("DROP TRIGGER keep_attachments ON media")
    op.execute("DROP FUNCTION keep_attachments()")
    op.drop_index("ix_media_attachments", "media")
    for name in ("voided_attachment", "voided_by", "voided"):
        op.drop_constraint(op.f(f"ck_media_{name}"), "media")
    op.drop_constraint(op.f("fk_media_clinic_id_voided_by"), "media")
    for name in ("void_reason", "voided_by", "voided_at"):
        op.drop_column("media", name)
