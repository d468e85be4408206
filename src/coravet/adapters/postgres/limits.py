"""Counting for limits on PostgreSQL, so that all processes share the numbers."""

import time
from hashlib import sha256

from limits.aio.storage import Storage
from sqlalchemy.ext.asyncio import AsyncEngine

from coravet.adapters.postgres.statements import fetch


class PostgresHits(Storage):
    """A storage of `limits`: one statement a hit, outside of any work, so that refused attempts count, too."""

    STORAGE_SCHEME = None

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__()
        self._engine = engine

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a number that begins anew `expiry` seconds after its first hit; answers what it is now."""
        [row] = await fetch(self._engine, "SELECT * FROM count_hits($1, $2, $3)", _hash(key), expiry, amount)
        hits: int = row["hits"]
        return hits

    async def get(self, key: str) -> int:
        """The number now."""
        rows = await fetch(self._engine, "SELECT * FROM hits_of($1)", _hash(key))
        return rows[0]["hits"] if rows else 0

    async def get_expiry(self, key: str) -> float:
        """When it begins anew, in seconds since 1970; now, where it has not begun."""
        rows = await fetch(self._engine, "SELECT * FROM hits_of($1)", _hash(key))
        return rows[0]["expires_at"].timestamp() if rows else time.time()

    async def check(self) -> bool:
        """Whether the database answers. Raises Unavailable where it does not."""
        return bool(await fetch(self._engine, "SELECT 1"))

    async def reset(self) -> int | None:
        """Raises NotImplementedError: what was counted is forgotten when its time is over, and not before."""
        raise NotImplementedError

    async def clear(self, key: str) -> None:
        """Raises NotImplementedError, as `reset`."""
        raise NotImplementedError


def _hash(key: str) -> bytes:
    """All that is kept of an address or a phone."""
    return sha256(key.encode()).digest()
