"""Files that clinics were handed, and the objects that were made of each."""

from sqlalchemy import CheckConstraint, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, metadata, tenant_table
from coravet.core.media.model import Media
from coravet.core.privacy.classification import (
    FREE_TEXT_CLEARED,
    PERSONAL_CLEARED,
    PERSONAL_DELETED,
    SENSITIVE_REPLACED,
)

media = tenant_table(
    "media",
    column("purpose", Text),
    column("patient_id", UUID),
    column("encounter_id", UUID, nullable=True),
    column("status", Text),
    column("file_name", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("size", Integer),
    column("sha256", Text),
    column("received", Integer),
    column("uploaded_by", UUID, nullable=True),
    column("created_at", Instant),
    # A blurred picture, in which somebody may be seen all the same.
    column("placeholder", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("problem", Text, nullable=True),
    column("ready_at", Instant, nullable=True),
    column("removed_at", Instant, nullable=True),
    column("voided_at", Instant, nullable=True),
    column("voided_by", UUID, nullable=True),
    column("void_reason", Text, nullable=True, privacy=SENSITIVE_REPLACED),
    column("version", Integer),
    belongs_to("patient_id", "patients"),
    belongs_to("encounter_id", "encounters"),
    belongs_to("uploaded_by", "members"),
    belongs_to("voided_by", "members"),
    Index("ix_media_patient_id", "clinic_id", "patient_id", "created_at"),
    Index(
        "ix_media_attachments",
        "clinic_id",
        "patient_id",
        "created_at",
        "id",
        postgresql_where=text("purpose = 'attachment' AND status = 'ready' AND removed_at IS NULL"),
    ),
    Index("ix_media_encounter_id", "clinic_id", "encounter_id", postgresql_where=text("encounter_id IS NOT NULL")),
    # One photo of a patient shows; what stood there before is removed with the step that replaces it.
    Index(
        "uq_media_photo",
        "clinic_id",
        "patient_id",
        unique=True,
        postgresql_where=text("purpose = 'photo' AND status = 'ready' AND removed_at IS NULL"),
    ),
    Index("ix_media_unfinished", "created_at", postgresql_where=text("status IN ('uploading', 'processing')")),
    CheckConstraint("purpose IN ('photo', 'attachment')", name="purpose"),
    CheckConstraint("status IN ('uploading', 'processing', 'ready', 'failed')", name="status"),
    CheckConstraint("received BETWEEN 0 AND size", name="received"),
    CheckConstraint("(status = 'ready') = (ready_at IS NOT NULL)", name="ready_at"),
    CheckConstraint("(status = 'failed') = (problem IS NOT NULL)", name="problem"),
    CheckConstraint("purpose = 'attachment' OR encounter_id IS NULL", name="encounter"),
    CheckConstraint("num_nulls(voided_at, void_reason) IN (0, 2)", name="voided"),
    CheckConstraint("voided_at IS NOT NULL OR voided_by IS NULL", name="voided_by"),
    CheckConstraint("voided_at IS NULL OR (purpose = 'attachment' AND status = 'ready')", name="voided_attachment"),
)

media_variants = tenant_table(
    "media_variants",
    column("media_id", UUID),
    column("variant", Text),
    # Of the object in the store, which knows no names.
    column("key", Text, privacy=PERSONAL_DELETED),
    column("media_type", Text),
    column("size", Integer),
    column("width", Integer, nullable=True),
    column("height", Integer, nullable=True),
    belongs_to("media_id", "media"),
    UniqueConstraint("clinic_id", "media_id", "variant", name="uq_media_variants_variant"),
    CheckConstraint("variant IN ('thumbnail', 'card', 'full', 'original')", name="variant"),
    Index("ix_media_variants_key", "clinic_id", "key"),
)

discarded_objects = Table(
    "discarded_objects",
    metadata,
    # Which says the clinic, that may be gone by now.
    column("key", Text, primary_key=True),
    column("discarded_at", Instant, server_default=text("now()")),
)

mapping.map_imperatively(Media, media)
