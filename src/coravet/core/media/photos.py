"""A patient's photo: handed in, converted, shown in the place of the one before."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.core.kernel.events import PatientPhotoChanged
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.work import Begin
from coravet.core.media.keys import part_key
from coravet.core.media.media_ports import MadeObject, MediaWork
from coravet.core.media.model import Media
from coravet.core.media.studio import Prepared, Studio, Upload, prepare, store_all
from coravet.core.media.views import MediaVariantView, MediaView

PATIENCE = 10.0
"""Seconds for which whoever hands in a photo waits for it; one that takes longer is converted by a job."""

IN_LINE = PATIENCE / 2
"""Seconds of them to wait for a turn: who has one at last needs time to use it, or all that is done is thrown away."""

UNKNOWN = "application/octet-stream"

Address = Callable[[UUID, str], str]
"""Where a variant of a file is read."""

Begins = Begin[MediaWork]


class ProcessMedia(Job, frozen=True, tag="media.process"):
    """Convert what was handed in and could not be converted at once."""

    media_id: UUID


async def expect_photo(patient_id: UUID, actor: Actor, begin: Begins) -> None:
    """See that there is such a patient, before anybody sends megabytes. Raises NotFound."""
    async with begin(actor) as work:
        await work.patients.get(patient_id)


async def take_photo(
    patient_id: UUID, upload: Upload, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    """Show a photo of a patient from now on. The photo that shows already is the same, however often it is sent.

    Where it cannot be converted in a few seconds it is `processing`, and shown when that is done.

    Raises:
        NotFound: no such patient here.
        NotAPicture, PictureDamaged, PictureTooLarge: it cannot be shown.
        Unavailable: the store does not answer; nothing was changed.
    """
    async with begin(actor) as work:
        await work.patients.get(patient_id)
        same = await work.media.same(patient_id, "photo", None, upload.sha256)
        if same is not None and same.status != "failed":
            return work.answer(view_of(same, await work.media.made(same.id), address))
    try:
        async with asyncio.timeout(PATIENCE):
            prepared = await prepare(upload.path, "photo", actor.clinic_id, studio, IN_LINE)
    except (TimeoutError, Unavailable):
        return await _later(patient_id, upload, actor, begin, clock, studio, address)
    await store_all(prepared.made, studio.store)
    now = clock.now()
    async with begin(actor) as work:
        # Whoever sends the same photo at the same time waits here.
        await work.patients.lock(patient_id)
        shown = await work.media.same(patient_id, "photo", None, upload.sha256)
        if shown is None or shown.status == "failed":
            shown = _media(work, patient_id, upload, actor, now, work.new_id())
            await work.media.add(shown)
            await show(shown, prepared, work, now)
        view = work.answer(view_of(shown, await work.media.made(shown.id), address))
    # Until they were named, whoever deletes what nothing leads to might have come between.
    await store_all(prepared.made, studio.store)
    return view


async def _later(
    patient_id: UUID, upload: Upload, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    async with begin(actor) as work:
        media_id = work.new_id()
    data = await asyncio.to_thread(upload.path.read_bytes)
    await studio.store.put(part_key(actor.clinic_id, media_id), data, len(data), UNKNOWN)
    async with begin(actor) as work:
        await work.patients.lock(patient_id)
        waiting = await work.media.same(patient_id, "photo", None, upload.sha256)
        if waiting is None or waiting.status == "failed":
            waiting = _media(work, patient_id, upload, actor, clock.now(), media_id)
            await work.media.add(waiting)
            await work.jobs.defer(ProcessMedia(actor.clinic_id, waiting.id), once=str(waiting.id))
        return work.answer(view_of(waiting, await work.media.made(waiting.id), address))


def _media(work: MediaWork, patient_id: UUID, upload: Upload, actor: Actor, now: datetime, media_id: UUID) -> Media:
    return Media(
        clinic_id=work.actor.clinic_id,
        id=media_id,
        purpose="photo",
        patient_id=patient_id,
        encounter_id=None,
        status="processing",
        file_name=None,
        size=upload.size,
        sha256=upload.sha256,
        received=upload.size,
        uploaded_by=actor.member_id,
        created_at=now,
    )


async def show(media: Media, prepared: Prepared, work: MediaWork, now: datetime) -> None:
    """Have a photo shown that was stored, in the place of the one before."""
    patient = await work.patients.get(media.patient_id)
    before = await work.media.photo(media.patient_id)
    if before is not None:
        before.removed_at = now
        before.version += 1
        await work.media.drop_made(before.id)
    media.status, media.ready_at, media.placeholder = "ready", now, prepared.placeholder
    await work.media.add_made(media.id, [each.object for each in prepared.made])
    work.emit(PatientPhotoChanged(patient.id, patient.version))


async def remove_photo(patient_id: UUID, actor: Actor, begin: Begins, clock: Clock) -> None:
    """Show no photo of a patient any more; it is deleted soon.

    Raises:
        NotFound: no such patient here, or one without a photo.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        shown = await work.media.photo(patient_id)
        if shown is None:
            raise NotFound
        shown.removed_at = clock.now()
        shown.version += 1
        await work.media.drop_made(shown.id)
        work.emit(PatientPhotoChanged(patient.id, patient.version))


async def get_media(media_id: UUID, actor: Actor, begin: Begins, address: Address) -> MediaView:
    """A photo or file, and how far it is. Raises NotFound."""
    async with begin(actor) as work:
        found = await work.media.get(media_id)
        if found.removed_at is not None:
            raise NotFound
        return view_of(found, await work.media.made(found.id), address)


def view_of(media: Media, made: list[MadeObject], address: Address) -> MediaView:
    """A photo or file as its readers see it."""
    return MediaView(
        id=media.id,
        purpose=media.purpose,
        patient_id=media.patient_id,
        encounter_id=media.encounter_id,
        status=media.status,
        file_name=media.file_name,
        size=media.size,
        received=media.received,
        problem=media.problem,
        placeholder=media.placeholder,
        variants={
            each.variant: MediaVariantView(address(media.id, each.variant), each.width, each.height, each.size)
            for each in made
        },
        created_at=media.created_at,
    )
