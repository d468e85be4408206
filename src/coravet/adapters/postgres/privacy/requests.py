"""Rights requests on PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from coravet.adapters.postgres.cursors import FIRST, after, page_of
from coravet.adapters.postgres.tenancy.tables import MEMBER_NAME
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.actor import ClinicId, MemberId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.privacy.model import Right, RightsRequest
from coravet.core.privacy.ports import Due, DueNotice
from coravet.core.privacy.views import (
    ClarificationView,
    IdentityView,
    RequestDecisionView,
    RequestStepView,
    RequestSubject,
    RightsRequestSummary,
    RightsRequestView,
)

# Whoever is not a client is named by the request itself.
_SUBJECT = """
r.client_id, coalesce(rtrim(c.given_name || ' ' || c.family_name), r.subject_name) AS name, r.subject_contact AS contact
"""
_LATE = "coalesce(r.closed_at, $1) >= r.due_at AS late"
_FROM = "FROM privacy_requests r LEFT JOIN clients c ON c.clinic_id = r.clinic_id AND c.id = r.client_id"
_REQUEST = f"""
SELECT r.id, r.kind, r.status, {_SUBJECT}, r.minor, r.representative, r.channel, r.asked, r.received_at, r.opened_at,
    r.due_on, {_LATE}, r.identity_method, r.identified_at, r.clarification_asked_at, r.clarification_until,
    r.clarified_at, r.outcome, r.basis, coalesce(r.decided_at, r.closed_at) AS decided_at, r.executed_at,
    r.executed_reference, r.lifted_at, r.closed_at, r.version,
    (SELECT json_agg(json_build_object('step', s.step, 'status', s.status,
        'at', to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'by', (SELECT json_build_object('member_id', m.id, 'name', {MEMBER_NAME})
            FROM members m JOIN users u ON u.id = m.user_id WHERE m.clinic_id = s.clinic_id AND m.id = s.member_id),
        'due_on', s.due_on, 'method', s.method, 'outcome', s.outcome, 'basis', s.basis, 'reference', s.reference,
        'recipients_told', s.recipients_told, 'text', s.text) ORDER BY s.at, s.id)
     FROM privacy_request_steps s WHERE s.clinic_id = r.clinic_id AND s.request_id = r.id) AS steps
{_FROM} WHERE r.id = $2
"""  # noqa: S608 -- our own words
_REQUESTS = f"""
SELECT r.id, r.kind, r.status, {_SUBJECT}, r.channel, r.received_at, r.due_on, {_LATE}, r.closed_at, r.version
{_FROM}
WHERE ($2::boolean IS NULL OR (r.closed_at IS NOT NULL, r.due_on, r.id) > ($2, $3, $4))
  AND ($5::text IS NULL OR r.kind = $5) AND ($6::boolean IS NULL OR (r.closed_at IS NULL) = $6)
  AND (NOT $7 OR (r.closed_at IS NULL AND r.due_at <= $1))
