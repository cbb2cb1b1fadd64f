"""How far training is, on a terminal as a moving bar, elsewhere as a line every few seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_SECONDS_BETWEEN_LINES = 10.0


class ProgressBar:
    """A bar for `total` units of work. A context manager."""

    def __init__(self, title: str, total: int, done: int = 0, unit: str = "", hidden: bool = False) -> None:
        self._title, self._total, self._done, self._unit = title, total, done, unit
        self._started = self._last_line = time.monotonic()
        self._first: int | None = None  # units done when everything was compiled
        self._hidden = hidden
        self._live = sys.stderr.isatty() and not hidden
        if self._live:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TaskProgressColumn(),
                *([] if unit == "steps" else [MofNCompleteColumn()]),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(compact=True),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task(title, total=total, completed=done, note="compiling")

    def __enter__(self) -> ProgressBar:
        if self._live:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._bar.stop()

    def advance(self, amount: int, note: str = "") -> None:
        """Count `amount` more units as done, and show `note` beside the bar."""
        self._done += amount
        now, compiled = time.monotonic(), self._first is not None
        if not compiled:
            # what came first was compiled, and does not tell how long the rest will take
            self._first, self._started = self._done, now
        if self._live:
            self._bar.update(self._task, advance=amount, note=note)
            return
        if self._hidden:
            return
        if now - self._last_line >= _SECONDS_BETWEEN_LINES or self._done >= self._total:
            self._last_line = now
            share = self._done / self._total
            each = (now - self._started) / max(self._done - (self._first or 0), 1)
            left = f"  {each * (self._total - self._done):.0f} s left" if compiled else ""
            print(
                f"{self._title}: {share:4.0%} of {self._total:,} {self._unit}  {note}{left}",
                file=sys.stderr,
                flush=True,
            )
