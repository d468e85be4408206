"""Clinics, users, members, invitations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from coravet.adapters.postgres.guarding import CURRENT_CLINIC, drop_system_function, guard, system_function

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "clinics",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$'", name=op.f("ck_clinics_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinics")),
        sa.UniqueConstraint("slug", name="uq_clinics_slug"),
    )
    op.create_table(
        "ended_sessions",
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_ended_sessions")),
    )
    op.create_index("ix_ended_sessions_expires_at", "ended_sessions", ["expires_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("firebase_uid", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_verified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("firebase_uid", name="uq_users_firebase_uid"),
    )
    op.create_table(
        "invitations",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("invited_by", sa.UUID(), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("roles <@ ARRAY['owner','manager','vet','staff']", name=op.f("ck_invitations_known_roles")),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_invitations_clinic_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_invitations_invited_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("clinic_id", "token_hash", name="uq_invitations_token_hash"),
    )
    op.create_index("ix_invitations_token_hash", "invitations", ["token_hash"], unique=False)
    op.create_table(
        "members",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("roles <@ ARRAY['owner','manager','vet','staff']", name=op.f("ck_members_known_roles")),
        sa.CheckConstraint("cardinality(roles) > 0", name=op.f("ck_members_some_role")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_members_clinic_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members_user_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_members")),
        sa.UniqueConstraint("clinic_id", "user_id", name="uq_members_user"),
    )
    op.create_index("ix_members_user_id", "members", ["user_id"], unique=False)
    op.create_table(
        "operators",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_operators_user_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_operators")),
    )

    guard("clinics", "SELECT, UPDATE", own=f"id = {CURRENT_CLINIC}")
    guard("members", "SELECT, INSERT, UPDATE")
    guard("invitations", "SELECT, INSERT, UPDATE")
    guard(
        "users",
        "SELECT",
        own=f"EXISTS (SELECT FROM members m WHERE m.clinic_id = {CURRENT_CLINIC} AND m.user_id = users.id)",
    )
    guard("operators", "", own="")
    guard("ended_sessions", "", own="")

    system_function(
        "sign_in(text, text, boolean, text, uuid)",
        """
        CREATE FUNCTION sign_in(p_uid text, p_email text, p_email_verified boolean, p_name text, p_id uuid)
        RETURNS TABLE (id uuid, email text, display_name text) LANGUAGE plpgsql AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            INSERT INTO users AS u (id, firebase_uid, email, email_verified, display_name)
            VALUES (p_id, p_uid, p_email, p_email_verified, p_name)
            ON CONFLICT (firebase_uid) DO UPDATE SET
                email = excluded.email, email_verified = excluded.email_verified, display_name = excluded.display_name
            RETURNING u.id, u.email, u.display_name;
        END $$
        """,
    )
    system_function(
        "find_person(text, bytea, text)",
        """
        CREATE FUNCTION find_person(p_uid text, p_token_hash bytea, p_slug text)
        RETURNS TABLE (
            user_id uuid, email text, display_name text, operator boolean, ended boolean,
            clinic_id uuid, time_zone text, member_id uuid, roles text[]
        ) LANGUAGE plpgsql STABLE AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT u.id, u.email, u.display_name, o.user_id IS NOT NULL,
                   EXISTS (SELECT FROM ended_sessions e WHERE e.token_hash = p_token_hash),
                   m.clinic_id, c.time_zone, m.id, m.roles
            FROM users u
            LEFT JOIN operators o ON o.user_id = u.id
            LEFT JOIN clinics c ON c.slug = p_slug
            LEFT JOIN members m ON m.clinic_id = c.id AND m.user_id = u.id AND m.active
            WHERE u.firebase_uid = p_uid;
        END $$
        """,
    )
    system_function(
        "memberships_of(uuid)",
        """
        CREATE FUNCTION memberships_of(p_user_id uuid)
        RETURNS TABLE (id uuid, slug text, name text, time_zone text, version integer, roles text[])
        LANGUAGE plpgsql STABLE AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT c.id, c.slug, c.name, c.time_zone, c.version, m.roles
            FROM members m JOIN clinics c ON c.id = m.clinic_id
            WHERE m.user_id = p_user_id AND m.active ORDER BY c.name, c.id;
        END $$
        """,
    )
    system_function(
        "invited_to(bytea)",
        """
        CREATE FUNCTION invited_to(p_token_hash bytea)
        RETURNS TABLE (clinic_id uuid, time_zone text) LANGUAGE plpgsql STABLE AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT c.id, c.time_zone FROM invitations i JOIN clinics c ON c.id = i.clinic_id
            WHERE i.token_hash = p_token_hash;
        END $$
        """,
    )


def downgrade() -> None:
    drop_system_function("invited_to(bytea)")
    drop_system_function("memberships_of(uuid)")
    drop_system_function("find_person(text, bytea, text)")
    drop_system_function("sign_in(text, text, boolean, text, uuid)")
    # A policy of `users` reads `members`.
    op.execute("DROP POLICY own_clinic ON users")
    op.drop_table("invitations")
    op.drop_table("members")
    op.drop_table("operators")
    op.drop_table("ended_sessions")
    op.drop_table("users")
    op.drop_table("clinics")
