"""Rules of how often, over a storage in this process."""

import pytest
from limits.aio.storage import MemoryStorage

from coravet.adapters.limits.limiter import Limiter
from coravet.core.kernel.errors import RateLimited
from coravet.entrypoints.http.call import network_of

RULES = {"address": "3/minute;4/hour", "clinic": "off", "phone": "1/day", "reading": "2/hour"}


async def test_counting() -> None:
    """Each rule counts each whom apart; the one too many is told when to come back; what is off is never too much."""
    limiter = Limiter(MemoryStorage(), RULES)  # type: ignore[arg-type]  # the words of the rules
    for _ in range(3):
        await limiter.count("address", "a")
    with pytest.raises(RateLimited) as refused:
        await limiter.count("address", "a")
    assert 0 < refused.value.retry_after_seconds <= 60
    await limiter.count("address", "b")
    await limiter.count("phone", "a")
    with pytest.raises(RateLimited) as refused:
        await limiter.count("phone", "a")
    assert 3600 < refused.value.retry_after_seconds <= 86_400
    for _ in range(50):
        await limiter.count("clinic", "a")


async def test_reading_is_its_own() -> None:
    """Looking is counted in the process itself, and never where the processes share."""
    shared = MemoryStorage()
    limiter = Limiter(shared, RULES)  # type: ignore[arg-type]  # as above
    await limiter.count("reading", "a")
    assert not shared.storage


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_line(address: str, line: str) -> None:
    """All addresses of one IPv6 line are one; whatever is no address is itself."""
    assert network_of(address) == line
