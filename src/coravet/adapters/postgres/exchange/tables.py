"""Files that clinics hand in, their bytes and their rows: all kept for a time only."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, metadata, tenant_table
from coravet.core.exchange.model import Import
from coravet.core.privacy.classification import FREE_TEXT_CLEARED, FREE_TEXT_REPLACED, PERSONAL_DELETED

imports = tenant_table(
    "imports",
    column("file_name", Text, privacy=FREE_TEXT_REPLACED),
    column("size", Integer),
    column("sha256", Text),
    column("created_by", UUID, nullable=True),
    column("created_at", Instant),
    column("expires_at", Instant),
    column("status", Text),
    column("received", Integer),
    # With the words above the columns, which in a file without any are somebody's data.
    column("layout", JSONB, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("problem", JSONB, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("last_row", Integer),
    column("checked", Integer),
    column("applied", Integer),
    column("counts", JSONB),
    column("skip_errors", Boolean),
    column("checked_at", Instant, nullable=True),
    column("applied_at", Instant, nullable=True),
    column("applied_by", UUID, nullable=True),
    UniqueConstraint("clinic_id", "sha256", name="uq_imports_file"),
    CheckConstraint(
        "status IN ('uploading', 'checking', 'checked', 'applying', 'applied', 'refused', 'failed')", name="status"
    ),
    CheckConstraint("received BETWEEN 0 AND size", name="received"),
    Index("ix_imports_expires_at", "expires_at"),
)

import_parts = Table(
    "import_parts",
    metadata,
    column("clinic_id", UUID),
    column("import_id", UUID),
    column("place", Integer),  # of its first byte in the file
    column("data", BYTEA, privacy=PERSONAL_DELETED),
    PrimaryKeyConstraint("clinic_id", "import_id", "place"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    belongs_to("import_id", "imports"),
)

import_rows = Table(
    "import_rows",
    metadata,
    column("clinic_id", UUID),
    column("import_id", UUID),
    column("number", Integer),
    column("outcome", Text),
    column("warned", Boolean),
    # Refers to no client, for most are not there yet.
    column("client_id", UUID, nullable=True),
    column("known", Boolean),
    column("known_as", Text, nullable=True, privacy=PERSONAL_DELETED),
    column("seen", Text, nullable=True, privacy=PERSONAL_DELETED),
    column("first_row", Integer, nullable=True),
    column("person", JSONB, nullable=True, privacy=PERSONAL_DELETED),
    column("animals", JSONB, privacy=PERSONAL_DELETED),
    column("problems", JSONB, privacy=PERSONAL_DELETED),
    # By which rows below find this one.
    column("document", Text, nullable=True, privacy=PERSONAL_DELETED),
    column("phone", Text, nullable=True, privacy=PERSONAL_DELETED),
    column("further_phones", ARRAY(Text), nullable=True, privacy=PERSONAL_DELETED),
    column("chips", ARRAY(Text), nullable=True, privacy=PERSONAL_DELETED),
    PrimaryKeyConstraint("clinic_id", "import_id", "number"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    belongs_to("import_id", "imports"),
    CheckConstraint("outcome IN ('created', 'matched', 'merged', 'error')", name="outcome"),
    CheckConstraint("(client_id IS NULL) = (outcome = 'error')", name="client"),
    Index("ix_import_rows_client", "clinic_id", "client_id"),
    Index("ix_import_rows_document", "clinic_id", "document", postgresql_where=text("document IS NOT NULL")),
    Index("ix_import_rows_phone", "clinic_id", "phone", postgresql_where=text("phone IS NOT NULL")),
    Index("ix_import_rows_further_phones", "clinic_id", "number", postgresql_where=text("further_phones IS NOT NULL")),
    Index("ix_import_rows_first_row", "clinic_id", "import_id", "first_row", "number"),
)

mapping.map_imperatively(Import, imports)
