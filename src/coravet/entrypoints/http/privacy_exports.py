"""Handing a person everything that the clinic holds on them."""

from uuid import UUID

import structlog
from litestar import post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath
from litestar.response.streaming import ASGIStreamingResponse

from coravet.core.privacy.portability import export_client
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call
from coravet.entrypoints.http.exchange import Download

log = structlog.get_logger("coravet.http")


@post(
    "/clinics/{clinic:str}/clients/{client_id:uuid}/export",
    opt=permitted("privacy:manage", legal_exempt=True),
    operation_id="exportClient",
    tags=["Privacy"],
    status_code=200,
    responses={
        200: ResponseSpec(
            bytes,
            media_type="application/zip",
            generate_examples=False,
            description="A ZIP of LEEME.html, for people, and datos.json and inferidos.json, for programs, with the"
            " photos in archivos/. The header"
            " X-Export-Id names the export, as what was done about a rights request.",
        )
    },
)
async def post_export(
    clinic: FromPath[str], client_id: FromPath[UUID], call: NamedDependency[Call]
) -> ASGIStreamingResponse:
    """Everything that the clinic holds on a client, for whom it is about; of one who was merged, the client who stayed.

    It reads and changes nothing, so that an Idempotency-Key makes no difference: each time it is as of now.
    """
    made = await export_client(
        client_id, call.actor, call.ports.begin, call.ports.clock, call.ports.archiver, call.ports.studio.store
    )
    # Who handed out whose data, and when, can be found: ids alone.
    log.info("client export", client_id=str(client_id), export_id=str(made.id))
    answer = Download(made.content, f"datos-{clinic}-{call.ports.clock.now():%Y-%m-%d}.zip")
    answer.headers["X-Export-Id"] = str(made.id)
    return answer
