"""What the service tells of how it fares: counts, durations and levels, of nobody in particular.

A label comes from a short list that the service itself makes, such as a route's template or a kind of job: never from
what somebody sent, and never an id or a name, for whoever watches the service need not know whom it serves.
"""

from typing import Literal, Protocol

Counted = Literal[
    "requests",  # by method, route's template and status
    "live_frames",
    "live_replayed",
    "live_resyncs",
    "live_closed",  # by reason
    "live_sweeps",  # by outcome
    "identity_calls",  # by outcome
    "jobs",  # by kind and outcome
    "periodic_jobs",  # by name and outcome
]
"""What is counted."""

Timed = Literal[
    "requests",  # by route's template
    "live_delay",
    "live_sweeps",
    "jobs",  # by kind
]
"""What takes so many seconds."""

Sized = Literal["live_batch"]
"""What comes in lots of so many."""

Level = Literal[
    "live_streams",
    "live_people",
    "live_backlog",
    "live_listening",
    "live_numbered_at",
    "live_read_at",
    "live_swept_at",
    "database_connections",
    "database_connections_in_use",
    "jobs_waiting",  # by kind
    "jobs_failed",  # by kind
    "jobs_overdue",
]
"""What stands so high now."""


class Measures(Protocol):
    """Takes what is measured. Each call is cheap, never waits and never raises for want of somebody who reads it."""

    def count(self, what: Counted, *labels: str, by: int = 1) -> None:
        """So many more."""
        ...

    def took(self, what: Timed, seconds: float, *labels: str) -> None:
        """Once more, and it took so long."""
        ...

    def sized(self, what: Sized, size: int) -> None:
        """Once more, and there were so many."""
        ...

    def stands(self, what: Level, value: float, *labels: str) -> None:
        """It is so much now; what it was is forgotten."""
        ...


class Unmeasured:
    """The `Measures` port where nobody reads them."""

    def count(self, what: Counted, *labels: str, by: int = 1) -> None:
        pass

    def took(self, what: Timed, seconds: float, *labels: str) -> None:
        pass

    def sized(self, what: Sized, size: int) -> None:
        pass

    def stands(self, what: Level, value: float, *labels: str) -> None:
        pass


UNMEASURED = Unmeasured()
