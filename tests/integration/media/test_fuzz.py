"""Broken pictures by the hundred: each becomes a picture or a refusal, and no helper hangs or grows.

`CORAVET_FUZZ=20000` makes it as many examples as one has time for.
"""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.integration.media.test_bad_pictures import MEGABYTES, helpers, status
from tests.integration.media.uploads import KINDS, corners, exif, saved

from coravet.adapters.vips.converter import VipsConverter
from coravet.core.media.pictures import NotAPicture, PictureDamaged, PictureTooLarge

EXAMPLES = int(os.environ.get("CORAVET_FUZZ", "150"))

_NOISE = Image.effect_noise((96, 64), 80).convert("RGB")
SEEDS = [
    *(make(_NOISE) for make in KINDS.values()),
    *(make(corners(64, 48)) for make in KINDS.values()),
    *(saved(_NOISE, kind, exif=exif(6)) for kind in ("jpeg", "png", "webp", "tiff")),
    saved(_NOISE, "jpeg", progressive=True),
    saved(_NOISE.convert("CMYK"), "jpeg"),
    saved(Image.new("I;16", (40, 30), 9), "png"),
]
INTERESTING = [b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x80\x00\x00\x00"]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A picture with bits flipped, numbers changed, parts cut out, doubled or taken from another one."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 8))):
        # Headers are short and what is in them counts: half of what happens, happens there.
        place = draw(st.one_of(st.integers(0, min(len(data), 200)), st.integers(0, len(data))))
        match draw(st.integers(0, 5)):
            case 0 if place < len(data):
                data[place] ^= 1 << draw(st.integers(0, 7))
            case 1:
                value = draw(st.sampled_from(INTERESTING))
                data[place : place + len(value)] = value
            case 2:
                del data[place : place + draw(st.integers(1, 64))]
            case 3:
                data[place:place] = data[place : place + draw(st.integers(1, 64))]
            case 4:
                data[place:place] = draw(st.binary(max_size=16))
            case 5 if draw(st.booleans()):
                data = data[:place] + draw(st.sampled_from(SEEDS))[place:]
    return bytes(data)


@pytest.mark.long
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=broken())
async def test_broken(data: bytes, converter: VipsConverter, tmp_path: Path) -> None:
    """Whatever is broken, there is a picture or one of the three refusals within ten seconds, and memory is bounded."""
    path = tmp_path / "broken"
    path.write_bytes(data)
    started = asyncio.get_running_loop().time()
    try:
        picture = await converter.convert(path)
    except (NotAPicture, PictureDamaged, PictureTooLarge):
        pass
    else:
        assert all(variant.data.startswith(b"RIFF") for variant in picture.variants.values())
    assert asyncio.get_running_loop().time() - started < 10
    for helper in helpers():
        assert status(helper, "VmHWM") < MEGABYTES + 64
        assert status(helper, "VmRSS") < 200
