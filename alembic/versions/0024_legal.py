"""Published legal texts, what people decided about them, and which of them somebody has open."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import (
    drop_settled,
    drop_system_function,
    guard,
    past_policies,
    settled,
    system_function,
)

revision = "0024"
down_revision = "0023"

INSTANT = postgresql.TIMESTAMP(timezone=True)
VERSION = (["slug", "version"], ["legal_versions.slug", "legal_versions.version"])
TEXT = (
    ["slug", "version", "locale"],
    ["legal_texts.slug", "legal_texts.version", "legal_texts.locale"],
)
REFERENCES = {"client_id": "clients", "guest_request_id": "guest_requests", "recorded_by": "members"}
SETTLED = ("legal_versions", "legal_texts", "acceptances")
OPEN_DOCUMENTS = "open_documents(uuid, uuid[], text[], text[])"


def upgrade() -> None:
    _versions()
    _acceptances()
    for table in SETTLED:
        settled(table, may_set=())
    system_function(
        OPEN_DOCUMENTS,
        # A version that is declined though nobody has to accept it takes nothing back. What is told is told once.
        """
        CREATE FUNCTION open_documents(p_user uuid, p_clinics uuid[], p_own text[], p_clinic text[])
        RETURNS TABLE (
            slug text, version text, blocking boolean, clinic text, locale text, sha256 text, title text
        ) LANGUAGE plpgsql STABLE AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            WITH standing AS (
                SELECT slug, max(ordinal) AS newest, max(ordinal) FILTER (WHERE change = 'major') AS needed,
                       max(ordinal) FILTER (WHERE change <> 'editorial') AS told
                FROM legal_versions WHERE slug = ANY(p_own || p_clinic) GROUP BY slug
            ), asked AS (
                SELECT s.*, '00000000-0000-0000-0000-000000000000'::uuid AS clinic_id, NULL::text AS clinic
                FROM standing s WHERE s.slug = ANY(p_own)
                UNION ALL
                SELECT s.*, c.id, c.slug FROM standing s
                CROSS JOIN members m JOIN clinics c ON c.id = m.clinic_id
                WHERE s.slug = ANY(p_clinic) AND m.user_id = p_user AND m.clinic_id = ANY(p_clinics) AND m.active
                AND 'owner' = ANY(m.roles)
            ), decided AS (
                SELECT a.slug, a.clinic_id, v.ordinal, d.decision, d.number,
                       d.decision = 'declined' AND v.ordinal > a.needed AS aside
                FROM asked a JOIN (
                    SELECT * FROM acceptances WHERE user_id = p_user AND capacity = 'oneself'
                    UNION ALL
                    SELECT * FROM acceptances WHERE clinic_id = ANY(p_clinics) AND capacity = 'clinic'
                ) d ON d.clinic_id = a.clinic_id AND d.slug = a.slug
                JOIN legal_versions v ON v.slug = d.slug AND v.version = d.version
            ), judged AS (
                SELECT a.*,
                       coalesce((SELECT CASE d.decision WHEN 'accepted' THEN d.ordinal ELSE 0 END FROM decided d
                                 WHERE d.slug = a.slug AND d.clinic_id = a.clinic_id AND NOT d.aside
                                 ORDER BY d.number DESC LIMIT 1), 0) AS accepted,
                       coalesce((SELECT max(d.ordinal) FROM decided d
                                 WHERE d.slug = a.slug AND d.clinic_id = a.clinic_id), 0) AS heard
                FROM asked a
            )
            SELECT j.slug, v.version, j.accepted < j.needed, j.clinic, t.locale, t.sha256, t.title
            FROM judged j JOIN legal_versions v ON v.slug = j.slug AND v.ordinal = j.newest
            JOIN legal_texts t ON t.slug = v.slug AND t.version = v.version
            WHERE j.accepted < j.needed OR j.heard < j.told
            ORDER BY j.clinic NULLS FIRST, array_position(p_own || p_clinic, j.slug), t.locale;
        END $$
        """,
    )


def _versions() -> None:
    op.create_table(
        "legal_versions",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.CheckConstraint("change IN ('major', 'minor', 'editorial')", name=op.f("ck_legal_versions_change")),
        sa.CheckConstraint("ordinal > 0 AND (ordinal > 1 OR change = 'major')", name=op.f("ck_legal_versions_ordinal")),
        sa.PrimaryKeyConstraint("slug", "version", name=op.f("pk_legal_versions")),
        sa.UniqueConstraint("slug", "ordinal", name="uq_legal_versions_ordinal"),
    )
    op.create_table(
        "legal_texts",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "sha256 = encode(sha256(convert_to(body, 'UTF8')), 'hex')", name=op.f("ck_legal_texts_sha256")
        ),
        sa.ForeignKeyConstraint(*VERSION, name=op.f("fk_legal_texts_slug_version"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("slug", "version", "locale", name=op.f("pk_legal_texts")),
    )
    for table in ("legal_versions", "legal_texts"):
        guard(table, "SELECT", own="true")


def _acceptances() -> None:
    with past_policies("clients", "guest_requests", "members", "users"):
        op.create_table(
            "acceptances",
            sa.Column("clinic_id", sa.UUID(), nullable=False),
            sa.Column("id", sa.UUID(), nullable=False),
            sa.Column("number", sa.Integer(), nullable=False),
            sa.Column("user_id", sa.UUID(), nullable=True),
            sa.Column("client_id", sa.UUID(), nullable=True),
            sa.Column("guest_request_id", sa.UUID(), nullable=True),
            sa.Column("recorded_by", sa.UUID(), nullable=True),
            sa.Column("slug", sa.Text(), nullable=False),
            sa.Column("version", sa.Text(), nullable=False),
            sa.Column("locale", sa.Text(), nullable=False),
            sa.Column("sha256", sa.Text(), nullable=False),
            sa.Column("decision", sa.Text(), nullable=False),
            sa.Column("capacity", sa.Text(), nullable=False),
            sa.Column("screen", sa.Text(), nullable=True),
            sa.Column("build", sa.Text(), nullable=True),
            sa.Column("request_id", sa.Text(), nullable=True),
            sa.Column("decided_at", INSTANT, nullable=False),
            sa.Column("commitment", postgresql.BYTEA(), nullable=True),
            sa.Column("previous", postgresql.BYTEA(), nullable=False),
            sa.Column("hash", postgresql.BYTEA(), nullable=False),
            sa.CheckConstraint(
                "capacity IN ('oneself', 'clinic', 'representative')", name=op.f("ck_acceptances_capacity")
            ),
            sa.CheckConstraint(
                "decision IN ('accepted', 'declined', 'withdrawn')", name=op.f("ck_acceptances_decision")
            ),
            sa.CheckConstraint(
                "num_nonnulls(user_id, client_id, guest_request_id) = 1", name=op.f("ck_acceptances_one_person")
            ),
            sa.CheckConstraint("number > 0", name=op.f("ck_acceptances_number")),
            *(
                sa.ForeignKeyConstraint(
                    ["clinic_id", column],
                    [f"{table}.clinic_id", f"{table}.id"],
                    name=op.f(f"fk_acceptances_clinic_id_{column}"),
                    ondelete="RESTRICT",
                )
                for column, table in REFERENCES.items()
            ),
            sa.ForeignKeyConstraint(*TEXT, name=op.f("fk_acceptances_slug_version_locale"), ondelete="RESTRICT"),
            sa.ForeignKeyConstraint(
                ["user_id"], ["users.id"], name=op.f("fk_acceptances_user_id"), ondelete="RESTRICT"
            ),
            sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_acceptances")),
            sa.UniqueConstraint("clinic_id", "number", name="uq_acceptances_number"),
        )
    for name, columns, where in (
        ("user", ["user_id", "slug", "number"], None),
        ("clinic", ["clinic_id", "slug", "number"], "capacity = 'clinic'"),
        ("client", ["clinic_id", "client_id"], "client_id IS NOT NULL"),
        ("guest_request", ["clinic_id", "guest_request_id"], "guest_request_id IS NOT NULL"),
    ):
        only = {} if where is None else {"postgresql_where": sa.text(where)}
        op.create_index(f"ix_acceptances_{name}", "acceptances", columns, **only)
    op.create_table(
        "acceptance_evidence",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("browser", sa.Text(), nullable=True),
        sa.Column("key", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "id"],
            ["acceptances.clinic_id", "acceptances.id"],
            name=op.f("fk_acceptance_evidence_clinic_id_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_acceptance_evidence")),
    )
    for table in ("acceptances", "acceptance_evidence"):
        guard(table, "SELECT, INSERT")
    # It may go with the person, and is otherwise what it was: the chain is bound to it.
    op.execute(
        "CREATE FUNCTION keep_acceptance_evidence() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'acceptance_evidence is settled when it is written' USING ERRCODE = 'restrict_violation';"
        " END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION keep_acceptance_evidence() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER keep_acceptance_evidence_row BEFORE UPDATE ON acceptance_evidence FOR EACH ROW"
        " EXECUTE FUNCTION keep_acceptance_evidence()"
    )
    op.execute("ALTER TABLE acceptance_evidence ENABLE ALWAYS TRIGGER keep_acceptance_evidence_row")


def downgrade() -> None:
    drop_system_function(OPEN_DOCUMENTS)
    for table in SETTLED:
        drop_settled(table)
    for table in ("acceptance_evidence", "acceptances", "legal_texts", "legal_versions"):
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_acceptance_evidence()")
