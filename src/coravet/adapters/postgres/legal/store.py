"""Legal texts, decisions on them and their chains on PostgreSQL."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from coravet.adapters.postgres.cursors import LAST, after, page_of
from coravet.adapters.postgres.statements import fetch
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.legal.chain import BEGINNING
from coravet.core.legal.documents import DOCUMENTS, REQUIRED_LOCALE, path_of
from coravet.core.legal.gate import Open, OpenDocument
from coravet.core.legal.model import Entry, PublishedText, Secret, StoredText
from coravet.core.legal.views import AcceptanceView, LegalTextView

PUBLISHING = 7_236_005
"""Advisory lock of whoever publishes."""

CHAIN = 7_236_006
"""Advisory lock of whoever adds to a chain; held with a hash of its clinic."""

AT_ONCE = 500
"""Entries of a chain that are read at once."""


_TEXT = (
    "SELECT v.slug, v.version, v.id AS version_id, v.ordinal, v.change, v.published_at, t.locale, t.title, t.sha256,"
    " NOT EXISTS (SELECT FROM legal_versions n WHERE n.slug = v.slug AND n.ordinal > v.ordinal) AS in_force"
    " FROM legal_versions v JOIN legal_texts t ON t.slug = v.slug AND t.version = v.version"
)
_ENTRY = ", ".join(Entry.__struct_fields__)

_RECEIPT = (
    "SELECT a.*, c.slug AS clinic, e.address, e.browser, e.key FROM acceptances a"
    " LEFT JOIN clinics c ON c.id = a.clinic_id"
    " LEFT JOIN acceptance_evidence e ON e.clinic_id = a.clinic_id AND e.id = a.id"
    " WHERE a.user_id = $1 AND "
)


def _text(row: asyncpg.Record) -> PublishedText:
    return PublishedText(**{name: row[name] for name in PublishedText.__struct_fields__})


class LegalTextsOnPostgres:
    """The `LegalTexts` and `Publishing` ports."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def text(self, slug: str, version: str, locale: str) -> PublishedText | None:
        rows = await self._work.fetch(
            f"{_TEXT} WHERE v.slug = $1 AND v.version = $2 AND t.locale = $3", slug, version, locale
        )
        return _text(rows[0]) if rows else None

    async def in_force(self, slug: str, locale: str) -> PublishedText | None:
        rows = await self._work.fetch(
            f"{_TEXT} WHERE v.slug = $1 AND t.locale = ANY($2) ORDER BY v.ordinal DESC, t.locale = $3 DESC LIMIT 1",
            slug,
            [locale, REQUIRED_LOCALE],
            locale,
        )
        return _text(rows[0]) if rows else None

    async def body(self, slug: str, version: str, locale: str) -> str | None:
        rows = await self._work.fetch(
            "SELECT body FROM legal_texts WHERE slug = $1 AND version = $2 AND locale = $3", slug, version, locale
        )
        return rows[0]["body"] if rows else None

    async def views(self, page: PageRequest) -> Page[LegalTextView]:
        last = after(page, tuple[str, int, bool, str]) or ("", 0, False, "")
        rows = await self._work.fetch(
            f"SELECT * FROM ({_TEXT}) found WHERE slug = ANY($7)"  # noqa: S608 -- our own
            " AND (slug, -ordinal, locale <> $1, locale) > ($2, $3, $4, $5)"
            " ORDER BY slug, -ordinal, locale <> $1, locale LIMIT $6",
            REQUIRED_LOCALE,
            *last,
            page.limit + 1,
            list(DOCUMENTS),  # a newer version of the service may have published others
        )
        return page_of(
            rows,
            page,
            self._view,
            lambda row: (row["slug"], -row["ordinal"], row["locale"] != REQUIRED_LOCALE, row["locale"]),
        )

    def _view(self, row: asyncpg.Record) -> LegalTextView:
        text = _text(row)
        document = DOCUMENTS[text.slug]
        return LegalTextView(
            slug=text.slug,
            version=text.version,
            locale=text.locale,
            sha256=text.sha256,
            url=self.url(text),
            title=text.title,
            audience=document.audience,
            blocking=document.blocking,
            change=text.change,
            in_force=text.in_force,
            published_at=text.published_at,
        )

    def url(self, text: PublishedText) -> str:
        return self._work.public_url + path_of(text.slug, text.version, text.locale)

    async def versions(self, slug: str) -> list[PublishedText]:
        await self._work.fetch("SELECT pg_advisory_xact_lock($1)", PUBLISHING)
        rows = await self._work.fetch(f"{_TEXT} WHERE v.slug = $1 ORDER BY v.ordinal, t.locale", slug)
        return [_text(row) for row in rows]

    async def stored(self) -> list[StoredText]:
        # Whichever version has the highest place is in force: should a constraint have gone, that may be two.
        rows = await self._work.fetch(
            f"SELECT found.*, encode(sha256(convert_to(b.body, 'UTF8')), 'hex') AS stored FROM ({_TEXT}) found"  # noqa: S608 -- our own
            " JOIN legal_texts b USING (slug, version, locale) ORDER BY slug, ordinal, locale"
        )
        return [StoredText(_text(row), row["stored"]) for row in rows]

    async def add(self, texts: list[PublishedText], bodies: list[str]) -> None:
        first = texts[0]
        await self._work.execute(
            "INSERT INTO legal_versions (slug, version, id, ordinal, change, published_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            first.slug,
            first.version,
            first.version_id,
            first.ordinal,
            first.change,
            first.published_at,
        )
        await self._work.execute_many(
            "INSERT INTO legal_texts (slug, version, locale, title, body, sha256) VALUES ($1, $2, $3, $4, $5, $6)",
            [
                (text.slug, text.version, text.locale, text.title, body, text.sha256)
                for text, body in zip(texts, bodies, strict=True)
            ],
        )

    async def concerned(
        self, *, owners: bool, clinic_id: ClinicId | None = None, user_id: UserId | None = None
    ) -> list[tuple[ClinicId, UserId]]:
        rows = await self._work.fetch(
            "SELECT clinic_id, user_id FROM members WHERE active AND (NOT $1 OR 'owner' = ANY(roles))"
            " AND ($2::uuid IS NULL OR clinic_id = $2) AND ($3::uuid IS NULL OR user_id = $3)",
            owners,
            clinic_id,
            user_id,
        )
        return [(row["clinic_id"], row["user_id"]) for row in rows]


