"""Finding and reading clients and patients on PostgreSQL."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import select

from coravet.adapters.postgres.cursors import FIRST, LAST, NEWEST, after, page_of
from coravet.adapters.postgres.patients.search import having
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.patients.model import Alert, Death, Identifier, IdentifierKind, Party, Patient
from coravet.core.patients.ports import Animal, Known, Word
from coravet.core.patients.views import (
    AlertRef,
    AlertView,
    ClientView,
    DeathView,
    IdentifierRef,
    IdentifierView,
    OwnerRef,
    PartyView,
    PatientView,
    PhotoRef,
)

T = TypeVar("T")


ALERTS = """
(SELECT coalesce(json_agg(json_build_object('id', x.id, 'moment', x.moment, 'text', x.text, 'expires_on', x.expires_on)
     ORDER BY x.created_at, x.id), '[]')::text
 FROM alerts x WHERE x.clinic_id = p.clinic_id AND x.patient_id = p.id AND x.ended_at IS NULL
   AND (x.expires_at IS NULL OR x.expires_at > now()))
"""
"""The alerts that show now of a patient `p`, for `decode_alerts`."""
decode_alerts = msgspec.json.Decoder(list[AlertRef]).decode
_decode_identifiers = msgspec.json.Decoder(list[IdentifierRef]).decode
_CLIENTS = (
    "SELECT id, given_name || ' ' || family_name AS name, given_name, family_name, document_type, document_number,"
    " phone, email, preferred_channel, canton, address, deceased_on, merged_into_id, suspended_at, created_at,"
    " version FROM clients"
)
# What the client is to them who stands at the end, if anybody does.
_PATIENTS = f"""
SELECT p.id, p.name, p.species, p.breed, p.sex, p.reproductive_status, p.birth_date, p.birth_date_precision,
       p.deceased_on, p.color, p.created_at, p.version, p.breed_code, c.id AS client_id,
       c.given_name || ' ' || c.family_name AS client_name, c.phone AS client_phone,
       (SELECT coalesce(json_agg(json_build_object('id', i.id, 'kind', i.kind, 'value', i.value)
            ORDER BY i.since, i.id), '[]')::text
        FROM identifiers i WHERE i.clinic_id = p.clinic_id AND i.patient_id = p.id AND i.until IS NULL) AS identifiers,
       {ALERTS} AS alerts, f.id AS photo_id, f.placeholder, a.role
FROM patients p
JOIN parties o ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL
JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
LEFT JOIN media f ON f.clinic_id = p.clinic_id AND f.patient_id = p.id AND f.purpose = 'photo' AND f.status = 'ready'
    AND f.removed_at IS NULL
