"""The clinic's day at a glance: who is where, and who has been waiting for how long."""

from datetime import date
from typing import get_args

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.agenda import shown_day
from coravet.core.scheduling.hours import working
from coravet.core.scheduling.model import Status
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.transition import RELEASED
from coravet.core.scheduling.views import BoardResourceView, BoardStatusView, BoardView, WaitingView
from coravet.core.tenancy.clinic_day import time_zone

WAITING: frozenset[Status] = frozenset({"checked_in", "ready"})
"""A patient of these waits: to be seen, or to be collected."""


async def board(day: date | None, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> BoardView:
    """A clinic day (by default the clinic's today) by resource and by status, in two queries.

    Besides the visits that take place on that day, in whole or in part, today's board has those of the day before and
    the day after whose patients are here. Every active resource is there, and any other that has a visit on that day;
    every status, too.

    Raises:
        Invalid: the day is outside the calendar.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    shown, stretch = shown_day(day, now, zone)
    async with begin(actor) as work:
        visits = await work.schedule_reads.board(stretch.starts_at, stretch.ends_at, now)
        taken = [
            (resource.id, each.id) for each in visits if each.status not in RELEASED for resource in each.resources
        ]
        staffed = await work.schedule_reads.staffing({resource_id for resource_id, _ in taken}, shown)
    waiting = [
        WaitingView(each.id, each.status, each.status_since, int((now - each.status_since).total_seconds()) // 60)
        for each in visits
        if each.status in WAITING
    ]
    return BoardView(
        date=shown,
        starts_at=stretch.starts_at,
        ends_at=stretch.ends_at,
        at=now,
        resources=[
            BoardResourceView(
                resource.id,
                resource.kind,
                resource.name,
                working(openings, shown, shown, zone),
                [visit_id for resource_id, visit_id in taken if resource_id == resource.id],
            )
            for resource, openings in staffed
        ],
        statuses=[
            BoardStatusView(status, [each.id for each in visits if each.status == status])
            for status in get_args(Status)
        ],
        waiting=sorted(waiting, key=lambda each: each.since),
        items=visits,
    )
