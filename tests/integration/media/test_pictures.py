"""What becomes of pictures: their variants, their colours, how they stand, and what is left of what came with them."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms
from tests.integration.media.uploads import CORNERS, KINDS, SECRET, corners, exif, saved, xmp

from coravet.adapters.vips.converter import VipsConverter
from coravet.core.media.pictures import LONGEST, Picture, VariantName

Upload = Any
NEAR = 14
"""How far a colour may be off, of 255, after two lossy kinds."""


def shown(picture: Picture, name: VariantName = "card") -> Image.Image:
    """A variant as a browser shows it."""
    image = Image.open(BytesIO(picture.variants[name].data))
    assert image.format == "WEBP"
    assert image.size == (picture.variants[name].width, picture.variants[name].height)
    return image.convert("RGB")


def at(image: Image.Image, corner: str) -> tuple[int, ...]:
    """The colour in a corner."""
    x = image.width - image.width // 6 if "right" in corner else image.width // 6
    y = image.height - image.height // 6 if "bottom" in corner else image.height // 6
    colour = image.getpixel((x, y))
    assert isinstance(colour, tuple)
    return colour


def near(colour: tuple[int, ...], wanted: tuple[int, ...], by: int = NEAR) -> bool:
    """Whether two colours look alike."""
    return all(abs(one - other) <= by for one, other in zip(colour, wanted, strict=True))


@pytest.mark.parametrize("kind", KINDS)
async def test_kinds(kind: str, converter: VipsConverter, upload: Upload) -> None:
    """Each kind becomes three WebP variants of the right sizes and colours, and a placeholder."""
    picture = await converter.convert(upload(KINDS[kind](corners(2400, 1800))))
    assert (picture.format, picture.width, picture.height) == (kind, 2400, 1800)
    assert {name: max(each.width, each.height) for name, each in picture.variants.items()} == LONGEST
    for name in LONGEST:
        assert all(near(at(shown(picture, name), corner), CORNERS[corner], 24) for corner in CORNERS), name
    assert 5 <= len(b64decode(picture.placeholder)) <= 25


async def test_small(converter: VipsConverter, upload: Upload) -> None:
    """A small picture is never enlarged, and one pixel is a picture."""
    for size in ((100, 50), (1, 1), (4000, 1), (1, 4000)):
        picture = await converter.convert(upload(saved(corners(*size), "png")))
        assert (picture.width, picture.height) == size
        for name, variant in picture.variants.items():
            assert max(variant.width, variant.height) == min(max(size), LONGEST[name])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "webp", "png", "tiff"])
async def test_upright(kind: str, orientation: int, converter: VipsConverter, upload: Upload) -> None:
    """However the camera was held, every variant stands upright, and so do width and height."""
    turned = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # the camera says: turn me clockwise; so it was turned the other way
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = corners(600, 400)
    picture = await converter.convert(
        upload(saved(image if turned is None else image.transpose(turned), kind, exif=exif(orientation)))
    )
    assert (picture.width, picture.height) == (600, 400)
    for name in LONGEST:
        seen = shown(picture, name)
        assert seen.width > seen.height
        assert all(near(at(seen, corner), CORNERS[corner], 24) for corner in CORNERS), (name, orientation)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif", "heic"])
async def test_nothing_beside_the_picture(
    kind: str, converter: VipsConverter, upload: Upload, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    """No byte of EXIF, GPS, XMP, comments or a profile is left in a variant, in the answer or in a log."""
    options: dict[str, Any] = {
        "exif": exif(),
        "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    }
    if kind in {"jpeg", "webp", "avif", "heic"}:
        options["xmp"] = xmp()
    if kind in {"jpeg"}:
        options["comment"] = SECRET
    data = saved(corners(), kind, **options)
    assert data.count(SECRET.encode()) >= 4
    picture = await converter.convert(upload(data))
    for variant in picture.variants.values():
        assert SECRET.encode() not in variant.data
        assert not {b"EXIF", b"XMP ", b"ICCP"} & {variant.data[at : at + 4] for at in range(len(variant.data))}
        opened = Image.open(BytesIO(variant.data))
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(opened.info)
    assert SECRET not in repr(picture)
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


async def test_profile(converter: VipsConverter, upload: Upload, tmp_path: Path) -> None:
    """Colours of another space are converted, not taken for sRGB: from phones' Display P3, and through HEIC, too."""
    import pyvips  # noqa: PLC0415 -- it alone makes a picture in Display P3

    red = (220, 60, 50)
    plain = pyvips.Image.black(400, 300, bands=3).linear([1, 1, 1], list(red)).cast("uchar").copy(interpretation="srgb")
    wide = plain.icc_transform("p3", input_profile="srgb")
    stored = tuple(int(each) for each in wide.getpoint(5, 5))
    assert not near(stored, red, 6)
    jpeg = wide.jpegsave_buffer(Q=95)
    heic = saved(Image.open(BytesIO(jpeg)), "heic", icc_profile=wide.get("icc-profile-data"))
    for data in (jpeg, heic, wide.pngsave_buffer()):
        assert near(at(shown(await converter.convert(upload(data))), "top left"), red, 6)


async def test_modes(converter: VipsConverter, upload: Upload) -> None:
    """CMYK, 16 bits, greys, palettes and transparency become what is seen."""
    image = corners()
    cmyk = await converter.convert(upload(saved(image.convert("CMYK"), "jpeg", quality=95)))
    assert near(at(shown(cmyk), "top left"), CORNERS["top left"], 90)
    assert at(shown(cmyk), "top left")[0] > 150 > at(shown(cmyk), "bottom left")[0]

    grey = Image.new("I;16", (300, 200), 32896)  # half of 65,535
    for kind in ("png", "tiff"):
        assert near(at(shown(await converter.convert(upload(saved(grey, kind)))), "top left"), (128, 128, 128), 3)

    palette = await converter.convert(upload(saved(image.convert("P"), "png")))
    assert near(at(shown(palette), "bottom right"), CORNERS["bottom right"], 40)

    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(image.size))
    kept = Image.open(BytesIO((await converter.convert(upload(saved(clear, "png")))).variants["card"].data))
    assert kept.mode == "RGBA"
    assert [round(kept.getpixel((5, y))[3] / 255, 1) for y in (2, 477)] == [0, 1]  # type: ignore[index] -- four bands
