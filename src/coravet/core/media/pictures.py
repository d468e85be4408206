"""Pictures: what an upload becomes before anybody sees it, and the port by which that is done.

An upload is never shown as it came. What is shown are its variants: upright, in sRGB, and without anything that the
camera wrote beside the picture (EXIF, GPS, XMP, an embedded thumbnail): where it was taken is nobody's business
(LOPDP art. 10, minimisation).
"""

from pathlib import Path
from typing import Literal, Protocol

import msgspec

from coravet.core.kernel.errors import Invalid, UnsupportedMedia
from coravet.core.kernel.sentences import Sentence

VariantName = Literal["thumbnail", "card", "full"]
PictureFormat = Literal["jpeg", "png", "gif", "tiff", "webp", "avif", "heic"]

LONGEST: dict[VariantName, int] = {"thumbnail": 256, "card": 1152, "full": 2016}
"""Pixels of each variant's longest side; a smaller picture keeps its size in every variant.

The largest is half of the 4032 that most phones make, a quarter of their 8064: a JPEG is decoded to that at once.
"""

VARIANT_TYPE = "image/webp"

MOST_PIXELS = 100_000_000
"""Pixels that a picture may have: twice what the cameras of most phones make at their finest."""

MOST_BYTES = 40 * 2**20
"""Bytes that an upload of a picture may have."""


class Variant(msgspec.Struct, frozen=True):
    """A picture in one size, as it is stored and shown: WebP bytes, width and height in pixels."""

    width: int
    height: int
    data: bytes


class Picture(msgspec.Struct, frozen=True):
    """An upload that was converted.

    Attributes:
        format: what the upload's content is, whatever its name says.
        width, height: of the upload when it stands upright, in pixels.
        placeholder: a ThumbHash in base64, about 34 characters: what is shown until a variant is there.
        variants: all three.
    """

    format: PictureFormat
    width: int
    height: int
    placeholder: str
    variants: dict[VariantName, Variant]


class NotAPicture(UnsupportedMedia):
    """Its content is of no kind that is read as a picture."""

    def __init__(self) -> None:
        super().__init__(
            "This file is not a picture that can be read. Send a JPEG, PNG, HEIC, WebP, AVIF, GIF or TIFF."
        )


class PictureDamaged(Invalid):
    """It begins as a picture, and is cut off or cannot be read to its end."""

    code = "picture_damaged"
    title = "The picture is damaged"

    def __init__(self) -> None:
        super().__init__("This picture is cut off or damaged. Send it again, or take another one.")


class PictureTooLarge(Invalid):
    """Converting it would take more pixels, memory or time than a picture gets."""

    code = "picture_too_large"
    title = "The picture is too large"

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "This picture is too large. Send it with at most {megapixels} megapixels and {megabytes} MB.",
                megapixels=MOST_PIXELS // 1_000_000,
                megabytes=MOST_BYTES // 2**20,
            )
        )


class Converter(Protocol):
    """Makes of uploads what is shown, away from whoever asks, in bounded number, memory and time."""

    async def convert(self, upload: Path, patience: float | None = None) -> Picture:
        """The picture in a file on this machine, which is read and left as it is.

        Waits for its turn where others are being converted; whoever stops waiting gives the turn away, and what was
        done until then.

        Args:
            patience: seconds to wait for a turn at most.

        Raises:
            NotAPicture: its content is of no kind that is read.
            PictureDamaged: it is cut off or broken.
            PictureTooLarge: it would take more than a picture gets.
            Unavailable: conversion does not work now, or had no turn to give in time.
        """
        ...

    async def clean(self, upload: Path, patience: float | None = None) -> bytes:
        """The PDF in a file on this machine, with the same pages and nothing else; waits as `convert` does.

        Raises:
            NotAttachable: it is no PDF.
            PdfDamaged: it is cut off or cannot be read.
            PdfLocked: it asks for a password.
            PdfTooLarge: it would take more than a PDF gets.
            Unavailable: conversion does not work now.
        """
        ...
