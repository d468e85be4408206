"""What every bench needs: a database of its own, the Auth emulator, and the service on them."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import msgspec

from coravet.adapters.local import LocalError, firebase
from coravet.adapters.local.postgres import EmbeddedPostgres
from coravet.adapters.local.service import ServiceProcess
from coravet.adapters.postgres.migrate import migrate
from coravet.entrypoints.cli.ports import refuse_busy
from coravet.settings import Settings

DATABASE = "bench"


class Stage(msgspec.Struct):
    """The parts, while the context lasts."""

    folder: Path
    postgres: EmbeddedPostgres
    emulator_host: str
    settings: Settings

    @contextmanager
    def service(self) -> Iterator[ServiceProcess]:
        """One worker of the service, as `coravet serve` starts it."""
        log = self.folder / "service.log"
        with ExitStack() as parts:
            try:
                process = parts.enter_context(ServiceProcess(self.settings, log=log))
            except LocalError as error:
                raise LocalError(f"{error}\n{log.read_text()[-2000:]}") from error
            yield process


@contextmanager
def stage(port: int) -> Iterator[Stage]:
    """Start everything but the service, on this port and the two after it, and end everything."""
    for offset in range(3):
        refuse_busy("127.0.0.1", port + offset, "choose another with --port")
    with tempfile.TemporaryDirectory(prefix="coravet-bench-") as name:
        folder = Path(name)
        with EmbeddedPostgres(folder, durable=False) as postgres:
            tools = firebase.install(echo=print)
            with firebase.AuthEmulator(folder, port + 2, tools, keep=False) as emulator:
                settings = _settings(port, postgres, emulator.host)
                asyncio.run(_create(settings, postgres))
                yield Stage(folder, postgres, emulator.host, settings)


async def _create(settings: Settings, postgres: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(postgres.url())
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    await admin.close()
    await migrate(settings, print)


def _settings(port: int, postgres: EmbeddedPostgres, emulator_host: str) -> Settings:
    return Settings.model_validate(
        {
            "CORAVET_ENV": "development",
            "CORAVET_HOST": "127.0.0.1",
            "CORAVET_PORT": port,
            "CORAVET_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "CORAVET_WORKERS": 1,
            "CORAVET_LOG_FORMAT": "json",
            "DATABASE_URL": postgres.url("coravet_app", DATABASE),
            "DATABASE_ADMIN_URL": postgres.url("postgres", DATABASE),
            "DATABASE_DIRECT_URL": None,
            "DATABASE_ROLE_PREFIX": "coravet",
            "FIREBASE_PROJECT_ID": "demo-coravet",
            "FIREBASE_AUTH_EMULATOR_HOST": emulator_host,
            "FIREBASE_CREDENTIALS": None,
            "SENTRY_DSN": None,
        }
    )
