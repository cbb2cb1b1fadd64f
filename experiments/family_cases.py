"""Kinds of cases that a run is tried on beside those of its evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np

import gridjax
from experiments.cases import MOST_HELD_OUT, Cases, chosen_days, held_out_cases
from experiments.task import RESILIENCE, SMART_GRID, Task
from gridjax.envs import Environment
from gridjax.envs.resilience import Resilience, calm_cases
from gridjax.scenarios import days
from gridjax.scenarios.events import EVENTS


@dataclass(frozen=True)
class Kinds:
    """What there is for a task."""

    names: tuple[str, ...]
    shown: tuple[str, ...]  # controllers beside the learner
    cost: str  # measure, EUR of a case
    planned: tuple[str, ...] = ()  # of `names`, those for which the optimum is searched


KINDS: Mapping[str, Kinds] = {
    SMART_GRID: Kinds(
        names=("plain", *EVENTS),
        shown=("idle_battery", "self_consumption", "peer_to_peer", "tuned_rule"),
        cost="community_cost",
    ),
    RESILIENCE: Kinds(
        names=("outages", "calm", "storms", "overhead", "blind"),
        shown=("do_nothing", "tuned_rule"),
        cost="energy_cost",
        planned=("calm",),
    ),
}
# what differs from the task, in rates: only storms take the grid away; wind breaks lines; sensors fail often
_RATES: Mapping[str, Mapping[str, float]] = {
    "storms": {"outages_per_year": 0.0, "storms_per_year": 1.6},
    "overhead": {"wind_fragility": 1.0},
    "blind": {"sensor_losses_per_year": 2.0, "sensor_loss_hours": 48.0},
}


def kinds_of(task: Task) -> Kinds:
    """Raises `ValueError` for a task without them."""
    if task.env not in KINDS:
        raise ValueError(f"{task.env} has no families of cases; {', '.join(KINDS)} have")
    return KINDS[task.env]


def cases_of(task: Task, kind: str, number: int) -> tuple[Environment, Cases]:
    """`number` cases of a kind of `KINDS[task.env].names`, held out."""
    if task.env == SMART_GRID:
        _check_number(number, MOST_HELD_OUT, kind)
        events = () if kind == "plain" else (kind,)
        env, params = gridjax.make(task.env, **replace(task, events=events, event_probability=1.0).options())
        return env, Cases(params, chosen_days(number))
    options: dict[str, Any] = task.options()
    options["rates"] = dict(options.get("rates", {})) | dict(_RATES.get(kind, {}))
    env, params = gridjax.make(task.env, **options)
    assert isinstance(env, Resilience)
    if kind != "calm":
        return env, held_out_cases(env, params, number)
    every = days("test", -(-env.case_steps // env.steps_per_day))
    _check_number(number, every.size, kind)
    chosen = every[np.linspace(0, every.size, number, endpoint=False).astype(int)]
    listed = replace(params, scenarios=calm_cases(env, chosen), listed=jnp.asarray(True))
    return env, Cases(listed, np.arange(number))


def _check_number(number: int, most: int, kind: str) -> None:
    if number > most:
        raise ValueError(f"--days is {number}, expected at most {most} for {kind}")
