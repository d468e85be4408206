"""Deleting objects that nothing leads to any more."""

from coravet.core.kernel.work import SystemBegin
from coravet.core.media.media_ports import Discarded, DiscardsWork
from coravet.core.media.ports import ObjectStore

AT_ONCE = 100


async def delete_discarded(begin: SystemBegin[DiscardsWork], store: ObjectStore) -> None:
    """Delete every object that was discarded, but for those that something leads to again, or a rule holds back.

    Raises:
        Unavailable: the store does not answer; what is left is deleted the next time.
    """
    last: Discarded | None = None
    while True:
        async with begin("list discarded objects") as work:
            found = await work.discards.next(last, AT_ONCE)
        for each in found:
            async with begin("delete a discarded object") as work:
                if await work.discards.claim(each):
                    await store.delete([each.key])
                    await work.discards.done(each)
        if len(found) < AT_ONCE:
            return
        last = found[-1]
