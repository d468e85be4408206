"""Immunizations, dewormings, prescriptions, allergies, and the protocols that they follow."""

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from coravet.adapters.postgres.patients.tables import SPECIES
from coravet.adapters.postgres.records.tables import VOIDED_WHOLE
from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, metadata, tenant_table
from coravet.core.privacy.classification import (
    FREE_TEXT_CLEARED,
    FREE_TEXT_CUT,
    PERSONAL_REPLACED,
    SENSITIVE_CLEARED,
    SENSITIVE_REPLACED,
)
from coravet.core.records.treatments import Allergy, Deworming, Immunization, Prescription, PrescriptionItem

AMOUNT = Numeric(13, 3)
KILOGRAMS = Numeric(7, 3)

_ROUTES = (
    "route IN ('oral', 'subcutaneous', 'intramuscular', 'intravenous', 'intradermal', 'intranasal', 'inhaled',"
    " 'ophthalmic', 'otic', 'rectal', 'spot_on', 'topical', 'other')"
)


def _void() -> list[object]:
    """What marks a row as entered in error; each table its own columns."""
    return [
        column("voided_at", Instant, nullable=True),
        column("voided_by", UUID, nullable=True),
        column("void_reason", Text, nullable=True, privacy=SENSITIVE_REPLACED),
        belongs_to("voided_by", "members"),
        CheckConstraint(VOIDED_WHOLE, name="voided_whole"),
    ]


def _of_patient() -> list[object]:
    """Whom it concerns, and in which visit."""
    return [
        column("patient_id", UUID),
        column("encounter_id", UUID, nullable=True),
        belongs_to("patient_id", "patients"),
        belongs_to("encounter_id", "encounters"),
    ]


