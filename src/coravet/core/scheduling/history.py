"""What was done with a visit: every step, who took it and why."""

from datetime import datetime

from coravet.core.scheduling.model import Appointment, By, Status
from coravet.core.scheduling.ports import SchedulingWork, Taken


async def record(
    work: SchedulingWork,
    appointment: Appointment,
    step: str,
    came_from: Status | None,
    now: datetime,
    *,
    by: By,
    reason: str | None = None,
) -> None:
    """Write down a step that a visit took in this work; who took it is the work's actor."""
    await work.diary.record(
        Taken(
            id=work.new_id(),
            appointment_id=appointment.id,
            step=step,
            from_status=came_from,
            to_status=appointment.status,
            starts_at=appointment.starts_at,
            at=now,
            by=by,
            user_id=work.actor.user_id,
            reason=reason,
        )
    )
