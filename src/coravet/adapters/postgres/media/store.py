"""Photos and files on PostgreSQL: what they are, and where their objects lie."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import select

from coravet.adapters.postgres.cursors import LAST, NEWEST, after, page_of
from coravet.adapters.postgres.media.tables import media
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.events import MediaFailed
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.media.keys import Key, named
from coravet.core.media.media_ports import FoundObject, MadeObject, Unfinished
from coravet.core.media.model import Media, Purpose

_COLUMNS = ", ".join(f"m.{field.name}" for field in fields(Media))
_ATTACHMENTS = f"""
SELECT {_COLUMNS}, (SELECT json_agg(json_build_object('variant', v.variant, 'key', v.key, 'media_type', v.media_type,
        'size', v.size, 'width', v.width, 'height', v.height) ORDER BY v.size)
    FROM media_variants v WHERE v.clinic_id = m.clinic_id AND v.media_id = m.id) AS made
FROM patients p LEFT JOIN LATERAL (
    SELECT * FROM media m WHERE m.clinic_id = p.clinic_id AND m.patient_id = p.id
    AND m.purpose = 'attachment' AND m.status = 'ready' AND m.removed_at IS NULL AND (m.created_at, m.id) < ($1, $2)
    AND ($4::uuid IS NULL OR m.encounter_id = $4)
    ORDER BY m.created_at DESC, m.id DESC LIMIT $5
) m ON true WHERE p.id = $3 ORDER BY m.created_at DESC, m.id DESC
"""  # noqa: S608 -- our own names
_MADE = "v.variant, v.key, v.media_type, v.size, v.width, v.height"


def _attachment(row: asyncpg.Record) -> tuple[Media, list[MadeObject]]:
    found = dict(row)
    made = msgspec.convert(found.pop("made") or [], list[MadeObject])
    return Media(**found), made


class MediaOnPostgres(Rows[Media]):
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Media)
        self._work = work

    async def same(self, patient_id: UUID, purpose: Purpose, encounter_id: UUID | None, sha256: str) -> Media | None:
        found = await self._work.session.scalars(
            select(Media)
            .filter_by(
                patient_id=patient_id,
                purpose=purpose,
                encounter_id=encounter_id,
                sha256=sha256,
                removed_at=None,
                voided_at=None,
            )
            .order_by(media.c.created_at.desc(), media.c.id.desc())
            .limit(1)
        )
        return found.first()

    async def photo(self, patient_id: UUID) -> Media | None:
        found: Media | None = await self._work.session.scalar(
            select(Media)
            .filter_by(patient_id=patient_id, purpose="photo", status="ready", removed_at=None)
            .with_for_update()
        )
        return found

    async def made(self, media_id: UUID) -> list[MadeObject]:
        rows = await self._work.fetch(
            f"SELECT {_MADE} FROM media_variants v WHERE v.media_id = $1 ORDER BY v.size",  # noqa: S608 -- our own names
            media_id,
        )
        return [MadeObject(*row.values()) for row in rows]

    async def add_made(self, media_id: UUID, objects: list[MadeObject]) -> None:
        await self._work.flush()
        # Shared, so that uploads do not wait for each other; in order, so that none waits for another in a ring.
        for key in sorted({each.key for each in objects}):
            await self._work.fetch("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 7))", key)
        await self._work.execute_many(
            "INSERT INTO media_variants (clinic_id, id, media_id, variant, key, media_type, size, width, height)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [
                (
                    self._work.actor.clinic_id,
                    self._work.new_id(),
                    media_id,
                    each.variant,
                    each.key,
                    each.media_type,
                    each.size,
                    each.width,
                    each.height,
                )
                for each in objects
            ],
        )

    async def drop_made(self, media_id: UUID) -> None:
        await self._work.execute("DELETE FROM media_variants WHERE media_id = $1", media_id)

    async def attachments(
        self, page: PageRequest, patient_id: UUID, encounter_id: UUID | None
    ) -> Page[tuple[Media, list[MadeObject]]]:
        last = after(page, tuple[datetime, UUID]) or (NEWEST, LAST)
        rows = await self._work.fetch(_ATTACHMENTS, *last, patient_id, encounter_id, page.limit + 1)
        if not rows:
            raise NotFound
        found = [row for row in rows if row["id"] is not None]
        return page_of(found, page, _attachment, lambda row: (row["created_at"], row["id"]))

    async def object(self, media_id: UUID, variant: str) -> FoundObject:
        rows = await self._work.fetch(
            f"SELECT m.purpose, m.file_name, {_MADE} FROM media m"  # noqa: S608 -- our own names
            " JOIN media_variants v ON v.clinic_id = m.clinic_id AND v.media_id = m.id"
            " WHERE m.id = $1 AND v.variant = $2 AND m.removed_at IS NULL",
            media_id,
            variant,
        )
        if not rows:
            raise NotFound
        purpose, file_name, *made = rows[0].values()
        return FoundObject(purpose, file_name, MadeObject(*made))


class DiscardsOnPostgres:
    """See the port; for a system's work."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def add_orphans(self, keys: Sequence[Key]) -> None:
        clinics = [found.clinic_id for key in keys if (found := named(key))]
        await self._work.execute(
            "INSERT INTO discarded_objects (key) SELECT o.key FROM unnest($1::uuid[], $2::text[]) o (clinic_id, key)"
            " WHERE NOT EXISTS"
            " (SELECT FROM media_variants v WHERE v.clinic_id = o.clinic_id AND v.key = o.key)"
            " ON CONFLICT (key) DO NOTHING",
            clinics,
            list(keys),
        )

    async def next(self, after: Key | None, limit: int) -> list[Key]:
        rows = await self._work.fetch(
            "SELECT key FROM discarded_objects WHERE key > $1 ORDER BY key LIMIT $2", after or "", limit
        )
        return [Key(row["key"]) for row in rows]

    async def claim(self, key: Key) -> bool:
        # In a statement of its own: the next one sees what those named whom it waited for.
        await self._work.fetch("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", key)
        rows = await self._work.fetch(
            "SELECT FROM media_variants WHERE clinic_id = $1 AND key = $2"
            " UNION ALL SELECT FROM withheld"
            " WHERE clinic_id = $1 AND table_name = 'media_variants' AND content ->> 'key' = $2",
            UUID(key.partition("/")[0]),
            key,
        )
        return not rows

    async def done(self, key: Key) -> None:
        await self._work.execute("DELETE FROM discarded_objects WHERE key = $1", key)

    async def end_unfinished(self, before: datetime, problem: str, limit: int) -> list[Unfinished]:
        # Patients first, as others lock them; whoever works on one is not waited for.
        rows = await self._work.fetch(
            "WITH late AS ("
            "SELECT m.clinic_id, m.id FROM media m"
            " JOIN patients p ON p.clinic_id = m.clinic_id AND p.id = m.patient_id"
            " WHERE m.status IN ('uploading', 'processing') AND m.created_at < $1 AND m.removed_at IS NULL"
            " LIMIT $3 FOR UPDATE OF p SKIP LOCKED)"
            " UPDATE media m SET status = 'failed', problem = $2, version = version + 1 FROM late"
            " WHERE m.clinic_id = late.clinic_id AND m.id = late.id AND m.status IN ('uploading', 'processing')"
            " RETURNING m.clinic_id, m.id, m.version, m.received = m.size AS whole",
            before,
            problem,
            limit,
        )
        for row in rows:
            self._work.emit(MediaFailed(row["id"], row["version"]), ClinicId(row["clinic_id"]))
        return [Unfinished(ClinicId(row["clinic_id"]), row["id"], row["whole"]) for row in rows]

    async def unwanted(self, since: datetime) -> list[Unfinished]:
        rows = await self._work.fetch(
            "SELECT clinic_id, id FROM media WHERE status IN ('uploading', 'processing') AND removed_at >= $1", since
        )
        return [Unfinished(ClinicId(row["clinic_id"]), row["id"], whole=False) for row in rows]
