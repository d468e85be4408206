"""Photos of patients and files of their record."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIResponse, Operation
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Message, Receive, Scope, Send

from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.media.attachments import void_attachment
from coravet.core.media.media_ports import FoundObject
from coravet.core.media.model import MOST_BYTES
from coravet.core.media.names import name_as
from coravet.core.media.photos import expect_photo, remove_photo, take_photo
from coravet.core.media.ports import Content
from coravet.core.media.read import get_media, list_attachments, readable
from coravet.core.media.take import Address, Place, expect, take
from coravet.core.media.uploads import NewUpload, announce, receive, retry, take_from_store
from coravet.core.media.views import MediaView
from coravet.core.records.encounters import Voiding, check_reason
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit
from coravet.entrypoints.http.uploads import OfBytes, OfFile, raw, received

MULTIPART_EXTRA = 64 * 1024
"""What a form writes around its file at most."""

STALLED_SECONDS = 60.0
"""Who takes nothing of a file for so long is given up."""

LIFE = timedelta(minutes=5)
"""Of an address at the store: long enough for a slow connection to begin to load."""


@dataclass
class OfPictureOrPdf(Operation):
    """An operation that answers with the bytes of either."""

    def __post_init__(self) -> None:
        for status in ("200", "206"):
            found = (self.responses or {})[status]
            if isinstance(found, OpenAPIResponse) and found.content:
                [content] = found.content.values()
                found.content |= {"application/pdf": content}


_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_PROTECTED = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
}


def _reason_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_reason(given)[1]


def _visit(told: str) -> UUID:
    try:
        return UUID(told)
    except ValueError:
        raise Invalid(errors=[FieldError("/encounter_id", "invalid", "This is no id of a visit.")]) from None


def _address(clinic: str, call: Call) -> Address:
    return lambda media_id, variant: f"{call.ports.public_url}/api/v1/clinics/{clinic}/media/{media_id}/{variant}"


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/photo",
    opt=permitted("patients:write") | {"by_content": True},
    operation_id="sendPhoto",
    operation_class=OfFile,
    tags=["Photos"],
    request_max_body_size=MOST_BYTES["photo"] + MULTIPART_EXTRA,
)
async def post_photo(
    clinic: FromPath[str], patient_id: FromPath[UUID], call: NamedDependency[Call], request: JsonRequest
) -> MediaView:
    """Show a photo of a patient from now on: a JPEG, PNG, HEIC, WebP, AVIF, TIFF, or the first frame of a GIF.

    What a camera writes beside the picture, such as where it was taken, is not kept. One that takes long is
    `processing`, and shown when that is done. Sending the photo that shows already changes nothing.
    """
    await expect_photo(patient_id, call.actor, call.begin)
    async with received(request) as upload:
        return await call.answered_once(
            upload.sha256,
            lambda: take_photo(
                patient_id, upload, call.actor, call.begin, call.ports.clock, call.ports.studio, _address(clinic, call)
            ),
        )


@delete(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/photo",
    opt=permitted("patients:write"),
    operation_id="removePhoto",
    tags=["Photos"],
)
async def delete_photo(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """Show no photo of a patient any more; it is deleted within minutes."""
    await remove_photo(patient_id, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/attachments",
    opt=permitted("records:write") | {"by_content": True},
    operation_id="sendAttachment",
    operation_class=OfFile,
    tags=["Attachments"],
    request_max_body_size=MOST_BYTES["attachment"] + MULTIPART_EXTRA,
)
async def post_attachment(
    clinic: FromPath[str],
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    request: JsonRequest,
    encounter_id: Annotated[UUID | None, QueryParameter(description="The visit that it belongs to.")] = None,
    file_name: Annotated[
        str | None, QueryParameter(max_length=1000, description="What it is called; of a form, the form says it.")
    ] = None,
) -> MediaView:
    """Attach a picture or a PDF to a patient's record, or to a visit of it, signed or not.

    A form may name the visit in its field `encounter_id`, too. A PDF keeps its pages; what would act when it is opened,
    files in it, notes on who made it and its digital signature are left out. A picture is kept as a photo is. The same
    file of the same visit is attached once, however often it is sent.
    """
    place = Place("attachment", patient_id, encounter_id)
    async with call.begin(call.actor) as work:
        await expect(place, work)
    told: dict[str, str] = {}
    async with received(request, told) as upload:
        if "encounter_id" in told:
            place = msgspec.structs.replace(place, encounter_id=_visit(told["encounter_id"]))
        named = msgspec.structs.replace(upload, file_name=upload.file_name or file_name)
        return await call.answered_once(
            f"{upload.sha256} {place.encounter_id}",
            lambda: take(
                place, named, call.actor, call.begin, call.ports.clock, call.ports.studio, _address(clinic, call)
            ),
        )


@get(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/attachments",
    opt=permitted("records:read"),
    operation_id="listAttachments",
    tags=["Attachments"],
)
async def get_attachments(
    clinic: FromPath[str],
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    encounter_id: Annotated[UUID | None, QueryParameter(description="Only what belongs to this visit.")] = None,
) -> Page[MediaView]:
    """What is attached to a patient's record, the newest first."""
    return await list_attachments(
        PageRequest(limit, cursor), patient_id, encounter_id, call.actor, call.begin, _address(clinic, call)
    )


