"""What a clinic's guests do without signing in: see what is free, book, and act by the links they were sent."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import Duplicate, FieldError, Invalid, NotFound
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.work import Replayed
from coravet.core.legal.documents import PersonalCapacity
from coravet.core.legal.model import Shown
from coravet.core.messaging.links import hash_link
from coravet.core.messaging.model import LinkPurpose
from coravet.core.patients.guests import GuestClient, GuestPatient, check_guest, match_or_register
from coravet.core.scheduling.guest_links import (
    GuestCancel,
    GuestReschedule,
    cancel_as_guest,
    confirm_as_guest,
    reschedule_as_guest,
    see,
)
from coravet.core.scheduling.guests import (
    NewHold,
    NewVisit,
    Token,
    book_as_guest,
    drop_hold,
    hold_for_guest,
    list_online,
    renew_hold,
    renew_tokens,
)
from coravet.core.scheduling.slots import find_slots
from coravet.core.scheduling.views import (
    AvailabilityView,
    GuestBookingView,
    GuestHoldView,
    GuestVisitView,
    OnlineServicesView,
)
from coravet.entrypoints.http.access import public
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.call import AnyWork, Call, Ports
from coravet.entrypoints.http.legal import evidence_of

PURPOSES: frozenset[LinkPurpose] = frozenset({"see", "confirm", "reschedule", "cancel"})
"""Links to a visit: each shows it, and all but the first do what they are called."""

GUESTS = "Guests have no account: whoever can reach the clinic may ask what is free, and book it."
LINKS = "The token in the address is the proof; a guest has no other."

LIMITED: dict[str, object] = {"limited": True}
REPLAYED = {"Idempotency-Replayed": "true"}

LinkToken = Annotated[str, PathParameter(max_length=128, description="From the booking's answer, or from a mail.")]


class GuestBooking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A visit that a guest asks for.

    Attributes:
        resource_id: who shall lead it; by default whoever is free.
        accepted: the portal's terms, as the guest was shown and accepted them; the list of services says which.
        hold: the token of a hold; while it stands, its time is theirs.
        capacity: whether the guest accepted for themselves, or for whom they represent.
    """

    service_id: UUID
    starts_at: Annotated[datetime, Meta(tz=True)]
    client: GuestClient
    patient: GuestPatient
    accepted: Shown
    resource_id: UUID | None = None
    hold: Token | None = None
    reason: Annotated[str, Meta(max_length=500)] | None = None
    capacity: PersonalCapacity = "oneself"


def _booking_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    _, _, errors = check_guest(given.get("client"), given.get("patient"), ports.numbers)
    return errors + clean_fields(given, ("reason",))[1]


def _reason_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return clean_fields(given, ("reason",))[1]


async def guest_of(slug: str, call: Call) -> Actor:
    """Whoever it is that asks, in the clinic at that address. Raises NotFound where there is none."""
    found = await call.ports.directory.clinic(slug)
    if found is None:
        raise NotFound
    return Actor(clinic_id=found.clinic_id, time_zone=found.time_zone, user_id=None)


async def _counted(slug: str, call: Call) -> Actor:
    """As `guest_of`, of one who wants to take time. Raises RateLimited where too much is wanted."""
    await call.ports.limits.count("address", call.address)
    actor = await guest_of(slug, call)
    await call.ports.limits.count("clinic", str(actor.clinic_id))
    return actor


async def linked(token: str, purposes: frozenset[LinkPurpose], call: Call) -> tuple[UUID, Actor]:
    """What a link leads to, and its clinic. Unknown, revoked, expired and for another purpose are one 404."""
    found = await call.ports.directory.link(hash_link(token))
    if found is None or found.purpose not in purposes or found.expires_at <= call.ports.clock.now():
        raise NotFound
    return found.subject_id, Actor(clinic_id=found.clinic_id, time_zone=found.time_zone, user_id=None)


@get(
    "/portal/clinics/{clinic:str}/services",
    opt=public(GUESTS) | LIMITED,
    operation_id="listPortalServices",
    tags=["Portal"],
)
async def get_services(clinic: FromPath[str], call: NamedDependency[Call]) -> OnlineServicesView:
    """The services that guests may book, by name, and the terms that a guest accepts by booking."""
    await call.ports.limits.count("reading", call.address)
    actor = await guest_of(clinic, call)
    return await list_online("en" if call.language == "en" else "es-EC", actor, call.begin)


@get(
    "/portal/clinics/{clinic:str}/availability",
    opt=public(GUESTS) | LIMITED,
    operation_id="getPortalAvailability",
    tags=["Portal"],
)
async def get_availability(
    clinic: FromPath[str],
    call: NamedDependency[Call],
    service: FromQuery[UUID],
    from_day: Annotated[date | None, QueryParameter(name="from", description="First day; default today.")] = None,
    to_day: Annotated[date | None, QueryParameter(name="to", description="Last day, included.")] = None,
    resource: FromQuery[UUID | None] = None,
) -> AvailabilityView:
    """The starts of a service that guests may book, by clinic day."""
    await call.ports.limits.count("reading", call.address)
    actor = await guest_of(clinic, call)
    return await find_slots(service, from_day, to_day, resource, actor, call.begin, call.ports.clock, guest=True)


