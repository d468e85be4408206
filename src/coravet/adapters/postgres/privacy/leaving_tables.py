"""Clinics that left, and accounts that were erased: of no clinic, so that they outlive what they tell of."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from coravet.adapters.postgres.schema import Instant, column, metadata
from coravet.core.privacy.classification import FREE_TEXT_REPLACED, PERSONAL_CLEARED

departures = Table(
    "departures",
    metadata,
    column("id", UUID, primary_key=True),
    column("clinic_id", UUID),
    # All that is kept of the address: by it nobody else is given it, and the clinic finds its certificate.
    column("slug_sha256", BYTEA),
    column("reason", Text, privacy=FREE_TEXT_REPLACED),
    column("closed_at", Instant),
    # From here on there is no way back: what was handed over, and how many rows of each table there were.
    column("handed", JSONB, nullable=True),
    column("completed_at", Instant, nullable=True),
    column("certificate", Text, nullable=True),
    UniqueConstraint("clinic_id", name="uq_departures_clinic"),
    UniqueConstraint("slug_sha256", name="uq_departures_slug"),
    CheckConstraint(
        "num_nulls(completed_at, certificate) IN (0, 2) AND (completed_at IS NULL OR handed IS NOT NULL)", name="whole"
    ),
)

account_erasures = Table(
    "account_erasures",
    metadata,
    column("id", UUID, primary_key=True),
    column("user_id", UUID),
    # By which a token that outlives its person for a minute makes no new account.
    column("uid_sha256", BYTEA),
    # Until the account is deleted there.
    column("firebase_uid", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("reason", Text, privacy=FREE_TEXT_REPLACED),
    column("erased_at", Instant),
    column("completed_at", Instant, nullable=True),
    column("certificate", Text),
    ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="RESTRICT"),
    UniqueConstraint("user_id", name="uq_account_erasures_user"),
    CheckConstraint("(completed_at IS NULL) = (firebase_uid IS NOT NULL)", name="completed"),
    Index("ix_account_erasures_uid", "uid_sha256"),
    Index("ix_account_erasures_waiting", "id", postgresql_where=text("firebase_uid IS NOT NULL")),
)
