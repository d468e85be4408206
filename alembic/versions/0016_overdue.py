"""Messages that the system looks after, in all clinics at once: what is overdue, and what waits in vain."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index(
        "ix_messages_overdue",
        "messages",
        [sa.text("coalesce(not_before, due_at)"), "id"],
        postgresql_where=sa.text("status = 'planned'"),
    )
    op.create_index("ix_messages_waiting", "messages", ["starts_at"], postgresql_where=sa.text("status = 'waiting'"))


def downgrade() -> None:
    op.drop_index("ix_messages_waiting", "messages")
    op.drop_index("ix_messages_overdue", "messages")
