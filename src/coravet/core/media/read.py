"""Who may read a photo or file."""

from uuid import UUID

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Begin
from coravet.core.media.media_ports import FoundObject, MediaWork
from coravet.core.media.model import Purpose
from coravet.core.media.take import Address, Begins, view_of
from coravet.core.media.views import MediaView
from coravet.core.tenancy.errors import NotPermitted


async def readable(media_id: UUID, variant: str, actor: Actor, begin: Begin[MediaWork]) -> FoundObject:
    """Where that variant lies. A photo is everybody's to see who sees patients; the rest is part of the record.

    Raises:
        NotFound: there is none, or it was removed.
        NotPermitted: the actor may not read the record.
    """
    async with begin(actor) as work:
        found = await work.media.object(media_id, variant)
    _may_read(found.purpose, actor)
    return found


async def get_media(media_id: UUID, actor: Actor, begin: Begins, address: Address) -> MediaView:
    """A photo or file, and how far it is.

    Raises:
        NotFound: there is none, or it was removed.
        NotPermitted: the actor may not read the record.
    """
    async with begin(actor) as work:
        found = await work.media.get(media_id)
        if found.removed_at is not None:
            raise NotFound
        _may_read(found.purpose, actor)
        return view_of(found, await work.media.made(found.id), address)


async def list_attachments(
    page: PageRequest, patient_id: UUID, encounter_id: UUID | None, actor: Actor, begin: Begins, address: Address
) -> Page[MediaView]:
    """What was attached to a patient's record, or to one visit, the newest first. Raises NotFound."""
    async with begin(actor) as work:
        found = await work.media.attachments(page, patient_id, encounter_id)
    return Page([view_of(media, made, address) for media, made in found.items], found.next_cursor)


def _may_read(purpose: Purpose, actor: Actor) -> None:
    if purpose == "attachment" and "records:read" not in actor.permissions:
        raise NotPermitted("Your roles in this clinic do not include records:read.")
