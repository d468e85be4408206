"""Recalls that follow from doses: after each one that is recorded or voided, a patient's are as its doses say."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coravet.core.kernel.actor import Actor
from coravet.core.messaging.model import Recall
from coravet.core.messaging.recalls import reckoned_from
from coravet.core.patients.model import Patient
from coravet.core.records.protocols import covered
from coravet.core.records.treatment_ports import DueKind, Given, TreatmentsWork
from coravet.core.records.treatment_views import ProtocolEntry
from coravet.core.tenancy.clinic_day import day_of, time_zone

EARLY = timedelta(days=30)
"""How long before its day a dose may come that a recall, written down by staff, asked for."""


def standing(given: Iterable[Given]) -> list[Given]:
    """The doses after which one is awaited: the last of each code, where it says when the next is due.

    Args:
        given: the oldest first.
    """
    last = {code: each for each in given for code in each.covers}
    return list({each.id: each for each in last.values() if each.next_due_on is not None}.values())


def answers(dose: Given, recall: Recall, codes: list[str], zone: ZoneInfo) -> bool:
    """Whether a dose is what a recall by staff asked for.

    A recall whose note names something is answered by a dose of that, given since it was written down or about its day;
    any other by whatever is given about its day.

    Args:
        codes: what the recall's note names.
    """
    about_its_day = day_of(dose.administered_at, zone) >= recall.due_on - EARLY
    if codes:
        return not set(codes).isdisjoint(dose.covers) and (about_its_day or dose.administered_at >= recall.created_at)
    return about_its_day


def settle(
    recalls: Iterable[Recall], given: list[Given], entries: list[ProtocolEntry], now: datetime, zone: ZoneInfo
) -> list[Given]:
    """Close and open the recalls as the doses say; answers the doses that still need one.

    What people closed stays closed: only what a dose settled opens again, once that dose is void.
    """
    awaited = {each.id: each for each in standing(given)}
    for recall in recalls:
        if recall.source_id is not None:
            due = recall.source_id in awaited
            awaited.pop(recall.source_id, None)
            by = None if due else (given[-1].id if given else recall.source_id)
        else:
            codes = covered(recall.note or "", entries)
            by = next((dose.id for dose in given if answers(dose, recall, codes, zone)), None)
        if by is not None and recall.closed_at is None:
            recall.closed_at, recall.settled_by = now, by
        elif by is None and recall.settled_by is not None:
            recall.closed_at = recall.settled_by = None
    return list(awaited.values())


async def renew_recalls(
    work: TreatmentsWork, patient: Patient, kind: DueKind, entries: list[ProtocolEntry], actor: Actor, now: datetime
) -> None:
    """Bring the patient's recalls of a kind in line with its doses. Nobody is reminded of one that has died."""
    if patient.deceased_on is not None:
        return
    zone = time_zone(actor.time_zone)
    given = await work.dues.given(patient.id, kind)
    for dose in settle(await work.dues.recalls(patient.id, kind), given, entries, now, zone):
        if dose.next_due_on is not None:
            await work.recalls.add(
                Recall(
                    clinic_id=actor.clinic_id,
                    id=work.new_id(),
                    patient_id=patient.id,
                    kind=kind,
                    due_on=dose.next_due_on,
                    due_at=reckoned_from(dose.next_due_on, zone),
                    note=dose.name,
                    created_at=now,
                    source_id=dose.id,
                )
            )
