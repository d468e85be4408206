"""Under which names objects are stored: per clinic, and by what is in them."""

import re
from hashlib import sha256
from typing import Final, NewType
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId

Key = NewType("Key", str)
"""The name of an object; made by this module alone, of hexadecimal digits, hyphens, slashes and `uploads`."""

MOST_PARTS_BYTES: Final = 10**12
"""Offsets have twelve digits, so that the parts of an upload come in order wherever names are sorted."""

_CLINIC = r"(?P<clinic>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_UPLOAD = _CLINIC.replace("clinic", "upload")
_KEY = re.compile(rf"{_CLINIC}/(?:(?P<sha256>[0-9a-f]{{64}})|uploads/{_UPLOAD}/(?P<offset>[0-9]{{12}}))")


class Named(msgspec.Struct, frozen=True):
    """What a key says: the content of a clinic with that hash, or a part of an upload that begins at `offset`."""

    clinic_id: ClinicId
    sha256: str | None = None
    upload_id: UUID | None = None
    offset: int = 0


def content_key(clinic_id: ClinicId, digest: str) -> Key:
    """Where content lies whose SHA-256 that is, in 64 lower-case hexadecimal digits.

    What is there is that content or nothing, so that it is written once and cached for ever. Clinics share nothing: who
    uploads a file cannot learn whether another clinic has it.

    Raises:
        ValueError: it is no such hash.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("A SHA-256 has 64 lower-case hexadecimal digits.")
    return Key(f"{clinic_id}/{digest}")


def key_of(clinic_id: ClinicId, content: bytes) -> Key:
    """Where this content lies. Hashing takes some 2 ms for a megabyte."""
    return content_key(clinic_id, sha256(content).hexdigest())


def part_key(clinic_id: ClinicId, upload_id: UUID, offset: int = 0) -> Key:
    """Where a part of an upload waits that begins at that byte; of one that is sent at once there is but the first.

    Raises:
        ValueError: the offset is negative, or has more than twelve digits.
    """
    if not 0 <= offset < MOST_PARTS_BYTES:
        raise ValueError("An offset has at most twelve digits.")
    return Key(f"{upload_prefix(clinic_id, upload_id)}{offset:012}")


def clinic_prefix(clinic_id: ClinicId) -> str:
    """What all keys of a clinic begin with."""
    return f"{clinic_id}/"


def upload_prefix(clinic_id: ClinicId, upload_id: UUID) -> str:
    """What the keys of all parts of an upload begin with."""
    return f"{clinic_id}/uploads/{upload_id}/"


def named(key: str) -> Named | None:
    """What a key says; None of what this module did not name."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    clinic_id = ClinicId(UUID(found["clinic"]))
    if found["sha256"]:
        return Named(clinic_id, sha256=found["sha256"])
    return Named(clinic_id, upload_id=UUID(found["upload"]), offset=int(found["offset"]))
