"""Clients, how they are reached, what they decided, who may be one of them already, and who turned out to be."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import select

from coravet.adapters.postgres.cursors import FIRST, LAST, after, page_of
from coravet.adapters.postgres.patients.store import of_one
from coravet.adapters.postgres.patients.tables import clients
from coravet.adapters.postgres.tenancy.tables import MEMBER_NAME
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.legal.model import Shown
from coravet.core.patients.errors import ClientMerged
from coravet.core.patients.model import UNDOABLE, Client, Consent, Contact, Merge
from coravet.core.patients.ports import Likeness
from coravet.core.patients.views import (
    ConsentView,
    ContactView,
    DuplicateView,
    MemberRef,
    MergedRef,
    MergeView,
)

MOVED = {
    "parties": ("client_id", ""),
    "appointments": ("client_id", ""),
    "waitlist": ("client_id", ""),
    "contacts": ("client_id", ""),
    "privacy_requests": ("client_id", ""),
    "links": ("subject_id", " AND purpose = 'opt_out'"),
    "clients": ("merged_into_id", ""),
}
"""What is a client's, by table: the column that says whose, and which of the table's rows are meant.

In the order in which works lock them. Clients who were merged before follow, so that each of them names one who is not.
"""

FOLLOWED = {
    ("consents", "client_id"): "proof of what was said by whom; read together with those of whoever was merged",
    ("channel_choices", "client_id"): "as consents",
    ("acceptances", "client_id"): "as consents, and for good",
    ("erasures", "subject_id"): "a certificate of who was erased, under the id that they had",
    ("client_merges", "client_id"): "the trail of merges itself",
    ("client_merges", "merged_id"): "as client_id",
}
"""References to clients that a merge leaves as they are, and why."""

PERSONS = "ARRAY(SELECT x.id FROM clients x WHERE x.clinic_id = {0}.clinic_id AND x.merged_into_id = {0}.id) || {0}.id"
"""Ids under which a client's decisions are kept: their own, and those of whoever was merged into them."""

_MEMBER = f"""(SELECT json_build_object('member_id', w.id, 'name', {MEMBER_NAME})
    FROM members w JOIN users u ON u.id = w.user_id WHERE w.clinic_id = {{0}} AND w.id = {{1}})"""  # noqa: S608 -- our names
"""A member as a `MemberRef` in JSON, or null."""

