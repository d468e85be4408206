"""The outbox, its mark, and the answers kept for repeated requests."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from coravet.adapters.postgres.schema import Instant, column, metadata, tenant_table
from coravet.core.privacy.classification import PERSONAL_DELETED

outbox = tenant_table(
    "outbox",
    column("kind", Text),
    column("audience", Text),
    column("person_id", UUID, nullable=True),
    column("subject_type", Text),
    column("subject_id", UUID),
    column("subject_version", Integer, nullable=True),
    column("actor_user_id", UUID, nullable=True),
    column("at", Instant, server_default=text("now()")),
    # Given once committed, by the dispatcher: ids are taken before the commit and so can be overtaken.
    column("number", BigInteger, nullable=True),
    Index("ix_outbox_pending", "id", postgresql_where=text("number IS NULL")),
    Index("ix_outbox_number", "number"),
    Index("ix_outbox_clinic_number", "clinic_id", "number"),
    CheckConstraint("(audience = 'person') = (person_id IS NOT NULL)", name="person"),
)

outbox_mark = Table(
    "outbox_mark",
    metadata,
    column("singleton", Boolean, primary_key=True),
    column("last_number", BigInteger),
    # Rows up to here are no longer kept: whoever asks for what followed a lower number must load anew.
    column("pruned_through", BigInteger, server_default=text("0")),
    CheckConstraint("singleton", name="one_row"),
    CheckConstraint("pruned_through BETWEEN 0 AND last_number", name="pruned_through"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    column("clinic_id", UUID),
    column("user_id", UUID),
    column("key", Text),
    column("fingerprint", BYTEA),
    column("answer", BYTEA, nullable=True, privacy=PERSONAL_DELETED),
    column("created_at", Instant, server_default=text("now()")),
    PrimaryKeyConstraint("clinic_id", "user_id", "key"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)
