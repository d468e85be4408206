"""Small pictures, each another one."""

from io import BytesIO
from itertools import count

from PIL import Image

_numbers = count()


def picture(width: int = 64, height: int = 48) -> bytes:
    """A JPEG that nobody had before in this run, nor anything like it a moment ago."""
    number = next(_numbers)
    image = Image.new("RGB", (width, height), (number * 67 % 256, number * 29 % 256, number // 64 % 256))
    image.putpixel((0, 0), (255, 255, 255))
    made = BytesIO()
    image.save(made, "JPEG", quality=95, comment=str(number).encode())
    return made.getvalue()
