"""Uploads as phones, scanners and attackers send them, made by other libraries than those that read them."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image

SECRET = "Avenida-Prueba-123"
"""What is planted beside a picture, and must be nowhere afterwards."""

CORNERS = {
    "top left": (220, 30, 30),
    "top right": (30, 170, 30),
    "bottom left": (40, 40, 200),
    "bottom right": (230, 220, 60),
}


def corners(width: int = 640, height: int = 480) -> Image.Image:
    """A picture whose every corner has a colour of its own, so that it can be told how it stands."""
    image = Image.new("RGB", (width, height))
    for name, colour in CORNERS.items():
        x, y = ("right" in name) * (width // 2), ("bottom" in name) * (height // 2)
        image.paste(colour, (x, y, width, height))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file of that kind."""
    file = BytesIO()
    if kind == "heic":
        pillow_heif.from_pillow(image).save(file, quality=90, **options)
    else:
        image.save(file, kind, **options)
    return file.getvalue()


KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg": lambda image: saved(image, "jpeg", quality=92),
    "png": lambda image: saved(image, "png"),
    "gif": lambda image: saved(image, "gif"),
    "tiff": lambda image: saved(image, "tiff", compression="tiff_deflate"),
    "webp": lambda image: saved(image, "webp", quality=92),
    "avif": lambda image: saved(image, "avif", quality=92, speed=10),
    "heic": lambda image: saved(image, "heic"),
}


def exif(orientation: int = 1) -> bytes:
    """EXIF that names a place in every way, with a thumbnail's worth of text."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = data[0x013B] = data[0x8298] = data[0x9286] = SECRET  # description, artist, copyright, comment
    place = data.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "S", (0.0, 7.0, 48.0), "W", (79.0, 23.0, 24.0)
    place[27] = SECRET.encode()  # GPSProcessingMethod
    return data.tobytes()


def xmp() -> bytes:
    """XMP that names a place."""
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><place>{SECRET}</place></x:xmpmeta>'.encode()


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2, interlaced: bool = False) -> bytes:
    """A PNG whose header says what it likes; `rows` are the deflated bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """So many deflated zeros."""
    packer = zlib.compressobj(1)
    block = bytes(2**20)
    parts = [packer.compress(block) for _ in range(count // len(block))]
    return b"".join([*parts, packer.compress(bytes(count % len(block))), packer.flush()])


def black(width: int, height: int) -> bytes:
    """A whole black PNG, however many pixels: about a thousandth of them in bytes."""
    return png(width, height, zeros(height * (1 + 3 * width)))


def frames(count: int) -> bytes:
    """A GIF of that many frames."""
    first, second = Image.new("P", (64, 48), 0), Image.new("P", (64, 48), 1)
    for image in (first, second):
        image.putpalette([200, 20, 20, 20, 20, 200] + [0] * 762)
    return saved(
        first, "gif", save_all=True, append_images=[second, first] * ((count - 1) // 2), duration=20, optimize=False
    )
