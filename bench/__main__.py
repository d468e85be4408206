"""One worker of the service beside the floor, in paired rounds: the agenda of forty visits."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import asyncpg
import msgspec
from bench.load import Measured, Stretch, driven_apart
from bench.scene import FULL_DAYS, OWNER, agenda_tomorrow, furnished
from bench.servers import FloorProcess, processor_seconds
from bench.stage import DATABASE, stage
from bench.statements import of_request

from coravet.adapters.local import LocalError
from coravet.adapters.local.postgres import EmbeddedPostgres
from coravet.entrypoints.cli.refusals import CommandError

VISITS = 40
LEAD_SECONDS = 0.5
BETWEEN_SECONDS = 1.0  # starting the load and tidying up
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
    stretches = 2 * (options.rounds + 1)
    minutes = (20 + stretches * (options.seconds + LEAD_SECONDS + BETWEEN_SECONDS)) / 60
    print(
        f"One granian worker of the service and one of the floor, in turns: {options.rounds} rounds of"
        f" {options.seconds:g} s each, {options.connections} kept connections. The worker, PostgreSQL and the load"
        " share this machine's processors.\nIdentity: a bearer token of the Auth emulator, verified now and then and"
        " kept meanwhile, as in production.\nPostgreSQL without fsync, so that no disk is measured."
        f"\nThis takes about {minutes:.1f} minutes.\n",
        flush=True,
    )
    try:
        with stage(options.port) as parts:
            settings, postgres = parts.settings, parts.postgres
            agenda = agenda_tomorrow(asyncio.run(furnished(settings, parts.emulator_host, FULL_DAYS)))
            beside = settings.model_copy(update={"port": options.port + 1})
            with parts.service() as service, FloorProcess(beside, OWNER.uid, parts.folder / "floor.log") as floor:
                servers = (
                    Server("service", options.port, service.pid or 0),
                    Server("floor", options.port + 1, floor.pid or 0),
                )
                asyncio.run(_bench(servers, postgres, agenda, options))
    except (LocalError, CommandError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


async def _bench(servers: tuple[Server, Server], postgres: EmbeddedPostgres, agenda: bytes, options: Options) -> None:
    admin = await asyncpg.connect(postgres.url(database=DATABASE))
    try:
        await _compare(servers, admin, postgres.log, agenda)
    finally:
        await admin.close()
    ceiling = await driven_apart(_stretch(servers[1], EMPTY, 204, options))
    print(f"\nThe load alone can drive {ceiling.rate:,.0f} requests a second: the floor, answering without SQL.\n")
    rounds: list[tuple[Result, Result]] = []
    for number in range(options.rounds + 1):
        measured = {}
        for server in servers if number % 2 else servers[::-1]:
            measured[server.name] = await _measure(server, _stretch(server, agenda, 200, options), postgres.pid)
        if number:  # the first warms both up
            rounds.append((measured["service"], measured["floor"]))
    _report(f"Agenda of a day with {VISITS} visits", rounds)


async def _compare(servers: Sequence[Server], admin: asyncpg.Connection, log: Path, agenda: bytes) -> None:
    """See that both do the same SQL, and answer the same."""
    (sql, answer), (floors_sql, floors_answer) = [
        await of_request(admin, log, server.port, agenda) for server in servers
    ]
    if sql != floors_sql:
        raise LocalError(f"The floor's SQL of the agenda is not the service's:\n{sql}\n{floors_sql}")
    if answer != floors_answer or answer.count(b'"starts_at"') != VISITS + 1:
        raise LocalError(f"The agendas differ, or have not {VISITS} visits.")
    print(f"Both do the same {len(sql)} statements for the agenda, as PostgreSQL's log tells.")


def _stretch(server: Server, request: bytes, status: int, options: Options) -> Stretch:
    return Stretch(
        port=server.port,
        request=request,
        connections=options.connections,
        expected_status=status,
        seconds=options.seconds,
        lead_seconds=LEAD_SECONDS,
    )


async def _measure(server: Server, stretch: Stretch, postgres_pid: int | None) -> Result:
    before = processor_seconds(server.pid), processor_seconds(postgres_pid)
    load = await driven_apart(stretch)
    after = processor_seconds(server.pid), processor_seconds(postgres_pid)
    if load.problem:
        raise LocalError(f"The {server.name} failed: {load.problem}")
    # The lead's answers are not counted, so the time is scaled to the part that is.
    share = 1000 * stretch.seconds / (stretch.seconds + stretch.lead_seconds) / load.requests
    return Result(load, (after[0] - before[0]) * share, (after[1] - before[1]) * share)


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


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--port", type=int, default=21_700, help="the first of three (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of stretches (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a stretch (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=8, help="requests under way (default: %(default)s)")
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
