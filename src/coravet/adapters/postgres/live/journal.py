"""The journal on PostgreSQL: the outbox, numbered once its rows are committed."""

from datetime import datetime
from typing import Any

from coravet.adapters.postgres.work import PostgresWork, Works
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.live import Batch, Numbered, Recorded

ONE_AT_A_TIME = 7_236_002
"""Advisory lock of whoever numbers or prunes; it ends with the transaction, so it works behind a pooler, too."""

# The lock is a statement of its own: the next one's snapshot begins after whoever held the lock before has committed.
# If this machine vanishes with the lock in hand, the server lets go of it after ten seconds.
_LOCK = "SELECT pg_advisory_xact_lock($1), set_config('idle_in_transaction_session_timeout', '10s', true)"

_NUMBER = """
WITH pending AS MATERIALIZED (
    SELECT clinic_id, id, row_number() OVER (ORDER BY id) AS place
    FROM outbox WHERE number IS NULL ORDER BY id LIMIT $1
), mark AS (
    UPDATE outbox_mark SET last_number = last_number + (SELECT count(*) FROM pending)
    WHERE EXISTS (SELECT FROM pending) RETURNING last_number
), numbered AS (
    UPDATE outbox SET number = mark.last_number - (SELECT count(*) FROM pending) + pending.place
    FROM pending, mark WHERE outbox.clinic_id = pending.clinic_id AND outbox.id = pending.id
)
SELECT (SELECT count(*) FROM pending) AS count,
       coalesce((SELECT last_number FROM mark), (SELECT last_number FROM outbox_mark)) AS highest
"""

_COLUMNS = ", ".join(f"o.{name}" for name in Recorded.__struct_fields__)

_ABOVE = f"""
SELECT m.last_number, {_COLUMNS} FROM outbox_mark m
LEFT JOIN LATERAL (SELECT * FROM outbox WHERE number > $1 ORDER BY number LIMIT $2) o ON true ORDER BY o.number
"""  # noqa: S608 -- the names are the struct's own

_REPLAY = f"""
SELECT m.last_number, m.pruned_through, {_COLUMNS} FROM outbox_mark m
LEFT JOIN LATERAL (
    SELECT * FROM outbox
    WHERE clinic_id = $1 AND number > $2 AND (
        audience = ANY($3) OR (audience = 'person' AND person_id = $4) OR (subject_type = 'member' AND subject_id = $5)
    )
    ORDER BY number LIMIT $6
) o ON true ORDER BY o.number
"""  # noqa: S608 -- as above

_PRUNE = """
WITH young AS (
    SELECT number FROM outbox WHERE number IS NOT NULL AND at >= $1 ORDER BY number LIMIT 1
), mark AS (
    UPDATE outbox_mark
    SET pruned_through = least(coalesce((SELECT number - 1 FROM young), last_number), pruned_through + $2)
    RETURNING pruned_through
), gone AS (
    DELETE FROM outbox USING mark WHERE number <= mark.pruned_through RETURNING 1
)
SELECT count(*) FROM gone
"""


SKIPPED = 1_000_000_000
"""More events than happen between a backup and its being restored, and few enough for millions of such steps."""

_SKIP = """
WITH mark AS (
    UPDATE outbox_mark SET last_number = last_number + $1, pruned_through = last_number + $1
), gone AS (
    DELETE FROM outbox WHERE number IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
"""


class PostgresJournal:
    """The `Journal` port. What concerns one clinic runs in that clinic's scope, the rest as the system."""

    def __init__(self, works: Works[Any]) -> None:
        self._works: Works[PostgresWork] = works

    async def number(self, limit: int) -> Numbered:
        async with self._works.system_begin("number events") as work:
            await work.fetch(_LOCK, ONE_AT_A_TIME)
            [row] = await work.fetch(_NUMBER, limit)
            return Numbered(row["count"], row["highest"])

    async def highest(self) -> int:
        async with self._works.system_begin("read the mark") as work:
            [row] = await work.fetch("SELECT last_number FROM outbox_mark")
            number: int = row["last_number"]
            return number

    async def above(self, number: int, limit: int) -> Batch:
        async with self._works.system_begin("hand out events") as work:
            rows = await work.fetch(_ABOVE, number, limit)
        return Batch([Recorded(*row[1:]) for row in rows if row["number"] is not None], rows[0]["last_number"])

    async def replay(self, actor: Actor, after: int, limit: int) -> Batch | None:
        async with self._works.begin(actor) as work:
            heard = ["clinic", *actor.permissions]
            rows = await work.fetch(_REPLAY, actor.clinic_id, after, heard, actor.user_id, actor.member_id, limit + 1)
        last, pruned_through = rows[0][:2]
        if not pruned_through <= after <= last or len(rows) > limit:
            return None
        return Batch([Recorded(*row[2:]) for row in rows if row["number"] is not None], last)

    async def prune(self, before: datetime, limit: int) -> int:
        async with self._works.system_begin("prune events") as work:
            await work.fetch(_LOCK, ONE_AT_A_TIME)
            [row] = await work.fetch(_PRUNE, before, limit)
            count: int = row["count"]
            return count

    async def skip(self) -> None:
        """After a backup was restored: number on far above whatever was given out since it was made.

        Clients hold numbers that this database never gave. Were they given again, for other events, such a client
        would go on from its own without what is below it. So nothing from before can be resumed: everybody loads anew.
        """
        async with self._works.system_begin("skip numbers of events") as work:
            await work.fetch(_LOCK, ONE_AT_A_TIME)
            await work.fetch(_SKIP, SKIPPED)
