"""Rights requests and the register of what was done about them."""

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, tenant_table
from coravet.core.privacy.classification import PERSONAL_CLEARED, SENSITIVE_CLEARED
from coravet.core.privacy.model import RightsRequest, RightsRequestStep

_BASES = (
    "basis IN ('legal_duty', 'contract', 'claims', 'public_interest', 'third_parties', 'identity_not_proven',"
    " 'not_clarified')"
)
_OUTCOMES = "outcome IN ('granted', 'partly', 'refused', 'withdrawn')"
_STATUSES = "status IN ('received', 'identified', 'decided', 'executed', 'closed')"
_METHODS = "IN ('document_shown', 'known_in_person', 'confirmed_contact', 'electronic_signature')"

privacy_requests = tenant_table(
    "privacy_requests",
    column("kind", Text),
    column("client_id", UUID, nullable=True),
    column("subject_name", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("subject_contact", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("minor", Boolean),
    column("representative", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("channel", Text),
    column("asked", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("received_at", Instant),
    column("opened_at", Instant),
    column("opened_by", UUID, nullable=True),
    column("due_on", Date),
    column("due_at", Instant),
    column("soon_at", Instant),
    column("due_day_at", Instant),
    column("status", Text),
    column("identity_method", Text, nullable=True),
    column("identified_at", Instant, nullable=True),
    column("clarification_asked_at", Instant, nullable=True),
    column("clarification_until", Date, nullable=True),
    column("clarified_at", Instant, nullable=True),
    column("outcome", Text, nullable=True),
    column("basis", Text, nullable=True),
    column("decided_at", Instant, nullable=True),
    column("executed_at", Instant, nullable=True),
    column("executed_reference", UUID, nullable=True),  # of one of several tables, so that it refers to none
    column("closed_at", Instant, nullable=True),
    column("lifted_at", Instant, nullable=True),
    column("version", Integer),
    # How many of the two reminders were told: written by who tells them, beside all that people change.
    column("reminded", SmallInteger, server_default=text("0")),
    belongs_to("client_id", "clients"),
    belongs_to("opened_by", "members"),
    CheckConstraint(
        "kind IN ('access', 'correction', 'erasure', 'portability', 'objection', 'suspension', 'automated_decision')",
        name="kind",
    ),
    CheckConstraint("channel IN ('in_person', 'phone', 'whatsapp', 'mail', 'letter', 'portal')", name="channel"),
    CheckConstraint(_STATUSES, name="status"),
    CheckConstraint(f"identity_method {_METHODS}", name="identity_method"),
    CheckConstraint(_OUTCOMES, name="outcome"),
    CheckConstraint(_BASES, name="basis"),
    CheckConstraint("executed_at IS NULL OR identified_at IS NOT NULL", name="identity_first"),
    CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_whole"),
    CheckConstraint("reminded BETWEEN 0 AND 2", name="reminded"),
    Index("ix_privacy_requests_client_id", "clinic_id", "client_id"),
    Index("ix_privacy_requests_due", "clinic_id", "due_on", "id"),
    Index("ix_privacy_requests_soon_at", "soon_at", postgresql_where=text("closed_at IS NULL AND reminded < 2")),
)

privacy_request_steps = tenant_table(
    "privacy_request_steps",
    column("request_id", UUID),
    column("step", Text),
    column("status", Text),
    column("at", Instant),
    column("member_id", UUID, nullable=True),
    column("due_on", Date, nullable=True),
    column("method", Text, nullable=True),
    column("outcome", Text, nullable=True),
    column("basis", Text, nullable=True),
    column("reference", UUID, nullable=True),
    column("recipients_told", Boolean, nullable=True),
    column("text", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    belongs_to("request_id", "privacy_requests"),
    belongs_to("member_id", "members"),
    CheckConstraint(
        "step IN ('receive', 'prove_identity', 'ask', 'clarify', 'decide', 'execute', 'close', 'withdraw', 'lift')",
        name="step",
    ),
    CheckConstraint(_STATUSES, name="status"),
    CheckConstraint(f"method {_METHODS}", name="method"),
    CheckConstraint(_OUTCOMES, name="outcome"),
    CheckConstraint(_BASES, name="basis"),
    CheckConstraint("(due_on IS NOT NULL) = (step = 'receive')", name="due_on"),
    Index("ix_privacy_request_steps_request", "clinic_id", "request_id", "at", "id"),
)

mapping.map_imperatively(
    RightsRequest,
    privacy_requests,
    version_id_col=privacy_requests.c.version,
    version_id_generator=False,
    exclude_properties=["reminded"],
)
mapping.map_imperatively(RightsRequestStep, privacy_request_steps)
