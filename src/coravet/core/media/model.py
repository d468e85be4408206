"""A file that the clinic was handed: a patient's photo, or what is attached to its record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from coravet.core.kernel.actor import ClinicId, MemberId

Purpose = Literal["photo", "attachment"]
MediaStatus = Literal["uploading", "processing", "ready", "failed"]

MEBIBYTE = 1024 * 1024
MOST_BYTES: dict[Purpose, int] = {"photo": 25 * MEBIBYTE, "attachment": 40 * MEBIBYTE}
"""Of one file as it is handed in: phones make photos of up to some 20 MB, scanners PDFs of more."""

KEPT_UNFINISHED = timedelta(days=2)
"""How long an upload that was begun may be continued; then what has arrived of it is dropped."""


@dataclass
class Media:
    """A file, and how far it is.

    Attributes:
        encounter_id: whose attachment it is; None of a photo.
        file_name: as it was called where it came from; None of a photo, whose name says nothing.
        size: in bytes as it is handed in, with `sha256` in hex; of these `received` have arrived.
        placeholder: a ThumbHash in Base64, to be shown until the picture is there; None of what is no picture.
        problem: the code of why it could not be taken.
        voided_at: since when an attachment is marked as entered in error; it stays.
        removed_at: since when it is no longer shown. Its objects are gone soon after.
    """

    clinic_id: ClinicId
    id: UUID
    purpose: Purpose
    patient_id: UUID
    encounter_id: UUID | None
    status: MediaStatus
    file_name: str | None
    size: int
    sha256: str
    received: int
    uploaded_by: MemberId | None
    created_at: datetime
    placeholder: str | None = None
    problem: str | None = None
    ready_at: datetime | None = None
    removed_at: datetime | None = None
    voided_at: datetime | None = None
    voided_by: MemberId | None = None
    void_reason: str | None = None
    version: int = 1
