"""Clinics that leave, and the deletion of all their rows."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import ForeignKeyConstraint, Table

from coravet.adapters.postgres.schema import metadata
from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.actor import ClinicId, MemberId
from coravet.core.kernel.errors import NotFound
from coravet.core.privacy.leaving_ports import Departure, Handed, Places

FOUND = """
SELECT d.id, d.clinic_id, c.time_zone, d.slug_sha256, d.closed_at, d.handed::text AS handed, d.certificate
FROM departures d LEFT JOIN clinics c ON c.id = d.clinic_id
"""
TOLD_SECONDS = 3
"""How long events of the clinic stay at least, so that every process that has streams open read them."""


def owned_by_clinics() -> list[Table]:
    """Every table of clinics' rows, whoever adds it, each before those that it refers to."""
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if next(iter(table.primary_key.columns.keys()), None) == "clinic_id"
    ]


def self_references(table: Table) -> list[str]:
    """The columns by which rows of a table refer to others of it."""
    return [
        column.name
        for constraint in table.constraints
        if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table is table
        for column in constraint.columns
        if column.name != "clinic_id"
    ]


class DeparturesOnPostgres:
    """The `Departures` port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def close(self, slug: str, departure_id: UUID, reason: str, at: datetime) -> Departure:
        # Every row that somebody adds to the clinic, an event included, holds a share of this one's key.
        here = await self._work.fetch("SELECT id FROM clinics WHERE slug = $1 FOR UPDATE", slug)
        address = sha256(slug.encode()).digest()
        if here:
            await self._work.execute(
                "INSERT INTO departures (id, clinic_id, slug_sha256, reason, closed_at) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT (clinic_id) DO NOTHING",
                departure_id,
                here[0]["id"],
                address,
                reason,
                at,
            )
            await self._work.execute(
                "UPDATE clinics SET leaving_since = $2 WHERE id = $1 AND leaving_since IS NULL", here[0]["id"], at
            )
        return _one(await self._work.fetch(f"{FOUND} WHERE d.slug_sha256 = $1", address))

    async def lock(self, departure_id: UUID) -> Departure:
        return _one(await self._work.fetch(f"{FOUND} WHERE d.id = $1 FOR UPDATE OF d", departure_id))

    async def reopen(self, departure_id: UUID) -> None:
        gone = await self._work.fetch(
            "DELETE FROM departures WHERE id = $1 AND handed IS NULL RETURNING clinic_id", departure_id
        )
        for row in gone:
            await self._work.execute("UPDATE clinics SET leaving_since = NULL WHERE id = $1", row["clinic_id"])

    async def hand_over(self, departure: Departure, handed: Handed) -> None:
        await self._work.execute(
            "UPDATE departures SET handed = $2::text::jsonb WHERE id = $1",
            departure.id,
            msgspec.json.encode(handed).decode(),
        )

    async def resume(self, departure: Departure) -> bool:
        here = await self._work.fetch("SELECT slug FROM clinics WHERE id = $1 FOR UPDATE", departure.clinic_id)
        if not here or departure.handed is None:
            return False
        # What the backup knows of it is older: it may have none, one that was not handed over, or one under way.
        await self._work.execute("DELETE FROM departures WHERE clinic_id = $1", departure.clinic_id)
        await self._work.execute(
            "INSERT INTO departures (id, clinic_id, slug_sha256, reason, closed_at, handed)"
            " VALUES ($1, $2, $3, $4, $5, $6::text::jsonb)",
            departure.id,
            departure.clinic_id,
            bytes.fromhex(departure.slug_sha256),
            "replayed",
            departure.closed_at,
            msgspec.json.encode(departure.handed).decode(),
        )
        await self._work.execute(
            "UPDATE clinics SET leaving_since = $2 WHERE id = $1", departure.clinic_id, departure.closed_at
        )
        return True


def _one(rows: list[asyncpg.Record]) -> Departure:
    if not rows:
        raise NotFound
    [row] = rows
    return Departure(
        id=row["id"],
        clinic_id=row["clinic_id"],
        time_zone=row["time_zone"] or "UTC",
        slug_sha256=row["slug_sha256"].hex(),
        closed_at=row["closed_at"],
        handed=row["handed"] and msgspec.json.decode(row["handed"], type=Handed),
        certificate=row["certificate"],
    )


class ClearingOnPostgres:
    """The `Clearing` port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    def tables(self) -> list[str]:
        return [str(table.name) for table in owned_by_clinics()]

    async def counts(self, clinic_id: ClinicId) -> dict[str, int]:
        each = (f"SELECT '{name}' AS name, count(*) FROM {name} WHERE clinic_id = $1" for name in self.tables())  # noqa: S608 -- the metadata's own names
        rows = await self._work.fetch(" UNION ALL ".join(each) + " ORDER BY name", clinic_id)
        return {row["name"]: row["count"] for row in rows}

    async def people(self, clinic_id: ClinicId) -> tuple[list[Places], int]:
        rows = await self._work.fetch("SELECT id, version FROM members WHERE clinic_id = $1 AND active", clinic_id)
        [alone] = await self._work.fetch(
            "SELECT count(*) AS count FROM members m WHERE m.clinic_id = $1"
            " AND NOT EXISTS (SELECT FROM members o WHERE o.user_id = m.user_id AND o.clinic_id <> $1)",
            clinic_id,
        )
        return [Places(MemberId(row["id"]), row["version"]) for row in rows], alone["count"]

    async def empty(self, departure: Departure, table: str, limit: int) -> int:
        # As a literal, like all that is set for a transaction: a distributed PostgreSQL passes on no other kind. And
        # PostgreSQL looks for rows that refer to each one that goes: they are gone, and an index tells that soonest.
        await self._work.execute(
            f"SET LOCAL app.departure = '{UUID(int=departure.id.int)}'; SET LOCAL enable_seqscan = off"
        )
        tag = await self._work.execute(_deletion(metadata.tables[table]), departure.clinic_id, limit)
        return int(tag.removeprefix("DELETE "))

    async def remove(self, departure: Departure, at: datetime, certificate: str) -> bool:
        # Locked first, so that nobody who waits for it adds a row after these were counted.
        await self._work.fetch("SELECT FROM clinics WHERE id = $1 FOR UPDATE", departure.clinic_id)
        if any((await self.counts(departure.clinic_id)).values()):
            return False
        await self._work.execute(
            "DELETE FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE '%' || $1 || '%'",
            str(departure.clinic_id),
        )
        await self._work.execute("DELETE FROM clinics WHERE id = $1", departure.clinic_id)
        await self._work.execute(
            "UPDATE departures SET completed_at = $2, certificate = $3 WHERE id = $1", departure.id, at, certificate
        )
        return True


def _deletion(table: Table) -> str:
    """A statement that deletes some of a clinic's rows ($1, at least $2 of them, where there are so many).

    Rows that refer to others of their table go with those, for one cannot go before the other: a visit and the one that
    took its place name each other.
    """
    name = table.name
    told = f" AND at < now() - interval '{TOLD_SECONDS} seconds'" if name == "outbox" else ""
    own = f"SELECT ctid FROM {name} WHERE clinic_id = $1{told} LIMIT $2"  # noqa: S608 -- the metadata's own names
    columns = self_references(table)
    if not columns:
        return f"DELETE FROM {name} WHERE ctid = ANY (ARRAY({own}))"  # noqa: S608 -- as above
    find = "SELECT id FROM {} WHERE clinic_id = $1 AND {} = batch.id"
    referring = " UNION ALL ".join(find.format(name, column) for column in columns)
    return (
        f"WITH RECURSIVE batch AS ((SELECT id FROM {name} WHERE clinic_id = $1 LIMIT $2)"  # noqa: S608 -- as above
        f" UNION SELECT referring.id FROM batch CROSS JOIN LATERAL ({referring}) referring)"
        f" DELETE FROM {name} USING batch WHERE {name}.clinic_id = $1 AND {name}.id = batch.id"
    )
