"""What computing free slots costs, without a database: five vets, two rooms, a quarter of an hour, 30, 60 and 120 days.

`python -m bench.availability` prints the median of many runs, and how it grows with the days and with what is booked.
"""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median
from time import thread_time
from uuid import UUID

from coravet.core.scheduling.hours import Interval, Openings, WeeklySpan
from coravet.core.scheduling.ports import Held, Offer, Plan
from coravet.core.scheduling.slots import free
from coravet.core.tenancy.clinic_day import DayBounds, bounds, time_zone

FIRST = date(2026, 11, 23)
ZONE = time_zone("America/Guayaquil")
VETS = [UUID(int=number) for number in range(1, 6)]
ROOMS = [UUID(int=number) for number in range(6, 8)]
MORNING_AND_AFTERNOON = [
    WeeklySpan(weekday, opens, closes)
    for weekday in range(1, 7)
    for opens, closes in (("08:00", "13:00"), ("14:00", "19:00"))
]
OFFER = Offer(
    service_id=UUID(int=9),
    duration_minutes=30,
    buffer_before_minutes=5,
    buffer_after_minutes=10,
    resources=dict.fromkeys(VETS, "vet") | dict.fromkeys(ROOMS, "room"),
)
RUNS = 40


def question(days: int, allocations: int) -> Callable[[], object]:
    """The computation of a window, with so many allocations spread over it."""
    last = FIRST + timedelta(days=days - 1)
    window = DayBounds(bounds(FIRST, ZONE).starts_at, bounds(last, ZONE).ends_at)
    plan = Plan(OFFER, dict.fromkeys([*VETS, *ROOMS], Openings(MORNING_AND_AFTERNOON)))
    chance = random.Random(5)  # noqa: S311 -- the same allocations each time
    minutes = int((window.ends_at - window.starts_at) / timedelta(minutes=1))
    held = []
    for _ in range(allocations):
        starts_at = window.starts_at + timedelta(minutes=chance.randrange(0, minutes, 15))
        held.append(Held(chance.choice([*VETS, *ROOMS]), 0, Interval(starts_at, starts_at + timedelta(minutes=45))))
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    return lambda: free(plan, held, (FIRST, last), window, not_before=long_ago, zone=ZONE)


def milliseconds(ask: Callable[[], object]) -> float:
    """The median of many runs, of processor time: others may be busy on this machine."""
    times = []
    for _ in range(RUNS):
        begun = thread_time()
        ask()
        times.append(thread_time() - begun)
    return median(times) * 1000


def main() -> None:
    """Measure and print."""
    base = milliseconds(question(30, 1500))
    print(
        "5 vets, 2 rooms, grid of 15 minutes, 30 days, 1,500 allocations:"
        f" {base:.2f} ms of processor time, the median of {RUNS}\n"
    )
    print("Growth, as ratios to the line above it; linear is about 2:")
    for title, questions in (
        ("days and allocations", [(30, 1500), (60, 3000), (120, 6000)]),
        ("days alone", [(30, 1500), (60, 1500), (120, 1500)]),
        ("allocations alone", [(30, 1500), (30, 3000), (30, 6000)]),
    ):
        times = [milliseconds(question(*each)) for each in questions]
        ratios = ["", *(f" x{later / earlier:.2f}" for earlier, later in pairwise(times))]
        told = ", ".join(
            f"{days} d / {count:,}: {each:.2f} ms{ratio}"
            for (days, count), each, ratio in zip(questions, times, ratios, strict=True)
        )
        print(f"  {title}: {told}")


if __name__ == "__main__":
    main()
