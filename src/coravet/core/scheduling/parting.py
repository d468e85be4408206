"""Two clients who were taken for one person are two again."""

from uuid import UUID

from msgspec import UNSET

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.events import ClientUpdated
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.clients import search_key
from coravet.core.patients.errors import MergeNotUndoable
from coravet.core.patients.merge import empty
from coravet.core.patients.model import UNDOABLE
from coravet.core.patients.views import MergeView
from coravet.core.scheduling.deceased import UpcomingWork
from coravet.core.scheduling.transfer import hand_over


async def undo_merge(merge_id: UUID, actor: Actor, begin: Begin[UpcomingWork], clock: Clock) -> MergeView:
    """Make two clients of one again: what was moved goes back, and with an animal what it still has before it.

    Visits and entries of the waitlist to come follow an animal to its owner, whoever they were booked for, and the
    links to them that were sent end, as in a transfer. All else that came to the one who stays since then stays with
    them, and so does what was changed of it by hand.

    Raises:
        NotFound: no such merge here.
        MergeNotUndoable: it was undone (`undone`), its 30 days are over (`expired`), or the one who stays was merged
            in turn (`merged_again`).
        Duplicate: somebody else has the document of the one who comes back.
    """
    now = clock.now()
    async with begin(actor) as work:
        merge = await work.merges.lock(merge_id)
        if merge.undone_at is not None:
            raise MergeNotUndoable("This merge was undone before.", "undone")
        if now > merge.merged_at + UNDOABLE:
            raise MergeNotUndoable("A merge can be undone for 30 days, and these are over.", "expired")
        client, merged = await work.merges.both(merge.client_id, merge.merged_id)
        if client.merged_into_id is not None or merged.merged_into_id != client.id:
            sentence = "The client who stayed was merged again since. Undo that merge first."
            raise MergeNotUndoable(sentence, "merged_again")
        empty(client, merged, merge.filled)
        client.search_key = search_key(client)
        advance(client, UNSET)
        owned = await work.merges.put_back(merge)
        merged.merged_into_id = None
        await hand_over(work, owned, merged.id, now)
        advance(merged, UNSET)
        merge.undone_at, merge.undone_by = now, actor.member_id
        work.emit(ClientUpdated(client.id, client.version))
        work.emit(ClientUpdated(merged.id, merged.version))
        return work.answer(await work.merges.view(merge.id))
