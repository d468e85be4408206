"""Clients, patients and parties."""

from sqlalchemy import CheckConstraint, Date, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, tenant_table
from coravet.core.patients.model import Client, Party, Patient
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
)

mapping.map_imperatively(Client, clients, version_id_col=clients.c.version, version_id_generator=False)
mapping.map_imperatively(Patient, patients, version_id_col=patients.c.version, version_id_generator=False)
mapping.map_imperatively(Party, parties)
