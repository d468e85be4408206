"""Services, resources, hours, visits and the time they hold."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Computed,
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
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, TSTZRANGE, UUID, ExcludeConstraint

from coravet.adapters.postgres.patients.tables import SPECIES
from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, metadata, tenant_table
from coravet.core.privacy.classification import FREE_TEXT_CLEARED, PERSONAL_CLEARED, PERSONAL_REPLACED
from coravet.core.scheduling.model import (
    Allocation,
    Appointment,
    CalendarFeed,
    Closure,
    GuestRequest,
    Hold,
    Resource,
    Service,
    Transition,
    WaitlistEntry,
)

ROOM_KINDS = "'consultation', 'surgery', 'hospitalization', 'imaging', 'grooming', 'isolation'"

services = tenant_table(
    "services",
    column("name", Text),
    column("duration_minutes", Integer),
    column("buffer_before_minutes", Integer),
    column("buffer_after_minutes", Integer),
    column("bookable_online", Boolean),
    column("color", Text, nullable=True),
    column("species", ARRAY(Text), server_default=text("'{}'")),
    column("room_kind", Text, nullable=True),
    column("minimum_notice_minutes", Integer, server_default=text("60")),
    column("horizon_days", Integer, server_default=text("60")),
    column("guest_needs_confirmation", Boolean, server_default=text("true")),
    column("guest_cutoff_minutes", Integer, server_default=text("120")),
    column("active", Boolean),
    column("version", Integer),
    CheckConstraint("duration_minutes BETWEEN 5 AND 1440", name="duration"),
    CheckConstraint("buffer_before_minutes BETWEEN 0 AND 480", name="buffer_before"),
    CheckConstraint("buffer_after_minutes BETWEEN 0 AND 480", name="buffer_after"),
    CheckConstraint(f"species <@ ARRAY[{SPECIES}]", name="species"),
    CheckConstraint(f"room_kind IN ({ROOM_KINDS})", name="room_kind"),
    CheckConstraint("minimum_notice_minutes BETWEEN 0 AND 43200", name="minimum_notice"),
    CheckConstraint("horizon_days BETWEEN 0 AND 730", name="horizon"),
    CheckConstraint("guest_cutoff_minutes BETWEEN 0 AND 43200", name="guest_cutoff"),
)

resources = tenant_table(
    "resources",
    column("kind", Text),
    column("name", Text, privacy=PERSONAL_REPLACED),  # of a vet
    column("member_id", UUID, nullable=True),
    column("room_kind", Text, nullable=True),
    column("active", Boolean),
    column("version", Integer),
    belongs_to("member_id", "members"),
    CheckConstraint("kind IN ('vet', 'room', 'equipment')", name="kind"),
    CheckConstraint(f"room_kind IN ({ROOM_KINDS})", name="room_kind"),
    CheckConstraint("room_kind IS NULL OR kind = 'room'", name="room_kind_of_room"),
)

service_resources = Table(
    "service_resources",
    metadata,
    column("clinic_id", UUID),
    column("service_id", UUID),
    column("resource_id", UUID),
    PrimaryKeyConstraint("clinic_id", "service_id", "resource_id"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    belongs_to("service_id", "services"),
    belongs_to("resource_id", "resources"),
)

hours = Table(
    "hours",
    metadata,
    column("clinic_id", UUID),
    column("resource_id", UUID),
    column("weekday", SmallInteger),
    column("opens", Time),
    column("closes", Time),
    # Infinite where there is no limit, so that the first day can be a part of the key and a window is two comparisons.
    column("valid_from", Date, server_default=text("'-infinity'")),
    column("valid_until", Date, server_default=text("'infinity'")),
    PrimaryKeyConstraint("clinic_id", "resource_id", "weekday", "opens", "valid_from"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    belongs_to("resource_id", "resources"),
    CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
    CheckConstraint("valid_from <= valid_until", name="validity"),
)

exceptions = Table(
    "exceptions",
    metadata,
    column("clinic_id", UUID),
    column("resource_id", UUID),
    column("day", Date),
    column("opens", ARRAY(Time)),
    column("closes", ARRAY(Time)),
    column("reason", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    PrimaryKeyConstraint("clinic_id", "resource_id", "day"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    belongs_to("resource_id", "resources"),
    CheckConstraint("cardinality(opens) = cardinality(closes)", name="spans"),
)

closures = tenant_table(
    "closures",
    column("starts_on", Date),
    column("ends_on", Date),
    column("from_time", Time, nullable=True),
    column("to_time", Time, nullable=True),
    column("resource_id", UUID, nullable=True),
    column("reason", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("holiday", Boolean),
    column("version", Integer),
    belongs_to("resource_id", "resources"),
    CheckConstraint("starts_on <= ends_on", name="days"),
    CheckConstraint("starts_on < ends_on OR to_time IS NULL OR coalesce(from_time, '00:00') < to_time", name="times"),
    Index("ix_closures_ends_on", "clinic_id", "ends_on"),
)

appointments = tenant_table(
    "appointments",
    column("service_id", UUID),
    column("patient_id", UUID),
    column("client_id", UUID),
    column("status", Text),
    column("starts_at", Instant),
    column("ends_at", Instant),
    column("reason", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("source", Text),
    column("lane", SmallInteger),
    column("cancel_reason", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("rescheduled_from_id", UUID, nullable=True),
    column("version", Integer),
    column("created_at", Instant),
    column("previous_status", Text, nullable=True),
    column("status_since", Instant),
    column("checked_in_at", Instant, nullable=True),
    column("superseded_by_id", UUID, nullable=True),
    belongs_to("service_id", "services"),
    belongs_to("patient_id", "patients"),
    belongs_to("client_id", "clients"),
    belongs_to("rescheduled_from_id", "appointments"),
    belongs_to("superseded_by_id", "appointments"),
    CheckConstraint("superseded_by_id IS NULL OR status = 'cancelled'", name="superseded"),
    CheckConstraint(
        "status IN ('requested', 'confirmed', 'checked_in', 'in_exam', 'ready', 'completed', 'cancelled', 'no_show')",
        name="status",
    ),
    CheckConstraint("source IN ('staff', 'portal', 'walk_in')", name="source"),
    CheckConstraint("starts_at < ends_at", name="in_order"),
    CheckConstraint("lane >= 0", name="lane"),
    Index("ix_appointments_starts_at", "clinic_id", "starts_at"),
    Index("ix_appointments_patient", "clinic_id", "patient_id", "starts_at"),
    Index("ix_appointments_client_id", "clinic_id", "client_id"),
    Index(
        "ix_appointments_rescheduled_from_id",
        "clinic_id",
        "rescheduled_from_id",
        postgresql_where=text("rescheduled_from_id IS NOT NULL"),
    ),
    Index(
        "ix_appointments_superseded_by_id",
        "clinic_id",
        "superseded_by_id",
        postgresql_where=text("superseded_by_id IS NOT NULL"),
    ),
)

appointment_transitions = tenant_table(
    "appointment_transitions",
    column("appointment_id", UUID),
    column("step", Text),
    column("from_status", Text, nullable=True),
    column("to_status", Text),
    column("starts_at", Instant),
    column("at", Instant),
    column("by", Text),
    column("user_id", UUID, nullable=True),
    column("reason", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    belongs_to("appointment_id", "appointments"),
    ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="RESTRICT"),
    CheckConstraint("by IN ('staff', 'guest', 'system')", name="by"),
    Index("ix_appointment_transitions_appointment", "clinic_id", "appointment_id", "at"),
)

holds = tenant_table(
    "holds",
    column("service_id", UUID),
    column("kind", Text),
    column("starts_at", Instant),
    column("ends_at", Instant),
    column("expires_at", Instant),
    column("token_hash", BYTEA, nullable=True),
    column("created_at", Instant),
    column("released_at", Instant, nullable=True),
    belongs_to("service_id", "services"),
    CheckConstraint("kind IN ('guest', 'offer')", name="kind"),
    CheckConstraint("starts_at < ends_at", name="in_order"),
    UniqueConstraint("clinic_id", "token_hash", name="uq_holds_token_hash"),
    Index("ix_holds_token_hash", "token_hash", postgresql_where=text("token_hash IS NOT NULL")),
)

guest_requests = tenant_table(
    "guest_requests",
    column("appointment_id", UUID),
    column("given_name", Text, privacy=PERSONAL_REPLACED),
    column("family_name", Text, privacy=PERSONAL_REPLACED),
    column("phone", Text, privacy=PERSONAL_REPLACED),
    column("email", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("patient_name", Text, privacy=PERSONAL_REPLACED),
    column("species", Text),
    column("accepted_slug", Text),
    column("accepted_version", Text),
    column("accepted_locale", Text),
    column("accepted_sha256", Text),
    column("created_at", Instant),
    belongs_to("appointment_id", "appointments"),
    UniqueConstraint("clinic_id", "appointment_id", name="uq_guest_requests_appointment"),
)

allocations = tenant_table(
    "allocations",
    column("appointment_id", UUID, nullable=True),
    column("hold_id", UUID, nullable=True),
    column("expires_at", Instant, nullable=True),
    column("resource_id", UUID),
    column("lane", SmallInteger),
    column("starts_at", Instant),
    column("ends_at", Instant),
    column("during", TSTZRANGE, Computed("tstzrange(starts_at, ends_at, '[)')", persisted=True)),
    column("released_at", Instant, nullable=True),
    belongs_to("appointment_id", "appointments"),
    belongs_to("hold_id", "holds"),
    belongs_to("resource_id", "resources"),
    CheckConstraint("num_nonnulls(appointment_id, hold_id) = 1", name="one_holder"),
    CheckConstraint("(hold_id IS NULL) = (expires_at IS NULL)", name="holds_expire"),
    CheckConstraint("starts_at < ends_at", name="in_order"),
    CheckConstraint("lane >= 0", name="lane"),
    # The longest visit and its buffers are 40 hours. Whoever looks for what overlaps a window counts on it.
    CheckConstraint("ends_at - starts_at <= interval '2 days'", name="length"),
    ExcludeConstraint(
        (text("clinic_id"), "="),
        (text("resource_id"), "="),
        (text("lane"), "="),
        (text("during"), "&&"),
        where=text("released_at IS NULL"),
        using="gist",
        name="ex_allocations_slot",
    ),
    Index("ix_allocations_appointment", "clinic_id", "appointment_id"),
    Index("ix_allocations_hold", "clinic_id", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
    Index(
        "ix_allocations_expiring",
        "clinic_id",
        "resource_id",
        "expires_at",
        postgresql_where=text("released_at IS NULL AND expires_at IS NOT NULL"),
    ),
    Index("ix_allocations_held", "clinic_id", "resource_id", "ends_at", postgresql_where=text("released_at IS NULL")),
)

calendar_feeds = tenant_table(
    "calendar_feeds",
    column("resource_id", UUID),
    column("member_id", UUID),
    column("token_hash", BYTEA),
    column("created_at", Instant),
    column("revoked_at", Instant, nullable=True),
    belongs_to("resource_id", "resources"),
    belongs_to("member_id", "members"),
    Index("ix_calendar_feeds_token_hash", "token_hash"),
    Index(
        "uq_calendar_feeds_resource",
        "clinic_id",
        "resource_id",
        unique=True,
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

waitlist = tenant_table(
    "waitlist",
    column("service_id", UUID),
    column("patient_id", UUID),
    column("client_id", UUID),
    column("resource_ids", ARRAY(UUID)),
    column("weekdays", ARRAY(SmallInteger)),
    column("from_date", Date),
    column("to_date", Date),
    column("from_time", Time, nullable=True),
    column("to_time", Time, nullable=True),
    column("note", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("created_at", Instant),
    column("status", Text),
    column("hold_id", UUID, nullable=True),
    column("appointment_id", UUID, nullable=True),
    column("offered_at", Instant, nullable=True),
    column("offers", Integer),
    column("refused", ARRAY(UUID)),
    column("version", Integer),
    belongs_to("service_id", "services"),
    belongs_to("patient_id", "patients"),
    belongs_to("client_id", "clients"),
    belongs_to("hold_id", "holds"),
    belongs_to("appointment_id", "appointments"),
    CheckConstraint("status IN ('waiting', 'offered', 'booked', 'left', 'expired')", name="status"),
    CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}'::smallint[]", name="weekdays"),
    CheckConstraint("from_date <= to_date", name="in_order"),
    CheckConstraint("(hold_id IS NOT NULL) = (status IN ('offered', 'booked'))", name="held"),
    CheckConstraint("(appointment_id IS NOT NULL) = (status = 'booked')", name="booked"),
    Index("ix_waitlist_turn", "clinic_id", "created_at", "id"),
    Index("ix_waitlist_waiting", "clinic_id", "created_at", "id", postgresql_where=text("status = 'waiting'")),
    Index("ix_waitlist_hold", "clinic_id", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
)

mapping.map_imperatively(Service, services, version_id_col=services.c.version, version_id_generator=False)
mapping.map_imperatively(Resource, resources, version_id_col=resources.c.version, version_id_generator=False)
mapping.map_imperatively(Closure, closures, version_id_col=closures.c.version, version_id_generator=False)
mapping.map_imperatively(Appointment, appointments, version_id_col=appointments.c.version, version_id_generator=False)
mapping.map_imperatively(Transition, appointment_transitions)
mapping.map_imperatively(Hold, holds)
mapping.map_imperatively(GuestRequest, guest_requests)
mapping.map_imperatively(Allocation, allocations, exclude_properties=["during"])
mapping.map_imperatively(CalendarFeed, calendar_feeds)
mapping.map_imperatively(WaitlistEntry, waitlist, version_id_col=waitlist.c.version, version_id_generator=False)
