"""One worker of the service beside the floor, in paired rounds: the agenda of forty visits, and a booking."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from statistics import median

import asyncpg
import msgspec
from bench.load import Measured, Stretch
from bench.scene import OWNER, STEP_MINUTES, Scene, booking_at, build, tidy
from bench.servers import FloorProcess, processor_seconds
from bench.statements import of_request

from coravet.adapters.local import LocalError, firebase
from coravet.adapters.local.postgres import EmbeddedPostgres
from coravet.adapters.local.service import ServiceProcess
from coravet.adapters.postgres.migrate import migrate
from coravet.entrypoints.cli.ports import refuse_busy
from coravet.entrypoints.cli.refusals import CommandError
from coravet.settings import Settings

VISITS = 40
LEAD_SECONDS = 0.5
BETWEEN_SECONDS = 1.0  # starting the load and tidying up
DATABASE = "bench"
EMPTY = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Options(msgspec.Struct):
    """How long and how hard."""

    port: int
    rounds: int
    seconds: float
    connections: int


class Result(msgspec.Struct):
    """One stretch: what the load saw, and milliseconds of processor time for each answer."""

    load: Measured
    server_ms: float
    postgres_ms: float


class Server(msgspec.Struct):
    """A server that is measured."""

    name: str
    port: int
    pid: int


def main() -> None:
    """Start everything, measure, print, end everything."""
    options = _options()
    stretches = 4 * (options.rounds + 1)
    minutes = (20 + stretches * (options.seconds + LEAD_SECONDS + BETWEEN_SECONDS)) / 60
    print(
        f"One granian worker of the service and one of the floor, in turns: {options.rounds} rounds of"
        f" {options.seconds:g} s each, {options.connections} kept connections. The worker, PostgreSQL and the load"
        " share this machine's processors.\nIdentity: a bearer token of the Auth emulator, verified once a minute and"
        " kept meanwhile, as in production.\nPostgreSQL without fsync, so that no disk is measured."
        f"\nThis takes about {minutes:.1f} minutes.\n",
        flush=True,
    )
    try:
        with ExitStack() as parts:
            for offset in range(3):
                refuse_busy("127.0.0.1", options.port + offset, "choose another with --port")
            folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="coravet-bench-")))
            postgres = parts.enter_context(EmbeddedPostgres(folder, durable=False))
            tools = firebase.install(echo=print)
            emulator = parts.enter_context(firebase.AuthEmulator(folder, options.port + 2, tools, keep=False))
            settings = _settings(options.port, postgres, emulator.host)
            scene = asyncio.run(_prepare(settings, postgres, emulator.host, options))
            service_log = folder / "service.log"
            service = ServiceProcess(settings, log=service_log)
            try:
                parts.enter_context(service)
            except LocalError as error:
                raise LocalError(f"{error}\n{service_log.read_text()[-2000:]}") from error
            beside = settings.model_copy(update={"port": options.port + 1})
            floor = parts.enter_context(FloorProcess(beside, OWNER.uid, folder / "floor.log"))
            servers = (
                Server("service", options.port, service.pid or 0),
                Server("floor", options.port + 1, floor.pid or 0),
            )
            asyncio.run(_bench(servers, postgres, scene, options))
    except (LocalError, CommandError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


async def _prepare(settings: Settings, postgres: EmbeddedPostgres, emulator_host: str, options: Options) -> Scene:
    admin = await asyncpg.connect(postgres.url())
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    await admin.close()
    await migrate(settings, print)
    return await build(settings, emulator_host, options.connections)


async def _bench(servers: tuple[Server, Server], postgres: EmbeddedPostgres, scene: Scene, options: Options) -> None:
    admin = await asyncpg.connect(postgres.url(database=DATABASE))
    try:
        await _compare(servers, admin, postgres.log, scene)
        await tidy(admin, scene.free_from)
        ceiling = await _drive(_stretch(servers[1], [EMPTY] * options.connections, 204, scene, options))
        print(f"\nThe load alone can drive {ceiling.rate:,.0f} requests a second: the floor, answering without SQL.\n")
        agenda = [scene.agenda] * options.connections
        for title, requests, status in (
            (f"Agenda of a day with {VISITS} visits", agenda, 200),
            ("Booking of a visit that takes two resources", scene.bookings, 201),
        ):
            rounds: list[tuple[Result, Result]] = []
            for number in range(options.rounds + 1):
                measured = {}
                for server in servers if number % 2 else servers[::-1]:
                    stretch = _stretch(server, requests, status, scene, options)
                    measured[server.name] = await _measure(server, stretch, postgres.pid)
                    await tidy(admin, scene.free_from)
                if number:  # the first warms both up
                    rounds.append((measured["service"], measured["floor"]))
            _report(title, rounds)
    finally:
        await admin.close()


async def _compare(servers: Sequence[Server], admin: asyncpg.Connection, log: Path, scene: Scene) -> None:
    """See that both do the same SQL, and answer the same."""
    for what, requests in (
        ("agenda", [scene.agenda] * 2),
        ("booking", [booking_at(scene, scene.free_from + timedelta(days=number)) for number in range(2)]),
    ):
        seen = [
            await of_request(admin, log, server.port, request)
            for server, request in zip(servers, requests, strict=True)
        ]
        (sql, answer), (floors_sql, floors_answer) = seen
        if sql != floors_sql:
            raise LocalError(f"The floor's SQL of the {what} is not the service's:\n{sql}\n{floors_sql}")
        if what == "agenda" and (answer != floors_answer or answer.count(b'"starts_at"') != VISITS + 1):
            raise LocalError(f"The agendas differ, or have not {VISITS} visits.")
        print(f"Both do the same {len(sql)} statements for the {what}, as PostgreSQL's log tells.")


def _stretch(server: Server, requests: list[bytes], status: int, scene: Scene, options: Options) -> Stretch:
    return Stretch(
        port=server.port,
        requests=requests,
        expected_status=status,
        seconds=options.seconds,
        lead_seconds=LEAD_SECONDS,
        first=scene.free_from,
        step_minutes=STEP_MINUTES,
    )


async def _measure(server: Server, stretch: Stretch, postgres_pid: int | None) -> Result:
    before = processor_seconds(server.pid), processor_seconds(postgres_pid)
    load = await _drive(stretch)
    after = processor_seconds(server.pid), processor_seconds(postgres_pid)
    if load.problem:
        raise LocalError(f"The {server.name} failed: {load.problem}")
    # The lead's answers are not counted, so the time is scaled to the part that is.
    share = 1000 * stretch.seconds / (stretch.seconds + stretch.lead_seconds) / load.requests
    return Result(load, (after[0] - before[0]) * share, (after[1] - before[1]) * share)


async def _drive(stretch: Stretch) -> Measured:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(msgspec.json.encode(stretch))
    if process.returncode:
        raise LocalError("The load generator failed; its traceback stands above.")
    return msgspec.json.decode(output, type=Measured)


def _report(title: str, rounds: list[tuple[Result, Result]]) -> None:
    print(f"{title}\n{'':10}{'requests/s':>22}{'p50 ms':>9}{'p99 ms':>9}{'worker ms':>11}{'PostgreSQL ms':>15}")
    for name, results in (("service", [each for each, _ in rounds]), ("floor", [each for _, each in rounds])):
        rates = [each.load.rate for each in results]
        spread = f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
        print(
            f"{name:10}{spread:>22}"
            f"{median(each.load.p50_ms for each in results):>9.1f}{median(each.load.p99_ms for each in results):>9.1f}"
            f"{median(each.server_ms for each in results):>11.2f}{median(each.postgres_ms for each in results):>15.2f}"
        )
    ratios = sorted(service.load.rate / floor.load.rate for service, floor in rounds)
    print(
        f"service/floor, round by round: {ratios[0]:.2f} - {median(ratios):.2f} - {ratios[-1]:.2f}"
        " (min - median - max)\n"
    )


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


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--port", type=int, default=21_700, help="the first of three (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of stretches (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a stretch (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=8, help="requests under way (default: %(default)s)")
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
