"""What waits in the queue of jobs."""

from typing import Any

import msgspec

from coravet.adapters.postgres.work import Works

_QUEUED = """
SELECT entrypoint AS kind, count(*) FILTER (WHERE status <> 'failed') AS waiting,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       greatest(0, coalesce(extract(epoch FROM now() - min(
           CASE status WHEN 'queued' THEN execute_after WHEN 'picked' THEN heartbeat END)), 0))::float AS overdue
FROM jobs.pgqueuer GROUP BY entrypoint
"""


class Queued(msgspec.Struct, frozen=True):
    """Jobs of one kind.

    Attributes:
        waiting: those not yet due and those being done included.
        failed: for good, and kept.
        overdue: seconds since the first that waits fell due, or since the worker that does it was heard of.
    """

    kind: str
    waiting: int
    failed: int
    overdue: float


async def queued(works: Works[Any]) -> list[Queued]:
    """How many jobs of each kind wait now."""
    async with works.system_begin("measure jobs") as work:
        return [Queued(*row) for row in await work.fetch(_QUEUED)]
