"""The day on which a patient died."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("patients", sa.Column("deceased_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("patients", "deceased_on")
