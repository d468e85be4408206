"""Rights requests, the register of what was done about them, and clients whose data is kept and not used."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import drop_erasable, drop_settled, erasable, guard, past_policies, settled

revision = "0026"
down_revision = "0025"

INSTANT = postgresql.TIMESTAMP(timezone=True)
BASES = (
    "basis IN ('legal_duty', 'contract', 'claims', 'public_interest', 'third_parties', 'identity_not_proven',"
    " 'not_clarified')"
)
SOURCES = {
    "consents": "'in_person', 'phone', 'whatsapp', 'portal'",
    "channel_choices": "'in_person', 'phone', 'whatsapp', 'portal', 'opt_out_link'",
}
"""How a client may have told what they decided, up to here; from now on by a rights request, too."""


# Waits for whoever is erasing them. What was told of them is all the register keeps, for no erasure comes again.
REFUSE_TEXT = """
CREATE FUNCTION refuse_erased_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone timestamptz;
BEGIN
    SELECT c.erased_at INTO gone FROM privacy_requests r
    JOIN clients c ON c.clinic_id = r.clinic_id AND c.id = r.client_id
    WHERE r.clinic_id = NEW.clinic_id AND r.id = NEW.request_id FOR KEY SHARE OF c;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION 'nothing is written of a person who was erased' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.add_column("clients", sa.Column("suspended_at", INSTANT, nullable=True))
    for table, sources in SOURCES.items():
        op.drop_constraint(op.f(f"ck_{table}_source"), table)
        op.create_check_constraint(op.f(f"ck_{table}_source"), table, f"source IN ({sources}, 'rights_request')")
    _requests()
    _steps()
    op.execute(REFUSE_TEXT)
    op.execute("REVOKE ALL ON FUNCTION refuse_erased_request() FROM PUBLIC")
    for table, function, event in (
        ("privacy_requests", "refuse_erased_client", "BEFORE INSERT OR UPDATE OF client_id ON privacy_requests"),
        ("privacy_request_steps", "refuse_erased_request", "BEFORE INSERT ON privacy_request_steps"),
    ):
        when = "WHEN (NEW.text IS NOT NULL) " if table == "privacy_request_steps" else ""
        op.execute(f"CREATE TRIGGER {function} {event} FOR EACH ROW {when}EXECUTE FUNCTION {function}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {function}")


