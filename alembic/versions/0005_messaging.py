"""Messages and links."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_system_function, guard, system_function

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'planned'"), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_by", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('visit_requested', 'visit_booked', 'visit_confirmed', 'visit_moved', 'visit_cancelled',"
            " 'visit_reminder', 'vaccine_due', 'deworming_due', 'follow_up', 'waitlist_offer')",
            name=op.f("ck_messages_kind"),
        ),
        sa.CheckConstraint("subject_type IN ('appointment', 'hold', 'recall')", name=op.f("ck_messages_subject_type")),
        sa.CheckConstraint("channel IN ('mail', 'whatsapp')", name=op.f("ck_messages_channel")),
        sa.CheckConstraint(
            "status IN ('planned', 'waiting', 'sent', 'skipped', 'failed')", name=op.f("ck_messages_status")
        ),
        sa.CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_messages_sent_whole")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "sent_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_messages_clinic_id_sent_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_messages_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "clinic_id", "subject_type", "subject_id", "kind", "due_at", "channel", name="uq_messages_once"
        ),
    )
    op.create_index("ix_messages_status", "messages", ["clinic_id", "status", "due_at", "id"], unique=False)
    op.create_table(
        "links",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('see', 'confirm', 'reschedule', 'cancel', 'accept_offer', 'opt_out')",
            name=op.f("ck_links_purpose"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_links_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_links")),
        sa.UniqueConstraint("clinic_id", "token_hash", name="uq_links_token_hash"),
    )
    op.create_index("ix_links_subject", "links", ["clinic_id", "subject_id"], unique=False)
    op.create_index("ix_links_token_hash", "links", ["token_hash"], unique=False)

    guard("messages", "SELECT, INSERT, UPDATE")
    guard("links", "SELECT, INSERT, UPDATE")
    system_function(
        "find_link(bytea)",
        """
        CREATE FUNCTION find_link(p_token_hash bytea)
        RETURNS TABLE (clinic_id uuid, time_zone text, purpose text, subject_id uuid, expires_at timestamptz)
        LANGUAGE plpgsql STABLE AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT c.id, c.time_zone, l.purpose, l.subject_id, l.expires_at
            FROM links l JOIN clinics c ON c.id = l.clinic_id
            WHERE l.token_hash = p_token_hash AND l.revoked_at IS NULL;
        END $$
        """,
    )


def downgrade() -> None:
    drop_system_function("find_link(bytea)")
    op.drop_table("links")
    op.drop_table("messages")
