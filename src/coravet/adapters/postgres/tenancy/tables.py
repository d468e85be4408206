"""Clinics, users, members and invitations."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, UUID

from coravet.adapters.postgres.schema import Instant, column, mapping, metadata, tenant_table
from coravet.core.privacy.classification import (
    FREE_TEXT_REPLACED,
    PERSONAL_CLEARED,
    PERSONAL_DELETED,
    PERSONAL_REPLACED,
)
from coravet.core.tenancy.model import Clinic, Invitation, Member

clinics = Table(
    "clinics",
    metadata,
    column("id", UUID, primary_key=True),
    column("slug", Text),
    column("name", Text),
    column("time_zone", Text),
    column("grid_minutes", SmallInteger, server_default=text("15")),
    column("version", Integer, server_default=text("1")),
    column("created_at", Instant, server_default=text("now()")),
    # From then on nobody finds the clinic; see `departures`.
    column("leaving_since", Instant, nullable=True),
    UniqueConstraint("slug", name="uq_clinics_slug"),
    CheckConstraint("grid_minutes >= 5 AND 1440 % grid_minutes = 0", name="grid"),
    CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$'", name="slug"),
)

users = Table(
    "users",
    metadata,
    column("id", UUID, primary_key=True),
    column("firebase_uid", Text, privacy=PERSONAL_REPLACED),
    column("email", Text, privacy=PERSONAL_REPLACED),
    column("email_verified", Boolean, server_default=text("false"), privacy=PERSONAL_REPLACED),
    column("display_name", Text, privacy=PERSONAL_REPLACED),
    column("created_at", Instant, server_default=text("now()")),
    UniqueConstraint("firebase_uid", name="uq_users_firebase_uid"),
)
MEMBER_NAME = "coalesce(nullif(u.display_name, ''), u.email)"
"""What the member is called whose user `u` is."""

operators = Table(
    "operators",
    metadata,
    column("user_id", UUID, primary_key=True),
    column("reason", Text, privacy=FREE_TEXT_REPLACED),
    column("granted_at", Instant, server_default=text("now()")),
    ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="RESTRICT"),
)

ended_sessions = Table(
    "ended_sessions",
    metadata,
    column("token_hash", BYTEA, primary_key=True),
    column("ended_at", Instant, server_default=text("now()")),
    column("expires_at", Instant),
    Index("ix_ended_sessions_expires_at", "expires_at"),
)

rate_limits = Table(
    "rate_limits",
    metadata,
    column("key", BYTEA, primary_key=True),
    column("hits", Integer),
    column("expires_at", Instant),
    Index("ix_rate_limits_expires_at", "expires_at"),
    prefixes=["UNLOGGED"],  # after a crash everybody begins anew, and meanwhile nothing waits for a disk
)

members = tenant_table(
    "members",
    column("user_id", UUID),
    column("roles", ARRAY(Text)),
    column("active", Boolean),
    column("registration_number", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("version", Integer),
    column("created_at", Instant, server_default=text("now()")),
    ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="RESTRICT"),
    UniqueConstraint("clinic_id", "user_id", name="uq_members_user"),
    Index("ix_members_user_id", "user_id"),
    CheckConstraint("cardinality(roles) > 0", name="some_role"),
    CheckConstraint("roles <@ ARRAY['owner','manager','vet','staff']", name="known_roles"),
)

invitations = tenant_table(
    "invitations",
    column("email", Text, privacy=PERSONAL_DELETED),
    column("roles", ARRAY(Text)),
    column("token_hash", BYTEA),
    column("invited_by", UUID, nullable=True),
    column("expires_at", Instant),
    column("accepted_at", Instant, nullable=True),
    column("closed_at", Instant, nullable=True),
    column("created_at", Instant, server_default=text("now()")),
    ForeignKeyConstraint(["invited_by"], ["users.id"], ondelete="RESTRICT"),
    UniqueConstraint("clinic_id", "token_hash", name="uq_invitations_token_hash"),
    Index("ix_invitations_token_hash", "token_hash"),
    CheckConstraint("roles <@ ARRAY['owner','manager','vet','staff']", name="known_roles"),
)

mapping.map_imperatively(
    Clinic,
    clinics,
    version_id_col=clinics.c.version,
    version_id_generator=False,
    exclude_properties=["created_at", "leaving_since"],
)
mapping.map_imperatively(
    Member,
    members,
    version_id_col=members.c.version,
    version_id_generator=False,
    exclude_properties=["created_at"],
)
mapping.map_imperatively(Invitation, invitations, exclude_properties=["created_at"])
