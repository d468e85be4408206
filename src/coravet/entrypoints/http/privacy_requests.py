"""Requests by people in the data, and what the clinic does about each."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.privacy.model import Right
from coravet.core.privacy.requests import (
    NewRightsRequest,
    RightsRequestChange,
    check_change,
    check_request,
    open_request,
    take_request_step,
)
from coravet.core.privacy.views import RightsRequestSummary, RightsRequestView
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit

_REQUESTS = "/clinics/{clinic:str}/privacy/requests"
_REQUEST = f"{_REQUESTS}/{{request_id:uuid}}"
# A request is taken in, answered and registered before whoever handles it has read and accepted our texts. Erasing a
# client is not exempt: it can wait for that reading, and its term runs for days.
_HANDLE = permitted("privacy:manage", legal_exempt=True)

Open = Annotated[bool | None, QueryParameter(name="open", description="Only open ones, or only closed ones.")]


def _request_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_request(given, ports.clock.now())[1]


def _change_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_change(given)[1]


@get(_REQUESTS, opt=_HANDLE, operation_id="listRightsRequests", tags=["Privacy"])
async def list_requests(
    call: NamedDependency[Call],
    right: FromQuery[Right | None] = None,
    only_open: Open = None,
    overdue: FromQuery[bool] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RightsRequestSummary]:
    """Rights requests: open ones by the day on which they are due, then closed ones. `overdue`: only those past it."""
    now = call.ports.clock.now()
    async with call.begin(call.actor) as work:
        found: Page[RightsRequestSummary] = await work.request_reads.requests(
            PageRequest(limit, cursor), now, right, open_only=only_open, overdue=overdue
        )
        return found


@post(_REQUESTS, opt=_HANDLE | {"check": _request_errors}, operation_id="openRightsRequest", tags=["Privacy"])
async def post_request(data: JSONBody[NewRightsRequest], call: NamedDependency[Call]) -> RightsRequestView:
    """Register a request by a person in the data. The day on which it is due is computed from that of its receipt."""
    ports = call.ports
    return await open_request(data, call.actor, call.begin, ports.clock, ports.holidays)


@get(_REQUEST, opt=_HANDLE, operation_id="getRightsRequest", tags=["Privacy"])
async def get_request(request_id: FromPath[UUID], call: NamedDependency[Call]) -> RightsRequestView:
    """A rights request with all that was done about it."""
    async with call.begin(call.actor) as work:
        found: RightsRequestView = await work.request_reads.request(request_id, call.ports.clock.now())
        return found


@patch(_REQUEST, opt=_HANDLE | {"check": _change_errors}, operation_id="advanceRightsRequest", tags=["Privacy"])
async def patch_request(
    request_id: FromPath[UUID], data: JSONBody[RightsRequestChange], call: NamedDependency[Call]
) -> RightsRequestView:
    """Take the next step: prove identity, ask and answer the one clarification, decide, execute, close, withdraw, lift.

    Executing an objection ends the client's consent to marketing and what is sent of the clinic's own accord; executing
    a suspension marks the client, to whom nothing is sent until it is lifted.
    """
    ports = call.ports
    return await take_request_step(request_id, data, call.actor, call.begin, ports.clock, ports.holidays)
