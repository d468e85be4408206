"""Verified claims are kept for a minute at most, and never where that would be wrong."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from coravet.adapters.firebase.cached import CachedIdentity
from coravet.adapters.memory.identity import MemoryIdentity
from coravet.core.kernel.errors import Unavailable
from coravet.core.tenancy.identity import Claims, TokenRejected, TokenRevoked

SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 23, 14, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant


class SlowIdentity(MemoryIdentity):
    """A provider whose answers wait until they are let go, so that requests can meet."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.asked = asyncio.Event()
        self.let_go = asyncio.Event()

    async def verify_token(self, id_token: str) -> Claims:
        try:
            return await super().verify_token(id_token)
        finally:
            self.asked.set()
            await self.let_go.wait()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(clock: Clock) -> MemoryIdentity:
    return MemoryIdentity(clock=clock)


@pytest.fixture
def cached(provider: MemoryIdentity, clock: Clock) -> CachedIdentity:
    return CachedIdentity(provider, clock=clock)


@pytest.fixture
def token(provider: MemoryIdentity) -> str:
    return provider.sign_in(provider.enroll("vet@example.test"))


async def test_claims_are_asked_for_once_a_minute(
    provider: MemoryIdentity, cached: CachedIdentity, clock: Clock, token: str
) -> None:
    """A token is answered from memory until 60 s have passed, and then verified anew."""
    first = await cached.verify_token(token)
    clock.instant += 60 * SECOND - timedelta(microseconds=1)
    assert await cached.verify_token(token) == first
    assert provider.calls == 1
    clock.instant += timedelta(microseconds=1)
    await cached.verify_token(token)
    assert provider.calls == 2


async def test_claims_end_with_their_token(
    provider: MemoryIdentity, cached: CachedIdentity, clock: Clock, token: str
) -> None:
    """A token that expires within the minute is not answered from memory past its end."""
    short = provider.sign_in(provider.enroll(None), lifetime=10 * SECOND)
    await cached.verify_token(short)
    clock.instant += 10 * SECOND
    with pytest.raises(TokenRejected):
        await cached.verify_token(short)


async def test_a_clock_set_back_prolongs_nothing(
    provider: MemoryIdentity, cached: CachedIdentity, clock: Clock, token: str
) -> None:
    """Where the machine's clock is set back, claims are verified anew instead of living an hour longer."""
    await cached.verify_token(token)
    clock.instant -= timedelta(hours=1)
    await cached.verify_token(token)
    assert provider.calls == 2


async def test_a_session_is_no_token(provider: MemoryIdentity, cached: CachedIdentity, token: str) -> None:
    """A cookie that is known to be good is still refused as a bearer token."""
    cookie = await cached.start_session(token, timedelta(days=1))
    await cached.verify_session(cookie)
    with pytest.raises(TokenRejected):
        await cached.verify_token(cookie)


async def test_failures_are_not_kept(provider: MemoryIdentity, cached: CachedIdentity, token: str) -> None:
    """After the provider failed, the next request asks it again."""
    provider.reachable = False
    with pytest.raises(Unavailable):
        await cached.verify_token(token)
    provider.reachable = True
    assert await cached.verify_token(token)


async def test_the_token_itself_is_not_kept(cached: CachedIdentity, token: str) -> None:
    """A dump of the cache holds no token."""
    await cached.verify_token(token)
    assert len(cached._kept) == 1
    assert token not in repr((cached._kept, cached._flights))
    assert token.encode() not in b"".join(cached._kept)


async def test_requests_that_meet_share_one_call(clock: Clock) -> None:
    """A page that fires many requests with a new token costs one verification."""
    provider = SlowIdentity(clock=clock)
    cached = CachedIdentity(provider, clock=clock)
    token = provider.sign_in(provider.enroll(None))
    requests = [asyncio.create_task(cached.verify_token(token)) for _ in range(20)]
    await provider.asked.wait()
    provider.let_go.set()
    assert len({claims.uid for claims in await asyncio.gather(*requests)}) == 1
    assert provider.calls == 1


async def test_the_first_may_hang_up(clock: Clock) -> None:
    """The request that asked first is cancelled; those that wait for the same answer still get it."""
    provider = SlowIdentity(clock=clock)
    cached = CachedIdentity(provider, clock=clock)
    token = provider.sign_in(provider.enroll(None))
    first = asyncio.create_task(cached.verify_token(token))
    await provider.asked.wait()
    second = asyncio.create_task(cached.verify_token(token))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    provider.let_go.set()
    assert await second
    assert provider.calls == 1


async def test_a_shared_failure_reaches_everyone(clock: Clock) -> None:
    """Requests that share a call share its failure, too, and the next one asks again."""
    provider = SlowIdentity(clock=clock)
    cached = CachedIdentity(provider, clock=clock)
    requests = [asyncio.create_task(cached.verify_token("nothing")) for _ in range(3)]
    await provider.asked.wait()
    provider.let_go.set()
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TokenRejected] * 3
    with pytest.raises(TokenRejected):
        await cached.verify_token("nothing")
    assert provider.calls == 2


async def test_a_person_is_forgotten(provider: MemoryIdentity, cached: CachedIdentity, clock: Clock) -> None:
    """Forgetting a person drops their tokens at once, and nobody else's."""
    leaver, stayer = provider.enroll(None), provider.enroll(None)
    gone, kept = provider.sign_in(leaver), provider.sign_in(stayer)
    for token in (gone, kept):
        await cached.verify_token(token)
    provider.disable(leaver)
    cached.forget(leaver)
    with pytest.raises(TokenRevoked):
        await cached.verify_token(gone)
    await cached.verify_token(kept)
    assert provider.calls == 3


async def test_an_answer_on_its_way_is_forgotten_too(clock: Clock) -> None:
    """A verification that began before the person was forgotten is neither kept nor joined."""
    provider = SlowIdentity(clock=clock)
    cached = CachedIdentity(provider, clock=clock)
    uid = provider.enroll(None)
    token = provider.sign_in(uid)
    before = asyncio.create_task(cached.verify_token(token))
    await provider.asked.wait()
    provider.disable(uid)
    cached.forget(uid)
    after = asyncio.create_task(cached.verify_token(token))
    await asyncio.sleep(0)
    provider.let_go.set()
    assert await before
    with pytest.raises(TokenRevoked):
        await after
    with pytest.raises(TokenRevoked):
        await cached.verify_token(token)


async def test_the_longest_unused_goes_first(provider: MemoryIdentity, clock: Clock) -> None:
    """Memory is bounded: of more tokens than fit, the one unused for longest is verified anew."""
    cached = CachedIdentity(provider, clock=clock, size=2)
    one, two, three = (provider.sign_in(provider.enroll(None)) for _ in range(3))
    for token in (one, two, one, three):
        await cached.verify_token(token)
    assert provider.calls == 3
    await cached.verify_token(one)
    assert provider.calls == 3
    await cached.verify_token(two)
    assert provider.calls == 4


def test_no_longer_than_a_minute(provider: MemoryIdentity, clock: Clock) -> None:
    """A revocation must take effect within 60 s, so a longer memory is refused."""
    with pytest.raises(ValueError, match="60 s"):
        CachedIdentity(provider, clock=clock, max_age=61 * SECOND)
