"""No allocation lasts longer than two days: what overlaps a window is found by where it ends."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_check_constraint(op.f("ck_allocations_length"), "allocations", "ends_at - starts_at <= interval '2 days'")


def downgrade() -> None:
    op.drop_constraint("ck_allocations_length", "allocations")