def _given() -> list[object]:
    """What immunizations and dewormings have in common."""
    return [
        column("lot_number", Text, nullable=True, privacy=FREE_TEXT_CUT),
        column("lot_expires_on", Date, nullable=True),
        column("route", Text, nullable=True),
        column("administered_at", Instant),
        column("next_due_on", Date, nullable=True),
        column("due_days", ARRAY(Date)),
        column("source", Text),
        column("vet_id", UUID, nullable=True),
        column("vet_name", Text, nullable=True, privacy=PERSONAL_REPLACED),
        column("registration_number", Text, nullable=True, privacy=PERSONAL_REPLACED),
        column("given_by", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
        column("recorded_at", Instant),
        column("recorded_by", UUID, nullable=True),
        belongs_to("vet_id", "members"),
        belongs_to("recorded_by", "members"),
        CheckConstraint("source IN ('here', 'external')", name="source"),
        CheckConstraint(
            "(source = 'here') = (vet_id IS NOT NULL) AND (vet_id IS NULL) = (vet_name IS NULL)"
            " AND (vet_id IS NOT NULL OR registration_number IS NULL)",
            name="given_by_whom",
        ),
        CheckConstraint("source = 'external' OR given_by IS NULL", name="given_elsewhere"),
        CheckConstraint(_ROUTES, name="route"),
    ]


def _in_visits(table: str) -> Index:
    """Leads from a visit to its rows."""
    return Index(
        f"ix_{table}_encounter_id", "clinic_id", "encounter_id", postgresql_where=text("encounter_id IS NOT NULL")
    )


immunizations = tenant_table(
    "immunizations",
    *_of_patient(),
    column("vaccine", Text, privacy=FREE_TEXT_CUT),
    column("covers", ARRAY(Text)),
    column("manufacturer", Text, nullable=True, privacy=FREE_TEXT_CUT),
    column("dose", Text, nullable=True, privacy=FREE_TEXT_CUT),
    column("site", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    *_given(),
    *_void(),
    CheckConstraint("cardinality(covers) > 0 AND cardinality(due_days) = cardinality(covers)", name="covers"),
    Index("ix_immunizations_patient", "clinic_id", "patient_id", "administered_at", "id"),
    _in_visits("immunizations"),
)

dewormings = tenant_table(
    "dewormings",
    *_of_patient(),
    column("product", Text, privacy=FREE_TEXT_CUT),
    column("active_substances", ARRAY(Text)),
    column("target", Text),
    column("dose", AMOUNT, nullable=True),
    column("dose_unit", Text, nullable=True, privacy=FREE_TEXT_CUT),
    column("weight_kg", KILOGRAMS, nullable=True),
    *_given(),
    *_void(),
    CheckConstraint("target IN ('internal', 'external', 'both')", name="target"),
    CheckConstraint("cardinality(due_days) = CASE target WHEN 'both' THEN 2 ELSE 1 END", name="due_days"),
    CheckConstraint("(dose IS NULL) = (dose_unit IS NULL)", name="dose_whole"),
    CheckConstraint("dose > 0 AND weight_kg > 0", name="amounts"),
    Index("ix_dewormings_patient", "clinic_id", "patient_id", "administered_at", "id"),
    _in_visits("dewormings"),
)

prescriptions = tenant_table(
    "prescriptions",
    *_of_patient(),
    column("vet_id", UUID),
    column("vet_name", Text, privacy=PERSONAL_REPLACED),
    column("registration_number", Text, privacy=PERSONAL_REPLACED),
    column("issued_at", Instant),
    column("valid_until", Date),
    column("item_count", SmallInteger),
    *_void(),
    CheckConstraint("item_count > 0", name="item_count"),
    belongs_to("vet_id", "members"),
    Index("ix_prescriptions_patient", "clinic_id", "patient_id", "issued_at", "id"),
    _in_visits("prescriptions"),
)

prescription_items = tenant_table(
    "prescription_items",
    column("prescription_id", UUID),
    column("position", SmallInteger),
    column("drug", Text, privacy=FREE_TEXT_CUT),
    column("active_substances", ARRAY(Text)),
    column("strength", Text, nullable=True, privacy=FREE_TEXT_CUT),
    column("dose", AMOUNT, nullable=True),
    column("unit", Text, privacy=FREE_TEXT_CUT),
    column("route", Text),
    column("frequency_hours", SmallInteger, nullable=True),
    column("duration_days", SmallInteger, nullable=True),
    column("quantity", AMOUNT),
    column("quantity_unit", Text, privacy=FREE_TEXT_CUT),
    column("instructions", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    belongs_to("prescription_id", "prescriptions"),
    UniqueConstraint("clinic_id", "prescription_id", "position", name="uq_prescription_items_position"),
    CheckConstraint("position >= 0", name="position"),
    CheckConstraint("dose > 0 AND quantity > 0 AND frequency_hours > 0 AND duration_days > 0", name="amounts"),
    CheckConstraint(_ROUTES, name="route"),
)

allergies = tenant_table(
    "allergies",
    column("patient_id", UUID),
    column("substance", Text, privacy=FREE_TEXT_CUT),
    column("reaction", Text, nullable=True, privacy=SENSITIVE_CLEARED),
    column("severity", Text),
    column("noted_at", Instant),
    column("noted_by", UUID, nullable=True),
    column("resolved_at", Instant, nullable=True),
    column("resolved_by", UUID, nullable=True),
    *_void(),
    belongs_to("patient_id", "patients"),
    belongs_to("noted_by", "members"),
    belongs_to("resolved_by", "members"),
    CheckConstraint("severity IN ('mild', 'moderate', 'severe', 'unknown')", name="severity"),
    CheckConstraint("resolved_at IS NOT NULL OR resolved_by IS NULL", name="resolved_whole"),
    Index("ix_allergies_patient", "clinic_id", "patient_id", "noted_at", "id"),
)

protocols = Table(
    "protocols",
    metadata,
    column("clinic_id", UUID),
    column("kind", Text),
    column("species", Text),
    column("code", Text),
    column("name", Text),
    column("also", ARRAY(Text)),
    column("from_weeks", SmallInteger),
    column("until_weeks", ARRAY(SmallInteger)),
    column("every_weeks", ARRAY(SmallInteger)),
    column("primary_doses", SmallInteger),
    column("primary_weeks", SmallInteger),
    column("repeat_months", SmallInteger, nullable=True),
    PrimaryKeyConstraint("clinic_id", "kind", "species", "code"),
    ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
    CheckConstraint("kind IN ('vaccine', 'deworming')", name="kind"),
    CheckConstraint(f"species IN ({SPECIES})", name="species"),
    CheckConstraint("cardinality(until_weeks) = cardinality(every_weeks)", name="bands_whole"),
)

mapping.map_imperatively(Immunization, immunizations)
mapping.map_imperatively(Deworming, dewormings)
mapping.map_imperatively(Prescription, prescriptions)
mapping.map_imperatively(PrescriptionItem, prescription_items)
mapping.map_imperatively(Allergy, allergies)
