"""What is kept for a time goes when its time is over, and not before."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.housekeeping import prune
from coravet.bootstrap import make_works
from coravet.settings import Settings


async def test_only_what_is_past_its_time_goes(fresh_database: Settings) -> None:
    """Answers older than a day and sessions past their end are dropped; younger ones stay."""
    engine = make_engine(fresh_database)
    works = make_works(fresh_database, engine)
    now = datetime.now(UTC)
    try:
        async with works.system_begin("test") as work:
            for age in (timedelta(hours=23), timedelta(hours=25)):
                await work.execute(
                    "INSERT INTO idempotency_keys (clinic_id, user_id, key, fingerprint, created_at)"
                    " VALUES ($1, $2, $3, $4, $5)",
                    uuid4(),
                    uuid4(),
                    str(age),
                    b"",
                    now - age,
                )
            for name, left in ((b"open", timedelta(hours=1)), (b"over", timedelta(hours=-1))):
                await work.execute(
                    "INSERT INTO ended_sessions (token_hash, expires_at) VALUES ($1, $2)", name, now + left
                )
        await prune(works)
        async with works.system_begin("test") as work:
            keys = await work.fetch("SELECT key FROM idempotency_keys")
            sessions = await work.fetch("SELECT token_hash FROM ended_sessions")
    finally:
        await engine.dispose()
    assert [row["key"] for row in keys] == [str(timedelta(hours=23))]
    assert [row["token_hash"] for row in sessions] == [b"open"]
