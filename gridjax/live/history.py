"""Frames that were sent: the newest in memory, and all of a session on disk as far as its bounds allow."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from itertools import islice
from pathlib import Path
from typing import IO, Any

_PATTERN = "live-*.jsonl"
_SESSIONS_KEPT = 8


class Kept:
    """The newest frames as texts, by sequence; bounded in number and in bytes. Safe among threads."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._frames: deque[tuple[int, str]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def append(self, sequence: int, text: str) -> None:
        """`sequence` is that of the frame before, plus one."""
        with self._lock:
            self._frames.append((sequence, text))
            self._bytes += len(text)
            while len(self._frames) > self._most or (
                self._bytes > self._most_bytes and len(self._frames) > 1
            ):
                self._bytes -= len(self._frames.popleft()[1])

    @property
    def first(self) -> int | None:
        """Number of the oldest frame kept; None: none yet."""
        with self._lock:
            return self._frames[0][0] if self._frames else None

    @property
    def last(self) -> int | None:
        """Number of the newest frame kept; None: none yet."""
        with self._lock:
            return self._frames[-1][0] if self._frames else None

    def between(self, first: int, last: int, most: int) -> list[tuple[int, str]]:
        """Frames of sequence `first` to `last`, both included, `most` of them: the oldest."""
        with self._lock:
            if not self._frames:
                return []
            start = max(first - self._frames[0][0], 0)
            stop = min(last - self._frames[0][0] + 1, start + most, len(self._frames))
            if stop <= start:
                return []
            if start > len(self._frames) // 2:  # a deque is walked from its ends
                back = list(
                    islice(reversed(self._frames), len(self._frames) - stop, len(self._frames) - start)
                )
                return back[::-1]
            return list(islice(self._frames, start, stop))


class Disk:
    """JSON lines of a session, in two files of half the bound each: the older one goes when both are full.

    A failure to write is told once, and writing ends; nothing is raised.
    """

    def __init__(self, folder: Path, session: str, most_bytes: int) -> None:
        self.path = folder / f"live-{session}.jsonl"
        self.trouble: str | None = None
        self._half = most_bytes // 2
        self._size = 0
        self._file: IO[str] | None = None
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _forget_old(folder)
            # line by line, so that a kill loses at most the line it falls into
            self._file = self.path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            self._give_up(error)

    @property
    def writing(self) -> bool:
        """Whether frames still go to a file."""
        return self._file is not None

    def write(self, text: str) -> bool:
        """Whether it was written; False from the first failure on."""
        with self._lock:
            if self._file is None:
                return False
            try:
                if self._size + len(text) > self._half:
                    self._turn_over()
                self._file.write(text + "\n")
                self._size += len(text) + 1
            except OSError as error:
                self._give_up(error)
                return False
            return True

    def close(self) -> None:
        """Everything is on disk afterwards. May be called twice."""
        with self._lock:
            if self._file is not None:
                try:
                    self._file.close()
                except OSError as error:
                    self._give_up(error)
                self._file = None

    def _turn_over(self) -> None:
        assert self._file is not None
        self._file.close()
        self.path.replace(self.path.with_suffix(".older.jsonl"))
        self._file = self.path.open("a", encoding="utf-8", buffering=1)
        self._size = 0

    def _give_up(self, error: OSError) -> None:
        self.trouble = f"history is not written to {self.path.name} any more: {error.strerror or error}"
        broken, self._file = self._file, None
        if broken is not None:
            # what it still holds cannot be written either
            with contextlib.suppress(OSError):
                broken.close()


def _forget_old(folder: Path) -> None:
    """Leave the newest sessions only."""
    files = [path for path in folder.glob(_PATTERN) if path.is_file()]

    def age(path: Path) -> Any:
        return path.stat().st_mtime

    for path in sorted(files, key=age, reverse=True)[2 * _SESSIONS_KEPT :]:
        path.unlink(missing_ok=True)