def _requests() -> None:
    op.create_table(
        "privacy_requests",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("subject_name", sa.Text(), nullable=True),
        sa.Column("subject_contact", sa.Text(), nullable=True),
        sa.Column("minor", sa.Boolean(), nullable=False),
        sa.Column("representative", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("opened_by", sa.UUID(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("soon_at", INSTANT, nullable=False),
        sa.Column("due_day_at", INSTANT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("identity_method", sa.Text(), nullable=True),
        sa.Column("identified_at", INSTANT, nullable=True),
        sa.Column("clarification_asked_at", INSTANT, nullable=True),
        sa.Column("clarification_until", sa.Date(), nullable=True),
        sa.Column("clarified_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("executed_at", INSTANT, nullable=True),
        sa.Column("executed_reference", sa.UUID(), nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reminded", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_privacy_requests_closed_whole")
        ),
        sa.CheckConstraint(
            BASES,
            name=op.f("ck_privacy_requests_basis"),
        ),
        sa.CheckConstraint(
            "channel IN ('in_person', 'phone', 'whatsapp', 'mail', 'letter', 'portal')",
            name=op.f("ck_privacy_requests_channel"),
        ),
        sa.CheckConstraint(
            "identity_method IN ('document_shown', 'known_in_person', 'confirmed_contact', 'electronic_signature')",
            name=op.f("ck_privacy_requests_identity_method"),
        ),
        sa.CheckConstraint(
            "kind IN ('access', 'correction', 'erasure', 'portability', 'objection', 'suspension',"
            " 'automated_decision')",
            name=op.f("ck_privacy_requests_kind"),
        ),
        sa.CheckConstraint(
            "outcome IN ('granted', 'partly', 'refused', 'withdrawn')", name=op.f("ck_privacy_requests_outcome")
        ),
        sa.CheckConstraint(
            "status IN ('received', 'identified', 'decided', 'executed', 'closed')",
            name=op.f("ck_privacy_requests_status"),
        ),
        sa.CheckConstraint(
            "executed_at IS NULL OR identified_at IS NOT NULL", name=op.f("ck_privacy_requests_identity_first")
        ),
        sa.CheckConstraint("reminded BETWEEN 0 AND 2", name=op.f("ck_privacy_requests_reminded")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "client_id"],
            ["clients.clinic_id", "clients.id"],
            name=op.f("fk_privacy_requests_clinic_id_client_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "opened_by"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_privacy_requests_clinic_id_opened_by"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_privacy_requests_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_privacy_requests")),
    )
    op.create_index("ix_privacy_requests_client_id", "privacy_requests", ["clinic_id", "client_id"])
    op.create_index("ix_privacy_requests_due", "privacy_requests", ["clinic_id", "due_on", "id"])
    op.create_index(
        "ix_privacy_requests_soon_at",
        "privacy_requests",
        ["soon_at"],
        postgresql_where=sa.text("closed_at IS NULL AND reminded < 2"),
    )
    guard("privacy_requests", "SELECT, INSERT, UPDATE")


def _steps() -> None:
    op.create_table(
        "privacy_request_steps",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("reference", sa.UUID(), nullable=True),
        sa.Column("recipients_told", sa.Boolean(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.CheckConstraint("(due_on IS NOT NULL) = (step = 'receive')", name=op.f("ck_privacy_request_steps_due_on")),
        sa.CheckConstraint(
            BASES,
            name=op.f("ck_privacy_request_steps_basis"),
        ),
        sa.CheckConstraint(
            "method IN ('document_shown', 'known_in_person', 'confirmed_contact', 'electronic_signature')",
            name=op.f("ck_privacy_request_steps_method"),
        ),
        sa.CheckConstraint(
            "outcome IN ('granted', 'partly', 'refused', 'withdrawn')", name=op.f("ck_privacy_request_steps_outcome")
        ),
        sa.CheckConstraint(
            "status IN ('received', 'identified', 'decided', 'executed', 'closed')",
            name=op.f("ck_privacy_request_steps_status"),
        ),
        sa.CheckConstraint(
            "step IN ('receive', 'prove_identity', 'ask', 'clarify', 'decide', 'execute', 'close', 'withdraw', 'lift')",
            name=op.f("ck_privacy_request_steps_step"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "member_id"],
            ["members.clinic_id", "members.id"],
            name=op.f("fk_privacy_request_steps_clinic_id_member_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "request_id"],
            ["privacy_requests.clinic_id", "privacy_requests.id"],
            name=op.f("fk_privacy_request_steps_clinic_id_request_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_privacy_request_steps_clinic_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_privacy_request_steps")),
    )
    op.create_index(
        "ix_privacy_request_steps_request", "privacy_request_steps", ["clinic_id", "request_id", "at", "id"]
    )
    guard("privacy_request_steps", "SELECT, INSERT")
    settled("privacy_request_steps", may_set=())
    erasable("privacy_request_steps", ("text",))


def downgrade() -> None:
    drop_erasable("privacy_request_steps")
    drop_settled("privacy_request_steps")
    op.drop_table("privacy_request_steps")
    op.drop_table("privacy_requests")
    op.execute("DROP FUNCTION refuse_erased_request()")
    # The revision before has no word for it: whoever asked did so before somebody of the clinic.
    op.execute("ALTER TABLE consents DISABLE TRIGGER keep_consents_change")
    for table, sources in SOURCES.items():
        with past_policies(table):
            op.execute(f"UPDATE {table} SET source = 'in_person' WHERE source = 'rights_request'")  # noqa: S608 -- our names
        op.drop_constraint(op.f(f"ck_{table}_source"), table)
        op.create_check_constraint(op.f(f"ck_{table}_source"), table, f"source IN ({sources})")
    op.execute("ALTER TABLE consents ENABLE ALWAYS TRIGGER keep_consents_change")
    op.drop_column("clients", "suspended_at")
