"""Calendars: feeds that programs subscribe to, and the country's holidays."""

import asyncio
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, PathParameter, QueryParameter

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import NotFound
from coravet.core.scheduling.feeds import feed, hash_feed, open_feed, revoke_feed
from coravet.core.scheduling.holidays import suggest_holidays
from coravet.core.scheduling.views import HolidaysView, NewFeedView
from coravet.core.tenancy.clinic_day import time_zone
from coravet.entrypoints.http.access import permitted, public
from coravet.entrypoints.http.call import Call

_SUFFIX = ".ics"


@get(
    "/clinics/{clinic:str}/calendars/{calendar:str}",
    opt=public("Calendar programs sign in nowhere; the token in the address is the proof."),
    operation_id="getCalendar",
    tags=["Calendars"],
    media_type="text/calendar",
    responses={304: ResponseSpec(None, description="It is as it was under that ETag.")},
)
async def get_calendar(
    clinic: FromPath[str],
    calendar: Annotated[str, PathParameter(description="The resource's id, and `.ics`.")],
    call: NamedDependency[Call],
    token: Annotated[str, QueryParameter(description="What the clinic shared with the address.")] = "",
    if_none_match: Annotated[str, HeaderParameter(name="If-None-Match")] = "",
) -> Response[bytes]:
    """A resource's visits as iCalendar (RFC 5545), from a month ago to a year ahead.

    Whatever is wrong with the address, be it clinic, resource or token, is the same 404.
    """
    resource_id = _resource_of(calendar)
    found = await call.ports.directory.calendar(clinic, resource_id, hash_feed(token))
    if found is None:
        raise NotFound
    actor = Actor(clinic_id=found.clinic_id, time_zone=found.time_zone, user_id=None)
    entries = await feed(resource_id, actor, call.begin, call.ports.clock)
    name = f"{found.resource_name} · {found.clinic_name}"
    # Of what is written, not of how: most polls find nothing new, and need not wait for it to be written.
    told = sha256(msgspec.json.encode([name, found.time_zone, entries])).hexdigest()[:32]
    headers = {"ETag": f'W/"{told}"', "Cache-Control": "private, no-cache"}
    if told in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    zone = time_zone(found.time_zone)
    # A year of visits takes a tenth of a second or more, for which nobody else is kept waiting.
    body = await asyncio.to_thread(call.ports.calendars.write, entries, name=name, zone=zone)
    return Response(body, media_type="text/calendar", headers=headers)


def _resource_of(calendar: str) -> UUID:
    written = calendar.removesuffix(_SUFFIX)
    try:
        resource_id = UUID(written)
    except ValueError:
        raise NotFound from None
    if calendar != f"{resource_id}{_SUFFIX}":
        raise NotFound
    return resource_id


@post(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}/calendar",
    opt=permitted("agenda:read"),
    operation_id="openCalendar",
    tags=["Calendars"],
)
async def post_calendar(clinic: FromPath[str], resource_id: FromPath[UUID], call: NamedDependency[Call]) -> NewFeedView:
    """Make the address under which calendar programs find a resource's visits; one made before ends.

    Needs `clinic:configure`, or the resource to be one's own. The token is in this answer and nowhere else, a replay
    included.
    """
    address = f"{call.ports.public_url}/api/v1/clinics/{clinic}/calendars/{resource_id}{_SUFFIX}"
    return await open_feed(resource_id, address, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/resources/{resource_id:uuid}/calendar",
    opt=permitted("agenda:read"),
    operation_id="revokeCalendar",
    tags=["Calendars"],
)
async def delete_calendar(resource_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """End the address that was made, if there is one. Needs `clinic:configure`, or the resource to be one's own."""
    await revoke_feed(resource_id, call.actor, call.begin, call.ports.clock)


@get("/clinics/{clinic:str}/holidays", opt=permitted("clinic:read"), operation_id="listHolidays", tags=["Calendars"])
async def list_holidays(
    call: NamedDependency[Call],
    year: Annotated[int | None, QueryParameter(description="Default: the clinic's present one.")] = None,
) -> HolidaysView:
    """The country's holidays of a year, on the days to which the law moves them, and which the clinic closes on.

    One is accepted by making a closure of that day with `holiday: true`.
    """
    return await suggest_holidays(year, call.actor, call.begin, call.ports.clock, call.ports.holidays)
