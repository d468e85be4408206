"""Files of a patient: handed in whole, made into what is shown, and shown; whatever they are for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import InvalidTransition, NotFound, Unavailable
from coravet.core.kernel.events import AttachmentAdded, PatientPhotoChanged
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.work import Begin
from coravet.core.media.keys import part_key
from coravet.core.media.media_ports import MadeObject, MediaWork
from coravet.core.media.model import MEBIBYTE, Media, Purpose
from coravet.core.media.names import shown_name
from coravet.core.media.studio import Prepared, Studio, Upload, prepare, store_all
from coravet.core.media.views import MediaVariantView, MediaView
from coravet.core.tenancy.errors import NotPermitted

PATIENCE = 10.0
"""Seconds for which whoever hands in a file waits for it; one that takes longer is converted by a job."""

IN_LINE = PATIENCE / 2
"""Seconds of them to wait for a turn: who has one at last needs time to use it, or all that is done is thrown away."""

PIECE = MEBIBYTE
"""Bytes of a file that are held at once where it is stored as it came."""

UNKNOWN = "application/octet-stream"

Address = Callable[[UUID, str], str]
"""Where a variant of a file is read."""

Begins = Begin[MediaWork]


class ProcessMedia(Job, frozen=True, tag="media.process"):
    """Convert what was handed in and could not be converted at once."""

    media_id: UUID


class Place(msgspec.Struct, frozen=True):
    """What a file is of: a patient's photo, or an attachment of its record, of a visit where that is said."""

    purpose: Purpose
    patient_id: UUID
    encounter_id: UUID | None = None


def may_hand_in(purpose: Purpose, actor: Actor) -> None:
    """See that an actor who may write of patients may hand in this. Raises NotPermitted."""
    if purpose == "attachment" and "records:write" not in actor.permissions:
        raise NotPermitted("Your roles in this clinic do not include records:write.")


async def expect(place: Place, work: MediaWork) -> None:
    """See that there is such a place.

    Raises:
        NotFound: no such patient here, or no such visit of it.
        InvalidTransition: the visit was entered in error.
    """
    await work.patients.get(place.patient_id)
    if place.encounter_id is None:
        return
    encounter = await work.encounters.get(place.encounter_id)
    if encounter.patient_id != place.patient_id:
        raise NotFound
    if encounter.voided_at is not None:
        raise InvalidTransition("This encounter was entered in error. Open a new one.")


async def take(
    place: Place, upload: Upload, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    """Show a file from now on. One that shows there already is the same, however often it is sent.

    Where it cannot be converted in a few seconds it is `processing`, and shown when that is done.

    Raises:
        NotFound, InvalidTransition: as `expect`.
        UnsupportedMedia, Invalid: it cannot be shown; see `prepare`.
        Unavailable: the store does not answer; nothing was changed.
    """
    async with begin(actor) as work:
        await expect(place, work)
        same = await work.media.same(place.patient_id, place.purpose, place.encounter_id, upload.sha256)
        if same is not None and same.status in {"ready", "processing"}:
            return work.answer(view_of(same, await work.media.made(same.id), address))
    try:
        async with asyncio.timeout(PATIENCE):
            prepared = await prepare(upload.path, place.purpose, actor.clinic_id, studio, IN_LINE)
    except (TimeoutError, Unavailable):
        return await _later(place, upload, actor, begin, clock, studio, address)
    await store_all(prepared.made, studio.store)
    now = clock.now()
    async with begin(actor) as work:
        shown = await _taken(place, upload, actor, now, work.new_id(), work)
        if shown.status == "processing":
            await show(shown, prepared, work, now)
        view = work.answer(view_of(shown, await work.media.made(shown.id), address))
    # Until they were named, whoever deletes what nothing leads to might have come between.
    await store_all(prepared.made, studio.store)
    return view


async def _later(
    place: Place, upload: Upload, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    async with begin(actor) as work:
        media_id = work.new_id()
    await studio.store.put(part_key(actor.clinic_id, media_id), _pieces(upload.path), upload.size, UNKNOWN)
    async with begin(actor) as work:
        waiting = await _taken(place, upload, actor, clock.now(), media_id, work)
        if waiting.id == media_id:
            await work.jobs.defer(ProcessMedia(actor.clinic_id, waiting.id), once=str(waiting.id))
        return work.answer(view_of(waiting, await work.media.made(waiting.id), address))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    """A file's bytes: as many files as wait for their turns at once, never one of them whole."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def _taken(place: Place, upload: Upload, actor: Actor, now: datetime, media_id: UUID, work: MediaWork) -> Media:
    """The file's row, `processing` where it is new; whoever sends the same file at the same time waits here."""
    await work.patients.lock(place.patient_id)
    await expect(place, work)
    found = await work.media.same(place.patient_id, place.purpose, place.encounter_id, upload.sha256)
    if found is not None and found.status in {"ready", "processing"}:
        return found
    media = Media(
        clinic_id=actor.clinic_id,
        id=media_id,
        purpose=place.purpose,
        patient_id=place.patient_id,
        encounter_id=place.encounter_id,
        status="processing",
        file_name=shown_name(upload.file_name) if place.purpose == "attachment" else None,
        size=upload.size,
        sha256=upload.sha256,
        received=upload.size,
        uploaded_by=actor.member_id,
        created_at=now,
    )
    await work.media.add(media)
    return media


async def show(media: Media, prepared: Prepared, work: MediaWork, now: datetime) -> None:
    """Have a file shown that was stored; a photo in the place of the one before."""
    if media.purpose == "photo":
        patient = await work.patients.get(media.patient_id)
        before = await work.media.photo(media.patient_id)
        if before is not None:
            before.removed_at = now
            before.version += 1
            await work.media.drop_made(before.id)
        work.emit(PatientPhotoChanged(patient.id, patient.version))
    else:
        work.emit(AttachmentAdded(media.id, media.version))
    media.status, media.ready_at, media.placeholder = "ready", now, prepared.placeholder
    await work.media.add_made(media.id, [each.object for each in prepared.made])


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
        uploaded_by=media.uploaded_by,
        voided_at=media.voided_at,
        void_reason=media.void_reason,
        placeholder=media.placeholder,
        variants={
            each.variant: MediaVariantView(address(media.id, each.variant), each.width, each.height, each.size)
            for each in made
        },
        created_at=media.created_at,
    )
