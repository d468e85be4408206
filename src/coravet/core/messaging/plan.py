"""Planning reminders: what falls due by the clinics' rules becomes messages, once."""

from datetime import timedelta

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.work import SystemBegin
from coravet.core.messaging.ports import MessagingWork, Planned, SendMessage

AHEAD = timedelta(hours=1)
"""How far ahead of its time a reminder becomes a message. Planning runs far more often, so that none comes late."""

BEHIND = timedelta(hours=2)
"""How long after its time a reminder is still made: nobody planned meanwhile, or the visit was moved closer."""

LATE = timedelta(minutes=30)
"""After this a message that was not sent has lost its job, and gets another."""

BATCH = 500


async def plan(begin: SystemBegin[MessagingWork], clock: Clock) -> None:
    """Make the reminders that fall due soon, in all clinics.

    A visit that moved gets reminders for its new time, since those of the old one are other messages, which are
    skipped when they are due. A reminder that was due before its visit was booked is not made.
    """
    full = True
    while full:
        async with begin("plan reminders") as work:
            now = clock.now()
            batch = await work.messages.plan(now - BEHIND, now + AHEAD, BATCH)
            await _defer(batch, work)
        full = len(batch) == BATCH
    async with begin("look after messages") as work:
        await work.messages.let_go(clock.now())
    last: Planned | None = None
    full = True
    while full:
        async with begin("look after messages") as work:
            batch = await work.messages.overdue(clock.now() - LATE, last, BATCH)
            await _defer(batch, work, once=True)
        full = len(batch) == BATCH
        last = batch[-1] if batch else None


async def _defer(messages: list[Planned], work: MessagingWork, *, once: bool = False) -> None:
    for each in messages:
        job = SendMessage(each.clinic_id, each.id)
        await work.jobs.defer(job, at=each.at, once=str(each.id) if once else None)