class AcceptancesOnPostgres:
    """The `Acceptances` and `Chains` ports."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def head(self, clinic_id: ClinicId) -> tuple[int, bytes]:
        # A statement of its own: the next one's snapshot begins after whoever held the lock before has committed.
        await self._work.fetch("SELECT pg_advisory_xact_lock($1, hashtext($2))", CHAIN, str(clinic_id))
        rows = await self._work.fetch(
            "SELECT number, hash FROM acceptances WHERE clinic_id = $1 ORDER BY number DESC LIMIT 1", clinic_id
        )
        return (rows[0]["number"], rows[0]["hash"]) if rows else (0, BEGINNING)

    async def add(self, entry: Entry, secret: Secret | None) -> None:
        values = ", ".join(f"${place}" for place in range(1, len(Entry.__struct_fields__) + 1))
        await self._work.execute(
            f"INSERT INTO acceptances ({_ENTRY}) VALUES ({values})",  # noqa: S608 -- the struct's own names
            *msgspec.structs.astuple(entry),
        )
        if secret is not None:
            await self._work.execute(
                "INSERT INTO acceptance_evidence (clinic_id, id, address, browser, key) VALUES ($1, $2, $3, $4, $5)",
                entry.clinic_id,
                entry.id,
                *msgspec.structs.astuple(secret),
            )

    async def last_of(
        self, clinic_id: ClinicId, user_id: UserId | None, slug: str, *, declined: bool = True
    ) -> Entry | None:
        whose = (
            "capacity = 'clinic' AND $3::uuid IS NULL" if user_id is None else "capacity = 'oneself' AND user_id = $3"
        )
        rows = await self._work.fetch(
            f"SELECT {_ENTRY} FROM acceptances WHERE clinic_id = $1 AND slug = $2 AND {whose}"  # noqa: S608 -- our own
            " AND ($4 OR decision <> 'declined') ORDER BY number DESC LIMIT 1",
            clinic_id,
            slug,
            user_id,
            declined,
        )
        return Entry(**dict(rows[0])) if rows else None

    async def hold(self, user_id: UserId) -> bool:
        rows = await self._work.fetch("SELECT FROM users WHERE id = $1 FOR KEY SHARE", user_id)
        # Asked for once the lock is there: who erases people holds theirs until they are erased.
        return bool(rows) and not await self._work.fetch("SELECT FROM account_erasures WHERE user_id = $1", user_id)

    async def owned(self, user_id: UserId, slug: str | None) -> list[ClinicId] | None:
        rows = await self._work.fetch(
            "SELECT c.id, 'owner' = ANY(m.roles) AS owner FROM members m JOIN clinics c ON c.id = m.clinic_id"
            " WHERE m.user_id = $1 AND m.active AND ($2::text IS NULL OR c.slug = $2)",
            user_id,
            slug,
        )
        if slug is not None and not rows:
            return None
        return [row["id"] for row in rows if row["owner"]]

    async def views(self, user_id: UserId, page: PageRequest) -> Page[AcceptanceView]:
        last = after(page, UUID) or LAST
        rows = await self._work.fetch(
            f"{_RECEIPT} a.id < $2 ORDER BY a.id DESC LIMIT $3", user_id, last, page.limit + 1
        )
        return page_of(rows, page, self._view, lambda row: row["id"])

    async def view(self, user_id: UserId, acceptance_id: UUID) -> AcceptanceView:
        rows = await self._work.fetch(f"{_RECEIPT} a.id = $2", user_id, acceptance_id)
        if not rows:
            raise NotFound
        return self._view(rows[0])

    def _view(self, row: asyncpg.Record) -> AcceptanceView:
        return AcceptanceView(
            id=row["id"],
            slug=row["slug"],
            version=row["version"],
            locale=row["locale"],
            sha256=row["sha256"],
            url=self._work.public_url + path_of(row["slug"], row["version"], row["locale"]),
            decision=row["decision"],
            capacity=row["capacity"],
            clinic=row["clinic"],
            decided_at=row["decided_at"],
            screen=row["screen"],
            build=row["build"],
            request_id=row["request_id"],
            address=row["address"],
            browser=row["browser"],
            commitment=row["commitment"] and row["commitment"].hex(),
            key=row["key"] and row["key"].hex(),
            number=row["number"],
            previous=row["previous"].hex(),
            hash=row["hash"].hex(),
        )

    async def heads(self) -> list[tuple[ClinicId, int, bytes]]:
        rows = await self._work.fetch(
            "SELECT DISTINCT ON (clinic_id) clinic_id, number, hash FROM acceptances ORDER BY clinic_id, number DESC"
        )
        return [(row["clinic_id"], row["number"], row["hash"]) for row in rows]

    async def entries(self, clinic_id: ClinicId) -> AsyncIterator[Entry]:
        number = 0
        while True:
            rows = await self._work.fetch(
                f"SELECT {_ENTRY} FROM acceptances WHERE clinic_id = $1 AND number > $2 ORDER BY number LIMIT $3",  # noqa: S608 -- our own
                clinic_id,
                number,
                AT_ONCE,
            )
            for row in rows:
                yield Entry(**dict(row))
            if len(rows) < AT_ONCE:
                return
            number = rows[-1]["number"]

    async def secrets(self, clinic_id: ClinicId) -> dict[UUID, Secret]:
        rows = await self._work.fetch(
            "SELECT id, address, browser, key FROM acceptance_evidence WHERE clinic_id = $1", clinic_id
        )
        return {row["id"]: Secret(row["address"], row["browser"], row["key"]) for row in rows}


_OPEN = "SELECT * FROM open_documents($1, $2, $3, $4)"
_OWN = [document.slug for document in DOCUMENTS.values() if document.blocking and document.audience == "member"]
_CLINIC = [document.slug for document in DOCUMENTS.values() if document.blocking and document.audience == "clinic"]


class PostgresGate:
    """The `Gate` port; every question is one statement of its own."""

    def __init__(self, engine: AsyncEngine, public_url: str) -> None:
        self._engine = engine
        self._public_url = public_url

    async def pending(self, user_id: UserId, clinic_id: ClinicId | None) -> list[OpenDocument]:
        found = await self.all_open(user_id, [] if clinic_id is None else [clinic_id])
        return found.pending

    async def all_open(self, user_id: UserId, clinic_ids: list[ClinicId]) -> Open:
        rows = await fetch(self._engine, _OPEN, user_id, clinic_ids, _OWN, _CLINIC)
        shown = [row for row in rows if row["locale"] == REQUIRED_LOCALE]
        return Open(
            [self._document(row) for row in shown if row["blocking"]],
            [self._document(row) for row in shown if not row["blocking"]],
        )

    def _document(self, row: asyncpg.Record) -> OpenDocument:
        return OpenDocument(
            slug=row["slug"],
            version=row["version"],
            locale=row["locale"],
            sha256=row["sha256"],
            url=self._public_url + path_of(row["slug"], row["version"], row["locale"]),
            title=row["title"],
            clinic=row["clinic"],
        )
