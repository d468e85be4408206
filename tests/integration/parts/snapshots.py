"""Small pictures, each another one."""

from io import BytesIO
from itertools import count

from PIL import Image

_numbers = count()


def picture(width: int = 64, height: int = 48) -> bytes:
    """A JPEG that nobody had before in this run."""
    number = next(_numbers)
    image = Image.new("RGB", (width, height), (number % 256, number // 256 % 256, 90))
    image.putpixel((0, 0), (255, 255, 255))
    made = BytesIO()
    image.save(made, "JPEG", quality=95, comment=str(number).encode())
    return made.getvalue()
