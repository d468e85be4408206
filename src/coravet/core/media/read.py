"""Who may read a photo or file."""

from uuid import UUID

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.work import Begin
from coravet.core.media.media_ports import FoundObject, MediaWork
from coravet.core.tenancy.errors import NotPermitted


async def readable(media_id: UUID, variant: str, actor: Actor, begin: Begin[MediaWork]) -> FoundObject:
    """Where that variant lies. A photo is everybody's to see who sees patients; the rest is part of the record.

    Raises:
        NotFound: there is none, or it was removed.
        NotPermitted: the actor may not read the record.
    """
    async with begin(actor) as work:
        found = await work.media.object(media_id, variant)
    if found.purpose == "attachment" and "records:read" not in actor.permissions:
        raise NotPermitted("Your roles in this clinic do not include records:read.")
    return found
