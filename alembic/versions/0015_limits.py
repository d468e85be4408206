"""How often guests ask: numbers that all processes share."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_system_function, guard, system_function

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "rate_limits",
        sa.Column("key", postgresql.BYTEA(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_rate_limits_expires_at", "rate_limits", ["expires_at"])
    guard("rate_limits", "", own="")
    system_function(
        "count_hits(bytea, integer, integer)",
        """
        CREATE FUNCTION count_hits(p_key bytea, p_seconds integer, p_amount integer) RETURNS TABLE (hits integer)
        LANGUAGE plpgsql AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            INSERT INTO rate_limits AS r (key, hits, expires_at)
            VALUES (p_key, p_amount, now() + make_interval(secs => p_seconds))
            ON CONFLICT (key) DO UPDATE
            SET hits = CASE WHEN r.expires_at <= now() THEN p_amount ELSE r.hits + p_amount END,
                expires_at = CASE WHEN r.expires_at <= now() THEN excluded.expires_at ELSE r.expires_at END
            RETURNING r.hits;
        END $$
        """,
    )
    system_function(
        "hits_of(bytea)",
        """
        CREATE FUNCTION hits_of(p_key bytea) RETURNS TABLE (hits integer, expires_at timestamptz)
        LANGUAGE sql STABLE AS $$
            SELECT r.hits, r.expires_at FROM rate_limits r WHERE r.key = p_key AND r.expires_at > now()
        $$
        """,
    )


def downgrade() -> None:
    drop_system_function("hits_of(bytea)")
    drop_system_function("count_hits(bytea, integer, integer)")
    op.drop_table("rate_limits")
