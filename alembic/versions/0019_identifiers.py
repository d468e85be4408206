"""What identifies a patient, its alerts, who may consent for it, its breed's code, and the trail of its death."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import append_only, drop_append_only, guard

revision = "0019"
down_revision = "0018"

INSTANT = postgresql.TIMESTAMP(timezone=True)


def _table(name: str, *parts: sa.Column[object] | sa.CheckConstraint, of: dict[str, str]) -> None:
    """A table of a clinic's rows, whose columns refer to other such tables as `of` says."""
    op.create_table(
        name,
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        *parts,
        *(
            sa.ForeignKeyConstraint(
                ["clinic_id", column],
                [f"{table}.clinic_id", f"{table}.id"],
                name=op.f(f"fk_{name}_clinic_id_{column}"),
                ondelete="RESTRICT",
            )
            for column, table in of.items()
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f(f"fk_{name}_clinic_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    op.add_column("patients", sa.Column("breed_code", sa.Text(), nullable=True))
    op.add_column("parties", sa.Column("may_consent", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.alter_column("parties", "may_consent", server_default=None)
    op.create_index("ix_parties_patient", "parties", ["clinic_id", "patient_id", "since", "id"])

    _table(
        "identifiers",
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("value_key", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.CheckConstraint(
            "kind IN ('iso_chip', 'legacy_chip', 'tattoo', 'tag', 'municipal')", name=op.f("ck_identifiers_kind")
        ),
        sa.CheckConstraint("kind <> 'iso_chip' OR value_key ~ '^[0-9]{15}$'", name=op.f("ck_identifiers_iso_chip")),
        sa.CheckConstraint("since <= until", name=op.f("ck_identifiers_in_order")),
        of={"patient_id": "patients"},
    )
    op.create_index(
        "uq_identifiers_chip",
        "identifiers",
        ["clinic_id", "value_key"],
        unique=True,
        postgresql_where=sa.text("kind IN ('iso_chip', 'legacy_chip') AND until IS NULL"),
    )
    op.create_index(
        "uq_identifiers_patient",
        "identifiers",
        ["clinic_id", "patient_id", "kind", "value_key"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_index("ix_identifiers_patient", "identifiers", ["clinic_id", "patient_id", "since", "id"])
    guard("identifiers", "SELECT, INSERT, UPDATE")

    _table(
        "alerts",
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.UUID(), nullable=True),
        sa.CheckConstraint("moment IN ('booking', 'check_in', 'exam')", name=op.f("ck_alerts_moment")),
        sa.CheckConstraint("(expires_on IS NULL) = (expires_at IS NULL)", name=op.f("ck_alerts_expiry_whole")),
        of={"patient_id": "patients", "created_by": "members", "ended_by": "members"},
    )
    op.create_index(
        "ix_alerts_patient",
        "alerts",
        ["clinic_id", "patient_id", "created_at", "id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    guard("alerts", "SELECT, INSERT, UPDATE")

    _table(
        "deaths",
        sa.Column("patient_id", sa.UUID(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("deceased_on", sa.Date(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.UUID(), nullable=True),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("waitlist_entries", sa.Integer(), nullable=False),
        sa.Column("recalls", sa.Integer(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.CheckConstraint("step IN ('recorded', 'corrected', 'revoked')", name=op.f("ck_deaths_step")),
        sa.CheckConstraint("(deceased_on IS NULL) = (step = 'revoked')", name=op.f("ck_deaths_day_whole")),
        of={"patient_id": "patients", "recorded_by": "members"},
    )
    op.create_index("ix_deaths_patient", "deaths", ["clinic_id", "patient_id", "at", "id"])
    guard("deaths", "SELECT, INSERT")
    append_only("deaths", clearable="recorded_by")


def downgrade() -> None:
    drop_append_only("deaths")
    for table in ("deaths", "alerts", "identifiers"):
        op.drop_table(table)
    op.drop_index("ix_parties_patient", "parties")
    op.drop_column("parties", "may_consent")
    op.drop_column("patients", "breed_code")
