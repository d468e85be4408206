"""Clinics, members and invitations on PostgreSQL."""

from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from coravet.adapters.postgres.cursors import FIRST, after, page_of
from coravet.adapters.postgres.statements import fetch
from coravet.adapters.postgres.tenancy.tables import invitations, members
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.actor import ClinicId, MemberId, UserId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.tenancy.identity import Claims, TokenRevoked
from coravet.core.tenancy.model import Clinic, Invitation, Member
from coravet.core.tenancy.permissions import permissions_of
from coravet.core.tenancy.ports import Account, CalendarFound, ClinicFound, DocumentFound, LinkFound, Person, Place
from coravet.core.tenancy.views import (
    ClinicSettingsView,
    ClinicView,
    InvitationView,
    MembershipView,
    MemberView,
    UserView,
)


def session_id(token_hash: bytes) -> UUID:
    """A session's name: part of its hash, from which nobody gets back to the cookie."""
    return UUID(bytes=token_hash[:16], version=5)


class PostgresDirectory:
    """Who people are, before there is a clinic; every method is one statement of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def sign_in(self, claims: Claims) -> UserView:
        email = (claims.email or "").casefold()
        name = claims.display_name or email.partition("@")[0]
        try:
            [row] = await self._fetch(
                "SELECT * FROM sign_in($1, $2, $3, $4, $5)", claims.uid, email, claims.email_verified, name, uuid7()
            )
        except asyncpg.RestrictViolationError as error:
            raise TokenRevoked("the account was erased") from error
        return UserView(row["id"], row["email"], row["display_name"])

    async def find(self, uid: str, session: bytes, clinic: str | None) -> Person | None:
        # PostgreSQL's text holds no U+0000: a slug with one is nobody's.
        slug = None if clinic is None or "\0" in clinic else clinic
        rows = await self._fetch("SELECT * FROM find_person($1, $2, $3)", uid, session, slug)
        if not rows:
            return None
        [row] = rows
        if row["ended"]:
            raise TokenRevoked("logged out")
        place = None
        if row["member_id"] is not None:
            place = Place(
                clinic_id=row["clinic_id"],
                member_id=row["member_id"],
                roles=row["roles"],
                time_zone=row["time_zone"],
            )
        return Person(
            user=UserView(row["user_id"], row["email"], row["display_name"]),
            operator=row["operator"],
            session_id=session_id(session),
            place=place,
        )

    async def memberships(self, user_id: UserId) -> list[MembershipView]:
        rows = await self._fetch("SELECT * FROM memberships_of($1)", user_id)
        return [
            MembershipView(
                ClinicView(row["id"], row["slug"], row["name"], row["time_zone"], row["version"]),
                row["roles"],
                sorted(permissions_of(row["roles"])),
            )
            for row in rows
        ]

    async def clinics(self, user_id: UserId, page: PageRequest) -> Page[ClinicView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._fetch(
            "SELECT id, slug, name, time_zone, version FROM memberships_of($1) WHERE (name, id) > ($2, $3)"
            " ORDER BY name, id LIMIT $4",
            user_id,
            *last,
            page.limit + 1,
        )
        return page_of(rows, page, _clinic_view, lambda row: (row["name"], row["id"]))

    async def invited_to(self, token_hash: bytes) -> tuple[ClinicId, str] | None:
        rows = await self._fetch("SELECT * FROM invited_to($1)", token_hash)
        return (rows[0]["clinic_id"], rows[0]["time_zone"]) if rows else None

    async def link(self, token_hash: bytes) -> LinkFound | None:
        rows = await self._fetch("SELECT * FROM find_link($1)", token_hash)
        return LinkFound(*rows[0].values()) if rows else None

    async def clinic(self, slug: str) -> ClinicFound | None:
        if "\0" in slug:  # as in `find`
            return None
        rows = await self._fetch("SELECT * FROM find_clinic($1)", slug)
        return ClinicFound(*rows[0].values()) if rows else None

    async def hold(self, token_hash: bytes) -> ClinicFound | None:
        rows = await self._fetch("SELECT * FROM find_hold($1)", token_hash)
        return ClinicFound(*rows[0].values()) if rows else None

    async def calendar(self, clinic: str, resource_id: UUID, token_hash: bytes) -> CalendarFound | None:
        if "\0" in clinic:  # as in `find`
            return None
        rows = await self._fetch("SELECT * FROM find_calendar($1, $2, $3)", clinic, resource_id, token_hash)
        return CalendarFound(*rows[0].values()) if rows else None

    async def document(self, token_hash: bytes) -> DocumentFound | None:
        rows = await self._fetch("SELECT * FROM find_document($1)", token_hash)
        return DocumentFound(*rows[0].values()) if rows else None

    async def _fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        return await fetch(self._engine, sql, *arguments)


def _clinic_view(row: asyncpg.Record) -> ClinicView:
    return ClinicView(*row.values())


def _member_view(row: asyncpg.Record) -> MemberView:
    return MemberView(
        id=row["id"],
        user=UserView(row["user_id"], row["email"], row["display_name"]),
        roles=row["roles"],
        active=row["active"],
        registration_number=row["registration_number"],
        version=row["version"],
    )


_MEMBERS = (
    "SELECT m.id, m.user_id, u.email, u.display_name, m.roles, m.active, m.registration_number, m.version"
    " FROM members m JOIN users u ON u.id = m.user_id"
)


class MemberRows(Rows[Member]):
    """The clinic's members."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Member)
        self._work = work

    async def of_user(self, user_id: UserId) -> Member | None:
        found = await self._session.execute(select(Member).where(members.c.user_id == user_id).with_for_update())
        return found.scalar_one_or_none()

    async def active_owners(self) -> list[MemberId]:
        # Not FOR UPDATE: every new row of the clinic takes a share of its key, and should not be kept waiting.
        await self._work.fetch("SELECT id FROM clinics FOR NO KEY UPDATE")
        rows = await self._work.fetch("SELECT id FROM members WHERE active AND roles @> ARRAY['owner']")
        return [row["id"] for row in rows]

    async def views(self, page: PageRequest) -> Page[MemberView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._work.fetch(
            f"{_MEMBERS} WHERE (u.display_name, m.id) > ($1, $2) ORDER BY u.display_name, m.id LIMIT $3",
            *last,
            page.limit + 1,
        )
        return page_of(rows, page, _member_view, lambda row: (row["display_name"], row["id"]))

    async def view(self, member_id: MemberId) -> MemberView:
        rows = await self._work.fetch(f"{_MEMBERS} WHERE m.id = $1", member_id)
        if not rows:
            raise NotFound
        return _member_view(rows[0])


class InvitationRows(Rows[Invitation]):
    """The clinic's invitations."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Invitation)
        self._work = work

    async def by_token(self, token_hash: bytes) -> Invitation:
        found = await self._session.execute(
            select(Invitation).where(invitations.c.token_hash == token_hash).with_for_update()
        )
        invitation = found.scalar_one_or_none()
        if invitation is None:
            raise NotFound
        return invitation

    async def close_to(self, user_id: UserId, at: datetime) -> None:
        await self._work.execute(
            "UPDATE invitations SET closed_at = $1 WHERE accepted_at IS NULL AND closed_at IS NULL AND expires_at > $1"
            " AND email = (SELECT email FROM users WHERE id = $2)",
            at,
            user_id,
        )

    async def close_by(self, user_id: UserId, at: datetime) -> None:
        await self._work.execute(
            "UPDATE invitations SET closed_at = $1 WHERE accepted_at IS NULL AND closed_at IS NULL AND expires_at > $1"
            " AND invited_by = $2",
            at,
            user_id,
        )

    async def views(self, page: PageRequest) -> Page[InvitationView]:
        last = after(page, UUID) or FIRST
        rows = await self._work.fetch(
            "SELECT id, email, roles, expires_at, accepted_at, closed_at FROM invitations WHERE id > $1"
            " ORDER BY id LIMIT $2",
            last,
            page.limit + 1,
        )
        return page_of(rows, page, lambda row: InvitationView(*row.values()), lambda row: row["id"])


class ClinicRows(Rows[Clinic]):
    """Clinics that the work may see."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Clinic)
        self._work = work

    async def lock(self, row_id: UUID) -> Clinic:
        """As for every row; new rows of the clinic are not kept waiting."""
        return await self._one(row_id, with_for_update={"key_share": True})

    async def views(self, page: PageRequest) -> Page[ClinicView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._work.fetch(
            "SELECT id, slug, name, time_zone, version FROM clinics WHERE (name, id) > ($1, $2)"
            " ORDER BY name, id LIMIT $3",
            *last,
            page.limit + 1,
        )
        return page_of(rows, page, _clinic_view, lambda row: (row["name"], row["id"]))

    async def view(self, clinic_id: ClinicId) -> ClinicSettingsView:
        rows = await self._work.fetch(
            "SELECT id, slug, name, time_zone, version, grid_minutes FROM clinics WHERE id = $1", clinic_id
        )
        if not rows:
            raise NotFound
        return ClinicSettingsView(*rows[0].values())


class OperatorsOnPostgres:
    """The people who run the service; only a system's work sees them."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def accounts(self, email: str) -> list[Account]:
        rows = await self._work.fetch("SELECT id, email_verified FROM users WHERE email = $1", email)
        return [Account(*row.values()) for row in rows]

    async def grant(self, user_id: UserId, reason: str) -> None:
        await self._work.execute(
            "INSERT INTO operators (user_id, reason) VALUES ($1, $2)"
            " ON CONFLICT (user_id) DO UPDATE SET reason = excluded.reason, granted_at = now()",
            user_id,
            reason,
        )


class EndedSessions:
    """Cookies and tokens that were logged out; only a system's work sees them."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def end(self, session: bytes, expires_at: datetime) -> None:
        await self._work.execute(
            "INSERT INTO ended_sessions (token_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            session,
            expires_at,
        )

    async def clinics_of(self, user_id: UserId) -> list[ClinicId]:
        rows = await self._work.fetch(
            "SELECT m.clinic_id FROM members m JOIN clinics c ON c.id = m.clinic_id"
            " WHERE m.user_id = $1 AND m.active AND c.leaving_since IS NULL",
            user_id,
        )
        return [row["clinic_id"] for row in rows]
