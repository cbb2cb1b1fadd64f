"""A line that says how far a long computation is, at what rate, and how long it will take."""

from __future__ import annotations

import sys
import time
from typing import Any


class Progress:
    """Rewrites one line of standard error, at most five times a second; needs nothing beyond Python."""

    def __init__(self, total: int, unit: str, shown: bool = True, done: int = 0):
        self._total, self._unit, self._shown = total, unit, shown
        self._done = self._before = done
        self._began, self._last = time.monotonic(), 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._shown:
            self._write()
            sys.stderr.write("\n")
            sys.stderr.flush()

    def advance(self, number: int) -> None:
        """`number` more are done."""
        self._done += number
        if self._shown and time.monotonic() - self._last > 0.2:
            self._write()

    def line(self) -> str:
        """Bar, share, rate, and time left, or time taken at the end."""
        elapsed = max(time.monotonic() - self._began, 1e-9)
        rate = (self._done - self._before) / elapsed
        share = self._done / self._total if self._total else 1.0
        bar = "#" * int(30 * share)
        left = (self._total - self._done) / rate if rate else float("inf")
        clock = f"{_clock(left)} left" if self._done < self._total else f"in {_clock(elapsed)}"
        return f"[{bar:<30}] {share:4.0%} {self._done:,}/{self._total:,} {self._unit} {rate:,.0f}/s {clock}"

    def _write(self) -> None:
        self._last = time.monotonic()
        sys.stderr.write(f"\r{self.line()}\x1b[K" if sys.stderr.isatty() else f"\r{self.line()}   ")
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
