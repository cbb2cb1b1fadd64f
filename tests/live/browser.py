"""A headless Chromium, a server process of `python -m gridjax.live`, and what the page shows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, WebSocket, sync_playwright

WAIT = 120_000  # ms, for what should take far less
CACHE = Path(__file__).parents[2] / ".jax_cache"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser; where CI has none, that is an error."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Server:
    """`python -m gridjax.live` as a process of its own, on a port that it keeps when started again."""

    def __init__(self, log: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        self._log, self._options = log, options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it is ready to step."""
        command = [sys.executable, "-m", "gridjax.live", "--port", str(self.port), "--no-history"]
        cache = {"JAX_COMPILATION_CACHE_DIR": str(CACHE), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], stdout=log, stderr=log, env={**cache, **os.environ}
            )
        end = time.monotonic() + 300
        while not self._ready():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, "the server did not get ready"
            time.sleep(0.2)

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(60)

    def post(self, what: str, **body: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.address}api/simulation/{what}", json=body, timeout=WAIT / 1000)
        answer.raise_for_status()
        return answer.json()

    def status(self) -> dict[str, Any]:
        return httpx.get(f"{self.address}api/status", timeout=WAIT / 1000).json()

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass
class Watched:
    """A page, the frames that its WebSocket brought, and whatever went wrong in it."""

    page: Page
    frames: list[dict[str, Any]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WAIT)
        self.page.on("console", lambda message: self._console(message.type, message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("websocket", self._socket)
        self.page.on("request", self._request)

    def open(self, server: Server, fragment: str = "") -> Watched:
        self.page.goto(server.address + fragment)
        self.connected()
        return self

    def connected(self) -> None:
        self.page.wait_for_selector("#connection[data-state=connected]")
        self.drawn()

    def mode(self, mode: str) -> None:
        self.page.wait_for_selector(f"#mode[data-mode={mode}]")
        self.drawn()

    def drawn(self) -> None:
        """Waits for the parts of the page that take their turns to show what has changed."""
        self.until("() => window.gridjaxLive.turns.done")

    def until(self, function: str, argument: Any = None) -> None:
        """A function, since the page's security policy lets no expression be evaluated."""
        self.page.wait_for_function(function, arg=argument)

    def shown(self) -> int:
        """Sequence of the frame that the cards show, once all is drawn that has changed; 0 for none."""
        self.drawn()
        return int(self.page.locator(".card").first.get_attribute("data-sequence") or 0)

    def rewind(self) -> None:
        """To the oldest frame."""
        self.page.focus("#scrub")
        self.page.keyboard.press("Home")
        self.until("() => document.getElementById('scrub').value === '0'")
        self.drawn()

    def wait_for_frames(self, number: int) -> None:
        """Until the history holds so many, of which the newest is shown."""
        self.until("n => document.getElementById('scrub').valueAsNumber >= n - 1", number)

    def settled(self) -> dict[str, Any]:
        """The frame shown, once the page has drawn the last that came."""
        self.until("n => document.querySelector('.card').dataset.sequence == n", self.frames[-1]["sequence"])
        return self.frames[-1]

    def cards(self, row: str = "td:not(.other) data, .charge data") -> list[dict[str, str]]:
        """For each card, by name of the field, the value as it is held, text apart."""
        return self.page.eval_on_selector_all(
            ".card",
            """(cards, row) => cards.map((card) => ({
                 id: card.dataset.agent,
                 status: card.dataset.status,
                 ...Object.fromEntries([...card.querySelectorAll(row)].map((data) => {
                   const named = data.dataset.field ? data : data.closest('tr').querySelector('td data');
                   return [named.dataset.field, data.value];
                 })),
               }))""",
            row,
        )

    def arrows(self, lane: str = "main") -> str:
        """What the canvas of the flows shows."""
        return self.page.eval_on_selector(f".lane[data-lane={lane}] canvas.flows", "c => c.toDataURL()")

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.troubles.append(text)

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._received)

    def _received(self, payload: str | bytes) -> None:
        message = json.loads(payload)
        if message["type"] == "frame":
            self.frames.append(message)


def equal_numbers(card: dict[str, str], agent: dict[str, Any]) -> bool:
    """Whether a card holds every number of an agent, to the last bit."""
    for name, number in agent.items():
        held = card.get(name)
        if isinstance(number, str):
            good = held == number
        elif number is None:
            good = held == ""
        else:
            good = held not in (None, "") and float(held) == number
        if not good:
            return False
    return True
