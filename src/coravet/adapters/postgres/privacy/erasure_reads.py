"""Erasures as readers see them, and how long what is kept."""

from uuid import UUID

import asyncpg
import msgspec

from coravet.adapters.postgres.cursors import after, page_of
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.privacy.erasure_views import Certificate, ErasureView, RetentionRule

_VIEW = "SELECT id, requested_by, certificate, sha256, number FROM erasures"


class ErasureReadsOnPostgres:
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def of_client(self, client_id: UUID) -> ErasureView:
        return self._one(await self._work.fetch(f"{_VIEW} WHERE subject_id = $1", client_id))

    async def view(self, erasure_id: UUID) -> ErasureView:
        return self._one(await self._work.fetch(f"{_VIEW} WHERE id = $1", erasure_id))

    async def views(self, page: PageRequest) -> Page[ErasureView]:
        last = after(page, tuple[int])
        rows = await self._work.fetch(
            f"{_VIEW} WHERE ($1::integer IS NULL OR number < $1) ORDER BY number DESC LIMIT $2",
            last and last[0],
            page.limit + 1,
        )
        return page_of(rows, page, _view, lambda row: (row["number"],))

    @staticmethod
    def _one(rows: list[asyncpg.Record]) -> ErasureView:
        if not rows:
            raise NotFound
        return _view(rows[0])


def _view(row: asyncpg.Record) -> ErasureView:
    kept = msgspec.convert(row["certificate"], Certificate)
    # As it was hashed: the database keeps an object's members in an order of its own.
    certificate = msgspec.structs.replace(kept, rows=dict(sorted(kept.rows.items())))
    return ErasureView(row["id"], row["requested_by"], certificate, row["sha256"])


class RetentionOnPostgres:
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def own(self) -> list[RetentionRule]:
        rows = await self._work.fetch(
            "SELECT category, basis, months, review_on, provisional FROM retention_rules ORDER BY category"
        )
        return [RetentionRule(*row.values()) for row in rows]

    async def replace(self, rules: list[RetentionRule]) -> int:
        clinic_id = self._work.actor.clinic_id
        # Whoever replaces them at the same time waits here.
        [clinic] = await self._work.fetch(
            "UPDATE clinics SET version = version + 1 WHERE id = $1 RETURNING version", clinic_id
        )
        await self._work.execute("DELETE FROM retention_rules WHERE clinic_id = $1", clinic_id)
        await self._work.execute_many(
            "INSERT INTO retention_rules (clinic_id, category, basis, months, review_on, provisional)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            [(clinic_id, *msgspec.structs.astuple(rule)) for rule in rules],
        )
        version: int = clinic["version"]
        return version
