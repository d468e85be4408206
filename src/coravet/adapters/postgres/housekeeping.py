"""Letting go of what was kept for a time."""

from typing import Any

from coravet.adapters.postgres.work import Works

_EXPIRED = (
    "DELETE FROM {} AS part USING imports i WHERE i.clinic_id = part.clinic_id AND i.id = part.import_id"
    " AND i.expires_at < now()"
)


async def prune(works: Works[Any]) -> None:
    """Drop what is past its time.

    Answers kept for repeated requests go after a day, logged-out sessions once they would have expired, how often
    guests asked once that no longer counts, links a month after they expired, and what is known of jobs that are done
    after two weeks. Files that a clinic handed in go a month after, with all that was noted of their rows. Jobs that
    failed for good stay.
    """
    async with works.system_begin("housekeeping") as work:
        await work.execute("DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'")
        await work.execute("DELETE FROM ended_sessions WHERE expires_at < now()")
        await work.execute("DELETE FROM rate_limits WHERE expires_at < now()")
        await work.execute("DELETE FROM links WHERE expires_at < now() - interval '30 days'")
        await work.execute("DELETE FROM jobs.pgqueuer_log WHERE created < now() - interval '14 days'")
        await work.execute(_EXPIRED.format("import_rows"))
        await work.execute(_EXPIRED.format("import_parts"))
        await work.execute("DELETE FROM imports WHERE expires_at < now()")
