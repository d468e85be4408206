"""Letting go of what was kept for a time."""

from typing import Any

from coravet.adapters.postgres.work import Works


async def prune(works: Works[Any]) -> None:
    """Drop answers kept for repeated requests after a day, and logged-out sessions once they would have expired."""
    async with works.system_begin("housekeeping") as work:
        await work.execute("DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'")
        await work.execute("DELETE FROM ended_sessions WHERE expires_at < now()")
