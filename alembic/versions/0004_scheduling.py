"""Services, resources, hours, appointments and allocations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import guard

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "services",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_before_minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_after_minutes", sa.Integer(), nullable=False),
        sa.Column("bookable_online", sa.Boolean(), nullable=False),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("buffer_after_minutes BETWEEN 0 AND 480", name=op.f("ck_services_buffer_after")),
        sa.CheckConstraint("buffer_before_minutes BETWEEN 0 AND 480", name=op.f("ck_services_buffer_before")),
        sa.CheckConstraint("duration_minutes BETWEEN 5 AND 1440", name=op.f("ck_services_duration")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_services_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_services")),
    )
    op.create_table(
        "appointments",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("rescheduled_from_id", sa.UUID(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("source IN ('staff', 'portal', 'walk_in')", name=op.f("ck_appointments_source")),
        sa.CheckConstraint(
            "status IN ('requested', 'confirmed', 'checked_in', 'in_exam', 'ready', 'completed', 'cancelled',"
            " 'no_show')",
            name=op.f("ck_appointments_status"),
        ),
        sa.CheckConstraint("lane >= 0", name=op.f("ck_appointments_lane")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_appointments_in_order")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "client_id"],
            ["clients.clinic_id", "clients.id"],
            name=op.f("fk_appointments_clinic_id_client_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_appointments_clinic_id_patient_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "rescheduled_from_id"],
            ["appointments.clinic_id", "appointments.id"],
            name=op.f("fk_appointments_clinic_id_rescheduled_from_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "service_id"],
            ["services.clinic_id", "services.id"],
            name=op.f("fk_appointments_clinic_id_service_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_appointments_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_appointments")),
    )
    op.create_index("ix_appointments_patient", "appointments", ["clinic_id", "patient_id", "starts_at"], unique=False)
    op.create_index("ix_appointments_starts_at", "appointments", ["clinic_id", "starts_at"], unique=False)
    op.create_table(
        "resources",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('vet', 'room', 'equipment')", name=op.f("ck_resources_kind")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "member_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_resources_clinic_id_member_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_resources_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_resources")),
    )
    op.create_table(
        "allocations",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("appointment_id", sa.UUID(), nullable=False),
        sa.Column("resource_id", sa.UUID(), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "during",
            postgresql.TSTZRANGE(),
            sa.Computed("tstzrange(starts_at, ends_at, '[)')", persisted=True),
            nullable=False,
        ),
        sa.Column("released_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("clinic_id"), "="),
            (sa.text("resource_id"), "="),
            (sa.text("lane"), "="),
            (sa.text("during"), "&&"),
            where=sa.text("released_at IS NULL"),
            using="gist",
            name="ex_allocations_slot",
        ),
        sa.CheckConstraint("lane >= 0", name=op.f("ck_allocations_lane")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_allocations_in_order")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "appointment_id"],
            ["appointments.clinic_id", "appointments.id"],
            name=op.f("fk_allocations_clinic_id_appointment_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "resource_id"],
            ["resources.clinic_id", "resources.id"],
            name=op.f("fk_allocations_clinic_id_resource_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_allocations_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_allocations")),
    )
    op.create_index("ix_allocations_appointment", "allocations", ["clinic_id", "appointment_id"], unique=False)
    op.create_index(
        "ix_allocations_held",
        "allocations",
        ["clinic_id", "resource_id", "ends_at"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "hours",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("resource_id", sa.UUID(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_hours_weekday")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "resource_id"],
            ["resources.clinic_id", "resources.id"],
            name=op.f("fk_hours_clinic_id_resource_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_hours_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "resource_id", "weekday", "opens", name=op.f("pk_hours")),
    )
    op.create_table(
        "service_resources",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("resource_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "resource_id"],
            ["resources.clinic_id", "resources.id"],
            name=op.f("fk_service_resources_clinic_id_resource_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "service_id"],
            ["services.clinic_id", "services.id"],
            name=op.f("fk_service_resources_clinic_id_service_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_service_resources_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "service_id", "resource_id", name=op.f("pk_service_resources")),
    )

    guard("services", "SELECT, INSERT, UPDATE")
    guard("resources", "SELECT, INSERT, UPDATE")
    guard("service_resources", "SELECT, INSERT, DELETE")
    guard("hours", "SELECT, INSERT, DELETE")
    guard("appointments", "SELECT, INSERT, UPDATE")
    guard("allocations", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("service_resources")
    op.drop_table("hours")
    op.drop_table("allocations")
    op.drop_table("appointments")
    op.drop_table("resources")
    op.drop_table("services")
