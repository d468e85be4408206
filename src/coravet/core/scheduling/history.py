"""What was done with a visit: every step, who took it and why."""

from datetime import datetime

from coravet.core.scheduling.model import Appointment, By, Status, Transition
from coravet.core.scheduling.ports import SchedulingWork


def step_taken(
    work: SchedulingWork,
    appointment: Appointment,
    step: str,
    came_from: Status | None,
    now: datetime,
    *,
    by: By,
    reason: str | None = None,
) -> Transition:
    """A step that a visit takes in this work, to be written down; who takes it is the work's actor."""
    return Transition(
        clinic_id=work.actor.clinic_id,
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
