"""Deleting objects that nothing leads to any more."""

from datetime import timedelta

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.work import SystemBegin
from coravet.core.media.keys import Key, named
from coravet.core.media.media_ports import DiscardsWork
from coravet.core.media.model import KEPT_UNFINISHED
from coravet.core.media.ports import ObjectStore
from coravet.core.media.process import drop_parts

AT_ONCE = 100

IN_PROGRESS = timedelta(days=1)
"""Who stores an object names it within minutes: what is older and has no name was left behind."""

EXPIRED = "upload_expired"
"""The problem of an upload that was not continued, or could not be converted, in time."""


async def delete_discarded(begin: SystemBegin[DiscardsWork], store: ObjectStore) -> None:
    """Delete every object that was discarded, but for those that something leads to again, or a rule holds back.

    Raises:
        Unavailable: the store does not answer; what is left is deleted the next time.
    """
    last: Key | None = None
    while True:
        async with begin("list discarded objects") as work:
            found = await work.discards.next(last, AT_ONCE)
        for key in found:
            async with begin("delete a discarded object") as work:
                if await work.discards.claim(key):
                    await store.delete([key])
                    await work.discards.done(key)
        if len(found) < AT_ONCE:
            return
        last = found[-1]


async def discard_orphans(begin: SystemBegin[DiscardsWork], store: ObjectStore, clock: Clock) -> None:
    """Discard objects that were stored and never named, and delete parts of uploads that ended.

    What the service did not store is left alone. Raises Unavailable.
    """
    now = clock.now()
    keys: list[Key] = []
    async for stored in store.under():
        name = named(stored.key)
        if name is None or now - stored.modified < IN_PROGRESS:
            continue
        if name.upload_id is None:
            keys.append(stored.key)
        elif now - stored.modified > KEPT_UNFINISHED + IN_PROGRESS:
            await store.delete([stored.key])
        if len(keys) == AT_ONCE:
            await _discard(keys, begin)
            keys = []
    await _discard(keys, begin)


async def drop_unwanted(begin: SystemBegin[DiscardsWork], store: ObjectStore, clock: Clock) -> None:
    """Drop what arrived of files whose patient was erased meanwhile. Raises Unavailable."""
    # Of an erased patient nothing is written any more, nor what was dropped: so it is looked for until none comes late.
    async with begin("list unwanted uploads") as work:
        found = await work.discards.unwanted(clock.now() - IN_PROGRESS)
    for each in found:
        await drop_parts(each.clinic_id, each.media_id, store)


async def _discard(keys: list[Key], begin: SystemBegin[DiscardsWork]) -> None:
    async with begin("look for orphaned objects") as work:
        await work.discards.add_orphans(keys)


async def end_unfinished(begin: SystemBegin[DiscardsWork], store: ObjectStore, clock: Clock) -> None:
    """Have uploads failed that were begun too long ago, and drop what arrived of them in part.

    Whole files that nobody converted in time stay a day longer, for whoever tries again. Raises Unavailable.
    """
    while True:
        async with begin("end unfinished uploads") as work:
            ended = await work.discards.end_unfinished(clock.now() - KEPT_UNFINISHED, EXPIRED, AT_ONCE)
        for each in ended:
            if not each.whole:
                await drop_parts(each.clinic_id, each.media_id, store)
        if len(ended) < AT_ONCE:
            return
