"""The waitlist."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import guard

revision = "0012"
down_revision = "0011"

INSTANT = postgresql.TIMESTAMP(timezone=True)


def _within(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["clinic_id", column],
        [f"{table}.clinic_id", f"{table}.id"],
        name=op.f(f"fk_waitlist_clinic_id_{column}"),
        ondelete="RESTRICT",
    )


def upgrade() -> None:
    op.create_table(
        "waitlist",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("resource_ids", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=False),
        sa.Column("from_time", sa.Time(), nullable=True),
        sa.Column("to_time", sa.Time(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.UUID(), nullable=True),
        sa.Column("appointment_id", sa.UUID(), nullable=True),
        sa.Column("offered_at", INSTANT, nullable=True),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("refused", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'offered', 'booked', 'left', 'expired')", name=op.f("ck_waitlist_status")
        ),
        sa.CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}'::smallint[]", name=op.f("ck_waitlist_weekdays")),
        sa.CheckConstraint("from_date <= to_date", name=op.f("ck_waitlist_in_order")),
        sa.CheckConstraint("(hold_id IS NOT NULL) = (status IN ('offered', 'booked'))", name=op.f("ck_waitlist_held")),
        sa.CheckConstraint("(appointment_id IS NOT NULL) = (status = 'booked')", name=op.f("ck_waitlist_booked")),
        _within("service_id", "services"),
        _within("patient_id", "patients"),
        _within("client_id", "clients"),
        _within("hold_id", "holds"),
        _within("appointment_id", "appointments"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_waitlist_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_waitlist")),
    )
    op.create_index("ix_waitlist_turn", "waitlist", ["clinic_id", "created_at", "id"])
    op.create_index(
        "ix_waitlist_waiting",
        "waitlist",
        ["clinic_id", "created_at", "id"],
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "ix_waitlist_hold", "waitlist", ["clinic_id", "hold_id"], postgresql_where=sa.text("hold_id IS NOT NULL")
    )
    guard("waitlist", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("waitlist")
