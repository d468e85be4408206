"""What measuring costs a request and an event: microseconds, with values kept as a served process keeps them."""

import os
import sys
import tempfile
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coravet.core.kernel.measures import Measures

REQUESTS, ROUNDS = 20_000, 7
MOST_MICROSECONDS = 20.0
"""A request with three guards costs Litestar alone 114."""


def main() -> None:
    """Measure, print; ends with 1 where a request pays too much."""
    with tempfile.TemporaryDirectory(prefix="coravet-bench-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # before the library is imported
        sys.exit(_bench())


def _bench() -> int:
    from coravet.adapters.telemetry.measures import PrometheusMeasures  # noqa: PLC0415 -- see main
    from coravet.core.kernel.measures import UNMEASURED  # noqa: PLC0415

    measures = PrometheusMeasures("server")
    asked, told = [], []
    for _ in range(ROUNDS):
        with_, without = _request(measures), _request(UNMEASURED)
        asked.append(with_ - without)
        told.append(_event(measures) - _event(UNMEASURED))
    good = median(asked) < MOST_MICROSECONDS
    print(
        f"Measuring costs a request {median(asked):.1f} us (target {MOST_MICROSECONDS:g}) and an event, to however many"
        f" streams, {median(told):.1f} us: {'PASS' if good else 'FAIL'}"
    )
    return 0 if good else 1


def _request(measures: "Measures") -> float:
    def ask() -> None:
        measures.count("requests", "GET", "/api/v1/clinics/{clinic}/agenda", "200")
        measures.took("requests", 0.012, "/api/v1/clinics/{clinic}/agenda")

    return _microseconds(ask)


def _event(measures: "Measures") -> float:
    def tell() -> None:
        measures.count("live_frames", by=200)
        measures.took("live_delay", 0.003)

    return _microseconds(tell)


def _microseconds(do: Callable[[], None]) -> float:
    began = perf_counter()
    for _ in range(REQUESTS):
        do()
    return (perf_counter() - began) / REQUESTS * 1e6


if __name__ == "__main__":
    main()
