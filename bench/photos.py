"""Photographs converted by our helpers and by sharp from npm, turn by turn, both at the niceness that helpers have.

    apt-get download mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04  # Debian's; free licences
    for each in *.deb; do dpkg -x $each photographs; done
    python -m bench.photos [--photos photographs]

Scenes of 4, 12 and 48 megapixels are made, with and without a camera's noise; a folder adds its JPEGs of three
megapixels and more. Says the processor's time for a picture, pictures a second on both cores, peak memory of the
process that converts, bytes of the card and its SSIM against the whole picture, shrunk without haste; and PASS or FAIL
for each aim.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pyvips

from coravet.adapters.vips.convert import EFFORT
from coravet.adapters.vips.converter import VipsConverter
from coravet.adapters.vips.helper import NICENESS
from coravet.core.media.pictures import LONGEST, VariantName
from coravet.settings import Settings

PEER = Path(__file__).parent / "peers" / "sharp"
SIZES = {4: (2304, 1728), 12: (4032, 3024), 48: (8064, 6048)}
ROUNDS = 7
EACH = 2
"""Conversions in a round."""
CORES = 2
PICTURES = 16
FEWEST_PIXELS = 3_000_000
MEGABYTES = Settings.model_fields["picture_megabytes"].default


class Run(NamedTuple):
    """What one side took for a picture."""

    ms: float
    """Of the processor's time for one, best of the rounds: a busy machine takes nothing of it away."""
    peak_mb: int
    card: bytes


