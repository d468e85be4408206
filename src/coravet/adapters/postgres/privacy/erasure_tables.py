"""Who was erased, what the law holds back of them for a time, and for how long it does."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, metadata, tenant_table
from coravet.core.privacy.classification import PERSONAL_DELETED

CATEGORIES = (
    "'identity', 'clinical_record', 'appointments', 'messages', 'guest_requests', 'acceptances', 'rights_requests'"
)

erasures = tenant_table(
    "erasures",
    column("number", Integer),
    column("subject_type", Text),
    column("subject_id", UUID),
    # Refers to no table: a restored backup may be older than the request.
    column("request_id", UUID, nullable=True),
    column("requested_by", UUID, nullable=True),
    column("begun_at", Instant),
    column("completed_at", Instant, nullable=True),
    column("certificate", JSONB(none_as_null=True), nullable=True),
    column("sha256", Text, nullable=True),
    belongs_to("subject_id", "clients"),
    belongs_to("requested_by", "members"),
    UniqueConstraint("clinic_id", "number", name="uq_erasures_number"),
    UniqueConstraint("clinic_id", "subject_id", name="uq_erasures_subject"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("subject_type IN ('client')", name="subject_type"),
    CheckConstraint("num_nulls(completed_at, certificate, sha256) IN (0, 3)", name="completed_whole"),
)

# What a rule holds back, taken out of where it stood: no route reads it, for the application's role may not.
withheld = Table(
    "withheld",
    metadata,
    column("clinic_id", UUID),
    column("erasure_id", UUID),
    column("table_name", Text),
    column("row_id", UUID),
    column("category", Text),
    column("content", JSONB, privacy=PERSONAL_DELETED),
    column("until", Date),
    PrimaryKeyConstraint("clinic_id", "erasure_id", "table_name", "row_id"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    belongs_to("erasure_id", "erasures"),
    CheckConstraint(f"category IN ({CATEGORIES})", name="category"),
    Index("ix_withheld_until", "until"),
)

retention_rules = Table(
    "retention_rules",
    metadata,
    column("clinic_id", UUID),
    column("category", Text),
    column("basis", Text),
    column("months", SmallInteger),
    column("review_on", Date, nullable=True),
    column("provisional", Boolean),
    PrimaryKeyConstraint("clinic_id", "category"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    CheckConstraint(f"category IN ({CATEGORIES})", name="category"),
    CheckConstraint("months BETWEEN 0 AND 600", name="months"),
)