ORDER BY r.closed_at IS NOT NULL, r.due_on, r.id LIMIT $8
"""
# Nothing is done any more to who was erased meanwhile.
_CHANGES = """
SELECT CASE WHEN r.kind IN ('objection', 'suspension') THEN c.id END AS client_id
FROM privacy_requests r
LEFT JOIN clients c ON c.clinic_id = r.clinic_id AND c.id = r.client_id AND c.erased_at IS NULL
WHERE r.id = $1
"""
_LIFT = """
UPDATE clients c SET suspended_at = NULL, version = c.version + 1
WHERE (c.id = $1 OR c.merged_into_id = $1) AND c.suspended_at IS NOT NULL AND c.erased_at IS NULL AND NOT EXISTS (
    SELECT FROM privacy_requests r
    WHERE r.clinic_id = c.clinic_id AND r.client_id = $1 AND r.id <> $2 AND r.kind = 'suspension'
      AND r.executed_at IS NOT NULL AND r.lifted_at IS NULL
)
RETURNING c.id, c.version
"""
# Before the request, as erasing locks them; who is being erased is waited for.
_GONE = """
SELECT c.erased_at FROM privacy_requests r JOIN clients c ON c.clinic_id = r.clinic_id AND c.id = r.client_id
WHERE r.id = $1 FOR KEY SHARE OF c
"""
_ERASED = "SELECT FROM erasures WHERE subject_id = $1 AND id = $2 AND completed_at IS NOT NULL"
# Whoever comes second waits for no row, and finds none that the first one took.
_TAKE = """
WITH due AS (
    SELECT clinic_id, id FROM privacy_requests
    WHERE closed_at IS NULL AND (reminded = 0 AND soon_at <= $1 OR reminded < 2 AND due_day_at <= $1)
    ORDER BY soon_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE privacy_requests r SET reminded = CASE WHEN r.due_day_at <= $1 THEN 2 ELSE 1 END
FROM due WHERE r.clinic_id = due.clinic_id AND r.id = due.id
RETURNING r.clinic_id, r.id, r.version, CASE r.reminded WHEN 2 THEN 'due' ELSE 'soon' END
"""
_HOLDERS = """
SELECT clinic_id, id FROM members WHERE clinic_id = ANY ($1) AND active AND roles && $2::text[] ORDER BY clinic_id, id
"""
_NOTICE = """
SELECT k.name AS clinic_name, k.slug AS clinic_slug, u.email AS to, r.due_on
FROM privacy_requests r JOIN clinics k ON k.id = r.clinic_id
JOIN members m ON m.clinic_id = r.clinic_id AND m.id = $2 AND m.active AND m.roles && $3::text[]
JOIN users u ON u.id = m.user_id
WHERE r.id = $1 AND r.closed_at IS NULL
"""


class RightsRequestRows(Rows[RightsRequest]):
    """What people in the data ask for."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, RightsRequest)
        self._work = work

    async def changes(self, request_id: UUID) -> UUID | None:
        rows = await self._work.fetch(_CHANGES, request_id)
        if not rows:
            raise NotFound
        client_id: UUID | None = rows[0]["client_id"]
        return client_id

    async def lift(self, client_id: UUID, request_id: UUID) -> list[tuple[UUID, int]]:
        return [(row["id"], row["version"]) for row in await self._work.fetch(_LIFT, client_id, request_id)]

    async def erased(self, request_id: UUID) -> bool:
        return any(row["erased_at"] is not None for row in await self._work.fetch(_GONE, request_id))

    async def check_erased(self, client_id: UUID, erasure_id: UUID) -> None:
        if not await self._work.fetch(_ERASED, client_id, erasure_id):
            raise NotFound


class RequestReadsOnPostgres:
    """Rights requests as readers see them, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def request(self, request_id: UUID, now: datetime) -> RightsRequestView:
        rows = await self._work.fetch(_REQUEST, now, request_id)
        if not rows:
            raise NotFound
        return _request_view(rows[0])

    async def requests(
        self, page: PageRequest, now: datetime, right: Right | None, *, open_only: bool | None, overdue: bool
    ) -> Page[RightsRequestSummary]:
        last = after(page, tuple[bool, date, UUID]) or (None, None, FIRST)
        rows = await self._work.fetch(_REQUESTS, now, *last, right, open_only, overdue, page.limit + 1)
        return page_of(rows, page, _summary, lambda row: (row["closed_at"] is not None, row["due_on"], row["id"]))


class RequestRemindersOnPostgres:
    """Which requests to remind of, in all clinics."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def take(self, now: datetime, limit: int) -> list[Due]:
        return [Due(*row.values()) for row in await self._work.fetch(_TAKE, now, limit)]

    async def holders(self, clinics: Sequence[ClinicId], roles: Sequence[str]) -> list[tuple[ClinicId, MemberId]]:
        rows = await self._work.fetch(_HOLDERS, list(clinics), list(roles))
        return [(row["clinic_id"], row["id"]) for row in rows]

    async def notice(self, request_id: UUID, member_id: MemberId, roles: Sequence[str]) -> DueNotice | None:
        rows = await self._work.fetch(_NOTICE, request_id, member_id, list(roles))
        return DueNotice(**dict(rows[0])) if rows else None


def _subject(row: asyncpg.Record) -> RequestSubject:
    return RequestSubject(row["client_id"], row["name"], row["contact"])


def _summary(row: asyncpg.Record) -> RightsRequestSummary:
    return RightsRequestSummary(
        id=row["id"],
        right=row["kind"],
        status=row["status"],
        subject=_subject(row),
        channel=row["channel"],
        received_at=row["received_at"],
        due_on=row["due_on"],
        late=row["late"],
        closed_at=row["closed_at"],
        version=row["version"],
    )


def _request_view(row: asyncpg.Record) -> RightsRequestView:
    identity: Any = row["identity_method"]
    asked: Any = row["clarification_asked_at"]
    outcome: Any = row["outcome"]
    return RightsRequestView(
        id=row["id"],
        right=row["kind"],
        status=row["status"],
        subject=_subject(row),
        minor=row["minor"],
        representative=row["representative"],
        channel=row["channel"],
        asked=row["asked"],
        received_at=row["received_at"],
        opened_at=row["opened_at"],
        due_on=row["due_on"],
        late=row["late"],
        identity=None if identity is None else IdentityView(identity, row["identified_at"]),
        clarification=None
        if asked is None
        else ClarificationView(asked, row["clarification_until"], row["clarified_at"]),
        decision=None if outcome is None else RequestDecisionView(outcome, row["basis"], row["decided_at"]),
        executed_at=row["executed_at"],
        executed_reference=row["executed_reference"],
        lifted_at=row["lifted_at"],
        closed_at=row["closed_at"],
        version=row["version"],
        steps=msgspec.convert(row["steps"], list[RequestStepView]),
    )