LEFT JOIN parties a ON a.clinic_id = p.clinic_id AND a.patient_id = p.id AND a.until IS NULL AND a.client_id =
"""  # noqa: S608 -- put together from our own texts


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
        breed_code=row["breed_code"],
        identifiers=_decode_identifiers(row["identifiers"]),
        alerts=decode_alerts(row["alerts"]),
        photo=None if row["photo_id"] is None else PhotoRef(row["photo_id"], row["placeholder"]),
        role=row["role"],
    )


class PatientReadsOnPostgres:
    """Clients and patients as readers see them, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def client(self, client_id: UUID) -> ClientView:
        rows = await self._work.fetch(f"{_CLIENTS} WHERE id = $1 AND erased_at IS NULL", client_id)
        if not rows:
            raise NotFound
        return _client_view(rows[0])

    async def clients(self, page: PageRequest, words: list[Word] | None) -> Page[ClientView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        meant = having(words, "id", 4, of_clients=True)
        rows = await self._work.fetch(
            f"{_CLIENTS} WHERE merged_into_id IS NULL AND erased_at IS NULL AND (family_name, id) > ($1, $2) {meant}"
            " ORDER BY family_name, id LIMIT $3",
            *last,
            page.limit + 1,
            *(word.forms for word in words or ()),
        )
        return page_of(rows, page, _client_view, lambda row: (row["family_name"], row["id"]))

    async def patient(self, patient_id: UUID) -> PatientView:
        rows = await self._work.fetch(f"{_PATIENTS} NULL WHERE p.id = $1 AND p.erased_at IS NULL", patient_id)
        if not rows:
            raise NotFound
        return _patient_view(rows[0])

    async def patients(self, page: PageRequest, client_id: UUID | None, words: list[Word] | None) -> Page[PatientView]:
        last = after(page, tuple[str, UUID]) or ("", FIRST)
        # Of many who have a word only the page's are shown with their owners.
        meant = having(words, "n.id", 5, of_clients=False)
        narrowed = f"""
            AND p.id = ANY (ARRAY(
                SELECT n.id FROM patients n WHERE (n.name, n.id) > ($1, $2) {meant}
                  AND ($3::uuid IS NULL
                       OR n.id IN (SELECT patient_id FROM parties WHERE client_id = $3 AND until IS NULL))
                ORDER BY n.name, n.id LIMIT $4))
        """  # noqa: S608 -- put together from our own texts
        rows = await self._work.fetch(
            f"{_PATIENTS} $3 WHERE p.erased_at IS NULL AND (p.name, p.id) > ($1, $2)"
            f" AND ($3::uuid IS NULL OR a.id IS NOT NULL) {narrowed if meant else ''} ORDER BY p.name, p.id LIMIT $4",
            *last,
            client_id,
            page.limit + 1,
            *(word.forms for word in words or ()),
        )
        return page_of(rows, page, _patient_view, lambda row: (row["name"], row["id"]))


class PatientRows(Rows[Patient]):
    """The clinic's patients, but for those that were erased with whom they belonged to."""

    async def get(self, row_id: UUID) -> Patient:
        return _standing(await super().get(row_id))

    async def lock(self, row_id: UUID) -> Patient:
        return _standing(await super().lock(row_id))


def _standing(patient: Patient) -> Patient:
    if patient.erased_at is not None:
        raise NotFound
    return patient


class DeathsOnPostgres:
    """What was recorded of patients' deaths."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def add(self, death: Death) -> None:
        await self._work.insert([death])

    async def views(self, patient_id: UUID) -> list[DeathView]:
        rows = await self._work.fetch(
            "SELECT d.id, d.step, d.deceased_on, d.at, d.recorded_by, d.visits, d.waitlist_entries, d.recalls,"
            " d.messages FROM patients p LEFT JOIN deaths d ON d.clinic_id = p.clinic_id AND d.patient_id = p.id"
            " WHERE p.id = $1 ORDER BY d.at, d.id",
            patient_id,
        )
        return [DeathView(*list(row.values())[1:]) for row in of_one(rows)]


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
            " WHERE merged_into_id IS NULL AND id IN ("
            "  SELECT id FROM clients WHERE phone = $3 UNION ALL"
            "  SELECT id FROM clients WHERE document_type = $1 AND document_number = $2 AND merged_into_id IS NULL"
            "  UNION ALL SELECT client_id FROM contacts WHERE kind = 'phone' AND value = $3"
            " ) ORDER BY created_at, id",
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


class IdentifierRows(Rows[Identifier]):
    """What patients are told apart by."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Identifier)
        self._work = work

    async def of(self, patient_id: UUID, identifier_id: UUID) -> Identifier:
        return _found(
            await self._work.session.scalar(
                select(Identifier).filter_by(patient_id=patient_id, id=identifier_id, until=None)
            )
        )

    async def has(self, patient_id: UUID, kind: IdentifierKind, value_key: str) -> bool:
        rows = await self._work.fetch(
            "SELECT FROM identifiers WHERE patient_id = $1 AND kind = $2 AND value_key = $3 AND until IS NULL",
            patient_id,
            kind,
            value_key,
        )
        return bool(rows)

    async def views(self, patient_id: UUID, page: PageRequest) -> Page[IdentifierView]:
        rows = await self._work.fetch(
            "SELECT i.id, i.kind, i.value, i.since, i.until FROM patients p LEFT JOIN identifiers i"
            " ON i.clinic_id = p.clinic_id AND i.patient_id = p.id AND (i.since, i.id) < ($2, $3)"
            " WHERE p.id = $1 ORDER BY i.since DESC, i.id DESC LIMIT $4",
            patient_id,
            *(after(page, tuple[datetime, UUID]) or (NEWEST, LAST)),
            page.limit + 1,
        )
        return page_of(
            of_one(rows), page, lambda row: IdentifierView(*row.values()), lambda row: (row["since"], row["id"])
        )


class AlertRows(Rows[Alert]):
    """What must be known of patients."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Alert)
        self._work = work

    async def of(self, patient_id: UUID, alert_id: UUID) -> Alert:
        return _found(
            await self._work.session.scalar(select(Alert).filter_by(patient_id=patient_id, id=alert_id, ended_at=None))
        )

    async def views(self, patient_id: UUID, now: datetime, page: PageRequest) -> Page[AlertView]:
        rows = await self._work.fetch(
            "SELECT x.id, x.moment, x.text, x.expires_on, x.created_at FROM patients p LEFT JOIN alerts x"
            " ON x.clinic_id = p.clinic_id AND x.patient_id = p.id AND x.ended_at IS NULL"
            " AND (x.expires_at IS NULL OR x.expires_at > $2) AND (x.created_at, x.id) < ($3, $4)"
            " WHERE p.id = $1 ORDER BY x.created_at DESC, x.id DESC LIMIT $5",
            patient_id,
            now,
            *(after(page, tuple[datetime, UUID]) or (NEWEST, LAST)),
            page.limit + 1,
        )
        return page_of(
            of_one(rows), page, lambda row: AlertView(*row.values()), lambda row: (row["created_at"], row["id"])
        )


class PartyRows(Rows[Party]):
    """Who patients belong to."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Party)
        self._work = work

    async def current(self, patient_id: UUID) -> list[Party]:
        return list(await self._work.session.scalars(select(Party).filter_by(patient_id=patient_id, until=None)))

    async def views(self, patient_id: UUID, page: PageRequest) -> Page[PartyView]:
        rows = await self._work.fetch(
            "SELECT o.id, c.id AS client_id, rtrim(c.given_name || ' ' || c.family_name) AS name, c.phone, o.role,"
            " o.may_consent, o.since, o.until FROM patients p LEFT JOIN parties o"
            " ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND (o.since, o.id) < ($2, $3)"
            " LEFT JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id"
            " WHERE p.id = $1 ORDER BY o.since DESC, o.id DESC LIMIT $4",
            patient_id,
            *(after(page, tuple[datetime, UUID]) or (NEWEST, LAST)),
            page.limit + 1,
        )
        return page_of(of_one(rows), page, _party_view, lambda row: (row["since"], row["id"]))


def of_one(rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
    """What was joined to one patient or client, each by its id. Raises NotFound where there is no such one."""
    if not rows:
        raise NotFound
    return [row for row in rows if row["id"] is not None]


def _found(row: T | None) -> T:
    if row is None:
        raise NotFound
    return row


def _party_view(row: asyncpg.Record) -> PartyView:
    party_id, client_id, name, phone, *rest = row.values()
    return PartyView(party_id, OwnerRef(client_id, name, phone), *rest)
