"""Clients, patients and parties."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import guard

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("document_type", sa.Text(), nullable=True),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("document_type IN ('cedula', 'ruc', 'passport')", name=op.f("ck_clients_document_type")),
        sa.CheckConstraint(
            "(document_type IS NULL) = (document_number IS NULL)", name=op.f("ck_clients_document_whole")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_clients_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_clients")),
    )
    op.create_index("ix_clients_family_name", "clients", ["clinic_id", "family_name", "id"], unique=False)
    op.create_index(
        "uq_clients_document",
        "clients",
        ["clinic_id", "document_type", "document_number"],
        unique=True,
        postgresql_where=sa.text("document_number IS NOT NULL"),
    )
    op.create_table(
        "patients",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("species", sa.Text(), nullable=False),
        sa.Column("breed", sa.Text(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("reproductive_status", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("birth_date_precision", sa.Text(), nullable=True),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "birth_date_precision IN ('day', 'month', 'year', 'estimated')",
            name=op.f("ck_patients_birth_date_precision"),
        ),
        sa.CheckConstraint(
            "reproductive_status IN ('intact', 'neutered', 'unknown')", name=op.f("ck_patients_reproductive_status")
        ),
        sa.CheckConstraint("sex IN ('male', 'female', 'unknown')", name=op.f("ck_patients_sex")),
        sa.CheckConstraint(
            "species IN ('dog', 'cat', 'rabbit', 'bird', 'horse', 'cow', 'pig', 'reptile', 'other')",
            name=op.f("ck_patients_species"),
        ),
        sa.CheckConstraint(
            "(birth_date IS NULL) = (birth_date_precision IS NULL)", name=op.f("ck_patients_birth_date_whole")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_patients_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_patients")),
    )
    op.create_index("ix_patients_name", "patients", ["clinic_id", "name", "id"], unique=False)
    op.create_table(
        "parties",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('owner', 'co_owner', 'caretaker')", name=op.f("ck_parties_role")),
        sa.CheckConstraint("since <= until", name=op.f("ck_parties_in_order")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "client_id"],
            ["clients.clinic_id", "clients.id"],
            name=op.f("fk_parties_clinic_id_client_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_parties_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_parties_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_parties")),
    )
    op.create_index("ix_parties_client_id", "parties", ["clinic_id", "client_id"], unique=False)
    op.create_index(
        "uq_parties_owner",
        "parties",
        ["clinic_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("role = 'owner' AND until IS NULL"),
    )

    guard("clients", "SELECT, INSERT, UPDATE")
    guard("patients", "SELECT, INSERT, UPDATE")
    guard("parties", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("parties")
    op.drop_table("patients")
    op.drop_table("clients")
