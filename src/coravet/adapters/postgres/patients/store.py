"""Finding and reading clients and patients on PostgreSQL."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.cursors import after, page_of
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.patients.ports import Animal, Known
from coravet.core.patients.views import ClientView, FoundView, OwnerRef, PatientView

FIRST = UUID(int=0)

_CLIENTS = (
    "SELECT id, given_name || ' ' || family_name AS name, given_name, family_name, document_type, document_number,"
    " phone, email, created_at, version FROM clients"
)
_PATIENTS = (
    "SELECT p.id, p.name, p.species, p.breed, p.sex, p.reproductive_status, p.birth_date, p.birth_date_precision,"
    " p.deceased_on, p.color, p.created_at, p.version, c.id AS client_id,"
    " c.given_name || ' ' || c.family_name AS client_name, c.phone AS client_phone FROM patients p"
    " JOIN parties o ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL"
    " JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id"
)
_SEARCH = """
SELECT 'client' AS type, c.id, c.given_name || ' ' || c.family_name AS name, c.phone AS detail, c.id AS client_id,
       c.search_key LIKE $2 AS begins, c.search_key
FROM clients c WHERE c.search_key LIKE ALL ($1)
UNION ALL
SELECT 'patient', p.id, p.name, c.given_name || ' ' || c.family_name, c.id, p.search_key LIKE $2, p.search_key
FROM patients p
JOIN parties o ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL
JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
WHERE (p.search_key || ' ' || c.search_key) LIKE ALL ($1) AND NOT c.search_key LIKE ALL ($1)
   OR p.search_key LIKE ALL ($1)
ORDER BY begins DESC, search_key, id LIMIT $3
"""


def containing(word: str) -> str:
    """A LIKE pattern for text that contains the word."""
    escaped = word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def _client_view(row: asyncpg.Record) -> ClientView:
    return ClientView(*row.values())


def _patient_view(row: asyncpg.Record) -> PatientView:
    return PatientView(
        id=row["id"],
        name=row["name"],
        species=row["species"],
        breed=row["breed"],
        sex=row["sex"],
        reproductive_status=row["reproductive_status"],
        birth_date=row["birth_date"],
        birth_date_precision=row["birth_date_precision"],
        deceased_on=row["deceased_on"],
        color=row["color"],
        client_id=row["client_id"],
        client=OwnerRef(row["client_id"], row["client_name"], row["client_phone"]),
        created_at=row["created_at"],
        version=row["version"],
    )


class PatientReadsOnPostgres:
    """Clients and patients as readers see them, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def client(self, client_id: UUID) -> ClientView:
        rows = await self._work.fetch(f"{_CLIENTS} WHERE id = $1", client_id)
        if not rows:
            raise NotFound
        return _client_view(rows[0])

    async def clients(self, page: PageRequest, search: str | None) -> Page[ClientView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._work.fetch(
            f"{_CLIENTS} WHERE (family_name, id) > ($1, $2) AND ($3::text IS NULL OR search_key LIKE $3)"
            " ORDER BY family_name, id LIMIT $4",
            *last,
            None if search is None else containing(search),
            page.limit + 1,
        )
        return page_of(rows, page, _client_view, lambda row: (row["family_name"], row["id"]))

    async def patient(self, patient_id: UUID) -> PatientView:
        rows = await self._work.fetch(f"{_PATIENTS} WHERE p.id = $1", patient_id)
        if not rows:
            raise NotFound
        return _patient_view(rows[0])

    async def patients(self, page: PageRequest, client_id: UUID | None, search: str | None) -> Page[PatientView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        rows = await self._work.fetch(
            f"{_PATIENTS} WHERE (p.name, p.id) > ($1, $2) AND ($3::uuid IS NULL OR c.id = $3)"
            " AND ($4::text IS NULL OR p.search_key LIKE $4) ORDER BY p.name, p.id LIMIT $5",
            *last,
            client_id,
            None if search is None else containing(search),
            page.limit + 1,
        )
        return page_of(rows, page, _patient_view, lambda row: (row["name"], row["id"]))

    async def search(self, words: list[str], limit: int) -> list[FoundView]:
        rows = await self._work.fetch(
            _SEARCH, [containing(word) for word in words], containing(words[0]).removeprefix("%"), limit
        )
        return [FoundView(*list(row.values())[:5]) for row in rows]


class AcquaintancesOnPostgres:
    """Whom the clinic knows."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def one_at_a_time(self, words: Iterable[str]) -> None:
        await self._work.fetch(
            "SELECT pg_advisory_xact_lock(hashtextextended($1 || word, 0))"
            " FROM (SELECT word FROM unnest($2::text[]) AS word ORDER BY word) AS sorted",
            f"{self._work.actor.clinic_id}:guest:",
            list(words),
        )

    async def clients(self, document_type: str | None, document_number: str | None, phone: str) -> list[Known]:
        rows = await self._work.fetch(
            "SELECT id, given_name, family_name, document_type, document_number FROM clients"
            " WHERE phone = $3 OR (document_type = $1 AND document_number = $2) ORDER BY created_at, id",
            document_type,
            document_number,
            phone,
        )
        return [Known(*row.values()) for row in rows]

    async def animals(self, client_id: UUID) -> list[Animal]:
        rows = await self._work.fetch(
            "SELECT p.id, p.name, p.species FROM parties o"
            " JOIN patients p ON p.clinic_id = o.clinic_id AND p.id = o.patient_id"
            " WHERE o.client_id = $1 AND o.until IS NULL AND p.deceased_on IS NULL ORDER BY p.created_at, p.id",
            client_id,
        )
        return [Animal(*row.values()) for row in rows]
