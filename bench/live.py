"""The event stream: what open streams cost, and how soon events arrive, beside NestJS.

`python -m bench.live` measures one worker of the service and then one process of the peer, on the same database, with
the same clients. Whoever commits is a process of its own, as another worker of the service would be: what it commits
is numbered there and crosses the fan-out.
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Literal, get_args
from uuid import UUID, uuid4

import asyncpg
import msgspec
from bench.load import Stretch, driven_apart
from bench.scene import OWNER, sign_in
from bench.servers import processor_seconds
from bench.stage import DATABASE, Stage, stage
from bench.streams import Crowd, CrowdProcess
from uuid_utils.compat import uuid7

from coravet.adapters.local import LocalError, demo, tether
from coravet.adapters.local.firebase import node
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.live.journal import PostgresJournal
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.bootstrap import make_fanout
from coravet.core.kernel.clock import SystemClock
from coravet.entrypoints.cli.refusals import CommandError
from coravet.entrypoints.live.dispatcher import Dispatcher

CLINICS, STREAMS_OF_EACH = 1000, 10
BUSY_STREAMS, BUSY_RATE = 200, 50
MANY_RATE = 500
SETTLE_SECONDS = 3
LATE_SECONDS = 5
PEER = Path(__file__).parent / "peers" / "nestjs"
CHANNEL = "bench_peer"

Part = Literal["idle", "many", "busy"]


class Weight(msgspec.Struct):
    """What open streams cost."""

    streams: int
    failed: int
    seconds: float
    kib: float
    problem: str | None

    @property
    def to_a_gib(self) -> float:
        """Streams that fit into a GiB beside the idle process."""
        return 2**20 / self.kib


class Delivered(msgspec.Struct):
    """How events arrived; times in milliseconds, processor time of the server alone."""

    rate: float
    expected: int
    arrived: int
    p50_ms: float
    p99_ms: float
    first_ms: float
    last_ms: float
    own_us: float
    lost: int


class Found(msgspec.Struct):
    """What was measured of one server."""

    weight: Weight | None = None
    quiet_p99_ms: float | None = None
    idle_p99_ms: float | None = None
    many: Delivered | None = None
    busy: Delivered | None = None


class Subject(msgspec.Struct):
    """A server under measurement; `commit` tells it of an event of a clinic with this subject."""

    name: str
    port: int
    pid: int
    head: str
    commit: Callable[[int, UUID], Awaitable[None]]
    settle: Callable[[], None]

    def request(self, clinic: int, path: str) -> bytes:
        """A request to that clinic."""
        return f"GET /api/v1/clinics/{_slug(clinic)}{path} HTTP/1.1\r\n{self.head}\r\n".encode()


def main() -> None:
    """Start everything, measure, print, end everything."""
    options = _options()
    try:
        with stage(options.port) as parts:
            asyncio.run(_bench(parts, options))
    except (LocalError, CommandError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


async def _bench(parts: Stage, options: argparse.Namespace) -> None:
    admin = await asyncpg.connect(parts.postgres.url(database=DATABASE))
    try:
        clinics = await _furnish(parts, admin)
        async with _service(parts, admin, clinics) as subject:
            ours = await _measure(subject, options)
        _print(ours, "The service: one granian worker")
        peers = None
        if options.peer:
            async with _peer(parts, admin) as subject:
                peers = await _measure(subject, options, ordinary=False)
            _print(peers, "The peer: one process of NestJS 11")
    finally:
        await admin.close()
    _judge(ours, peers)


async def _measure(subject: Subject, options: argparse.Namespace, *, ordinary: bool = True) -> Found:
    found = Found()
    requests = [subject.request(clinic, "/events") for clinic in range(1, CLINICS + 1)]
    asked = ordinary and "idle" in options.parts
    # The first streams and requests find caches and pools empty.
    async with CrowdProcess(Crowd(port=subject.port, requests=requests, streams=BUSY_STREAMS)):
        await asyncio.sleep(1)
    if asked:
        found.quiet_p99_ms = await _ordinary(subject, options)
    if {"idle", "many"} & set(options.parts):
        before = await _settled(subject)
        async with CrowdProcess(Crowd(port=subject.port, requests=requests, streams=options.streams)) as crowd:
            weighed = await _settled(subject) - before
            opened = crowd.opened
            found.weight = Weight(
                opened.streams, opened.failed, opened.seconds, weighed / max(opened.streams, 1), opened.problem
            )
            if asked:
                found.idle_p99_ms = await _ordinary(subject, options)
            if "many" in options.parts:
                found.many = await _deliver(subject, crowd, CLINICS, MANY_RATE, options)
    if asked and found.quiet_p99_ms is not None:
        # Machines drift: once more without them, and the mean of both.
        found.quiet_p99_ms = (found.quiet_p99_ms + await _ordinary(subject, options)) / 2
    if "busy" in options.parts:
        async with CrowdProcess(Crowd(port=subject.port, requests=requests[:1], streams=BUSY_STREAMS)) as crowd:
            found.busy = await _deliver(subject, crowd, 1, BUSY_RATE, options)
    return found


async def _ordinary(subject: Subject, options: argparse.Namespace) -> float:
    """The p99 of a small read, of three stretches the middle one."""
    stretch = Stretch(
        port=subject.port,
        request=subject.request(1, ""),
        connections=4,
        expected_status=200,
        seconds=options.seconds / 3,
        lead_seconds=0.5,
    )
    found = []
    for _ in range(3):
        load = await driven_apart(stretch)
        if load.problem:
            raise LocalError(f"The {subject.name} failed: {load.problem}")
        found.append(load.p99_ms)
    return median(found)


async def _settled(subject: Subject) -> float:
    """KiB of memory of the server's processes, once they came to rest."""
    await asyncio.sleep(SETTLE_SECONDS / 2)
    subject.settle()
    await asyncio.sleep(SETTLE_SECONDS / 2)
    return _resident_kib(subject.pid)


