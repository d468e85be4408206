"""Receiving a file: its bytes themselves or a form's field, onto disk piece by piece, whatever its size."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from litestar.exceptions import InternalServerException
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from coravet.core.kernel.errors import FieldError, Invalid, UnsupportedMedia
from coravet.core.media.studio import Upload
from coravet.entrypoints.http.bodies import JsonRequest

FIELD = "file"
MOST_TOLD = 1000
"""Characters of a form's other fields that are read."""

PIECE = 256 * 1024
_NO_FILE = frozenset({"application/json", "application/x-www-form-urlencoded"})


@dataclass
class OfFile(Operation):
    """An operation that takes a file: its bytes, or a form with it."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={FIELD: file}, required=[FIELD])
        self.request_body = RequestBody(
            {"application/octet-stream": OpenAPIMediaType(file), "multipart/form-data": OpenAPIMediaType(form)},
            required=True,
        )


@dataclass
class OfBytes(Operation):
    """An operation that takes the bytes of a file, or some of them."""

    def __post_init__(self) -> None:
        file = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody({"application/octet-stream": file}, required=True)


async def arriving(request: JsonRequest) -> AsyncIterator[bytes]:
    """The bytes of a request as they come. Raises Invalid where the connection drops, which is no fault of ours."""
    chunks = request.stream()
    try:
        async for chunk in chunks:
            yield chunk
    except InternalServerException as error:  # Litestar's own word for it
        sentence = "The connection dropped before all of it was here. Send it again."
        raise Invalid(errors=[FieldError("", "cut_off", sentence)]) from error


def raw(request: JsonRequest) -> AsyncIterator[bytes]:
    """The bytes of the request themselves. Raises UnsupportedMedia where it is JSON or a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _NO_FILE or kind == "multipart/form-data":
        raise UnsupportedMedia("Send the bytes of the file themselves, as application/octet-stream.")
    return arriving(request)


@asynccontextmanager
async def received(request: JsonRequest, told: dict[str, str] | None = None) -> AsyncIterator[Upload]:
    """The request's file, on disk while the context lasts. How large it may be the route says.

    Args:
        told: gets what a form says beside the file: its short fields, by name.

    Raises:
        UnsupportedMedia: it is JSON or a form without files.
        Invalid: there are no bytes, or the form cannot be read or has no `file`.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind in _NO_FILE:
        raise UnsupportedMedia("Send the bytes of the file themselves, or multipart/form-data with the field `file`.")
    form = Form(options.get("boundary", ""), told) if kind == "multipart/form-data" else None
    with TemporaryDirectory(prefix="coravet-") as folder:
        path = Path(folder, "upload")
        digest, size = sha256(), 0
        held = bytearray()
        with await asyncio.to_thread(path.open, "wb") as file:
            async for chunk in arriving(request):
                for piece in (chunk,) if form is None else form.read(chunk):
                    held += piece
                if len(held) >= PIECE:
                    size += len(held)
                    await asyncio.to_thread(_keep, file, digest.update, bytes(held))
                    held.clear()
            size += len(held)
            await asyncio.to_thread(_keep, file, digest.update, bytes(held))
        if form is not None:
            form.end()
        if not size:
            raise Invalid(errors=[FieldError(f"/{FIELD}", "empty", "The file is empty. Choose another one.")])
        yield Upload(path, size, digest.hexdigest(), None if form is None else form.file_name)


def _keep(file: BinaryIO, digest: Callable[[bytes], None], data: bytes) -> None:
    digest(data)
    file.write(data)


class Form:
    """A form that is read piece by piece, of which the field `file` counts.

    Attributes:
        file_name: as the form calls the file.
    """

    def __init__(self, boundary: str, told: dict[str, str] | None = None) -> None:
        try:
            self._parser = PushMultipartParser(boundary, max_segment_count=16, strict=True)
        except (MultipartError, ValueError) as error:
            raise self._malformed() from error
        self.file_name: str | None = None
        self._found = False
        self._inside = False
        self._told = {} if told is None else told
        self._field = ""

    def read(self, chunk: bytes) -> Iterator[bytes]:
        """The file's bytes in the next piece of the form."""
        try:
            for event in self._parser.parse(chunk) if chunk else ():
                if isinstance(event, MultipartSegment):
                    self._inside = event.name == FIELD and not self._found
                    self._field = "" if event.name == FIELD else event.name
                    if self._inside:
                        self._found, self.file_name = True, event.filename
                elif event and self._inside:
                    yield bytes(event)
                elif event and self._field:
                    said = self._told.get(self._field, "") + event.decode(errors="replace")
                    self._told[self._field] = said[:MOST_TOLD]
        except MultipartError as error:
            raise self._malformed() from error

    def end(self) -> None:
        """Nothing follows. Raises Invalid where the form breaks off, or had no file."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise self._malformed() from error
        if not self._found:
            raise Invalid(errors=[FieldError(f"/{FIELD}", "required", "This field is required.")])

    @staticmethod
    def _malformed() -> Invalid:
        sentence = "The form breaks off or cannot be read. Send it again."
        return Invalid(errors=[FieldError("", "malformed_form", sentence)])
