"""A resource's visits as a calendar that programs subscribe to, by an address that carries a token."""

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.calendar import CalendarEntry, EntryStatus, visit_uid
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.work import Begin
from coravet.core.scheduling.model import CalendarFeed, Resource
from coravet.core.scheduling.ports import SchedulingWork
from coravet.core.scheduling.views import FeedVisit, NewFeedView
from coravet.core.tenancy.errors import NotPermitted

PAST = timedelta(days=30)
AHEAD = timedelta(days=365)
_STATUS: dict[str, EntryStatus] = {"requested": "tentative", "cancelled": "cancelled", "no_show": "cancelled"}
"""What a calendar is told of a visit's status; a visit of any other is confirmed."""


def hash_feed(token: str) -> bytes:
    """What is kept of a feed's token: its SHA-256."""
    return sha256(token.encode()).digest()


async def open_feed(
    resource_id: UUID, address: str, actor: Actor, begin: Begin[SchedulingWork], clock: Clock
) -> NewFeedView:
    """Make a resource's feed, instead of any before. It ends with the membership of whoever made it.

    Args:
        address: where the feed will be, without the token.

    Raises:
        NotFound: no such resource here.
        NotPermitted: neither `clinic:configure` nor the actor's own resource.
    """
    now, token = clock.now(), secrets.token_urlsafe(32)
    async with begin(actor) as work:
        resource = await work.resources.lock(resource_id)
        _refuse_others(resource, actor)
        await work.feeds.revoke(resource.id, now)
        await work.feeds.add(
            CalendarFeed(
                clinic_id=actor.clinic_id,
                id=work.new_id(),
                resource_id=resource.id,
                member_id=actor.member_id,
                token_hash=hash_feed(token),
                created_at=now,
            )
        )
        view = NewFeedView(f"{address}?token={token}", token)
        return work.answer(view, msgspec.structs.replace(view, url=None, token=None))


async def revoke_feed(resource_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> None:
    """End a resource's feed, if it has one. Raises as when opening one."""
    async with begin(actor) as work:
        resource = await work.resources.lock(resource_id)
        _refuse_others(resource, actor)
        await work.feeds.revoke(resource.id, clock.now())


async def feed(resource_id: UUID, actor: Actor, begin: Begin[SchedulingWork], clock: Clock) -> list[CalendarEntry]:
    """A resource's visits, from a month ago to a year ahead, as a calendar may show them on anybody's screen: the
    patient and the service, and nobody's name or number."""
    now = clock.now()
    async with begin(actor) as work:
        visits = await work.feeds.visits(resource_id, now - PAST, now + AHEAD)
    return [_entry(visit) for visit in visits]


def _entry(visit: FeedVisit) -> CalendarEntry:
    return CalendarEntry(
        uid=visit_uid(visit.id),
        sequence=visit.version,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        summary=f"{visit.patient_name} · {visit.service_name}",
        status=_STATUS.get(visit.status, "confirmed"),
        changed_at=visit.changed_at,
    )


def _refuse_others(resource: Resource, actor: Actor) -> None:
    own = resource.member_id is not None and resource.member_id == actor.member_id
    if not own and "clinic:configure" not in actor.permissions:
        raise NotPermitted("You may share your own calendar only. Ask an owner or a manager for this one.")
