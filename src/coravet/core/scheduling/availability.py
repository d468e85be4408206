"""Free slots: when a service can start, and who could serve it. Pure: what is open and what is taken comes in."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import compress
from operator import and_, or_
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.model import LEADING_KINDS
from coravet.core.tenancy.clinic_day import DayBounds, stretches

_DAY = timedelta(days=1)


class Timed(Protocol):
    """What takes time: a visit of at least a minute, and buffers of none or more that its resources hold around it."""

    @property
    def duration_minutes(self) -> int: ...

    @property
    def buffer_before_minutes(self) -> int: ...

    @property
    def buffer_after_minutes(self) -> int: ...


class Candidate(msgspec.Struct, frozen=True):
    """A resource that may serve.

    Attributes:
        open: its working time, merged, as `hours.working` gives it.
        busy: its allocations, buffers included, in any order; they may overlap, as in lanes.
    """

    id: UUID
    open: Sequence[Interval]
    busy: Sequence[Interval]


class Slot(msgspec.Struct, frozen=True):
    """An instant at which a visit can start, and the resources of the leading kind any one of which can serve it."""

    starts_at: datetime
    resource_ids: tuple[UUID, ...]


def open_for(opened: Sequence[Interval], interval: Interval) -> bool:
    """Whether the interval lies wholly in one of the open ones, merged and sorted as `hours.working` gives them."""
    at = bisect_right(opened, interval.starts_at, key=lambda each: each.starts_at) - 1
    return at >= 0 and interval.ends_at <= opened[at].ends_at


def slots(
    service: Timed,
    candidates: Mapping[str, Sequence[Candidate]],
    window: DayBounds,
    *,
    grid_minutes: int,
    not_before: datetime,
    zone: ZoneInfo,
) -> list[Slot]:
    """The slots that start within the window and not before that instant, in order.

    A slot shows on the clinic's clock a time of the grid, counted from midnight. For the whole of it, one resource of
    each kind in `candidates` is free: the visit lies in its working hours, and the allocation overlaps none of its own.
    A kind without a resource therefore leaves no slot.

    Args:
        candidates: who may serve, by kind; each kind is needed, and the first of `LEADING_KINDS` leads.
        grid_minutes: a divisor of 1440.

    Raises:
        ValueError: the grid does not divide a day, or there is no kind, or one that is not of `LEADING_KINDS`.
    """
    kinds = [kind for kind in LEADING_KINDS if kind in candidates]
    if not kinds or len(kinds) != len(candidates):
        raise ValueError("A service needs at least one kind of resource, and only kinds that are known.")
    grid = _grid(DayBounds(max(window.starts_at, not_before), window.ends_at), grid_minutes, zone)
    masks = {kind: [_free(candidate, service, grid) for candidate in candidates[kind]] for kind in kinds}
    # A byte for each start of the grid, as one long integer: `|` is "any of a kind", `&` is "every kind".
    served = reduce(and_, (reduce(or_, (int.from_bytes(mask) for mask in masks[kind]), 0) for kind in kinds))
    leading = [candidate.id for candidate in candidates[kinds[0]]]
    # Where nobody leads, nothing is served either.
    starts = zip(grid, zip(*masks[kinds[0]], strict=True), strict=False)
    return [Slot(at, tuple(compress(leading, able))) for at, able in compress(starts, served.to_bytes(len(grid)))]


def on_grid(at: datetime, minutes: int, zone: ZoneInfo) -> bool:
    """Whether the clinic's clock shows a time of the grid at that instant. Raises ValueError as `slots` does."""
    return at in _grid(DayBounds(at, at + timedelta(minutes=1)), minutes, zone)


def _grid(window: DayBounds, minutes: int, zone: ZoneInfo) -> list[datetime]:
    step = timedelta(minutes=minutes)
    if minutes < 1 or _DAY % step:
        raise ValueError("The grid's minutes must divide a day.")
    midnight = datetime(1, 1, 1, tzinfo=UTC)
    grid = []
    for part in stretches(window.starts_at, window.ends_at, zone):
        at = part.starts_at + (midnight - part.starts_at - part.offset) % step
        while at < part.ends_at:
            grid.append(at)
            at += step
    return grid


def _free(candidate: Candidate, service: Timed, grid: Sequence[datetime]) -> bytearray:
    """A 1 for each start of the grid at which the candidate could serve, else 0."""
    duration = timedelta(minutes=service.duration_minutes)
    before = timedelta(minutes=service.buffer_before_minutes)
    behind = duration + timedelta(minutes=service.buffer_after_minutes)
    free = bytearray(len(grid))
    for each in candidate.open:
        first, end = bisect_left(grid, each.starts_at), bisect_right(grid, each.ends_at - duration)
        free[first:end] = b"\1" * (end - first)
    for each in candidate.busy:
        first, end = bisect_right(grid, each.starts_at - behind), bisect_left(grid, each.ends_at + before)
        free[first:end] = bytes(end - first)
    return free
