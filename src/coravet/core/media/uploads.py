"""Files that arrive in pieces: announced, sent on from where a connection dropped, or put straight into the store."""

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Conflict, FieldError, Invalid, NotFound, Unavailable, UploadOffset
from coravet.core.kernel.fields import sound
from coravet.core.kernel.sentences import Sentence
from coravet.core.media.keys import part_key, upload_prefix
from coravet.core.media.media_ports import MediaWork
from coravet.core.media.model import MEBIBYTE, MOST_BYTES, Media, Purpose
from coravet.core.media.names import shown_name
from coravet.core.media.ports import ObjectStore
from coravet.core.media.process import process
from coravet.core.media.studio import Studio
from coravet.core.media.take import (
    IN_LINE,
    PATIENCE,
    UNKNOWN,
    Address,
    Begins,
    Place,
    ProcessMedia,
    expect,
    may_hand_in,
    view_of,
)
from coravet.core.media.views import MediaView

PART = MEBIBYTE
"""Bytes that are kept at once: what a dropped connection has to send again is less."""

PUT_LIFE = timedelta(hours=1)
"""Of an address at the store to which a file may be put."""

TAKEN_UP = timedelta(seconds=2 * PATIENCE)
"""After so long a worker converts what nobody could while the sender waited."""


class NewUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to hand in: what for, how long it is, and its SHA-256 in hex, by which it is known again.

    `encounter_id` is the visit that an attachment belongs to, if it does; `file_name` what it is called there. A photo
    has neither.
    """

    purpose: Purpose
    size: Annotated[int, Meta(ge=1, le=max(MOST_BYTES.values()), description="In bytes.")]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
    encounter_id: UUID | None = None
    file_name: Annotated[str, Meta(max_length=1000)] | None = None


class UploadGone(Conflict):
    """The bytes of a file that failed are no longer here."""

    code = "upload_gone"
    title = "The file is no longer here"

    def __init__(self) -> None:
        super().__init__("The bytes of this file are no longer here. Send it again.")


async def announce(
    patient_id: UUID, command: NewUpload, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    """Begin to hand in a file, or find how far that is: the same file of a patient is the same upload.

    One that failed is begun anew.

    Raises:
        NotFound, InvalidTransition: as `expect`.
        NotPermitted: the actor may not write the record.
        Invalid: the file is too large, or a photo that names a visit.
    """
    fields = _checked(command)
    may_hand_in(command.purpose, actor)
    now = clock.now()
    async with begin(actor) as work:
        await work.patients.lock(patient_id)
        await expect(Place(command.purpose, patient_id, command.encounter_id), work)
        found = await work.media.same(patient_id, command.purpose, command.encounter_id, command.sha256)
        if found is None or found.status == "failed":
            found = Media(
                clinic_id=actor.clinic_id,
                id=work.new_id(),
                patient_id=patient_id,
                status="uploading",
                received=0,
                uploaded_by=actor.member_id,
                created_at=now,
                **fields,
            )
            await work.media.add(found)
        return work.answer(await _view(found, work, studio, address))


def _checked(command: NewUpload) -> dict[str, Any]:
    fields, errors = msgspec.structs.asdict(command), list[FieldError]()
    fields["file_name"] = shown_name(command.file_name)
    most = MOST_BYTES[command.purpose]
    if command.size > most:
        sentence = Sentence("It may have at most {megabytes} MB.", megabytes=most // MEBIBYTE)
        errors.append(FieldError("/size", "too_large", sentence))
    if command.purpose == "photo":
        fields["file_name"] = None
        if command.encounter_id is not None:
            errors.append(FieldError("/encounter_id", "not_allowed", "A photo belongs to the patient, not to a visit."))
    return sound((fields, errors))


async def receive(
    media_id: UUID,
    offset: int,
    data: AsyncIterable[bytes],
    actor: Actor,
    begin: Begins,
    clock: Clock,
    studio: Studio,
    address: Address,
) -> MediaView:
    """Take bytes of a file from an offset on; once all are here, it is converted.

    They are kept as they come, so that whoever was cut off goes on from `received`. A file that cannot be shown has
    `failed`, with the problem's code.

    Raises:
        NotFound: no such file here.
        NotPermitted: the actor may not write the record.
        UploadOffset: the file has arrived up to another byte.
        Invalid: these are more bytes than the file was said to have.
        Unavailable: the store does not answer; what was kept until then stays.
    """
    async with begin(actor) as work:
        media = await _waiting(media_id, actor, work)
        if media.status != "uploading" and offset == media.size:
            return await _view(media, work, studio, address)
        _expect(media, offset)
    held = bytearray()
    try:
        async for each in data:
            held += each
            if offset + len(held) > media.size:
                held.clear()
                raise Invalid(errors=[FieldError("/size", "too_long", "The file is longer than it was said to be.")])
            while len(held) >= PART:
                offset += await _keep(media, offset, held, actor, begin, clock, studio)
    finally:
        while held:
            offset += await _keep(media, offset, held, actor, begin, clock, studio)
    return await _converted(media_id, actor, begin, clock, studio, address)


def _expect(media: Media, offset: int) -> None:
    if media.status != "uploading" or media.received != offset:
        raise UploadOffset(media.received)


async def _keep(
    media: Media, offset: int, held: bytearray, actor: Actor, begin: Begins, clock: Clock, studio: Studio
) -> int:
    """Keep a part and take it from what is held; answers its length.

    Where a part lies there already, because whoever stored it died before that was written down, that one stays, as
    long or short as it is: what is stored is never changed. Together the parts are the file, or its hash tells.
    """
    part = bytes(held[:PART])
    key = part_key(actor.clinic_id, media.id, offset)
    size = len(part)
    if not await studio.store.put(key, part, size, UNKNOWN):
        there = await studio.store.head(key)
        size = size if there is None else there.size
    if size > len(held):
        await studio.store.delete([key])
        raise Unavailable("The store of photos and files does not answer as it should. Try again.")
    async with begin(actor) as work:
        found = await work.media.lock(media.id)
        _expect(found, offset)
        found.received = offset + size
        if found.received == found.size:
            await _arrived(found, work, clock)
    del held[:size]
    return size


async def _arrived(media: Media, work: MediaWork, clock: Clock) -> None:
    media.status, media.problem = "processing", None
    media.version += 1
    await work.jobs.defer(ProcessMedia(media.clinic_id, media.id), at=clock.now() + TAKEN_UP, once=str(media.id))


async def take_from_store(
    media_id: UUID, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    """Take a file that was put straight into the store; it is converted.

    Raises:
        NotFound: no such file here.
        NotPermitted: the actor may not write the record.
        UploadOffset: it is not there, or only parts of it that were sent here.
        Invalid: what is there has another length; it is deleted unread.
        Unavailable: the store does not answer.
    """
    async with begin(actor) as work:
        media = await _waiting(media_id, actor, work)
        if media.status != "uploading":
            return await _view(media, work, studio, address)
        _expect(media, 0)
    key = part_key(actor.clinic_id, media_id)
    there = await studio.store.head(key)
    if there is None:
        raise UploadOffset(0)
    if there.size != media.size:
        await studio.store.delete([key])
        sentence = Sentence("It has {bytes} bytes, not those that were announced. Send it again.", bytes=there.size)
        raise Invalid(errors=[FieldError("/size", "mismatch", sentence)])
    async with begin(actor) as work:
        found = await work.media.lock(media_id)
        _expect(found, 0)
        found.received = found.size
        await _arrived(found, work, clock)
    return await _converted(media_id, actor, begin, clock, studio, address)


async def retry(
    media_id: UUID, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    """Convert once more what failed, or now what waits; what is shown already is left as it is.

    Raises:
        NotFound: no such file here.
        NotPermitted: the actor may not write the record.
        UploadOffset: it has not arrived whole.
        UploadGone: its bytes are here no more.
        Unavailable: the store does not answer.
    """
    async with begin(actor) as work:
        media = await _waiting(media_id, actor, work)
        if media.status == "uploading":
            raise UploadOffset(media.received)
    if media.status == "failed":
        if await _held(media, studio.store) != media.size:
            raise UploadGone
        async with begin(actor) as work:
            found = await work.media.lock(media_id)
            if found.status == "failed":
                await _arrived(found, work, clock)
    return await _converted(media_id, actor, begin, clock, studio, address)


async def _held(media: Media, store: ObjectStore) -> int:
    return sum([each.size async for each in store.under(upload_prefix(media.clinic_id, media.id))])


async def _waiting(media_id: UUID, actor: Actor, work: MediaWork) -> Media:
    media = await work.media.get(media_id)
    if media.removed_at is not None:
        raise NotFound
    may_hand_in(media.purpose, actor)
    return media


async def _converted(
    media_id: UUID, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    """What became of it, converted if that takes a few seconds; a worker takes up what takes longer."""
    async with begin(actor) as work:
        media = await work.media.get(media_id)
    if media.status == "processing":
        with suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(PATIENCE):
                await process(ProcessMedia(actor.clinic_id, media_id), actor, begin, clock, studio, IN_LINE)
    async with begin(actor) as work:
        return await _view(await work.media.get(media_id), work, studio, address)


async def _view(media: Media, work: MediaWork, studio: Studio, address: Address) -> MediaView:
    view = view_of(media, await work.media.made(media.id), address)
    if media.status != "uploading" or media.received:
        return view
    upload_url = studio.store.upload_address(part_key(media.clinic_id, media.id), PUT_LIFE)
    return msgspec.structs.replace(view, upload_url=upload_url)
