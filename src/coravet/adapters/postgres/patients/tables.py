"""Clients, patients and parties."""

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, tenant_table
from coravet.core.patients.model import Alert, Client, Death, Identifier, Party, Patient
from coravet.core.privacy.classification import (
    FREE_TEXT_CLEARED,
    FREE_TEXT_REPLACED,
    PERSONAL_CLEARED,
    PERSONAL_REPLACED,
)

clients = tenant_table(
    "clients",
    column("given_name", Text, privacy=PERSONAL_REPLACED),
    column("family_name", Text, privacy=PERSONAL_REPLACED),
    column("document_type", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("document_number", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("phone", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("email", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("search_key", Text, privacy=PERSONAL_REPLACED),
    column("version", Integer),
    column("created_at", Instant),
    CheckConstraint("document_type IN ('cedula', 'ruc', 'passport')", name="document_type"),
    CheckConstraint("(document_type IS NULL) = (document_number IS NULL)", name="document_whole"),
    Index(
        "uq_clients_document",
        "clinic_id",
        "document_type",
        "document_number",
        unique=True,
        postgresql_where=text("document_number IS NOT NULL"),
    ),
    Index("ix_clients_family_name", "clinic_id", "family_name", "id"),
    Index("ix_clients_phone", "clinic_id", "phone", postgresql_where=text("phone IS NOT NULL")),
)

patients = tenant_table(
    "patients",
    column("name", Text),
    column("species", Text),
    column("breed", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("sex", Text),
    column("reproductive_status", Text),
    column("birth_date", Date, nullable=True),
    column("birth_date_precision", Text, nullable=True),
    column("deceased_on", Date, nullable=True),
    column("breed_code", Text, nullable=True),
    column("color", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("search_key", Text, privacy=FREE_TEXT_REPLACED),  # it holds the breed, too
    column("version", Integer),
    column("created_at", Instant),
    CheckConstraint(
        "species IN ('dog', 'cat', 'rabbit', 'bird', 'horse', 'cow', 'pig', 'reptile', 'other')", name="species"
    ),
    CheckConstraint("sex IN ('male', 'female', 'unknown')", name="sex"),
    CheckConstraint("reproductive_status IN ('intact', 'neutered', 'unknown')", name="reproductive_status"),
    CheckConstraint("birth_date_precision IN ('day', 'month', 'year', 'estimated')", name="birth_date_precision"),
    CheckConstraint("(birth_date IS NULL) = (birth_date_precision IS NULL)", name="birth_date_whole"),
    Index("ix_patients_name", "clinic_id", "name", "id"),
)

parties = tenant_table(
    "parties",
    column("patient_id", UUID),
    column("client_id", UUID),
    column("role", Text),
    column("since", Instant),
    column("may_consent", Boolean),
    column("until", Instant, nullable=True),
    belongs_to("patient_id", "patients"),
    belongs_to("client_id", "clients"),
    CheckConstraint("role IN ('owner', 'co_owner', 'caretaker')", name="role"),
    CheckConstraint("since <= until", name="in_order"),
    Index(
        "uq_parties_owner",
        "clinic_id",
        "patient_id",
        unique=True,
        postgresql_where=text("role = 'owner' AND until IS NULL"),
    ),
    Index("ix_parties_client_id", "clinic_id", "client_id"),
    Index("ix_parties_patient", "clinic_id", "patient_id", "since", "id"),
)

identifiers = tenant_table(
    "identifiers",
    column("patient_id", UUID),
    column("kind", Text),
    column("value", Text, privacy=PERSONAL_REPLACED),  # registers lead from it to the owner
    column("value_key", Text, privacy=PERSONAL_REPLACED),
    column("since", Instant),
    column("until", Instant, nullable=True),
    belongs_to("patient_id", "patients"),
    CheckConstraint("kind IN ('iso_chip', 'legacy_chip', 'tattoo', 'tag', 'municipal')", name="kind"),
    CheckConstraint("kind <> 'iso_chip' OR value_key ~ '^[0-9]{15}$'", name="iso_chip"),
    CheckConstraint("since <= until", name="in_order"),
    # Chips alone are one of a kind; a tag may hang on two collars. Beyond the clinic this would tell of others.
    Index(
        "uq_identifiers_chip",
        "clinic_id",
        "value_key",
        unique=True,
        postgresql_where=text("kind IN ('iso_chip', 'legacy_chip') AND until IS NULL"),
    ),
    Index(
        "uq_identifiers_patient",
        "clinic_id",
        "patient_id",
        "kind",
        "value_key",
        unique=True,
        postgresql_where=text("until IS NULL"),
    ),
    Index("ix_identifiers_patient", "clinic_id", "patient_id", "since", "id"),
)

alerts = tenant_table(
    "alerts",
    column("patient_id", UUID),
    column("moment", Text),
    column("text", Text, privacy=FREE_TEXT_REPLACED),
    column("expires_on", Date, nullable=True),
    column("expires_at", Instant, nullable=True),
    column("created_at", Instant),
    column("created_by", UUID, nullable=True),
    column("ended_at", Instant, nullable=True),
    column("ended_by", UUID, nullable=True),
    belongs_to("patient_id", "patients"),
    belongs_to("created_by", "members"),
    belongs_to("ended_by", "members"),
    CheckConstraint("moment IN ('booking', 'check_in', 'exam')", name="moment"),
    CheckConstraint("(expires_on IS NULL) = (expires_at IS NULL)", name="expiry_whole"),
    Index(
        "ix_alerts_patient", "clinic_id", "patient_id", "created_at", "id", postgresql_where=text("ended_at IS NULL")
    ),
)

deaths = tenant_table(
    "deaths",
    column("patient_id", UUID),
    column("step", Text),
    column("deceased_on", Date, nullable=True),
    column("at", Instant),
    column("recorded_by", UUID, nullable=True),
    column("visits", Integer),
    column("waitlist_entries", Integer),
    column("recalls", Integer),
    column("messages", Integer),
    belongs_to("patient_id", "patients"),
    belongs_to("recorded_by", "members"),
    CheckConstraint("step IN ('recorded', 'corrected', 'revoked')", name="step"),
    CheckConstraint("(deceased_on IS NULL) = (step = 'revoked')", name="day_whole"),
    Index("ix_deaths_patient", "clinic_id", "patient_id", "at", "id"),
)

mapping.map_imperatively(Client, clients, version_id_col=clients.c.version, version_id_generator=False)
mapping.map_imperatively(Patient, patients, version_id_col=patients.c.version, version_id_generator=False)
mapping.map_imperatively(Party, parties)
mapping.map_imperatively(Identifier, identifiers)
mapping.map_imperatively(Alert, alerts)
mapping.map_imperatively(Death, deaths)