_END_WEAKER = """
UPDATE parties e SET until = greatest(e.since, $3)
FROM parties k
WHERE k.clinic_id = e.clinic_id AND k.patient_id = e.patient_id AND k.id <> e.id
  AND e.until IS NULL AND k.until IS NULL AND e.client_id IN ($1, $2) AND k.client_id IN ($1, $2)
  AND e.client_id <> k.client_id
  AND (array_position(ARRAY['owner', 'co_owner', 'caretaker'], e.role), (e.client_id = $1)::int)
    > (array_position(ARRAY['owner', 'co_owner', 'caretaker'], k.role), (k.client_id = $1)::int)
RETURNING e.id
"""
# Not where the relation was made anew meanwhile: nobody has the same one twice.
_REOPEN = """
UPDATE parties e SET until = NULL
WHERE e.id = ANY ($1) AND e.until = greatest(e.since, $2) AND NOT EXISTS (
    SELECT FROM parties k
    WHERE k.clinic_id = e.clinic_id AND k.patient_id = e.patient_id AND k.client_id = e.client_id AND k.until IS NULL
)
"""
# Before the clients, as whoever books for a patient, transfers it or adds a party locks it before them; writing a party
# locks its patient (`search_parties`).
_THEIR_PATIENTS = """
SELECT FROM patients p WHERE p.id IN (SELECT o.patient_id FROM parties o WHERE o.client_id = ANY ($1))
ORDER BY p.id FOR NO KEY UPDATE
"""
_OWNED_AGAIN = """
SELECT patient_id FROM parties
WHERE id = ANY ($1) AND client_id = $2 AND role = 'owner' AND until IS NULL
"""
_LIKE = """
, hits (id, reason, similarity) AS (
    SELECT c.id, 'document', 0 FROM self CROSS JOIN LATERAL unnest(self.types, self.numbers) AS d (kind, number)
    JOIN clients c ON c.document_type = d.kind AND c.document_number = d.number AND c.merged_into_id IS NULL
    UNION ALL
    SELECT c.id, 'phone', 0 FROM self JOIN clients c ON c.phone = ANY (self.phones)
    UNION ALL
    SELECT k.client_id, 'phone', 0 FROM self JOIN contacts k ON k.kind = 'phone' AND k.value = ANY (self.phones)
    UNION ALL
    SELECT s.client_id, 'name', s.similarity FROM self CROSS JOIN LATERAL similar_clients(self.name) s
), found AS (
    SELECT id, array_agg(DISTINCT reason) AS reasons, max(similarity) AS similarity FROM hits GROUP BY id
)
SELECT c.id, c.given_name || ' ' || c.family_name, c.document_type, c.document_number, c.phone, f.reasons, f.similarity,
       ARRAY(
           SELECT p.name FROM parties o JOIN patients p ON p.clinic_id = o.clinic_id AND p.id = o.patient_id
           WHERE o.clinic_id = c.clinic_id AND o.client_id = c.id AND o.until IS NULL
           ORDER BY p.created_at, p.id LIMIT 5
       )
FROM self LEFT JOIN (
    found f JOIN clients c ON c.id = f.id AND c.merged_into_id IS NULL AND c.erased_at IS NULL
) ON f.id IS DISTINCT FROM self.id
ORDER BY ('document' = ANY (f.reasons)) DESC NULLS LAST, ('phone' = ANY (f.reasons))::int + f.similarity DESC, c.id
LIMIT {limit}
"""
_OF_PERSON = (
    "WITH self AS (SELECT NULL::uuid AS id, $1::text AS name, $2::text[] AS types, $3::text[] AS numbers,"
    " $4::text[] AS phones)"
) + _LIKE.format(limit="$5")
# A natural person's RUC is their cédula and 001.
_OF_CLIENT = """
WITH self AS (
    SELECT c.id, c.name_key AS name,
           ARRAY[c.document_type, CASE c.document_type WHEN 'cedula' THEN 'ruc' WHEN 'ruc' THEN 'cedula' END] AS types,
           ARRAY[c.document_number, CASE c.document_type WHEN 'cedula' THEN c.document_number || '001'
               WHEN 'ruc' THEN left(c.document_number, 10) END] AS numbers,
           array_remove(ARRAY(
               SELECT k.value FROM contacts k
               WHERE k.clinic_id = c.clinic_id AND k.client_id = c.id AND k.kind = 'phone'
           ) || c.phone, NULL) AS phones
    FROM clients c WHERE c.id = $1 AND c.merged_into_id IS NULL AND c.erased_at IS NULL
)""" + _LIKE.format(limit="$2")  # noqa: S608 -- our own words
# Who agreed to WhatsApp and refuses the channel has taken that back, and is told as having. Of those who are one person
# now, a refusal by any holds until they decide anew, as with channels.
_CONSENTS = f"""
WITH person AS (
    SELECT c.clinic_id, {PERSONS.format("c")} AS ids, (
        SELECT max(g.merged_at) FROM client_merges g
        WHERE g.clinic_id = c.clinic_id AND g.client_id = c.id AND g.undone_at IS NULL
    ) AS merged_at
    FROM clients c WHERE c.id = $1
), said AS (
    SELECT e.client_id, e.id, e.purpose, e.decision, e.text_slug, e.text_version, e.text_locale, e.text_sha256,
           e.source, e.note, e.recorded_by, e.decided_at
    FROM person c JOIN consents e ON e.clinic_id = c.clinic_id AND e.client_id = ANY (c.ids)
), decided AS (
    SELECT * FROM said
    UNION ALL
    SELECT d.client_id, d.id, 'whatsapp', 'withdrawn', NULL, NULL, NULL, NULL, d.source, NULL, d.recorded_by,
           d.chosen_at
    FROM person c JOIN channel_choices d ON d.clinic_id = c.clinic_id AND d.client_id = ANY (c.ids)
    WHERE d.channel = 'whatsapp' AND NOT d.allowed AND 'accepted' = (
        SELECT s.decision FROM said s
        WHERE s.client_id = d.client_id AND s.purpose = 'whatsapp' AND s.decided_at <= d.chosen_at
        ORDER BY s.decided_at DESC, s.id DESC LIMIT 1
    )
), last AS (
    SELECT DISTINCT ON (e.client_id, e.purpose) e.* FROM decided e
    ORDER BY e.client_id, e.purpose, e.decided_at DESC, e.id DESC
), present AS (
    SELECT DISTINCT ON (e.purpose) e.id FROM last e CROSS JOIN person c
    ORDER BY e.purpose, e.decided_at > c.merged_at DESC, e.decision = 'accepted', e.decided_at DESC, e.id DESC
)
SELECT e.* FROM clients k LEFT JOIN (
    SELECT d.id, d.purpose, d.decision, d.text_slug, d.text_version, d.text_locale, d.text_sha256, d.source, d.note,
           {_MEMBER.format("c.clinic_id", "d.recorded_by")} AS recorded_by, d.decided_at,
           d.id IN (SELECT id FROM present) AS current
    FROM decided d CROSS JOIN person c
) e ON (e.current OR NOT $2) AND ($6::uuid IS NULL OR e.id = $6)
    AND ($3::timestamptz IS NULL OR (e.decided_at, e.id) < ($3, $4))
WHERE k.id = $1
ORDER BY e.decided_at DESC, e.id DESC LIMIT $5
"""  # noqa: S608 -- as above
_AGREED = f"""
SELECT e.text_slug, e.text_version, e.text_locale, e.text_sha256
FROM clients c JOIN consents e ON e.clinic_id = c.clinic_id AND e.client_id = ANY ({PERSONS.format("c")})
WHERE c.id = $1 AND e.purpose = $2 AND e.decision = 'accepted' ORDER BY e.decided_at DESC, e.id DESC LIMIT 1
"""  # noqa: S608 -- as above
_MERGES = f"""
SELECT g.id, g.client_id, rtrim(c.given_name || ' ' || c.family_name),
       g.merged_id, rtrim(m.given_name || ' ' || m.family_name),
       g.merged_at, {_MEMBER.format("g.clinic_id", "g.merged_by")} AS merged_by, g.filled,
       (SELECT coalesce(json_object_agg(key, jsonb_array_length(value) ORDER BY key), '{{}}')
        FROM jsonb_each(g.moved))::text AS moved,
       g.undone_at, {_MEMBER.format("g.clinic_id", "g.undone_by")} AS undone_by
FROM client_merges g
JOIN clients c ON c.clinic_id = g.clinic_id AND c.id = g.client_id
JOIN clients m ON m.clinic_id = g.clinic_id AND m.id = g.merged_id
"""  # noqa: S608 -- as above


