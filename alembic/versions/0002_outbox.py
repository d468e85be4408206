"""The outbox and the answers kept for repeated requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import guard

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", postgresql.BYTEA(), nullable=False),
        sa.Column("answer", postgresql.BYTEA(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("clinic_id", "user_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "outbox_mark",
        sa.Column("singleton", sa.Boolean(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("pruned_through", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_outbox_mark_one_row")),
        sa.CheckConstraint("pruned_through BETWEEN 0 AND last_number", name=op.f("ck_outbox_mark_pruned_through")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_outbox_mark")),
    )
    op.create_table(
        "outbox",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=True),
        sa.Column("actor_user_id", sa.UUID(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(audience = 'person') = (person_id IS NOT NULL)", name=op.f("ck_outbox_person")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_outbox_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_clinic_number", "outbox", ["clinic_id", "number"], unique=False)
    op.create_index("ix_outbox_number", "outbox", ["number"], unique=False)
    op.create_index("ix_outbox_pending", "outbox", ["id"], unique=False, postgresql_where=sa.text("number IS NULL"))

    op.execute("INSERT INTO outbox_mark (singleton, last_number) VALUES (true, 0)")

    guard("outbox", "SELECT, INSERT")
    guard("outbox_mark", "SELECT", own="true")  # one row of counters: no clinic's
    guard("idempotency_keys", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_table("outbox_mark")
    op.drop_table("outbox")
