"""How much one client may ask for: token buckets by name, in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_NAMES = 10_000


class Bucket:
    """`burst` at once, and `per_minute` in the long run."""

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_minute / 60.0, burst, clock
        self._level, self._at = burst, clock()

    def take(self) -> bool:
        """Whether one more is allowed."""
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True

    @property
    def wait(self) -> float:
        """Seconds until one more is."""
        return max(0.0, 1.0 - self._level) / self._rate


class Buckets:
    """One bucket per name; of too many names, those that asked longest ago start again."""

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._new = lambda: Bucket(per_minute, burst, clock)
        self._all: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, name: str) -> Bucket:
        """The bucket of `name`, a full one for who is new; the names unused longest are forgotten."""
        bucket = self._all.pop(name, None) or self._new()
        self._all[name] = bucket
        while len(self._all) > _MOST_NAMES:
            self._all.popitem(last=False)
        return bucket
