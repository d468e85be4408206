"""Converting what was handed in and could not be converted at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from uuid import UUID

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Invalid, NotFound, UnsupportedMedia
from coravet.core.kernel.events import MediaFailed
from coravet.core.kernel.work import Begin
from coravet.core.media.keys import upload_prefix
from coravet.core.media.media_ports import MediaWork
from coravet.core.media.model import Media
from coravet.core.media.ports import ObjectStore
from coravet.core.media.studio import Studio, prepare, store_all
from coravet.core.media.take import ProcessMedia, show

OTHER_BYTES = "other_bytes"
"""The problem of an upload that is not what its SHA-256 said."""


async def process(
    job: ProcessMedia,
    actor: Actor,
    begin: Begin[MediaWork],
    clock: Clock,
    studio: Studio,
    patience: float | None = None,
) -> None:
    """Convert a photo that waits, and show it; one that cannot be shown has `failed`, with the problem's code.

    Does nothing where that was done, or nobody wants it any more.

    Raises:
        Unavailable: store or converter do not answer.
    """
    async with begin(actor) as work:
        try:
            media = await work.media.get(job.media_id)
        except NotFound:
            return
    if media.status == "ready" or media.removed_at is not None:
        await drop_parts(actor.clinic_id, media.id, studio.store)
    if media.status != "processing" or media.removed_at is not None:
        return
    prepared, problem = None, None
    async with _whole(media, studio.store) as (path, digest):
        if digest != media.sha256:
            problem = OTHER_BYTES
        else:
            try:
                prepared = await prepare(path, media.purpose, actor.clinic_id, studio, patience)
            except (UnsupportedMedia, Invalid) as error:
                problem = error.code
    made = [] if prepared is None else prepared.made
    await store_all(made, studio.store)
    async with begin(actor) as work:
        await work.patients.lock(media.patient_id)
        media = await work.media.lock(job.media_id)
        if media.status == "processing" and media.removed_at is None:
            if prepared is None:
                media.status, media.problem = "failed", problem
                work.emit(MediaFailed(media.id, media.version))
            else:
                await show(media, prepared, work, clock.now())
    await store_all(made, studio.store)
    await drop_parts(actor.clinic_id, job.media_id, studio.store)


async def drop_parts(clinic_id: ClinicId, media_id: UUID, store: ObjectStore) -> None:
    """Delete what arrived of an upload."""
    await store.delete([each.key async for each in store.under(upload_prefix(clinic_id, media_id))])


@asynccontextmanager
async def _whole(media: Media, store: ObjectStore) -> AsyncIterator[tuple[Path, str]]:
    """The parts of an upload as one file, and its SHA-256 in hex, while the context lasts.

    What has another length than was announced is not read, however much it is: its file is empty.
    """
    parts = [each async for each in store.under(upload_prefix(media.clinic_id, media.id))]
    if sum(each.size for each in parts) != media.size:
        parts = []
    with TemporaryDirectory(prefix="coravet-") as folder:
        path = Path(folder, "upload")
        digest = sha256()
        with await asyncio.to_thread(path.open, "wb") as file:
            for key in sorted(each.key for each in parts):
                async for chunk in (await store.open(key)).chunks:
                    digest.update(chunk)
                    await asyncio.to_thread(_write, file, chunk)
        yield path, digest.hexdigest()


def _write(file: BinaryIO, chunk: bytes) -> None:
    file.write(chunk)