def scene(width: int, height: int, noise: float) -> pyvips.Image:
    """Something like a landscape: shapes of all sizes, and a camera's noise on it."""
    grey = sum(
        pyvips.Image.perlin(width, height, cell_size=max(4, width // part), seed=7) * strength
        for part, strength in ((3, 1.0), (9, 0.6), (40, 0.35), (150, 0.2), (400, 0.12))
    )
    tint = pyvips.Image.perlin(width, height, cell_size=width // 5, seed=4) * 60 + 120
    image = (grey * 80 + 128).bandjoin([grey * 64 + tint * 0.2 + 100, grey * 32 + tint * 0.6 + 50])
    image += pyvips.Image.gaussnoise(width, height, sigma=noise, mean=0, seed=1) if noise else 0
    return image.cast("uchar").copy(interpretation="srgb")


def photographs(folder: Path, more: Path | None) -> Iterator[tuple[str, Path]]:
    """What is converted, by name."""
    for megapixels, size in SIZES.items():
        for kind, noise in (("clean", 0.0), ("noisy", 6.0)):
            path = folder / f"{megapixels}-{kind}.jpg"
            scene(*size, noise).jpegsave(str(path), Q=90)
            yield f"{megapixels} MP {kind}", path
    for path in sorted(more.rglob("*.jpg")) if more else ():
        head = pyvips.Image.new_from_file(str(path))
        if head.width * head.height >= FEWEST_PIXELS and not path.is_symlink():
            yield path.stem[:14], path


def ssim(path: Path, card: bytes) -> float:
    """Structural similarity (Wang 2004, Gaussian window of 1.5) of the card's lightness to the picture's."""
    seen = pyvips.Image.new_from_buffer(card, "").colourspace("b-w")
    whole = pyvips.Image.new_from_file(str(path)).autorot().colourspace("b-w")
    wanted = whole.resize(seen.width / whole.width, vscale=seen.height / whole.height).cast("float")
    one, other = wanted, seen.cast("float")

    def blurred(image: pyvips.Image) -> pyvips.Image:
        return image.gaussblur(1.5)

    mean, means = blurred(one), blurred(other)
    spread, spreads = blurred(one * one) - mean * mean, blurred(other * other) - means * means
    both = blurred(one * other) - mean * means
    index = ((mean * means * 2 + 6.5025) * (both * 2 + 58.5225)) / (
        (mean * mean + means * means + 6.5025) * (spread + spreads + 58.5225)
    )
    return float(index.avg())


def spent(process: int) -> float:
    """The processor's time that a process has taken, in ms."""
    return time.clock_gettime(~process << 3 | 2) * 1000  # as glibc's clock_getcpuclockid has it


def peak(process: int) -> int:
    """The most memory that a process ever held, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


async def measured(path: Path, folder: Path) -> tuple[Run, Run]:
    """Our helper and the peer, each warm and in a process of its own, turn by turn."""
    converter, peer = VipsConverter(helpers=1, megabytes=MEGABYTES, seconds=60), Sharp(EFFORT, 1, folder)
    try:
        picture = await converter.convert(path)
        peer.convert([path])
        process = converter._all.copy().pop()._process.pid  # noqa: SLF001 -- a bench may look
        mine, its = [], []
        for _ in range(ROUNDS):
            before = spent(process)
            for _ in range(EACH):
                await converter.convert(path)
            mine.append((spent(process) - before) / EACH)
            its.append(peer.measure(path))
        card = (folder / "card.webp").read_bytes()
        return Run(min(mine), peak(process), picture.variants["card"].data), Run(min(its), peak(peer.pid), card)
    finally:
        peer.close()
        await converter.aclose()


class Sharp:
    """The peer, a Node process."""

    def __init__(self, efforts: Mapping[VariantName, int], parallel: int, folder: Path) -> None:
        command = [
            *("nice", "-n", str(NICENESS)),
            str(Path(sys.executable).with_name("node")),
            str(PEER / "convert.mjs"),
            json.dumps(
                [[name, LONGEST[name], efforts[name]] for name in sorted(LONGEST, key=lambda each: -LONGEST[each])]
            ),
            str(parallel),
            str(folder),
        ]
        self.process = subprocess.Popen(  # noqa: S603 -- ours
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PEER
        )
        self.folder = folder
        self.pid = 0

    def convert(self, paths: list[Path]) -> None:
        """All of them, as many at a time as it was told."""
        assert self.process.stdin is not None  # noqa: S101 -- a pipe
        assert self.process.stdout is not None  # noqa: S101 -- as above
        self.process.stdin.write("".join(f"{path}\n" for path in paths))
        self.process.stdin.flush()
        for _ in paths:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("sharp ended: run `npm ci` in bench/peers/sharp")
            self.pid = json.loads(line)["pid"]  # `node` may be a script that starts it

    def close(self) -> None:
        """End it."""
        self.process.communicate()  # it ends when there is nothing more to read

    def measure(self, path: Path) -> float:
        """The processor's time for a picture, in ms."""
        before = spent(self.pid)
        for _ in range(EACH):
            self.convert([path])
        return (spent(self.pid) - before) / EACH


async def rate(path: Path, count: int) -> tuple[float, int]:
    """Pictures a second with a helper for each core, and their peak memory together."""
    converter = VipsConverter(helpers=CORES, megabytes=MEGABYTES, seconds=60)
    try:
        await asyncio.gather(*(converter.convert(path) for _ in range(CORES)))
        started = time.perf_counter()
        await asyncio.gather(*(converter.convert(path) for _ in range(count)))
        taken = time.perf_counter() - started
        return count / taken, sum(peak(each._process.pid) for each in converter._all)  # noqa: SLF001 -- as above
    finally:
        await converter.aclose()


def verdict(what: str, ours: float, most: float, unit: str = "") -> None:
    """A line that says whether an aim was met."""
    print(f"{'PASS' if ours <= most else 'FAIL'}  {what}: {ours:.2f}{unit}, at most {most:g}{unit}")


async def main(folder: Path, more: Path | None) -> None:
    """Both sides over every photograph."""
    ratios: dict[str, list[float]] = {"time": [], "memory": [], "bytes": []}
    worse: list[float] = []
    cards: list[float] = []
    columns = ["", "ours ms", "sharp", "ours MB", "sharp", "card KB", "sharp", "SSIM", "sharp"]
    print(f"{columns[0]:15}" + "".join(f"{each:>9}" for each in columns[1:]))
    for name, path in photographs(folder, more):
        mine, its = await measured(path, folder)
        alike = ssim(path, mine.card), ssim(path, its.card)
        print(
            f"{name:15}{mine.ms:9.0f}{its.ms:9.0f}{mine.peak_mb:9}{its.peak_mb:9}"
            f"{len(mine.card) / 1024:9.1f}{len(its.card) / 1024:9.1f}{alike[0]:9.4f}{alike[1]:9.4f}"
        )
        ratios["time"].append(mine.ms / its.ms)
        ratios["memory"].append(mine.peak_mb / its.peak_mb)
        ratios["bytes"].append(len(mine.card) / len(its.card))
        worse.append(alike[1] - alike[0])
        if path.parent != folder:
            cards.append(len(mine.card) / 1024)
    twelve = folder / "12-noisy.jpg"
    own = Sharp(dict.fromkeys(LONGEST, 4), 1, folder)
    own.convert([twelve])
    default = min(own.measure(twelve) for _ in range(ROUNDS))
    own.close()
    print(f"12 MP noisy, sharp with its own efforts: {default:.0f} ms")
    rates = [await rates_of(twelve, folder) for _ in range(3)]
    speed, its_speed = (max(each[side] for each in rates) for side in (0, 1))
    held, its_held = rates[0][2:]
    print(f"12 MP noisy, both cores: {speed:.1f} pictures/s and {held} MB; sharp {its_speed:.1f} and {its_held} MB")
    if cards:
        mean, median = statistics.mean(cards), statistics.median(cards)
        print(f"Cards of {len(cards)} photographs: {mean:.0f} KB on average, {median:.0f} the median")
    verdict("processor's time of sharp's, median", statistics.median(ratios["time"]), 1.0, "x")
    verdict("peak memory of sharp's, median", statistics.median(ratios["memory"]), 1.0, "x")
    verdict("card's bytes of sharp's, median", statistics.median(ratios["bytes"]), 1.005, "x")
    verdict("card's SSIM below sharp's, median", statistics.median(worse), 0.0005)
    verdict("sharp's pictures a second of ours, both cores", its_speed / speed, 1.0, "x")


async def rates_of(path: Path, folder: Path) -> tuple[float, float, int, int]:
    """Pictures a second on all cores, ours and the peer's, and the peak memory of each."""
    speed, memory = await rate(path, PICTURES)
    peer = Sharp(EFFORT, CORES, folder)
    peer.convert([path] * CORES)
    started = time.perf_counter()
    peer.convert([path] * PICTURES)
    its_speed, its_memory = PICTURES / (time.perf_counter() - started), peak(peer.pid)
    peer.close()
    return speed, its_speed, memory, its_memory


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of photographs to convert as well")
    arguments = parser.parse_args()
    if not (PEER / "node_modules").exists():
        sys.exit("First: npm ci --prefix bench/peers/sharp")
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(main(Path(made), arguments.photos))
