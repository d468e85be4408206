"""What photos and files are made with, and what is made of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.media.keys import key_of
from coravet.core.media.media_ports import MadeObject
from coravet.core.media.model import Purpose
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


class Prepared(msgspec.Struct, frozen=True):
    """What is shown of a file: its objects, still to be stored, and what stands there until they are loaded."""

    made: list[Made]
    placeholder: str | None


async def prepare(
    path: Path,
    purpose: Purpose,  # noqa: ARG001 -- until files that are no pictures are taken
    clinic_id: ClinicId,
    studio: Studio,
    patience: float | None = None,
) -> Prepared:
    """Make of a file what is shown of it; what it is, its content says. Waits so many seconds for a turn at most.

    Raises:
        NotAPicture, PictureDamaged, PictureTooLarge: it cannot be shown.
        Unavailable: conversion does not work now, or had no turn to give in time.
    """
    picture = await studio.converter.convert(path, patience)
    return Prepared(_made_of(clinic_id, picture), picture.placeholder)


def _made_of(clinic_id: ClinicId, picture: Picture) -> list[Made]:
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