@post(
    "/clinics/{clinic:str}/media/{media_id:uuid}/void",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="voidAttachment",
    status_code=200,
    tags=["Attachments"],
)
async def post_void(
    clinic: FromPath[str], media_id: FromPath[UUID], data: JSONBody[Voiding], call: NamedDependency[Call]
) -> MediaView:
    """Mark an attachment as entered in error; it stays, marked, for who reads the record."""
    return await void_attachment(media_id, data, call.actor, call.begin, call.ports.clock, _address(clinic, call))


@post(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/uploads",
    opt=permitted("patients:write") | {"by_content": True},
    operation_id="openUpload",
    tags=["Photos"],
)
async def post_upload(
    clinic: FromPath[str], patient_id: FromPath[UUID], data: JSONBody[NewUpload], call: NamedDependency[Call]
) -> MediaView:
    """Begin to hand in a photo or a file of the record, or find how far that is; the bytes follow.

    Send them with `PUT …/media/{media_id}/bytes`, from `received` on whenever a connection dropped; or, where
    `upload_url` is there, PUT all of them to that address and say so with `POST …/media/{media_id}/arrived`. The same
    file of a patient is the same upload, however often it is announced: what is here already need not be sent.
    """
    return await call.answered_once(
        f"{data.sha256} {data.purpose} {data.size} {data.encounter_id}",
        lambda: announce(
            patient_id, data, call.actor, call.begin, call.ports.clock, call.ports.studio, _address(clinic, call)
        ),
    )


@put(
    "/clinics/{clinic:str}/media/{media_id:uuid}/bytes",
    opt=permitted("patients:write"),
    operation_id="sendUploadBytes",
    operation_class=OfBytes,
    tags=["Photos"],
    request_max_body_size=max(MOST_BYTES.values()),
)
async def put_bytes(
    clinic: FromPath[str],
    media_id: FromPath[UUID],
    call: NamedDependency[Call],
    request: JsonRequest,
    offset: Annotated[
        int, QueryParameter(ge=0, le=max(MOST_BYTES.values()), description="Of the first byte that is sent.")
    ] = 0,
) -> MediaView:
    """Send a file's bytes from an offset on, to its end or not; who is cut off goes on from `received`.

    With the last of them it is converted: `ready`, `failed` with a `problem`, or `processing` where that takes long.
    """
    return await receive(
        media_id,
        offset,
        raw(request),
        call.actor,
        call.begin,
        call.ports.clock,
        call.ports.studio,
        _address(clinic, call),
    )


@post(
    "/clinics/{clinic:str}/media/{media_id:uuid}/arrived",
    opt=permitted("patients:write") | {"by_content": True},
    operation_id="closeUpload",
    status_code=200,
    tags=["Photos"],
)
async def post_arrived(clinic: FromPath[str], media_id: FromPath[UUID], call: NamedDependency[Call]) -> MediaView:
    """Say that a file was put to its `upload_url`; it is read, checked and converted."""
    return await call.answered_once(
        "",
        lambda: take_from_store(
            media_id, call.actor, call.begin, call.ports.clock, call.ports.studio, _address(clinic, call)
        ),
    )


