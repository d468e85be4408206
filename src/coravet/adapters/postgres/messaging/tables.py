"""Messages, the rules and choices by which they are sent, recalls, and links."""

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
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, metadata, tenant_table
from coravet.core.messaging.model import Choice, Link, Message, Recall
from coravet.core.privacy.classification import FREE_TEXT_CLEARED

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
    column("not_before", Instant, nullable=True),
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
    # Of all clinics together: what the system looks after, which is few of them.
    Index(
        "ix_messages_overdue", text("coalesce(not_before, due_at)"), "id", postgresql_where=text("status = 'planned'")
    ),
    Index("ix_messages_waiting", "starts_at", postgresql_where=text("status = 'waiting'")),
)

recalls = tenant_table(
    "recalls",
    column("patient_id", UUID),
    column("kind", Text),
    column("due_on", Date),
    column("due_at", Instant),
    column("note", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("created_at", Instant),
    column("closed_at", Instant, nullable=True),
    # Of several tables, so that they refer to none.
    column("source_id", UUID, nullable=True),
    column("settled_by", UUID, nullable=True),
    belongs_to("patient_id", "patients"),
    CheckConstraint("kind IN ('vaccine_due', 'deworming_due', 'follow_up')", name="kind"),
    Index("ix_recalls_due_at", "clinic_id", "due_at", "id", postgresql_where=text("closed_at IS NULL")),
    Index("ix_recalls_patient", "clinic_id", "patient_id"),
)

channel_choices = tenant_table(
    "channel_choices",
    column("client_id", UUID),
    column("channel", Text),
    column("allowed", Boolean),
    column("source", Text),
    column("recorded_by", UUID, nullable=True),
    column("chosen_at", Instant),
    belongs_to("client_id", "clients"),
    belongs_to("recorded_by", "members"),
    CheckConstraint("channel IN ('mail', 'whatsapp')", name="channel"),
    CheckConstraint(
        "source IN ('in_person', 'phone', 'whatsapp', 'portal', 'opt_out_link', 'rights_request')", name="source"
    ),
    Index("ix_channel_choices_newest", "clinic_id", "client_id", "channel", "chosen_at", "id"),
)

reminder_rules = Table(
    "reminder_rules",
    metadata,
    column("clinic_id", UUID),
    column("kind", Text),
    column("channel", Text),
    column("minutes_before", Integer),
    column("enabled", Boolean),
    PrimaryKeyConstraint("clinic_id", "kind", "channel", "minutes_before"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    CheckConstraint("kind IN ('visit_reminder', 'vaccine_due', 'deworming_due', 'follow_up')", name="kind"),
    CheckConstraint("channel IN ('mail', 'whatsapp')", name="channel"),
    CheckConstraint("minutes_before BETWEEN 0 AND 527040", name="minutes_before"),
)

quiet_hours = Table(
    "quiet_hours",
    metadata,
    column("clinic_id", UUID),
    column("begins", Time),
    column("ends", Time),
    PrimaryKeyConstraint("clinic_id"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
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
    CheckConstraint("purpose IN ('see', 'confirm', 'reschedule', 'cancel', 'accept_offer', 'opt_out')", name="purpose"),
    Index("ix_links_token_hash", "token_hash"),
    Index("ix_links_subject", "clinic_id", "subject_id"),
)

mapping.map_imperatively(Message, messages, exclude_properties=["created_at"])
mapping.map_imperatively(Recall, recalls)
mapping.map_imperatively(Choice, channel_choices)
mapping.map_imperatively(Link, links, exclude_properties=["created_at"])
