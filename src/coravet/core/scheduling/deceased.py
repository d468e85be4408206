"""A patient has died, or is erased: all that it still had before it ends in the same work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.events import AppointmentCancelled, WaitlistLeft
from coravet.core.kernel.work import Begin
from coravet.core.patients.death import Deceased, decease
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import PatientView
from coravet.core.scheduling.freed import TimeFreed, time_freed
from coravet.core.scheduling.history import step_taken
from coravet.core.scheduling.model import Appointment, WaitlistEntry
from coravet.core.scheduling.ports import SchedulingWork


class UpcomingWork(PatientsWork, SchedulingWork, Protocol):
    """The unit of work of what concerns a patient and its visits together."""


async def record_death(
    patient_id: UUID, command: Deceased, actor: Actor, begin: Begin[UpcomingWork], clock: Clock
) -> PatientView:
    """Record the day on which a patient died, or correct it, and end all that it still had before it.

    Visits that are asked for or booked and not over are cancelled and their time is free for others; one whose patient
    has arrived goes on to its end. It waits for nothing any more, what it was offered goes to the next, its recalls are
    closed, and whatever was planned to be told of it is not. Nor is anybody told of what ends here: who has just lost
    an animal is spoken to by a person.

    Raises:
        Invalid: the day lies after today (`in_future`) or before the patient's birth (`before_birth`).
        NotFound: no such patient here.
        StaleVersion: it changed since it was read.
    """
    async with begin(actor) as work:
        # Under its lock nobody books for it, so that what is found here is all there is.
        patient = await work.patients.lock(patient_id)
        now = clock.now()
        death = decease(work, patient, command, now)
        visits = await work.upcoming.visits([patient.id], now)
        entries = await work.upcoming.entries([patient.id])
        await end_upcoming(work, visits, entries, now, "deceased")
        death.visits, death.waitlist_entries = len(visits), len(entries)
        death.recalls = await work.recalls.close(patient.id, now)
        death.messages = await work.messages.withdraw(patient.id, "patient_deceased")
        await work.deaths.add(death)
        return work.answer(await work.patient_reads.patient(patient.id))


async def end_upcoming(
    work: SchedulingWork, visits: Sequence[Appointment], entries: Sequence[WaitlistEntry], now: datetime, step: str
) -> None:
    """Cancel these visits and take these entries off the waitlist, all of them locked, and free what they hold.

    Args:
        step: the word under which the visits' histories tell of it.
    """
    steps, freed = [], []
    for visit in visits:
        came_from = visit.status
        visit.previous_status, visit.status, visit.status_since = came_from, "cancelled", now
        visit.version += 1
        steps.append(step_taken(work, visit, step, came_from, now, by="staff"))
        freed.append(visit.id)
        await time_freed(work, visit.id, visit.ends_at, now)
        work.emit(AppointmentCancelled(visit.id, visit.version))
    for entry in entries:
        if entry.hold_id is not None:
            freed.append(entry.hold_id)
            entry.refused = [*entry.refused, entry.hold_id]
            await work.jobs.defer(TimeFreed(work.actor.clinic_id, entry.hold_id))
        entry.status, entry.hold_id = "left", None
        entry.version += 1
        work.emit(WaitlistLeft(entry.id, entry.version))
    if freed:
        await work.upcoming.release(freed, now)
    if steps:
        await work.history.record(*steps)
