"""Hours that hold for a time, days that differ, closures; what a service asks of rooms and guests; the grid."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import as_system, guard

revision = "0010"
down_revision = "0009"

ROOM_KINDS = "'consultation', 'surgery', 'hospitalization', 'imaging', 'grooming', 'isolation'"
SPECIES = "'dog', 'cat', 'rabbit', 'bird', 'horse', 'cow', 'pig', 'reptile', 'other'"


def upgrade() -> None:
    op.add_column("clinics", sa.Column("grid_minutes", sa.SmallInteger(), server_default=sa.text("15"), nullable=False))
    op.create_check_constraint(op.f("ck_clinics_grid"), "clinics", "grid_minutes >= 5 AND 1440 % grid_minutes = 0")

    for column in (
        sa.Column("species", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("room_kind", sa.Text(), nullable=True),
        sa.Column("minimum_notice_minutes", sa.Integer(), server_default=sa.text("60"), nullable=False),
        sa.Column("horizon_days", sa.Integer(), server_default=sa.text("60"), nullable=False),
        sa.Column("guest_needs_confirmation", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("guest_cutoff_minutes", sa.Integer(), server_default=sa.text("120"), nullable=False),
    ):
        op.add_column("services", column)
    for name, condition in (
        ("species", f"species <@ ARRAY[{SPECIES}]"),
        ("room_kind", f"room_kind IN ({ROOM_KINDS})"),
        ("minimum_notice", "minimum_notice_minutes BETWEEN 0 AND 43200"),
        ("horizon", "horizon_days BETWEEN 0 AND 730"),
        ("guest_cutoff", "guest_cutoff_minutes BETWEEN 0 AND 43200"),
    ):
        op.create_check_constraint(op.f(f"ck_services_{name}"), "services", condition)

    op.add_column("resources", sa.Column("room_kind", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_resources_room_kind"), "resources", f"room_kind IN ({ROOM_KINDS})")
    op.create_check_constraint(
        op.f("ck_resources_room_kind_of_room"), "resources", "room_kind IS NULL OR kind = 'room'"
    )

    op.add_column("hours", sa.Column("valid_from", sa.Date(), server_default=sa.text("'-infinity'"), nullable=False))
    op.add_column("hours", sa.Column("valid_until", sa.Date(), server_default=sa.text("'infinity'"), nullable=False))
    op.create_check_constraint(op.f("ck_hours_validity"), "hours", "valid_from <= valid_until")
    op.drop_constraint("pk_hours", "hours")
    op.create_primary_key("pk_hours", "hours", ["clinic_id", "resource_id", "weekday", "opens", "valid_from"])

    op.create_table(
        "exceptions",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("resource_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens", postgresql.ARRAY(sa.Time()), nullable=False),
        sa.Column("closes", postgresql.ARRAY(sa.Time()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("cardinality(opens) = cardinality(closes)", name=op.f("ck_exceptions_spans")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "resource_id"],
            ["resources.clinic_id", "resources.id"],
            name=op.f("fk_exceptions_clinic_id_resource_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_exceptions_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "resource_id", "day", name=op.f("pk_exceptions")),
    )
    op.create_table(
        "closures",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("from_time", sa.Time(), nullable=True),
        sa.Column("to_time", sa.Time(), nullable=True),
        sa.Column("resource_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("holiday", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_closures_days")),
        sa.CheckConstraint(
            "starts_on < ends_on OR to_time IS NULL OR coalesce(from_time, '00:00') < to_time",
            name=op.f("ck_closures_times"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "resource_id"],
            ["resources.clinic_id", "resources.id"],
            name=op.f("fk_closures_clinic_id_resource_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_closures_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_closures")),
    )
    op.create_index("ix_closures_ends_on", "closures", ["clinic_id", "ends_on"], unique=False)

    guard("exceptions", "SELECT, INSERT, UPDATE, DELETE")
    guard("closures", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    op.drop_table("closures")
    op.drop_table("exceptions")

    # Hours of a season cannot be told from those of always any more: without these columns they would hold for ever.
    with as_system():
        op.execute("DELETE FROM hours WHERE valid_from > '-infinity' OR valid_until < 'infinity'")
    op.drop_constraint("pk_hours", "hours")
    op.drop_column("hours", "valid_until")
    op.drop_column("hours", "valid_from")
    op.create_primary_key("pk_hours", "hours", ["clinic_id", "resource_id", "weekday", "opens"])

    op.drop_column("resources", "room_kind")
    for name in (
        "guest_cutoff_minutes",
        "guest_needs_confirmation",
        "horizon_days",
        "minimum_notice_minutes",
        "room_kind",
        "species",
    ):
        op.drop_column("services", name)
    op.drop_column("clinics", "grid_minutes")
