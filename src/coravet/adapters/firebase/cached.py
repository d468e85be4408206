"""Verified claims, kept for a minute."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from coravet.core.kernel.clock import Clock
from coravet.core.tenancy.identity import Claims, Identity, Standing

LONGEST = timedelta(seconds=60)


class _Kept(msgspec.Struct, frozen=True):
    claims: Claims
    since: datetime
    until: datetime


class CachedIdentity:
    """An `Identity` that asks the one inside once per token and `max_age`, 60 s at most and never past the token's end.

    So a revocation takes effect within `max_age`. Tokens are kept by their SHA-256, failures not at all, and of more
    than `size` tokens the longest unused go. Requests that meet over the same unknown token share one call.
    """

    def __init__(self, inner: Identity, *, clock: Clock, max_age: timedelta = LONGEST, size: int = 10_000) -> None:
        if not timedelta() < max_age <= LONGEST:
            raise ValueError(f"Claims may be kept for up to 60 s, not {max_age}.")
        self._inner = inner
        self._clock = clock
        self._max_age = max_age
        self._size = size
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._flights: dict[bytes, asyncio.Task[Claims]] = {}

    async def verify_token(self, id_token: str) -> Claims:
        return await self._once(b"token", id_token, self._inner.verify_token)

    async def verify_session(self, cookie: str) -> Claims:
        return await self._once(b"session", cookie, self._inner.verify_session)

    async def start_session(self, id_token: str, lifetime: timedelta) -> str:
        return await self._inner.start_session(id_token, lifetime)

    async def delete_account(self, uid: str) -> None:
        await self._inner.delete_account(uid)
        self.forget(uid)

    async def standing(self, uids: list[str]) -> dict[str, Standing]:
        return await self._inner.standing(uids)

    def forget(self, uid: str) -> None:
        """Ask anew for this person's tokens, as after a sign-out or a deactivation; other processes keep theirs."""
        for key in [key for key, kept in self._kept.items() if kept.claims.uid == uid]:
            del self._kept[key]
        # Whose tokens are being verified is not known yet, and their answers may be of a moment ago.
        self._flights.clear()

    async def _once(self, kind: bytes, token: str, verify: Callable[[str], Awaitable[Claims]]) -> Claims:
        # The kind is part of the key: a cookie known to be good is still no bearer token.
        key = sha256(kind + b"\0" + token.encode("utf-8", "surrogatepass")).digest()
        kept = self._kept.get(key)
        if kept is not None:
            if kept.since <= self._clock.now() < kept.until:
                self._kept.move_to_end(key)
                return kept.claims
            del self._kept[key]
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key, token, verify))
        # Shielded: the one who asked first may hang up, and the others still want the answer.
        return await asyncio.shield(flight)

    async def _fly(self, key: bytes, token: str, verify: Callable[[str], Awaitable[Claims]]) -> Claims:
        since = self._clock.now()
        try:
            claims = await verify(token)
        finally:
            current = self._flights.get(key) is asyncio.current_task()
            if current:
                del self._flights[key]
        if current:
            self._kept[key] = _Kept(claims, since, min(since + self._max_age, claims.expires_at))
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return claims
