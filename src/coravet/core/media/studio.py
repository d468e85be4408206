"""What photos and files are made with, and what is made of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.media.keys import key_of
from coravet.core.media.media_ports import MadeObject
from coravet.core.media.pictures import VARIANT_TYPE, Converter, Picture
from coravet.core.media.ports import ObjectStore


class Upload(msgspec.Struct, frozen=True):
    """A file that arrived whole, on this machine as long as somebody works on it.

    Attributes:
        sha256: of its bytes, in hex.
        file_name: as it was called where it came from, if that was said.
    """

    path: Path
    size: int
    sha256: str
    file_name: str | None = None


@dataclass(frozen=True)
class Studio:
    """The parts: where objects lie, and what makes pictures."""

    store: ObjectStore
    converter: Converter


class Made(msgspec.Struct, frozen=True):
    """An object that is to be stored, with its bytes."""

    object: MadeObject
    data: bytes


def made_of(clinic_id: ClinicId, picture: Picture) -> list[Made]:
    """The objects of a picture's variants."""
    return [
        Made(
            MadeObject(
                name, key_of(clinic_id, each.data), VARIANT_TYPE, len(each.data), width=each.width, height=each.height
            ),
            each.data,
        )
        for name, each in picture.variants.items()
    ]


async def store_all(made: Sequence[Made], store: ObjectStore) -> None:
    """Have them stored; those that are there already are left as they are. Raises Unavailable."""
    for each in made:
        await store.put(each.object.key, each.data, each.object.size, each.object.media_type)
