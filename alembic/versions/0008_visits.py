"""What became of a visit: its history, where it was moved from, and time that is held without one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import append_only, drop_append_only, guard, past_policies

revision = "0008"
down_revision = "0007"

INSTANT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("appointments", sa.Column("previous_status", sa.Text(), nullable=True))
    op.add_column("appointments", sa.Column("status_since", INSTANT, nullable=True))
    op.add_column("appointments", sa.Column("checked_in_at", INSTANT, nullable=True))
    op.add_column("appointments", sa.Column("superseded_by_id", sa.UUID(), nullable=True))
    with past_policies("appointments"):
        op.execute("UPDATE appointments SET status_since = created_at")
        op.create_foreign_key(
            op.f("fk_appointments_clinic_id_superseded_by_id"),
            "appointments",
            "appointments",
            ["clinic_id", "superseded_by_id"],
            ["clinic_id", "id"],
            ondelete="RESTRICT",
        )
    op.alter_column("appointments", "status_since", nullable=False)
    op.create_check_constraint(
        op.f("ck_appointments_superseded"), "appointments", "superseded_by_id IS NULL OR status = 'cancelled'"
    )
    op.create_table(
        "appointment_transitions",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("appointment_id", sa.UUID(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("by IN ('staff', 'guest', 'system')", name=op.f("ck_appointment_transitions_by")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "appointment_id"],
            ["appointments.clinic_id", "appointments.id"],
            name=op.f("fk_appointment_transitions_clinic_id_appointment_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_appointment_transitions_clinic_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_appointment_transitions_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_appointment_transitions")),
    )
    op.create_index(
        "ix_appointment_transitions_appointment", "appointment_transitions", ["clinic_id", "appointment_id", "at"]
    )
    op.create_table(
        "holds",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('guest', 'offer')", name=op.f("ck_holds_kind")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_holds_in_order")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "service_id"],
            ["services.clinic_id", "services.id"],
            name=op.f("fk_holds_clinic_id_service_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_holds_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_holds")),
        sa.UniqueConstraint("clinic_id", "token_hash", name="uq_holds_token_hash"),
    )
    op.alter_column("allocations", "appointment_id", nullable=True)
    op.add_column("allocations", sa.Column("hold_id", sa.UUID(), nullable=True))
    op.add_column("allocations", sa.Column("expires_at", INSTANT, nullable=True))
    with past_policies("allocations"):
        op.create_foreign_key(
            op.f("fk_allocations_clinic_id_hold_id"),
            "allocations",
            "holds",
            ["clinic_id", "hold_id"],
            ["clinic_id", "id"],
            ondelete="RESTRICT",
        )
    op.create_check_constraint(
        op.f("ck_allocations_one_holder"), "allocations", "num_nonnulls(appointment_id, hold_id) = 1"
    )
    op.create_check_constraint(
        op.f("ck_allocations_holds_expire"), "allocations", "(hold_id IS NULL) = (expires_at IS NULL)"
    )
    op.create_index(
        "ix_allocations_hold", "allocations", ["clinic_id", "hold_id"], postgresql_where=sa.text("hold_id IS NOT NULL")
    )
    op.create_index(
        "ix_allocations_expiring",
        "allocations",
        ["clinic_id", "resource_id", "expires_at"],
        postgresql_where=sa.text("released_at IS NULL AND expires_at IS NOT NULL"),
    )
    guard("appointment_transitions", "SELECT, INSERT")
    guard("holds", "SELECT, INSERT, UPDATE")
    append_only("appointment_transitions", clearable="reason")


def downgrade() -> None:
    drop_append_only("appointment_transitions")
    op.drop_table("appointment_transitions")
    with past_policies("allocations"):
        op.execute("DELETE FROM allocations WHERE hold_id IS NOT NULL")
    op.drop_index("ix_allocations_expiring", "allocations")
    op.drop_index("ix_allocations_hold", "allocations")
    op.drop_column("allocations", "expires_at")
    op.drop_column("allocations", "hold_id")
    op.alter_column("allocations", "appointment_id", nullable=False)
    op.drop_table("holds")
    op.drop_column("appointments", "superseded_by_id")
    op.drop_column("appointments", "checked_in_at")
    op.drop_column("appointments", "status_since")
    op.drop_column("appointments", "previous_status")
