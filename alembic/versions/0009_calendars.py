"""Feeds of resources' calendars."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_system_function, guard, system_function

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("resource_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "member_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_calendar_feeds_clinic_id_member_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "resource_id"],
            ["resources.clinic_id", "resources.id"],
            name=op.f("fk_calendar_feeds_clinic_id_resource_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_calendar_feeds_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_calendar_feeds")),
    )
    op.create_index("ix_calendar_feeds_token_hash", "calendar_feeds", ["token_hash"], unique=False)
    op.create_index(
        "uq_calendar_feeds_resource",
        "calendar_feeds",
        ["clinic_id", "resource_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    guard("calendar_feeds", "SELECT, INSERT, UPDATE")
    system_function(
        "find_calendar(text, uuid, bytea)",
        """
        CREATE FUNCTION find_calendar(p_slug text, p_resource_id uuid, p_token_hash bytea)
        RETURNS TABLE (clinic_id uuid, time_zone text, clinic_name text, resource_name text)
        LANGUAGE plpgsql STABLE AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT c.id, c.time_zone, c.name, r.name FROM calendar_feeds f
            JOIN clinics c ON c.id = f.clinic_id
            JOIN resources r ON r.clinic_id = f.clinic_id AND r.id = f.resource_id
            JOIN members m ON m.clinic_id = f.clinic_id AND m.id = f.member_id
            LEFT JOIN members o ON o.clinic_id = r.clinic_id AND o.id = r.member_id
            WHERE f.token_hash = p_token_hash AND f.revoked_at IS NULL AND f.resource_id = p_resource_id
              AND c.slug = p_slug AND r.active AND m.active AND o.active IS NOT FALSE;
        END $$
        """,
    )


def downgrade() -> None:
    drop_system_function("find_calendar(text, uuid, bytea)")
    op.drop_table("calendar_feeds")
