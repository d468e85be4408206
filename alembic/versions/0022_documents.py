"""Sheets that were handed out, and what anybody may ask of one by its code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_settled, drop_system_function, guard, settled, system_function

revision = "0022"
down_revision = "0021"

INSTANT = postgresql.TIMESTAMP(timezone=True)
REFERENCES = {"patient_id": "patients", "issued_by": "members", "withdrawn_by": "members"}


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("content", postgresql.BYTEA(), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.UUID(), nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("withdrawn_by", sa.UUID(), nullable=True),
        sa.Column("withdraw_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_documents_number")),
        sa.CheckConstraint("kind IN ('card', 'prescription', 'visit_summary')", name=op.f("ck_documents_kind")),
        sa.CheckConstraint("kind <> 'card' OR subject_id = patient_id", name=op.f("ck_documents_card")),
        sa.CheckConstraint(
            "num_nulls(withdrawn_at, withdraw_reason) IN (0, 2) AND (withdrawn_at IS NOT NULL OR withdrawn_by IS NULL)",
            name=op.f("ck_documents_withdrawn_whole"),
        ),
        *(
            sa.ForeignKeyConstraint(
                ["clinic_id", column],
                [f"{table}.clinic_id", f"{table}.id"],
                name=op.f(f"fk_documents_clinic_id_{column}"),
                ondelete="RESTRICT",
            )
            for column, table in REFERENCES.items()
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_documents_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_documents")),
        sa.UniqueConstraint("clinic_id", "number", name="uq_documents_number"),
    )
    op.create_index("ix_documents_token_hash", "documents", ["token_hash"])
    op.create_index("ix_documents_subject", "documents", ["clinic_id", "kind", "subject_id", "number"])
    op.create_index("ix_documents_patient", "documents", ["clinic_id", "patient_id", "number"])
    guard("documents", "SELECT, INSERT, UPDATE")
    settled("documents", may_set=("withdrawn_at", "withdrawn_by", "withdraw_reason"))
    system_function(
        "find_document(bytea)",
        """
        CREATE FUNCTION find_document(p_token_hash bytea)
        RETURNS TABLE (number integer, issued_on date, withdrawn boolean, clinic_name text)
        LANGUAGE plpgsql STABLE AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT d.number, d.issued_on, d.withdrawn_at IS NOT NULL, c.name
            FROM documents d JOIN clinics c ON c.id = d.clinic_id
            WHERE d.token_hash = p_token_hash;
        END $$
        """,
    )


def downgrade() -> None:
    drop_system_function("find_document(bytea)")
    drop_settled("documents")
    op.drop_table("documents")
