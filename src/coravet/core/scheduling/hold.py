"""Holding time without a visit: for a guest who fills in a form, or a waiting client who was offered it."""

from datetime import datetime

from coravet.core.scheduling.model import Hold, HoldKind
from coravet.core.scheduling.place import Place, allocations
from coravet.core.scheduling.ports import Offer, SchedulingWork


async def hold_place(
    work: SchedulingWork,
    offer: Offer,
    place: Place,
    kind: HoldKind,
    now: datetime,
    expires_at: datetime,
    token_hash: bytes | None = None,
) -> Hold:
    """Hold a place that was found in this work, until that instant. Raises SlotTaken as booking does."""
    hold = Hold(
        clinic_id=work.actor.clinic_id,
        id=work.new_id(),
        service_id=offer.service_id,
        kind=kind,
        starts_at=place.visit.starts_at,
        ends_at=place.visit.ends_at,
        expires_at=expires_at,
        token_hash=token_hash,
        created_at=now,
    )
    taken = allocations(work, place, hold.id)
    for each in taken:
        each.appointment_id, each.hold_id, each.expires_at = None, hold.id, expires_at
    await work.diary.add_hold(hold, taken)
    return hold


async def let_go(work: SchedulingWork, hold: Hold, now: datetime) -> None:
    """Give back what is held; doing so again changes nothing. Lock the resources first where others may book them."""
    if hold.released_at is None:
        hold.released_at = now
        await work.diary.release(hold.id, now)


def stands(hold: Hold, now: datetime) -> bool:
    """Whether the hold still holds its time."""
    return hold.released_at is None and hold.expires_at > now
