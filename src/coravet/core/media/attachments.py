"""What is attached to a patient's record: photos of a wound, a laboratory's report, a scan of a certificate.

It is no part of the note that a vet signs: it may come later, with its own author and moment, and alters nothing that
was signed. As all of the record it stays; what was attached in error is marked so, with a reason.
"""

from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import InvalidTransition, NotFound
from coravet.core.kernel.events import AttachmentAdded
from coravet.core.kernel.fields import sound
from coravet.core.media.take import Address, Begins, view_of
from coravet.core.media.views import MediaView
from coravet.core.records.encounters import Voiding, check_reason


async def void_attachment(
    media_id: UUID, command: Voiding, actor: Actor, begin: Begins, clock: Clock, address: Address
) -> MediaView:
    """Mark an attachment as entered in error; it can still be read by who reads the record.

    Raises:
        Invalid: the reason is blank.
        NotFound: no such attachment here.
        InvalidTransition: it is marked already, or not shown.
    """
    reason = sound(check_reason(msgspec.structs.asdict(command)))["reason"]
    async with begin(actor) as work:
        media = await work.media.lock(media_id)
        if media.purpose != "attachment" or media.removed_at is not None:
            raise NotFound
        if media.status != "ready":
            raise InvalidTransition("This file is not part of the record: it is not shown yet, or cannot be.")
        if media.voided_at is not None:
            raise InvalidTransition("This attachment is marked as entered in error already.")
        media.voided_at, media.voided_by, media.void_reason = clock.now(), actor.member_id, reason
        media.version += 1
        work.emit(AttachmentAdded(media.id, media.version))
        return work.answer(view_of(media, await work.media.made(media.id), address))
