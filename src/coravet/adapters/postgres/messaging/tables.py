"""Messages and links."""

from sqlalchemy import CheckConstraint, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, tenant_table
from coravet.core.messaging.model import Link, Message

messages = tenant_table(
    "messages",
    column("kind", Text),
    column("subject_type", Text),
    column("subject_id", UUID),
    column("channel", Text),
    column("due_at", Instant),
    column("starts_at", Instant, nullable=True),
    column("status", Text, server_default=text("'planned'")),
    column("why", Text, nullable=True),
    column("attempts", SmallInteger, server_default=text("0")),
    column("claimed_until", Instant, nullable=True),
    column("sent_at", Instant, nullable=True),
    column("sent_by", UUID, nullable=True),
    column("created_at", Instant, server_default=text("now()")),
    belongs_to("sent_by", "members"),
    # `subject_id` refers to no table, for it names rows of several.
    UniqueConstraint("clinic_id", "subject_type", "subject_id", "kind", "due_at", "channel", name="uq_messages_once"),
    CheckConstraint(
        "kind IN ('visit_requested', 'visit_booked', 'visit_confirmed', 'visit_moved', 'visit_cancelled',"
        " 'visit_reminder', 'vaccine_due', 'deworming_due', 'follow_up', 'waitlist_offer')",
        name="kind",
    ),
    CheckConstraint("subject_type IN ('appointment', 'hold', 'recall')", name="subject_type"),
    CheckConstraint("channel IN ('mail', 'whatsapp')", name="channel"),
    CheckConstraint("status IN ('planned', 'waiting', 'sent', 'skipped', 'failed')", name="status"),
    CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_whole"),
    Index("ix_messages_status", "clinic_id", "status", "due_at", "id"),
)

links = tenant_table(
    "links",
    column("purpose", Text),
    column("subject_id", UUID),
    column("token_hash", BYTEA),
    column("expires_at", Instant),
    column("revoked_at", Instant, nullable=True),
    column("created_at", Instant, server_default=text("now()")),
    UniqueConstraint("clinic_id", "token_hash", name="uq_links_token_hash"),
    CheckConstraint("purpose IN ('see', 'confirm', 'reschedule', 'cancel', 'accept_offer')", name="purpose"),
    Index("ix_links_token_hash", "token_hash"),
    Index("ix_links_subject", "clinic_id", "subject_id"),
)

mapping.map_imperatively(Message, messages, exclude_properties=["created_at"])
mapping.map_imperatively(Link, links, exclude_properties=["created_at"])
