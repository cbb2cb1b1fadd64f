"""A server that runs in this process, on a free port, and what is needed to talk to it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from gridjax.live.engine import Engine
from gridjax.live.lane import World
from gridjax.live.policies import Catalogue
from gridjax.live.server import server
from gridjax.live.settings import Settings

WAIT = 60.0  # s, for what should take far less


@dataclass
class Running:
    """A server; `address` is host and port."""

    engine: Engine
    address: str
    token: str | None = None

    def client(self, **headers: str) -> httpx.Client:
        given = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.Client(base_url=f"http://{self.address}", headers=given | headers, timeout=WAIT)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        with self.client() as client:
            return client.post(f"/api/simulation/{path}", json=body)

    @property
    def viewers(self) -> int:
        with self.client() as client:
            return client.get("/api/status").json()["viewers"]

    def watch(self, query: str = "", **options: Any) -> ClientConnection:
        if self.token and "subprotocols" not in options:
            options["subprotocols"] = ["gridjax", f"token.{self.token}"]
        return connect(f"ws://{self.address}/ws/grid{query}", compression=None, **options)


@contextmanager
def running(world: World, params: Any, run: Path | None = None, **options: Any) -> Iterator[Running]:
    settings = Settings(**options)
    engine = Engine(world, params, settings, Catalogue(world.env, params, run))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        serving = server(engine, replace(settings, port=port), run)
        thread = threading.Thread(target=lambda: asyncio.run(serving.serve(sockets=[listening])), daemon=True)
        thread.start()
        until(lambda: serving.started and engine.ready.is_set())
        try:
            yield Running(engine, f"127.0.0.1:{port}", settings.token)
        finally:
            serving.should_exit = True
            thread.join(WAIT)
            assert not thread.is_alive(), "the server did not stop"


def until(condition: Callable[[], Any], seconds: float = WAIT) -> Any:
    """Wait for a condition, and return what it gives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def message(socket: ClientConnection, kind: str, accept: Callable[[dict], bool] = lambda _: True) -> dict:
    """The next message of a kind."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = json.loads(socket.recv(timeout=WAIT))
        if found["type"] == kind and accept(found):
            return found
    raise AssertionError(f"no such {kind}")


def publish(engine: Engine, number: int, size: int = 100) -> None:
    """Frames of about `size` bytes, which stand for steps."""
    for _ in range(number):
        sequence = (engine.kept.last or 0) + 1
        engine.kept.append(sequence, json.dumps({"type": "frame", "sequence": sequence, "more": "x" * size}))
        engine.on_frame()
