"""Sheets that were handed out, on PostgreSQL."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
from msgspec import Meta

from coravet.adapters.postgres.cursors import after, page_of
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.records.model import Document
from coravet.core.records.sheets import SheetKind
from coravet.core.records.views import DocumentView, WriterRef
from coravet.core.scheduling.views import PatientRef

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]

_VIEW = """
SELECT d.id, d.number, d.kind, d.patient_id, p.name, p.species, d.subject_id, d.issued_at, d.withdrawn_at,
       d.withdraw_reason, d.issued_by, iu.display_name AS issuer, d.withdrawn_by, wu.display_name AS withdrawer
FROM documents d
JOIN patients p ON p.clinic_id = d.clinic_id AND p.id = d.patient_id
LEFT JOIN members im ON im.clinic_id = d.clinic_id AND im.id = d.issued_by
LEFT JOIN users iu ON iu.id = im.user_id
LEFT JOIN members wm ON wm.clinic_id = d.clinic_id AND wm.id = d.withdrawn_by
LEFT JOIN users wu ON wu.id = wm.user_id
"""


class DocumentRows(Rows[Document]):
    """The clinic's documents."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Document)
        self._work = work

    async def next_number(self) -> int:
        await self._alone()
        # Only now: a statement sees what was committed when it began.
        [row] = await self._work.fetch("SELECT coalesce(max(number), 0) + 1 AS number FROM documents")
        number: int = row["number"]
        return number

    async def _alone(self) -> None:
        await self._work.fetch(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{self._work.actor.clinic_id}:documents"
        )

    async def latest(self, kind: SheetKind, subject_id: UUID) -> Document | None:
        rows = await self._work.fetch(
            "SELECT clinic_id, id, number, kind, patient_id, subject_id, content, token_hash, issued_at,"
            " issued_on, issued_by, withdrawn_at, withdrawn_by, withdraw_reason FROM documents"
            " WHERE kind = $1 AND subject_id = $2 ORDER BY number DESC LIMIT 1",
            kind,
            subject_id,
        )
        return Document(**rows[0]) if rows else None

    async def withdraw(
        self, subjects: list[tuple[SheetKind, UUID]], since: datetime, at: datetime, by: MemberId | None, reason: str
    ) -> None:
        await self._alone()
        kinds, ids = [kind for kind, _ in subjects], [subject_id for _, subject_id in subjects]
        await self._work.execute(
            "UPDATE documents SET withdrawn_at = $4, withdrawn_by = $5, withdraw_reason = $6"
            " WHERE (kind, subject_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))"
            " AND issued_at >= $3 AND withdrawn_at IS NULL",
            kinds,
            ids,
            since,
            at,
            by,
            reason,
        )

    async def view(self, document_id: UUID) -> DocumentView:
        rows = await self._work.fetch(f"{_VIEW} WHERE d.id = $1", document_id)
        if not rows:
            raise NotFound
        return _view(rows[0])

    async def views(self, page: PageRequest, patient_id: UUID | None) -> Page[DocumentView]:
        rows = await self._work.fetch(
            f"{_VIEW} WHERE ($1::integer IS NULL OR d.number < $1) AND ($2::uuid IS NULL OR d.patient_id = $2)"
            " ORDER BY d.number DESC LIMIT $3",
            after(page, Number),
            patient_id,
            page.limit + 1,
        )
        return page_of(rows, page, _view, lambda row: row["number"])


def _view(row: asyncpg.Record) -> DocumentView:
    return DocumentView(
        id=row["id"],
        number=row["number"],
        kind=row["kind"],
        patient=PatientRef(row["patient_id"], row["name"], row["species"]),
        subject_id=row["subject_id"],
        state="valid" if row["withdrawn_at"] is None else "withdrawn",
        issued_at=row["issued_at"],
        issued_by=None if row["issued_by"] is None else WriterRef(row["issued_by"], row["issuer"]),
        withdrawn_at=row["withdrawn_at"],
        withdrawn_by=None if row["withdrawn_by"] is None else WriterRef(row["withdrawn_by"], row["withdrawer"]),
        withdraw_reason=row["withdraw_reason"],
    )
