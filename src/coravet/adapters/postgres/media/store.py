"""Photos and files on PostgreSQL: what they are, and where their objects lie."""

from uuid import UUID

from sqlalchemy import select

from coravet.adapters.postgres.media.tables import media
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.errors import NotFound
from coravet.core.media.keys import Key
from coravet.core.media.media_ports import Discarded, FoundObject, MadeObject
from coravet.core.media.model import Media, Purpose

_MADE = "variant, key, media_type, size, width, height"


class MediaOnPostgres(Rows[Media]):
    """See the port."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Media)
        self._work = work

    async def same(self, patient_id: UUID, purpose: Purpose, encounter_id: UUID | None, sha256: str) -> Media | None:
        found = await self._work.session.scalars(
            select(Media)
            .filter_by(
                patient_id=patient_id, purpose=purpose, encounter_id=encounter_id, sha256=sha256, removed_at=None
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
            f"SELECT {_MADE} FROM media_variants WHERE media_id = $1 ORDER BY size",  # noqa: S608 -- our own names
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

    async def next(self, after: Discarded | None, limit: int) -> list[Discarded]:
        last = (UUID(int=0), "") if after is None else (after.clinic_id, after.key)
        rows = await self._work.fetch(
            "SELECT clinic_id, key FROM discarded_objects WHERE (clinic_id, key) > ($1, $2)"
            " ORDER BY clinic_id, key LIMIT $3",
            *last,
            limit,
        )
        return [Discarded(ClinicId(row["clinic_id"]), Key(row["key"])) for row in rows]

    async def claim(self, discarded: Discarded) -> bool:
        # In a statement of its own: the next one sees what those named whom it waited for.
        await self._work.fetch("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", discarded.key)
        rows = await self._work.fetch(
            "SELECT FROM media_variants WHERE clinic_id = $1 AND key = $2"
            " UNION ALL SELECT FROM withheld"
            " WHERE clinic_id = $1 AND table_name = 'media_variants' AND content ->> 'key' = $2",
            discarded.clinic_id,
            discarded.key,
        )
        return not rows

    async def done(self, discarded: Discarded) -> None:
        await self._work.execute(
            "DELETE FROM discarded_objects WHERE clinic_id = $1 AND key = $2", discarded.clinic_id, discarded.key
        )
