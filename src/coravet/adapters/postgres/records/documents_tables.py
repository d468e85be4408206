"""Sheets that were handed out."""

from sqlalchemy import CheckConstraint, Date, Index, Integer, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, tenant_table
from coravet.core.privacy.classification import SENSITIVE_REPLACED
from coravet.core.records.model import Document

documents = tenant_table(
    "documents",
    column("number", Integer),
    column("kind", Text),
    column("patient_id", UUID),
    column("subject_id", UUID),
    column("content", BYTEA),
    column("token_hash", BYTEA),
    column("issued_at", Instant),
    column("issued_on", Date),
    column("issued_by", UUID, nullable=True),
    column("withdrawn_at", Instant, nullable=True),
    column("withdrawn_by", UUID, nullable=True),
    column("withdraw_reason", Text, nullable=True, privacy=SENSITIVE_REPLACED),
    belongs_to("patient_id", "patients"),
    belongs_to("issued_by", "members"),
    belongs_to("withdrawn_by", "members"),
    UniqueConstraint("clinic_id", "number", name="uq_documents_number"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("kind IN ('card', 'prescription', 'visit_summary')", name="kind"),
    CheckConstraint("kind <> 'card' OR subject_id = patient_id", name="card"),
    CheckConstraint(
        "num_nulls(withdrawn_at, withdraw_reason) IN (0, 2) AND (withdrawn_at IS NOT NULL OR withdrawn_by IS NULL)",
        name="withdrawn_whole",
    ),
    Index("ix_documents_token_hash", "token_hash"),
    Index("ix_documents_subject", "clinic_id", "kind", "subject_id", "number"),
    Index("ix_documents_patient", "clinic_id", "patient_id", "number"),
)

mapping.map_imperatively(Document, documents)
