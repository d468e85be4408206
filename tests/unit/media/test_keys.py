"""Names of objects: one for each content of each clinic, and none that leads anywhere else."""

from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.actor import ClinicId
from coravet.core.media.keys import (
    Named,
    clinic_prefix,
    content_key,
    key_of,
    named,
    part_key,
    upload_prefix,
)

CLINIC, OTHER = ClinicId(UUID(int=7)), ClinicId(UUID(int=8))
UPLOAD = UUID(int=9)


@given(st.uuids(), st.binary(max_size=64))
def test_content_is_named_by_what_it_is(clinic: UUID, content: bytes) -> None:
    """The same bytes in the same clinic are one object, and the key says which; the clinic's prefix leads to it."""
    key = key_of(ClinicId(clinic), content)
    assert key == f"{clinic}/{sha256(content).hexdigest()}"
    assert named(key) == Named(ClinicId(clinic), sha256=sha256(content).hexdigest())
    assert key.startswith(clinic_prefix(ClinicId(clinic)))


@given(st.uuids(), st.uuids(), st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
def test_parts_of_an_upload_come_in_order(clinic: UUID, upload: UUID, one: int, other: int) -> None:
    """Keys of parts are sorted as their offsets are, and say clinic, upload and offset."""
    first, second = (part_key(ClinicId(clinic), upload, each) for each in sorted((one, other)))
    assert first <= second
    assert named(first) == Named(ClinicId(clinic), upload_id=upload, offset=min(one, other))
    assert first.startswith(upload_prefix(ClinicId(clinic), upload))
    assert upload_prefix(ClinicId(clinic), upload).startswith(clinic_prefix(ClinicId(clinic)))


def test_clinics_share_nothing() -> None:
    """The same file of two clinics is two objects."""
    assert key_of(CLINIC, b"same") != key_of(OTHER, b"same")


@pytest.mark.parametrize(
    "digest", ["", "0" * 63, "0" * 65, "A" * 64, "../" + "0" * 61, "0" * 63 + "\n", "0" * 64 + "\n"]
)
def test_what_is_no_hash_is_no_key(digest: str) -> None:
    """A key is never made of what somebody typed."""
    with pytest.raises(ValueError, match="64 lower-case hexadecimal digits"):
        content_key(CLINIC, digest)


@pytest.mark.parametrize("offset", [-1, 10**12])
def test_offsets_are_bounded(offset: int) -> None:
    """What would not sort in its place is refused."""
    with pytest.raises(ValueError, match="twelve digits"):
        part_key(CLINIC, UPLOAD, offset)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "notes.txt",
        str(CLINIC),
        f"{CLINIC}/",
        f"{CLINIC}/../{OTHER}/{'0' * 64}",
        f"{CLINIC}/{'0' * 64}/",
        f"{CLINIC}/{'0' * 64}\n",
        f"{CLINIC}/{'A' * 64}",
        f"{CLINIC}/uploads/{UPLOAD}",
        f"{CLINIC}/uploads/{UPLOAD}/12",
        f"{CLINIC}/uploads/{UPLOAD}/000000000000/x",
        f"/{CLINIC}/{'0' * 64}",
    ],
)
def test_what_was_not_named_here_says_nothing(key: str) -> None:
    """A file that somebody laid into the store is nobody's object."""
    assert named(key) is None
