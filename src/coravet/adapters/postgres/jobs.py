"""Jobs that a work defers."""

from datetime import datetime

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.jobs import Job


class DeferredJobs:
    """The `Jobs` port: what is deferred is written when the work ends, in one statement.

    It goes through a function of the database, since the application may neither read nor change what waits.

    Args:
        clinic_id: the only clinic for which jobs may be deferred; None for a system's work.
    """

    def __init__(self, clinic_id: ClinicId | None) -> None:
        self._clinic_id = clinic_id
        self._rows: list[tuple[str, bytes, datetime | None, str | None]] = []

    async def defer(self, job: Job, *, at: datetime | None = None, once: str | None = None) -> None:
        """See the port.

        Raises:
            ValueError: the job is another clinic's, or `at` has no zone.
        """
        if self._clinic_id not in {None, job.clinic_id}:
            raise ValueError(f"{job.kind()} was deferred for another clinic than its work's")
        if at is not None and at.tzinfo is None:
            raise ValueError(f"{job.kind()} was deferred until an instant without a zone")
        # The queue is one for all kinds and clinics; what a clinic calls `once` meets only itself.
        key = None if once is None else f"{job.kind()} {job.clinic_id} {once}"
        self._rows.append((job.kind(), msgspec.json.encode(job), at, key))

    def columns(self) -> list[list[object]] | None:
        """The jobs, column by column, as `enqueue_jobs` takes them; None where nothing was deferred."""
        return [list(column) for column in zip(*self._rows, strict=True)] if self._rows else None