async def _deliver(
    subject: Subject, crowd: CrowdProcess, clinics: int, rate: int, options: argparse.Namespace
) -> Delivered:
    """Commit events at that rate, round the clinics, and see when they come."""
    events = round(rate * options.seconds)
    committed: dict[str, float] = {}
    await crowd.heard()
    before = processor_seconds(subject.pid)
    began = time.perf_counter()
    for number in range(events):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        subject_id = uuid4()
        # The clock is read before the commit is sent, so that the commit counts, too.
        committed[str(subject_id)] = time.perf_counter()
        await subject.commit(1 + number % clinics, subject_id)
    took = time.perf_counter() - began
    await asyncio.sleep(1)
    own = processor_seconds(subject.pid) - before
    heard = await crowd.heard()
    expected = events * (crowd.opened.streams // clinics)
    if sum(map(len, heard.events.values())) < expected:
        await asyncio.sleep(LATE_SECONDS)
        for key, times in (await crowd.heard()).events.items():
            heard.events.setdefault(key, []).extend(times)
    late = [[at - committed[key] for at in heard.events.get(key, [])] for key in committed]
    every = sorted(seconds for times in late for seconds in times) or [float("inf")]
    quarter = max(1, len(late) // 4)
    return Delivered(
        rate=events / took,
        expected=expected,
        arrived=sum(map(len, late)),
        p50_ms=1000 * every[len(every) // 2],
        p99_ms=1000 * every[len(every) * 99 // 100],
        first_ms=_middle_ms(late[:quarter]),
        last_ms=_middle_ms(late[-quarter:]),
        own_us=1e6 * own / max(1, sum(map(len, late))),
        lost=heard.lost,
    )


def _middle_ms(late: list[list[float]]) -> float:
    return 1000 * median([seconds for times in late for seconds in times] or [float("inf")])


@asynccontextmanager
async def _service(parts: Stage, admin: asyncpg.Connection, clinics: list[UUID]) -> AsyncIterator[Subject]:
    settings = parts.settings
    async with AsyncExitStack() as stack:
        service = stack.enter_context(parts.service())
        token = await sign_in(parts.emulator_host)
        engine = make_engine(settings)
        stack.push_async_callback(engine.dispose)
        works = Works(engine, ClinicWork, f"{settings.database_role_prefix}_system")
        fanout = await stack.enter_async_context(make_fanout(settings))
        dispatcher = await stack.enter_async_context(Dispatcher(PostgresJournal(works), fanout, SystemClock()))
        insert = await admin.prepare(
            "INSERT INTO outbox (clinic_id, id, kind, audience, subject_type, subject_id, subject_version,"
            " actor_user_id) VALUES ($1, $2, 'appointment.booked', 'clinic', 'appointment', $3, 1, $4)"
        )

        async def commit(clinic: int, subject_id: UUID) -> None:
            # As a work does, but for the business that it would also do: that is no part of the stream.
            await insert.fetch(clinics[clinic - 1], uuid7(), subject_id, OWNER.user_id)
            dispatcher.wake()

        yield Subject(
            name="service",
            port=settings.port,
            pid=service.pid or 0,
            head=f"Host: 127.0.0.1\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n",
            commit=commit,
            settle=lambda: None,
        )


@asynccontextmanager
async def _peer(parts: Stage, admin: asyncpg.Connection) -> AsyncIterator[Subject]:
    numbers = count(1)
    notify = await admin.prepare(f"SELECT pg_notify('{CHANNEL}', $1)")

    async def commit(clinic: int, subject_id: UUID) -> None:
        number = next(numbers)
        event = {
            "slug": _slug(clinic),
            "audience": "clinic",
            "id": number,
            "kind": "appointment.booked",
            "at": SystemClock().now(),
            "actor": {"user_id": OWNER.user_id},
            "subject": {"type": "appointment", "id": subject_id, "version": 1},
        }
        await notify.fetch(msgspec.json.encode(event).decode())

    with _nestjs(parts) as process:
        yield Subject(
            name="peer",
            port=parts.settings.port + 1,
            pid=process.pid,
            # As long as a real one's.
            head=f"Host: 127.0.0.1\r\nAccept: text/event-stream\r\nAuthorization: Bearer {'x' * 900}\r\n",
            commit=commit,
            settle=lambda: process.send_signal(signal.SIGUSR2),
        )


@contextmanager
def _nestjs(parts: Stage) -> Iterator[subprocess.Popen[bytes]]:
    modules = PEER / "node_modules"
    if not modules.exists():
        print("Installing NestJS with npm (once, 40 MB)", flush=True)
        npm = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        install = [str(node()), "--use-system-ca", str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=PEER, check=True)  # noqa: S603 -- our own binary and arguments
    compiler = [str(node()), str(modules / "typescript" / "bin" / "tsc"), "-p", str(PEER)]
    subprocess.run([*compiler, "--outDir", str(PEER / "dist")], check=True)  # noqa: S603 -- as above
    program = [str(node()), "--expose-gc", str(PEER / "dist" / "main.js")]
    port = parts.settings.port + 1
    environment = os.environ | {
        "NODE_ENV": "production",
        "PORT": str(port),
        "DATABASE_URL": parts.postgres.url(database=DATABASE),
    }
    process = subprocess.Popen(  # noqa: S603 -- as above
        tether.command(program, on_parent_death=signal.SIGTERM), stdin=subprocess.DEVNULL, env=environment
    )
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise LocalError("The peer does not serve; its reason stands above.") from None
            time.sleep(0.1)
        else:
            return


async def _furnish(parts: Stage, admin: asyncpg.Connection) -> list[UUID]:
    """The demo, and a thousand clinics in which its first person works."""
    await demo.load(parts.settings, parts.emulator_host, print)
    clinics = [UUID(int=(0xBE << 64) + number) for number in range(1, CLINICS + 1)]
    await admin.executemany(
        "INSERT INTO clinics (id, slug, name, time_zone) VALUES ($1, $2, 'Banco de pruebas', 'America/Guayaquil')",
        [(clinic, _slug(number)) for number, clinic in enumerate(clinics, 1)],
    )
    await admin.executemany(
        "INSERT INTO members (clinic_id, id, user_id, roles, active, version) VALUES ($1, $2, $3, '{staff}', true, 1)",
        [(clinic, uuid4(), OWNER.user_id) for clinic in clinics],
    )
    await admin.execute("ANALYZE")
    return clinics


def _slug(number: int) -> str:
    return f"banco-{number:04}"


def _resident_kib(pid: int) -> int:
    tree, kib = {pid}, 0
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        try:
            words = stat.read_text().rpartition(")")[2].split()
            number = int(stat.parent.name)
            if number in tree or int(words[1]) in tree:
                tree.add(number)
                status = (stat.parent / "status").read_text()
                kib += int(status.partition("VmRSS:")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError, IndexError):
            continue
    return kib


def _print(found: Found, title: str) -> None:
    print(f"\n{title}")
    if weight := found.weight:
        print(
            f"  {weight.streams:,} streams opened in {weight.seconds:.1f} s, {weight.failed} failed"
            f" {weight.problem or ''}\n  {weight.kib:.1f} KiB each, {weight.to_a_gib:,.0f} to a GiB"
        )
    if found.quiet_p99_ms is not None and found.idle_p99_ms is not None:
        print(f"  an ordinary request's p99: {found.quiet_p99_ms:.1f} ms; with them {found.idle_p99_ms:.1f} ms")
    for label, got in (("many clinics", found.many), ("one clinic", found.busy)):
        if got:
            print(
                f"  {label}: {got.rate:.0f} events/s, {got.arrived:,} of {got.expected:,} arrived, {got.lost} streams"
                f" lost; p50 {got.p50_ms:.1f} ms, p99 {got.p99_ms:.1f} ms, {got.own_us:.1f} µs of processor each;"
                f" median at first {got.first_ms:.1f} ms, at last {got.last_ms:.1f} ms"
            )


def _judge(ours: Found, peers: Found | None) -> None:
    """Print what was aimed at and whether it was reached."""
    lines: list[tuple[str, str, bool]] = []
    if weight := ours.weight:
        lines += [
            ("no error on opening", f"{weight.failed} of {weight.streams + weight.failed:,}", not weight.failed),
            ("memory of a stream at most 30 KB", f"{weight.kib * 1.024:.1f} KB", weight.kib * 1.024 <= 30),
        ]
    if ours.quiet_p99_ms and ours.idle_p99_ms:
        ratio = ours.idle_p99_ms / ours.quiet_p99_ms
        lines.append(("an ordinary request's p99 at most twice", f"{ratio:.2f} times", ratio <= 2))
    if got := ours.busy:
        whole = got.arrived == got.expected
        lines.append(("one clinic: p99 at most 50 ms", f"{got.p99_ms:.1f} ms", whole and got.p99_ms <= 50))
    if got := ours.many:
        steady = got.arrived == got.expected and got.last_ms <= 2 * got.first_ms + 10
        lines.append(
            ("many clinics: no backlog grows", f"median {got.first_ms:.1f} ms, later {got.last_ms:.1f} ms", steady)
        )
    if peers:
        if ours.weight and peers.weight:
            ratio = ours.weight.to_a_gib / peers.weight.to_a_gib
            lines.append(("more streams to a GiB than NestJS", f"{ratio:.2f} times", ratio > 1))
        for label, mine, theirs in (("one clinic", ours.busy, peers.busy), ("many clinics", ours.many, peers.many)):
            if mine and theirs:
                ratio = mine.own_us / theirs.own_us
                lines.append((f"{label}: less processor for an event than NestJS", f"{ratio:.2f} times", ratio < 1))
                ratio = mine.p99_ms / theirs.p99_ms
                lines.append((f"{label}: a lower p99 than NestJS", f"{ratio:.2f} times", ratio < 1))
    print()
    for aim, figure, reached in lines:
        print(f"{'PASS' if reached else 'FAIL'}  {aim}: {figure}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=get_args(Part), default=get_args(Part), help="default: all")
    parser.add_argument("--port", type=int, default=21_730, help="the first of three (default: %(default)s)")
    parser.add_argument("--streams", type=int, default=CLINICS * STREAMS_OF_EACH, help="open (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=9, help="length of a stretch (default: %(default)s)")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="measure the service alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
