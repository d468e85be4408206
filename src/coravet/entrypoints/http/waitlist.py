"""The waitlist, and offers as the clients see them who were sent one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.messaging.model import LinkPurpose
from coravet.core.scheduling.book import check_appointment
from coravet.core.scheduling.model import WaitlistStatus
from coravet.core.scheduling.offering import (
    NewOffer,
    accept,
    accept_by_link,
    decline,
    decline_by_link,
    offer_by_hand,
    show_offer,
)
from coravet.core.scheduling.views import AppointmentView, OfferView, WaitlistView
from coravet.core.scheduling.waitlist import NewEntry, check_entry, join, leave
from coravet.entrypoints.http.access import permitted, public
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit
from coravet.entrypoints.http.portal import LINKS, LinkToken, linked

OFFERS: frozenset[LinkPurpose] = frozenset({"accept_offer"})
BY_LINK = public(LINKS)
UNSEEN = {"Cache-Control": "no-store"}


def _entry_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_entry(given)[1]


def _offer_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_appointment(given, ports.clock.now())[1]


@get("/clinics/{clinic:str}/waitlist", opt=permitted("agenda:read"), operation_id="listWaitlist", tags=["Waitlist"])
async def list_waitlist(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    status: FromQuery[WaitlistStatus | None] = None,
) -> Page[WaitlistView]:
    """Who waits, longest first, of one status where given."""
    async with call.begin(call.actor) as work:
        return await work.waitlist.views(PageRequest(limit, cursor), status)


@post(
    "/clinics/{clinic:str}/waitlist",
    opt=permitted("agenda:write") | {"check": _entry_errors},
    operation_id="joinWaitlist",
    tags=["Waitlist"],
)
async def post_waitlist(data: JSONBody[NewEntry], call: NamedDependency[Call]) -> WaitlistView:
    """Put a patient on the waitlist."""
    return await join(data, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/waitlist/{entry_id:uuid}",
    opt=permitted("agenda:write"),
    operation_id="leaveWaitlist",
    tags=["Waitlist"],
)
async def delete_waitlist(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Take a patient off the waitlist; what is on offer goes to the next."""
    await leave(entry_id, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/waitlist/{entry_id:uuid}/offer",
    opt=permitted("agenda:write") | {"check": _offer_errors},
    operation_id="offerTime",
    tags=["Waitlist"],
    status_code=200,
)
async def post_offer(entry_id: FromPath[UUID], data: JSONBody[NewOffer], call: NamedDependency[Call]) -> WaitlistView:
    """Offer a time to somebody who waits; it is held until it is answered, or the deadline comes."""
    return await offer_by_hand(entry_id, data, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/waitlist/{entry_id:uuid}/accept",
    opt=permitted("agenda:write"),
    operation_id="acceptOffer",
    tags=["Waitlist"],
    status_code=200,
)
async def post_accept(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> AppointmentView:
    """Make what is on offer a visit, on the client's behalf."""
    return await accept(entry_id, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/waitlist/{entry_id:uuid}/decline",
    opt=permitted("agenda:write"),
    operation_id="declineOffer",
    tags=["Waitlist"],
    status_code=200,
)
async def post_decline(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> WaitlistView:
    """Let an offer pass, on the client's behalf; it goes to the next."""
    return await decline(entry_id, call.actor, call.begin, call.ports.clock)


@get(
    "/portal/offers/{offer_token:str}",
    opt=BY_LINK,
    operation_id="showOffer",
    tags=["Portal"],
    response_headers=UNSEEN,
)
async def get_portal_offer(offer_token: LinkToken, call: NamedDependency[Call]) -> OfferView:
    """The offer that a link leads to. Looking changes nothing."""
    hold_id, actor = await linked(offer_token, OFFERS, call)
    return await show_offer(hold_id, actor, call.begin, call.ports.clock)


@post(
    "/portal/offers/{offer_token:str}/accept",
    opt=BY_LINK,
    operation_id="acceptOfferByLink",
    tags=["Portal"],
    status_code=200,
    response_headers=UNSEEN,
)
async def post_portal_accept(offer_token: LinkToken, call: NamedDependency[Call]) -> OfferView:
    """Take an offer; again changes nothing."""
    hold_id, actor = await linked(offer_token, OFFERS, call)
    return await accept_by_link(hold_id, actor, call.begin, call.ports.clock)


@post(
    "/portal/offers/{offer_token:str}/decline",
    opt=BY_LINK,
    operation_id="declineOfferByLink",
    tags=["Portal"],
    status_code=200,
    response_headers=UNSEEN,
)
async def post_portal_decline(offer_token: LinkToken, call: NamedDependency[Call]) -> OfferView:
    """Let an offer pass; again changes nothing."""
    hold_id, actor = await linked(offer_token, OFFERS, call)
    return await decline_by_link(hold_id, actor, call.begin, call.ports.clock)
