"""Erasing a client, the certificates of that, and how long what is held back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.privacy.erase import Erase, check_erase, erase_client
from coravet.core.privacy.erasure_views import ErasureView, RetentionView
from coravet.core.privacy.retention import NewRetention, check_retention, in_force, set_retention
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit

_ERASURES = "/clinics/{clinic:str}/privacy/erasures"
_RETENTION = "/clinics/{clinic:str}/privacy/retention"
_MANAGE = permitted("privacy:manage")


def _erase_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_erase(given)[1]


def _retention_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_retention(given)[1]


@post(
    "/clinics/{clinic:str}/clients/{client_id:uuid}/erase",
    opt=_MANAGE | {"check": _erase_errors},
    operation_id="eraseClient",
    tags=["Privacy"],
    status_code=200,
)
async def post_erase(
    client_id: FromPath[UUID], call: NamedDependency[Call], data: JSONBody[Erase | None] = None
) -> ErasureView:
    """Erase a client for good: rows and counts stay, the person goes. Who was erased answers the same certificate."""
    ports = call.ports
    return await erase_client(client_id, data or Erase(), call.actor, call.begin, ports.clock, ports.apart)


@get(_ERASURES, opt=_MANAGE, operation_id="listErasures", tags=["Privacy"])
async def list_erasures(call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None) -> Page[ErasureView]:
    """Erasures with their certificates, the latest first."""
    async with call.begin(call.actor) as work:
        found: Page[ErasureView] = await work.erasure_reads.views(PageRequest(limit, cursor))
        return found


@get(f"{_ERASURES}/{{erasure_id:uuid}}", opt=_MANAGE, operation_id="getErasure", tags=["Privacy"])
async def get_erasure(erasure_id: FromPath[UUID], call: NamedDependency[Call]) -> ErasureView:
    """An erasure with its certificate, which names nobody."""
    async with call.begin(call.actor) as work:
        return await work.erasure_reads.view(erasure_id)


@get(_RETENTION, opt=_MANAGE, operation_id="getRetention", tags=["Privacy"])
async def get_retention(call: NamedDependency[Call]) -> RetentionView:
    """How long each kind of data is held back from erasure, and on what basis."""
    async with call.begin(call.actor) as work:
        return in_force(await work.retention.own())


@put(_RETENTION, opt=_MANAGE | {"check": _retention_errors}, operation_id="setRetention", tags=["Privacy"])
async def put_retention(data: JSONBody[NewRetention], call: NamedDependency[Call]) -> RetentionView:
    """Replace the clinic's own rules; what is not among them goes when its person asks for that."""
    return await set_retention(data, call.actor, call.begin)
