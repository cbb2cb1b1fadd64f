"""One process trains a run at a time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # where there is none, nobody is kept out
    fcntl = None

LOCK = ".lock"  # its name in the folder of a run


class RunInUse(OSError):
    """Another process trains the run."""


class RunLock:
    """Held from when it is made until it is left, or the process ends, however it does.

    Raises `RunInUse` where another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = None
        if fcntl is None:
            return
        self._file = (folder / LOCK).open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise RunInUse(f"{folder} is being trained by another process") from None

    def __enter__(self) -> RunLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
