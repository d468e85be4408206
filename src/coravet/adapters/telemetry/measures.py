"""What is measured, as Prometheus knows it: the one table of names, helps, labels and buckets."""

from typing import Literal

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from coravet.core.kernel.measures import Counted, Level, Sized, Timed

Part = Literal["server", "worker"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_SIZES = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)


class Measure(msgspec.Struct, frozen=True):
    """One metric; its name gets `coravet_` before it, and a counter's `_total` after it.

    Attributes:
        parts: which processes tell it.
        together: how a level of several processes becomes one. What a process that died said of itself counts no more.
    """

    name: str
    help: str
    parts: tuple[Part, ...] = ("server",)
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _SECONDS
    together: Literal["livesum", "livemax", "livemin"] = "livesum"


_BOTH: tuple[Part, ...] = ("server", "worker")
_WORKER: tuple[Part, ...] = ("worker",)

COUNTED: dict[Counted, Measure] = {
    "requests": Measure("http_requests", "Requests answered.", labels=("method", "route", "status")),
    "live_frames": Measure("live_frames", "Events handed to open streams, once for each stream."),
    "live_replayed": Measure("live_replayed", "Events told to streams that came back."),
    "live_resyncs": Measure("live_resyncs", "Streams that came back and were told to load anew."),
    "live_closed": Measure("live_closed", "Streams that ended; `left`: the client went.", labels=("reason",)),
    "live_sweeps": Measure("live_sweeps", "Rounds of verifying; `failed`: not everybody.", labels=("outcome",)),
    "identity_calls": Measure("identity_calls", "Questions to Firebase about standing.", labels=("outcome",)),
    "jobs": Measure("jobs", "Attempts at jobs: done, put off or given up.", _WORKER, ("kind", "outcome")),
    "periodic_jobs": Measure("periodic_jobs", "Runs of periodic jobs: done or failed.", _WORKER, ("name", "outcome")),
}

TIMED: dict[Timed, Measure] = {
    "requests": Measure("http_request_seconds", "From a request to the beginning of its answer.", labels=("route",)),
    "live_delay": Measure("live_delay_seconds", "From a change's transaction to its event's handing out."),
    "live_sweeps": Measure("live_sweep_seconds", "A round of verifying.", buckets=_LONG_SECONDS),
    "jobs": Measure("job_seconds", "An attempt at a job.", _WORKER, ("kind",), _LONG_SECONDS),
}

SIZED: dict[Sized, Measure] = {
    "live_batch": Measure("live_batch_events", "Events numbered at once.", buckets=_SIZES),
}

LEVELS: dict[Level, Measure] = {
    "live_streams": Measure("live_streams", "Open streams."),
    "live_people": Measure("live_people", "People with open streams, once for each process."),
    "live_backlog": Measure("live_backlog", "Events numbered and not yet handed out.", together="livemax"),
    "live_listening": Measure("live_listening", "1 where every process hears announcements.", together="livemin"),
    "live_numbered_at": Measure(
        "live_numbered_timestamp_seconds",
        "When a process last saw to it that every event had a number, where that is shortest ago.",
        together="livemax",
    ),
    "live_read_at": Measure(
        "live_read_timestamp_seconds",
        "When a process last read what is new, where that is longest ago.",
        together="livemin",
    ),
    "live_swept_at": Measure(
        "live_swept_timestamp_seconds",
        "When everybody was last verified, where that is longest ago.",
        together="livemin",
    ),
    "database_connections": Measure("database_connections", "Connections that pools may have.", _BOTH),
    "database_connections_in_use": Measure("database_connections_in_use", "Those lent out now.", _BOTH),
    "jobs_waiting": Measure("jobs_waiting", "Jobs that wait or are being done.", _WORKER, ("kind",)),
    "jobs_failed": Measure("jobs_failed", "Jobs that failed for good and are kept.", _WORKER, ("kind",)),
    "jobs_overdue": Measure("jobs_overdue_seconds", "How long the job that is due longest waits.", _WORKER),
}


class PrometheusMeasures:
    """The `Measures` port, of one process of the server or of a worker."""

    def __init__(self, part: Part) -> None:
        registry = CollectorRegistry()  # of its own: what is told is read from where processes write it
        self._counters = {
            what: Counter(f"coravet_{each.name}", each.help, each.labels, registry=registry)
            for what, each in COUNTED.items()
            if part in each.parts
        }
        self._durations = {
            what: Histogram(f"coravet_{each.name}", each.help, each.labels, registry=registry, buckets=each.buckets)
            for what, each in TIMED.items()
            if part in each.parts
        }
        self._sizes = {
            what: Histogram(f"coravet_{each.name}", each.help, each.labels, registry=registry, buckets=each.buckets)
            for what, each in SIZED.items()
            if part in each.parts
        }
        self._levels = {
            what: Gauge(
                f"coravet_{each.name}", each.help, each.labels, registry=registry, multiprocess_mode=each.together
            )
            for what, each in LEVELS.items()
            if part in each.parts
        }
        # The library looks a label's child up anew each time, behind a lock and with every label checked.
        self._counter_of: dict[tuple[str, ...], Counter] = {}
        self._duration_of: dict[tuple[str, ...], Histogram] = {}

    def count(self, what: Counted, *labels: str, by: int = 1) -> None:
        key = (what, *labels)
        counter = self._counter_of.get(key)
        if counter is None:
            counter = self._counters[what].labels(*labels) if labels else self._counters[what]
            self._counter_of[key] = counter
        counter.inc(by)

    def took(self, what: Timed, seconds: float, *labels: str) -> None:
        key = (what, *labels)
        duration = self._duration_of.get(key)
        if duration is None:
            duration = self._durations[what].labels(*labels) if labels else self._durations[what]
            self._duration_of[key] = duration
        duration.observe(seconds)

    def sized(self, what: Sized, size: int) -> None:
        self._sizes[what].observe(size)

    def stands(self, what: Level, value: float, *labels: str) -> None:
        (self._levels[what].labels(*labels) if labels else self._levels[what]).set(value)
