"""Guests: what they wrote, and where they are looked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_system_function, guard, system_function

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "guest_requests",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("appointment_id", sa.UUID(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("patient_name", sa.Text(), nullable=False),
        sa.Column("species", sa.Text(), nullable=False),
        sa.Column("accepted_slug", sa.Text(), nullable=False),
        sa.Column("accepted_version", sa.Text(), nullable=False),
        sa.Column("accepted_locale", sa.Text(), nullable=False),
        sa.Column("accepted_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "appointment_id"],
            ["appointments.clinic_id", "appointments.id"],
            name=op.f("fk_guest_requests_clinic_id_appointment_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_guest_requests_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_guest_requests")),
        sa.UniqueConstraint("clinic_id", "appointment_id", name="uq_guest_requests_appointment"),
    )
    op.create_index(
        "ix_clients_phone", "clients", ["clinic_id", "phone"], postgresql_where=sa.text("phone IS NOT NULL")
    )
    op.create_index("ix_holds_token_hash", "holds", ["token_hash"], postgresql_where=sa.text("token_hash IS NOT NULL"))
    guard("guest_requests", "SELECT, INSERT, UPDATE")
    system_function(
        "find_clinic(text)",
        """
        CREATE FUNCTION find_clinic(p_slug text) RETURNS TABLE (clinic_id uuid, time_zone text)
        LANGUAGE sql STABLE AS $$ SELECT c.id, c.time_zone FROM clinics c WHERE c.slug = p_slug $$
        """,
    )
    system_function(
        "find_hold(bytea)",
        """
        CREATE FUNCTION find_hold(p_token_hash bytea) RETURNS TABLE (clinic_id uuid, time_zone text)
        LANGUAGE sql STABLE AS $$
            SELECT c.id, c.time_zone FROM holds h JOIN clinics c ON c.id = h.clinic_id
            WHERE h.token_hash = p_token_hash AND h.kind = 'guest'
        $$
        """,
    )


def downgrade() -> None:
    drop_system_function("find_hold(bytea)")
    drop_system_function("find_clinic(text)")
    op.drop_index("ix_holds_token_hash", "holds")
    op.drop_index("ix_clients_phone", "clients")
    op.drop_table("guest_requests")
