"""What is no picture, broken, or too much: a clear code each, and the service goes on within its bounds."""

import asyncio
import os
import signal
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image
from tests.integration.media.conftest import Upload
from tests.integration.media.uploads import KINDS, black, corners, frames, png, saved, zeros

from coravet.adapters.vips.converter import LIFE, MOST_WAITING, VipsConverter
from coravet.core.kernel.errors import DomainError, Unavailable
from coravet.core.media.pictures import MOST_BYTES, NotAPicture, PictureDamaged, PictureTooLarge

MEGABYTES = 1024
"""The memory that a helper has by default."""


def proc(process: int, name: str) -> bytes:
    """What Linux tells of a process."""
    return Path(f"/proc/{process}/{name}").read_bytes()


def limits(process: int) -> dict[str, list[str]]:
    """The limits of a process: the soft and the hard one."""
    return {line[:26].strip(): line[26:].split()[:2] for line in proc(process, "limits").decode().splitlines()}


def status(process: int, name: str) -> int:
    """A figure of a process in MB."""
    lines = proc(process, "status").decode().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{name}:"))


def helpers() -> list[int]:
    """The helper processes that are alive."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(each) for each in children if b"vips.helper" in Path(f"/proc/{each}/cmdline").read_bytes()]


def confined(others: set[int]) -> list[int]:
    """The helpers but those others that have taken their limits upon them, and so are about to work."""
    return [each for each in set(helpers()) - others if limits(each)["Max core file size"] == ["0", "0"]]


def archive() -> bytes:
    """A ZIP that holds a picture."""
    file = BytesIO()
    with ZipFile(file, "w") as made:
        made.writestr("picture.jpg", KINDS["jpeg"](corners()))
    return file.getvalue()


NO_PICTURES = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": "Hola, mundo \N{PAW PRINTS}".encode(),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    "svg after a declaration": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>",
    "archive": archive(),
    "imagemagick's script": b"push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'https://example.com/'",
    "libvips' own": b"\xb6\xa6\xf2\x08" + bytes(80),
    "pnm": b"P6 2 2 255\n" + bytes(12),
    "bmp": saved(corners(), "bmp"),
    "jpeg 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(40),
    "a film": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(99),
    "a sound": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40),
}


@pytest.mark.parametrize("name", NO_PICTURES)
async def test_no_picture(name: str, converter: VipsConverter, upload: Upload) -> None:
    """What is of no kind that is read is refused by its content, whatever its name says."""
    path = upload(NO_PICTURES[name]).rename(upload(b"").with_name("picture.jpg"))
    with pytest.raises(NotAPicture):
        await converter.convert(path)


@pytest.mark.parametrize("kind", KINDS)
async def test_cut_off(kind: str, converter: VipsConverter, upload: Upload) -> None:
    """A picture that is cut off is refused: half a picture would pass for a whole one."""
    data = KINDS[kind](Image.effect_noise((640, 480), 60).convert("RGB"))
    for share in (0.05, 0.5, 0.9):
        with pytest.raises(PictureDamaged):
            await converter.convert(upload(data[: int(len(data) * share)]))
    with pytest.raises((PictureDamaged, NotAPicture)):
        await converter.convert(upload(data[:16]))


async def test_progressive_cut_in_half(converter: VipsConverter, upload: Upload) -> None:
    """A progressive JPEG of which half came is refused, though a viewer would show a blurred whole."""
    data = saved(Image.effect_noise((1200, 900), 60).convert("RGB"), "jpeg", progressive=True)
    assert (await converter.convert(upload(data))).format == "jpeg"
    with pytest.raises(PictureDamaged):
        await converter.convert(upload(data[: len(data) // 2]))


async def test_names(converter: VipsConverter, tmp_path: Path) -> None:
    """A name decides nothing: neither what a picture is, nor where else it is read from, nor how."""
    (tmp_path / "below").mkdir()
    for name in (
        "a.png",
        "picture.svg",
        "\N{PAW PRINTS}\N{DOG FACE}.txt",
        "below/../b.jpg",
        "c.jpg[page=9,shrink=8]",
        "-d",
    ):
        path = tmp_path / name
        path.write_bytes(KINDS["jpeg"](corners()))
        assert (await converter.convert(path)).format == "jpeg", name


@pytest.mark.parametrize("tail", [archive(), b"<html><script>alert(1)</script>", b"%PDF-1.7 %%EOF"])
async def test_polyglots(tail: bytes, converter: VipsConverter, upload: Upload) -> None:
    """A picture that is something else, too, becomes a picture that is nothing else."""
    for kind in ("jpeg", "png", "gif"):
        picture = await converter.convert(upload(KINDS[kind](corners()) + tail))
        assert all(tail[:12] not in variant.data for variant in picture.variants.values())


async def test_bombs(converter: VipsConverter, upload: Upload) -> None:
    """A small file that unfolds to a huge picture is refused before it does; of a film, the first frame is kept."""
    square = png(50_000, 50_000, zeros(20_000_000))  # the rest is never there
    assert len(square) < 100_000
    with pytest.raises(PictureTooLarge):
        await converter.convert(upload(square))
    with pytest.raises(PictureTooLarge):
        await converter.convert(upload(black(10_001, 10_000)))
    film = await converter.convert(upload(frames(10_000)))
    first = Image.open(BytesIO(film.variants["card"].data)).convert("RGB").getpixel((9, 9))
    assert (film.format, film.width, film.height) == ("gif", 64, 48)
    assert first[0] > 150 > first[2]  # type: ignore[index] -- of three bands
    assert helpers()
    assert all(status(each, "VmHWM") < MEGABYTES for each in helpers())


async def test_megabytes(converter: VipsConverter, upload: Upload) -> None:
    """An upload of 200 MB is refused unread; one as large as may be is read."""
    path = upload(KINDS["jpeg"](corners()))
    os.truncate(path, MOST_BYTES)
    assert (await converter.convert(path)).format == "jpeg"
    os.truncate(path, 200_000_000)
    with pytest.raises(PictureTooLarge):
        await converter.convert(path)


async def test_memory(upload: Upload) -> None:
    """A helper never holds more memory than it was given, and the process that asks holds none of it."""
    converter, others = VipsConverter(helpers=1, megabytes=256, seconds=20), set(helpers())
    try:
        assert (await converter.convert(upload(KINDS["jpeg"](corners(4000, 3000))))).width == 4000
        [helper] = set(helpers()) - others
        before = status(os.getpid(), "VmRSS")
        rows = zeros(9_000 * (1 + 3 * 9_000) + 99_999)
        with pytest.raises(PictureTooLarge):  # seven passes need all of it at once
            await converter.convert(upload(png(9_000, 9_000, rows, interlaced=True)))
        assert helper in helpers()
        assert status(helper, "VmHWM") < 256 + 64  # what the libraries' code takes, beside the data
        assert status(os.getpid(), "VmRSS") - before < 64
        assert (await converter.convert(upload(KINDS["png"](corners())))).format == "png"
    finally:
        await converter.aclose()


@pytest.mark.long
async def test_largest_of_phones(upload: Upload) -> None:
    """Pictures of 48 megapixels follow one another in one helper, and what they took goes back to the machine."""
    image = corners(8064, 6048)
    converter, others = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=30), set(helpers())
    try:
        for kind in ("jpeg", "heic", "avif"):
            assert (await converter.convert(upload(KINDS[kind](image)))).width == 8064
        [helper] = set(helpers()) - others
        async with asyncio.timeout(30):
            while status(helper, "VmRSS") > 100:  # noqa: ASYNC110 -- it gives back after it has answered
                await asyncio.sleep(0.05)
    finally:
        await converter.aclose()


async def test_time(upload: Upload) -> None:
    """A picture that takes too long is given up, and the next one is converted."""
    converter = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=1)
    path = upload(png(9_990, 9_990, zeros(9_990 * (1 + 8 * 9_990)), depth=16, colour=6))  # four times 16 bits a pixel
    try:
        with pytest.raises(PictureTooLarge):
            await converter.convert(path)
        assert (await converter.convert(upload(KINDS["png"](corners())))).format == "png"
    finally:
        await converter.aclose()


async def test_hanging(tmp_path: Path) -> None:
    """A helper that does not even use the processor is killed."""
    converter = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=1)
    os.mkfifo(tmp_path / "nobody-writes")
    others = set(helpers())
    try:
        with pytest.raises(PictureTooLarge):
            await converter.convert(tmp_path / "nobody-writes")
        assert set(helpers()) == others
    finally:
        await converter.aclose()


@pytest.mark.parametrize(
    ("ending", "meant"),
    [
        (signal.SIGSEGV, PictureDamaged),
        (signal.SIGABRT, PictureTooLarge),
        (signal.SIGPROF, PictureTooLarge),
        (signal.SIGKILL, Unavailable),
    ],
)
async def test_crash(ending: signal.Signals, meant: type[DomainError], tmp_path: Path) -> None:
    """A picture that ends its helper is told by how it ended, and the next picture gets another helper."""
    converter = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=10)
    os.mkfifo(tmp_path / "nobody-writes")
    (tmp_path / "sound").write_bytes(KINDS["png"](corners()))
    others = set(helpers())
    try:
        asked = asyncio.create_task(converter.convert(tmp_path / "nobody-writes"))
        async with asyncio.timeout(30):
            while not confined(others):  # noqa: ASYNC110 -- nobody tells when another process is ready
                await asyncio.sleep(0.05)
        os.kill(confined(others)[0], ending)
        with pytest.raises(meant):
            await asked
        assert (await converter.convert(tmp_path / "sound")).format == "png"
    finally:
        await converter.aclose()
    assert set(helpers()) == others


async def test_no_turn(tmp_path: Path) -> None:
    """Whoever gets no turn in time is told so, and what is being converted goes on."""
    converter = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=10)
    os.mkfifo(tmp_path / "slow")
    (tmp_path / "other").write_bytes(KINDS["png"](corners()))
    try:
        slow = asyncio.create_task(converter.convert(tmp_path / "slow"))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await converter.convert(tmp_path / "other", patience=0.2)
        await asyncio.to_thread((tmp_path / "slow").write_bytes, KINDS["jpeg"](corners()))
        assert (await slow).format == "jpeg"
        assert (await converter.convert(tmp_path / "other", patience=30)).format == "png"
    finally:
        await converter.aclose()


async def test_given_up(converter: VipsConverter, upload: Upload) -> None:
    """Whoever stops waiting leaves no helper at work, and the next one is served."""
    path = upload(black(9_000, 9_000))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await converter.convert(path)
    assert (await converter.convert(upload(KINDS["png"](corners())))).format == "png"


@pytest.mark.alone
async def test_in_line(upload: Upload) -> None:
    """No more pictures are converted at a time than said; the line is bounded; the loop goes on meanwhile."""
    converter = VipsConverter(helpers=2, megabytes=MEGABYTES, seconds=10)
    others, most, longest = set(helpers()), 0, 0.0
    path = upload(KINDS["jpeg"](corners(160, 120)))
    loop = asyncio.get_running_loop()
    try:
        await asyncio.gather(*(converter.convert(path) for _ in range(2)))
        waiting = [asyncio.create_task(converter.convert(path)) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await converter.convert(path)
        while not all(each.done() for each in waiting):
            most = max(most, len(set(helpers()) - others))
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before - 0.01)
        assert {(await each).width for each in waiting} == {160}
        assert most == 2
        assert longest < 0.5
    finally:
        await converter.aclose()


async def test_confined(converter: VipsConverter, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper has none of the service's secrets, writes no file, leaves no core, and goes after whoever waits."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@example.com/x")
    other = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=10)
    before = set(helpers())
    try:
        await other.convert(upload(KINDS["png"](corners())))
        [helper] = set(helpers()) - before
        assert b"secret" not in proc(helper, "environ")
        found = limits(helper)
        assert found["Max file size"] == found["Max core file size"] == ["0", "0"]
        assert found["Max data size"] == [str(MEGABYTES * 2**20)] * 2
        assert os.getpriority(os.PRIO_PROCESS, helper) >= 10
    finally:
        await other.aclose()


@pytest.mark.long
async def test_another_life(upload: Upload) -> None:
    """After so many pictures another helper takes over, and none had grown."""
    converter = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=10)
    before, lives, sizes = set(helpers()), set[int](), []
    path = upload(KINDS["jpeg"](corners(800, 600)))
    try:
        for _ in range(LIFE + 1):
            await converter.convert(path)
            if mine := set(helpers()) - before:
                lives |= mine
                sizes.append(status(min(mine), "VmRSS"))
        assert len(lives) == 2
        assert max(sizes[20:LIFE]) - max(sizes[:20]) < 16
    finally:
        await converter.aclose()
    assert set(helpers()) == before
