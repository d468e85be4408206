"""Recalls, reminder rules, quiet hours, and over which channels clients want to be reminded."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import guard

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "channel_choices",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.UUID(), nullable=True),
        sa.Column("chosen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('mail', 'whatsapp')", name=op.f("ck_channel_choices_channel")),
        sa.CheckConstraint(
            "source IN ('in_person', 'phone', 'whatsapp', 'portal', 'opt_out_link')",
            name=op.f("ck_channel_choices_source"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "client_id"],
            ["clients.clinic_id", "clients.id"],
            name=op.f("fk_channel_choices_clinic_id_client_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "recorded_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_channel_choices_clinic_id_recorded_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_channel_choices_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_channel_choices")),
    )
    op.create_index(
        "ix_channel_choices_newest",
        "channel_choices",
        ["clinic_id", "client_id", "channel", "chosen_at", "id"],
        unique=False,
    )
    op.create_table(
        "quiet_hours",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("begins", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_quiet_hours_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_quiet_hours")),
    )
    op.create_table(
        "recalls",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('vaccine_due', 'deworming_due', 'follow_up')", name=op.f("ck_recalls_kind")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_recalls_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_recalls_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_recalls")),
    )
    op.create_index(
        "ix_recalls_due_at",
        "recalls",
        ["clinic_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_recalls_patient", "recalls", ["clinic_id", "patient_id"], unique=False)
    op.create_table(
        "reminder_rules",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("minutes_before", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("channel IN ('mail', 'whatsapp')", name=op.f("ck_reminder_rules_channel")),
        sa.CheckConstraint(
            "kind IN ('visit_reminder', 'vaccine_due', 'deworming_due', 'follow_up')",
            name=op.f("ck_reminder_rules_kind"),
        ),
        sa.CheckConstraint("minutes_before BETWEEN 0 AND 527040", name=op.f("ck_reminder_rules_minutes_before")),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_reminder_rules_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "kind", "channel", "minutes_before", name=op.f("pk_reminder_rules")),
    )

    guard("channel_choices", "SELECT, INSERT")
    guard("quiet_hours", "SELECT, INSERT, DELETE")
    guard("recalls", "SELECT, INSERT, UPDATE")
    guard("reminder_rules", "SELECT, INSERT, DELETE")


def downgrade() -> None:
    op.drop_table("reminder_rules")
    op.drop_table("recalls")
    op.drop_table("quiet_hours")
    op.drop_table("channel_choices")
