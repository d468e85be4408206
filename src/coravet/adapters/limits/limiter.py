"""Limits by the library of that name, over whatever counts."""

import math
import time
from collections.abc import Mapping

from limits import parse_many
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter

from coravet.core.kernel.errors import RateLimited
from coravet.core.kernel.limits import Rule

OFF = "off"


class Limiter:
    """`Limits` with fixed windows, which begin with the first attempt and need one number each.

    Args:
        shared: counts for all processes, in one place.
        rules: such as `10/minute;60/hour`, or `off`.
    """

    def __init__(self, shared: Storage, rules: Mapping[Rule, str]) -> None:
        self._shared = FixedWindowRateLimiter(shared)
        # Looking costs little, so its limit is to cost nothing: each process counts by itself.
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._rules = {rule: [] if text == OFF else parse_many(text) for rule, text in rules.items()}

    async def count(self, rule: Rule, whom: str) -> None:
        counted = self._own if rule == "reading" else self._shared
        for limit in self._rules[rule]:
            if not await counted.hit(limit, rule, whom):
                reset = (await counted.get_window_stats(limit, rule, whom)).reset_time
                raise RateLimited(max(1, math.ceil(reset - time.time())))
