"""Ctrl-C and the terminate signal, noted until training reaches a point where it can be saved."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType


class Interrupt:
    """While entered, the first signal is only noted in `signal`; a second one acts as it always does."""

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python forbids handlers
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()
        print(
            "\nstopping after this chunk of updates; once more to stop at once", file=sys.stderr, flush=True
        )

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()
