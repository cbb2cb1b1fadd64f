"""A thread that runs commands as they come and, between them, steps at a pace."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
_PERIODS_BEHIND = 5.0  # steps that were missed by more are not made up for


class Worker:
    """What its functions touch is the thread's alone: others hand in commands.

    Args:
        begin: runs first, once.
        step: one step; must not raise.
        period: seconds from one step to the next, None while there is none to make.
        changed: runs after every command, before its future is done: who waits sees what has become.
    """

    def __init__(
        self,
        begin: Callable[[], None],
        step: Callable[[], None],
        period: Callable[[], float | None],
        changed: Callable[[], None],
    ) -> None:
        self._begin, self._step, self._period, self._changed = begin, step, period, changed
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Stop after the step or command in hand, and wait for that so many seconds. May be called twice."""
        self._closing = True
        self._commands.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def submit(self, command: Callable[[], T]) -> Future[T]:
        """Run `command` between two steps; the future has what it returns or raises."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = command()
            except Exception as error:
                self._changed()
                future.set_exception(error)
            else:
                self._changed()
                future.set_result(result)

        if self._closing:
            future.set_exception(RuntimeError("the server is closing"))
        else:
            self._commands.put(run)
        return future

    def _run(self) -> None:
        self._begin()
        due = time.monotonic()
        while not self._closing:
            going = self._period() is not None
            wait = max(due - time.monotonic(), 0.0) if going else None
            try:
                command = self._commands.get(timeout=wait) if wait != 0.0 else self._commands.get_nowait()
            except queue.Empty:
                command = None
            if command is not None:
                command()
                due = max(due, time.monotonic())
            elif going and not self._closing and time.monotonic() >= due:
                self._step()
                period = self._period() or 0.0
                due = max(due + period, time.monotonic() - _PERIODS_BEHIND * period)
