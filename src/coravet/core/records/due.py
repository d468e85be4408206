"""Recalls that follow from doses: after each one that is recorded or voided, a patient's are as its doses say."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

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


class Awaited(msgspec.Struct, frozen=True):
    """What should come after a dose on one day: of a combined vaccine not all may be due at once.

    Attributes:
        codes: which of what the dose covers is due then.
    """

    dose: Given
    due_on: date
    codes: list[str]


def standing(given: Iterable[Given]) -> dict[tuple[UUID, date], Awaited]:
    """What is awaited, by the dose that it follows and its day: the last dose of each code says when that is due.

    Args:
        given: the oldest first.
    """
    last = {code: (each, due) for each in given for code, due in zip(each.covers, each.due_days, strict=True)}
    awaited: dict[tuple[UUID, date], Awaited] = {}
    for code, (dose, due) in last.items():
        if due is not None:
            awaited.setdefault((dose.id, due), Awaited(dose, due, [])).codes.append(code)
    return awaited


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
) -> list[Awaited]:
    """Close and open the recalls as the doses say; answers what still needs one.

    What people closed stays closed: only what a dose settled opens again, once that dose is void.
    """
    awaited = standing(given)
    for recall in recalls:
        if recall.source_id is not None:
            due = awaited.pop((recall.source_id, recall.due_on), None)
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
    for each in settle(await work.dues.recalls(patient.id, kind), given, entries, now, zone):
        await work.recalls.add(
            Recall(
                clinic_id=actor.clinic_id,
                id=work.new_id(),
                patient_id=patient.id,
                kind=kind,
                due_on=each.due_on,
                due_at=reckoned_from(each.due_on, zone),
                note=called(each, entries),
                created_at=now,
                source_id=each.dose.id,
            )
        )


def called(awaited: Awaited, entries: Iterable[ProtocolEntry]) -> str:
    """What is awaited, as staff read it: the dose's name, or where only a part of it is due that part's."""
    parts = [entry.name for entry in entries if entry.code in awaited.codes]
    whole = len(awaited.codes) == len(awaited.dose.covers)
    return awaited.dose.name if whole or not parts else ", ".join(parts)
