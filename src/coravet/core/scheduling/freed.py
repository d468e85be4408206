"""Time that a visit or an offer gives up, and the job that looks who waits for it."""

from datetime import datetime
from uuid import UUID

from coravet.core.kernel.jobs import Job
from coravet.core.scheduling.ports import SchedulingWork


class TimeFreed(Job, frozen=True, tag="waitlist.freed"):
    """Somebody gave up time, which may be what somebody else waits for.

    Attributes:
        holder_id: the visit that took it, what the visit was before it was moved, or the hold.
    """

    holder_id: UUID


async def time_freed(work: SchedulingWork, holder_id: UUID, ends_at: datetime, now: datetime) -> None:
    """Have it offered to who waits, after this work commits: giving up time neither fails nor waits for that.

    Args:
        ends_at: of the time; what is past is offered to nobody.
    """
    if ends_at > now:
        await work.jobs.defer(TimeFreed(work.actor.clinic_id, holder_id))
