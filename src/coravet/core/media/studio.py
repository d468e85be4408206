"""What photos and files are made with, and what is made of one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.media.keys import key_of
from coravet.core.media.media_ports import MadeObject
from coravet.core.media.model import Purpose
from coravet.core.media.pdfs import PDF_SIGN, PDF_TYPE, NotAttachable
from coravet.core.media.pictures import VARIANT_TYPE, Converter, NotAPicture, Picture
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
    path: Path, purpose: Purpose, clinic_id: ClinicId, studio: Studio, patience: float | None = None
) -> Prepared:
    """Make of a file what is shown of it; what it is, its content says. Waits so many seconds for a turn at most.

    Raises:
        NotAPicture, NotAttachable: it is nothing that a photo, or an attachment, can be.
        PictureDamaged, PictureTooLarge, PdfDamaged, PdfLocked, PdfTooLarge: it cannot be shown.
        Unavailable: conversion does not work now, or had no turn to give in time.
    """
    if purpose == "attachment" and await asyncio.to_thread(_begins, path) == PDF_SIGN:
        data = await studio.converter.clean(path, patience)
        return Prepared([Made(MadeObject("original", key_of(clinic_id, data), PDF_TYPE, len(data)), data)], None)
    try:
        picture = await studio.converter.convert(path, patience)
    except NotAPicture as error:
        if purpose == "attachment":
            raise NotAttachable from error
        raise
    return Prepared(_made_of(clinic_id, picture), picture.placeholder)


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(PDF_SIGN))


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
