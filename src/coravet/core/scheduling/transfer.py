"""A patient goes to another owner, and with it what it still has before it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.events import PatientTransferred
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.patients.parties import change_owner
from coravet.core.patients.views import PatientView
from coravet.core.scheduling.deceased import UpcomingWork


class Transfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new owner of a patient.

    Attributes:
        may_consent: whether the clinic may act on the new owner's word alone, as with surgery.
    """

    client_id: UUID
    version: int | UnsetType = UNSET
    may_consent: bool = True


async def transfer(
    patient_id: UUID, command: Transfer, actor: Actor, begin: Begin[UpcomingWork], clock: Clock
) -> PatientView:
    """Make a client a patient's owner; the former ownership ends and stays readable.

    Visits and entries of the waitlist that are still to come are the new owner's from now on, and the links to them
    that were sent end; past visits, and one whose patient has arrived, keep telling the client they were for. Nobody
    is told by message.

    Raises:
        NotFound: no such patient or client here.
        ClientDeceased: the client has died.
        Invalid: the client is its owner already.
        StaleVersion: it changed since it was read.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        now = clock.now()
        advance(patient, command.version)
        await change_owner(work, patient, command.client_id, may_consent=command.may_consent, now=now)
        await hand_over(work, [patient.id], command.client_id, now)
        work.emit(PatientTransferred(patient.id, patient.version))
        return work.answer(await work.patient_reads.patient(patient.id))


async def hand_over(work: UpcomingWork, patient_ids: Sequence[UUID], client_id: UUID, now: datetime) -> None:
    """Make a client's what patients that this work locked still have before them, and end the links to that."""
    visits = await work.upcoming.visits(patient_ids, now)
    entries = await work.upcoming.entries(patient_ids)
    for visit in visits:
        visit.client_id = client_id
    for entry in entries:
        entry.client_id = client_id
    told_of = [visit.id for visit in visits] + [entry.hold_id for entry in entries if entry.hold_id is not None]
    if told_of:
        await work.links.revoke(told_of, now)
