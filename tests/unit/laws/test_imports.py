"""Which library is at home where: the core has msgspec and the standard library, and each other one few doors."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import coravet

SOURCE = Path(coravet.__file__).parent

HOMES = {
    "msgspec": {"core", "adapters", "entrypoints", "bootstrap"},
    "advanced_alchemy": {"adapters.postgres"},
    "aiosmtplib": {"adapters.mail"},
    "alembic": {"adapters.postgres"},
    "asyncpg": {"adapters.postgres", "adapters.fanout", "adapters.jobs", "entrypoints.cli"},
    "babel": {"adapters.letters"},
    "firebase_admin": {"adapters.firebase"},
    "granian": {"entrypoints.cli", "bootstrap"},
    "holidays": {"adapters.calendars"},
    "httpx": {"adapters.local", "adapters.whatsapp"},
    "icalendar": {"adapters.calendars"},
    "limits": {"adapters.limits", "adapters.postgres"},
    "litestar": {"entrypoints.http", "entrypoints.live", "bootstrap"},
    "multipart": {"entrypoints.http"},
    "nats": {"adapters.fanout"},
    "obstore": {"adapters.storage"},
    "pgqueuer": {"adapters.jobs"},
    "phonenumbers": {"adapters.numbers"},
    "pillow_heif": {"adapters.vips"},
    "prometheus_client": {"adapters.telemetry"},
    "pydantic": {"settings", "adapters.local"},
    "pydantic_settings": {"settings"},
    "pikepdf": {"adapters.vips"},
    "pyvips": {"adapters.vips"},
    "redis": {"adapters.fanout"},
    "requests": {"adapters.firebase"},
    "segno": {"adapters.pdf"},
    "sentry_sdk": {"adapters.telemetry"},
    "sqlalchemy": {"adapters.postgres", "adapters.local", "entrypoints.cli", "bootstrap"},
    "stdnum": {"adapters.numbers", "adapters.local"},
    "stream_zip": {"adapters.archives"},
    "structlog": {"adapters.telemetry", "entrypoints.http", "entrypoints.worker", "bootstrap"},
    "thumbhash": {"adapters.vips"},
    "typer": {"entrypoints.cli"},
    "typst": {"adapters.pdf"},
    "uuid_utils": {"adapters.postgres", "entrypoints.http"},
}
"""Where each library may be imported. One more home is a decision: the fewer, the easier it is to replace."""


def _roots(path: Path) -> Iterator[str]:
    """The first part of everything that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield (node.module or "").partition(".")[0]


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """Every module below `coravet`, with the libraries that it imports."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        found[name] = set(_roots(path)) - sys.stdlib_module_names - {"coravet"}
    assert len(found) > 50
    return found


def test_core(imported: dict[str, set[str]]) -> None:
    """The core imports the standard library and msgspec, and nothing else."""
    core = {name: libraries for name, libraries in imported.items() if name.startswith("core.")}
    assert core
    assert {name: libraries for name, libraries in core.items() if libraries - {"msgspec"}} == {}


def test_homes(imported: dict[str, set[str]]) -> None:
    """Each library is imported in its homes alone, and a home without its library is no longer one."""
    strays, seen = set(), set()
    for name, libraries in imported.items():
        for library in libraries:
            homes = {home for home in HOMES.get(library, ()) if f"{name}.".startswith(f"{home}.")}
            seen |= {(library, home) for home in homes}
            if not homes:
                strays.add((name, library))
    assert strays == set()
    assert {(library, home) for library, homes in HOMES.items() for home in homes} == seen
