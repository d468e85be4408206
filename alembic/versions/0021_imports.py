"""Files that clinics hand in, their bytes and their rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import guard

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("layout", postgresql.JSONB(), nullable=True),
        sa.Column("problem", postgresql.JSONB(), nullable=True),
        sa.Column("last_row", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("skip_errors", sa.Boolean(), nullable=False),
        sa.Column("checked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("applied_by", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "status IN ('uploading', 'checking', 'checked', 'applying', 'applied', 'refused', 'failed')",
            name=op.f("ck_imports_status"),
        ),
        sa.CheckConstraint("received BETWEEN 0 AND size", name=op.f("ck_imports_received")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_imports_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_imports")),
        sa.UniqueConstraint("clinic_id", "sha256", name="uq_imports_file"),
    )
    op.create_index("ix_imports_expires_at", "imports", ["expires_at"])
    op.create_table(
        "import_parts",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("data", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "import_id"],
            ["imports.clinic_id", "imports.id"],
            name=op.f("fk_import_parts_clinic_id_import_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_import_parts_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "import_id", "place", name=op.f("pk_import_parts")),
    )
    op.create_table(
        "import_rows",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("known_as", sa.Text(), nullable=True),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.Column("first_row", sa.Integer(), nullable=True),
        sa.Column("person", postgresql.JSONB(), nullable=True),
        sa.Column("animals", postgresql.JSONB(), nullable=False),
        sa.Column("problems", postgresql.JSONB(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("further_phones", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("chips", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.CheckConstraint("outcome IN ('created', 'matched', 'merged', 'error')", name=op.f("ck_import_rows_outcome")),
        sa.CheckConstraint("(client_id IS NULL) = (outcome = 'error')", name=op.f("ck_import_rows_client")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "import_id"],
            ["imports.clinic_id", "imports.id"],
            name=op.f("fk_import_rows_clinic_id_import_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_import_rows_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "import_id", "number", name=op.f("pk_import_rows")),
    )
    op.create_index("ix_import_rows_client", "import_rows", ["clinic_id", "client_id"])
    op.create_index(
        "ix_import_rows_document",
        "import_rows",
        ["clinic_id", "document"],
        postgresql_where=sa.text("document IS NOT NULL"),
    )
    op.create_index(
        "ix_import_rows_phone", "import_rows", ["clinic_id", "phone"], postgresql_where=sa.text("phone IS NOT NULL")
    )
    op.create_index(
        "ix_import_rows_further_phones",
        "import_rows",
        ["clinic_id", "number"],
        postgresql_where=sa.text("further_phones IS NOT NULL"),
    )
    op.create_index("ix_import_rows_first_row", "import_rows", ["clinic_id", "import_id", "first_row", "number"])
    guard("imports", "SELECT, INSERT, UPDATE, DELETE")
    guard("import_parts", "SELECT, INSERT, DELETE")
    guard("import_rows", "SELECT, INSERT, DELETE")


def downgrade() -> None:
    op.drop_table("import_rows")
    op.drop_table("import_parts")
    op.drop_table("imports")
