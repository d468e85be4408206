"""Handing in the clinic's own lists of clients and patients, and handing out everything that is the clinic's."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

import structlog
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Message, Receive, Scope, Send

from coravet.core.exchange.export import export
from coravet.core.exchange.imports import (
    Application,
    NewImport,
    Tell,
    apply_import,
    drop_import,
    get_import,
    list_imports,
    list_rows,
    open_import,
    receive,
)
from coravet.core.exchange.model import MOST_BYTES
from coravet.core.exchange.views import ImportRowView, ImportView
from coravet.core.kernel.errors import Unavailable, UnsupportedMedia
from coravet.core.kernel.pages import Page, PageRequest
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.call import Call
from coravet.entrypoints.http.language import told
from coravet.entrypoints.http.paging import Cursor, Limit
from coravet.entrypoints.http.uploads import arriving

STALLED_SECONDS = 60.0
"""Who takes nothing of an archive for so long is given up."""

LONGEST_SECONDS = 1800.0
"""Who has not taken all of an archive by then is given up, too: it holds a connection and a snapshot of everything."""

AT_ONCE = 2
"""Archives that a process makes at a time, of whatever clinics."""

log = structlog.get_logger("coravet.http")
_NO_FILE = frozenset({"application/json", "application/x-www-form-urlencoded", "multipart/form-data"})


@dataclass
class _OfBytes(Operation):
    """An operation that takes the bytes of a file."""

    def __post_init__(self) -> None:
        binary = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody({"text/csv": binary}, required=True)


def _tell(call: Call) -> Tell:
    return partial(told, language=call.language)


@post(
    "/clinics/{clinic:str}/imports",
    opt=permitted("clinic:configure"),
    operation_id="openImport",
    tags=["Imports"],
)
async def post_import(data: JSONBody[NewImport], call: NamedDependency[Call]) -> ImportView:
    """Begin to hand in a file, or find how far that is; the bytes follow, and the file is checked once all are here.

    A file that was handed in before is the same import, wherever it stands.
    """
    return await open_import(data, call.actor, call.begin, call.ports.clock, _tell(call))


@put(
    "/clinics/{clinic:str}/imports/{import_id:uuid}/file",
    opt=permitted("clinic:configure"),
    operation_id="sendImportFile",
    operation_class=_OfBytes,
    tags=["Imports"],
    request_max_body_size=MOST_BYTES,
)
async def put_file(
    import_id: FromPath[UUID],
    call: NamedDependency[Call],
    request: JsonRequest,
    offset: Annotated[int, QueryParameter(ge=0, le=MOST_BYTES, description="Of the first byte that is sent.")] = 0,
) -> ImportView:
    """Send the file's bytes from an offset to its end; who is cut off goes on from `received`."""
    kind = request.headers.get("content-type", "text/csv").partition(";")[0].strip().lower()
    if kind in _NO_FILE:
        raise UnsupportedMedia("Send the bytes of the file themselves, as text/csv.")
    return await receive(import_id, offset, arriving(request), call.actor, call.begin, _tell(call))


@get("/clinics/{clinic:str}/imports", opt=permitted("clinic:configure"), operation_id="listImports", tags=["Imports"])
async def get_imports(call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None) -> Page[ImportView]:
    """Files that were handed in, the newest first."""
    return await list_imports(PageRequest(limit, cursor), call.actor, call.begin, _tell(call))


@get(
    "/clinics/{clinic:str}/imports/{import_id:uuid}",
    opt=permitted("clinic:configure"),
    operation_id="getImport",
    tags=["Imports"],
)
async def get_one_import(import_id: FromPath[UUID], call: NamedDependency[Call]) -> ImportView:
    """A file that was handed in, and how far it is."""
    return await get_import(import_id, call.actor, call.begin, _tell(call))


@get(
    "/clinics/{clinic:str}/imports/{import_id:uuid}/rows",
    opt=permitted("clinic:configure"),
    operation_id="listImportRows",
    tags=["Imports"],
)
async def get_rows(
    import_id: FromPath[UUID],
    call: NamedDependency[Call],
    outcome: FromQuery[Literal["created", "matched", "merged", "error", "warning"] | None] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ImportRowView]:
    """What comes of each row of a file, and what is wrong or odd about it."""
    page = PageRequest(limit, cursor)
    return await list_rows(import_id, page, outcome, call.actor, call.begin, _tell(call))


@post(
    "/clinics/{clinic:str}/imports/{import_id:uuid}/apply",
    opt=permitted("clinic:configure"),
    operation_id="applyImport",
    tags=["Imports"],
    status_code=200,
)
async def post_apply(
    import_id: FromPath[UUID], call: NamedDependency[Call], data: JSONBody[Application | None] = None
) -> ImportView:
    """Have a checked file imported, as a whole or not at all; how far that is, the import tells."""
    return await apply_import(import_id, data or Application(), call.actor, call.begin, _tell(call))


@delete(
    "/clinics/{clinic:str}/imports/{import_id:uuid}",
    opt=permitted("clinic:configure"),
    operation_id="dropImport",
    tags=["Imports"],
)
async def delete_import(import_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Forget a file and all that was noted of it; what was imported stays."""
    await drop_import(import_id, call.actor, call.begin)


class Download(ASGIStreamingResponse):
    """A file that is made while it is sent. Whoever stops reading is given up, for it holds a connection meanwhile."""

    def __init__(self, content: AsyncGenerator[bytes, None], name: str, longest: float = LONGEST_SECONDS) -> None:
        disposition = f'attachment; filename="{name}"'
        super().__init__(iterator=content, media_type="application/zip", headers={"Content-Disposition": disposition})
        self._content = content
        self._longest = longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(STALLED_SECONDS):
                await send(message)

        try:
            async with asyncio.timeout(self._longest):
                await super().__call__(scope, receive, in_time)
        finally:
            await self._content.aclose()


@get(
    "/clinics/{clinic:str}/export",
    opt=permitted("privacy:manage", legal_exempt=True),  # nobody is held by their data
    operation_id="exportClinic",
    tags=["Export"],
    responses={
        200: ResponseSpec(
            bytes,
            media_type="application/zip",
            generate_examples=False,
            description="A ZIP of CSV files, one for each table, and the photos, with what explains them: see LEEME. "
            "It is whole where its manifest.json, the last file, can be read.",
        )
    },
)
async def get_export(clinic: FromPath[str], call: NamedDependency[Call]) -> ASGIStreamingResponse:
    """Everything of the clinic as it is now, as an archive of CSV files."""
    content = _archive(call)
    # What refuses it is told before the answer begins.
    first = await anext(content)
    return Download(_told_of(first, content), f"{clinic}-{call.ports.clock.now():%Y-%m-%d}.zip")


_made: set[object] = set()
"""Archives that this process is making."""


async def _archive(call: Call) -> AsyncGenerator[bytes, None]:
    """The archive's bytes.

    Raises:
        Unavailable: as many as may be are being made, or this clinic's is.
    """
    if len(_made) >= AT_ONCE:
        raise Unavailable("Other clinics are being exported at this moment. Wait until that is done.", 30)
    this = object()
    _made.add(this)
    try:
        made = export(call.actor, call.begin, call.ports.clock, call.ports.archiver, call.ports.studio.store)
        async with aclosing(made) as content:
            async for chunk in content:
                yield chunk
    finally:
        _made.discard(this)


async def _told_of(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same bytes. That everything was exported, by whom and how much it was, is written into the log."""
    log.info("clinic export begun")
    size = len(first)
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            size += len(chunk)
            yield chunk
    log.info("clinic export done", bytes=size)
