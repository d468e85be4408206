"""Immunizations, dewormings, prescriptions, allergies, the protocols that they follow, and the recalls that follow."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import append_only, drop_append_only, drop_settled, guard, settled

revision = "0018"
down_revision = "0017"

VOIDING = ("voided_at", "voided_by", "void_reason")
ROUTES = (
    "route IN ('oral', 'subcutaneous', 'intramuscular', 'intravenous', 'intradermal', 'intranasal', 'inhaled',"
    " 'ophthalmic', 'otic', 'rectal', 'spot_on', 'topical', 'other')"
)
IN_VISITS = ("immunizations", "dewormings", "prescriptions")

REFUSE_FURTHER = """
CREATE FUNCTION refuse_further_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM prescriptions p WHERE p.clinic_id = NEW.clinic_id AND p.id = NEW.prescription_id
        AND p.item_count > NEW.position
    ) THEN
        RAISE EXCEPTION 'a prescription has the items that it was issued with' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "protocols",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("species", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("also", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("from_weeks", sa.SmallInteger(), nullable=False),
        sa.Column("until_weeks", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("every_weeks", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("primary_doses", sa.SmallInteger(), nullable=False),
        sa.Column("primary_weeks", sa.SmallInteger(), nullable=False),
        sa.Column("repeat_months", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('vaccine', 'deworming')", name=op.f("ck_protocols_kind")),
        sa.CheckConstraint(
            "species IN ('dog', 'cat', 'rabbit', 'bird', 'horse', 'cow', 'pig', 'reptile', 'other')",
            name=op.f("ck_protocols_species"),
        ),
        sa.CheckConstraint(
            "cardinality(until_weeks) = cardinality(every_weeks)", name=op.f("ck_protocols_bands_whole")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_protocols_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "kind", "species", "code", name=op.f("pk_protocols")),
    )
    op.create_table(
        "allergies",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("substance", sa.Text(), nullable=False),
        sa.Column("reaction", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("noted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("noted_by", sa.UUID(), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.UUID(), nullable=True),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("voided_by", sa.UUID(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("severity IN ('mild', 'moderate', 'severe', 'unknown')", name=op.f("ck_allergies_severity")),
        sa.CheckConstraint(
            "num_nulls(voided_at, void_reason) IN (0, 2) AND (voided_at IS NOT NULL OR voided_by IS NULL)",
            name=op.f("ck_allergies_voided_whole"),
        ),
        sa.CheckConstraint("resolved_at IS NOT NULL OR resolved_by IS NULL", name=op.f("ck_allergies_resolved_whole")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "noted_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_allergies_clinic_id_noted_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_allergies_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "resolved_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_allergies_clinic_id_resolved_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "voided_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_allergies_clinic_id_voided_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_allergies_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_allergies")),
    )
    op.create_index("ix_allergies_patient", "allergies", ["clinic_id", "patient_id", "noted_at", "id"], unique=False)
    op.create_table(
        "dewormings",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("encounter_id", sa.UUID(), nullable=True),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("active_substances", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("dose", sa.Numeric(precision=13, scale=3), nullable=True),
        sa.Column("dose_unit", sa.Text(), nullable=True),
        sa.Column("weight_kg", sa.Numeric(precision=7, scale=3), nullable=True),
        sa.Column("lot_number", sa.Text(), nullable=True),
        sa.Column("lot_expires_on", sa.Date(), nullable=True),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("administered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("next_due_on", sa.Date(), nullable=True),
        sa.Column("due_days", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("vet_id", sa.UUID(), nullable=True),
        sa.Column("vet_name", sa.Text(), nullable=True),
        sa.Column("registration_number", sa.Text(), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.UUID(), nullable=True),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("voided_by", sa.UUID(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cardinality(due_days) = CASE target WHEN 'both' THEN 2 ELSE 1 END", name=op.f("ck_dewormings_due_days")
        ),
        sa.CheckConstraint(
            "(source = 'here') = (vet_id IS NOT NULL) AND (vet_id IS NULL) = (vet_name IS NULL)"
            " AND (vet_id IS NOT NULL OR registration_number IS NULL)",
            name=op.f("ck_dewormings_given_by_whom"),
        ),
        sa.CheckConstraint(
            ROUTES,
            name=op.f("ck_dewormings_route"),
        ),
        sa.CheckConstraint("source = 'external' OR given_by IS NULL", name=op.f("ck_dewormings_given_elsewhere")),
        sa.CheckConstraint("source IN ('here', 'external')", name=op.f("ck_dewormings_source")),
        sa.CheckConstraint("target IN ('internal', 'external', 'both')", name=op.f("ck_dewormings_target")),
        sa.CheckConstraint("(dose IS NULL) = (dose_unit IS NULL)", name=op.f("ck_dewormings_dose_whole")),
        sa.CheckConstraint("dose > 0 AND weight_kg > 0", name=op.f("ck_dewormings_amounts")),
        sa.CheckConstraint(
            "num_nulls(voided_at, void_reason) IN (0, 2) AND (voided_at IS NOT NULL OR voided_by IS NULL)",
            name=op.f("ck_dewormings_voided_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "encounter_id"],
            ["encounters.clinic_id", "encounters.id"],
            name=op.f("fk_dewormings_clinic_id_encounter_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_dewormings_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "recorded_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_dewormings_clinic_id_recorded_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "vet_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_dewormings_clinic_id_vet_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "voided_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_dewormings_clinic_id_voided_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_dewormings_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_dewormings")),
    )
    op.create_index(
        "ix_dewormings_patient", "dewormings", ["clinic_id", "patient_id", "administered_at", "id"], unique=False
    )
    op.create_table(
        "immunizations",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("encounter_id", sa.UUID(), nullable=True),
        sa.Column("vaccine", sa.Text(), nullable=False),
        sa.Column("covers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("dose", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("lot_number", sa.Text(), nullable=True),
        sa.Column("lot_expires_on", sa.Date(), nullable=True),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("administered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("next_due_on", sa.Date(), nullable=True),
        sa.Column("due_days", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("vet_id", sa.UUID(), nullable=True),
        sa.Column("vet_name", sa.Text(), nullable=True),
        sa.Column("registration_number", sa.Text(), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.UUID(), nullable=True),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("voided_by", sa.UUID(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(source = 'here') = (vet_id IS NOT NULL) AND (vet_id IS NULL) = (vet_name IS NULL)"
            " AND (vet_id IS NOT NULL OR registration_number IS NULL)",
            name=op.f("ck_immunizations_given_by_whom"),
        ),
        sa.CheckConstraint(
            ROUTES,
            name=op.f("ck_immunizations_route"),
        ),
        sa.CheckConstraint("source = 'external' OR given_by IS NULL", name=op.f("ck_immunizations_given_elsewhere")),
        sa.CheckConstraint("source IN ('here', 'external')", name=op.f("ck_immunizations_source")),
        sa.CheckConstraint(
            "cardinality(covers) > 0 AND cardinality(due_days) = cardinality(covers)",
            name=op.f("ck_immunizations_covers"),
        ),
        sa.CheckConstraint(
            "num_nulls(voided_at, void_reason) IN (0, 2) AND (voided_at IS NOT NULL OR voided_by IS NULL)",
            name=op.f("ck_immunizations_voided_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "encounter_id"],
            ["encounters.clinic_id", "encounters.id"],
            name=op.f("fk_immunizations_clinic_id_encounter_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_immunizations_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "recorded_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_immunizations_clinic_id_recorded_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "vet_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_immunizations_clinic_id_vet_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "voided_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_immunizations_clinic_id_voided_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_immunizations_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_immunizations")),
    )
    op.create_index(
        "ix_immunizations_patient", "immunizations", ["clinic_id", "patient_id", "administered_at", "id"], unique=False
    )
    op.create_table(
        "prescriptions",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("encounter_id", sa.UUID(), nullable=True),
        sa.Column("vet_id", sa.UUID(), nullable=False),
        sa.Column("vet_name", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("item_count", sa.SmallInteger(), nullable=False),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("voided_by", sa.UUID(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(voided_at, void_reason) IN (0, 2) AND (voided_at IS NOT NULL OR voided_by IS NULL)",
            name=op.f("ck_prescriptions_voided_whole"),
        ),
        sa.CheckConstraint("item_count > 0", name=op.f("ck_prescriptions_item_count")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "encounter_id"],
            ["encounters.clinic_id", "encounters.id"],
            name=op.f("fk_prescriptions_clinic_id_encounter_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_prescriptions_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "vet_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_prescriptions_clinic_id_vet_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "voided_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_prescriptions_clinic_id_voided_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_prescriptions_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_prescriptions")),
    )
    op.create_index(
        "ix_prescriptions_patient", "prescriptions", ["clinic_id", "patient_id", "issued_at", "id"], unique=False
    )
    op.create_table(
        "prescription_items",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("prescription_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("drug", sa.Text(), nullable=False),
        sa.Column("active_substances", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("strength", sa.Text(), nullable=True),
        sa.Column("dose", sa.Numeric(precision=13, scale=3), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("frequency_hours", sa.SmallInteger(), nullable=True),
        sa.Column("duration_days", sa.SmallInteger(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=13, scale=3), nullable=False),
        sa.Column("quantity_unit", sa.Text(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=True),
        sa.CheckConstraint(
            ROUTES,
            name=op.f("ck_prescription_items_route"),
        ),
        sa.CheckConstraint(
            "dose > 0 AND quantity > 0 AND frequency_hours > 0 AND duration_days > 0",
            name=op.f("ck_prescription_items_amounts"),
        ),
        sa.CheckConstraint("position >= 0", name=op.f("ck_prescription_items_position")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "prescription_id"],
            ["prescriptions.clinic_id", "prescriptions.id"],
            name=op.f("fk_prescription_items_clinic_id_prescription_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_prescription_items_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_prescription_items")),
        sa.UniqueConstraint("clinic_id", "prescription_id", "position", name="uq_prescription_items_position"),
    )
    op.add_column("recalls", sa.Column("source_id", sa.UUID(), nullable=True))
    op.add_column("recalls", sa.Column("settled_by", sa.UUID(), nullable=True))
    for table in (*IN_VISITS, "allergies"):
        guard(table, "SELECT, INSERT, UPDATE")
    guard("prescription_items", "SELECT, INSERT")
    guard("protocols", "SELECT, INSERT, DELETE")
    for table in IN_VISITS:
        settled(table, may_set=VOIDING)
        op.execute(
            f"CREATE TRIGGER refuse_closed_encounter BEFORE INSERT ON {table} FOR EACH ROW"
            " EXECUTE FUNCTION refuse_closed_encounter()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_closed_encounter")
    settled("allergies", may_set=("resolved_at", "resolved_by", *VOIDING))
    append_only("prescription_items", clearable="instructions")
    op.execute(REFUSE_FURTHER)
    op.execute("REVOKE ALL ON FUNCTION refuse_further_item() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER refuse_further_item BEFORE INSERT ON prescription_items FOR EACH ROW"
        " EXECUTE FUNCTION refuse_further_item()"
    )
    op.execute("ALTER TABLE prescription_items ENABLE ALWAYS TRIGGER refuse_further_item")


def downgrade() -> None:
    op.execute("DROP TRIGGER refuse_further_item ON prescription_items")
    op.execute("DROP FUNCTION refuse_further_item()")
    drop_append_only("prescription_items")
    drop_settled("allergies")
    for table in IN_VISITS:
        op.execute(f"DROP TRIGGER refuse_closed_encounter ON {table}")
        drop_settled(table)
    op.drop_column("recalls", "settled_by")
    op.drop_column("recalls", "source_id")
    op.drop_table("prescription_items")
    op.drop_table("prescriptions")
    op.drop_table("immunizations")
    op.drop_table("dewormings")
    op.drop_table("allergies")
    op.drop_table("protocols")
