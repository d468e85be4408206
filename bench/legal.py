"""Looking for drift before a start, over 200 published versions in two languages, beside an empty piece of work."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import msgspec
from bench.stage import stage

from coravet.adapters.local import LocalError
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.legal.store import PostgresGate
from coravet.bootstrap import make_works, refuse_drift
from coravet.core.kernel.actor import UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.legal.documents import DOCUMENTS, LOCALES
from coravet.core.legal.folder import examine
from coravet.core.legal.publish import publish
from coravet.entrypoints.cli.refusals import CommandError
from coravet.settings import Settings

VERSIONS = 200
MOST_MS = 100.0
WORDS = "Quien usa el servicio conoce estas reglas y puede preguntar por ellas.\n\n" * 80
NOBODY = UserId(UUID(int=1))


class Options(msgspec.Struct):
    """Which port and how often."""

    port: int
    rounds: int


def main() -> None:
    """Start a database, publish, measure, print, end everything."""
    parser = argparse.ArgumentParser(prog="python -m bench.legal", description=__doc__)
    parser.add_argument("--port", type=int, default=21_740, help="this one and the two after it are used")
    parser.add_argument("--rounds", type=int, default=40)
    options = msgspec.convert(vars(parser.parse_args()), Options)
    try:
        with stage(options.port) as parts, tempfile.TemporaryDirectory() as folder:
            settings = parts.settings.model_copy(update={"legal": Path(folder)})
            asyncio.run(_bench(settings, options.rounds))
    except (LocalError, CommandError) as error:
        sys.exit(str(error))


async def _bench(settings: Settings, rounds: int) -> None:
    engine = make_engine(settings)
    works = make_works(settings, engine)
    try:
        for number in range(VERSIONS):
            slug = list(DOCUMENTS)[number % len(DOCUMENTS)]
            files = {}
            for locale in LOCALES:
                path = settings.legal / slug / f"{9 + number}.0.{locale}.md"
                path.parent.mkdir(exist_ok=True)
                path.write_text(f"# Texto {number}\n\n{WORDS}Fin.\n", encoding="utf-8")
                files[path] = path.read_bytes()
            await publish(examine(files).texts, "major", works.system_begin, SystemClock())

        async def nothing() -> None:
            async with works.system_begin("bench") as work:
                await work.fetch("SELECT 1")

        gate = PostgresGate(engine, "")
        size = sum(path.stat().st_size for path in settings.legal.glob("*/*.md"))
        print(f"{VERSIONS} versions in {len(LOCALES)} languages, {size / 1e6:.1f} MB; {rounds} rounds in turns.\n")
        floor, looked = await _in_turns(rounds, nothing, lambda: refuse_drift(works, settings))
        print(f"  an empty piece of work       {floor:7.2f} ms")
        print(f"  looking for drift at a start {looked:7.2f} ms  {looked / floor:6.1f} of these")
        asked, _ = await _in_turns(rounds, lambda: gate.pending(NOBODY, None), nothing)
        print(f"  asking the gate              {asked:7.2f} ms  {asked / floor:6.1f} of these")
    finally:
        await engine.dispose()
    if looked > MOST_MS:
        sys.exit(f"Looking for drift took {looked:.0f} ms, and may take {MOST_MS:.0f}.")


async def _in_turns(rounds: int, *whats: Callable[[], Awaitable[object]]) -> list[float]:
    """The median of each in milliseconds."""
    taken: list[list[float]] = [[] for _ in whats]
    for _ in range(rounds):
        for what, times in zip(whats, taken, strict=True):
            began = perf_counter()
            await what()
            times.append((perf_counter() - began) * 1000)
    return [median(times) for times in taken]


if __name__ == "__main__":
    main()