@post(
    "/portal/clinics/{clinic:str}/holds",
    opt=public(GUESTS) | LIMITED,
    operation_id="holdPortalSlot",
    tags=["Portal"],
)
async def post_hold(
    clinic: FromPath[str], data: JSONBody[NewHold], call: NamedDependency[Call]
) -> Response[GuestHoldView]:
    """Hold a time for ten minutes, while the form is filled in. The booking names the token as `hold`."""
    actor = await _counted(clinic, call)
    try:
        return Response(await hold_for_guest(data, actor, call.begin, call.ports.clock))
    except Replayed as before:
        kept = msgspec.json.decode(before.answer, type=GuestHoldView)
        return Response(await renew_hold(kept, actor, call.ports.begin), headers=REPLAYED)


@delete(
    "/portal/holds/{hold_token:str}",
    opt=public(LINKS),
    operation_id="dropPortalHold",
    tags=["Portal"],
)
async def delete_hold(hold_token: LinkToken, call: NamedDependency[Call]) -> None:
    """Let go of a time that was held."""
    found = await call.ports.directory.hold(hash_link(hold_token))
    if found is None:
        raise NotFound
    actor = Actor(clinic_id=found.clinic_id, time_zone=found.time_zone, user_id=None)
    await drop_hold(hold_token, actor, call.begin, call.ports.clock)


@post(
    "/portal/clinics/{clinic:str}/bookings",
    opt=public(GUESTS) | LIMITED | {"check": _booking_errors},
    operation_id="bookAsGuest",
    tags=["Portal"],
)
async def post_booking(
    clinic: FromPath[str], data: JSONBody[GuestBooking], request: JsonRequest, call: NamedDependency[Call]
) -> Response[GuestBookingView]:
    """Book a visit. The answer repeats what the guest wrote and says nothing else of them, known to the clinic or not.

    Its tokens are kept nowhere: sent again under its Idempotency-Key, the booking is answered with new ones.
    """
    person, animal, errors = check_guest(data.client, data.patient, call.ports.numbers)
    said, wrong = clean_fields({"reason": data.reason}, ("reason",))
    if errors or wrong:
        raise Invalid(errors=errors + wrong)
    actor = await _counted(clinic, call)
    await call.ports.limits.count("phone", f"{actor.clinic_id} {person['phone']}")
    clock = call.ports.clock
    command = NewVisit(
        service_id=data.service_id,
        starts_at=data.starts_at,
        resource_id=data.resource_id,
        hold=data.hold,
        reason=said["reason"],
        given_name=person["given_name"],
        family_name=person["family_name"],
        phone=person["phone"],
        email=person["email"],
        patient_name=animal["name"],
        species=animal["species"],
        accepted=data.accepted,
        capacity=data.capacity,
        evidence=evidence_of(request, call),
    )

    # Before the booking looks at its clock: who is registered by it is its guest from before they asked.
    asked_at = clock.now()

    async def register(work: AnyWork) -> UUID:
        return await match_or_register(work, person, animal, asked_at)

    try:
        try:
            view = await book_as_guest(command, register, actor, call.begin, clock)
        except Duplicate:
            # Staff registered this very person meanwhile; now they are known, and the guest is told no more than ever.
            view = await book_as_guest(command, register, actor, call.begin, clock)
        return Response(view)
    except Replayed as before:
        kept = msgspec.json.decode(before.answer, type=GuestBookingView)
        return Response(await renew_tokens(kept, actor, call.ports.begin), headers=REPLAYED)


@get(
    "/portal/bookings/{see_token:str}",
    opt=public(LINKS),
    operation_id="getGuestBooking",
    tags=["Portal"],
)
async def get_booking(see_token: LinkToken, call: NamedDependency[Call]) -> GuestVisitView:
    """A visit, by any link to it. Changes nothing, whoever follows the link."""
    visit, actor = await linked(see_token, PURPOSES, call)
    return await see(visit, actor, call.begin, call.ports.clock)


@post(
    "/portal/bookings/{confirm_token:str}/confirm",
    opt=public(LINKS),
    operation_id="guestConfirm",
    tags=["Portal"],
    status_code=200,
)
async def post_confirm(confirm_token: LinkToken, call: NamedDependency[Call]) -> GuestVisitView:
    """Confirm a visit by its link for that."""
    visit, actor = await linked(confirm_token, frozenset({"confirm"}), call)
    return await confirm_as_guest(visit, actor, call.begin, call.ports.clock)


@post(
    "/portal/bookings/{reschedule_token:str}/reschedule",
    opt=public(LINKS) | {"check": _reason_errors},
    operation_id="guestReschedule",
    tags=["Portal"],
    status_code=200,
)
async def post_reschedule(
    reschedule_token: LinkToken, data: JSONBody[GuestReschedule], call: NamedDependency[Call]
) -> GuestVisitView:
    """Move a visit to another time by its link for that."""
    visit, actor = await linked(reschedule_token, frozenset({"reschedule"}), call)
    return await reschedule_as_guest(visit, data, actor, call.begin, call.ports.clock)


@post(
    "/portal/bookings/{cancel_token:str}/cancel",
    opt=public(LINKS) | {"check": _reason_errors},
    operation_id="guestCancel",
    tags=["Portal"],
    status_code=200,
)
async def post_cancel(
    cancel_token: LinkToken, call: NamedDependency[Call], data: JSONBody[GuestCancel | None] = None
) -> GuestVisitView:
    """Call off a visit by its link for that."""
    visit, actor = await linked(cancel_token, frozenset({"cancel"}), call)
    return await cancel_as_guest(visit, data or GuestCancel(), actor, call.begin, call.ports.clock)