class ClientRows(Rows[Client]):
    """The clinic's clients, but for those who are another one now, or were erased."""

    async def get(self, row_id: UUID) -> Client:
        return _standing(await self._one(row_id, with_for_update={"read": True}))

    async def lock(self, row_id: UUID) -> Client:
        # Leaves references to the client possible, and is kept off by who holds the client to make one.
        return _standing(await self._one(row_id, with_for_update={"key_share": True}))


def _standing(client: Client) -> Client:
    if client.merged_into_id is not None:
        raise ClientMerged(client.merged_into_id)
    if client.erased_at is not None:
        raise NotFound
    return client


class ContactRows(Rows[Contact]):
    """Further phones and mail addresses."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Contact)
        self._work = work

    async def of(self, client_id: UUID) -> list[Contact]:
        await self._work.flush()
        query = select(Contact).filter_by(client_id=client_id).order_by("created_at", "id")
        return list(await self._work.session.scalars(query))

    async def remove(self, client_id: UUID, contact_id: UUID) -> None:
        removed = await self._work.execute(
            "DELETE FROM contacts k USING contacts x WHERE x.id = $1 AND x.client_id = $2"
            " AND k.clinic_id = x.clinic_id AND (k.client_id, k.kind, k.value) = (x.client_id, x.kind, x.value)",
            contact_id,
            client_id,
        )
        if removed == "DELETE 0":
            raise NotFound

    async def views(self, client_id: UUID, page: PageRequest) -> Page[ContactView]:
        rows = await self._work.fetch(
            "SELECT k.id, k.kind, k.value, k.label, k.created_at FROM clients c LEFT JOIN contacts k"
            " ON k.clinic_id = c.clinic_id AND k.client_id = c.id"
            # Two who were merged may have had the same one.
            " AND k.value IS DISTINCT FROM CASE k.kind WHEN 'phone' THEN c.phone ELSE c.email END"
            " AND NOT EXISTS (SELECT FROM contacts x WHERE x.clinic_id = k.clinic_id AND x.client_id = k.client_id"
            " AND (x.kind, x.value) = (k.kind, k.value) AND (x.created_at, x.id) < (k.created_at, k.id))"
            " AND ($2::timestamptz IS NULL OR (k.created_at, k.id) > ($2, $3))"
            " WHERE c.id = $1 ORDER BY k.created_at, k.id LIMIT $4",
            client_id,
            *(after(page, tuple[datetime, UUID]) or (None, FIRST)),
            page.limit + 1,
        )
        return page_of(
            of_one(rows), page, lambda row: ContactView(*row.values()), lambda row: (row["created_at"], row["id"])
        )


class ConsentRows(Rows[Consent]):
    """What clients decided."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Consent)
        self._work = work

    async def view(self, client_id: UUID, consent_id: UUID) -> ConsentView:
        [row] = await self._work.fetch(_CONSENTS, client_id, False, None, LAST, 1, consent_id)
        return _consent_view(row)

    async def agreed(self, client_id: UUID, purpose: str) -> Shown | None:
        rows = await self._work.fetch(_AGREED, client_id, purpose)
        return Shown(*rows[0].values()) if rows else None

    async def views(self, client_id: UUID, page: PageRequest, *, current: bool) -> Page[ConsentView]:
        rows = await self._work.fetch(
            _CONSENTS,
            client_id,
            current,
            *(after(page, tuple[datetime, UUID]) or (None, LAST)),
            page.limit + 1,
            None,
        )
        return page_of(of_one(rows), page, _consent_view, lambda row: (row["decided_at"], row["id"]))


