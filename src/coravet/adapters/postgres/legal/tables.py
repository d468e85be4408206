"""Published legal texts, and what people decided about them."""

from sqlalchemy import (
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
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, metadata
from coravet.core.privacy.classification import PERSONAL_DELETED

legal_versions = Table(
    "legal_versions",
    metadata,
    column("slug", Text),
    column("version", Text),
    column("id", UUID),
    # Its place among the versions of its slug, from 1: the last one is in force.
    column("ordinal", Integer),
    column("change", Text),
    column("published_at", Instant),
    PrimaryKeyConstraint("slug", "version"),
    UniqueConstraint("slug", "ordinal", name="uq_legal_versions_ordinal"),
    CheckConstraint("change IN ('major', 'minor', 'editorial')", name="change"),
    CheckConstraint("ordinal > 0 AND (ordinal > 1 OR change = 'major')", name="ordinal"),
)

legal_texts = Table(
    "legal_texts",
    metadata,
    column("slug", Text),
    column("version", Text),
    column("locale", Text),
    column("title", Text),
    column("body", Text),
    column("sha256", Text),
    PrimaryKeyConstraint("slug", "version", "locale"),
    ForeignKeyConstraint(["slug", "version"], ["legal_versions.slug", "legal_versions.version"], ondelete="RESTRICT"),
    CheckConstraint("sha256 = encode(sha256(convert_to(body, 'UTF8')), 'hex')", name="sha256"),
)

# What people decide for themselves stands under the nil clinic: it is nobody's tenant, so `clinics` does not know it.
acceptances = Table(
    "acceptances",
    metadata,
    column("clinic_id", UUID),
    column("id", UUID),
    column("number", Integer),
    column("user_id", UUID, nullable=True),
    column("client_id", UUID, nullable=True),
    column("guest_request_id", UUID, nullable=True),
    column("recorded_by", UUID, nullable=True),
    column("slug", Text),
    column("version", Text),
    column("locale", Text),
    column("sha256", Text),
    column("decision", Text),
    column("capacity", Text),
    column("screen", Text, nullable=True),
    column("build", Text, nullable=True),
    column("request_id", Text, nullable=True),
    column("decided_at", Instant),
    column("commitment", BYTEA, nullable=True),
    column("previous", BYTEA),
    column("hash", BYTEA),
    PrimaryKeyConstraint("clinic_id", "id"),
    UniqueConstraint("clinic_id", "number", name="uq_acceptances_number"),
    ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="RESTRICT"),
    ForeignKeyConstraint(
        ["slug", "version", "locale"],
        ["legal_texts.slug", "legal_texts.version", "legal_texts.locale"],
        ondelete="RESTRICT",
    ),
    belongs_to("client_id", "clients"),
    belongs_to("guest_request_id", "guest_requests"),
    belongs_to("recorded_by", "members"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("decision IN ('accepted', 'declined', 'withdrawn')", name="decision"),
    CheckConstraint("capacity IN ('oneself', 'clinic', 'representative')", name="capacity"),
    CheckConstraint("num_nonnulls(user_id, client_id, guest_request_id) = 1", name="one_person"),
    Index("ix_acceptances_user", "user_id", "slug", "number"),
    Index("ix_acceptances_clinic", "clinic_id", "slug", "number", postgresql_where=text("capacity = 'clinic'")),
    Index("ix_acceptances_client", "clinic_id", "client_id", postgresql_where=text("client_id IS NOT NULL")),
    Index(
        "ix_acceptances_guest_request",
        "clinic_id",
        "guest_request_id",
        postgresql_where=text("guest_request_id IS NOT NULL"),
    ),
)

# Goes when the person is erased; what is left of it, the commitment, is a keyed hash whose key goes with it.
acceptance_evidence = Table(
    "acceptance_evidence",
    metadata,
    column("clinic_id", UUID),
    column("id", UUID),
    column("address", Text, nullable=True, privacy=PERSONAL_DELETED),
    column("browser", Text, nullable=True, privacy=PERSONAL_DELETED),
    column("key", BYTEA, privacy=PERSONAL_DELETED),
    PrimaryKeyConstraint("clinic_id", "id"),
    ForeignKeyConstraint(["clinic_id", "id"], ["acceptances.clinic_id", "acceptances.id"], ondelete="RESTRICT"),
)
