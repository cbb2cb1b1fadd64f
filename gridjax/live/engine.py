"""The simulation: a thread that steps a task under a policy, or two, at a set speed.

Commands are functions that run in this thread between two steps, so that nothing is shared but texts. What
fails ends in an event: a policy that raises is replaced, a step that raises stops the simulation, and the
thread goes on to take commands.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import jax

from gridjax.evaluation.views.messages import VERSION, frame
from gridjax.live.history import Disk, Kept
from gridjax.live.lane import Lane, PolicyFailed, World
from gridjax.live.policies import Catalogue
from gridjax.live.scenarios import ANY, Scenarios
from gridjax.live.settings import Settings
from gridjax.live.weights import weights_of, with_weights
from gridjax.live.worker import Worker

T = TypeVar("T")
FASTEST = 100.0  # steps per second
_EVENTS_KEPT = 1000


class Engine:
    """Commands return futures; frames and changes of status are told to whoever listens, from this thread."""

    def __init__(
        self,
        world: World,
        params: Any,
        settings: Settings,
        catalogue: Catalogue,
        policy: str | None = None,
        scenario: str | int | None = None,
    ) -> None:
        self.settings, self.catalogue = settings, catalogue
        self.world, self.scenarios = world, Scenarios(world.env, params)
        self.session = uuid4().hex
        self.kept = Kept(settings.kept_frames, settings.kept_bytes)
        self.events: deque[dict[str, Any]] = deque(maxlen=_EVENTS_KEPT)
        self.on_frame: Callable[[], None] = lambda: None
        self.on_status: Callable[[], None] = lambda: None
        self.ready = threading.Event()
        self._disk = (
            Disk(settings.history, self.session, settings.history_bytes) if settings.history else None
        )
        self._weights = weights_of(params)
        self._scenario = scenario if scenario is not None else ANY
        self._params = with_weights(self.scenarios.params(self._scenario), self._weights)
        name = policy if policy is not None else catalogue.first
        self._main = Lane(self.world, name, catalogue.get(name).load())
        self._other: Lane | None = None
        self._seed = self._episode = self._step = self._sequence = 0
        self._speed = min(settings.hertz, FASTEST)
        self._running = self._paused = self._begun = False
        self._error: str | None = None
        self._pending: list[dict[str, Any]] = []  # events for the next frame of the main lane
        self._pending_other: list[dict[str, Any]] = []
        self._worker = Worker(
            self._prepare, lambda: self._guarded(self._advance), self._period, self._changed
        )
        self._published_at = 0.0
        self._status = self._snapshot()

    # from any thread

    def begin(self) -> None:
        """Start the thread, which compiles first."""
        self._worker.start()

    def close(self, seconds: float = 5.0) -> None:
        """Stop the thread, unless that takes longer, and write out the history. May be called twice."""
        self._worker.close(seconds)
        if self._disk is not None:
            self._disk.close()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._worker.alive

    @property
    def status(self) -> dict[str, Any]:
        """As `schema.Status`, but for the number of viewers."""
        return self._status

    def submit(self, command: Callable[[], T]) -> Future[T]:
        """Run a method of this object between two steps."""
        return self._worker.submit(command)

    # commands, which run in the thread through `submit`

    def start(self, speed: float | None = None, seed: int | None = None) -> None:
        """Begin, or go on after a pause, at `speed` (steps/s) and with episodes of `seed` where given."""
        if seed is not None:
            self.seed(seed)
        if speed is not None:
            self.speed(speed)
        if not self._begun:
            self._begin_episode()
        self._running, self._paused, self._error = True, False, None

    def stop(self) -> None:
        """The next start begins the episode again."""
        self._running = self._paused = self._begun = False

    def pause(self) -> None:
        """Stop after the step under way, until `start` or `step`."""
        if self._running:
            self._paused = True

    def step(self) -> None:
        """One step, and then a pause."""
        if not self._begun:
            self._begin_episode()
        self._running = self._paused = True
        self._guarded(lambda: self._advance(publish=True))

    def reset(self) -> None:
        """The first episode of the seed, from its beginning."""
        self._episode = 0
        self._begin_episode()

    def speed(self, speed: float) -> None:
        """Steps per second of wall time. Raises `ValueError` beyond 0 to `FASTEST`."""
        if not 0.0 < speed <= FASTEST:
            raise ValueError(f"speed is {speed!r}, expected steps per second, at most {FASTEST:g}")
        self._speed = speed

    def seed(self, seed: int) -> None:
        """Draw episodes from `seed`, from a new one on."""
        self._seed = seed
        self._tell("seed", "info", f"episodes are drawn from seed {seed}")
        self.reset()

    def scenario(self, scenario: str | int) -> None:
        """Raises `ValueError` for one that does not exist."""
        params = self.scenarios.params(scenario)
        self._scenario, self._params = scenario, with_weights(params, self._weights)
        self._tell("scenario", "info", f"scenario: {self._scenario_name}")
        self.reset()

    def policy(self, name: str | None, lane: str = "main") -> None:
        """Raises `ValueError` for one that does not exist or does not fit; the one before then stays."""
        if name is None:
            if lane == "main":
                raise ValueError("policy is null, expected a name in the main lane")
            self._other = None
            return
        entry = self.catalogue.get(name)
        try:
            act = entry.load()
        except Exception as error:
            raise ValueError(f"policy {name!r} cannot be used: {error}") from error
        if lane == "main":
            self._main.use(name, act)
            self._tell("policy", "info", f"policy: {name}")
            return
        self._other = Lane(self.world, name, act)
        if self._begun:
            # the same scenario from its beginning, or the two could not be compared
            self._begin_episode()

    def weights(self, weights: dict[str, float]) -> None:
        """Weights of the reward. Raises `ValueError` for names that the task does not have."""
        unknown = sorted(set(weights) - set(self._weights))
        if unknown:
            raise ValueError(f"weights has {unknown}, expected names of {sorted(self._weights)}")
        self._weights |= weights
        self._params = with_weights(self._params, self._weights)
        self._tell("weights", "info", "weights: " + ", ".join(f"{k} {v:g}" for k, v in self._weights.items()))

    # in the thread

    def _prepare(self) -> None:
        self._guarded(self._warm_up)
        self.ready.set()
        self._changed()

    def _period(self) -> float | None:
        return 1.0 / self._speed if self._running and not self._paused else None

    def _guarded(self, work: Callable[[], None]) -> None:
        """The error boundary: whatever is raised stops the simulation and is told, and no more."""
        try:
            work()
        except Exception as error:
            self._running = self._paused = self._begun = False
            self._error = f"{type(error).__name__}: {error}"[:300]
            self._record(
                [_event("simulation_error", "alarm", f"the simulation stopped: {self._error}")], "main"
            )
            self._changed()

    def _warm_up(self) -> None:
        """Compile what the first start needs."""
        key = jax.random.key(self._seed)
        self._main.begin(key, self._params)
        try:
            self._main.step(key, self._params)
        except PolicyFailed as error:
            self._replace(self._main, error)
        self._main.begin(key, self._params)

    def _begin_episode(self) -> None:
        key = jax.random.fold_in(self._episode_key(), 0)
        for lane in self._lanes():
            lane.begin(key, self._params)
        self._step, self._begun = 0, True

    def _advance(self, publish: bool = False) -> None:
        if not self._begun:
            self._begin_episode()
        key = jax.random.fold_in(self._episode_key(), self._step + 1)
        over = [self._step_lane(lane, key) for lane in self._lanes()]
        self._step += 1
        ended = all(lane.ended for lane in self._lanes())
        self._gather()
        last = any(over) or ended
        if last:
            self._pending.append(_event("episode", "info", f"episode {self._episode} is over"))
        now = time.monotonic()
        # a step that is faster than viewers are told of is part of the next frame
        hertz = self.settings.hertz
        if publish or last or self._speed <= hertz or now - self._published_at >= 1.0 / hertz:
            self._published_at = now
            self._publish()
        if last:
            self._episode += 1
            self._begin_episode()
            self._changed()

    def _step_lane(self, lane: Lane, key: jax.Array) -> bool:
        try:
            return lane.step(key, self._params)
        except PolicyFailed as error:
            self._replace(lane, error)
            return lane.step(key, self._params)

    def _replace(self, lane: Lane, error: PolicyFailed) -> None:
        """The simplest rule takes over from a policy that failed."""
        fallback = self.catalogue.fallback
        text = f"policy {lane.name!r} failed ({error}); {fallback!r} goes on"
        lane.use(fallback, self.catalogue.get(fallback).load())
        pending = self._pending if lane is self._main else self._pending_other
        pending.append(_event("policy_error", "alarm", text))
        self._changed()

    def _lanes(self) -> list[Lane]:
        return [self._main] if self._other is None else [self._main, self._other]

    def _episode_key(self) -> jax.Array:
        return jax.random.fold_in(jax.random.key(self._seed), self._episode)

    def _gather(self) -> None:
        """Keep the events of this step for the next frame."""
        assert self._main.picture is not None
        self._pending += self._main.picture["events"]
        if self._other is not None and self._other.picture is not None:
            self._pending_other += self._other.picture["events"]

    def _publish(self) -> None:
        main, other = self._main, self._other
        self._sequence += 1
        pictures: list[dict[str, Any] | None] = [
            None if lane is None or lane.picture is None else lane.picture | {"events": events}
            for lane, events in ((main, self._pending), (other, self._pending_other))
        ]
        assert pictures[0] is not None
        message = frame(
            sequence=self._sequence,
            timestamp=_now(),
            step=self._step,
            episode=self._episode,
            clock=main.clock,
            picture=pictures[0],
            comparison=pictures[1],
        )
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        self._record(self._pending, "main")
        self._record(self._pending_other, "comparison")
        self._pending, self._pending_other = [], []
        self.kept.append(self._sequence, text)
        if self._disk is not None and self._disk.trouble is None and not self._disk.write(text):
            self._disk_failed()
        self.on_frame()

    def _disk_failed(self) -> None:
        assert self._disk is not None
        self._tell("history", "alarm", self._disk.trouble or "history is not written any more")
        self._changed()

    def _tell(self, kind: str, severity: str, text: str) -> None:
        """An event of the next frame."""
        self._pending.append(_event(kind, severity, text))

    def _record(self, events: list[dict[str, Any]], lane: str) -> None:
        now = _now()
        for event in events:
            self.events.append({**event, "sequence": self._sequence, "timestamp": now, "lane": lane})

    @property
    def _scenario_name(self) -> str:
        return self._scenario if isinstance(self._scenario, str) else f"day {self._scenario}"

    def _changed(self) -> None:
        self._status = self._snapshot()
        self.on_status()

    def _snapshot(self) -> dict[str, Any]:
        return {
            "schema": VERSION,
            "type": "status",
            "running": self._running,
            "paused": self._paused,
            "speed": self._speed,
            "step": self._step,
            "episode": self._episode,
            "seed": self._seed,
            "policy": self._main.name,
            "comparison": None if self._other is None else self._other.name,
            "scenario": self._scenario_name,
            "weights": dict(self._weights),
            "history_file": self._disk is not None and self._disk.writing,
            "error": self._error,
        }

    @property
    def agents_now(self) -> list[dict[str, Any]] | None:
        """The agents as the last step of the main lane left them; None before the first."""
        picture = self._main.picture
        return None if picture is None else picture["agents"]


def _event(kind: str, severity: str, text: str) -> dict[str, Any]:
    return {"kind": kind, "severity": severity, "text": text}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
