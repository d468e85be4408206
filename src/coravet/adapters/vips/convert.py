"""Pictures converted by libvips, and HEIC read by libheif. Only the helper process imports this.

What a picture is, its content says. Only the one loader of that kind is then let near it, and libvips' own guess must
agree.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any, cast

import pillow_heif
import pyvips
import thumbhash

from coravet.core.kernel.errors import DomainError
from coravet.core.media.pictures import (
    LONGEST,
    MOST_PIXELS,
    NotAPicture,
    Picture,
    PictureDamaged,
    PictureFormat,
    PictureTooLarge,
    Variant,
    VariantName,
)

Image = Any
"""A `pyvips.Image`, whose operations are found at run time."""

QUALITY = 80
EFFORT: dict[VariantName, int] = {"thumbnail": 4, "card": 4, "full": 2}
"""Of WebP's 0 to 6. From 2 to 4 an encoding takes 2.4 times as long and saves a twentieth of the bytes: worth it for
what lists show many times, not for the largest, which is opened now and then. Above 4 there is nothing to be had."""

_HASHED = 16
"""Longest side of what the placeholder is made from: it keeps seven waves, and its time grows with the pixels."""

_LOADERS: dict[PictureFormat, str] = {
    "jpeg": "jpegload_buffer",
    "png": "pngload_buffer",
    "gif": "gifload_buffer",
    "tiff": "tiffload_buffer",
    "webp": "webpload_buffer",
    "avif": "heifload_buffer",
}

_SIGNS: list[tuple[bytes, PictureFormat]] = [
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
]

_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def prepare() -> None:
    """Set libvips up: once in a process, before the first picture."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in ("Jpeg", "Png", "Nsgif", "Tiff", "Webp", "Heif"):
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)
    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)


def convert(data: bytes) -> Picture:
    """An upload's content as a picture.

    Raises:
        NotAPicture, PictureDamaged, PictureTooLarge: as `Converter` says.
    """
    kind = kind_of(data)
    if kind is None:
        raise NotAPicture
    try:
        width, height, full = _heic(data) if kind == "heic" else _decoded(data, kind)
        variants, smallest = _variants(full)
        return Picture(kind, width, height, _placeholder(smallest), variants)
    except pyvips.Error as error:
        raise _meant(str(error)) from error
    except MemoryError as error:
        raise PictureTooLarge from error


def kind_of(data: bytes) -> PictureFormat | None:
    """What the content is, by its first bytes; None where it is no picture that is read."""
    for sign, kind in _SIGNS:
        if data.startswith(sign):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
        if brands & _AVIF:
            return "avif"
        if brands & _HEIC:
            return "heic"
    return None


def _meant(message: str) -> Exception:
    """What libvips or one of its libraries complains of."""
    said = message.lower()
    # libvips lists everything that went wrong before the last words, which are what went wrong with the whole.
    short = (
        *("out of memory", "insufficient memory", "unable to allocate", "memory allocation"),
        *("too large", "too big", "exceeds", "limit"),
    )
    return PictureTooLarge() if any(word in said for word in short) else PictureDamaged()


def _allowed(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise PictureTooLarge


def _decoded(data: bytes, kind: PictureFormat) -> tuple[int, int, Image]:
    """Width and height when upright, and the largest variant in memory."""
    head = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
    if head.get("vips-loader") != _LOADERS[kind]:
        raise NotAPicture
    _allowed(head.width, head.height)
    turned = head.get_typeof("orientation") != 0 and head.get("orientation") >= 5
    width, height = (head.height, head.width) if turned else (head.width, head.height)
    # `thumbnail_buffer` would do both steps at once, but takes half a file for a whole one.
    whole = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error", **_shrunk(head, kind))
    return width, height, _full(whole)


def _shrunk(head: Image, kind: PictureFormat) -> dict[str, int]:
    """A JPEG is decoded no larger than needed."""
    spare = max(head.width, head.height) / LONGEST["full"]
    shrink = next((each for each in (8, 4, 2) if spare >= each), 1)
    return {"shrink": shrink} if kind == "jpeg" else {}


def _heic(data: bytes) -> tuple[int, int, Image]:
    try:
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        _allowed(*file.size)  # what follows decodes
        decoded = memoryview(file.data)
    except DomainError:
        raise
    except MemoryError as error:
        raise PictureTooLarge from error
    except Exception as error:  # the library says nowhere what it raises
        raise _meant(str(error)) from error
    width, height = file.size
    bands = len(file.mode)
    image = pyvips.Image.new_from_memory(decoded, file.stride // bands, height, bands, "uchar")
    image = image.crop(0, 0, width, height).copy(interpretation="srgb" if bands >= 3 else "b-w")
    profile = file.info.get("icc_profile")
    if profile:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return width, height, _full(image)


def _full(image: Image) -> Image:
    """A picture as its largest variant: upright, in sRGB and never enlarged."""
    # What names no profile is in sRGB; taking it there all the same would take longer than all else.
    foreign = image.get_typeof("icc-profile-data") != 0 or image.interpretation == "cmyk"
    profile = {"export_profile": "srgb", "intent": "relative"} if foreign else {}
    fitting = image.thumbnail_image(LONGEST["full"], height=LONGEST["full"], size="down", **profile)
    return fitting.colourspace("srgb").cast("uchar").copy_memory()


def _variants(full: Image) -> tuple[dict[VariantName, Variant], Image]:
    """Every variant, each from the one above it; and the pixels of the smallest."""
    made: dict[VariantName, Variant] = {}
    for name, longest in sorted(LONGEST.items(), key=lambda each: -each[1]):
        if max(full.width, full.height) > longest:
            full = full.thumbnail_image(longest, height=longest, size="down").copy_memory()
        data = full.webpsave_buffer(Q=QUALITY, effort=EFFORT[name], keep="none")
        made[name] = Variant(full.width, full.height, data)
    return {name: made[name] for name in LONGEST}, full


def _placeholder(image: Image) -> str:
    small = image.thumbnail_image(_HASHED, height=_HASHED, size="down")
    if small.hasalpha():
        small = small.flatten(background=255)
    pixels = small.colourspace("srgb").cast("uchar").bandjoin(255).write_to_memory()
    hashing = cast("Callable[[int, int, list[int]], list[int]]", thumbhash.rgba_to_thumb_hash)
    return b64encode(bytes(hashing(small.width, small.height, list(bytes(pixels))))).decode()