def _consent_view(row: asyncpg.Record) -> ConsentView:
    consent_id, purpose, decision, slug, version, locale, sha256, source, note, recorded_by, *rest = row.values()
    text = None if slug is None else Shown(slug, version, locale, sha256)
    return ConsentView(consent_id, purpose, decision, text, source, note, _member(recorded_by), *rest)


def _member(found: Any) -> MemberRef | None:
    return None if found is None else msgspec.convert(found, MemberRef)


class DuplicatesOnPostgres:
    """Clients who may be the same person."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def of_person(self, person: Likeness, limit: int) -> list[DuplicateView]:
        types, numbers = [kind for kind, _ in person.documents], [number for _, number in person.documents]
        rows = await self._work.fetch(_OF_PERSON, person.name, types, numbers, person.phones, limit)
        return _duplicates(rows)

    async def of_client(self, client_id: UUID, limit: int) -> list[DuplicateView]:
        return _duplicates(await self._work.fetch(_OF_CLIENT, client_id, limit))


def _duplicates(rows: list[asyncpg.Record]) -> list[DuplicateView]:
    return [DuplicateView(*row.values()) for row in of_one(rows)]


class MergeRows(Rows[Merge]):
    """Clients who were one person."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Merge)
        self._work = work

    async def both(self, first: UUID, second: UUID) -> tuple[Client, Client]:
        await self._work.fetch(_THEIR_PATIENTS, [first, second])
        query = select(Client).where(clients.c.id.in_((first, second))).order_by("id").with_for_update(key_share=True)
        found = {client.id: client for client in await self._work.session.scalars(query)}
        if len(found) < 2 or any(client.erased_at is not None for client in found.values()):
            raise NotFound
        return found[first], found[second]

    async def move(self, source: UUID, target: UUID, now: datetime) -> dict[str, list[UUID]]:
        ended = await self._work.fetch(_END_WEAKER, source, target, now)
        moved = {"ended": [row["id"] for row in ended]}
        for table, (column, meant) in MOVED.items():
            moved[table] = []
            # A visit that was being moved meanwhile left a copy behind, which only the next look sees.
            while rows := await self._work.fetch(
                f"UPDATE {table} SET {column} = $2 WHERE {column} = $1{meant} RETURNING id",  # noqa: S608 -- our names
                source,
                target,
            ):
                moved[table] += [row["id"] for row in rows]
        return moved

    async def put_back(self, merge: Merge) -> list[UUID]:
        for table, (column, meant) in MOVED.items():
            await self._work.execute(
                f"UPDATE {table} SET {column} = $1 WHERE id = ANY ($3) AND {column} = $2{meant}",  # noqa: S608 -- our names
                merge.merged_id,
                merge.client_id,
                merge.moved.get(table, []),
            )
        await self._work.execute("DELETE FROM contacts WHERE id = ANY ($1)", merge.moved.get("added", []))
        await self._work.execute(_REOPEN, merge.moved.get("ended", []), merge.merged_at)
        owned = await self._work.fetch(_OWNED_AGAIN, merge.moved.get("parties", []), merge.merged_id)
        return [row["patient_id"] for row in owned]

    async def view(self, merge_id: UUID) -> MergeView:
        rows = await self._work.fetch(f"{_MERGES} WHERE g.id = $1", merge_id)
        if not rows:
            raise NotFound
        return _merge_view(rows[0])

    async def views(self, page: PageRequest, client_id: UUID | None) -> Page[MergeView]:
        rows = await self._work.fetch(
            f"{_MERGES} WHERE ($1::timestamptz IS NULL OR (g.merged_at, g.id) < ($1, $2))"
            " AND ($3::uuid IS NULL OR $3 IN (g.client_id, g.merged_id))"
            " ORDER BY g.merged_at DESC, g.id DESC LIMIT $4",
            *(after(page, tuple[datetime, UUID]) or (None, LAST)),
            client_id,
            page.limit + 1,
        )
        return page_of(rows, page, _merge_view, lambda row: (row["merged_at"], row["id"]))


_counts = msgspec.json.Decoder(dict[str, int]).decode


def _merge_view(row: asyncpg.Record) -> MergeView:
    merge_id, client_id, client, merged_id, merged, merged_at, merged_by, filled, moved, undone_at, undone_by = row
    return MergeView(
        id=merge_id,
        client=MergedRef(client_id, client),
        merged=MergedRef(merged_id, merged),
        merged_at=merged_at,
        merged_by=_member(merged_by),
        filled=filled,
        moved=_counts(moved),
        undoable_until=None if undone_at is not None else merged_at + UNDOABLE,
        undone_at=undone_at,
        undone_by=_member(undone_by),
    )
