"""Encounters, their notes and addenda, weights, problems and templates of notes."""

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, Numeric, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from coravet.adapters.postgres.patients.tables import SPECIES
from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, tenant_table
from coravet.core.privacy.classification import (
    PERSONAL_CLEARED,
    PERSONAL_REPLACED,
    SENSITIVE_CLEARED,
    SENSITIVE_REPLACED,
)
from coravet.core.records.model import Addendum, Encounter, NoteTemplate, Problem, ProblemChange, SetAside, Weight

VOIDED_WHOLE = "num_nulls(voided_at, void_reason) IN (0, 2) AND (voided_at IS NOT NULL OR voided_by IS NULL)"

encounters = tenant_table(
    "encounters",
    column("patient_id", UUID),
    column("appointment_id", UUID, nullable=True),
    column("opened_by", UUID, nullable=True),
    column("started_at", Instant),
    column("reason", Text, privacy=SENSITIVE_REPLACED),
    column("created_at", Instant),
    column("subjective", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("objective", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("assessment", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("plan", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("weight_kg", Numeric(7, 3), nullable=True),
    column("temperature_c", Numeric(4, 1), nullable=True),
    column("heart_rate", SmallInteger, nullable=True),
    column("respiratory_rate", SmallInteger, nullable=True),
    column("body_condition", SmallInteger, nullable=True),
    column("pain", SmallInteger, nullable=True),
    column("mucous_membranes", Text, nullable=True),
    column("capillary_refill_seconds", Numeric(3, 1), nullable=True),
    column("editor_id", UUID, nullable=True),
    column("editor_sequences", JSONB(none_as_null=True), nullable=True),
    column("editor_base", Integer, nullable=True),
    column("signed_at", Instant, nullable=True),
    column("signed_by", UUID, nullable=True),
    column("signer_name", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("registration_number", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("digest", BYTEA, nullable=True),
    column("voided_at", Instant, nullable=True),
    column("voided_by", UUID, nullable=True),
    column("void_reason", Text, nullable=True, privacy=SENSITIVE_REPLACED),
    column("version", Integer),
    belongs_to("patient_id", "patients"),
    belongs_to("appointment_id", "appointments"),
    belongs_to("opened_by", "members"),
    belongs_to("signed_by", "members"),
    belongs_to("voided_by", "members"),
    CheckConstraint("weight_kg > 0", name="weight"),
    CheckConstraint("temperature_c BETWEEN 15 AND 50", name="temperature"),
    CheckConstraint("heart_rate BETWEEN 0 AND 1500", name="heart_rate"),
    CheckConstraint("respiratory_rate BETWEEN 0 AND 600", name="respiratory_rate"),
    CheckConstraint("body_condition BETWEEN 1 AND 9", name="body_condition"),
    CheckConstraint("pain BETWEEN 0 AND 10", name="pain"),
    CheckConstraint(
        "mucous_membranes IN ('pink', 'pale', 'white', 'injected', 'icteric', 'cyanotic', 'muddy')",
        name="mucous_membranes",
    ),
    CheckConstraint("capillary_refill_seconds BETWEEN 0 AND 20", name="capillary_refill"),
    CheckConstraint("num_nulls(editor_id, editor_sequences, editor_base) IN (0, 3)", name="editor_whole"),
    CheckConstraint(
        "num_nulls(signed_at, signed_by, signer_name, registration_number, digest) IN (0, 5)", name="signature_whole"
    ),
    CheckConstraint(VOIDED_WHOLE, name="voided_whole"),
    Index("ix_encounters_patient", "clinic_id", "patient_id", "started_at", "id"),
    Index(
        "ix_encounters_unsigned",
        "clinic_id",
        "started_at",
        "id",
        postgresql_where=text("signed_at IS NULL AND voided_at IS NULL"),
    ),
    Index(
        "uq_encounters_appointment",
        "clinic_id",
        "appointment_id",
        unique=True,
        postgresql_where=text("appointment_id IS NOT NULL AND voided_at IS NULL"),
    ),
)

set_aside_notes = tenant_table(
    "set_aside_notes",
    column("encounter_id", UUID),
    column("member_id", UUID, nullable=True),
    column("written_from", Integer),
    column("subjective", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("objective", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("assessment", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("plan", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("digest", BYTEA),
    column("set_aside_at", Instant),
    column("dismissed_at", Instant, nullable=True),
    column("dismissed_by", UUID, nullable=True),
    belongs_to("encounter_id", "encounters"),
    belongs_to("member_id", "members"),
    belongs_to("dismissed_by", "members"),
    Index(
        "uq_set_aside_notes_text",
        "clinic_id",
        "encounter_id",
        "digest",
        unique=True,
        postgresql_where=text("dismissed_at IS NULL"),
    ),
)

addenda = tenant_table(
    "addenda",
    column("encounter_id", UUID),
    column("text", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("member_id", UUID),
    column("author_name", Text, privacy=PERSONAL_REPLACED),
    column("registration_number", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("added_at", Instant),
    belongs_to("encounter_id", "encounters"),
    belongs_to("member_id", "members"),
    Index("ix_addenda_encounter", "clinic_id", "encounter_id", "added_at"),
)

weights = tenant_table(
    "weights",
    column("patient_id", UUID),
    column("weight_kg", Numeric(7, 3)),
    column("weighed_at", Instant),
    column("weighed_by", UUID, nullable=True),
    column("created_at", Instant),
    column("voided_at", Instant, nullable=True),
    column("voided_by", UUID, nullable=True),
    column("void_reason", Text, nullable=True, privacy=SENSITIVE_REPLACED),
    belongs_to("patient_id", "patients"),
    belongs_to("weighed_by", "members"),
    belongs_to("voided_by", "members"),
    CheckConstraint("weight_kg > 0", name="weight"),
    CheckConstraint(VOIDED_WHOLE, name="voided_whole"),
    Index("ix_weights_patient", "clinic_id", "patient_id", "weighed_at", "id"),
)

problems = tenant_table(
    "problems",
    column("patient_id", UUID),
    column("name", Text, privacy=SENSITIVE_REPLACED),
    column("status", Text),
    column("certainty", Text),
    column("onset_on", Date, nullable=True),
    column("resolved_on", Date, nullable=True),
    column("created_at", Instant),
    column("version", Integer),
    belongs_to("patient_id", "patients"),
    CheckConstraint("status IN ('active', 'resolved', 'ruled_out')", name="status"),
    CheckConstraint("certainty IN ('suspected', 'confirmed')", name="certainty"),
    CheckConstraint("onset_on <= resolved_on", name="in_order"),
    Index("ix_problems_patient", "clinic_id", "patient_id", "created_at", "id"),
)

problem_changes = tenant_table(
    "problem_changes",
    column("problem_id", UUID),
    column("encounter_id", UUID, nullable=True),
    column("member_id", UUID, nullable=True),
    column("at", Instant),
    column("name", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("status", Text),
    column("certainty", Text),
    column("onset_on", Date, nullable=True),
    column("resolved_on", Date, nullable=True),
    belongs_to("problem_id", "problems"),
    belongs_to("encounter_id", "encounters"),
    belongs_to("member_id", "members"),
    Index("ix_problem_changes_problem", "clinic_id", "problem_id", "at"),
    Index(
        "ix_problem_changes_encounter", "clinic_id", "encounter_id", postgresql_where=text("encounter_id IS NOT NULL")
    ),
)

note_templates = tenant_table(
    "note_templates",
    column("name", Text),
    column("species", Text, nullable=True),
    column("reason", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("subjective", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("objective", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("assessment", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("plan", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("active", Boolean),
    column("version", Integer),
    CheckConstraint(f"species IN ({SPECIES})", name="species"),
    Index("ix_note_templates_name", "clinic_id", "name", "id"),
)

mapping.map_imperatively(Encounter, encounters, version_id_col=encounters.c.version, version_id_generator=False)
mapping.map_imperatively(SetAside, set_aside_notes)
mapping.map_imperatively(Addendum, addenda)
mapping.map_imperatively(Weight, weights)
mapping.map_imperatively(Problem, problems, version_id_col=problems.c.version, version_id_generator=False)
mapping.map_imperatively(ProblemChange, problem_changes)
mapping.map_imperatively(
    NoteTemplate, note_templates, version_id_col=note_templates.c.version, version_id_generator=False
)