@post(
    "/clinics/{clinic:str}/media/{media_id:uuid}/retry",
    opt=permitted("patients:write") | {"by_content": True},
    operation_id="retryMedia",
    status_code=200,
    tags=["Photos"],
)
async def post_retry(clinic: FromPath[str], media_id: FromPath[UUID], call: NamedDependency[Call]) -> MediaView:
    """Convert once more what could not be converted in time, or now what waits; `upload_gone` says to send it again."""
    return await call.answered_once(
        "",
        lambda: retry(media_id, call.actor, call.begin, call.ports.clock, call.ports.studio, _address(clinic, call)),
    )


@get(
    "/clinics/{clinic:str}/media/{media_id:uuid}",
    opt=permitted("patients:read"),
    operation_id="getMedia",
    tags=["Photos"],
)
async def get_one(clinic: FromPath[str], media_id: FromPath[UUID], call: NamedDependency[Call]) -> MediaView:
    """A photo or file, and how far it is."""
    return await get_media(media_id, call.actor, call.begin, _address(clinic, call))


@get(
    "/clinics/{clinic:str}/media/{media_id:uuid}/{variant:str}",
    opt=permitted("patients:read"),
    operation_id="readMedia",
    operation_class=OfPictureOrPdf,
    tags=["Photos"],
    responses={
        200: ResponseSpec(
            bytes, media_type="image/webp", generate_examples=False, description="The picture's or file's bytes."
        ),
        206: ResponseSpec(
            bytes, media_type="image/webp", generate_examples=False, description="The bytes that `Range` asked for."
        ),
        302: ResponseSpec(None, generate_examples=False, description="They are at the store's own address."),
        304: ResponseSpec(None, generate_examples=False, description="What If-None-Match names is still the same."),
    },
)
async def get_variant(
    media_id: FromPath[UUID], variant: FromPath[str], call: NamedDependency[Call], request: JsonRequest
) -> ASGIResponse:
    """A picture in one of its sizes, or a file; from the store itself where that has addresses of its own.

    Parts of it by `Range`; what is behind an address never changes.
    """
    found = await readable(media_id, variant, call.actor, call.begin)
    store = call.ports.studio.store
    tag = f'"{found.made.key.rpartition("/")[2]}"'
    headers = _PROTECTED | {"ETag": tag, "Cache-Control": "private, max-age=3600, immutable", "Accept-Ranges": "bytes"}
    if request.headers.get("if-none-match") == tag:
        return ASGIResponse(status_code=304, headers=headers)
    if found.purpose == "photo":
        addresses = store.reading_addresses([found.made.key], LIFE)
        if addresses is not None:
            kept = {"Cache-Control": f"private, max-age={int(LIFE.total_seconds()) // 2}", "Location": addresses[0]}
            return ASGIResponse(status_code=302, headers=kept)
    start, end = _range(request.headers.get("range"), found.made.size)
    content = await store.open(found.made.key, start, end)
    if (start, end) != (0, None):
        headers["Content-Range"] = f"bytes {content.start}-{content.end - 1}/{content.size}"
    return Sent(content, found, headers, 200 if (start, end) == (0, None) else 206)


def _range(asked: str | None, size: int) -> tuple[int, int | None]:
    """The bytes that are asked for; all of them where that is not understood, as RFC 9110 lets a server."""
    match = _RANGE.fullmatch(asked or "")
    if match is None or not any(match.groups()):
        return 0, None
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = int(last) + 1 if first and last else size
    return (start, min(end, size)) if start < min(end, size) else (0, None)


class Sent(ASGIStreamingResponse):
    """A file as it is read from the store. Whoever stops taking it is given up."""

    def __init__(self, content: Content, found: FoundObject, headers: dict[str, str], status_code: int) -> None:
        if found.purpose == "attachment":
            name = quote(name_as(found.file_name, found.made.media_type), safe="")
            headers = headers | {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        super().__init__(
            iterator=_closed_at_end(content.chunks),
            media_type=found.made.media_type,
            headers=headers | {"Content-Length": str(content.end - content.start)},
            status_code=status_code,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(STALLED_SECONDS):
                await send(message)

        await super().__call__(scope, receive, in_time)


async def _closed_at_end(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks) as each:  # type: ignore[type-var]  # the store's are generators
        async for chunk in each:
            yield chunk
