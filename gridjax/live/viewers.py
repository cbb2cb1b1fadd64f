"""Viewers: each has a place in the frames that are kept, and reads on at its own pace.

There is no queue per viewer to grow: a viewer holds the sequence of the frame it got last. One that falls
far behind skips to the newest, one that takes nothing for long is let go; the others never wait for it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any, Protocol

from gridjax.live.engine import Engine

BEHIND = 50  # frames, from which on a viewer skips to the newest
STUCK = 20.0  # s without taking anything, after which it is let go
_CHUNK = 64  # frames of a replay that are held at once
_NOTES = 32  # messages other than frames that wait for a viewer


class Sends(Protocol):
    """What a socket must be able to do."""

    async def send_text(self, data: str) -> None:
        """Send one message, or raise."""
        ...


class Viewer:
    """Where one viewer is. `replay_to`: up to there it is sent every frame, however far behind."""

    def __init__(self) -> None:
        self.last = 0
        self.replay_to = 0
        self.notes: deque[str] = deque(maxlen=_NOTES)
        self.wake = asyncio.Event()

    def note(self, message: dict[str, Any]) -> None:
        """A message that goes before the next frame; of too many, the oldest is dropped."""
        self.notes.append(json.dumps(message, allow_nan=False, separators=(",", ":")))
        self.wake.set()


class Viewers:
    """All of them. Lives in the event loop, but for `attach`, whose callbacks come from the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._all: set[Viewer] = set()

    def __len__(self) -> int:
        return len(self._all)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Be told of frames and changes by the engine's thread."""

        def tell(function: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(function)

        self._engine.on_frame = lambda: tell(self._frame)
        self._engine.on_status = lambda: tell(self.status_changed)

    def status(self) -> dict[str, Any]:
        """`schema.Status`."""
        return {**self._engine.status, "viewers": len(self._all)}

    def status_changed(self) -> None:
        """Tell every viewer the status of now."""
        status = self.status()
        for viewer in self._all:
            viewer.note(status)

    def join(self, since: int | None) -> tuple[Viewer, bool]:
        """A new viewer, who has every frame up to `since`, or none; and whether it can take up there."""
        viewer = Viewer()
        resumed = self.resume(viewer, since) if since is not None else False
        if not resumed:
            viewer.last = max((self._engine.kept.last or 0) - 1, 0)  # the newest frame, and what follows
        self._all.add(viewer)
        self.status_changed()
        return viewer, resumed

    def resume(self, viewer: Viewer, since: int) -> bool:
        """Send the viewer what is kept after `since`; False if there never was such a frame."""
        last = self._engine.kept.last or 0
        if since > last:
            return False
        viewer.last = max(since, (self._engine.kept.first or 1) - 1)
        viewer.replay_to = last
        viewer.wake.set()
        return True

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self._all.discard(viewer)
        self.status_changed()

    async def serve(self, viewer: Viewer, socket: Sends) -> None:
        """Send until the socket fails; `TimeoutError` where the viewer takes nothing for long."""
        while True:
            viewer.wake.clear()
            while viewer.notes:
                await asyncio.wait_for(socket.send_text(viewer.notes.popleft()), STUCK)
            newest = self._engine.kept.last or 0
            if viewer.last >= viewer.replay_to and newest - viewer.last > BEHIND:
                viewer.last = newest - 1
            chunk = self._engine.kept.between(viewer.last + 1, newest, _CHUNK)
            for sequence, text in chunk:
                await asyncio.wait_for(socket.send_text(text), STUCK)
                viewer.last = sequence
                if viewer.notes:
                    break
            if not chunk and not viewer.notes:
                await viewer.wake.wait()

    def _frame(self) -> None:
        for viewer in self._all:
            viewer.wake.set()
