"""A recorded episode as one HTML file that opens without a server.

rollout = record(env, params, act, case=170, key=jax.random.key(0))
to_html(rollout, "day.html")
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs import Environment
from gridjax.evaluation.rollout import Act, Recalling, Step, as_pytree, play
from gridjax.evaluation.views import Look, View, happenings, view_of
from gridjax.evaluation.views.messages import VERSION, frame, hello

# of the page that is built from gridjax/live/web
PAGE = Path(__file__).parents[1] / "live" / "static" / "replay.html"
_PLACE = '<script type="application/json" id="gridjax-replay">null</script>'


@dataclass(frozen=True)
class Recording:
    """Every step of a case under a policy, and under another where two are compared."""

    view: View
    case: int
    policies: tuple[str, ...]  # one or two
    looks: tuple[Look, ...]  # leaves `[n_step, ...]`, of each policy
    terminated: tuple[np.ndarray, ...]  # [n_step], bool

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The steps up to where the grid fails under all policies, as `gridjax.live` sends them."""
        before: list[dict[str, Any] | None] = [None] * len(self.looks)
        dead = [False] * len(self.looks)
        found = []
        for k in range(len(self.terminated[0])):
            lanes: list[dict[str, Any]] = []
            shown = dead.index(False)  # where the grid failed, another episode has begun
            for lane, (name, looks) in enumerate(zip(self.policies, self.looks)):
                last = before[lane]
                if dead[lane]:
                    assert last is not None
                    lanes.append(last | {"events": []})
                    continue
                picture = self.view.picture(jax.tree.map(lambda x, k=k: x[k], looks))
                events = happenings(last, picture, self.view.voltage_band)
                before[lane] = picture = {"policy": name, **picture, "events": events}
                lanes.append(picture)
                dead[lane] = bool(self.terminated[lane][k])
            clock = self.view.clock(jax.tree.map(lambda x, k=k: x[k], self.looks[shown]))
            began = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(days=clock["day"], hours=clock["hour"])
            found.append(
                frame(
                    sequence=k + 1,
                    timestamp=began.isoformat(timespec="milliseconds"),
                    step=k + 1,
                    episode=0,
                    clock=clock,
                    picture=lanes[0],
                    comparison=lanes[1] if len(lanes) > 1 else None,
                )
            )
            if all(dead):
                break
        return found

    @property
    def hello(self) -> dict[str, Any]:
        """As `gridjax.live` greets a viewer."""
        status = {
            "schema": VERSION,
            "type": "status",
            "running": False,
            "paused": False,
            "speed": 10.0,
            "step": 0,
            "episode": 0,
            "seed": 0,
            "policy": self.policies[0],
            "comparison": self.policies[1] if len(self.policies) > 1 else None,
            "scenario": f"case {self.case}",
            "weights": {},
            "viewers": 0,
            "history_file": False,
            "error": None,
        }
        device = jax.devices()[0].device_kind
        return hello(
            self.view,
            server={"version": version("gridjax"), "jax": jax.__version__, "device": device},
            session="replay",
            policies=list(self.policies),
            scenarios=[status["scenario"]],
            days=[self.case, self.case],
            state=status,
            weights={},
            hertz=10.0,
            replayed=False,
        )


def record(
    env: Environment,
    params: Any,
    act: Act | Recalling,
    case: int,
    key: jax.Array,
    *,
    policy: str = "policy",
    comparison: Act | Recalling | None = None,
    compared: str = "comparison",
    view: View | None = None,
) -> Recording:
    """Run `act` through a whole case of `env.on_case`, and `comparison` through the same with the same keys.

    `view` shows a task of one's own, see `views.NetworkView`. Raises `ValueError` for a task without a view.
    """
    view = view_of(env, params) if view is None else view
    run = jax.jit(partial(_record, env, view.look))
    acts = [act] if comparison is None else [act, comparison]
    found = [run(as_pytree(one), key, jnp.int32(case), params) for one in acts]
    looks, terminated = zip(*(jax.tree.map(np.asarray, one) for one in found))
    return Recording(view, int(case), (policy, compared)[: len(acts)], tuple(looks), tuple(terminated))


def to_html(rollout: Recording, path: str | os.PathLike | None = None) -> str:
    """The page that plays `rollout`, also written to `path`: one file, without scripts from elsewhere.

    Raises `FileNotFoundError` where the page was not built into this copy of gridjax.
    """
    page = PAGE.read_text(encoding="utf-8")
    before, place, after = page.partition(_PLACE)
    if not place:
        raise ValueError(f"{PAGE.name} has no place for a recording, expected {_PLACE}")
    content = {"hello": rollout.hello, "frames": rollout.frames}
    # nothing in it can end the element that it stands in
    text = json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    html = before + place.replace("null", text) + after
    if path is not None:
        file = Path(path)
        unfinished = file.with_name(file.name + ".partial")
        unfinished.write_text(html, encoding="utf-8")
        os.replace(unfinished, file)
    return html


def _record(
    env: Any, look: Callable[..., Look], act: Any, key: jax.Array, case: jax.Array, params: Any
) -> tuple[Look, jax.Array]:
    def keep(step: Step, params: Any) -> tuple[Look, jax.Array]:
        return look(step.state, step.actions, step.out, params), step.out.terminated

    return play(env, act, key, case, params, keep)
