"""What readers of photos and files are shown."""

from datetime import datetime
from uuid import UUID

import msgspec

from coravet.core.media.media_ports import ObjectName
from coravet.core.media.model import MediaStatus, Purpose


class MediaVariantView(msgspec.Struct, frozen=True):
    """A picture in one size, or a file: where it is read, its sides in pixels (of a picture), and its bytes."""

    url: str
    width: int | None
    height: int | None
    bytes: int


class MediaView(msgspec.Struct, frozen=True):
    """A photo or a file.

    Attributes:
        status: `uploading` until all bytes are here, `processing` until it can be shown, `ready`, or `failed`.
        received: of `size` bytes, how many are here; whoever was cut off goes on from there.
        problem: the code of why it failed.
        uploaded_by: the member who handed it in.
        voided_at: since when it is marked as entered in error, with `void_reason`.
        placeholder: a ThumbHash in Base64, to be shown until the picture is there.
        variants: by name, `thumbnail`, `card` and `full` of a picture, `original` of a file; empty until it is ready.
        upload_url: where all of its bytes may be PUT at once instead, past the service, while it is `uploading` and
            for an hour; null where that is not offered.
    """

    id: UUID
    purpose: Purpose
    patient_id: UUID
    encounter_id: UUID | None
    status: MediaStatus
    file_name: str | None
    size: int
    received: int
    problem: str | None
    placeholder: str | None
    variants: dict[ObjectName, MediaVariantView]
    created_at: datetime
    uploaded_by: UUID | None
    voided_at: datetime | None
    void_reason: str | None
    upload_url: str | None = None
